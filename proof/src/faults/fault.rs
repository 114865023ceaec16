//! Faults at the seam: which step fails, how, and what is noted about it.

use std::cell::RefCell;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jerry_infra_fs::seam::{Step, Watch};

/// What the system answers, by Linux's numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Errno(pub(super) &'static str, i32);

pub(super) const EIO: Errno = Errno("EIO", 5);
pub(super) const ENOSPC: Errno = Errno("ENOSPC", 28);
pub(super) const EDQUOT: Errno = Errno("EDQUOT", 122);
pub(super) const EROFS: Errno = Errno("EROFS", 30);
pub(super) const EACCES: Errno = Errno("EACCES", 13);
pub(super) const EXDEV: Errno = Errno("EXDEV", 18);
pub(super) const EINTR: Errno = Errno("EINTR", 4);
pub(super) const EMFILE: Errno = Errno("EMFILE", 24);
const EINVAL: Errno = Errno("EINVAL", 22);
const ENOENT: Errno = Errno("ENOENT", 2);

pub(super) const ERRNOS: [Errno; 8] = [EIO, ENOSPC, EDQUOT, EROFS, EACCES, EINTR, EMFILE, EXDEV];

impl fmt::Debug for Errno {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl Errno {
    pub(super) fn error(self) -> io::Error {
        io::Error::from_raw_os_error(self.1)
    }
}

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not done.
    Fails(Errno),
    /// The first half of what should be written is.
    Short(Errno),
    /// It is done, but the answer is an error, as a network file system's may be.
    DoneBut(Errno),
}

/// Which steps fail, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spread {
    Once,
    /// That one and the next: the error path has a fault too.
    AndNext,
    /// That one and the next but one.
    AndNextButOne,
    /// That one and all after it: the disk is gone, or read-only from then on.
    AndAllAfter,
}

/// What is wrong with the program that is tested, made up to see that it is noticed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swallowed {
    /// An fsync's error is ignored.
    Sync,
    /// A rename's error is ignored, and the rename was not made.
    Rename,
    /// A write's error is ignored, and half is written.
    Write,
    /// An unlink's error is ignored, and the file is still there.
    Unlink,
    /// A file that cannot be read is taken for absent.
    Read,
    /// After an error the temporary file is not removed.
    CleanUp,
    /// The old file is written over in place.
    Atomicity,
    /// A directory lock is not released.
    Release,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    /// The first step that fails.
    pub(super) at: u64,
    pub(super) fault: Fault,
    pub(super) spread: Spread,
    /// The file system cannot rename without replacing.
    pub(super) links: bool,
    pub(super) swallowed: Option<Swallowed>,
}

/// What failed.
#[derive(Debug, Clone)]
pub(super) struct Failed {
    pub(super) step: &'static str,
    /// The file that the step was about.
    pub(super) path: PathBuf,
    pub(super) fault: Fault,
}

#[derive(Debug, Default)]
pub(super) struct Log {
    pub(super) steps: u64,
    pub(super) failed: Vec<Failed>,
    /// The step that should have failed cannot fail in that way.
    pub(super) unfit: bool,
}

pub(super) struct Injector {
    plan: Plan,
    log: Rc<RefCell<Log>>,
}

impl Injector {
    pub(super) fn new(plan: Plan) -> (Self, Rc<RefCell<Log>>) {
        let log = Rc::new(RefCell::new(Log::default()));
        (Self { plan, log: log.clone() }, log)
    }

    fn is_due(&self, step: u64) -> bool {
        let at = self.plan.at;
        match self.plan.spread {
            Spread::Once => step == at,
            Spread::AndNext => step == at || step == at + 1,
            Spread::AndNextButOne => step == at || step == at + 2,
            Spread::AndAllAfter => step >= at,
        }
    }
}

type Run<'a> = &'a mut dyn FnMut() -> io::Result<()>;

impl Watch for Injector {
    fn pass(&mut self, step: Step<'_>, run: Run<'_>) -> io::Result<()> {
        if self.plan.links && matches!(step, Step::RenameNew { .. }) {
            return Err(EINVAL.error());
        }
        let mut log = self.log.borrow_mut();
        log.steps += 1;
        if !self.is_due(log.steps) {
            let failed = !log.failed.is_empty();
            drop(log);
            return match self.plan.swallowed {
                Some(swallowed) => swallow_later(swallowed, failed, step, run),
                None => run(),
            };
        }
        let fault = match (self.plan.fault, log.failed.is_empty()) {
            // After the first fault a short write is as good as none.
            (Fault::Short(errno), false) => Fault::Fails(errno),
            (fault, _) => fault,
        };
        if !fits(fault, step) || self.plan.swallowed.is_some_and(|it| !it.fits(step)) {
            log.unfit |= log.failed.is_empty();
            drop(log);
            return run();
        }
        if let Fault::DoneBut(_) = fault {
            // What cannot be done fails by itself.
            run().inspect_err(|_| log.unfit |= log.failed.is_empty())?;
        }
        log.failed.push(Failed { step: name(step), path: path(step), fault });
        drop(log);
        match self.plan.swallowed {
            Some(swallowed) => swallow(swallowed, fault, step, run),
            None => fail(fault, step),
        }
    }
}

fn fail(fault: Fault, step: Step<'_>) -> io::Result<()> {
    match (fault, step) {
        (Fault::Short(errno), Step::Write { file, bytes, at }) => {
            write_half(file, bytes, at)?;
            Err(errno.error())
        }
        (Fault::Fails(errno) | Fault::Short(errno) | Fault::DoneBut(errno), _) => {
            Err(errno.error())
        }
    }
}

fn write_half(mut file: &File, bytes: &[u8], at: Option<u64>) -> io::Result<()> {
    let half = &bytes[..bytes.len() / 2];
    match at {
        Some(offset) => file.write_all_at(half, offset),
        None => file.write_all(half),
    }
}

/// Whether a step can fail like this.
fn fits(fault: Fault, step: Step<'_>) -> bool {
    match fault {
        Fault::Fails(_) => true,
        Fault::Short(_) => matches!(step, Step::Write { .. }),
        Fault::DoneBut(_) => !matches!(
            step,
            Step::Open(_) | Step::OpenOrCreate(_) | Step::SetLen { .. } | Step::SetPermissions(_)
        ),
    }
}

impl Swallowed {
    /// Whether the fault can be made at this step.
    fn fits(self, step: Step<'_>) -> bool {
        match self {
            Self::Sync => {
                matches!(step, Step::SyncFile(_) | Step::SyncDir(_) | Step::SyncFileSystem(_))
            }
            Self::Rename | Self::Atomicity => {
                matches!(step, Step::Rename { .. } | Step::RenameNew { .. })
            }
            // The record in a lock's file is for messages, and may fail.
            Self::Write => matches!(step, Step::Write { at: None, .. }),
            Self::Unlink => matches!(step, Step::RemoveFile(_)),
            Self::Read => matches!(step, Step::Open(_)),
            Self::CleanUp | Self::Release => true,
        }
    }
}

/// What the faulty program makes of a fault.
fn swallow(swallowed: Swallowed, fault: Fault, step: Step<'_>, run: Run<'_>) -> io::Result<()> {
    match (swallowed, step) {
        (Swallowed::Read, _) => Err(ENOENT.error()),
        (Swallowed::Rename, Step::Rename { from, to } | Step::RenameNew { from, to }) => {
            let old = fs::read(to).ok();
            run()?;
            fs::rename(to, from)?;
            old.map_or(Ok(()), |old| fs::write(to, old))
        }
        (Swallowed::Atomicity, Step::Rename { from, to } | Step::RenameNew { from, to }) => {
            let new = fs::read(from)?;
            fs::write(to, &new[..new.len() / 2])?;
            Err(EIO.error())
        }
        (Swallowed::Write, Step::Write { file, bytes, .. }) => {
            run()?;
            file.set_len(bytes.len() as u64 / 2)
        }
        (Swallowed::Unlink, Step::RemoveFile(path)) => {
            let old = fs::read(path)?;
            run()?;
            fs::write(path, old)
        }
        (Swallowed::Sync, _) => run(),
        _ => fail(fault, step),
    }
}

/// What the faulty program makes of the steps that do not fail.
fn swallow_later(
    swallowed: Swallowed,
    failed: bool,
    step: Step<'_>,
    run: Run<'_>,
) -> io::Result<()> {
    let left = match (swallowed, step) {
        (Swallowed::CleanUp, Step::RemoveFile(path)) if failed => is_temporary(path),
        (Swallowed::Release, Step::RemoveFile(path)) => is_owner(path),
        _ => false,
    };
    match step {
        Step::RemoveFile(path) if left => {
            let old = fs::read(path)?;
            run()?;
            fs::write(path, old)
        }
        Step::RemoveDir(path) if swallowed == Swallowed::Release && is_lock(path) => Ok(run()?),
        _ => run(),
    }
}

fn is_temporary(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "tmp")
}

fn is_lock(path: &Path) -> bool {
    path.extension().is_some_and(|it| it == "lock")
}

fn is_owner(path: &Path) -> bool {
    path.parent().is_some_and(is_lock)
}

pub(super) fn name(step: Step<'_>) -> &'static str {
    match step {
        Step::Open(_) => "open",
        Step::CreateNew(_) => "create",
        Step::OpenOrCreate(_) => "open or create",
        Step::Write { .. } => "write",
        Step::SetLen { .. } => "set length",
        Step::SetPermissions(_) => "set permissions",
        Step::SyncFile(_) => "sync file",
        Step::SyncDir(_) => "sync folder",
        Step::SyncFileSystem(_) => "sync file system",
        Step::Rename { .. } => "rename",
        Step::RenameNew { .. } => "rename new",
        Step::Link { .. } => "link",
        Step::RemoveFile(_) => "remove",
        Step::MakeDir(_) => "make folder",
        Step::RemoveDir(_) => "remove folder",
    }
}

fn path(step: Step<'_>) -> PathBuf {
    match step {
        Step::Open(path)
        | Step::CreateNew(path)
        | Step::OpenOrCreate(path)
        | Step::SyncDir(path)
        | Step::SyncFileSystem(path)
        | Step::RemoveFile(path)
        | Step::MakeDir(path)
        | Step::RemoveDir(path) => path.to_owned(),
        Step::Rename { to, .. } | Step::RenameNew { to, .. } | Step::Link { to, .. } => {
            to.to_owned()
        }
        Step::Write { file, .. }
        | Step::SetLen { file, .. }
        | Step::SetPermissions(file)
        | Step::SyncFile(file) => {
            let link = format!("/proc/self/fd/{}", file.as_raw_fd());
            fs::read_link(link).unwrap_or_default()
        }
    }
}
