//! Which kind of file system a store lies on: on some, the locks of the operating system lie.

use std::path::Path;

/// Whether file locks can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileSystemKind {
    /// The kernel itself keeps the files, and their locks.
    Local,
    /// Someone else keeps them, over a network or a bridge of this name; locks may not reach
    /// them.
    Network(&'static str),
}

/// The kind of the file system that holds `path`, or would hold it. What cannot be told counts as
/// local.
#[must_use]
pub fn file_system_of(path: &Path) -> FileSystemKind {
    let nearest = path.ancestors().find_map(system::kind);
    nearest.unwrap_or(FileSystemKind::Local)
}

#[cfg(target_os = "linux")]
mod system {
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;

    use super::FileSystemKind;

    /// `None` when nothing is at `path`.
    pub(super) fn kind(path: &Path) -> Option<FileSystemKind> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let magic = rustix::fs::statfs(path).ok()?.f_type;
        // Some targets' words are 32 bits and signed; every magic number fits 32 bits.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::unnecessary_cast)]
        let magic = magic as u32;
        let name = match magic {
            0x6969 => "NFS",
            0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
            0x0102_1997 => "9p",
            FUSE if is_virtiofs(path) => "virtiofs",
            FUSE => "FUSE",
            0x00C3_6400 => "Ceph",
            0x5346_414F | 0x6B41_4653 => "AFS",
            0x7375_7245 => "Coda",
            0x0BD0_0BD0 => "Lustre",
            0x4750_4653 => "GPFS",
            0x786F_4256 => "vboxsf",
            0xBACB_ACBC => "vmhgfs",
            _ => return Some(FileSystemKind::Local),
        };
        Some(FileSystemKind::Network(name))
    }

    const FUSE: u32 = 0x6573_5546;

    /// virtiofs bears FUSE's number; the table of mounts tells them apart.
    fn is_virtiofs(path: &Path) -> bool {
        let (Ok(metadata), Ok(mounts)) =
            (fs::metadata(path), fs::read_to_string("/proc/self/mountinfo"))
        else {
            return false;
        };
        let device = metadata.dev();
        let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
        mounts.lines().any(|line| {
            let of_device = line.split(' ').nth(2) == Some(&device);
            of_device && line.split(" - ").nth(1).is_some_and(|rest| rest.starts_with("virtiofs "))
        })
    }
}

#[cfg(not(target_os = "linux"))]
mod system {
    use std::path::Path;

    use super::FileSystemKind;

    pub(super) fn kind(_: &Path) -> Option<FileSystemKind> {
        None
    }
}
