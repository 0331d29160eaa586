//! The sandbox's helper, for tests of this room.

fn main() -> std::process::ExitCode {
    deskhand_confine::helper_main(std::env::args_os().skip(2))
}
