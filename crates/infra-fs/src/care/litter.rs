//! The temporary files of killed processes, told from those of living ones by the lock under which
//! each was made: who holds it while the file is there owns it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jerry_domain::ports::{LockName, StorageError};

use super::FsCare;
use crate::batch;
use crate::fault::storage_error;
use crate::index::all_names;
use crate::journal;
use crate::layout::id_of_file;
use crate::lock::FsLockGuard;
use crate::publish::parse_temp_name;

/// A temporary file that nobody alive owns.
pub(super) struct Litter {
    pub(super) path: PathBuf,
    owner: LockName,
}

/// Every temporary file whose lock nobody holds now.
pub(super) fn find(care: &FsCare) -> Result<Vec<Litter>, StorageError> {
    let layout = &care.layout;
    let mut found = Vec::new();
    for folder in [layout.items(), layout.tombstones(), layout.data(), layout.workers()] {
        let names = all_names(&folder, |name| parse_temp_name(name).is_some())
            .map_err(|error| storage_error("list", &folder, error))?;
        // A batch has one lock for all its files. What was tried before the folder was listed
        // would say nothing of its files.
        let mut abandoned = BTreeMap::new();
        for name in names {
            let Some(litter) = Litter::at(folder.join(name)) else { continue };
            let is_abandoned = match abandoned.get(&litter.owner) {
                Some(known) => *known,
                None => {
                    let free = litter.take(care)?.is_some();
                    *abandoned.entry(litter.owner.clone()).or_insert(free)
                }
            };
            if is_abandoned {
                found.push(litter);
            }
        }
    }
    Ok(found)
}

impl Litter {
    /// What the temporary file at `path` would be; `None` when its name is not that of one.
    pub(super) fn at(path: PathBuf) -> Option<Self> {
        let owner = owner(path.file_name()?.to_str()?)?;
        Some(Self { path, owner })
    }

    /// The lock under which the file may be removed; `None` when somebody holds it.
    pub(super) fn take(&self, care: &FsCare) -> Result<Option<FsLockGuard>, StorageError> {
        care.locks.try_acquire(&self.owner).map_err(|error| match error {
            jerry_domain::ports::LockError::Storage { source, .. } => source,
            timed_out => storage_error("lock", &self.path, std::io::Error::other(timed_out)),
        })
    }
}

/// The lock under which a temporary file of this name is made.
fn owner(temp: &str) -> Option<LockName> {
    let (target, batch) = parse_temp_name(temp)?;
    Some(match (batch, target) {
        (Some(journal::NONCE), _) | (None, "journal.json") => LockName::journal(),
        (Some(nonce), _) => batch::lock_of(nonce)?,
        (None, "sequences.json") => LockName::sequences(),
        (None, "index.json") => LockName::index(),
        (None, "floor") => LockName::worker_floor(),
        (None, target) => LockName::item(&id_of_file(target)?),
    })
}
