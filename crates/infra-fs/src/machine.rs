//! Who this process is and where it runs, and whether another process still lives: what lock
//! holders say about themselves, and the proof that a dead one cannot come back.

use std::path::Path;
use std::sync::OnceLock;

use jerry_domain::{Extra, Reach, fnv_1a};
use serde::{Deserialize, Serialize};

/// The machine's name, or `unknown`.
#[must_use]
pub fn host() -> &'static str {
    &this_process().host
}

/// The user's name as the environment gives it, else `uid-` and the number.
#[must_use]
pub fn user() -> &'static str {
    &this_process().user
}

/// Names the present boot of this kernel; `None` where that cannot be told.
pub(crate) fn boot_id() -> Option<&'static str> {
    #[cfg(feature = "proof")]
    if let Some(boot) = crate::seam::boot() {
        return Some(boot);
    }
    static BOOT: OnceLock<Option<String>> = OnceLock::new();
    BOOT.get_or_init(|| system::first_line(Path::new(BOOT_ID))).as_deref()
}

const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// What this process says about itself. Every text is printable, free of quotes and backslashes,
/// and short enough that a record of them has a fixed size.
#[derive(Debug)]
pub(crate) struct ThisProcess {
    pub(crate) pid: u32,
    pub(crate) started: Option<u64>,
    pub(crate) host: String,
    pub(crate) user: String,
    pub(crate) command: String,
    pub(crate) place: Place,
}

/// This process; read from the system once.
pub(crate) fn this_process() -> &'static ThisProcess {
    #[cfg(feature = "proof")]
    if let Some(boot) = crate::seam::boot() {
        return this_process_on(boot);
    }
    static THIS: OnceLock<ThisProcess> = OnceLock::new();
    THIS.get_or_init(|| ThisProcess::look(Place::here()))
}

/// This process as if the machine were on another boot.
#[cfg(feature = "proof")]
fn this_process_on(boot: &'static str) -> &'static ThisProcess {
    use std::collections::BTreeMap;
    use std::sync::{Mutex, PoisonError};
    static KNOWN: Mutex<BTreeMap<&str, &ThisProcess>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(boot).or_insert_with(|| {
        let place = Place {
            machine: Some("proof".to_owned()),
            boot: Some(boot.to_owned()),
            namespaces: Some(OUTERMOST_PID_NAMESPACE.to_owned()),
        };
        Box::leak(Box::new(ThisProcess::look(place)))
    })
}

impl ThisProcess {
    fn look(place: Place) -> Self {
        let pid = std::process::id();
        Self {
            pid,
            started: system::started(pid),
            host: plain(&system::host().unwrap_or_else(|| "unknown".to_owned()), 64),
            user: plain(&user_name(), 48),
            command: plain(&command(), 64),
            place,
        }
    }
}

/// Where a process id and a start time mean something. What could not be read is `None`, and then
/// nothing is concluded from it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Names the machine, whatever system it boots.
    pub(crate) machine: Option<String>,
    /// Names one boot of one kernel.
    pub(crate) boot: Option<String>,
    /// The pid namespace, and the time namespace that start times are counted in.
    pub(crate) namespaces: Option<String>,
}

impl Place {
    fn here() -> Self {
        Self {
            machine: system::first_line(Path::new("/etc/machine-id")),
            boot: boot_id().map(str::to_owned),
            namespaces: system::namespaces(),
        }
    }
}

/// Where locks taken by this process mean something; `None` where the boot cannot be told.
pub(crate) fn reach() -> Option<Reach> {
    let place = &this_process().place;
    let machine = place.machine.as_deref().filter(|_| is_outermost(place));
    // The machine's id is nobody's business, and the reach is written into items.
    let machine = machine.map(|id| format!("{:016x}", fnv_1a(format!("jerry {id}").as_bytes())));
    place.boot.clone().map(|boot| Reach { boot, machine, extra: Extra::new() })
}

/// A process as it described itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Described<'a> {
    pub(crate) pid: u32,
    pub(crate) started: Option<u64>,
    pub(crate) host: &'a str,
    pub(crate) place: &'a Place,
}

/// Whether a process still lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It does.
    Alive,
    /// It is proven gone, and cannot come back.
    Dead,
    /// It cannot be told from here.
    Unknown,
}

/// Whether the process that described itself so still lives, as far as this one can prove.
pub(crate) fn life(process: Described<'_>) -> Life {
    let this = this_process();
    let here =
        Described { pid: this.pid, started: this.started, host: &this.host, place: &this.place };
    life_seen_from(here, process, system::look)
}

/// What can be seen of a process id in this pid namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(unix), allow(dead_code, reason = "nothing is seen there"))]
enum Seen {
    /// No such process.
    Gone,
    /// It has ended and only waits for its parent to take notice.
    Ended,
    /// It runs, and started then.
    Started(u64),
    /// There is one, of which nothing more can be read.
    Hidden,
}

fn life_seen_from(
    here: Described<'_>,
    process: Described<'_>,
    look: impl FnOnce(u32) -> Seen,
) -> Life {
    let (Some(boot_here), Some(boot)) = (&here.place.boot, &process.place.boot) else {
        return Life::Unknown;
    };
    if here.host != process.host {
        return Life::Unknown;
    }
    if boot_here != boot {
        return if same_machine(here.place, process.place) { Life::Dead } else { Life::Unknown };
    }
    let (Some(started), Some(_)) = (process.started, here.started) else {
        return Life::Unknown;
    };
    if process.place.namespaces.is_none() || process.place.namespaces != here.place.namespaces {
        return Life::Unknown;
    }
    match look(process.pid) {
        Seen::Gone | Seen::Ended => Life::Dead,
        Seen::Started(other) if other != started => Life::Dead,
        Seen::Started(_) => Life::Alive,
        Seen::Hidden => Life::Unknown,
    }
}

/// Whether two boots were boots of one machine. A host's name is not enough, for cloned machines
/// and containers share names; inside a container the machine's id is the image's.
fn same_machine(one: &Place, other: &Place) -> bool {
    one.machine.is_some()
        && one.machine == other.machine
        && is_outermost(one)
        && is_outermost(other)
}

fn is_outermost(place: &Place) -> bool {
    place.namespaces.as_deref().is_some_and(|names| names.starts_with(OUTERMOST_PID_NAMESPACE))
}

/// Linux gives the first pid namespace this number on every machine.
const OUTERMOST_PID_NAMESPACE: &str = "pid:[4026531836]";

fn user_name() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .or_else(system::user_id)
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The program and its subcommand. No further arguments: they may be long, or private.
fn command() -> String {
    let mut arguments = std::env::args_os();
    let program = arguments.next().unwrap_or_default();
    let program = Path::new(&program).file_name().unwrap_or(&program).to_string_lossy();
    let word = |text: &str| text.starts_with(|c: char| c.is_ascii_lowercase());
    match arguments.next().as_deref().and_then(|argument| argument.to_str()) {
        Some(verb) if word(verb) && verb.len() <= 16 => format!("{program} {verb}"),
        _ => program.into_owned(),
    }
}

fn plain(text: &str, most_bytes: usize) -> String {
    let mut plain = String::new();
    for c in text.chars() {
        let c = if c.is_control() || matches!(c, '"' | '\\') { '?' } else { c };
        if plain.len() + c.len_utf8() > most_bytes {
            break;
        }
        plain.push(c);
    }
    plain
}

#[cfg(unix)]
mod system {
    use std::fs;
    use std::path::Path;

    use rustix::io::Errno;
    use rustix::process::{Pid, test_kill_process};

    use super::Seen;

    pub(super) fn host() -> Option<String> {
        Some(rustix::system::uname().nodename().to_string_lossy().into_owned())
    }

    pub(super) fn user_id() -> Option<String> {
        Some(format!("uid-{}", rustix::process::getuid().as_raw()))
    }

    /// `None` for whatever reason: what cannot be read proves nothing.
    pub(super) fn first_line(path: &Path) -> Option<String> {
        let text = fs::read_to_string(path).ok()?;
        let line = text.lines().next()?.trim();
        (!line.is_empty() && line.len() <= 64).then(|| super::plain(line, 64))
    }

    pub(super) fn namespaces() -> Option<String> {
        let name = |link| Some(fs::read_link(link).ok()?.to_string_lossy().into_owned());
        let pid = name("/proc/self/ns/pid")?;
        // Kernels before 5.6 have no time namespaces.
        let time = name("/proc/self/ns/time").unwrap_or_default();
        Some(super::plain(&format!("{pid} {time}"), 64))
    }

    pub(super) fn started(pid: u32) -> Option<u64> {
        match stat(pid)? {
            Seen::Started(at) => Some(at),
            _ => None,
        }
    }

    /// Asks the kernel by signal 0 first: `/proc` may hide other users' processes.
    pub(super) fn look(pid: u32) -> Seen {
        let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
            return Seen::Hidden;
        };
        match test_kill_process(id) {
            Err(Errno::SRCH) => Seen::Gone,
            Ok(()) | Err(_) => stat(pid).unwrap_or(Seen::Hidden),
        }
    }

    /// Reads `/proc/<pid>/stat`, whose second field may hold anything, parentheses included.
    fn stat(pid: u32) -> Option<Seen> {
        let line = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let after_name = line.iter().rposition(|b| *b == b')')? + 1;
        let mut fields = std::str::from_utf8(&line[after_name..]).ok()?.split_ascii_whitespace();
        let state = fields.next()?;
        let threads: u64 = fields.nth(16)?.parse().ok()?;
        let started = fields.nth(1)?.parse().ok()?;
        // A first thread that has ended while others run looks like a zombie, and is alive.
        let ended = matches!(state, "Z" | "X") && threads <= 1;
        Some(if ended { Seen::Ended } else { Seen::Started(started) })
    }
}

#[cfg(not(unix))]
mod system {
    use std::path::Path;

    use super::Seen;

    pub(super) fn host() -> Option<String> {
        std::env::var("COMPUTERNAME").ok()
    }

    pub(super) fn user_id() -> Option<String> {
        None
    }

    pub(super) fn first_line(_: &Path) -> Option<String> {
        None
    }

    pub(super) fn namespaces() -> Option<String> {
        None
    }

    pub(super) fn started(_: u32) -> Option<u64> {
        None
    }

    pub(super) fn look(_: u32) -> Seen {
        Seen::Hidden
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const OUTERMOST: &str = "pid:[4026531836] time:[4026531834]";
    const CONTAINER: &str = "pid:[4026532001] time:[4026531834]";

    fn place(machine: &str, boot: &str, namespaces: &str) -> Place {
        let known = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Place { machine: known(machine), boot: known(boot), namespaces: known(namespaces) }
    }

    /// A process on the machine `m`, boot `b`, as it looks from another one there.
    #[rstest]
    #[case::gone(Seen::Gone, Life::Dead)]
    #[case::ended(Seen::Ended, Life::Dead)]
    #[case::pid_given_to_another(Seen::Started(8), Life::Dead)]
    #[case::there(Seen::Started(7), Life::Alive)]
    #[case::hidden(Seen::Hidden, Life::Unknown)]
    fn here_the_kernel_tells(#[case] seen: Seen, #[case] expected: Life) {
        let place = place("m", "b", CONTAINER);
        let here = Described { pid: 1, started: Some(1), host: "h", place: &place };
        let process = Described { pid: 2, started: Some(7), host: "h", place: &place };
        assert_eq!(life_seen_from(here, process, |_| seen), expected);
    }

    #[rstest]
    #[case::another_host("other", Some(7), place("m", "b", OUTERMOST), Life::Unknown)]
    #[case::start_not_known("h", None, place("m", "b", OUTERMOST), Life::Unknown)]
    #[case::boot_not_known("h", Some(7), place("m", "", OUTERMOST), Life::Unknown)]
    #[case::namespaces_not_known("h", Some(7), place("m", "b", ""), Life::Unknown)]
    #[case::another_namespace("h", Some(7), place("m", "b", CONTAINER), Life::Unknown)]
    #[case::another_boot("h", Some(7), place("m", "c", OUTERMOST), Life::Dead)]
    #[case::another_boot_of_who_knows("h", Some(7), place("", "c", OUTERMOST), Life::Unknown)]
    #[case::another_boot_elsewhere("h", Some(7), place("n", "c", OUTERMOST), Life::Unknown)]
    #[case::another_boot_in_a_container("h", Some(7), place("m", "c", CONTAINER), Life::Unknown)]
    fn elsewhere_little_is_proven(
        #[case] host: &str,
        #[case] started: Option<u64>,
        #[case] there: Place,
        #[case] expected: Life,
    ) {
        let place = place("m", "b", OUTERMOST);
        let here = Described { pid: 1, started: Some(1), host: "h", place: &place };
        let process = Described { pid: 2, started, host, place: &there };
        assert_eq!(life_seen_from(here, process, |_| Seen::Gone), expected);
    }

    #[test]
    fn where_this_process_cannot_be_placed_nothing_is_proven() {
        let known = place("m", "b", OUTERMOST);
        let unknown = place("m", "", OUTERMOST);
        let process = Described { pid: 2, started: Some(7), host: "h", place: &known };
        let here = Described { pid: 1, started: Some(1), host: "h", place: &unknown };
        assert_eq!(life_seen_from(here, process, |_| Seen::Gone), Life::Unknown);
        let here = Described { pid: 1, started: None, host: "h", place: &known };
        assert_eq!(life_seen_from(here, process, |_| Seen::Gone), Life::Unknown);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_lives_and_its_dead_child_does_not() {
        let this = this_process();
        let process = Described {
            pid: this.pid,
            started: this.started,
            host: &this.host,
            place: &this.place,
        };
        assert_eq!(life(process), Life::Alive);
        assert_eq!(
            life(Described { started: this.started.map(|at| at + 1), ..process }),
            Life::Dead
        );

        let mut child = std::process::Command::new("cat")
            .stdin(std::process::Stdio::piped())
            .spawn()
            .expect("started");
        let process =
            Described { pid: child.id(), started: system::started(child.id()), ..process };
        assert_eq!(life(process), Life::Alive);
        child.kill().expect("it lives");
        child.wait().expect("killed");
        assert_eq!(life(process), Life::Dead);
    }

    #[rstest]
    #[case("plain", "plain")]
    #[case("a\"b\\c\nd", "a?b?c?d")]
    #[case("ééééé", "éééé")]
    fn texts_have_a_bounded_size_in_json(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(plain(text, 9), expected);
    }
}
