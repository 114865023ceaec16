//! The numbers: blocks that are reserved durably, a cursor that is not, and the loss of both: the
//! steps of `infra-fs/src/ids/sequences.rs`, of an insertion and of a deletion.
//!
//! Each process takes turns; in each it creates an item (`Sequences::take`, then the insertion, and
//! `Sequences::catch_up` where the number turns out to be taken) or deletes one. A step is one system
//! call. Processes are killed; power cuts take back any part of what was not synced, each name by
//! itself; `sequences.json` is removed, or damaged, which comes to the same.
//!
//! Abstracted away: the number of numbers in a block (here one beyond what is asked for); the
//! insertion's look at the tombstone and its naming, which are one step here and have a model of
//! their own; the lock, of which the same holds; a temporary file, whose data are durable before it
//! is renamed; items that came from other clones. A cursor is on disk as it was at the last sync or
//! as it is, not as it was in between.

use super::checker::{Model, Next};

pub(super) const PROCESSES: usize = 4;
/// How many numbers are reserved beyond the one that is given out.
const BLOCK: u8 = 1;

/// Numbers below sixteen.
type Set = u16;

/// `sequences.json`, for one prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Table {
    reserved: u8,
    next: u8,
    /// `None` for one that is never believed.
    boot: Option<u8>,
}

/// What the lock `sequences` is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Goal {
    Take,
    CatchUp,
}

/// What a process is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    /// Begin a turn.
    Start,
    Lock(Goal),
    Load(Goal),
    /// `greatest`: list the items,
    ListItems {
        goal: Goal,
        read: Option<Table>,
    },
    /// list the tombstones.
    ListTombstones {
        goal: Goal,
        read: Option<Table>,
        greatest: u8,
    },
    /// Write the cursor over itself, in the file that was loaded.
    WriteCursor {
        table: Table,
        number: u8,
        is_at_path: bool,
    },
    /// `publish::replace`: rename,
    Rename {
        table: Table,
        number: Option<u8>,
    },
    /// sync the folder.
    SyncTable {
        table: Table,
        number: Option<u8>,
    },
    Unlock {
        number: Option<u8>,
    },
    /// Look for a tombstone and name the item, under the lock `naming`.
    Name(u8),
    SyncItems(u8),
    /// Create the tombstone,
    Entomb(u8),
    SyncTombstones(u8),
    /// unlink the item,
    Unlink(u8),
    SyncUnlinked,
    Killed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Process {
    at: At,
    locked: bool,
    turns: u8,
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
    table: Stored<Option<Table>>,
    items: Stored<Set>,
    tombstones: Stored<Set>,
    /// What `take` has returned.
    given: Set,
    /// What a command has said to be created.
    acknowledged: Set,
    /// The table was lost. From then on `take` may repeat a number, and it is for the insertion to
    /// refuse it.
    is_forgotten: bool,
    broken: Option<&'static str>,
    left: Mishaps,
    processes: [Process; PROCESSES],
}

/// How often what can go wrong does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mishaps {
    pub(super) kills: u8,
    pub(super) power_cuts: u8,
    pub(super) losses: u8,
}

/// A protocol that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// The first number of a block is used before the block is reserved.
    BlockAfterUse,
    /// A number is used before the cursor moves.
    CursorAfterUse,
    /// A block is reserved without a sync.
    BlockNotSynced,
    /// A block is given out as soon as it can be seen, durable or not.
    BlockTrusted,
    /// The cursor is believed whichever boot wrote it.
    CursorOfAnotherBoot,
    /// Neither is moved under a lock.
    WithoutLock,
    /// An insertion replaces what is there.
    NamingReplaces,
    /// An insertion does not look for a tombstone.
    TombstoneIgnored,
    /// A deletion leaves no tombstone.
    NoTombstone,
}

impl Wrong {
    pub(super) const ALL: [Self; 9] = [
        Self::BlockAfterUse,
        Self::CursorAfterUse,
        Self::BlockNotSynced,
        Self::BlockTrusted,
        Self::CursorOfAnotherBoot,
        Self::WithoutLock,
        Self::NamingReplaces,
        Self::TombstoneIgnored,
        Self::NoTombstone,
    ];
}

pub(super) struct Sequences {
    pub(super) turns: u8,
    pub(super) mishaps: Mishaps,
    pub(super) wrong: Option<Wrong>,
}

impl Sequences {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// The step that the code makes where `index` is.
    fn step(&self, state: &State, index: usize) -> Option<(&'static str, State)> {
        let mut after = state.clone();
        let is_locked = state.processes.iter().any(|process| process.locked);
        let process = &mut after.processes[index];
        let does = match process.at {
            At::Start | At::Killed => return None,
            At::Lock(_) if is_locked && !self.is(Wrong::WithoutLock) => return None,
            At::Lock(goal) => {
                process.locked = true;
                process.at = At::Load(goal);
                "locks the sequences"
            }
            At::Load(goal) => {
                match (state.table.seen, goal) {
                    (Some(table), Goal::Take) => self.choose(&mut after, index, table),
                    (None, Goal::CatchUp) => process.at = At::Unlock { number: None },
                    (read, _) => process.at = At::ListItems { goal, read },
                }
                "loads the table"
            }
            At::ListItems { goal, read } => {
                let greatest = greatest(state.items.seen);
                process.at = At::ListTombstones { goal, read, greatest };
                "lists the items"
            }
            At::ListTombstones { goal, read, greatest: among_items } => {
                let greatest = greatest(state.tombstones.seen).max(among_items);
                let rebuilt = Table { reserved: greatest, next: greatest + 1, boot: None };
                match (goal, read) {
                    (Goal::Take, _) => self.choose(&mut after, index, rebuilt),
                    (Goal::CatchUp, Some(table)) if table.reserved <= greatest => {
                        process.at = At::Rename { table: rebuilt, number: None };
                    }
                    (Goal::CatchUp, Some(table)) if table.next <= greatest => {
                        let table = Table { next: greatest + 1, ..table };
                        process.at = At::Rename { table, number: None };
                    }
                    (Goal::CatchUp, _) => process.at = At::Unlock { number: None },
                }
                "lists the tombstones"
            }
            At::WriteCursor { table, number, is_at_path } => {
                process.at = At::Unlock { number: Some(number) };
                if is_at_path {
                    after.table.seen = Some(table);
                }
                "moves the cursor"
            }
            At::Rename { table, number } => {
                process.at = if self.is(Wrong::BlockNotSynced) {
                    published(table, number)
                } else {
                    At::SyncTable { table, number }
                };
                let is_block = number.is_some() && !self.is(Wrong::BlockTrusted);
                let next = if is_block { table.reserved + 1 } else { table.next };
                after.table.seen = Some(Table { next, ..table });
                "renames the table"
            }
            At::SyncTable { table, number } => {
                process.at = published(table, number);
                after.table.synced = after.table.seen;
                "syncs the table"
            }
            At::Unlock { number } => {
                process.locked = false;
                process.at = number.map_or(At::Lock(Goal::Take), At::Name);
                if let Some(number) = number.filter(|number| !self.has_given(state, *number)) {
                    after.give(number);
                }
                "unlocks the sequences"
            }
            At::Name(number) => {
                let is_taken = has(state.items.seen, number) && !self.is(Wrong::NamingReplaces);
                let was_taken =
                    has(state.tombstones.seen, number) && !self.is(Wrong::TombstoneIgnored);
                if is_taken || was_taken {
                    process.at = At::Lock(Goal::CatchUp);
                    "is refused the number"
                } else {
                    process.at = At::SyncItems(number);
                    after.items.seen |= only(number);
                    "names the item"
                }
            }
            At::SyncItems(number) => {
                process.at = At::Start;
                after.items.synced = after.items.seen;
                after.acknowledge(number);
                "syncs the items and says so"
            }
            At::Entomb(number) if self.is(Wrong::NoTombstone) => {
                process.at = At::Unlink(number);
                "leaves no tombstone"
            }
            At::Entomb(number) => {
                process.at = At::SyncTombstones(number);
                after.tombstones.seen |= only(number);
                "creates the tombstone"
            }
            At::SyncTombstones(number) => {
                process.at = At::Unlink(number);
                after.tombstones.synced = after.tombstones.seen;
                "syncs the tombstones"
            }
            At::Unlink(number) => {
                process.at = At::SyncUnlinked;
                after.items.seen &= !only(number);
                "unlinks the item"
            }
            At::SyncUnlinked => {
                process.at = At::Start;
                after.items.synced = after.items.seen;
                "syncs the items"
            }
        };
        Some((does, after.canonical()))
    }

    /// `take`, once it knows the table: which number, and what has to be written first.
    fn choose(&self, state: &mut State, index: usize, table: Table) {
        let boot = state.boot;
        let any_boot = self.is(Wrong::CursorOfAnotherBoot) && table.boot.is_some();
        let same_boot = table.boot == Some(boot) || any_boot;
        let number = if same_boot { table.next } else { table.reserved + 1 };
        let within_block = same_boot && number <= table.reserved;
        let reserved =
            if within_block { table.reserved } else { table.reserved.max(number + BLOCK) };
        let table = Table { reserved, next: number + 1, boot: Some(boot) };
        state.processes[index].at = if within_block {
            At::WriteCursor { table, number, is_at_path: true }
        } else {
            At::Rename { table, number: Some(number) }
        };
        let early = if within_block { Wrong::CursorAfterUse } else { Wrong::BlockAfterUse };
        if self.is(early) {
            state.give(number);
        }
    }

    /// Whether a form that uses numbers early has used this one.
    fn has_given(&self, state: &State, number: u8) -> bool {
        let is_early = self.is(Wrong::BlockAfterUse) || self.is(Wrong::CursorAfterUse);
        is_early && has(state.given, number)
    }
}

/// What comes after the table was published: of a block, the cursor is moved back to its beginning.
fn published(table: Table, number: Option<u8>) -> At {
    match number {
        Some(number) => At::WriteCursor { table, number, is_at_path: true },
        None => At::Unlock { number },
    }
}

fn only(number: u8) -> Set {
    1_u16.checked_shl(number.into()).unwrap_or(0)
}

fn has(set: Set, number: u8) -> bool {
    set & only(number) != 0
}

/// 0 where there is none.
fn greatest(set: Set) -> u8 {
    set.checked_ilog2().unwrap_or(0) as u8
}

/// What may be left of a set of names: those that differ are there or not, each by itself.
fn left(names: Stored<Set>) -> Vec<Set> {
    let kept = names.seen & names.synced;
    let unsure = names.seen ^ names.synced;
    let mut left = vec![kept | unsure];
    let mut some = unsure;
    while some != 0 {
        some = (some - 1) & unsure;
        left.push(kept | some);
    }
    left
}

impl State {
    fn give(&mut self, number: u8) {
        if only(number) == 0 {
            self.broken = Some("the model has too few numbers");
        } else if has(self.given, number) && !self.is_forgotten {
            self.broken = Some("a number is given out twice");
        }
        self.given |= only(number);
    }

    fn acknowledge(&mut self, number: u8) {
        if has(self.acknowledged, number) {
            self.broken = Some("a number is acknowledged twice");
        }
        self.acknowledged |= only(number);
    }

    /// What is acknowledged, not deleted, and not being deleted.
    fn deletable(&self) -> impl Iterator<Item = u8> {
        let busy = self.processes.iter().fold(0, |busy, process| match process.at {
            At::Entomb(number) | At::SyncTombstones(number) | At::Unlink(number) => {
                busy | only(number)
            }
            _ => busy,
        });
        let set = self.items.seen & self.acknowledged & !self.tombstones.seen & !busy;
        (0..Set::BITS as u8).filter(move |number| has(set, *number))
    }

    fn begin(&self, index: usize, at: At) -> Self {
        let mut after = self.clone();
        let process = &mut after.processes[index];
        (process.at, process.turns) = (at, process.turns - 1);
        after.canonical()
    }

    fn killed(&self, index: usize) -> Self {
        let mut after = self.clone();
        after.left.kills -= 1;
        after.processes[index] = Process { at: At::Killed, locked: false, turns: 0 };
        after.canonical()
    }

    fn without_table(&self) -> Self {
        let mut after = self.clone();
        after.left.losses -= 1;
        after.is_forgotten = true;
        after.table.seen = None;
        for process in &mut after.processes {
            if let At::WriteCursor { is_at_path, .. } = &mut process.at {
                *is_at_path = false;
            }
        }
        after.canonical()
    }

    /// Every state that a power cut may leave. All processes are gone; those that have turns left
    /// begin anew in another boot.
    fn after_power_cut(&self) -> Vec<Self> {
        let mut down = self.clone();
        down.left.power_cuts -= 1;
        down.boot += 1;
        for process in &mut down.processes {
            (process.at, process.locked) =
                (if process.at == At::Killed { At::Killed } else { At::Start }, false);
        }
        let mut after = Vec::new();
        for table in [self.table.seen, self.table.synced] {
            for items in left(self.items) {
                for tombstones in left(self.tombstones) {
                    let mut state = down.clone();
                    state.table = Stored { seen: table, synced: table };
                    state.items = Stored { seen: items, synced: items };
                    state.tombstones = Stored { seen: tombstones, synced: tombstones };
                    after.push(state.canonical());
                }
            }
        }
        after
    }

    /// Processes are alike: of all states that differ in their order, one stands for the others.
    fn canonical(mut self) -> Self {
        self.processes.sort();
        self
    }
}

impl Model for Sequences {
    type State = State;

    fn start(&self) -> State {
        let process = Process { at: At::Start, locked: false, turns: self.turns };
        State {
            boot: 0,
            table: Stored { seen: None, synced: None },
            items: Stored { seen: 0, synced: 0 },
            tombstones: Stored { seen: 0, synced: 0 },
            given: 0,
            acknowledged: 0,
            is_forgotten: false,
            broken: None,
            left: self.mishaps,
            processes: [process; PROCESSES],
        }
    }

    fn steps(&self, state: &State, next: &mut Next<State>) {
        for (index, process) in state.processes.iter().enumerate() {
            if process.at == At::Start && process.turns > 0 {
                next.step(index, "begins to create", state.begin(index, At::Lock(Goal::Take)));
                for number in state.deletable() {
                    next.step(index, "begins to delete", state.begin(index, At::Entomb(number)));
                }
            }
            if let Some((does, after)) = self.step(state, index) {
                next.step(index, does, after);
            }
            if state.left.kills > 0 && !matches!(process.at, At::Start | At::Killed) {
                next.mishap(index, "is killed", state.killed(index));
            }
        }
        if state.left.losses > 0 && state.table.seen.is_some() {
            next.mishap(PROCESSES, "(someone) removes the table", state.without_table());
        }
        if state.left.power_cuts > 0 {
            for after in state.after_power_cut() {
                next.mishap(PROCESSES, "(the power) fails", after);
            }
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        let kept = state.items.seen | state.tombstones.seen;
        // Without tombstones what is deleted and what is lost are the same.
        let is_lost = state.acknowledged & !kept != 0 && !self.is(Wrong::NoTombstone);
        state.broken.or(is_lost.then_some("an acknowledged item is lost"))
    }

    fn is_done(&self, state: &State) -> bool {
        let is_over = |process: &Process| {
            process.at == At::Killed || (process.at == At::Start && process.turns == 0)
        };
        state.processes.iter().all(is_over)
    }
}
