//! The `kstone` command.

use std::process::ExitCode;

const HELP: &str = "\
kstone: KeystoneDB's in-memory mode

Usage: kstone [OPTION]

Options:
  --version  print the version
  --help     print this text
";

fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    match arguments.as_slice() {
        [option] if option == "--version" || option == "-V" => println!("kstone {}", env!("CARGO_PKG_VERSION")),
        [option] if option == "--help" || option == "-h" => print!("{HELP}"),
        [] => {
            eprint!("{HELP}");
            return ExitCode::from(2);
        }
        [first, ..] => {
            eprintln!("kstone: unexpected argument '{}'; see kstone --help", first.display());
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}
