//! Where stores are put that many processes write to.

use std::io;
use std::path::{Path, PathBuf};

use jerry_infra_fs::lock::LockBackend;
use jerry_infra_fs::{Layout, Store};
use tempfile::TempDir;

/// A folder with a fresh store, removed in the end.
#[derive(Debug)]
pub(crate) struct Ground(TempDir);

impl Ground {
    /// In `place`; where none is named, in memory, where an fsync costs nothing and the processes
    /// get into each other's way the more often.
    pub(crate) fn new(place: Option<&Path>) -> io::Result<Self> {
        let memory = Path::new("/dev/shm");
        let folder = tempfile::Builder::new().prefix("jerry-proof-").to_owned();
        let folder = match place {
            Some(place) => folder.tempdir_in(place)?,
            None => folder.tempdir_in(memory).or_else(|_| folder.tempdir())?,
        };
        let ground = Self(folder);
        Store::init(&ground.store(), LockBackend::Os, "").map_err(io::Error::other)?;
        Ok(ground)
    }

    pub(crate) fn folder(&self) -> &Path {
        self.0.path()
    }

    /// The store's root.
    pub(crate) fn store(&self) -> PathBuf {
        self.folder().join(Layout::ROOT_NAME)
    }

    /// Leaves everything where it is, for a person to look at.
    pub(crate) fn keep(self) -> PathBuf {
        self.0.keep()
    }
}
