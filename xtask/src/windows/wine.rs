//! Wine, with a folder of its own that is kept between runs.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::exceptions;
use super::report::Report;
use super::tests::Binary;
use super::tools::Tools;
use crate::proof::target_folder;

pub(super) struct Wine {
    tools: Tools,
    /// What Wine calls its prefix: the C: drive and the registry.
    prefix: PathBuf,
    logs: PathBuf,
    /// Where Windows programs put temporary files, in memory where there is such a folder.
    temporary: PathBuf,
}

impl Wine {
    pub(super) fn set_up() -> io::Result<Self> {
        let folder = target_folder()?.join("wine");
        let shared_memory = Path::new("/dev/shm");
        let parent = if fs::metadata(shared_memory).is_ok() { shared_memory } else { &folder };
        let temporary = parent.join(format!("jerry-wine-{}", std::process::id()));
        let (prefix, logs) = (folder.join("prefix"), folder.join("logs"));
        let wine = Self { tools: Tools::have()?, prefix, logs, temporary };
        wine.make().map_err(|error| io::Error::other(format!("cannot set up Wine: {error}")))?;
        Ok(wine)
    }

    #[expect(clippy::disallowed_methods, reason = "what is made here is no store")]
    fn make(&self) -> io::Result<()> {
        fs::create_dir_all(&self.prefix)?;
        fs::create_dir_all(&self.logs)?;
        fs::create_dir_all(&self.temporary)?;
        // What it says of the missing 32-bit half is of no concern here.
        let mut boot = self.command("wineboot");
        if !boot.arg("--init").stderr(Stdio::null()).status()?.success() {
            return Err(io::Error::other("wineboot fails"));
        }
        let drive = self.prefix.join("drive_c");
        let library = drive.join("windows/system32/bcryptprimitives.dll");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("wine/bcryptprimitives.c");
        let mut compile = Command::new(&self.tools.compiler);
        compile.args(["-shared", "-O1", "-Wall", "-o"]).arg(library).arg(source).arg("-ladvapi32");
        if !compile.status()?.success() {
            return Err(io::Error::other("bcryptprimitives.c does not compile"));
        }
        for user in fs::read_dir(drive.join("users"))? {
            let link = user?.path().join("Temp");
            if fs::symlink_metadata(&link).is_ok_and(|found| found.is_symlink()) {
                fs::remove_file(&link)?;
            } else if fs::metadata(&link).is_ok() {
                fs::remove_dir_all(&link)?;
            } else {
                continue;
            }
            std::os::unix::fs::symlink(&self.temporary, link)?;
        }
        Ok(())
    }

    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(&self.tools.wine);
        command.arg(program).env("WINEPREFIX", &self.prefix).env("WINEDEBUG", "-all");
        // Neither .NET nor a browser, whose installation Wine would offer.
        command.env("WINEDLLOVERRIDES", "mscoree,mshtml=").env("RUST_BACKTRACE", "0");
        // Kept answers are looked for without asking cargo, and not written anew.
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent();
        command.envs(workspace.map(|root| ("INSTA_WORKSPACE_ROOT", root)));
        command.env("INSTA_UPDATE", "no");
        command.stdin(Stdio::null());
        command
    }

    /// Runs a test binary to its end, or ends it after `timeout`.
    pub(super) fn run(&self, binary: &Binary, timeout: Duration) -> io::Result<Report> {
        let log = self.logs.join(format!("{}.log", binary.name.replace(['/', ' '], "-")));
        let output = File::create(&log)?;
        let mut command = self.command(&binary.program);
        command.args(["--show-output", "--exact"]).current_dir(&binary.folder);
        for hangs in exceptions::that_hang(&binary.name) {
            command.args(["--skip", hangs]);
        }
        let start = Instant::now();
        let mut child = command.stdout(output.try_clone()?).stderr(output).spawn()?;
        let ended = wait(&mut child, timeout)?;
        if !ended {
            child.kill()?;
            child.wait()?;
        }
        // Whatever the tests started and did not end.
        self.end_everything()?;
        let text = String::from_utf8_lossy(&fs::read(&log)?).into_owned();
        Ok(Report::of(&binary.name, &text, ended, start.elapsed()))
    }

    fn end_everything(&self) -> io::Result<()> {
        let mut server = Command::new(&self.tools.wineserver);
        // It answers with 1 where no server runs any more.
        server.arg("--kill").env("WINEPREFIX", &self.prefix).status()?;
        Ok(())
    }
}

impl Drop for Wine {
    fn drop(&mut self) {
        // A folder that stays is in nobody's way.
        let _ = self.end_everything();
        let _ = fs::remove_dir_all(&self.temporary);
    }
}

/// Whether the process ended in time.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<bool> {
    let start = Instant::now();
    while start.elapsed() < timeout {
        if child.try_wait()?.is_some() {
            return Ok(true);
        }
        thread::sleep(Duration::from_millis(50));
    }
    Ok(false)
}
