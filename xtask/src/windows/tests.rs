//! The test binaries of the workspace, built for Windows.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use super::tools::Rust;

/// A test binary.
pub(super) struct Binary {
    /// Package and target: `jerry-infra-fs/locks`.
    pub(super) name: String,
    pub(super) program: PathBuf,
    /// The folder of the package, where cargo runs its tests.
    pub(super) folder: PathBuf,
}

/// Builds them all, as `cargo test` does.
pub(super) fn build(rust: &Rust, target: &str) -> io::Result<Vec<Binary>> {
    let mut cargo = rust.cargo("test");
    cargo.args(["--no-run", "--locked", "--target", target]);
    let built = cargo.arg("--message-format=json").stderr(Stdio::inherit()).output()?;
    if !built.status.success() {
        return Err(io::Error::other(format!("the tests do not build for {target}")));
    }
    let messages = String::from_utf8_lossy(&built.stdout);
    let mut binaries = messages.lines().filter_map(binary).collect::<Vec<_>>();
    binaries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(binaries)
}

/// The test binary that a message of cargo's tells of, if it tells of one.
fn binary(message: &str) -> Option<Binary> {
    let message: Value = serde_json::from_str(message).ok()?;
    if message["profile"]["test"] != true {
        return None;
    }
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?;
    let target = message["target"]["name"].as_str()?;
    // `path+file:///…/crates/infra-fs#jerry-infra-fs@0.1.0`; without the name where the folder's
    // says it.
    let package = message["package_id"].as_str()?.rsplit_once('#')?.1;
    let package = match package.split_once('@') {
        Some((name, _)) => name.to_owned(),
        None => folder.file_name()?.to_string_lossy().into_owned(),
    };
    let name = match message["target"]["kind"][0].as_str()? {
        "test" => target.to_owned(),
        "lib" => "unit tests".to_owned(),
        _ => format!("unit tests of {target}"),
    };
    Some(Binary {
        name: format!("{package}/{name}"),
        program: message["executable"].as_str()?.into(),
        folder: folder.to_owned(),
    })
}
