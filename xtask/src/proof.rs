//! Builds the program as users get it, and what proves it, and runs the proof.

use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

#[derive(clap::Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    /// The arguments of `jerry-proof`; `--help` shows them
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Runs `parts`, and whatever the arguments name beside them.
pub(crate) fn run(parts: &[&str], arguments: &Arguments) -> io::Result<ExitCode> {
    // One after the other: built together, the program would get the seam that only the proof has.
    for package in ["jerry-cli", "jerry-proof"] {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let build = ["build", "--quiet", "--locked", "--profile", "proof", "--package", package];
        if !Command::new(cargo).args(build).status()?.success() {
            return Err(io::Error::other(format!("{package} does not build")));
        }
    }
    let folder = target_folder()?.join("proof");
    let status = Command::new(folder.join("jerry-proof"))
        .arg("--jerry")
        .arg(folder.join("jerry"))
        .args(parts)
        .args(&arguments.arguments)
        .status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// This program lies in `<target>/<profile>/`.
pub(crate) fn target_folder() -> io::Result<PathBuf> {
    let this = std::env::current_exe()?;
    let folder = this.ancestors().nth(2).ok_or_else(|| io::Error::other("no target folder"))?;
    Ok(folder.to_owned())
}
