//! Every step by which jerry changes the file system, and nothing else: no policy, no retry, no
//! error text. All other modules go through here, so that what a power cut can interrupt is in
//! one file.
//!
//! Each step passes through [`seam::pass`], where the proof can stand between jerry and the file
//! system; without the feature `proof` that is a plain call. What Windows refuses while another
//! program has the file open is tried again within the step ([`outlast`]).

#![expect(clippy::disallowed_methods, reason = "this is the one module that may")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use crate::in_use::{FOR_A_CHANGE, FOR_A_READER, outlast};
use crate::seam::{self, Step};

/// Opens a file that must not exist yet, for writing, with mode 0666 under the umask. Does not
/// follow a link in its place.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    seam::pass(Step::CreateNew(path), || OpenOptions::new().write(true).create_new(true).open(path))
}

/// Opens a file for reading and writing, or creates it empty. Never truncates; refuses a link in
/// its place. On Windows nobody can remove or rename it while it is open.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(windows)]
    {
        const FILE_SHARE_READ: u32 = 1;
        const FILE_SHARE_WRITE: u32 = 2;
        use std::os::windows::fs::OpenOptionsExt;
        options.share_mode(FILE_SHARE_READ | FILE_SHARE_WRITE);
    }
    seam::pass(Step::OpenOrCreate(path), || open(&mut options, path, FOR_A_CHANGE))
}

/// Opens an existing file for reading; refuses a link in its place.
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    seam::pass(Step::Open(path), || open(&mut options, path, FOR_A_READER))
}

/// Opens an existing file for reading and writing; refuses a link in its place.
pub(crate) fn open_for_update(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    seam::pass(Step::Open(path), || open(&mut options, path, FOR_A_CHANGE))
}

#[cfg(unix)]
fn open(options: &mut OpenOptions, path: &Path, _: Duration) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // A pipe in a file's place must not hang the open; on regular files the flag does nothing.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed()).open(path)
}

/// Opens whatever is there itself, where a link leads aside, and then looks what it is. A file that
/// a cloud keeps has to be opened in the usual way to be had.
#[cfg(windows)]
fn open(options: &mut OpenOptions, path: &Path, patience: Duration) -> io::Result<File> {
    use std::os::windows::fs::{MetadataExt, OpenOptionsExt};
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    const FILE_ATTRIBUTE_REPARSE_POINT: u32 = 0x0400;
    outlast(patience, || {
        let file = options.custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)?;
        let found = file.metadata()?;
        match () {
            () if found.is_symlink() => Err(io::Error::other("it is a link")),
            () if found.file_attributes() & FILE_ATTRIBUTE_REPARSE_POINT == 0 => Ok(file),
            () => options.custom_flags(0).open(path),
        }
    })
}

/// Writes all of `bytes` at the file's position.
pub(crate) fn write_all(mut file: &File, bytes: &[u8]) -> io::Result<()> {
    seam::pass(Step::Write { file, bytes, at: None }, || file.write_all(bytes))
}

/// Writes `bytes` over what stands at `offset`, as one system call where the system takes them all.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    seam::pass(Step::Write { file, bytes, at: Some(offset) }, || {
        #[cfg(unix)]
        return std::os::unix::fs::FileExt::write_all_at(file, bytes, offset);
        #[cfg(windows)]
        {
            let mut written = 0;
            while written < bytes.len() {
                let at = offset + written as u64;
                written += std::os::windows::fs::FileExt::seek_write(file, &bytes[written..], at)?;
            }
            Ok(())
        }
    })
}

/// Cuts or extends a file.
pub(crate) fn set_len(file: &File, length: u64) -> io::Result<()> {
    seam::pass(Step::SetLen { file, length }, || file.set_len(length))
}

/// Gives a file the permissions of another.
pub(crate) fn set_permissions(file: &File, permissions: fs::Permissions) -> io::Result<()> {
    seam::pass(Step::SetPermissions(file), || file.set_permissions(permissions.clone()))
}

/// Makes a file's data durable. After an error the data are in an unknown state: never call it
/// again on the same descriptor.
pub(crate) fn sync_file(file: &File) -> io::Result<()> {
    seam::pass(Step::SyncFile(file), || file.sync_all())
}

/// Makes the entries of a directory durable, where the system can. Windows has no such call: its
/// file systems journal their directories, and say not when.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    seam::pass(Step::SyncDir(path), || {
        #[cfg(unix)]
        return File::open(path)?.sync_all();
        #[cfg(not(unix))]
        Ok(())
    })
}

/// Whether [`sync_file_system`] works here.
pub(crate) const CAN_SYNC_FILE_SYSTEM: bool = cfg!(target_os = "linux");

/// Makes everything written to the file system that holds `directory` durable. Linux reports
/// failed writes here since 5.8.
pub(crate) fn sync_file_system(directory: &Path) -> io::Result<()> {
    seam::pass(Step::SyncFileSystem(directory), || {
        #[cfg(target_os = "linux")]
        rustix::fs::syncfs(File::open(directory)?)?;
        Ok(())
    })
}

/// Renames a file over `to`, whatever is there.
pub(crate) fn rename_over(from: &Path, to: &Path) -> io::Result<()> {
    seam::pass(Step::Rename { from, to }, || outlast(FOR_A_CHANGE, || fs::rename(from, to)))
}

/// Renames a directory to `to`, where nothing is or, on systems that allow it, an empty directory.
/// Windows may also refuse because someone looks into one of them.
pub(crate) fn rename_dir(from: &Path, to: &Path) -> io::Result<()> {
    seam::pass(Step::Rename { from, to }, || fs::rename(from, to))
}

/// Renames a file to `to`; fails with [`io::ErrorKind::AlreadyExists`] if something is there.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    #[cfg(any(target_os = "linux", target_vendor = "apple"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        use rustix::io::Errno;
        let renamed = seam::pass(Step::RenameNew { from, to }, || {
            Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
        });
        match renamed.as_ref().map_err(Errno::from_io_error) {
            // The kernel or the file system does not know the flag.
            Err(Some(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)) => {}
            _ => return renamed,
        }
    }
    seam::pass(Step::Link { from, to }, || outlast(FOR_A_CHANGE, || fs::hard_link(from, to)))
        .map_err(not_linked)?;
    // It is there under its name now; what remains under the other one is litter.
    let _ = remove_file(from);
    Ok(())
}

/// What a refused link means where there is no other way: `EPERM` speaks of the file system here,
/// not of the user, who has just made a file in that folder.
fn not_linked(error: io::Error) -> io::Error {
    match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported => io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "this file system has neither renaming without replacing nor hard links: {error}"
            ),
        ),
        _ => error,
    }
}

/// Removes a file.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    seam::pass(Step::RemoveFile(path), || outlast(FOR_A_CHANGE, || fs::remove_file(path)))
}

/// Removes a file unless [`open_or_create`] has it open somewhere, and says whether it did.
#[cfg(windows)]
pub(crate) fn remove_unless_open(path: &Path) -> io::Result<bool> {
    match seam::pass(Step::RemoveFile(path), || fs::remove_file(path)) {
        Err(error) if crate::in_use::is_in_use(&error) => Ok(false),
        removed => removed.map(|()| true),
    }
}

/// Makes one directory.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    seam::pass(Step::MakeDir(path), || fs::create_dir(path))
}

/// Removes an empty directory.
pub(crate) fn remove_dir(path: &Path) -> io::Result<()> {
    seam::pass(Step::RemoveDir(path), || fs::remove_dir(path))
}
