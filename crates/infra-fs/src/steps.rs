//! Every step by which jerry changes the file system, and nothing else: no policy, no retry, no
//! error text. All other modules go through here, so that what a power cut can interrupt is in
//! one file.
//!
//! Each step passes through [`seam::pass`], where the proof can stand between jerry and the file
//! system; without the feature `proof` that is a plain call.

#![expect(clippy::disallowed_methods, reason = "this is the one module that may")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::seam::{self, Step};

/// Opens a file that must not exist yet, for writing, with mode 0666 under the umask. Does not
/// follow a link in its place.
pub(crate) fn create_new(path: &Path) -> io::Result<File> {
    seam::pass(Step::CreateNew(path), || OpenOptions::new().write(true).create_new(true).open(path))
}

/// Opens a file for reading and writing, or creates it empty. Never truncates; refuses a link in
/// its place.
pub(crate) fn open_or_create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    no_follow(&mut options);
    seam::pass(Step::OpenOrCreate(path), || options.open(path))
}

/// Opens an existing file for reading; refuses a link in its place.
pub(crate) fn open_existing(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    no_follow(&mut options);
    seam::pass(Step::Open(path), || options.open(path))
}

/// Opens an existing file for reading and writing; refuses a link in its place.
pub(crate) fn open_for_update(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    no_follow(&mut options);
    seam::pass(Step::Open(path), || options.open(path))
}

#[cfg(unix)]
fn no_follow(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    // A pipe in a file's place must not hang the open; on regular files the flag does nothing.
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    options.custom_flags(flags.bits().cast_signed());
}

#[cfg(not(unix))]
fn no_follow(_: &mut OpenOptions) {}

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

/// Makes the entries of a directory durable.
pub(crate) fn sync_dir(path: &Path) -> io::Result<()> {
    seam::pass(Step::SyncDir(path), || {
        #[cfg(unix)]
        return File::open(path)?.sync_all();
        // Windows has no such call; its file systems journal their directories.
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
    seam::pass(Step::Link { from, to }, || fs::hard_link(from, to)).map_err(not_linked)?;
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
    seam::pass(Step::RemoveFile(path), || fs::remove_file(path))
}

/// Makes one directory.
pub(crate) fn make_dir(path: &Path) -> io::Result<()> {
    seam::pass(Step::MakeDir(path), || fs::create_dir(path))
}

/// Removes an empty directory.
pub(crate) fn remove_dir(path: &Path) -> io::Result<()> {
    seam::pass(Step::RemoveDir(path), || fs::remove_dir(path))
}
