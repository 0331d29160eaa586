//! The compiler's child process, for tests and benchmarks of this room.

fn main() -> std::process::ExitCode {
    deskhand_runtime::compile_child_main(std::env::args().skip(1))
}
