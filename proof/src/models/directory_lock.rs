//! The lock that is a directory, its takeover from the dead, and `locks clean` at the same time: the
//! steps of `infra-fs/src/lock/directory.rs`.
//!
//! Each process takes turns; in each it takes the lock (`acquire`, and the drop of what it holds),
//! cleans it (`remove_if_idle`) or sweeps what one process has prepared or swept (`sweep`). A step is
//! one system call. Sweeping believes everything to be old enough, so that the living are swept too.
//!
//! Abstracted away: how death is proven (here it is known exactly, of all the killed and nobody else;
//! that pids come again is a matter of `machine::life`); power cuts, after which everyone is of
//! another boot; back-off and patience; `locks break`, which takes from whoever is not seen to live
//! and so trusts a person; a network file system that repeats a request. The record's writing is one
//! step: a record that cannot be read yet proves nothing, as none does.

use super::checker::{Model, Next};

pub(super) const PROCESSES: usize = 4;

/// One acquisition: its process, and which of its turns.
type Nonce = (u8, u8);

/// What is at a directory's path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Dir {
    Nothing,
    /// Nobody's.
    Empty,
    /// It holds the record `owner-<nonce>`.
    Owned(Nonce),
}

/// What a process is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    /// Begin a turn.
    Start,
    /// `look`: open the directory of the lock.
    Look,
    /// List it.
    List,
    /// Read the record found there.
    Read(Nonce),
    /// Ask the kernel whether its process lives.
    Ask(Nonce),
    /// `Held::end` of an acquisition: unlink its record,
    Unlink(Nonce),
    /// then remove the directory, if it is empty.
    RemoveDir,
    /// `Prepared::new`
    Make,
    Write,
    /// `put_in_place`
    Rename,
    /// Whatever the lock protects.
    Critical,
    /// `Held::end` of one's own.
    ReleaseUnlink,
    ReleaseRemoveDir,
    /// The drop of a `Prepared` that has not become a lock.
    DropUnlink,
    DropRemoveDir,
    /// `sweep`: rename what this process has prepared,
    SweepAway(u8),
    /// then take apart what this process has swept: unlink the record,
    SweptUnlink(u8),
    /// remove the directory.
    SweptRemoveDir(u8),
    Killed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Process {
    at: At,
    /// Whether it takes the lock in this turn, or only cleans up.
    takes: bool,
    turns: u8,
    /// `prepare-<its nonce>`
    prepared: Dir,
    /// `swept-<nonce>`, as it named what it swept last.
    swept: Dir,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    lock: Dir,
    crashes: u8,
    processes: [Process; PROCESSES],
}

/// A protocol that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A dead owner's lock is removed by its path, whoever's it may be by then.
    TakeoverByPath,
    /// The record is written into the directory when it is the lock already.
    RecordAfterRename,
    /// What was prepared is taken apart where it lies.
    SweepInPlace,
    /// A lock is taken from an owner that may live.
    TakeoverWithoutProof,
    /// A directory without a record is waited for.
    EmptyIsHeld,
    /// Nobody takes over from the dead.
    NoTakeover,
}

impl Wrong {
    pub(super) const ALL: [Self; 6] = [
        Self::TakeoverByPath,
        Self::RecordAfterRename,
        Self::SweepInPlace,
        Self::TakeoverWithoutProof,
        Self::EmptyIsHeld,
        Self::NoTakeover,
    ];
}

pub(super) struct DirectoryLock {
    pub(super) turns: u8,
    pub(super) crashes: u8,
    pub(super) wrong: Option<Wrong>,
}

impl DirectoryLock {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// The step that the code makes where `index` is.
    fn step(&self, state: &State, index: usize) -> Option<(&'static str, State)> {
        let mut after = state.clone();
        let ours = state.nonce_of(index);
        let takes = state.processes[index].takes;
        let State { lock, processes, .. } = &mut after;
        let process = &mut processes[index];
        let idle_after_look = if takes { At::Make } else { At::Start };
        let busy = if takes { At::Look } else { At::Start };
        let does = match process.at {
            At::Start | At::Killed => return None,
            At::Look => {
                process.at = match lock {
                    Dir::Nothing => idle_after_look,
                    Dir::Empty if self.is(Wrong::EmptyIsHeld) => busy,
                    Dir::Empty => At::RemoveDir,
                    Dir::Owned(_) => At::List,
                };
                "opens the lock"
            }
            At::List => {
                // A directory that was removed since has no entries either.
                process.at = match lock {
                    Dir::Owned(nonce) => At::Read(*nonce),
                    Dir::Nothing | Dir::Empty => At::RemoveDir,
                };
                "lists it"
            }
            At::Read(nonce) => {
                process.at = if *lock == Dir::Owned(nonce) { At::Ask(nonce) } else { busy };
                "reads the record"
            }
            At::Ask(nonce) => {
                let is_dead = state.is_dead(nonce) && !self.is(Wrong::NoTakeover);
                let is_dead = is_dead || self.is(Wrong::TakeoverWithoutProof);
                process.at = if is_dead { At::Unlink(nonce) } else { busy };
                "asks for its process"
            }
            At::Unlink(nonce) => {
                let is_there = *lock == Dir::Owned(nonce);
                if is_there || (self.is(Wrong::TakeoverByPath) && *lock != Dir::Nothing) {
                    *lock = Dir::Empty;
                }
                process.at = At::RemoveDir;
                "unlinks a record"
            }
            At::RemoveDir => {
                lock.remove_if_empty();
                process.at = idle_after_look;
                "removes the empty lock"
            }
            At::Make => {
                process.prepared = Dir::Empty;
                let late = self.is(Wrong::RecordAfterRename);
                process.at = if late { At::Rename } else { At::Write };
                "makes a directory"
            }
            At::Write if self.is(Wrong::RecordAfterRename) => {
                if *lock == Dir::Empty {
                    *lock = Dir::Owned(ours);
                }
                process.at = At::Critical;
                "writes the record"
            }
            At::Write => {
                if process.prepared == Dir::Empty {
                    process.prepared = Dir::Owned(ours);
                    process.at = At::Rename;
                    "writes the record"
                } else {
                    process.at = At::DropUnlink;
                    process.takes = false;
                    "finds its directory gone and fails"
                }
            }
            At::Rename => match (process.prepared, *lock) {
                (Dir::Nothing, _) | (_, Dir::Owned(_)) => {
                    process.at = At::DropUnlink;
                    "is not let in"
                }
                (prepared, Dir::Nothing | Dir::Empty) => {
                    *lock = prepared;
                    process.prepared = Dir::Nothing;
                    let late = self.is(Wrong::RecordAfterRename);
                    process.at = if late { At::Write } else { At::Critical };
                    "renames it to the lock"
                }
            },
            At::Critical => {
                process.at = At::ReleaseUnlink;
                "does what it locked for"
            }
            At::ReleaseUnlink => {
                if *lock == Dir::Owned(ours) {
                    *lock = Dir::Empty;
                }
                process.at = At::ReleaseRemoveDir;
                "unlinks its record"
            }
            At::ReleaseRemoveDir => {
                lock.remove_if_empty();
                process.at = At::Start;
                "removes its lock"
            }
            At::DropUnlink => {
                if process.prepared != Dir::Nothing {
                    process.prepared = Dir::Empty;
                }
                process.at = At::DropRemoveDir;
                "unlinks its record"
            }
            At::DropRemoveDir => {
                process.prepared.remove_if_empty();
                process.at = busy;
                "removes its directory"
            }
            At::SweepAway(victim) if self.is(Wrong::SweepInPlace) => {
                let prepared = &mut processes[usize::from(victim)].prepared;
                if *prepared != Dir::Nothing {
                    *prepared = Dir::Empty;
                }
                processes[index].at = At::Start;
                "unlinks a prepared record"
            }
            At::SweepAway(victim) => {
                let prepared = &mut processes[usize::from(victim)].prepared;
                let found = std::mem::replace(prepared, Dir::Nothing);
                let process = &mut processes[index];
                process.at = match found {
                    Dir::Nothing => At::Start,
                    Dir::Empty | Dir::Owned(_) => {
                        process.swept = found;
                        At::SweptUnlink(index as u8)
                    }
                };
                "sweeps away"
            }
            At::SweptUnlink(of) => {
                let swept = &mut processes[usize::from(of)].swept;
                if *swept != Dir::Nothing {
                    *swept = Dir::Empty;
                }
                processes[index].at = At::SweptRemoveDir(of);
                "unlinks a swept record"
            }
            At::SweptRemoveDir(of) => {
                processes[usize::from(of)].swept.remove_if_empty();
                processes[index].at = At::Start;
                "removes what was swept"
            }
        };
        after.settle(index);
        Some((does, after.canonical()))
    }

    /// The state after process `index` has begun a turn.
    fn begin(state: &State, index: usize, at: At, takes: bool) -> State {
        let mut after = state.clone();
        let process = &mut after.processes[index];
        (process.at, process.takes, process.turns) = (at, takes, process.turns - 1);
        after.canonical()
    }
}

impl Dir {
    fn remove_if_empty(&mut self) {
        if *self == Self::Empty {
            *self = Self::Nothing;
        }
    }

    fn rename_owner(&mut self, new: &[u8; PROCESSES]) {
        if let Self::Owned((owner, _)) = self {
            *owner = new[usize::from(*owner)];
        }
    }
}

impl At {
    fn rename_processes(&mut self, new: &[u8; PROCESSES]) {
        match self {
            Self::Read((process, _))
            | Self::Ask((process, _))
            | Self::Unlink((process, _))
            | Self::SweepAway(process)
            | Self::SweptUnlink(process)
            | Self::SweptRemoveDir(process) => *process = new[usize::from(*process)],
            _ => {}
        }
    }
}

impl State {
    fn nonce_of(&self, index: usize) -> Nonce {
        (index as u8, self.processes[index].turns)
    }

    fn is_dead(&self, (process, _): Nonce) -> bool {
        self.processes[usize::from(process)].at == At::Killed
    }

    /// What a process between turns remembers is nothing.
    fn settle(&mut self, index: usize) {
        if self.processes[index].at == At::Start {
            self.processes[index].takes = false;
        }
    }

    /// Processes are alike: of all states that differ in their order, one stands for the others,
    /// as far as they can be told apart without their numbers.
    fn canonical(mut self) -> Self {
        let mut order: [usize; PROCESSES] = std::array::from_fn(|index| index);
        let key = |index: &usize| {
            let mut process = self.processes[*index];
            let owns = self.lock == Dir::Owned(self.nonce_of(*index));
            process.at.rename_processes(&[0; PROCESSES]);
            process.prepared.rename_owner(&[0; PROCESSES]);
            process.swept.rename_owner(&[0; PROCESSES]);
            (process, owns)
        };
        order.sort_by_key(key);
        let mut new = [0; PROCESSES];
        for (place, old) in order.iter().enumerate() {
            new[*old] = place as u8;
        }
        self.processes = order.map(|old| self.processes[old]);
        self.lock.rename_owner(&new);
        for process in &mut self.processes {
            process.at.rename_processes(&new);
            process.prepared.rename_owner(&new);
            process.swept.rename_owner(&new);
        }
        self
    }

    fn holders(&self) -> impl Iterator<Item = usize> {
        (0..PROCESSES)
            .filter(|index| matches!(self.processes[*index].at, At::Critical | At::ReleaseUnlink))
    }
}

impl Model for DirectoryLock {
    type State = State;

    fn start(&self) -> State {
        let process = Process {
            at: At::Start,
            takes: false,
            turns: self.turns,
            prepared: Dir::Nothing,
            swept: Dir::Nothing,
        };
        State { lock: Dir::Nothing, crashes: self.crashes, processes: [process; PROCESSES] }
    }

    fn steps(&self, state: &State, next: &mut Next<State>) {
        for (index, process) in state.processes.iter().enumerate() {
            if process.at == At::Start && process.turns > 0 {
                next.step(index, "begins to take", Self::begin(state, index, At::Look, true));
                next.step(index, "begins to clean", Self::begin(state, index, At::Look, false));
                for (victim, theirs) in state.processes.iter().enumerate() {
                    let (prepared, swept) = (theirs.prepared, theirs.swept);
                    let victim = victim as u8;
                    if prepared != Dir::Nothing {
                        let sweeps = Self::begin(state, index, At::SweepAway(victim), false);
                        next.step(index, "begins to sweep", sweeps);
                    }
                    if swept != Dir::Nothing {
                        let sweeps = Self::begin(state, index, At::SweptUnlink(victim), false);
                        next.step(index, "begins to sweep", sweeps);
                    }
                }
            }
            if let Some((does, after)) = self.step(state, index) {
                next.step(index, does, after);
            }
            if state.crashes > 0 && !matches!(process.at, At::Start | At::Killed) {
                let mut after = state.clone();
                after.crashes -= 1;
                after.processes[index].at = At::Killed;
                after.processes[index].takes = false;
                next.mishap(index, "is killed", after.canonical());
            }
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        let mut holders = state.holders();
        let holder = holders.next()?;
        if holders.next().is_some() {
            return Some("two hold one lock");
        }
        (state.lock != Dir::Owned(state.nonce_of(holder))).then_some("a holder has no record")
    }

    fn is_done(&self, state: &State) -> bool {
        let is_over = |process: &Process| {
            process.at == At::Killed || (process.at == At::Start && process.turns == 0)
        };
        state.processes.iter().all(is_over)
    }
}
