//! What the task needs of the machine: had where it can be had, and named where it cannot.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A compiler, and where it has the standard library of other targets from.
pub(super) enum Rust {
    /// rustup brings it.
    Rustup,
    /// Debian's compiler makes it from its source, and is allowed to, though it is a stable one.
    Debian,
}

impl Rust {
    /// What works here. Debian's packages are installed where this is root on a system with apt.
    pub(super) fn have(targets: &[&str]) -> io::Result<Self> {
        let added = Command::new("rustup").args(["target", "add"]).args(targets).status();
        if added.is_ok_and(|status| status.success()) {
            return Ok(Self::Rustup);
        }
        let packages = ["rustc-web", "cargo-web", "rust-web-src"];
        if install(&packages) && is_file(Path::new(DEBIAN_CARGO)) {
            return Ok(Self::Debian);
        }
        Err(io::Error::other(format!(
            "`rustup target add {}` does not work here, nor are there the Debian packages {}",
            targets.join(" "),
            packages.join(" ")
        )))
    }

    /// Whether the whole workspace type-checks for `target`.
    pub(super) fn check(&self, target: &str) -> io::Result<bool> {
        let mut cargo = self.cargo("check");
        cargo.args(["--quiet", "--locked", "--workspace", "--all-targets", "--target", target]);
        Ok(cargo.status()?.success())
    }

    /// `cargo command` for another target. From the root, wherever this was called: within a
    /// package, cargo would look at that one alone.
    pub(super) fn cargo(&self, command: &str) -> Command {
        let mut cargo = self.cargo_here(command);
        cargo.current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        cargo
    }

    fn cargo_here(&self, command: &str) -> Command {
        match self {
            Self::Rustup => {
                let mut cargo =
                    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
                cargo.arg(command);
                cargo
            }
            Self::Debian => {
                let mut cargo = Command::new(DEBIAN_CARGO);
                cargo.args([command, "-Zbuild-std=std,panic_abort,test"]);
                cargo.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
                cargo
            }
        }
    }
}

const DEBIAN_CARGO: &str = "/usr/bin/cargo";

/// Installs packages; where the lists of them are missing or old, after fetching those.
fn install(packages: &[&str]) -> bool {
    let apt = |arguments: &[&str]| {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive").stdout(Stdio::null());
        apt.status().is_ok_and(|status| status.success())
    };
    let install = [&["install", "--yes", "--no-install-recommends"], packages].concat();
    apt(&install) || (apt(&["update"]) && apt(&install))
}

/// The C compiler for Windows, and Wine.
pub(super) struct Tools {
    pub(super) compiler: PathBuf,
    pub(super) wine: PathBuf,
    pub(super) wineserver: PathBuf,
}

impl Tools {
    /// Finds them, or installs them where this is root on a system with apt.
    pub(super) fn have() -> io::Result<Self> {
        if let Some(tools) = Self::find() {
            return Ok(tools);
        }
        let packages = ["gcc-mingw-w64-x86-64-win32", "wine64"];
        let installed = install(&packages);
        Self::find().filter(|_| installed).ok_or_else(|| {
            let [compiler, wine] = packages;
            io::Error::other(format!(
                "needs the Debian packages {compiler} and {wine}, or the like"
            ))
        })
    }

    fn find() -> Option<Self> {
        Some(Self {
            compiler: find("x86_64-w64-mingw32-gcc")?,
            wine: find("wine64").or_else(|| find("wine"))?,
            wineserver: find("wineserver64").or_else(|| find("wineserver"))?,
        })
    }
}

/// Debian keeps what belongs to Wine's 64-bit half out of `PATH`.
fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/lib/wine")]);
    folders.map(|folder| folder.join(program)).find(|program| is_file(program))
}

fn is_file(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|found| found.is_file())
}
