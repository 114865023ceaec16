//! File systems made for one look and taken down after it.

#![expect(clippy::disallowed_methods, reason = "it arranges disks, not a store")]

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A kind of file system that can be made where the kernel and the tools are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Tmpfs,
    Ext4,
    Xfs,
    Btrfs,
    /// One layer over another, as containers have it, both on ext4.
    Overlay,
    /// An ext4 folder in which `a` and `A` are one name.
    CaseFolding,
    /// One that passes everything on to a folder, through FUSE.
    Fuse,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Tmpfs,
        Self::Ext4,
        Self::Xfs,
        Self::Btrfs,
        Self::Overlay,
        Self::CaseFolding,
        Self::Fuse,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Tmpfs => "tmpfs",
            Self::Ext4 => "ext4",
            Self::Xfs => "xfs",
            Self::Btrfs => "btrfs",
            Self::Overlay => "overlayfs",
            Self::CaseFolding => "case-folding ext4",
            Self::Fuse => "FUSE (bindfs)",
        }
    }

    /// Mounts an empty one, or says why that cannot be.
    pub(super) fn mount(self) -> Result<Mounted, String> {
        match self {
            Self::Tmpfs => Mounted::tmpfs("size=1g"),
            Self::Ext4 => Mounted::image("512M", "mkfs.ext4", &["-q"]),
            Self::Xfs => Mounted::image("512M", "mkfs.xfs", &["-q"]),
            Self::Btrfs => Mounted::image("2G", "mkfs.btrfs", &["-q"]),
            Self::Overlay => Mounted::overlay(|_| Ok(())),
            Self::CaseFolding => Mounted::case_folding(),
            Self::Fuse => Mounted::bindfs(),
        }
    }
}

/// A mounted file system, unmounted when dropped.
#[derive(Debug)]
pub(super) struct Mounted {
    point: PathBuf,
    folder: PathBuf,
    daemon: Option<Child>,
    _below: Below,
}

/// What a mount point lies on; gone after it.
#[derive(Debug)]
#[expect(dead_code, reason = "kept for its drop")]
enum Below {
    Disk(TempDir),
    Mounted(Box<Mounted>),
}

impl Mounted {
    /// The folder to work in.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A tmpfs with these options of mount(8).
    pub(super) fn tmpfs(options: &str) -> Result<Self, String> {
        let room = tempfile::Builder::new().prefix("jerry-proof-").tempdir();
        let room = room.map_err(|error| error.to_string())?;
        succeed(mount(&["-t", "tmpfs", "-o", options, "tmpfs"]).arg(room.path()))?;
        let point = room.path().to_owned();
        Ok(Self::at(point, Below::Disk(room)))
    }

    /// A file of `size`, made a file system by `mkfs` and mounted.
    pub(super) fn image(size: &str, mkfs: &str, options: &[&str]) -> Result<Self, String> {
        let (below, point) = Self::below()?;
        let image = below.file(size)?;
        succeed(Command::new(mkfs).args(options).arg(&image))?;
        // The kernel frees the loop device when the file system is unmounted.
        succeed(mount(&["-o", "loop"]).arg(&image).arg(&point))?;
        Ok(Self::at(point, Below::Mounted(Box::new(below))))
    }

    /// An overlay whose lower layer is what `fill` puts there.
    pub(super) fn overlay(fill: impl Fn(&Path) -> Result<(), String>) -> Result<Self, String> {
        let below = Kind::Ext4.mount()?;
        let [lower, upper, work, point] =
            ["lower", "upper", "work", "merged"].map(|name| below.make_folder(name));
        let (lower, upper, work, point) = (lower?, upper?, work?, point?);
        fill(&lower)?;
        let [lower, upper, work] = [lower, upper, work].map(|folder| folder.display().to_string());
        let layers = format!("lowerdir={lower},upperdir={upper},workdir={work}");
        succeed(mount(&["-t", "overlay", "-o", &layers, "overlay"]).arg(&point))?;
        Ok(Self::at(point, Below::Mounted(Box::new(below))))
    }

    fn case_folding() -> Result<Self, String> {
        if fs::metadata("/sys/fs/ext4/features/casefold").is_err() {
            return Err("the ext4 of this kernel does not fold case".to_owned());
        }
        let mut mounted = Self::image("256M", "mkfs.ext4", &["-q", "-O", "casefold"])?;
        let folder = mounted.make_folder("folding")?;
        succeed(Command::new("chattr").arg("+F").arg(&folder))?;
        mounted.folder = folder;
        Ok(mounted)
    }

    fn bindfs() -> Result<Self, String> {
        let (below, point) = Self::below()?;
        let source = below.make_folder("source")?;
        Self::served(below, point, "bindfs", &["-f".as_ref(), &source])
    }

    /// exFAT, through FUSE: no hard links, and no renaming without replacing.
    pub(super) fn exfat() -> Result<Self, String> {
        let (below, point) = Self::below()?;
        let image = below.file("64M")?;
        succeed(Command::new("mkfs.exfat").arg(&image))?;
        let device = losetup(&["--find", "--show"], &image)?;
        let served = Self::served(below, point, "mount.exfat-fuse", &["-d".as_ref(), &device]);
        // Freed once nobody has it open.
        losetup(&["--detach"], &device)?;
        served
    }

    /// What `server` serves at `point` for as long as this process lives.
    fn served(
        below: Self,
        point: PathBuf,
        server: &str,
        arguments: &[&Path],
    ) -> Result<Self, String> {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", server]).args(arguments).arg(&point);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut daemon = command.spawn().map_err(|error| format!("setpriv: {error}"))?;
        let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev());
        let since = Instant::now();
        while device(&point).ok() == device(below.folder()).ok() {
            let ended = daemon.try_wait().map_err(|error| error.to_string())?;
            if ended.is_some() || since.elapsed() > Duration::from_secs(30) {
                drop(daemon.kill());
                drop(daemon.wait());
                return Err(format!("{server} is missing or does not serve"));
            }
            thread::sleep(Duration::from_millis(1));
        }
        let mut mounted = Self::at(point, Below::Mounted(Box::new(below)));
        mounted.daemon = Some(daemon);
        Ok(mounted)
    }

    /// Room for an image and a mount point. Files here need no removing: they are gone with the
    /// namespace, if nobody comes to it before.
    fn below() -> Result<(Self, PathBuf), String> {
        let below = Self::tmpfs("size=1g")?;
        let point = below.make_folder("mounted")?;
        Ok((below, point))
    }

    fn at(point: PathBuf, below: Below) -> Self {
        // Tests become other users, too. Not every file system has permissions.
        drop(fs::set_permissions(&point, Permissions::from_mode(0o1777)));
        Self { folder: point.clone(), point, daemon: None, _below: below }
    }

    /// A folder in it.
    pub(super) fn make_folder(&self, name: &str) -> Result<PathBuf, String> {
        let folder = self.folder.join(name);
        let made = fs::create_dir(&folder);
        made.map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    fn file(&self, size: &str) -> Result<PathBuf, String> {
        let file = self.folder.join("image");
        succeed(Command::new("truncate").args(["--size", size]).arg(&file))?;
        Ok(file)
    }

    /// Mounts it anew, with other options.
    pub(super) fn remount(&self, options: &str) -> Result<(), String> {
        succeed(mount(&["-o", &format!("remount,{options}")]).arg(&self.point))
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        // What is in use still ends with the namespace.
        drop(succeed(Command::new("umount").arg("--lazy").arg(&self.point)));
        if let Some(daemon) = &mut self.daemon {
            drop(daemon.kill());
            drop(daemon.wait());
        }
    }
}

fn mount(options: &[&str]) -> Command {
    let mut command = Command::new("mount");
    command.args(options);
    command
}

/// `losetup`, and the device that it names.
fn losetup(options: &[&str], file: &Path) -> Result<PathBuf, String> {
    let said = answer(Command::new("losetup").args(options).arg(file))?;
    Ok(PathBuf::from(said.trim()))
}

/// Runs `command` to its end; what it complained about if it failed.
pub(super) fn succeed(command: &mut Command) -> Result<(), String> {
    answer(command).map(drop)
}

fn answer(command: &mut Command) -> Result<String, String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => format!("{program} is missing"),
        _ => format!("{program}: {error}"),
    })?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    Err(format!("{program}: {}", line.trim()))
}
