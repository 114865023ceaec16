//! Where file locks may lie, jerry says so at every command; with directory locks it works there
//! and says nothing.

use std::path::Path;

use super::jerry::Jerry;
use super::mount::{Kind, Mounted};
use crate::outcome::Outcome;

pub(super) fn look(jerry: &Jerry, outcome: &mut Outcome) {
    outcome.skipped.extend(not_to_be_had());
    match (Kind::Fuse.mount(), Kind::Tmpfs.mount()) {
        (Ok(fuse), Ok(local)) => {
            if let Err(why) = look_at(&fuse, &local, jerry, outcome) {
                outcome.violations.push(format!("the warning: {why}"));
            }
        }
        (Err(why), _) | (_, Err(why)) => outcome.skipped.push(format!("the warning: {why}")),
    }
    match Mounted::exfat() {
        Ok(exfat) => {
            outcome.cases += 1;
            if let Err(why) = refuses(jerry, exfat.folder()) {
                outcome.violations.push(format!("exFAT through FUSE: {why}"));
            }
        }
        Err(why) => outcome.skipped.push(format!("exFAT through FUSE: {why}")),
    }
}

fn look_at(
    fuse: &Mounted,
    local: &Mounted,
    jerry: &Jerry,
    outcome: &mut Outcome,
) -> Result<(), String> {
    let (os, directory) = (fuse.make_folder("os")?, fuse.make_folder("directory")?);
    outcome.cases += 3;
    warns(jerry, &os, "os")?;
    is_silent(jerry, &directory, "directory")?;
    is_silent(jerry, local.folder(), "os")?;

    // The two looks, each at what the other one is for.
    let (os, directory) = (fuse.make_folder("not-os")?, fuse.make_folder("not-directory")?);
    outcome.mutations += 2;
    if warns(jerry, &directory, "directory").is_ok() {
        outcome.unnoticed.push("a store on FUSE without a warning".to_owned());
    }
    if is_silent(jerry, &os, "os").is_ok() {
        outcome.unnoticed.push("a warning where none is due".to_owned());
    }
    Ok(())
}

const COMMANDS: [&[&str]; 4] =
    [&["create", "an item"], &["note", "WORK-001", "said"], &["list"], &["show", "WORK-001"]];

/// A store with `backend` locks made in `folder` is warned of by every command, which works.
fn warns(jerry: &Jerry, folder: &Path, backend: &str) -> Result<(), String> {
    let init = ["init", "--lock-backend", backend];
    for arguments in [&init[..]].into_iter().chain(COMMANDS) {
        let ended = jerry.succeed(folder, arguments)?;
        let said = ended.complaint();
        let parts = ["warning: ", "FUSE", "jerry init --lock-backend directory"];
        if !parts.iter().all(|part| said.contains(part)) {
            return Err(format!("jerry {} does not warn: {ended}", arguments.join(" ")));
        }
    }
    doctor(jerry, folder, true)
}

/// No command warns of a store with `backend` locks made in `folder`.
fn is_silent(jerry: &Jerry, folder: &Path, backend: &str) -> Result<(), String> {
    let init = ["init", "--lock-backend", backend];
    for arguments in [&init[..]].into_iter().chain(COMMANDS) {
        let ended = jerry.succeed(folder, arguments)?;
        if ended.complaint().contains("warning") {
            return Err(format!("jerry {} warns: {ended}", arguments.join(" ")));
        }
    }
    doctor(jerry, folder, false)
}

fn doctor(jerry: &Jerry, folder: &Path, finds: bool) -> Result<(), String> {
    let ended = jerry.run(folder, &["--json", "doctor"])?;
    match ended.answer().contains("unsafe_file_system") == finds {
        true => Ok(()),
        false => Err(format!("jerry doctor: {ended}")),
    }
}

/// A file system on which no file can be created without the risk of replacing one is refused,
/// and the reason is not laid to the rights of the user.
fn refuses(jerry: &Jerry, folder: &Path) -> Result<(), String> {
    let ended = jerry.run(folder, &["--json", "init"])?;
    let answer = ended.answer();
    if ended.status() != Some(8) || !answer.contains("hard links") {
        return Err(format!("jerry init: {ended}"));
    }
    let ended = jerry.run(folder, &["create", "an item"])?;
    match ended.status() {
        Some(8) => Ok(()),
        _ => Err(format!("jerry create without a store: {ended}")),
    }
}

/// The other file systems that are warned of. Which of them is which is told by numbers and lines
/// of the kernel, which unit tests of `file_system.rs` have.
fn not_to_be_had() -> Vec<String> {
    let known = std::fs::read_to_string("/proc/filesystems").unwrap_or_default();
    let others = [("NFS", "nfs4"), ("9p", "9p"), ("virtiofs", "virtiofs"), ("SMB", "cifs")];
    let why = |name: &str| match known.split_whitespace().any(|word| word == name) {
        true => "there is no server for it here",
        false => "this kernel does not have it",
    };
    others.map(|(shown, name)| format!("the warning on {shown}: {}", why(name))).to_vec()
}
