//! A store: found or made, and the adapters that work on it.

use std::path::Path;
use std::sync::Arc;

use jerry_domain::ports::{
    Clock, CursorStore, IdGenerator, LockAdmin, LockManager, Lookout, Malformed, NewHint,
    RepositoryError, StoreCare, WorkItemRepository,
};

use crate::atomic_file::AtomicFiles;
use crate::care::FsCare;
use crate::clock::SystemClock;
use crate::codec;
use crate::cursors::FsCursors;
use crate::fault::storage_error;
use crate::file_system::{FileSystemKind, file_system_of};
use crate::format::{Format, STORE_FORMAT};
use crate::hint::FsHint;
use crate::ids::FsIds;
use crate::journal;
use crate::layout::Layout;
use crate::lock::{FsLocks, LockBackend, LockSettings};
use crate::publish::{self, Creation, PublishError};
use crate::repository::FsRepository;

const IGNORED: &str = "\
# Derivable, or this machine's own; they would conflict at every merge.
local/
data/index.json
data/journal.json
data/sequences.json
.*.tmp
";

const CONFIG: &str = "\
# Settings of this store, for everyone who works on it. `jerry config` shows all there are.
";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder is not there or is no store.
    #[error("there is no store at {root}")]
    NoStore {
        /// The folder.
        root: String,
    },
    /// The store exists and locks in another way.
    #[error("the store at {root} uses {existing} locks, not {wanted}")]
    OtherBackend {
        /// The folder.
        root: String,
        /// What it uses.
        existing: LockBackend,
        /// What was asked for.
        wanted: LockBackend,
    },
    /// Its files cannot be read or made.
    #[error(transparent)]
    Repository(#[from] RepositoryError),
}

/// An open store. Holds no file open and no lock.
#[derive(Clone)]
pub struct Store {
    layout: Layout,
    format: Format,
    locks: FsLocks,
}

impl Store {
    /// Makes a store at `root` (`…/.jerry`), durably. `settings` is the first text of its
    /// `config.toml`, below a line that says what the file is. One that is there already is left as
    /// it is; what is missing of an unfinished one is added. Returns whether it made one.
    ///
    /// # Errors
    /// [`OpenError::OtherBackend`] when it is there with another backend; whatever the file system
    /// refuses.
    pub fn init(root: &Path, backend: LockBackend, settings: &str) -> Result<bool, OpenError> {
        let layout = Layout::new(root.to_owned());
        let durable = |path: &Path| publish::sync_parent(path).map_err(unfinished);
        if let Some(above) = root.parent().filter(|above| !above.as_os_str().is_empty()) {
            publish::make_dirs(above, Path::new("/")).map_err(unfinished)?;
        }
        let folders = [root.to_owned(), layout.data(), layout.items(), layout.tombstones()];
        for folder in folders.into_iter().chain([layout.local(), layout.locks()]) {
            publish::add_dir(&folder).map_err(RepositoryError::from)?;
        }
        let config = format!("{CONFIG}{settings}");
        for (path, text) in [(layout.ignore_file(), IGNORED), (layout.config(), config.as_str())] {
            publish::create_unlocked(&path, text.as_bytes()).map_err(unfinished)?;
        }
        // A store with a format file is finished: what else belongs to it is durable before.
        durable(&layout.config())?;
        durable(root)?;
        let format = Format { format: STORE_FORMAT, lock_backend: backend };
        let text = codec::encode(&format)
            .map_err(|error| RepositoryError::from(storage_error("write", root, error.into())))?;
        let created = publish::create_unlocked(&layout.format(), &text)
            .and_then(|created| publish::sync_parent(&layout.format()).map(|()| created))
            .map_err(RepositoryError::from)?;
        if created == Creation::Created {
            return Ok(true);
        }
        let existing =
            Format::read(&layout).map_err(RepositoryError::from)?.unwrap_or(format).lock_backend;
        if existing != backend {
            let root = root.display().to_string();
            return Err(OpenError::OtherBackend { root, existing, wanted: backend });
        }
        Ok(false)
    }

    /// Opens the store at `root`.
    ///
    /// # Errors
    /// [`OpenError::NoStore`] when the folder is not there; [`OpenError::Repository`] when it does
    /// not say what format it has.
    pub fn open(root: &Path, settings: LockSettings) -> Result<Self, OpenError> {
        let layout = Layout::new(root.to_owned());
        let Some(format) = Format::read(&layout).map_err(RepositoryError::from)? else {
            return Err(not_finished(&layout));
        };
        let locks = FsLocks::new(layout.locks(), format.lock_backend, settings);
        Ok(Self { layout, format, locks })
    }

    /// Completes what a killed process has left of several writes that are made all or none, unless
    /// somebody is at it.
    ///
    /// # Errors
    /// When that cannot be done; what is there can be read all the same.
    pub fn complete_commits(&self) -> Result<(), RepositoryError> {
        if self.format.check_writable().is_err() {
            return Ok(());
        }
        journal::complete_if_idle(&self.layout, &self.locks)
    }

    /// Where everything lies.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// What kind of store it is.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// The file system whose locks cannot be relied on, if the store sits on one and uses them.
    #[must_use]
    pub fn unsafe_file_system(&self) -> Option<&'static str> {
        match (self.format.lock_backend, file_system_of(self.layout.root())) {
            (LockBackend::Os, FileSystemKind::Network(name)) => Some(name),
            _ => None,
        }
    }

    /// The items.
    #[must_use]
    pub fn items(&self) -> Arc<dyn WorkItemRepository> {
        Arc::new(FsRepository::new(self.layout.clone(), self.locks.clone(), self.format))
    }

    /// What sights the items.
    #[must_use]
    pub fn lookout(&self) -> Arc<dyn Lookout> {
        Arc::new(FsRepository::new(self.layout.clone(), self.locks.clone(), self.format))
    }

    /// What tells that an item may have changed.
    #[must_use]
    pub fn hint(&self) -> NewHint {
        let layout = self.layout.clone();
        Arc::new(move || Box::new(FsHint::new(&layout)))
    }

    /// What watchers have seen.
    #[must_use]
    pub fn cursors(&self) -> Arc<dyn CursorStore> {
        Arc::new(FsCursors::new(self.layout.clone(), self.locks.clone()))
    }

    /// The ids. Each call makes a generator of its own; one a process is enough.
    #[must_use]
    pub fn ids(&self) -> Arc<dyn IdGenerator> {
        Arc::new(FsIds::new(self.layout.clone(), self.locks.clone(), self.clock()))
    }

    /// The locks.
    #[must_use]
    pub fn locks(&self) -> Arc<dyn LockManager> {
        Arc::new(self.locks.clone())
    }

    /// The locks, for administrators.
    #[must_use]
    pub fn lock_admin(&self) -> Arc<dyn LockAdmin> {
        Arc::new(self.locks.clone())
    }

    /// Other files in the store's folder, settings for example.
    #[must_use]
    pub fn files(&self) -> AtomicFiles {
        AtomicFiles::new(self.layout.root().to_owned(), self.locks.clone())
    }

    /// What looks after the files.
    #[must_use]
    pub fn care(&self) -> Arc<dyn StoreCare> {
        Arc::new(FsCare::new(self.layout.clone(), self.locks.clone(), self.format))
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::new(SystemClock)
    }
}

/// Without its format there is no store, whatever became of the rest.
fn unfinished(error: PublishError) -> RepositoryError {
    error.of_preparation().into()
}

fn not_finished(layout: &Layout) -> OpenError {
    let root = layout.root().display().to_string();
    match std::fs::symlink_metadata(layout.data()) {
        Err(_) => OpenError::NoStore { root },
        Ok(_) => OpenError::Repository(RepositoryError::Malformed(Malformed {
            path: layout.relative(&layout.format()),
            line: 0,
            column: 0,
            reason: "is missing; `jerry init` makes it and keeps what is there".to_owned(),
        })),
    }
}
