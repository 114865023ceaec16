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
        let name = match name_of(magic) {
            None => return Some(FileSystemKind::Local),
            Some("FUSE") if is_virtiofs(path) => "virtiofs",
            Some(name) => name,
        };
        Some(FileSystemKind::Network(name))
    }

    /// The file systems, by the numbers that the kernel gives them, whose locks may lie.
    fn name_of(magic: u32) -> Option<&'static str> {
        Some(match magic {
            0x6969 => "NFS",
            0x517B | 0xFF53_4D42 | 0xFE53_4D42 => "SMB",
            0x0102_1997 => "9p",
            0x6573_5546 => "FUSE",
            0x00C3_6400 => "Ceph",
            0x5346_414F | 0x6B41_4653 => "AFS",
            0x7375_7245 => "Coda",
            0x0BD0_0BD0 => "Lustre",
            0x4750_4653 => "GPFS",
            0x786F_4256 => "vboxsf",
            0xBACB_ACBC => "vmhgfs",
            _ => return None,
        })
    }

    /// virtiofs bears FUSE's number; the table of mounts tells them apart.
    fn is_virtiofs(path: &Path) -> bool {
        let (Ok(metadata), Ok(mounts)) =
            (fs::metadata(path), fs::read_to_string("/proc/self/mountinfo"))
        else {
            return false;
        };
        let device = metadata.dev();
        let device = format!("{}:{}", rustix::fs::major(device), rustix::fs::minor(device));
        type_in(&mounts, &device) == Some("virtiofs")
    }

    /// The type of the file system with this device number in a table like `/proc/self/mountinfo`.
    fn type_in<'a>(mounts: &'a str, device: &str) -> Option<&'a str> {
        let mount = mounts.lines().find(|line| line.split(' ').nth(2) == Some(device))?;
        // Optional fields come before the dash; blanks in paths are escaped.
        mount.split_once(" - ")?.1.split(' ').next()
    }

    #[cfg(test)]
    mod tests {
        use rstest::rstest;

        use super::*;
        use crate::file_system_of;

        #[test]
        fn the_numbers_have_their_names() {
            let names = [0x6969, 0xFF53_4D42, 0xFE53_4D42, 0x0102_1997, 0x6573_5546, 0xEF53];
            let names = names.map(name_of);
            let expected = [Some("NFS"), Some("SMB"), Some("SMB"), Some("9p"), Some("FUSE"), None];
            assert_eq!(names, expected);
        }

        /// As kernels write it, with and without optional fields.
        const MOUNTS: &str = "\
23 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw,errors=remount-ro
61 23 0:38 / /mnt/shared rw,relatime - virtiofs shared rw
62 23 0:39 / /mnt/bind\\040-\\040virtiofs rw,nosuid,nodev,relatime shared:33 master:2 - fuse.bindfs bindfs rw,user_id=0,group_id=0,default_permissions,allow_other
63 23 0:40 / /mnt/nfs rw,relatime shared:41 - nfs4 server:/export rw,vers=4.2,rsize=1048576
64 23 0:41 / /mnt/9p rw,sync,dirsync,relatime - 9p hostshare rw,access=client,trans=virtio
65 23 8:17 / /mnt/stick rw,nosuid,nodev,relatime - fuseblk /dev/sdb1 rw,user_id=0,group_id=0
";

        #[rstest]
        #[case("254:0", Some("ext4"))]
        #[case("0:38", Some("virtiofs"))]
        #[case("0:39", Some("fuse.bindfs"))]
        #[case("0:40", Some("nfs4"))]
        #[case("0:41", Some("9p"))]
        #[case("8:17", Some("fuseblk"))]
        #[case("8:1", None)]
        fn the_table_of_mounts_tells_the_type(
            #[case] device: &str,
            #[case] expected: Option<&str>,
        ) {
            assert_eq!(type_in(MOUNTS, device), expected);
        }

        #[test]
        fn what_is_not_there_yet_lies_where_its_folder_lies() {
            let local = FileSystemKind::Local;
            assert_eq!(file_system_of(Path::new("/proc")), local);
            assert_eq!(file_system_of(Path::new("/proc/no/such/store")), local);
            assert_eq!(file_system_of(Path::new("no/such/store")), kind(Path::new(".")).unwrap());
        }
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
