//! A strict model of a disk under a file system that promises nothing beyond POSIX.
//!
//! - What was written to a file is on the disk after an fsync of that file. Before, any part may be.
//! - An entry of a directory (a name, and what it leads to or that it is gone) is on the disk after
//!   an fsync of that directory. Before, each entry is there or not for itself: of a rename, the new
//!   name may be kept and the old one too, or neither.
//! - An fsync of a file says nothing of its name, one of a directory nothing of what is in its files.
//!
//! Real file systems promise more, each something else; what survives here survives on all of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// What a file or directory is called while a trace is played.
pub(super) type Node = usize;

/// The folder in which everything happens.
pub(super) const ROOT: Node = 0;

/// One step that changes the disk. Paths are relative to the root.
#[derive(Clone)]
pub(super) enum Op {
    Create { path: String, node: Node },
    MakeDir { path: String, node: Node },
    Write { node: Node, at: usize, bytes: Arc<[u8]> },
    SetLen { node: Node, length: usize },
    Rename { from: String, to: String },
    Link { from: String, to: String },
    Remove { path: String },
    SyncFile { node: Node },
    SyncDir { path: String },
    SyncAll,
}

impl std::fmt::Debug for Op {
    /// Without the bytes, which nobody wants to read.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Create { path, node } => write!(f, "create {path} as {node}"),
            Self::MakeDir { path, .. } => write!(f, "make the folder {path}"),
            Self::Write { node, at, bytes } => {
                write!(f, "write {} bytes to {node} at {at}", bytes.len())
            }
            Self::SetLen { node, length } => write!(f, "cut {node} to {length} bytes"),
            Self::Rename { from, to } => write!(f, "rename {from} to {to}"),
            Self::Link { from, to } => write!(f, "link {from} as {to}"),
            Self::Remove { path } => write!(f, "remove {path}"),
            Self::SyncFile { node } => write!(f, "fsync {node}"),
            Self::SyncDir { path } => write!(f, "fsync the folder {path:?}"),
            Self::SyncAll => write!(f, "sync the file system"),
        }
    }
}

impl Op {
    /// Whether it changes what a directory holds.
    pub(super) fn is_naming(&self) -> bool {
        matches!(self, Self::Rename { .. } | Self::Link { .. } | Self::Remove { .. })
    }
}

/// The bytes of a file.
pub(super) type Bytes = Arc<[u8]>;

#[derive(Debug, Clone)]
enum Change {
    Write { at: usize, bytes: Bytes },
    SetLen(usize),
}

#[derive(Debug, Clone, Default)]
struct File {
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Clone, Default)]
struct Dir {
    /// For each name what it led to: first on the disk, then after each change since.
    entries: BTreeMap<String, Vec<Option<Node>>>,
}

/// The disk while commands run: what is durable, and what only the page cache knows.
#[derive(Debug, Clone)]
pub(super) struct Disk {
    files: HashMap<Node, File>,
    dirs: HashMap<Node, Dir>,
}

/// What one thing that is not durable may have become; the newest is the last.
#[derive(Debug, Clone)]
pub(super) enum Doubt {
    /// An entry leads to one of these.
    Entry { dir: Node, name: String, versions: Vec<Option<Node>> },
    /// A file has one of these contents.
    Data { node: Node, versions: Vec<Bytes> },
}

impl Doubt {
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Entry { versions, .. } => versions.len(),
            Self::Data { versions, .. } => versions.len(),
        }
    }
}

/// How doubts were resolved.
#[derive(Default)]
struct Picked<'a> {
    entries: HashMap<(Node, &'a str), Option<Node>>,
    data: HashMap<Node, Bytes>,
}

/// A whole tree of files: path to content, `None` for a directory.
pub(super) type Tree = BTreeMap<String, Option<Bytes>>;

impl Disk {
    /// A disk with an empty root.
    pub(super) fn new() -> Self {
        Self { files: HashMap::new(), dirs: HashMap::from([(ROOT, Dir::default())]) }
    }

    /// Puts something that has long been durable on the disk.
    pub(super) fn place(
        &mut self,
        path: &str,
        node: Node,
        content: Option<Vec<u8>>,
    ) -> Result<(), String> {
        match content {
            Some(durable) => drop(self.files.insert(node, File { durable, pending: Vec::new() })),
            None => drop(self.dirs.insert(node, Dir::default())),
        }
        let (dir, name) = self.parent(path)?;
        self.dir(dir)?.entries.insert(name, vec![Some(node)]);
        Ok(())
    }

    /// # Errors
    /// When the trace asks for what is not there; that is a fault of the trace.
    pub(super) fn apply(&mut self, op: &Op) -> Result<(), String> {
        match op {
            Op::Create { path, node } => {
                self.files.insert(*node, File::default());
                self.enter(path, Some(*node))
            }
            Op::MakeDir { path, node } => {
                self.dirs.insert(*node, Dir::default());
                self.enter(path, Some(*node))
            }
            Op::Write { node, at, bytes } => {
                self.file(*node)?.pending.push(Change::Write { at: *at, bytes: bytes.clone() });
                Ok(())
            }
            Op::SetLen { node, length } => {
                self.file(*node)?.pending.push(Change::SetLen(*length));
                Ok(())
            }
            Op::Rename { from, to } => {
                let node = self.find(from)?;
                self.enter(from, None)?;
                self.enter(to, Some(node))
            }
            Op::Link { from, to } => {
                let node = self.find(from)?;
                self.enter(to, Some(node))
            }
            Op::Remove { path } => {
                self.find(path)?;
                self.enter(path, None)
            }
            Op::SyncFile { node } => {
                self.file(*node)?.sync();
                Ok(())
            }
            Op::SyncDir { path } => {
                let node = self.find(path)?;
                self.dir(node)?.sync();
                Ok(())
            }
            Op::SyncAll => {
                self.files.values_mut().for_each(File::sync);
                self.dirs.values_mut().for_each(Dir::sync);
                Ok(())
            }
        }
    }

    /// What running processes see.
    pub(super) fn visible(&self) -> Tree {
        self.resolve(&[], &[])
    }

    /// Everything that can be reached and is not durable.
    pub(super) fn doubts(&self) -> Vec<Doubt> {
        let (mut doubts, mut seen, mut left) = (Vec::new(), BTreeSet::from([ROOT]), vec![ROOT]);
        while let Some(node) = left.pop() {
            if let Some(file) = self.files.get(&node) {
                let versions = file.versions();
                if versions.len() > 1 {
                    doubts.push(Doubt::Data { node, versions });
                }
            }
            for (name, versions) in self.dirs.get(&node).iter().flat_map(|dir| &dir.entries) {
                if versions.len() > 1 {
                    let versions = distinct(versions.clone());
                    doubts.push(Doubt::Entry { dir: node, name: name.clone(), versions });
                }
                left.extend(versions.iter().flatten().filter(|child| seen.insert(**child)));
            }
        }
        doubts
    }

    /// The tree in which each doubt was resolved by its pick; what there is no doubt about, or none
    /// is given, is the newest.
    pub(super) fn resolve(&self, doubts: &[Doubt], picks: &[usize]) -> Tree {
        let mut picked = Picked::default();
        for (doubt, pick) in doubts.iter().zip(picks) {
            match doubt {
                Doubt::Entry { dir, name, versions } => {
                    picked.entries.insert((*dir, name.as_str()), versions[*pick]);
                }
                Doubt::Data { node, versions } => {
                    picked.data.insert(*node, versions[*pick].clone());
                }
            }
        }
        let mut tree = Tree::new();
        self.collect(ROOT, "", &picked, &mut tree);
        tree
    }

    fn collect(&self, dir: Node, prefix: &str, picked: &Picked<'_>, tree: &mut Tree) {
        for (name, versions) in self.dirs.get(&dir).iter().flat_map(|dir| &dir.entries) {
            let newest = || versions.last().copied().flatten();
            let entry = picked.entries.get(&(dir, name.as_str())).copied();
            let Some(node) = entry.unwrap_or_else(newest) else { continue };
            let path = format!("{prefix}{name}");
            let content = self.files.get(&node).map(|file| {
                let newest = || file.after(file.pending.len()).into();
                picked.data.get(&node).cloned().unwrap_or_else(newest)
            });
            if content.is_none() {
                self.collect(node, &format!("{path}/"), picked, tree);
            }
            tree.insert(path, content);
        }
    }

    fn enter(&mut self, path: &str, node: Option<Node>) -> Result<(), String> {
        let (dir, name) = self.parent(path)?;
        self.dir(dir)?.entries.entry(name).or_insert_with(|| vec![None]).push(node);
        Ok(())
    }

    fn parent(&self, path: &str) -> Result<(Node, String), String> {
        let (dir, name) = path.rsplit_once('/').unwrap_or(("", path));
        Ok((self.find(dir)?, name.to_owned()))
    }

    fn find(&self, path: &str) -> Result<Node, String> {
        let mut node = ROOT;
        for part in Path::new(path) {
            let dir =
                self.dirs.get(&node).ok_or_else(|| format!("no folder on the way to {path}"))?;
            let versions = dir.entries.get(part.to_string_lossy().as_ref());
            let found = versions.and_then(|versions| *versions.last()?);
            node = found.ok_or_else(|| format!("{path} is not there"))?;
        }
        Ok(node)
    }

    fn dir(&mut self, node: Node) -> Result<&mut Dir, String> {
        self.dirs.get_mut(&node).ok_or_else(|| format!("{node} is no folder"))
    }

    fn file(&mut self, node: Node) -> Result<&mut File, String> {
        self.files.get_mut(&node).ok_or_else(|| format!("{node} is no file"))
    }
}

impl Dir {
    fn sync(&mut self) {
        for versions in self.entries.values_mut() {
            versions.drain(..versions.len() - 1);
        }
        self.entries.retain(|_, versions| versions != &[None]);
    }
}

impl File {
    fn sync(&mut self) {
        self.durable = self.after(self.pending.len());
        self.pending.clear();
    }

    /// The content after the first `count` of the changes that are not durable.
    fn after(&self, count: usize) -> Vec<u8> {
        let mut content = self.durable.clone();
        for change in &self.pending[..count] {
            change.apply(&mut content, 1);
        }
        content
    }

    /// What may be on the disk: the first of the changes, the last one made by half, all; or the new
    /// length without the data, which reads as zeros. Bytes that were durable and are written over
    /// are the old or the new ones.
    fn versions(&self) -> Vec<Bytes> {
        let Some((last, before)) = self.pending.split_last() else { return Vec::new() };
        let mut versions: Vec<_> = (0..=before.len()).map(|count| self.after(count)).collect();
        let mut half = self.after(before.len());
        last.apply(&mut half, 2);
        versions.push(half);
        let whole = self.after(self.pending.len());
        let mut zeros = self.durable.clone();
        zeros.resize(whole.len(), 0);
        versions.push(zeros);
        versions.push(whole);
        distinct(versions.into_iter().map(Bytes::from).collect())
    }
}

/// Without repetitions; the last one stays the last.
fn distinct<T: PartialEq + Clone>(versions: Vec<T>) -> Vec<T> {
    let is_last = |index: usize| !versions[index + 1..].contains(&versions[index]);
    let last: Vec<_> = (0..versions.len()).filter(|index| is_last(*index)).collect();
    last.into_iter().map(|index| versions[index].clone()).collect()
}

impl Change {
    /// Makes the change, or of what it writes only the first of so many parts.
    fn apply(&self, content: &mut Vec<u8>, parts: usize) {
        match self {
            Self::SetLen(length) => content.resize(*length, 0),
            Self::Write { at, bytes } => {
                let bytes = &bytes[..bytes.len() / parts];
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk(ops: &[Op]) -> Disk {
        let mut disk = Disk::new();
        ops.iter().try_for_each(|op| disk.apply(op)).expect("a trace that can be played");
        disk
    }

    fn states(disk: &Disk) -> BTreeSet<Tree> {
        let doubts = disk.doubts();
        let mut all = vec![Vec::new()];
        for doubt in &doubts {
            let longer = |picks: &Vec<usize>| {
                (0..doubt.count())
                    .map(|pick| [picks.as_slice(), &[pick]].concat())
                    .collect::<Vec<_>>()
            };
            all = all.iter().flat_map(longer).collect();
        }
        all.iter().map(|picks| disk.resolve(&doubts, picks)).collect()
    }

    fn create(path: &str, node: Node) -> Op {
        Op::Create { path: path.to_owned(), node }
    }

    fn write(node: Node, text: &str) -> Op {
        Op::Write { node, at: 0, bytes: text.as_bytes().into() }
    }

    fn rename(from: &str, to: &str) -> Op {
        Op::Rename { from: from.to_owned(), to: to.to_owned() }
    }

    fn sync_root() -> Op {
        Op::SyncDir { path: String::new() }
    }

    #[test]
    fn data_that_were_not_synced_are_absent_zero_half_or_whole() {
        let disk = disk(&[create("a", 1), sync_root(), write(1, "abcd")]);
        let found: BTreeSet<_> = states(&disk)
            .into_iter()
            .map(|tree| tree["a"].clone().expect("a file").to_vec())
            .collect();
        let expected = [b"".to_vec(), vec![0; 4], b"ab".to_vec(), b"abcd".to_vec()];
        assert_eq!(found, BTreeSet::from(expected));
    }

    #[test]
    fn of_a_rename_each_name_is_kept_or_lost_for_itself() {
        let ops = [
            create("t", 1),
            write(1, "x"),
            Op::SyncFile { node: 1 },
            sync_root(),
            rename("t", "a"),
        ];
        let found: BTreeSet<Vec<String>> =
            states(&disk(&ops)).into_iter().map(|tree| tree.into_keys().collect()).collect();
        let names =
            |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(
            found,
            BTreeSet::from([names(&[]), names(&["a"]), names(&["t"]), names(&["a", "t"])])
        );
    }

    #[test]
    fn what_is_synced_is_certain() {
        let ops = [
            create("t", 1),
            write(1, "x"),
            Op::SyncFile { node: 1 },
            rename("t", "a"),
            sync_root(),
        ];
        let disk = disk(&ops);
        assert_eq!(states(&disk), BTreeSet::from([disk.visible()]));
    }

    #[test]
    fn a_folder_that_was_not_synced_takes_what_is_in_it_along() {
        let ops = [
            Op::MakeDir { path: "d".to_owned(), node: 1 },
            create("d/a", 2),
            Op::SyncDir { path: "d".to_owned() },
        ];
        let found: BTreeSet<usize> = states(&disk(&ops)).iter().map(Tree::len).collect();
        assert_eq!(found, BTreeSet::from([0, 2]));
    }
}
