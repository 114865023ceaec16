//! Commits of several items by a journal: `infra-fs/src/journal.rs`, ADR 0027.
//!
//! One plan makes an item and changes another, which somebody else notes on at the same time. Whoever
//! is killed tries again. A power cut keeps of each file what is visible, or what was made durable,
//! each for itself.

use super::checker::{Model, Next};

const PROCESSES: usize = 2;
const PLANNER: usize = 0;

/// The item that is there before: its version is one more than its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Item {
    planned: bool,
    notes: u8,
}

/// What a file is to those who look, and after a power cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Stored<T> {
    visible: T,
    durable: T,
}

impl<T: Copy> Stored<T> {
    fn sync(&mut self) {
        self.durable = self.visible;
    }

    fn cut(&mut self, keeps_visible: bool) {
        let kept = if keeps_visible { self.visible } else { self.durable };
        *self = Self { visible: kept, durable: kept };
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
struct Process {
    at: At,
    /// The item as it was read.
    before: Item,
    is_done: bool,
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
enum At {
    #[default]
    Idle,
    /// With a journal: completing it, under its lock,
    SyncJournal,
    LockChanged,
    MakeNew,
    Change,
    SyncItems,
    Unlink,
    SyncUnlinked,
    /// The planner: taking the item's lock, reading it, and creating the journal.
    Lock,
    Read,
    Create,
    /// The writer: taking the lock, looking for a journal, reading, replacing, syncing.
    WriterLock,
    WriterLook,
    WriterRead,
    WriterReplace,
    WriterSync,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    /// The item that the plan changes, as it was when the journal was made.
    journal: Stored<Option<Item>>,
    item: Stored<Item>,
    new: Stored<bool>,
    /// Who holds the lock `journal`, and who the item's.
    locks: [Option<usize>; 2],
    processes: [Process; PROCESSES],
    /// What was acknowledged.
    notes: u8,
    is_planned: bool,
    kills: u8,
    power_cuts: u8,
}

const JOURNAL: usize = 0;
const ITEM: usize = 1;

/// A protocol that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Items are written before the journal is durable.
    JournalNotDurable,
    /// Who completes a journal takes it for durable.
    FoundJournalNotDurable,
    /// What the plan builds on may be gone after a power cut, since its writer was killed before it
    /// was durable.
    ReadNotDurable,
    /// The journal goes before the items are durable.
    ItemsNotDurable,
    /// A writer does not look for a journal.
    NoLook,
    /// A writer looks before it has the lock.
    LookBeforeLock,
    /// What is completed replaces whatever is there.
    VersionNotCompared,
    /// There is no journal: the items are written one after the other.
    NoJournal,
}

impl Wrong {
    pub(super) const ALL: [Self; 8] = [
        Self::JournalNotDurable,
        Self::FoundJournalNotDurable,
        Self::ReadNotDurable,
        Self::ItemsNotDurable,
        Self::NoLook,
        Self::LookBeforeLock,
        Self::VersionNotCompared,
        Self::NoJournal,
    ];
}

pub(super) struct Journal {
    pub(super) notes: u8,
    pub(super) kills: u8,
    pub(super) power_cuts: u8,
    pub(super) wrong: Option<Wrong>,
}

impl Journal {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// What `me` does next; `None` while it waits.
    fn step(&self, me: usize, state: &State) -> Option<(&'static str, State)> {
        let mut to = state.clone();
        let Process { at, before, is_done } = state.processes[me];
        if is_done {
            return None;
        }
        let is_planner = me == PLANNER;
        let take = |to: &mut State, lock: usize| {
            let is_free = to.locks[lock].is_none_or(|holder| holder == me);
            to.locks[lock] = Some(me);
            is_free
        };
        let (does, next) = match at {
            At::Idle if is_planner && state.journal.visible.is_none() && state.new.visible => {
                // Its request has been made: the answer is made durable first.
                to.item.sync();
                to.new.sync();
                to.is_planned = true;
                to.processes[me].is_done = true;
                ("answers", At::Idle)
            }
            At::Idle if is_planner || state.journal.visible.is_some() => {
                if !take(&mut to, JOURNAL) {
                    return None;
                }
                let next = if state.journal.visible.is_some() { At::SyncJournal } else { At::Lock };
                match (next, is_planner) {
                    (At::Lock, true) if state.new.visible => {
                        to.locks[JOURNAL] = None;
                        ("finds it done", At::Idle)
                    }
                    (next, true) => ("locks the journal", next),
                    (next, false) => ("locks the journal to complete it", next),
                }
            }
            At::Idle if self.is(Wrong::LookBeforeLock) => ("looks, without a lock", At::WriterLock),
            At::Idle => ("begins", At::WriterLock),
            At::SyncJournal => {
                if !self.is(Wrong::FoundJournalNotDurable) {
                    to.journal.sync();
                }
                ("makes the journal durable", At::LockChanged)
            }
            At::LockChanged => {
                if !take(&mut to, ITEM) {
                    return None;
                }
                ("locks the item to complete it", At::MakeNew)
            }
            At::MakeNew => {
                to.new.visible = true;
                ("makes the new item", At::Change)
            }
            At::Change => {
                let from = state.journal.visible.unwrap_or(before);
                if state.item.visible == from || self.is(Wrong::VersionNotCompared) {
                    to.item.visible = Item { planned: true, ..from };
                }
                ("changes the other", At::SyncItems)
            }
            At::SyncItems => {
                if !self.is(Wrong::ItemsNotDurable) {
                    to.item.sync();
                    to.new.sync();
                }
                ("makes the items durable", At::Unlink)
            }
            At::Unlink => {
                to.journal.visible = None;
                ("removes the journal", At::SyncUnlinked)
            }
            At::SyncUnlinked => {
                to.journal.sync();
                to.locks = to.locks.map(|holder| holder.filter(|holder| *holder != me));
                ("makes that durable", At::Idle)
            }
            At::Lock => {
                if !is_planner {
                    to.locks[JOURNAL] = None;
                    ("finds it completed", At::Idle)
                } else if take(&mut to, ITEM) {
                    ("locks the item", At::Read)
                } else {
                    return None;
                }
            }
            At::Read => {
                if !self.is(Wrong::ReadNotDurable) {
                    to.item.sync();
                }
                to.processes[me].before = state.item.visible;
                ("reads the item", if self.is(Wrong::NoJournal) { At::MakeNew } else { At::Create })
            }
            At::Create => {
                to.journal.visible = Some(before);
                let next =
                    if self.is(Wrong::JournalNotDurable) { At::MakeNew } else { At::SyncJournal };
                ("creates the journal", next)
            }
            At::WriterLock => {
                if !take(&mut to, ITEM) {
                    return None;
                }
                let looks = !self.is(Wrong::NoLook) && !self.is(Wrong::LookBeforeLock);
                ("locks the item", if looks { At::WriterLook } else { At::WriterRead })
            }
            At::WriterLook if state.journal.visible.is_some() => {
                to.locks[ITEM] = None;
                ("finds a journal", At::Idle)
            }
            At::WriterLook => ("finds no journal", At::WriterRead),
            At::WriterRead => {
                to.processes[me].before = state.item.visible;
                ("reads", At::WriterReplace)
            }
            At::WriterReplace => {
                to.item.visible = Item { notes: before.notes + 1, ..before };
                ("replaces", At::WriterSync)
            }
            At::WriterSync => {
                to.item.sync();
                to.locks[ITEM] = None;
                to.notes += 1;
                to.processes[me].is_done = to.notes == self.notes;
                ("answers", At::Idle)
            }
        };
        to.processes[me].at = next;
        Some((does, to))
    }

    fn kill(state: &State, me: usize) -> State {
        let mut to = state.clone();
        to.processes[me] = Process { is_done: state.processes[me].is_done, ..Process::default() };
        to.locks = to.locks.map(|holder| holder.filter(|holder| *holder != me));
        to
    }
}

impl Model for Journal {
    type State = State;

    fn start(&self) -> State {
        State {
            journal: Stored::default(),
            item: Stored::default(),
            new: Stored::default(),
            locks: [None; 2],
            processes: [Process::default(); PROCESSES],
            notes: 0,
            is_planned: false,
            kills: 0,
            power_cuts: 0,
        }
    }

    fn steps(&self, state: &State, next: &mut Next<State>) {
        for me in 0..PROCESSES {
            if let Some((does, to)) = self.step(me, state) {
                next.step(me, does, to);
            }
            if state.kills < self.kills && state.processes[me].at != At::Idle {
                let mut to = Self::kill(state, me);
                to.kills += 1;
                next.mishap(me, "is killed", to);
            }
        }
        if state.power_cuts < self.power_cuts {
            for kept in 0..8_u8 {
                let mut to = Self::kill(&Self::kill(state, 0), 1);
                to.journal.cut(kept & 1 != 0);
                to.item.cut(kept & 2 != 0);
                to.new.cut(kept & 4 != 0);
                to.power_cuts += 1;
                next.mishap(0, "power is cut", to);
            }
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        let is_being_written = self.is(Wrong::NoJournal) && state.locks[JOURNAL].is_some();
        let is_half = state.new.visible != state.item.visible.planned;
        if state.journal.visible.is_none() && is_half && !is_being_written {
            return Some("a half of the plan is there");
        }
        if state.item.visible.notes < state.notes || state.item.durable.notes < state.notes {
            return Some("an acknowledged note is lost");
        }
        let is_durable = state.new.durable && state.item.durable.planned;
        (state.is_planned && !is_durable).then_some("an acknowledged plan is lost")
    }

    fn is_done(&self, state: &State) -> bool {
        state.processes.iter().all(|process| process.is_done)
    }
}
