//! Looks with jerry's own eyes at what a power cut left.

#![expect(clippy::disallowed_methods, reason = "the files are laid out as a power cut left them")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use jerry_application::{Create, Doctor, NewItem, Ports, Request};
use jerry_domain::ports::{Ailment, Clock, Finding};
use jerry_domain::{Actor, Prefix, Summary, Timestamp, Title, Uid};
use jerry_infra_fs::lock::{FsLocks, LockSettings};
use jerry_infra_fs::{FsIds, Store, seam};

use super::disk::{Bytes, Tree};
use super::states::State;
use super::trace::{STORE, identities};
use crate::command::call;

/// The boot before the power cut, and the one after.
pub(super) const BEFORE: &str = "00000000-0000-4000-8000-000000000001";
pub(super) const AFTER: &str = "00000000-0000-4000-8000-000000000002";

/// A folder in which states are laid out, one after the other. Most files of a state are those of
/// the one before: what nobody touched since stays where it is.
pub(super) struct Bench {
    folder: tempfile::TempDir,
    /// What every file that is laid out seems to have been written at. Long ago: a file that was
    /// written just now and does not parse is read again for a while, since somebody may be
    /// writing it.
    long_ago: SystemTime,
    laid: RefCell<BTreeMap<String, Laid>>,
}

/// A file as it was laid out. Nobody gives another one the same inode and the same old time.
struct Laid {
    inode: u64,
    content: Bytes,
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
        let long_ago = SystemTime::now() - Duration::from_secs(24 * 60 * 60);
        let bench = Self { folder, long_ago, laid: RefCell::default() };
        bench.clear()?;
        Ok(bench)
    }

    pub(super) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// An empty folder.
    pub(super) fn clear(&self) -> io::Result<PathBuf> {
        self.laid.borrow_mut().clear();
        let folder = self.folder.path().join("state");
        if let Err(error) = fs::remove_dir_all(&folder)
            && error.kind() != io::ErrorKind::NotFound
        {
            return Err(error);
        }
        fs::create_dir(&folder)?;
        Ok(folder)
    }

    fn lay_out(&self, tree: &Tree) -> io::Result<PathBuf> {
        let folder = self.folder.path().join("state");
        let mut laid = BTreeMap::new();
        self.keep(&folder, "", tree, &mut laid)?;
        // A folder's path sorts before those of what is in it.
        for (path, content) in tree {
            if laid.get(path).is_some_and(|laid| Some(&laid.content) == content.as_ref()) {
                continue;
            }
            let target = folder.join(path);
            let Some(content) = content else {
                if let Err(error) = fs::create_dir(&target)
                    && error.kind() != io::ErrorKind::AlreadyExists
                {
                    return Err(error);
                }
                continue;
            };
            let mut file = fs::File::create(&target)?;
            file.write_all(content)?;
            file.set_modified(self.long_ago)?;
            let inode = file.metadata()?.ino();
            laid.insert(path.clone(), Laid { inode, content: content.clone() });
        }
        self.laid.replace(laid);
        Ok(folder)
    }

    /// Removes from `folder` what is not in `tree`, and adds to `laid` what is as it was laid out.
    fn keep(
        &self,
        folder: &Path,
        prefix: &str,
        tree: &Tree,
        laid: &mut BTreeMap<String, Laid>,
    ) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let is_folder = entry.file_type()?.is_dir();
            match tree.get(&path) {
                Some(None) if is_folder => {
                    self.keep(&entry.path(), &format!("{path}/"), tree, laid)?;
                }
                Some(Some(_)) if !is_folder => {
                    let now = entry.metadata()?;
                    let before = self.laid.borrow_mut().remove(&path);
                    let before = before.filter(|before| before.inode == now.ino());
                    if let Some(before) = before
                        && now.modified()? == self.long_ago
                    {
                        laid.insert(path, before);
                    }
                }
                _ if is_folder => fs::remove_dir_all(entry.path())?,
                _ => fs::remove_file(entry.path())?,
            }
        }
        Ok(())
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
    store.complete_commits()?;
    plan_is_whole(&store)?;
    let listed: BTreeSet<_> = list(&store, is_damaged)?.into_iter().collect();

    let layout = store.layout();
    let locks = FsLocks::new(layout.locks(), store.format().lock_backend, settings);
    let clock = Arc::new(SetBack);
    let ids = Arc::new(FsIds::new(layout.clone(), locks, clock.clone()));
    let ports =
        Ports { items: store.items(), ids, locks: store.locks(), clock, gates: Arc::default() };
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

/// Of a plan all is there, or nothing: its two new items, and the label of the one that it changes.
fn plan_is_whole(store: &Store) -> Result<(), Box<dyn Error>> {
    let items: Vec<_> =
        pollster::block_on(store.items().summaries())?.filter_map(Result::ok).collect();
    let new = items.iter().filter(|item| item.title.as_str().starts_with("planned ")).count();
    let label = |item: &&Summary| item.labels.iter().any(|label| label.as_str() == "planned");
    match (new, items.iter().filter(label).count()) {
        (0, 0) | (2, 1) => Ok(()),
        (new, changed) => {
            Err(format!("of a plan {new} items are new and {changed} changed").into())
        }
    }
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
