//! What must hold whatever failed.

use std::path::Path;

use jerry_cli::exit::{self, Code, Failure};

use super::fault::{EACCES, EDQUOT, EINTR, ENOSPC, EROFS, Errno, Failed, Fault, Spread};
use super::ground::Ground;
use super::scenario::{Again, Also, Reads, Scenario};
use super::state::{Comparison, State, temporary};

/// One run of a command, some steps of which failed.
pub(super) struct Case<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) folder: &'a Path,
    pub(super) failed: &'a [Failed],
    pub(super) spread: Spread,
    pub(super) result: &'a Result<serde_json::Value, Failure>,
    pub(super) old: &'a State,
    pub(super) new: &'a State,
    pub(super) now: &'a State,
    pub(super) seen: Seen,
}

/// What is known of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// Every step of it, at the seam.
    Inside,
    /// A process and the calls of the system that it made, with those of its libraries.
    Outside,
    /// A process whose answer was lost.
    Unheard,
}

impl Case<'_> {
    /// Every promise that this run broke.
    pub(super) fn violations(&self) -> Vec<String> {
        let comparison = self.now.compare(self.old, self.new);
        let mut broken = self.files(&comparison);
        broken.extend(match self.result {
            Ok(_) => self.done(&comparison),
            Err(_) if self.seen == Seen::Unheard => Vec::new(),
            Err(failure) => self.not_done(failure, &comparison),
        });
        broken
    }

    /// Every file is the old or the new one, whole, and nothing else lies about.
    fn files(&self, comparison: &Comparison) -> Vec<String> {
        let mut broken = comparison.strange.clone();
        let was: Vec<_> = self.old.damaged();
        broken.extend(self.now.damaged().into_iter().filter(|it| !was.contains(it)));
        let litter = self.now.litter.difference(&self.old.litter);
        let litter = litter.filter(|path| !self.removal_failed(path));
        broken.extend(litter.map(|path| format!("litter: {path}")));
        let is_half = comparison.changed && !comparison.complete && !self.now.is_under_way();
        if self.scenario.arguments[0] == "apply" && is_half {
            broken.push("half a plan".to_owned());
        }
        broken
    }

    /// Whether the removal of a temporary file was itself made to fail.
    fn removal_failed(&self, litter: &str) -> bool {
        let litter = self.folder.join(litter);
        self.failed.iter().any(|failed| {
            matches!(failed.step, "remove" | "remove folder")
                && (failed.path == litter || failed.path.parent() == Some(&litter))
        })
    }

    fn done(&self, comparison: &Comparison) -> Vec<String> {
        let mut broken = Vec::new();
        if !comparison.complete {
            broken.push("exit status 0, but it is not done".to_owned());
        }
        for failed in self.failed.iter().filter(|failed| !self.may_fail(failed)) {
            broken.push(format!("exit status 0 although {} failed", failed.step));
        }
        broken
    }

    /// Whether the command can be done all the same.
    fn may_fail(&self, failed: &Failed) -> bool {
        let path = failed.path.strip_prefix(self.folder).unwrap_or(&failed.path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let is_lock = path.starts_with(".jerry/local/locks");
        let is_index = name == "index.json" || name == ".index.json.tmp";
        let is_floor = name == "floor";
        let examines = self.scenario.arguments[0] == "doctor";
        let was_done = matches!(failed.fault, Fault::DoneBut(_));
        match failed.step {
            // Who holds a lock is written for messages only.
            "write" if is_lock && name.ends_with(".lock") => true,
            _ if self.seen != Seen::Inside && !self.counts(failed, path) => true,
            // What is derived costs time only.
            _ if is_index && self.scenario.also != Also::Derived => true,
            "open" => is_floor || examines || self.scenario.reads == Reads::Names,
            // What cannot be removed is litter, or a lock whose holder ends with the command.
            "remove" => temporary(&name) || (is_lock && name.starts_with("owner-")) || was_done,
            "remove folder" => is_lock || was_done,
            "rename" | "rename new" | "link" => was_done && (is_lock || is_floor),
            _ => false,
        }
    }

    /// Whether a process cannot do without this call. Reads are made again, or made by libraries
    /// that know what to do without; and the standard library repeats what was interrupted.
    fn counts(&self, failed: &Failed, path: &Path) -> bool {
        let is_ours = path.starts_with(".jerry") || path.starts_with("out");
        let interrupted = self.faults() == [EINTR];
        is_ours
            && match failed.step {
                "rename" | "rename new" | "link" => true,
                "write" | "sync file" | "sync folder" | "sync file system" => !interrupted,
                _ => false,
            }
    }

    fn not_done(&self, failure: &Failure, comparison: &Comparison) -> Vec<String> {
        let mut broken = Vec::new();
        let code = failure.code;
        if code == Code::Indeterminate {
            if !comparison.changed && !self.is_in_doubt() {
                broken.push("exit status 9, but nothing was changed".to_owned());
            }
        } else if comparison.changed && !self.may_be_partial() && !self.is_report(code) {
            broken.push(format!("exit status {}, but something was changed", exit::status(code)));
        }
        if !self.fits(code) {
            broken.push(format!("the code {} for {:?}", code.name(), self.faults()));
        }
        // `init` also makes durable what the case lies in.
        let around = self.folder.parent().unwrap_or(self.folder).display().to_string();
        if !failure.message.contains(&around) && !self.is_report(code) {
            broken.push("the message names no path".to_owned());
        }
        if failure.hint.is_none() && !self.is_report(code) {
            broken.push("there is no hint".to_owned());
        }
        broken.into_iter().map(|what| format!("{what}: {failure}")).collect()
    }

    /// A tombstone could not be taken back durably, and a power cut may bring it again.
    fn is_in_doubt(&self) -> bool {
        let unlinked = |failed: &Failed| failed.step == "sync folder";
        self.scenario.arguments[0] == "delete" && self.failed.iter().skip(1).any(unlinked)
    }

    /// Idle locks are nobody's; it does not matter how many of them are left.
    fn may_be_partial(&self) -> bool {
        self.scenario.also == Also::Locks && self.scenario.arguments[1] == "clean"
    }

    /// What doctor says without a message of its own: what is wrong is in its answer.
    fn is_report(&self, code: Code) -> bool {
        code == Code::Busy || (code == Code::Unhealthy && self.scenario.arguments[0] == "doctor")
    }

    fn fits(&self, code: Code) -> bool {
        let release_failed = || {
            self.failed.iter().any(|failed| {
                matches!(failed.step, "remove" | "remove folder" | "rename")
                    && failed
                        .path
                        .ancestors()
                        .any(|it| it.extension().is_some_and(|it| it == "lock"))
            })
        };
        match code {
            Code::Indeterminate => true,
            Code::Unhealthy => self.scenario.arguments[0] == "doctor",
            Code::Busy => release_failed() || self.death_is_unproven(),
            // Where the file system can neither rename without replacing nor link, rights are not it.
            Code::Storage if self.failed.iter().any(|failed| failed.step == "link") => true,
            code => self.faults().into_iter().any(|errno| code == expected(errno)),
        }
    }

    /// Whether what would prove the death of a lock's holder could not be read.
    fn death_is_unproven(&self) -> bool {
        self.scenario.ground == Ground::Bereft
            && self.failed.iter().any(|failed| failed.path.starts_with("/proc"))
    }

    fn faults(&self) -> Vec<Errno> {
        let errno = |failed: &Failed| match failed.fault {
            Fault::Fails(errno) | Fault::Short(errno) | Fault::DoneBut(errno) => errno,
        };
        self.failed.iter().map(errno).collect()
    }

    /// Whether the same command, run again, has to end well.
    pub(super) fn can_run_again(&self) -> bool {
        let comparison = self.now.compare(self.old, self.new);
        self.result.is_err() && (!comparison.changed || self.scenario.again == Again::Completes)
    }

    /// Whether so many files are what another run leaves. A repair that came part of the way leaves
    /// one copy more rather than one fewer.
    pub(super) fn may_leave(&self, files: usize) -> bool {
        match self.scenario.ground {
            Ground::Ill(_) => files >= self.new.files.len(),
            _ => files == self.new.files.len(),
        }
    }

    /// Whether doctor may find something to repair.
    pub(super) fn may_be_ill(&self) -> bool {
        let removal = |failed: &Failed| matches!(failed.step, "remove" | "remove folder");
        matches!(self.result, Err(failure) if failure.code == Code::Indeterminate)
            || self.spread != Spread::Once
            || self.failed.iter().any(removal)
            || matches!(self.scenario.ground, Ground::Ill(_))
    }
}

fn expected(errno: Errno) -> Code {
    match errno {
        ENOSPC | EDQUOT => Code::DiskFull,
        EROFS => Code::ReadOnly,
        EACCES => Code::PermissionDenied,
        _ => Code::Storage,
    }
}
