//! Disks that are full, or nearly: every command with every amount of space left, from none to
//! more than it needs. A command that did not write never says that it did; what was there is
//! whole, nothing lies about, and once there is space the next command works.

#![expect(clippy::disallowed_methods, reason = "it arranges disks, not a store")]

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;

use super::jerry::{Ended, Jerry};
use super::mount::{Mounted, succeed};
use crate::outcome::Outcome;

/// A kind of small disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Disk {
    Tmpfs,
    Ext4,
}

impl Disk {
    fn mount(self) -> Result<Mounted, String> {
        // Four times 64 KiB: a filler leaves as much free as is wanted, and gives way in the end.
        match self {
            Self::Tmpfs => Mounted::tmpfs("size=256k,nr_inodes=100"),
            Self::Ext4 => Mounted::image(
                "256k",
                "mkfs.ext4",
                &["-q", "-b", "1024", "-m", "0", "-N", "96", "-O", "^has_journal,^resize_inode"],
            ),
        }
    }
}

/// What runs out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scarce {
    Blocks,
    Inodes,
}

/// What the files of a store say, without what is this machine's own or can be derived.
type Truth = BTreeMap<String, Vec<u8>>;

/// A command and how it shows that it was carried out.
struct Deed {
    arguments: &'static [&'static str],
    done: fn(&Truth, &Truth) -> bool,
    /// Whether a part of it may be there when it fails.
    in_parts: bool,
}

const DEEDS: [Deed; 12] = [
    Deed { in_parts: true, done: |_, now| now.contains_key(FORMAT), ..deed(&["init"]) },
    Deed { done: |old, now| has_grown(old, now, 1), ..deed(&["create", "another"]) },
    Deed {
        in_parts: true,
        done: |old, now| has_grown(old, now, 5),
        ..deed(&["create", "item a", "item b", "item c", "item d", "item e"])
    },
    deed(&["update", "WORK-001", "--description", LONG]),
    deed(&["note", "WORK-001", "said"]),
    deed(&["start", "WORK-001"]),
    Deed {
        done: |old, now| {
            let tombstone = now.contains_key("data/tombstones/WORK-001.json");
            tombstone && !now.contains_key(FIRST) && old.len() == now.len()
        },
        ..deed(&["delete", "WORK-001", "--yes"])
    },
    Deed {
        in_parts: true,
        done: |old, now| has_grown(old, now, 5),
        ..deed(&["import", "--from", "beads", ISSUES])
    },
    Deed {
        in_parts: true,
        done: |_, now| now.contains_key(SECOND) && !now.contains_key(MISNAMED),
        ..deed(REPAIR)
    },
    Deed { done: |old, now| old == now, ..deed(&["locks", "clean"]) },
    Deed { done: |old, now| old == now, ..deed(&["doctor"]) },
    Deed { done: |old, now| old == now, ..deed(&["list"]) },
];

const REPAIR: &[&str] = &["doctor", "--fix"];

/// Stand for arguments that are not known beforehand.
const LONG: &str = "LONG";
const ISSUES: &str = "ISSUES";

const FORMAT: &str = "data/format.json";
const FIRST: &str = "data/items/WORK-001.json";
const SECOND: &str = "data/items/WORK-002.json";
const MISNAMED: &str = "data/items/WORK-007.json";

const fn deed(arguments: &'static [&'static str]) -> Deed {
    Deed { arguments, done: first_was_written, in_parts: false }
}

/// Whether WORK-001 got one version more and nothing else was changed.
fn first_was_written(old: &Truth, now: &Truth) -> bool {
    let version = |truth: &Truth| {
        serde_json::from_slice::<Value>(truth.get(FIRST)?).ok()?["version"].as_u64()
    };
    let others = old.iter().all(|(name, bytes)| name == FIRST || now.get(name) == Some(bytes));
    others && old.len() == now.len() && version(now) == version(old).map(|version| version + 1)
}

/// Whether `count` files were added and nothing else was changed.
fn has_grown(old: &Truth, now: &Truth, count: usize) -> bool {
    now.len() == old.len() + count && old.iter().all(|(name, bytes)| now.get(name) == Some(bytes))
}

/// What every case begins with: a store with two items, and what to import.
pub(super) struct Template {
    folder: TempDir,
}

impl Template {
    pub(super) fn new(jerry: &Jerry) -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("jerry-proof-").tempdir();
        let folder = folder.map_err(|error| error.to_string())?;
        for arguments in [
            &["init"][..],
            &["create", "first"],
            &["create", "second"],
            &["note", "WORK-002", "worked on"],
            &["locks", "clean"],
        ] {
            jerry.succeed(folder.path(), arguments)?;
        }
        let issue = |n: u32| {
            let named = format!("\"id\":\"bd-{n}\",\"title\":\"issue {n}\",\"status\":\"open\"");
            format!("{{{named},\"priority\":1,\"created_at\":\"2025-01-01T00:00:00Z\"}}\n")
        };
        let issues: String = (0..5).map(issue).collect();
        fs::write(folder.path().join(ISSUES), issues).map_err(|error| error.to_string())?;
        Ok(Self { folder })
    }

    fn copy_to(&self, folder: &Path) -> Result<(), String> {
        let store = self.folder.path().join(".jerry");
        succeed(Command::new("cp").arg("--archive").arg(store).arg(folder))
    }

    fn arguments(&self, deed: &Deed) -> Vec<String> {
        let argument = |argument: &&str| match *argument {
            LONG => "x".repeat(20_000),
            ISSUES => self.folder.path().join(ISSUES).display().to_string(),
            other => other.to_owned(),
        };
        deed.arguments.iter().map(argument).collect()
    }
}

/// The disks to look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sweep {
    pub(super) disk: Disk,
    pub(super) scarce: Scarce,
    /// How much is left free at most.
    pub(super) most: u64,
}

impl Sweep {
    /// Every command with every amount that is left.
    pub(super) fn look(self, jerry: &Jerry, template: &Template, outcome: &mut Outcome) {
        let Self { disk, scarce, most } = self;
        let (mut refused, mut done) = (0, 0);
        for deed in &DEEDS {
            let mut succeeds_in_the_end = false;
            for free in 0..=most {
                outcome.cases += 1;
                match self.case(free, deed, jerry, jerry, template) {
                    Ok(success) => {
                        succeeds_in_the_end = success;
                        *(if success { &mut done } else { &mut refused }) += 1;
                    }
                    Err(why) => outcome.violations.push(self.about(free, deed, &why)),
                }
            }
            if !succeeds_in_the_end {
                outcome.violations.push(self.about(most, deed, "it does not suffice"));
            }
        }
        outcome.remarks.push(format!(
            "{disk:?} with 0 to {most} {scarce:?} left: {refused} commands refused, {done} done"
        ));
    }

    fn about(self, free: u64, deed: &Deed, why: &str) -> String {
        let Self { disk, scarce, .. } = self;
        format!("{disk:?} with {free} {scarce:?} left: jerry {}: {why}", deed.arguments.join(" "))
    }

    /// `suspect` does the deed; `jerry` looks on. Whether it was done.
    fn case(
        self,
        free: u64,
        deed: &Deed,
        suspect: &Jerry,
        jerry: &Jerry,
        template: &Template,
    ) -> Result<bool, String> {
        let mounted = self.disk.mount()?;
        let folder = mounted.folder();
        let root = folder.join(".jerry");
        if deed.arguments != ["init"] {
            template.copy_to(folder)?;
        }
        if deed.arguments == REPAIR {
            let renamed = fs::rename(root.join(SECOND), root.join(MISNAMED));
            renamed.map_err(|error| error.to_string())?;
        }
        let filler = folder.join("filler");
        fill(&filler, self.scarce, free)
            .map_err(|error| format!("the disk is not full: {error}"))?;

        let old = truth(&root)?;
        let ended = suspect.run(folder, &json(template.arguments(deed)))?;
        let now = truth(&root)?;
        let success = judge(deed, &ended, &old, &now)?;
        if now.contains_key(FORMAT) {
            jerry.succeed(folder, &["list", "--all"])?;
        }

        fs::remove_dir_all(&filler).map_err(|error| error.to_string())?;
        works_again(deed, jerry, folder)?;
        Ok(success)
    }
}

fn json(arguments: Vec<String>) -> Vec<String> {
    ["--json".to_owned()].into_iter().chain(arguments).collect()
}

/// What must be so after a deed, however it ended. Whether it says that it was done.
fn judge(deed: &Deed, ended: &Ended, old: &Truth, now: &Truth) -> Result<bool, String> {
    let done = (deed.done)(old, now);
    match ended.status() {
        Some(0 | 9) if !done => return Err(format!("it is not done: {ended}")),
        Some(0 | 9) => {}
        Some(8) if ended.answer().contains("\"code\":\"disk_full\"") => {
            let kept = old.values().all(|bytes| now.values().any(|other| other == bytes));
            if old != now && !(deed.in_parts && kept) {
                return Err(format!("it was refused, but something has changed: {ended}"));
            }
        }
        _ => return Err(format!("it ended otherwise: {ended}")),
    }
    for (name, bytes) in now.iter().filter(|(name, _)| name.ends_with(".json")) {
        if let Err(error) = serde_json::from_slice::<Value>(bytes) {
            return Err(format!("{name} is damaged: {error}"));
        }
    }
    match now.keys().find(|name| name.ends_with(".tmp")) {
        Some(litter) => Err(format!("it left {litter}: {ended}")),
        None => Ok(ended.status() == Some(0)),
    }
}

/// Once there is space everything works, and nothing has to be repaired before.
fn works_again(deed: &Deed, jerry: &Jerry, folder: &Path) -> Result<(), String> {
    if deed.arguments == ["init"] || deed.arguments == REPAIR {
        jerry.succeed(folder, deed.arguments)?;
    }
    let ended = jerry.succeed(folder, &["--json", "doctor"])?;
    if ended.answer().contains("temp_litter") {
        return Err(format!("it left something: {ended}"));
    }
    let root = folder.join(".jerry");
    let old = truth(&root)?;
    jerry.succeed(folder, &["create", "there is space again"])?;
    if !has_grown(&old, &truth(&root)?, 1) {
        return Err("with space again, nothing is created".to_owned());
    }
    if old.contains_key(SECOND) {
        jerry.succeed(folder, &["note", "WORK-002", "there is space again"])?;
    }
    Ok(())
}

/// Uses up a disk until `free` units are left.
fn fill(filler: &Path, scarce: Scarce, free: u64) -> io::Result<()> {
    fs::create_dir(filler)?;
    match scarce {
        Scarce::Blocks => fill_blocks(&filler.join("blocks"), free),
        Scarce::Inodes => fill_inodes(filler, free),
    }
}

fn fill_blocks(path: &Path, free: u64) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let block = vec![0; usize::try_from(rustix::fs::fstatvfs(&file)?.f_frsize).unwrap_or(4096)];
    let written = until_full(|| file.write_all(&block))?;
    let kept =
        written.checked_sub(free).ok_or_else(|| io::Error::other("the disk is too small"))?;
    file.set_len(kept * block.len() as u64)?;
    file.sync_all()?;
    match rustix::fs::fstatvfs(&file)?.f_bavail {
        left if left == free => Ok(()),
        left => Err(io::Error::other(format!("{left} blocks are left"))),
    }
}

fn fill_inodes(folder: &Path, free: u64) -> io::Result<()> {
    let mut names = 0..;
    let path = |n: u64| folder.join(n.to_string());
    let made = until_full(|| File::create_new(path(names.next().unwrap_or_default())).map(drop))?;
    (made.saturating_sub(free)..made).try_for_each(|n| fs::remove_file(path(n)))
}

/// How often `take` could be done.
fn until_full(mut take: impl FnMut() -> io::Result<()>) -> io::Result<u64> {
    for taken in 0.. {
        match take() {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::StorageFull => return Ok(taken),
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::other("a disk without end"))
}

/// Reads everything in a store but what can be derived. Of what is this machine's own only the
/// names of temporary files are there.
fn truth(root: &Path) -> Result<Truth, String> {
    let mut truth = Truth::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = match fs::read_dir(root.join(&folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries.map_err(|error| error.to_string())?,
        };
        for entry in entries {
            let entry = entry.map_err(|error| error.to_string())?;
            let path = folder.join(entry.file_name());
            let name = path.display().to_string();
            if entry.file_type().map_err(|error| error.to_string())?.is_dir() {
                folders.push(path);
            } else if name.ends_with(".tmp") || is_told(&name) {
                let bytes = fs::read(root.join(&path)).map_err(|error| error.to_string())?;
                truth.insert(name, bytes);
            }
        }
    }
    Ok(truth)
}

fn is_told(name: &str) -> bool {
    !name.starts_with("local/") && !["data/index.json", "data/sequences.json"].contains(&name)
}

/// Programs that do wrong on a full disk; whoever looks at them as above must find fault.
pub(super) fn mutate(jerry: &Jerry, template: &Template, outcome: &mut Outcome) {
    let wrong = [
        ("a command that says it was done", "\"$0\" \"$@\"; exit 0"),
        (
            "a command that leaves its temporary file",
            "\"$0\" \"$@\" || { s=$?; : >.jerry/data/items/.WORK-001.json.tmp; exit $s; }",
        ),
        (
            "a command that truncates the old file first",
            ": >.jerry/data/items/WORK-001.json; \"$0\" \"$@\"; echo '\"code\":\"disk_full\"'; exit 8",
        ),
        ("a command that says something else", "\"$0\" \"$@\" || exit 1"),
    ];
    let sweep = Sweep { disk: Disk::Tmpfs, scarce: Scarce::Blocks, most: 0 };
    let note = deed(&["note", "WORK-001", "said"]);
    for (what, script) in wrong {
        outcome.mutations += 1;
        if sweep.case(0, &note, &jerry.in_disguise(script), jerry, template).is_ok() {
            outcome.unnoticed.push(format!("{what}, on a full disk"));
        }
    }
}
