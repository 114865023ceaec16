//! The stores on which commands run, and copies of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jerry_infra_fs::seam::{Step, Watch, set_boot, watch};
use serde_json::Value;
use tempfile::TempDir;

use super::program::call;

/// What a command begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ground {
    /// No store.
    Nothing,
    /// A store as git brings it: only what is committed, and no item.
    Cloned,
    /// Items in every status, references, a deleted item.
    Worked,
    /// The same, last used before the machine was started anew.
    Rebooted,
    /// Items of another clone stand where the next numbers point.
    Outrun,
    /// An item whose number has a tombstone of another item.
    Reused,
    /// Imported items that wait for some that are not there.
    Waiting,
    /// One thing that `doctor --fix` repairs.
    Ill(Illness),
    /// A lock that nobody can prove anything of; directory locks only.
    Locked,
    /// A lock of a dead process; directory locks only.
    Bereft,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Illness {
    Litter,
    CopyBeside,
    Misnamed,
    TakenName,
    HalfDeleted,
    OrphanTombstone,
    SameUid,
    SharedNumber,
    NumbersBehind,
    NumbersCorrupt,
    IndexCorrupt,
    /// All of them.
    Everything,
}

/// How a store locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Backend {
    Os,
    Directory,
}

impl Backend {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Os => "os",
            Self::Directory => "directory",
        }
    }
}

pub(super) type Made<T> = Result<T, String>;

/// A folder on the fastest file system there is, removed in the end.
pub(super) fn scratch() -> Made<TempDir> {
    let memory = Path::new("/dev/shm");
    let mut builder = tempfile::Builder::new();
    let builder = builder.prefix("jerry-faults-");
    let made = match memory.try_exists() {
        Ok(true) => builder.tempdir_in(memory),
        Ok(false) | Err(_) => builder.tempdir(),
    };
    made.map_err(|error| format!("no folder for the cases: {error}"))
}

/// Makes the store `.jerry` in `folder`.
pub(super) fn prepare(folder: &Path, ground: Ground, backend: Backend) -> Made<()> {
    let root = folder.join(".jerry");
    make(&folder.join("out"))?;
    if ground == Ground::Nothing {
        return Ok(());
    }
    if ground == Ground::Rebooted {
        set_boot(Some("an earlier boot"));
    }
    let prepared = furnish(&root, ground, backend);
    set_boot(None);
    prepared
}

fn furnish(root: &Path, ground: Ground, backend: Backend) -> Made<()> {
    run(root, &["init", "--lock-backend", backend.name()])?;
    match ground {
        Ground::Nothing => {}
        Ground::Cloned => {
            for folder in ["local", "data/items", "data/tombstones"] {
                done(folder, fs::remove_dir_all(root.join(folder)))?;
            }
        }
        Ground::Waiting => {
            let input = root.with_file_name("first.jsonl");
            put(&input, &issues(1, 3))?;
            run(root, &["import", "--from", "beads", &input.display().to_string()])?;
        }
        _ => populate(root)?,
    }
    match ground {
        Ground::Outrun => outrun(root)?,
        Ground::Reused => reuse(root)?,
        Ground::Ill(illness) => fall_ill(root, illness)?,
        Ground::Locked => leave_lock(root, "host", &Value::from("elsewhere"))?,
        Ground::Bereft => leave_lock(root, "started", &Value::from(1))?,
        _ => {}
    }
    Ok(())
}

/// WORK-001 to WORK-008 in every status; WORK-007 is deleted.
fn populate(root: &Path) -> Made<()> {
    run(
        root,
        &["create", "the whole", "--type", "story", "--label", "old", "--criterion", "it is"],
    )?;
    for title in ["begun", "stuck", "finished", "given up"] {
        run(root, &["create", title, "--parent", "1"])?;
    }
    run(root, &["create", "waiting", "--needs", "2"])?;
    run(root, &["create", "deleted"])?;
    run(root, &["create", "on its own"])?;
    for (command, ids) in [
        ("start", &["2", "3", "4"][..]),
        ("block", &["3"]),
        ("complete", &["4"]),
        ("cancel", &["5"]),
    ] {
        ids.iter().try_for_each(|id| run(root, &[command, id]))?;
    }
    run(root, &["delete", "7"])
}

/// Numbers 9 and 10 are given out next, and are taken.
fn outrun(root: &Path) -> Made<()> {
    respell(&item(root, 8), &item(root, 9), &[("id", "WORK-009".into()), ("uid", "77".into())])?;
    respell(&item(root, 8), &item(root, 10), &[("id", "WORK-010".into()), ("uid", "78".into())])
}

/// The deleted item's number, given to another item by another clone.
fn reuse(root: &Path) -> Made<()> {
    respell(&item(root, 8), &item(root, 7), &[("id", "WORK-007".into()), ("uid", "79".into())])
}

fn fall_ill(root: &Path, illness: Illness) -> Made<()> {
    let items = root.join("data/items");
    let tombstones = root.join("data/tombstones");
    let sequences = root.join("data/sequences.json");
    match illness {
        Illness::Litter => put(&items.join(".WORK-002.json.tmp"), "{\"id\":"),
        Illness::CopyBeside => respell(&item(root, 1), &items.join("copy of WORK-001.json"), &[]),
        Illness::Misnamed => done("rename", fs::rename(item(root, 8), items.join("other.json"))),
        Illness::TakenName => {
            respell(&item(root, 8), &items.join("theirs.json"), &[("uid", "80".into())])
        }
        Illness::HalfDeleted => {
            let tombstone = tombstones.join("WORK-007.json");
            let kept = read(&tombstone)?;
            put(&item(root, 7), &format!("{:#}\n", kept["item"]))
        }
        Illness::OrphanTombstone => {
            let path = tombstones.join("WORK-066.json");
            done("rename", fs::rename(tombstones.join("WORK-007.json"), path))
        }
        Illness::SameUid => respell(&item(root, 2), &item(root, 11), &[("id", "WORK-011".into())]),
        // As after a merge of two branches that gave out the same number.
        Illness::SharedNumber => {
            let path = item(root, 8);
            let mut elder = read(&path)?;
            let mut younger = elder.clone();
            younger["uid"] = "82".into();
            elder["displaced"] = vec![younger].into();
            put(&path, &format!("{elder:#}\n"))
        }
        Illness::NumbersBehind => respell(
            &item(root, 8),
            &item(root, 500),
            &[("id", "WORK-500".into()), ("uid", "81".into())],
        ),
        Illness::NumbersCorrupt => put(&sequences, "{\"schema\":1,\"prefixes\":"),
        Illness::IndexCorrupt => put(&root.join("data/index.json"), "{\"schema\":1,"),
        Illness::Everything => [
            Illness::Litter,
            Illness::CopyBeside,
            Illness::TakenName,
            Illness::HalfDeleted,
            Illness::SameUid,
            Illness::NumbersBehind,
            Illness::IndexCorrupt,
        ]
        .into_iter()
        .try_for_each(|illness| fall_ill(root, illness)),
    }
}

/// Lets a command end without releasing the lock of WORK-001, and changes one thing that its
/// record says about the holder.
fn leave_lock(root: &Path, field: &str, value: &Value) -> Made<()> {
    struct Stuck;
    impl Watch for Stuck {
        fn pass(
            &mut self,
            step: Step<'_>,
            run: &mut dyn FnMut() -> std::io::Result<()>,
        ) -> std::io::Result<()> {
            match step {
                Step::RemoveFile(path)
                    if path.parent().is_some_and(|it| it.ends_with("WORK-001.lock")) =>
                {
                    Err(std::io::Error::other("it stays"))
                }
                _ => run(),
            }
        }
    }
    watch(Some(Box::new(Stuck)));
    let noted = run(root, &["note", "1", "left behind"]);
    watch(None);
    noted?;
    amend_owners(root, |holder| {
        holder.insert(field.to_owned(), value.clone());
    })
}

/// Changes what every directory lock of the store says of its holder.
pub(super) fn amend_owners(
    root: &Path,
    mut change: impl FnMut(&mut serde_json::Map<String, Value>),
) -> Made<()> {
    let locks = root.join("local/locks");
    let Ok(entries) = fs::read_dir(&locks) else { return Ok(()) };
    for directory in entries.filter_map(Result::ok).map(|entry| entry.path()) {
        let Ok(records) = fs::read_dir(&directory) else { continue };
        for path in records.filter_map(Result::ok).map(|entry| entry.path()) {
            // One that was never written whole says nothing that could be changed.
            let Ok(mut record) = read(&path) else { continue };
            if let Some(holder) = record["holder"].as_object_mut() {
                change(holder);
            }
            put(&path, &record.to_string())?;
        }
    }
    Ok(())
}

/// Issues of beads, of which each waits for the next but one.
pub(super) fn issues(first: u32, count: u32) -> String {
    let line = |number: u32| {
        let needed = number + 2;
        format!(
            "{{\"id\":\"bd-{number}\",\"title\":\"issue {number}\",\"status\":\"open\",\"priority\":2,\
             \"issue_type\":\"task\",\"created_at\":\"2025-01-01T00:00:00Z\",\
             \"updated_at\":\"2025-01-01T00:00:00Z\",\"dependencies\":[{{\"issue_id\":\"bd-{number}\",\
             \"depends_on_id\":\"bd-{needed}\",\"type\":\"blocks\"}}]}}\n"
        )
    };
    (first..first + count).map(line).collect()
}

/// A copy of a prepared folder, whose files have been left alone for an hour.
pub(super) fn copy(from: &Path, to: &Path) -> Made<()> {
    make(to)?;
    let shown = from.display().to_string();
    for entry in done(&shown, fs::read_dir(from))? {
        let entry = done(&shown, entry)?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if done(&shown, entry.file_type())?.is_dir() {
            copy(&source, &target)?;
        } else {
            let text = done(&shown, fs::read(&source))?;
            done(&shown, fs::write(&target, text))?;
            let file = done(&shown, fs::File::options().write(true).open(&target))?;
            let earlier = SystemTime::now() - Duration::from_secs(3600);
            done(&shown, file.set_modified(earlier))?;
        }
    }
    Ok(())
}

/// The text in `from` with some of its fields changed, as the file `to`.
fn respell(from: &Path, to: &Path, fields: &[(&str, Value)]) -> Made<()> {
    let mut value = read(from)?;
    for (name, field) in fields {
        value[*name] = field.clone();
    }
    // What its history says of the first version must fit, or doctor would find more than it should.
    put(to, &format!("{value:#}\n"))
}

fn item(root: &Path, number: u32) -> PathBuf {
    root.join(format!("data/items/WORK-{number:03}.json"))
}

fn run(root: &Path, arguments: &[&str]) -> Made<()> {
    let ran = call(root, arguments).map(drop);
    ran.map_err(|failure| format!("the store cannot be prepared: {arguments:?}: {failure}"))
}

fn read(path: &Path) -> Made<Value> {
    let shown = path.display().to_string();
    let text = done(&shown, fs::read(path))?;
    serde_json::from_slice(&text).map_err(|error| format!("{shown}: {error}"))
}

fn put(path: &Path, text: &str) -> Made<()> {
    done(&path.display().to_string(), fs::write(path, text))
}

fn make(folder: &Path) -> Made<()> {
    done(&folder.display().to_string(), fs::create_dir_all(folder))
}

pub(super) fn done<T>(what: &str, result: std::io::Result<T>) -> Made<T> {
    result.map_err(|error| format!("{what}: {error}"))
}
