//! Mounts that nobody else sees and that end with this process, however it ends.

use std::env;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

const MARK: &str = "JERRY_PROOF_NAMESPACE";

/// Starts this program anew in a mount namespace of its own. Does nothing where that is done or
/// not allowed; [`is_entered`] tells.
pub(crate) fn enter() {
    let Ok(this) = env::current_exe() else { return };
    if is_entered() || !may_mount() {
        return;
    }
    // Comes back only if it did not work.
    let _ = unshare().arg(this).args(env::args_os().skip(1)).env(MARK, "entered").exec();
}

/// Whether mounts of this process are its own.
pub(super) fn is_entered() -> bool {
    env::var_os(MARK).is_some()
}

fn may_mount() -> bool {
    let mut mount = unshare();
    mount.args(["mount", "-t", "tmpfs", "tmpfs", "/mnt"]);
    mount.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    mount.status().is_ok_and(|status| status.success())
}

fn unshare() -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "--"]);
    command
}
