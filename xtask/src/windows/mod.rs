//! Shows that jerry keeps its promises on the API of Windows, from a Linux machine: type-checks the
//! workspace for Windows and macOS, builds its tests for Windows, and runs them under Wine.
//! `docs/windows.md` says what that shows and what it does not.

mod exceptions;
mod report;
mod tests;
mod tools;
mod wine;

use std::io;
use std::process::ExitCode;
use std::time::Duration;

use report::{Report, Total};
use tools::Rust;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Runs only the test binaries whose name, as in `jerry-infra-fs/locks`, contains one of these
    binaries: Vec<String>,
    /// Type-checks only, and runs nothing
    #[arg(long)]
    check: bool,
    /// After how many seconds a test binary is ended
    #[arg(long, default_value_t = 900)]
    timeout: u64,
}

/// What is type-checked. The third one is built.
const CHECKED: [&str; 2] = ["x86_64-pc-windows-msvc", "aarch64-apple-darwin"];
const BUILT: &str = "x86_64-pc-windows-gnu";

pub(crate) fn run(arguments: &Arguments) -> io::Result<ExitCode> {
    let rust = Rust::have(&[CHECKED[0], CHECKED[1], BUILT])?;
    let mut total = Total::default();
    for target in CHECKED {
        total.checked(target, rust.check(target)?);
    }
    if !arguments.check {
        let wine = wine::Wine::set_up()?;
        for binary in tests::build(&rust, BUILT)? {
            if arguments.binaries.is_empty()
                || arguments.binaries.iter().any(|part| binary.name.contains(part))
            {
                let report = match exceptions::of_binary(&binary.name) {
                    Some(why) => Report::skipped(why),
                    None => wine.run(&binary, Duration::from_secs(arguments.timeout))?,
                };
                total.ran(&binary.name, &report);
            }
        }
    }
    Ok(total.finish())
}
