//! The program that `work` runs: looked for before anything is claimed for it, so that a typing error
//! leaves no trace in an item.

use std::ffi::{OsStr, OsString};
use std::io;

use crate::exit::{Code, Failure};
use crate::output::line;

/// Fails where the program of `command` is certainly not to be had.
pub(super) fn find(command: &[OsString]) -> Result<(), Failure> {
    match command.first() {
        Some(program) if can_be_run(program) => Ok(()),
        Some(program) => Err(missing(format!("there is no program {} to run", named(program)))),
        None => Err(missing("there is no command".to_owned())),
    }
}

/// What is said of `program` when the system would not start it after all.
pub(super) fn not_started(program: &OsStr, error: &io::Error) -> Failure {
    missing(format!("cannot run {}: {error}", named(program)))
}

fn missing(message: String) -> Failure {
    Failure::new(Code::Usage, message).hint(
        "name a program in PATH, or the path of a file that may be executed; `sh -c '…'` runs a line \
         of shell",
    )
}

fn named(program: &OsStr) -> String {
    format!("'{}'", line(&program.to_string_lossy()))
}

#[cfg(unix)]
fn can_be_run(program: &OsStr) -> bool {
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    let is_executable = |path: &Path| {
        let found = std::fs::metadata(path);
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.as_bytes().contains(&b'/') {
        return is_executable(Path::new(program));
    }
    match std::env::var_os("PATH") {
        _ if program.is_empty() => false,
        Some(path) => {
            std::env::split_paths(&path).any(|folder| is_executable(&folder.join(program)))
        }
        // The system has folders of its own then.
        None => true,
    }
}

/// Names have endings there that need not be typed, and more places to be in.
#[cfg(not(unix))]
fn can_be_run(program: &OsStr) -> bool {
    !program.is_empty()
}
