//! jerry inside this process, on the store of one case.

use std::ffi::OsString;
use std::path::Path;

use jerry_cli::exit::Failure;
use serde_json::Value;

/// How long a lock is waited for. Nobody else works on the store of a case.
const PATIENCE: &str = "20ms";

/// What every command finds in its environment.
pub(super) fn environment(root: &Path) -> [(&'static str, OsString); 3] {
    [
        ("JERRY_STORE", root.into()),
        ("JERRY_ACTOR", "proof".into()),
        ("JERRY_LOCK_TIMEOUT", PATIENCE.into()),
    ]
}

/// Carries out a command on the store at `root`.
pub(super) fn call(root: &Path, arguments: &[impl AsRef<str>]) -> Result<Value, Failure> {
    let fixed = ["jerry", "--json", "--yes"].map(OsString::from);
    let given = arguments.iter().map(|argument| OsString::from(argument.as_ref()));
    let environment = environment(root);
    let value = move |name: &str| {
        environment.iter().find(|(key, _)| *key == name).map(|(_, value)| value.clone())
    };
    jerry_cli::call(fixed.into_iter().chain(given), Box::new(value))
}
