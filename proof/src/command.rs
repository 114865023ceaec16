//! Commands of jerry inside this process, so that a watch on this thread sees all their steps.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use jerry_cli::exit::Failure;
use serde_json::Value;

/// Carries out `arguments` on the store at `root`, as the program would with no environment.
pub(crate) fn call<A: AsRef<OsStr>>(root: &Path, arguments: &[A]) -> Result<Value, Failure> {
    let fixed = ["jerry", "--json", "--yes", "--actor", "proof", "--lock-timeout", "1s", "--store"];
    let fixed = fixed.into_iter().map(OsString::from).chain([root.into()]);
    let arguments = arguments.iter().map(|argument| argument.as_ref().to_owned());
    jerry_cli::call(fixed.chain(arguments), Box::new(|_| None))
}
