//! The lock of the operating system, with `locks clean` and `locks list` at the same time: the
//! steps of `infra-fs/src/lock/os.rs`.
//!
//! Each process takes turns; in each it locks alone or with others (`acquire`), cleans
//! (`remove_if_idle`) or lists (`state_of`). A step is one system call. What is at the path and
//! which file a process has open are told apart, as inodes are.
//!
//! Abstracted away: the order in which the kernel serves its queue (here anyone who waits may be
//! next, so that fairness is not shown); interrupted calls; the record of the holder, which decides
//! nothing; file systems whose `flock` does not work; Windows, where a file that is open keeps its
//! name. One lock stands for all: two locks have nothing in common. A caller that gives up is over
//! with its turn, while its place in the queue lives on; what its thread and it then do to each
//! other is a schedule, not a state of files.

use super::checker::{Model, Next};

pub(super) const PROCESSES: usize = 4;

/// What a process is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum At {
    /// Begin a turn.
    Start,
    Open,
    TryLock,
    /// Nothing: it is in the kernel's queue.
    Queue,
    /// Unlock as soon as it has the lock: the caller has given up.
    Abandoned,
    /// `fstat`: has its file a name?
    Stat,
    /// `lstat`: is its file the one at the path?
    StatPath {
        has_name: bool,
    },
    /// Whatever the lock protects.
    Critical,
    /// Unlink the path.
    Unlink,
    Unlock {
        again: bool,
    },
    Killed,
}

/// What a turn is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Turn {
    Exclusive,
    Shared,
    Clean,
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Process {
    at: At,
    turn: Turn,
    /// Whether the kernel has given it the lock of its file.
    locked: bool,
    turns: u8,
    /// The file it has open.
    file: Option<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    path: Option<u8>,
    crashes: u8,
    processes: [Process; PROCESSES],
}

/// A protocol that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// `clean` unlinks whatever is there.
    UnlinkWithoutLock,
    /// `clean` unlinks after it has unlocked.
    UnlinkAfterUnlock,
    /// `clean` does not look whether what it has locked is what it unlinks.
    CleanWithoutCheck,
    /// A lock counts although its file may no longer be at the path.
    LockWithoutCheck,
    /// It is looked whether the file is at the path, but before it is locked.
    CheckBeforeLock,
    /// Who gives up leaves a thread that keeps what it wins.
    AbandonedIsKept,
}

impl Wrong {
    pub(super) const ALL: [Self; 6] = [
        Self::UnlinkWithoutLock,
        Self::UnlinkAfterUnlock,
        Self::CleanWithoutCheck,
        Self::LockWithoutCheck,
        Self::CheckBeforeLock,
        Self::AbandonedIsKept,
    ];
}

pub(super) struct OsLock {
    pub(super) turns: u8,
    pub(super) crashes: u8,
    pub(super) wrong: Option<Wrong>,
}

impl OsLock {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// What a process does that has just got its lock.
    fn after_lock(&self, turn: Turn) -> At {
        match turn {
            Turn::List => At::Unlock { again: false },
            Turn::Clean if self.is(Wrong::CleanWithoutCheck) => At::Unlink,
            Turn::Clean if self.is(Wrong::UnlinkAfterUnlock) => At::Unlock { again: false },
            Turn::Exclusive | Turn::Shared
                if self.is(Wrong::LockWithoutCheck) || self.is(Wrong::CheckBeforeLock) =>
            {
                At::Critical
            }
            _ => At::Stat,
        }
    }

    /// The step that the code makes where `process` is, with what it becomes and what is then at
    /// the path. `None` while it has to wait.
    fn step(&self, state: &State, process: usize) -> Option<(&'static str, Process, Option<u8>)> {
        let mut next = state.processes[process];
        let mut path = state.path;
        let is_at_path = next.file.is_some() && next.file == path;
        let does = match next.at {
            At::Start | At::Killed => return None,
            At::Open => match (path, next.turn) {
                (Some(_), _) => {
                    next.file = path;
                    next.at = match next.turn {
                        Turn::Clean if self.is(Wrong::UnlinkWithoutLock) => At::Unlink,
                        Turn::Exclusive | Turn::Shared if self.is(Wrong::CheckBeforeLock) => {
                            At::Stat
                        }
                        _ => At::TryLock,
                    };
                    "opens the file"
                }
                (None, Turn::Exclusive | Turn::Shared) => {
                    path = Some(state.unused_file());
                    next.file = path;
                    next.at = At::TryLock;
                    "creates the file"
                }
                (None, Turn::Clean | Turn::List) => {
                    next.end();
                    "finds no file"
                }
            },
            At::TryLock if state.is_free_for(process) => {
                next.locked = true;
                next.at = self.after_lock(next.turn);
                "locks"
            }
            At::TryLock => match next.turn {
                Turn::Clean | Turn::List => {
                    next.end();
                    "finds it busy"
                }
                Turn::Exclusive | Turn::Shared => {
                    next.at = At::Queue;
                    "queues"
                }
            },
            At::Queue | At::Abandoned if !state.is_free_for(process) => return None,
            At::Queue => {
                next.locked = true;
                next.at = self.after_lock(next.turn);
                "is served"
            }
            At::Abandoned if self.is(Wrong::AbandonedIsKept) && next.locked => return None,
            At::Abandoned if self.is(Wrong::AbandonedIsKept) => {
                next.locked = true;
                "is served in vain"
            }
            At::Abandoned => {
                next.locked = true;
                next.at = At::Unlock { again: false };
                "is served in vain"
            }
            At::Stat => {
                next.at = At::StatPath { has_name: is_at_path };
                "looks at its file"
            }
            At::StatPath { has_name } => {
                let stands = has_name && is_at_path;
                next.at = match (stands, next.turn) {
                    (true, _) if !next.locked => At::TryLock,
                    (true, Turn::Clean) => At::Unlink,
                    (true, _) => At::Critical,
                    (false, Turn::Clean) => At::Unlock { again: false },
                    (false, _) => At::Unlock { again: true },
                };
                "looks at the path"
            }
            At::Critical => {
                next.at = At::Unlock { again: false };
                "does what it locked for"
            }
            At::Unlink => {
                path = None;
                next.at = At::Unlock { again: false };
                if !next.locked {
                    next.end();
                }
                "unlinks the path"
            }
            At::Unlock { again: true } => {
                (next.locked, next.file, next.at) = (false, None, At::Open);
                "unlocks, to open anew"
            }
            At::Unlock { again: false } => {
                let unlinks = next.turn == Turn::Clean && self.is(Wrong::UnlinkAfterUnlock);
                next.locked = false;
                if unlinks {
                    next.at = At::Unlink;
                } else {
                    next.end();
                }
                "unlocks"
            }
        };
        Some((does, next, path))
    }
}

impl Process {
    /// The turn is over; what was open is closed.
    fn end(&mut self) {
        *self = Self {
            at: At::Start,
            turn: Turn::Exclusive,
            locked: false,
            file: None,
            turns: self.turns,
        };
    }
}

impl State {
    /// Whether the kernel would give `process` the lock of its file.
    fn is_free_for(&self, process: usize) -> bool {
        let ours = self.processes[process];
        let is_shared = |process: &Process| matches!(process.turn, Turn::Shared | Turn::List);
        !self.processes.iter().enumerate().any(|(other, theirs)| {
            other != process
                && theirs.locked
                && theirs.file == ours.file
                && !(is_shared(&ours) && is_shared(theirs))
        })
    }

    fn unused_file(&self) -> u8 {
        let used = |file| self.processes.iter().any(|process| process.file == Some(file));
        (0..).find(|file| !used(*file) && self.path != Some(*file)).unwrap_or(u8::MAX)
    }

    fn with(&self, index: usize, process: Process, path: Option<u8>) -> Self {
        let mut state = self.clone();
        state.processes[index] = process;
        state.path = path;
        state.canonical()
    }

    /// Processes are alike, and a file is no more than what has it open: of all states that differ
    /// in the order of either, one stands for the others.
    fn canonical(mut self) -> Self {
        let path = self.path;
        self.processes.sort_by_key(|process| {
            let Process { file, .. } = *process;
            (Process { file: None, ..*process }, file == path, file)
        });
        let mut names = Vec::with_capacity(PROCESSES + 1);
        let files = self.processes.iter_mut().map(|process| &mut process.file);
        for file in std::iter::once(&mut self.path).chain(files).flatten() {
            let known = names.iter().position(|name| name == file);
            *file = known.unwrap_or_else(|| {
                names.push(*file);
                names.len() - 1
            }) as u8;
        }
        self
    }
}

impl Model for OsLock {
    type State = State;

    fn start(&self) -> State {
        let mut process = Process {
            at: At::Start,
            turn: Turn::Exclusive,
            locked: false,
            file: None,
            turns: self.turns,
        };
        process.end();
        State { path: None, crashes: self.crashes, processes: [process; PROCESSES] }
    }

    fn steps(&self, state: &State, next: &mut Next<State>) {
        for (index, process) in state.processes.iter().enumerate() {
            if process.at == At::Start && process.turns > 0 {
                for turn in [Turn::Exclusive, Turn::Shared, Turn::Clean, Turn::List] {
                    let begun =
                        Process { at: At::Open, turn, turns: process.turns - 1, ..*process };
                    next.step(index, "begins", state.with(index, begun, state.path));
                }
            }
            if let Some((does, process, path)) = self.step(state, index) {
                next.step(index, does, state.with(index, process, path));
            }
            if process.at == At::Queue {
                let abandoned = Process { at: At::Abandoned, ..*process };
                next.mishap(index, "gives up", state.with(index, abandoned, state.path));
            }
            if state.crashes > 0 && process.is_under_way() {
                // The kernel closes what it had open, and with that unlocks it.
                let mut killed = *process;
                killed.end();
                let killed = Process { at: At::Killed, turns: 0, ..killed };
                let mut after = state.with(index, killed, state.path);
                after.crashes -= 1;
                next.mishap(index, "is killed", after);
            }
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        let inside = state.processes.iter().filter(|process| process.at == At::Critical);
        let (exclusive, shared) =
            inside.fold((0, 0), |(exclusive, shared), process| match process.turn {
                Turn::Shared => (exclusive, shared + 1),
                _ => (exclusive + 1, shared),
            });
        (exclusive > 1 || (exclusive == 1 && shared > 0)).then_some("two hold one lock")
    }

    fn is_done(&self, state: &State) -> bool {
        state.processes.iter().all(|process| !process.is_under_way() && process.turns == 0)
    }
}

impl Process {
    fn is_under_way(&self) -> bool {
        !matches!(self.at, At::Start | At::Killed)
    }
}
