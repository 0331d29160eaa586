//! The conformance command by itself, so that these tests can run it as the suite does.
#![allow(clippy::print_stderr)]

fn main() -> std::process::ExitCode {
    match deskhand_marketplace::conformance::run(std::env::args_os().skip(1)) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            std::process::ExitCode::FAILURE
        }
    }
}
