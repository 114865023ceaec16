//! The same over real processes: `strace` forges the system's answers to the program as users get
//! it, those to its reads included, which do not pass the seam.
//!
//! What the loader does before `main` is left out: a program that cannot be loaded does nothing.
//! The standard library ignores SIGPIPE right before `main`, and that call tells where it begins.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use jerry_cli::exit::{self, Code, Failure};
use serde_json::Value;

use super::enumeration::{Stage, Tally, aftermath};
use super::fault::{
    EACCES, EDQUOT, EINTR, EIO, EMFILE, ENOSPC, EROFS, EXDEV, Errno, Failed, Fault, Spread,
};
use super::ground::{Made, done};
use super::judge::Seen;
use super::program::environment;

/// The calls whose answers are forged, and with what.
const CALLS: [(&str, &[Errno]); 23] = [
    ("openat", &[EIO, EACCES, EMFILE, EINTR, ENOSPC, EROFS]),
    ("read", &[EIO, EINTR]),
    ("pread64", &[EIO, EINTR]),
    ("write", &[EIO, ENOSPC, EDQUOT, EINTR]),
    ("pwrite64", &[EIO, ENOSPC, EDQUOT, EINTR]),
    ("fsync", &[EIO, ENOSPC, EDQUOT, EROFS]),
    ("fdatasync", &[EIO, ENOSPC]),
    ("syncfs", &[EIO, ENOSPC, EDQUOT]),
    ("rename", &[EIO, ENOSPC, EXDEV, EACCES, EROFS, EINTR]),
    ("renameat", &[EIO, ENOSPC]),
    ("renameat2", &[EIO, ENOSPC, EXDEV, EACCES, EROFS, EINTR]),
    ("link", &[EIO, ENOSPC]),
    ("linkat", &[EIO, ENOSPC]),
    ("unlink", &[EIO, EACCES, EROFS, EINTR]),
    ("unlinkat", &[EIO, EACCES]),
    ("rmdir", &[EIO, EACCES]),
    ("mkdir", &[EIO, ENOSPC, EACCES, EROFS, EDQUOT]),
    ("getdents64", &[EIO, EINTR]),
    ("statx", &[EIO, EACCES]),
    ("newfstatat", &[EIO, EACCES]),
    ("flock", &[EIO, EINTR]),
    ("ftruncate", &[EIO, ENOSPC]),
    ("fchmod", &[EIO, EACCES]),
];

/// The call by which everything before it is known as not the program's.
const BEFORE_MAIN: &str = "rt_sigaction(SIGPIPE, {sa_handler=SIG_IGN";

/// One forged answer.
#[derive(Debug, Clone, Copy)]
struct Injection {
    call: &'static str,
    errno: Errno,
    nth: usize,
}

/// Why nothing can be forged here, if so.
pub(super) fn hindrance(jerry: &Path) -> Option<String> {
    if !matches!(jerry.try_exists(), Ok(true)) {
        return Some(format!("there is no program at {}", jerry.display()));
    }
    let strace = Command::new("strace").args(["-f", "-o", "/dev/null", "true"]).output();
    match strace {
        Ok(output) if output.status.success() => None,
        Ok(output) => {
            let why = String::from_utf8_lossy(&output.stderr);
            Some(format!("strace may not trace: {}", why.lines().next().unwrap_or_default()))
        }
        Err(error) => Some(format!("strace cannot be run: {error}")),
    }
}

/// Runs the stage's command once for each of the injections that are wanted.
pub(super) fn inject(stage: &Stage, jerry: &Path, wanted: &Wanted) -> Tally {
    let mut tally = Tally::default();
    let injections = match injections(stage, jerry) {
        Ok(injections) => injections,
        Err(trouble) => return Tally::of_trouble(trouble),
    };
    for injection in wanted.choose(injections) {
        match one(stage, jerry, injection) {
            Ok(Some(violations)) => {
                tally.cases += 1;
                for (what, call) in violations {
                    let name = stage.name();
                    let kind = what.split(':').next().unwrap_or_default();
                    let kind = format!("process: {name}: {}: {kind}", injection.call);
                    tally.violated(kind, &what, format!("{injection:?}: {call}"));
                }
            }
            Ok(None) => {}
            Err(trouble) => tally.violated(stage.name(), &trouble, format!("{injection:?}")),
        }
    }
    tally
}

/// How many injections of each stage, and which.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted {
    pub(super) of_each: usize,
    pub(super) seed: u64,
}

impl Wanted {
    /// Evenly spread over calls, places and errors.
    fn choose(&self, all: Vec<Injection>) -> Vec<Injection> {
        if all.len() <= self.of_each {
            return all;
        }
        let first = self.seed as usize % all.len();
        let place = |number: usize| (first + number * all.len() / self.of_each) % all.len();
        (0..self.of_each).map(|number| all[place(number)]).collect()
    }
}

/// Every injection that there is for a command: one for each of its calls and each error.
fn injections(stage: &Stage, jerry: &Path) -> Made<Vec<Injection>> {
    let folder = stage.set_up()?;
    let calls: Vec<_> = CALLS.iter().map(|(call, _)| *call).collect();
    let trace = format!("trace={},rt_sigaction", calls.join(","));
    let (output, log) = strace(stage, jerry, &folder, &["-e", &trace])?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stdout).into_owned();
        return Err(format!("{} fails under strace: {error}", stage.name()));
    }
    // A thread's calls are counted for itself; those of the main thread are the command's.
    let main = log.split_whitespace().next().unwrap_or_default().to_owned();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut has_begun = false;
    for line in log.lines().filter_map(|line| line.strip_prefix(&main)).map(str::trim_start) {
        has_begun |= line.starts_with(BEFORE_MAIN);
        let name = line.split('(').next().unwrap_or_default();
        if let Some(call) = calls.iter().find(|call| **call == name) {
            let (before, all) = counts.entry(call).or_default();
            *before += usize::from(!has_begun);
            *all += 1;
        }
    }
    if !has_begun {
        return Err(format!("{}: nobody can tell where main begins", stage.name()));
    }
    let of_call = |(call, errnos): &(&'static str, &'static [Errno])| {
        let (before, all) = counts.get(call).copied().unwrap_or_default();
        let (call, errnos) = (*call, *errnos);
        let at = move |nth| errnos.iter().map(move |errno| Injection { call, errno: *errno, nth });
        (before + 1..=all).flat_map(at).collect::<Vec<_>>()
    };
    Ok(CALLS.iter().flat_map(of_call).collect())
}

/// The promises that one run broke, each with the forged call; `None` when nothing was forged.
fn one(stage: &Stage, jerry: &Path, injection: Injection) -> Made<Option<Vec<(String, String)>>> {
    let Injection { call, errno, nth } = injection;
    let folder = stage.set_up()?;
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:error={}:when={nth}", errno.0);
    let (output, log) = strace(stage, jerry, &folder, &["-e", &trace, "-e", &inject])?;
    let forged: Vec<_> = log.lines().filter(|line| line.contains("(INJECTED)")).collect();
    let Some(first) = forged.first() else { return Ok(None) };
    let failed: Vec<_> = forged.iter().map(|line| failed(line, call, errno)).collect();
    let result = match result(&output) {
        Ok(result) => result,
        Err(what) => return Ok(Some(vec![(what, (*first).to_owned())])),
    };
    let now = stage.state()?.of_store();
    let to_the_reader = forged.iter().any(|line| line.contains("(1<") || line.contains("(2<"));
    let seen = if to_the_reader { Seen::Unheard } else { Seen::Outside };
    let case = stage.case(&folder, &failed, Spread::Once, &result, &now, seen);
    let mut broken = case.violations();
    broken.extend(aftermath(&case, &folder.join(".jerry"))?);
    Ok(Some(broken.into_iter().map(|what| (what, (*first).to_owned())).collect()))
}

/// Runs the command under strace; what it came to, and what strace wrote.
fn strace(stage: &Stage, jerry: &Path, folder: &Path, options: &[&str]) -> Made<(Output, String)> {
    let log = folder.with_extension("log");
    let mut command = Command::new("timeout");
    command.args(["--kill-after=1", "20", "strace", "-f", "-y", "-qq", "-s", "256", "-o"]);
    command.arg(&log).args(options).arg(jerry).args(["--json", "--yes"]);
    command.args(stage.scenario.arguments(folder)).current_dir(folder).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", folder);
    command.envs(environment(&folder.join(".jerry"))).stdin(std::process::Stdio::null());
    let output = done("strace", command.output())?;
    let log = done("the log of strace", fs::read(&log))?;
    Ok((output, String::from_utf8_lossy(&log).into_owned()))
}

/// What the program answered.
fn result(output: &Output) -> Result<Result<Value, Failure>, String> {
    let said = String::from_utf8_lossy(&output.stderr);
    let status = match output.status.code() {
        Some(124 | 137) => return Err("it hangs".to_owned()),
        Some(101) | None => return Err(format!("it was ended: {}: {said}", output.status)),
        Some(status) => status,
    };
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    if status == 0 {
        return Ok(Ok(answer));
    }
    let error = &answer["error"];
    let named = |code: &&Code| error["code"] == code.name();
    let alike = |code: &&Code| i32::from(exit::status(**code)) == status;
    let code = match answer["kind"] == "doctor" {
        true => Some(&Code::Unhealthy),
        false => Code::ALL.iter().find(named).or_else(|| Code::ALL.iter().find(alike)),
    };
    let code = *code.ok_or_else(|| format!("it ends with {status}: {said}"))?;
    let message = error["message"].as_str().map_or_else(|| said.into_owned(), str::to_owned);
    let hint = error["hint"].as_str().map(str::to_owned);
    Ok(Err(Failure { hint, ..Failure::new(code, message) }))
}

/// The forged call as the seam would have noted it.
fn failed(line: &str, call: &str, errno: Errno) -> Failed {
    let path = path(line);
    let step = match call {
        "openat" | "read" | "pread64" | "statx" | "newfstatat" | "getdents64" => "open",
        "write" | "pwrite64" => "write",
        "fsync" | "fdatasync" if path.is_dir() => "sync folder",
        "fsync" | "fdatasync" => "sync file",
        "syncfs" => "sync file system",
        "rename" | "renameat" => "rename",
        "renameat2" => "rename new",
        "link" | "linkat" => "link",
        "rmdir" => "remove folder",
        "unlinkat" if line.contains("AT_REMOVEDIR") => "remove folder",
        "unlink" | "unlinkat" => "remove",
        "mkdir" => "make folder",
        "ftruncate" => "set length",
        "fchmod" => "set permissions",
        _ => "lock",
    };
    Failed { step, path, fault: Fault::Fails(errno) }
}

/// The last path of a call: its second name, its only one, or that of its descriptor.
fn path(line: &str) -> PathBuf {
    let named = line.rsplit('"').nth(1).filter(|_| line.matches('"').count() >= 2);
    let descriptor = line.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    let descriptor = descriptor.map(|(path, _)| PathBuf::from(path));
    match (named, descriptor) {
        (Some(name), Some(folder)) if !line.contains("write") => folder.join(name),
        (_, Some(path)) => path,
        (Some(name), None) => PathBuf::from(name),
        (None, None) => PathBuf::new(),
    }
}
