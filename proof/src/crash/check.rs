//! Looks with jerry's own eyes at what a power cut left.

#![expect(clippy::disallowed_methods, reason = "the files are laid out as a power cut left them")]

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jerry_application::{Create, Doctor, NewItem, Ports, Request};
use jerry_domain::ports::{Ailment, Clock, Finding};
use jerry_domain::{Actor, Prefix, Timestamp, Title, Uid};
use jerry_infra_fs::lock::{FsLocks, LockSettings};
use jerry_infra_fs::{FsIds, Store, seam};

use super::disk::Tree;
use super::states::State;
use super::trace::{STORE, identities};
use crate::command::call;

/// The boot before the power cut, and the one after.
pub(super) const BEFORE: &str = "00000000-0000-4000-8000-000000000001";
pub(super) const AFTER: &str = "00000000-0000-4000-8000-000000000002";

/// A folder in which states are laid out, one after the other.
pub(super) struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    /// In memory where that is possible: the disk is the model's part.
    pub(super) fn new() -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let folder = if fs::metadata(memory).is_ok_and(|metadata| metadata.is_dir()) {
            tempfile::tempdir_in(memory)?
        } else {
            tempfile::tempdir()?
        };
        Ok(Self { folder })
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An empty folder.
    pub(super) fn clear(&self) -> io::Result<PathBuf> {
        let folder = self.folder.path().join("state");
        if let Err(error) = fs::remove_dir_all(&folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    /// Long ago: a file that was written just now and does not parse is read again for a while,
    /// since somebody may be writing it.
    fn lay_out(&self, tree: &Tree) -> io::Result<PathBuf> {
        let folder = self.clear()?;
        let long_ago = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
        // A folder's path sorts before those of what is in it.
        for (path, content) in tree {
            match content {
                None => fs::create_dir(folder.join(path))?,
                Some(content) => {
                    let mut file = fs::File::create(folder.join(path))?;
                    file.write_all(content)?;
                    file.set_modified(long_ago)?;
                }
            }
        }
        Ok(folder)
    }
}

/// Whether everything that must be there is there, and everything works that must work.
///
/// # Errors
/// What is not as it must be.
pub(super) fn check(bench: &Bench, state: &State<'_>) -> Result<(), String> {
    if let Some(broken) = state.expectation.broken_by(&state.tree) {
        return Err(broken);
    }
    let folder = bench.lay_out(&state.tree).map_err(|error| error.to_string())?;
    let root = folder.join(STORE);
    seam::set_boot(Some(AFTER));
    if !state.tree.contains_key(".jerry/data/format.json") {
        if state.expectation.is_store {
            return Err("the store is no store any more".to_owned());
        }
        let made = call(&root, &["init"]);
        made.map_err(|failure| format!("init again: {}", failure.message))?;
    }
    go_on(&root, state).map_err(|error| {
        let causes = std::iter::successors(error.source(), |cause: &&dyn Error| (*cause).source());
        causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
    })
}

/// Uses the store as people would after the power cut.
fn go_on(root: &Path, state: &State<'_>) -> Result<(), Box<dyn Error>> {
    let settings = LockSettings { timeout: Duration::from_secs(1), ..LockSettings::default() };
    let store = Store::open(root, settings.clone())?;
    let is_damaged = state.expectation.promise.is_damaged;
    let listed: BTreeSet<_> = list(&store, is_damaged)?.into_iter().collect();

    let layout = store.layout();
    let locks = FsLocks::new(layout.locks(), store.format().lock_backend, settings);
    let clock = Arc::new(SetBack);
    let ids = Arc::new(FsIds::new(layout.clone(), locks, clock.clone()));
    let ports = Ports { items: store.items(), ids, locks: store.locks(), clock };
    let create = Create::new(ports.clone(), Prefix::new("WORK")?);
    let request = Request::new(Actor::new("proof")?);
    let new = || Ok::<_, Box<dyn Error>>(NewItem { title: Title::new("new")?, edits: Vec::new() });
    for item in pollster::block_on(create.create(vec![new()?], &request))? {
        let (id, uid) = (item.id.to_string(), item.uid.to_string());
        if identities(state.tree.iter()).any(|(other, _)| other == id) {
            return Err(format!("the number of {id} was given out again").into());
        }
        if identities(state.tree.iter()).any(|(_, other)| other == uid) {
            return Err(format!("the uid {uid} was given out again").into());
        }
    }
    let doctor = Doctor::new(ports, store.care());
    let report = pollster::block_on(doctor.fix(&request))?;
    // Of many items that were on their way, one may be there and what it waits for not; the same
    // command again brings it.
    let dangles = [Ailment::DanglingDependency, Ailment::DanglingParent];
    let is_tolerable =
        |finding: &Finding| state.expectation.is_in_flight && dangles.contains(&finding.ailment);
    if let Some(left) = report.remaining.iter().find(|finding| !is_tolerable(finding)) {
        return Err(format!("the doctor leaves {left:?}").into());
    }
    pollster::block_on(create.create(vec![new()?], &request))?;
    let now = list(&store, false)?;
    if let Some(lost) = listed.iter().find(|uid| !now.contains(*uid)) {
        return Err(format!("the doctor lost the item {lost}").into());
    }
    if now.len() != listed.len() + 2 && !is_damaged {
        let (before, now) = (listed.len(), now.len());
        return Err(format!("{before} items were listed, then two made, then {now}").into());
    }
    Ok(())
}

/// The uids of all items, each of which can be read unless the store is damaged.
fn list(store: &Store, is_damaged: bool) -> Result<Vec<Uid>, Box<dyn Error>> {
    let mut uids = Vec::new();
    for summary in pollster::block_on(store.items().summaries())? {
        match summary {
            Ok(summary) => uids.push(summary.uid),
            Err(_) if is_damaged => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(uids)
}

struct SetBack;

impl Clock for SetBack {
    fn now(&self) -> Timestamp {
        Timestamp::now() - Duration::from_secs(60 * 60)
    }
}
