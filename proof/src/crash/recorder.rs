//! Records the steps of a command, and kills it after a given number of them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jerry_infra_fs::seam::{self, Step, Watch};

use super::disk::{Disk, Node, Op, ROOT};

/// What commands did below one folder.
#[derive(Clone)]
pub(super) struct Recorder(Rc<RefCell<Recording>>);

struct Recording {
    base: PathBuf,
    /// What the operating system calls a file, and what the trace does.
    nodes: HashMap<u64, Node>,
    next: Node,
    ops: Vec<Op>,
    /// How many more steps are done before the process is dead.
    left: Option<usize>,
}

impl Recorder {
    /// A recorder of what happens below `base`, and the disk with what is there now.
    pub(super) fn start(base: &Path) -> Result<(Self, Disk), String> {
        let mut disk = Disk::new();
        let mut nodes = HashMap::new();
        take_in(base, base, &mut disk, &mut nodes)?;
        let next = nodes.len() + 1;
        let base = base.to_owned();
        let recording = Recording { base, nodes, next, ops: Vec::new(), left: None };
        Ok((Self(Rc::new(RefCell::new(recording))), disk))
    }

    /// Runs `work` on this thread under the recorder; kills it after `steps` steps, if any.
    pub(super) fn during<T>(&self, steps: Option<usize>, work: impl FnOnce() -> T) -> T {
        self.0.borrow_mut().left = steps;
        seam::watch(Some(Box::new(self.clone())));
        let done = work();
        seam::watch(None);
        done
    }

    /// What was recorded so far, in order.
    pub(super) fn ops(&self) -> Vec<Op> {
        self.0.borrow().ops.clone()
    }
}

fn take_in(
    base: &Path,
    folder: &Path,
    disk: &mut Disk,
    nodes: &mut HashMap<u64, Node>,
) -> Result<(), String> {
    let failed = |error: io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let metadata = fs::symlink_metadata(&path).map_err(failed)?;
        let node = nodes.len() + 1;
        nodes.insert(metadata.ino(), node);
        let content = if metadata.is_dir() { None } else { Some(fs::read(&path).map_err(failed)?) };
        disk.place(&relative(base, &path), node, content)?;
        if metadata.is_dir() {
            take_in(base, &path, disk, nodes)?;
        }
    }
    Ok(())
}

fn relative(base: &Path, path: &Path) -> String {
    path.strip_prefix(base).unwrap_or(path).to_string_lossy().into_owned()
}

impl Watch for Recorder {
    fn pass(&mut self, step: Step<'_>, run: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        self.0.borrow_mut().pass(step, run)
    }
}

impl Recording {
    fn pass(&mut self, step: Step<'_>, run: &mut dyn FnMut() -> io::Result<()>) -> io::Result<()> {
        // Reading changes nothing; a dead process does not read either, but nobody can tell.
        if matches!(step, Step::Open(_) | Step::SetPermissions(_)) {
            return run();
        }
        match &mut self.left {
            Some(0) => return Err(io::Error::other("killed")),
            Some(left) => *left -= 1,
            None => {}
        }
        let op = match step {
            Step::CreateNew(path) => {
                run()?;
                self.created(path)?
            }
            Step::OpenOrCreate(path) => {
                let was_there = fs::symlink_metadata(path).is_ok();
                run()?;
                if was_there {
                    return Ok(());
                }
                self.created(path)?
            }
            Step::MakeDir(path) => {
                run()?;
                let node = self.give(path)?;
                Op::MakeDir { path: self.relative(path), node }
            }
            Step::Write { file, bytes, at } => {
                let mut position = file;
                let at = match at {
                    Some(at) => at,
                    None => position.stream_position()?,
                };
                run()?;
                let at = usize::try_from(at).map_err(io::Error::other)?;
                Op::Write { node: self.node(file)?, at, bytes: bytes.into() }
            }
            Step::SetLen { file, length } => {
                run()?;
                let length = usize::try_from(length).map_err(io::Error::other)?;
                Op::SetLen { node: self.node(file)?, length }
            }
            Step::SyncFile(file) => {
                run()?;
                Op::SyncFile { node: self.node(file)? }
            }
            Step::SyncDir(path) => {
                run()?;
                // Above the folder of this trace everything is durable.
                if !path.starts_with(&self.base) {
                    return Ok(());
                }
                Op::SyncDir { path: self.relative(path) }
            }
            Step::SyncFileSystem(_) => {
                run()?;
                Op::SyncAll
            }
            Step::Rename { from, to } | Step::RenameNew { from, to } => {
                run()?;
                Op::Rename { from: self.relative(from), to: self.relative(to) }
            }
            Step::Link { from, to } => {
                run()?;
                Op::Link { from: self.relative(from), to: self.relative(to) }
            }
            Step::RemoveFile(path) | Step::RemoveDir(path) => {
                run()?;
                Op::Remove { path: self.relative(path) }
            }
            Step::Open(_) | Step::SetPermissions(_) => return Ok(()),
        };
        self.ops.push(op);
        Ok(())
    }

    fn created(&mut self, path: &Path) -> io::Result<Op> {
        let node = self.give(path)?;
        Ok(Op::Create { path: self.relative(path), node })
    }

    /// A new node for what has just been made at `path`. The operating system gives the number of a
    /// file that is gone to another one.
    fn give(&mut self, path: &Path) -> io::Result<Node> {
        let node = self.next;
        self.next += 1;
        self.nodes.insert(fs::symlink_metadata(path)?.ino(), node);
        Ok(node)
    }

    fn node(&self, file: &File) -> io::Result<Node> {
        let inode = file.metadata()?.ino();
        let node = self.nodes.get(&inode).copied().filter(|node| *node != ROOT);
        node.ok_or_else(|| io::Error::other("a file that the recorder has not seen"))
    }

    fn relative(&self, path: &Path) -> String {
        relative(&self.base, path)
    }
}
