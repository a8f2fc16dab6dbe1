//! The program `faultline`.

fn main() -> std::process::ExitCode {
    server::cli::main()
}
