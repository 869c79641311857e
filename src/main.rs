//! The binary: a shim over the library.

fn main() -> std::process::ExitCode {
    fanlight::cli::run(std::env::args_os())
}
