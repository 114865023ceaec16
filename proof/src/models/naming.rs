//! One number, and all who would give it to an item or take it away: the steps of
//! `infra-fs/src/naming.rs` and of what calls it in `repository.rs`.
//!
//! Each process takes turns; in each it inserts an item of its own (`naming::give`), deletes the one
//! that is there (`FsRepository::delete`) or updates it. Both of these finish a deletion that was
//! interrupted (`read_for_write`), as the doctor does. A step is one system call. Processes are
//! killed, an unlink fails, power cuts take back what was not synced; or git has brought an item
//! beside the tombstone of another.
//!
//! Abstracted away: what is in an item beside its uid; the staging of a file, whose data are durable
//! before it is renamed; other numbers, batches, and folders, which are there; writers that take no
//! lock; a sync that fails.

use super::checker::{Model, Next};

pub(super) const PROCESSES: usize = 4;

/// An item: who made it, and in which of its turns.
type Uid = (u8, u8);

/// The item, and the tombstone, that git brought.
const MERGED: (Uid, Uid) = ((u8::MAX, 0), (u8::MAX, 1));

/// What a process is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum At {
    /// Begin a turn.
    Start,
    /// `give`: take the lock `naming`,
    LockToName,
    /// look for a tombstone,
    LookForTombstone,
    /// rename without replacing,
    Name,
    UnlockNamed(bool),
    /// sync the folder, and say so.
    SyncNamed,
    /// `update` and `delete`: take the item's lock,
    LockItem(Change),
    /// read the item,
    Read(Change),
    /// read its tombstone.
    ReadTombstone(Change, Uid),
    /// Rename the changed item over the old one,
    Replace(Uid),
    SyncReplaced(Uid),
    /// `delete`: read the tombstone that will be replaced,
    ReadOlder(Uid),
    /// rename the new one into place,
    Entomb(Uid, Option<Uid>),
    SyncTombstone(Uid, Option<Uid>),
    /// An interrupted deletion: sync its tombstone.
    SyncFound(Uid),
    /// `take_away`: take the lock `naming`,
    LockToUnlink(Deletion),
    Unlink(Deletion),
    UnlockUnlinked(Deletion),
    /// sync the folder, and say so.
    SyncUnlinked(Deletion),
    /// `take_back_tombstone`
    UnlockFailed(Option<Uid>),
    TakeBack(Option<Uid>),
    SyncTakenBack,
    UnlockItem,
    Killed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Change {
    Update,
    Delete,
}

/// A deletion whose tombstone is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Deletion {
    uid: Uid,
    /// What to put back when it fails; `None` for one that was interrupted, which nobody takes back.
    older: Option<Option<Uid>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Process {
    at: At,
    has_naming: bool,
    has_item: bool,
    turns: u8,
}

/// What is seen, and what a power cut would leave of it for certain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Stored {
    seen: Option<Uid>,
    synced: Option<Uid>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    item: Stored,
    tombstone: Stored,
    /// What a command has said to be created.
    created: Option<Uid>,
    /// What a command has said to be deleted.
    deleted: Option<Uid>,
    broken: Option<&'static str>,
    left: Mishaps,
    processes: [Process; PROCESSES],
}

/// How often what can go wrong does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Mishaps {
    pub(super) kills: u8,
    pub(super) power_cuts: u8,
    pub(super) failures: u8,
}

/// A protocol that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// An insertion looks and names without a lock.
    NamingWithoutLock,
    /// A deletion unlinks without a lock.
    UnlinkWithoutLock,
    /// An insertion replaces what is there.
    NamingReplaces,
    /// An insertion says that it is done before it is durable.
    NamingNotSynced,
    /// A deletion unlinks before its tombstone is durable.
    TombstoneNotSynced,
    /// Who finishes an interrupted deletion takes its tombstone for durable.
    FoundNotSynced,
    /// A deletion that fails leaves its tombstone.
    TombstoneStays,
    /// Updates and deletions do not exclude each other.
    WithoutItemLock,
}

impl Wrong {
    pub(super) const ALL: [Self; 8] = [
        Self::NamingWithoutLock,
        Self::UnlinkWithoutLock,
        Self::NamingReplaces,
        Self::NamingNotSynced,
        Self::TombstoneNotSynced,
        Self::FoundNotSynced,
        Self::TombstoneStays,
        Self::WithoutItemLock,
    ];
}

pub(super) struct Naming {
    pub(super) turns: u8,
    pub(super) mishaps: Mishaps,
    pub(super) wrong: Option<Wrong>,
}

impl Naming {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// The step that the code makes where `index` is.
    fn step(&self, state: &State, index: usize) -> Option<(&'static str, State)> {
        let mut after = state.clone();
        let ours = (index as u8, state.processes[index].turns);
        let naming_is_free = !state.processes.iter().any(|process| process.has_naming);
        let item_is_free = !state.processes.iter().any(|process| process.has_item);
        let State { item, tombstone, processes, .. } = &mut after;
        let process = &mut processes[index];
        let does = match process.at {
            At::Start | At::Killed => return None,
            At::LockToName if self.is(Wrong::NamingWithoutLock) => {
                process.at = At::LookForTombstone;
                "takes no lock"
            }
            At::LockToName if !naming_is_free => return None,
            At::LockToUnlink(_) if !naming_is_free && !self.is(Wrong::UnlinkWithoutLock) => {
                return None;
            }
            At::LockToName => {
                process.has_naming = true;
                process.at = At::LookForTombstone;
                "locks the naming"
            }
            At::LookForTombstone => {
                let is_deleted = tombstone.seen.is_some();
                process.at = if is_deleted { At::UnlockNamed(false) } else { At::Name };
                "looks for a tombstone"
            }
            At::Name => {
                let is_free = item.seen.is_none() || self.is(Wrong::NamingReplaces);
                if is_free {
                    item.seen = Some(ours);
                    let is_deleted = tombstone.seen.is_some();
                    let what = "a deleted number is given to another item";
                    after.broken = is_deleted.then_some(what);
                }
                after.processes[index].at = At::UnlockNamed(is_free);
                "names its item"
            }
            At::UnlockNamed(named) => {
                process.has_naming = false;
                process.at = if named { At::SyncNamed } else { At::Start };
                "unlocks the naming"
            }
            At::SyncNamed => {
                process.at = At::Start;
                if !self.is(Wrong::NamingNotSynced) {
                    item.synced = item.seen;
                }
                if after.created.replace(ours).is_some() {
                    after.broken = Some("a number is given to two items");
                }
                "syncs the items and says so"
            }
            At::LockItem(_) if !item_is_free && !self.is(Wrong::WithoutItemLock) => return None,
            At::LockItem(change) => {
                process.has_item = true;
                process.at = At::Read(change);
                "locks the item"
            }
            At::Read(change) => {
                let found = |uid| At::ReadTombstone(change, uid);
                process.at = item.seen.map_or(At::UnlockItem, found);
                "reads the item"
            }
            At::ReadTombstone(change, uid) => {
                process.at = match change {
                    _ if tombstone.seen == Some(uid) => At::SyncFound(uid),
                    Change::Update => At::Replace(uid),
                    Change::Delete => At::ReadOlder(uid),
                };
                "reads the tombstone"
            }
            At::Replace(uid) => {
                item.seen = Some(uid);
                process.at = At::SyncReplaced(uid);
                "replaces the item"
            }
            At::SyncReplaced(uid) => {
                item.synced = item.seen;
                process.at = At::UnlockItem;
                if state.deleted == Some(uid) {
                    after.broken = Some("a deleted item is updated");
                }
                "syncs the items"
            }
            At::ReadOlder(uid) => {
                process.at = At::Entomb(uid, tombstone.seen);
                "reads the older tombstone"
            }
            At::Entomb(uid, older) => {
                tombstone.seen = Some(uid);
                process.at = At::SyncTombstone(uid, older);
                "creates the tombstone"
            }
            At::SyncTombstone(uid, older) => {
                if !self.is(Wrong::TombstoneNotSynced) {
                    tombstone.synced = tombstone.seen;
                }
                process.at = At::LockToUnlink(Deletion { uid, older: Some(older) });
                "syncs the tombstones"
            }
            At::SyncFound(uid) => {
                if !self.is(Wrong::FoundNotSynced) {
                    tombstone.synced = tombstone.seen;
                }
                process.at = At::LockToUnlink(Deletion { uid, older: None });
                "syncs the tombstone of another"
            }
            At::LockToUnlink(deletion) => {
                process.has_naming = !self.is(Wrong::UnlinkWithoutLock);
                process.at = At::Unlink(deletion);
                "locks the naming"
            }
            At::Unlink(deletion) => {
                item.seen = None;
                process.at = At::UnlockUnlinked(deletion);
                "unlinks the item"
            }
            At::UnlockUnlinked(deletion) => {
                process.has_naming = false;
                process.at = At::SyncUnlinked(deletion);
                "unlocks the naming"
            }
            At::SyncUnlinked(deletion) => {
                item.synced = item.seen;
                process.at = At::UnlockItem;
                after.deleted = Some(deletion.uid);
                "syncs the items and says so"
            }
            At::UnlockFailed(older) => {
                process.has_naming = false;
                let stays = self.is(Wrong::TombstoneStays);
                process.at = if stays { At::UnlockItem } else { At::TakeBack(older) };
                "unlocks the naming"
            }
            At::TakeBack(older) => {
                tombstone.seen = older;
                process.at = At::SyncTakenBack;
                "takes its tombstone back"
            }
            At::SyncTakenBack => {
                tombstone.synced = tombstone.seen;
                process.at = At::UnlockItem;
                "syncs the tombstones"
            }
            At::UnlockItem => {
                process.has_item = false;
                process.at = At::Start;
                "unlocks the item"
            }
        };
        Some((does, after))
    }
}

impl Process {
    fn stop(&mut self) {
        (self.has_naming, self.has_item) = (false, false);
        if self.at != At::Killed {
            self.at = At::Start;
        }
    }
}

impl Stored {
    fn both(uid: Uid) -> Self {
        Self { seen: Some(uid), synced: Some(uid) }
    }

    /// What a power cut may leave.
    fn left(self) -> impl Iterator<Item = Self> {
        let other = (self.synced != self.seen).then_some(self.synced);
        [Some(self.seen), other].into_iter().flatten().map(|left| Self { seen: left, synced: left })
    }
}

impl State {
    fn begin(&self, index: usize, at: At) -> Self {
        let mut after = self.clone();
        let process = &mut after.processes[index];
        (process.at, process.turns) = (at, process.turns - 1);
        after
    }

    fn after_merge(&self) -> Self {
        let mut after = self.clone();
        let (item, tombstone) = MERGED;
        after.item = Stored::both(item);
        after.tombstone = Stored::both(tombstone);
        after.created = Some(item);
        after
    }

    fn killed(&self, index: usize) -> Self {
        let mut after = self.clone();
        after.left.kills -= 1;
        after.processes[index].stop();
        after.processes[index].at = At::Killed;
        after.processes[index].turns = 0;
        after
    }

    /// Every state that a power cut may leave. All processes are gone; those that have turns left
    /// begin anew.
    fn after_power_cut(&self) -> impl Iterator<Item = Self> {
        let mut down = self.clone();
        down.left.power_cuts -= 1;
        down.processes.iter_mut().for_each(Process::stop);
        let (items, tombstone) = (self.item.left(), self.tombstone);
        items.flat_map(move |item| {
            let down = down.clone();
            tombstone.left().map(move |tombstone| Self { item, tombstone, ..down.clone() })
        })
    }
}

impl Model for Naming {
    type State = State;

    fn start(&self) -> State {
        let process =
            Process { at: At::Start, has_naming: false, has_item: false, turns: self.turns };
        State {
            item: Stored { seen: None, synced: None },
            tombstone: Stored { seen: None, synced: None },
            created: None,
            deleted: None,
            broken: None,
            left: self.mishaps,
            processes: [process; PROCESSES],
        }
    }

    fn steps(&self, state: &State, next: &mut Next<State>) {
        if *state == self.start() {
            next.mishap(
                PROCESSES,
                "(git) brings a tombstone and another item",
                state.after_merge(),
            );
        }
        for (index, process) in state.processes.iter().enumerate() {
            if process.at == At::Start && process.turns > 0 {
                next.step(index, "begins to insert", state.begin(index, At::LockToName));
                for change in [Change::Update, Change::Delete] {
                    next.step(index, "begins to change", state.begin(index, At::LockItem(change)));
                }
            }
            if let Some((does, after)) = self.step(state, index) {
                next.step(index, does, after);
            }
            if let At::Unlink(Deletion { older: Some(older), .. }) = process.at
                && state.left.failures > 0
            {
                let mut after = state.clone();
                after.left.failures -= 1;
                after.processes[index].at = At::UnlockFailed(older);
                next.mishap(index, "fails to unlink", after);
            }
            if state.left.kills > 0 && !matches!(process.at, At::Start | At::Killed) {
                next.mishap(index, "is killed", state.killed(index));
            }
        }
        if state.left.power_cuts > 0 {
            for after in state.after_power_cut() {
                next.mishap(PROCESSES, "(the power) fails", after);
            }
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        let State { item, tombstone, created, deleted, left, .. } = state;
        let is_lost = created.is_some_and(|_| item.seen != *created && tombstone.seen != *created);
        let comes_back = deleted.is_some_and(|_| tombstone.seen != *deleted);
        let is_idle = !state.processes.iter().any(|process| process.has_item);
        let is_whole =
            (left.kills, left.power_cuts) == (self.mishaps.kills, self.mishaps.power_cuts);
        let is_hidden = tombstone.seen.is_some() && tombstone.seen == item.seen;
        state
            .broken
            .or(is_lost.then_some("an acknowledged item is lost"))
            .or(comes_back.then_some("a deleted item comes back"))
            .or((is_hidden && is_idle && is_whole)
                .then_some("an item is hidden that nobody deleted"))
    }

    fn is_done(&self, state: &State) -> bool {
        let is_over = |process: &Process| {
            process.at == At::Killed || (process.at == At::Start && process.turns == 0)
        };
        state.processes.iter().all(is_over)
    }
}
