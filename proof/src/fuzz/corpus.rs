//! The texts that lie in the tree.

use std::io;
use std::path::Path;

use jerry_proof_targets::{TARGETS, Target};

/// The texts of one target.
pub(super) struct Corpus {
    pub(super) target: &'static Target,
    pub(super) texts: Vec<Vec<u8>>,
}

impl Corpus {
    /// Those of every target, in their order.
    pub(super) fn of_all(folder: &Path) -> io::Result<Vec<Self>> {
        TARGETS.iter().map(|target| Self::of(target, &folder.join(target.name))).collect()
    }

    fn of(target: &'static Target, folder: &Path) -> io::Result<Self> {
        let mut paths = Vec::new();
        for entry in folder.read_dir()? {
            paths.push(entry?.path());
        }
        // A seed chooses among them by their places.
        paths.sort_unstable();
        let texts = paths.iter().map(std::fs::read).collect::<io::Result<Vec<_>>>()?;
        if texts.is_empty() {
            return Err(io::Error::other(format!("{} has no text", target.name)));
        }
        Ok(Self { target, texts })
    }
}
