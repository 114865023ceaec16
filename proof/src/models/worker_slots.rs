//! The uids: worker slots that are leased, their marks, and the floor of another boot: the steps of
//! `infra-fs/src/ids/snowflake.rs`.
//!
//! Each process lives several times; in a life it leases a slot (`Snowflake::lease`), takes uids
//! (`Snowflake::take`), makes an item of each, and gives back what it did not use (the drop of
//! `Lease`). A step is one system call. Processes are killed; power cuts take back any part of what
//! was not synced; items are deleted; the clock says something else whenever it is asked.
//!
//! A uid that went into no item before a power cut may be given out again after it: then nobody has
//! it any more but a person to whom `jerry id generate` said it.
//!
//! Abstracted away: milliseconds and sequences, which are one logical time; which free slot is tried
//! first; the lock of a slot, which has a model of its own; uids so far ahead of the clock that they
//! are not believed, so that a clock set back by more than a day and a power cut that loses the mark
//! are not looked at together; several threads, which take one lease in turn; the removal of
//! `local/workers` by hand while jerry runs, which is not allowed.

use super::checker::{Model, Next};

pub(super) const PROCESSES: usize = 4;
/// The most slots there can be.
const SLOTS: u8 = 2;
/// A slot has no uids from this logical time on.
const TIMES: u8 = 16;
/// What the clock may say, from 0 on.
const CLOCK: u8 = 2;
/// The most uids that one move of the mark covers.
const GREATEST_LEASE: u8 = 2;

/// Uids: the slot times [`TIMES`], plus the logical time.
type Set = u32;

/// The mark of a slot, or the floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Mark {
    boot: u8,
    value: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Lease {
    next: u8,
    high_water: u8,
    step: u8,
}

/// What a process is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    /// Begin a life.
    Start,
    /// `free_slot`
    Lock,
    ReadMark,
    /// Empty the mark of another boot, which said `other`.
    Truncate {
        other: u8,
    },
    /// `floor`: read what is known of it,
    ReadFloor {
        other: u8,
    },
    /// list the items and read their uids,
    ListItems {
        other: u8,
        floor: u8,
    },
    /// the same for the tombstones,
    ListTombstones {
        other: u8,
        floor: u8,
    },
    /// keep it for others.
    WriteFloor {
        other: u8,
        floor: u8,
    },
    /// It has a lease: take a uid or end.
    Leased,
    /// Move the mark, and with it give out this time.
    Raise {
        first: u8,
    },
    /// Name an item with a uid of this time.
    Name {
        time: u8,
    },
    SyncItems,
    /// Write the mark where the lease has come to.
    GiveBack,
    Unlock,
    /// The same as `GiveBack`, without the slot.
    GiveBackUnlocked,
    Killed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Process {
    at: At,
    /// The slot that it leases.
    slot: Option<u8>,
    lease: Option<Lease>,
    lives: u8,
    /// How many uids it will take in this life.
    uids: u8,
}

/// What is seen, and what a power cut would leave of it for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Stored<T> {
    seen: T,
    synced: T,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    boot: u8,
    /// Never synced: a power cut leaves what was there at the boot, or what is seen.
    marks: [Stored<Option<Mark>>; SLOTS as usize],
    floor: Stored<Option<Mark>>,
    items: Stored<Set>,
    tombstones: Set,
    /// Given out since the boot, or in an item or a tombstone before it.
    used: Set,
    broken: Option<&'static str>,
    left: Mishaps,
    processes: [Process; PROCESSES],
}

/// How often what can go wrong does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mishaps {
    pub(super) kills: u8,
    pub(super) power_cuts: u8,
    pub(super) deletions: u8,
}

/// A protocol that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The mark is moved after the uid is used.
    MarkAfterUse,
    /// Whoever leases a slot begins at the clock.
    MarkIgnored,
    /// Two may lease one slot.
    WithoutLock,
    /// What was not used is given back after the slot.
    RestAfterUnlock,
    /// The mark of another boot is trusted; there is no floor.
    WithoutFloor,
    /// The floor that was found in another boot is trusted.
    FloorOfAnotherBoot,
    /// What was deleted does not count for the floor.
    FloorWithoutTombstones,
    /// The tombstones are listed before the items.
    TombstonesFirst,
}

impl Wrong {
    pub(super) const ALL: [Self; 8] = [
        Self::MarkAfterUse,
        Self::MarkIgnored,
        Self::WithoutLock,
        Self::RestAfterUnlock,
        Self::WithoutFloor,
        Self::FloorOfAnotherBoot,
        Self::FloorWithoutTombstones,
        Self::TombstonesFirst,
    ];
}

pub(super) struct WorkerSlots {
    pub(super) slots: u8,
    pub(super) lives: u8,
    /// How many uids a process takes in a life.
    pub(super) uids: u8,
    pub(super) mishaps: Mishaps,
    pub(super) wrong: Option<Wrong>,
}

impl WorkerSlots {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// The step that the code makes where `index` is; the clock is asked elsewhere.
    fn step(&self, state: &State, index: usize) -> Option<(&'static str, State)> {
        let mut after = state.clone();
        let process = &mut after.processes[index];
        let slot = process.slot.unwrap_or(0);
        let mark = &mut after.marks[usize::from(slot)].seen;
        let does = match process.at {
            At::Start | At::Lock | At::Killed => return None,
            At::ReadMark => {
                match *mark {
                    Some(mark) if self.is(Wrong::MarkIgnored) && mark.boot == state.boot => {
                        process.lease_from(0);
                    }
                    Some(mark) if mark.boot == state.boot => process.lease_from(mark.value),
                    other => process.at = At::Truncate { other: other.map_or(0, |m| m.value) },
                }
                "reads the mark"
            }
            At::Truncate { other } => {
                *mark = None;
                if self.is(Wrong::WithoutFloor) {
                    process.lease_from(other);
                } else {
                    process.at = At::ReadFloor { other };
                }
                "empties the mark"
            }
            At::ReadFloor { other } => {
                let any = self.is(Wrong::FloorOfAnotherBoot);
                let known = state.floor.seen.filter(|floor| any || floor.boot == state.boot);
                match known {
                    Some(floor) => process.lease_from(other.max(floor.value)),
                    None if self.is(Wrong::TombstonesFirst) => {
                        process.at = At::ListTombstones { other, floor: 0 };
                    }
                    None => process.at = At::ListItems { other, floor: 0 },
                }
                "reads the floor"
            }
            At::ListItems { other, floor } => {
                let floor = floor.max(behind(state.items.seen));
                let is_last =
                    self.is(Wrong::FloorWithoutTombstones) || self.is(Wrong::TombstonesFirst);
                process.at = if is_last {
                    At::WriteFloor { other, floor }
                } else {
                    At::ListTombstones { other, floor }
                };
                "lists the items"
            }
            At::ListTombstones { other, floor } => {
                let floor = floor.max(behind(state.tombstones));
                process.at = if self.is(Wrong::TombstonesFirst) {
                    At::ListItems { other, floor }
                } else {
                    At::WriteFloor { other, floor }
                };
                "lists the tombstones"
            }
            At::WriteFloor { other, floor } => {
                process.lease_from(other.max(floor));
                after.floor.seen = Some(Mark { boot: state.boot, value: floor });
                "writes the floor"
            }
            At::Leased => return None,
            At::Raise { first } => {
                let lease = process.lease.as_mut()?;
                let is_early = self.is(Wrong::MarkAfterUse);
                lease.high_water = first + lease.step;
                lease.step = (lease.step * 2).min(GREATEST_LEASE);
                *mark = Some(Mark { boot: state.boot, value: lease.high_water });
                if is_early {
                    process.at = At::Name { time: first };
                } else {
                    after.give(index, first);
                }
                "moves the mark"
            }
            At::Name { time } => {
                process.at = At::SyncItems;
                after.items.seen |= only(slot, time);
                "names the item"
            }
            At::SyncItems => {
                process.at = At::Leased;
                after.items.synced = after.items.seen;
                "syncs the items"
            }
            At::GiveBack | At::GiveBackUnlocked => {
                let next = process.lease?.next;
                *mark = Some(Mark { boot: state.boot, value: next });
                if process.at == At::GiveBack {
                    process.at = At::Unlock;
                } else {
                    process.end();
                }
                "gives back the rest"
            }
            At::Unlock => {
                let has_rest = process.lease.is_some_and(|lease| lease.next < lease.high_water);
                if self.is(Wrong::RestAfterUnlock) && has_rest {
                    process.at = At::GiveBackUnlocked;
                } else {
                    process.end();
                }
                "unlocks the slot"
            }
        };
        Some((does, after.canonical()))
    }

    /// `take`, with what the clock says.
    fn take(&self, state: &State, index: usize, clock: u8) -> State {
        let mut after = state.clone();
        let process = &mut after.processes[index];
        process.uids -= 1;
        if let Some(lease) = &mut process.lease {
            let first = lease.next.max(clock);
            let is_within = first < lease.high_water;
            lease.next = first + 1;
            process.at = At::Raise { first };
            if is_within || self.is(Wrong::MarkAfterUse) {
                after.give(index, first);
            }
            if !is_within && self.is(Wrong::MarkAfterUse) {
                after.processes[index].at = At::Raise { first };
            }
        }
        after.canonical()
    }

    /// The drop of the lease.
    fn drop_lease(&self, state: &State, index: usize) -> State {
        let mut after = state.clone();
        let process = &mut after.processes[index];
        let has_rest = process.lease.is_some_and(|lease| lease.next < lease.high_water);
        let gives_back = has_rest && !self.is(Wrong::RestAfterUnlock);
        process.at = if gives_back { At::GiveBack } else { At::Unlock };
        after.canonical()
    }
}

fn only(slot: u8, time: u8) -> Set {
    if time < TIMES { 1 << (slot * TIMES + time) } else { 0 }
}

/// The time behind that of every uid in `set`.
fn behind(set: Set) -> u8 {
    let times = (0..SLOTS).fold(0, |times, slot| times | (set >> (slot * TIMES)) as u16);
    times.checked_ilog2().map_or(0, |time| time as u8 + 1)
}

impl Process {
    fn lease_from(&mut self, next: u8) {
        self.lease = Some(Lease { next, high_water: next, step: 1 });
        self.at = At::Leased;
    }

    fn end(&mut self) {
        *self = Self { at: At::Start, slot: None, lease: None, lives: self.lives, uids: 0 };
    }

    /// Whether it keeps others from its slot.
    fn locks(&self, slot: u8) -> bool {
        self.slot == Some(slot) && self.at != At::GiveBackUnlocked
    }
}

impl State {
    fn give(&mut self, index: usize, time: u8) {
        let process = &mut self.processes[index];
        process.at = At::Name { time };
        let uid = only(process.slot.unwrap_or(0), time);
        if uid == 0 {
            self.broken = Some("the model has too few uids");
        } else if self.used & uid != 0 {
            self.broken = Some("a uid is given out twice");
        }
        self.used |= uid;
    }

    fn killed(&self, index: usize) -> Self {
        let mut after = self.clone();
        after.left.kills -= 1;
        after.processes[index].end();
        after.processes[index].at = At::Killed;
        after.processes[index].lives = 0;
        after.canonical()
    }

    /// What follows when somebody deletes an item: its tombstone is durable before it is unlinked.
    fn after_deletions(&self) -> Vec<(&'static str, Self)> {
        let mut found = Vec::new();
        for uid in (0..Set::BITS).map(|bit| 1 << bit).filter(|uid| self.items.seen & uid != 0) {
            let mut after = self.clone();
            if self.tombstones & uid != 0 {
                after.items.seen &= !uid;
                found.push(("(someone) unlinks an item", after));
            } else if self.left.deletions > 0 && self.items.synced & uid != 0 {
                after.left.deletions -= 1;
                after.tombstones |= uid;
                found.push(("(someone) creates a tombstone", after));
            }
        }
        found
    }

    /// Every state that a power cut may leave. All processes are gone; those that have lives left
    /// begin anew in another boot.
    fn after_power_cut(&self) -> Vec<Self> {
        let mut down = self.clone();
        down.left.power_cuts -= 1;
        down.boot += 1;
        for process in &mut down.processes {
            if process.at != At::Killed {
                process.end();
            }
        }
        let mut after = vec![down];
        for slot in 0..usize::from(SLOTS) {
            fork(&mut after, |state| &mut state.marks[slot]);
        }
        fork(&mut after, |state| &mut state.floor);
        let unsure = self.items.seen ^ self.items.synced;
        for uid in (0..Set::BITS).map(|bit| 1 << bit).filter(|uid| unsure & uid != 0) {
            for mut state in after.clone() {
                state.items.seen ^= uid;
                after.push(state);
            }
        }
        for state in &mut after {
            state.items.synced = state.items.seen;
            state.used = state.items.seen | state.tombstones;
        }
        after.into_iter().map(Self::canonical).collect()
    }

    /// Processes are alike: of all states that differ in their order, one stands for the others.
    fn canonical(mut self) -> Self {
        self.processes.sort();
        self
    }
}

/// For each state, one in which a value is as it is seen, and one in which it is as it was synced.
fn fork<T: Copy + PartialEq>(
    states: &mut Vec<State>,
    value: impl Fn(&mut State) -> &mut Stored<T>,
) {
    for mut state in states.clone() {
        let stored = value(&mut state);
        stored.seen = stored.synced;
        states.push(state);
    }
    for state in states {
        let stored = value(state);
        stored.synced = stored.seen;
    }
}

impl Model for WorkerSlots {
    type State = State;

    fn start(&self) -> State {
        let mut process =
            Process { at: At::Start, slot: None, lease: None, lives: self.lives, uids: 0 };
        process.end();
        State {
            boot: 0,
            marks: [Stored { seen: None, synced: None }; SLOTS as usize],
            floor: Stored { seen: None, synced: None },
            items: Stored { seen: 0, synced: 0 },
            tombstones: 0,
            used: 0,
            broken: None,
            left: self.mishaps,
            processes: [process; PROCESSES],
        }
    }

    fn steps(&self, state: &State, next: &mut Next<State>) {
        for (index, process) in state.processes.iter().enumerate() {
            match process.at {
                At::Start if process.lives > 0 => {
                    let mut after = state.clone();
                    let process = &mut after.processes[index];
                    (process.at, process.lives) = (At::Lock, process.lives - 1);
                    process.uids = self.uids;
                    next.step(index, "begins", after.canonical());
                }
                At::Lock => {
                    for slot in 0..self.slots {
                        let is_locked = state.processes.iter().any(|other| other.locks(slot));
                        if !is_locked || self.is(Wrong::WithoutLock) {
                            let mut after = state.clone();
                            let process = &mut after.processes[index];
                            (process.at, process.slot) = (At::ReadMark, Some(slot));
                            next.step(index, "locks a slot", after.canonical());
                        }
                    }
                }
                At::Leased => {
                    if process.uids > 0 {
                        for clock in 0..=CLOCK {
                            let after = self.take(state, index, clock);
                            next.step(index, "asks the clock", after);
                        }
                    }
                    next.step(index, "ends", self.drop_lease(state, index));
                }
                _ => {}
            }
            if let Some((does, after)) = self.step(state, index) {
                next.step(index, does, after);
            }
            if state.left.kills > 0 && !matches!(process.at, At::Start | At::Killed) {
                next.mishap(index, "is killed", state.killed(index));
            }
        }
        for (does, after) in state.after_deletions() {
            next.mishap(PROCESSES, does, after);
        }
        if state.left.power_cuts > 0 {
            for after in state.after_power_cut() {
                next.mishap(PROCESSES, "(the power) fails", after);
            }
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        state.broken
    }

    fn is_done(&self, state: &State) -> bool {
        let is_over = |process: &Process| {
            process.at == At::Killed || (process.at == At::Start && process.lives == 0)
        };
        state.processes.iter().all(is_over)
    }
}
