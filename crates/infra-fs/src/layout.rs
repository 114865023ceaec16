//! Where everything lies inside a store.

use std::path::{Path, PathBuf};

use jerry_domain::WorkId;

/// The folders and files of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// What the root folder is called.
    pub const ROOT_NAME: &'static str = ".jerry";

    /// The layout of the store whose root folder (`…/.jerry`) is `root`. Looks at nothing.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Settings that are committed.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// What belongs to this machine alone and is not committed.
    #[must_use]
    pub fn local(&self) -> PathBuf {
        self.root.join("local")
    }

    /// The lock files.
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.root.join("local").join("locks")
    }

    pub(crate) fn workers(&self) -> PathBuf {
        self.root.join("local").join("workers")
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.root.join("local").join("backups")
    }

    pub(crate) fn ignore_file(&self) -> PathBuf {
        self.root.join(".gitignore")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(crate) fn format(&self) -> PathBuf {
        self.root.join("data").join("format.json")
    }

    /// The items, one file each.
    #[must_use]
    pub fn items(&self) -> PathBuf {
        self.root.join("data").join("items")
    }

    /// The file of one item.
    #[must_use]
    pub fn item(&self, id: &WorkId) -> PathBuf {
        self.items().join(format!("{id}.json"))
    }

    pub(crate) fn tombstones(&self) -> PathBuf {
        self.root.join("data").join("tombstones")
    }

    pub(crate) fn tombstone(&self, id: &WorkId) -> PathBuf {
        self.tombstones().join(format!("{id}.json"))
    }

    pub(crate) fn sequences(&self) -> PathBuf {
        self.root.join("data").join("sequences.json")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("data").join("index.json")
    }

    /// `path` as people of this store say it: relative to the root.
    pub(crate) fn relative(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// The id that a file in `items` or `tombstones` is named after; `None` for any other file.
pub(crate) fn id_of_file(name: &str) -> Option<WorkId> {
    name.strip_suffix(".json")?.parse().ok()
}
