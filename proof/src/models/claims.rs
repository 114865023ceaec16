//! One item and all who would claim it: the rules of `domain/src/claim.rs` and `undo.rs`, as
//! `WorkItem` asks them under the item's lock (`FsRepository::update`).
//!
//! Each process takes turns; in each it claims the item, writes to it, releases it, hands it over or
//! takes its own last write back: showing the fence that it was told, however long ago, or none, or
//! insisting. The lease of a claim runs out at any moment, also while somebody who has looked at it
//! has not yet written, and its holder renews it by writing. Processes are killed: whoever is killed
//! before it answers has claimed the item and knows no fence.
//!
//! Abstracted away: sessions, which show a holder as a fence does, until it claims again; what an item
//! says beside its claim; the status machine; durability, of which the other models speak; clocks that
//! differ, which make a lease run out sooner or later.

use super::checker::{Model, Next};

pub(super) const PROCESSES: usize = 3;

/// Which claim it is: who made it, and in which of its turns. Told apart from the fence, which the
/// protocol gives it.
type Serial = (u8, u8);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Claim {
    serial: Serial,
    /// Who may claim it, where it was handed over and not yet claimed.
    handed_to: Option<u8>,
    fence: u8,
    has_lapsed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Item {
    version: u8,
    claim: Option<Claim>,
    /// Who made this version, and the claim before it.
    by: u8,
    before: Option<Claim>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Deed {
    Claim,
    Write,
    Release,
    HandOver(u8),
    Undo,
}

/// How a writer shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum As {
    /// By the fence that it was told last.
    Holder,
    Anyone,
    Insisting,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum At {
    /// Begin a turn.
    Start,
    /// Look whether the claim has lapsed: only a wrong protocol does, outside the lock.
    Look(Deed, As),
    /// `update`: take the item's lock, read the item and decide: under the lock nothing comes between,
    Read(Deed, As, Option<bool>),
    /// rename the changed item over the old one,
    Replace(As, Item),
    /// unlock, and answer; with the claim that was made.
    Answer(Option<(Serial, u8)>),
    Killed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Process {
    at: At,
    has_lock: bool,
    /// The claim that it was told to have made last, and its fence.
    knows: Option<(Serial, u8)>,
    turns: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    item: Item,
    /// The highest fence that was ever given.
    highest: u8,
    /// Claims that have ended, a bit for each.
    ended: u32,
    broken: Option<&'static str>,
    kills: u8,
    processes: [Process; PROCESSES],
}

/// A protocol that is known to be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Whoever shows a fence is taken for the holder.
    FenceNotCompared,
    /// A fence that fits no claim is taken for none.
    StaleFenceIgnored,
    /// Fences are counted anew when nobody holds the item.
    FenceReused,
    /// Whether a claim has lapsed is looked up before the lock is taken.
    LapseOutsideLock,
    /// Writers do not exclude each other.
    WithoutLock,
    /// A claim that is handed over keeps its fence.
    HandOverKeepsFence,
    /// What was handed over may be claimed by anyone.
    HandedOverToAnyone,
    /// Taking back a release takes back the claim too.
    UndoRevives,
}

impl Wrong {
    pub(super) const ALL: [Self; 8] = [
        Self::FenceNotCompared,
        Self::StaleFenceIgnored,
        Self::FenceReused,
        Self::LapseOutsideLock,
        Self::WithoutLock,
        Self::HandOverKeepsFence,
        Self::HandedOverToAnyone,
        Self::UndoRevives,
    ];
}

pub(super) struct Claims {
    pub(super) turns: u8,
    pub(super) kills: u8,
    pub(super) wrong: Option<Wrong>,
}

impl Claims {
    fn is(&self, wrong: Wrong) -> bool {
        self.wrong == Some(wrong)
    }

    /// `claim::standing`: whether `who` may do `deed`, and whether it does as the holder.
    fn standing(
        &self,
        item: &Item,
        who: u8,
        deed: Deed,
        fence: Option<u8>,
        by: As,
    ) -> Option<bool> {
        let claim = item.claim.as_ref();
        let is_mine = |claim: &Claim| {
            let handed =
                claim.handed_to.is_some_and(|to| to == who || self.is(Wrong::HandedOverToAnyone));
            deed == Deed::Claim && handed
        };
        let insists = by == As::Insisting;
        match (claim, fence) {
            (Some(claim), Some(fence)) if fence == claim.fence => Some(true),
            (Some(_), Some(_)) if self.is(Wrong::FenceNotCompared) => Some(true),
            (Some(claim), _) if insists && !claim.has_lapsed => Some(false),
            (_, Some(_)) if !insists && !self.is(Wrong::StaleFenceIgnored) => None,
            (Some(claim), _) if !claim.has_lapsed && !is_mine(claim) => None,
            _ => Some(false),
        }
    }

    /// `WorkItem::apply` and `WorkItem::undo`: the item's next version, if `process` may make it.
    fn decide(&self, item: &Item, who: u8, process: &Process, deed: Deed, by: As) -> Option<Item> {
        let fence = process.knows.filter(|_| by == As::Holder).map(|(_, fence)| fence);
        let is_holder = self.standing(item, who, deed, fence, by)?;
        let version = item.version + 1;
        let fence = match item.claim {
            _ if !self.is(Wrong::FenceReused) => version,
            Some(claim) => claim.fence + 1,
            None => 1,
        };
        let serial = (who, process.turns);
        let new = Claim { serial, handed_to: None, fence, has_lapsed: false };
        let mut claim = match (deed, item.claim) {
            (Deed::Claim, _) => Some(new),
            (Deed::Write, claim) => claim,
            (Deed::Release, Some(_)) => None,
            (Deed::HandOver(to), Some(old)) => {
                let keeps = self.is(Wrong::HandOverKeepsFence);
                let fence = if keeps { old.fence } else { fence };
                Some(Claim { handed_to: Some(to), fence, ..new })
            }
            (Deed::Undo, claim) if item.by == who => match (claim, item.before) {
                _ if self.is(Wrong::UndoRevives) => item.before,
                (Some(now), Some(before)) if now.fence == before.fence => Some(now),
                _ => None,
            },
            (Deed::Release | Deed::HandOver(_) | Deed::Undo, _) => return None,
        };
        if is_holder && claim.map(|claim| claim.serial) == item.claim.map(|claim| claim.serial) {
            claim.iter_mut().for_each(|claim| claim.has_lapsed = false);
        }
        Some(Item { version, claim, by: who, before: item.claim })
    }

    /// The step that the code makes where `index` is.
    fn step(&self, state: &State, index: usize) -> Option<(&'static str, State)> {
        let mut after = state.clone();
        let is_free = !state.processes.iter().any(|process| process.has_lock);
        let who = index as u8;
        let process = &mut after.processes[index];
        let does = match process.at {
            At::Start | At::Killed => return None,
            At::Look(deed, by) => {
                let lapsed = state.item.claim.is_none_or(|claim| claim.has_lapsed);
                process.at = At::Read(deed, by, Some(lapsed));
                "looks whether the claim has lapsed"
            }
            At::Read(..) if !is_free && !self.is(Wrong::WithoutLock) => return None,
            At::Read(deed, by, seen) => {
                let mut item = state.item;
                if let (Some(lapsed), Some(claim)) = (seen, &mut item.claim) {
                    claim.has_lapsed = lapsed;
                }
                process.at = match self.decide(&item, who, process, deed, by) {
                    Some(item) => At::Replace(by, item),
                    None => At::Answer(None),
                };
                process.has_lock = !self.is(Wrong::WithoutLock);
                "locks and reads the item and decides"
            }
            At::Replace(by, item) => {
                let own = item.claim.filter(|claim| claim.serial == (who, process.turns));
                let own = own.filter(|claim| claim.handed_to.is_none());
                process.at = At::Answer(own.map(|claim| (claim.serial, claim.fence)));
                after.replace(who, by, item);
                "replaces the item"
            }
            At::Answer(made) => {
                process.has_lock = false;
                process.knows = made.or(process.knows);
                process.turns -= 1;
                process.at = At::Start;
                "unlocks the item and answers"
            }
        };
        Some((does, after))
    }
}

impl State {
    /// Puts `item` in its place, and looks whether that may be.
    fn replace(&mut self, who: u8, by: As, item: Item) {
        let process = &self.processes[usize::from(who)];
        let known = process.knows.map(|(serial, _)| serial);
        let old = self.item.claim;
        let serial = |claim: Option<Claim>| claim.map(|claim| claim.serial);
        let is_handed = |claim: &Claim| claim.handed_to == Some(who);
        if by != As::Insisting
            && let Some(claim) = old.filter(|claim| !claim.has_lapsed && !is_handed(claim))
            && known != Some(claim.serial)
        {
            self.broken = Some("somebody writes past a claim that stands");
        }
        if by == As::Holder && known.is_some() && known != serial(old) {
            self.broken = Some("who holds the item no longer writes as its holder");
        }
        if let Some(claim) = item.claim
            && serial(old) != Some(claim.serial)
        {
            if self.ended & bit(claim.serial) != 0 {
                self.broken = Some("a claim that ended stands again");
            } else if claim.fence <= self.highest {
                self.broken = Some("a fence is given twice");
            }
            self.highest = self.highest.max(claim.fence);
        }
        if let Some(ended) = serial(old).filter(|old| Some(*old) != serial(item.claim)) {
            self.ended |= bit(ended);
        }
        self.item = item;
    }

    fn begin(&self, index: usize, at: At) -> Self {
        let mut after = self.clone();
        after.processes[index].at = at;
        after
    }

    fn killed(&self, index: usize) -> Self {
        let mut after = self.clone();
        after.kills -= 1;
        let process = &mut after.processes[index];
        *process = Process { at: At::Killed, has_lock: false, knows: None, turns: 0 };
        after
    }

    fn after_lapse(&self) -> Option<Self> {
        let mut after = self.clone();
        let claim = after.item.claim.as_mut().filter(|claim| !claim.has_lapsed)?;
        claim.has_lapsed = true;
        Some(after)
    }
}

/// What a process may do in a turn; `other` is who may be handed the item.
fn turns(other: u8) -> [(Deed, As); 9] {
    [
        (Deed::Claim, As::Anyone),
        (Deed::Claim, As::Insisting),
        (Deed::Write, As::Holder),
        (Deed::Write, As::Anyone),
        (Deed::Write, As::Insisting),
        (Deed::Release, As::Holder),
        (Deed::HandOver(other), As::Holder),
        (Deed::Undo, As::Holder),
        (Deed::Undo, As::Anyone),
    ]
}

fn bit((who, turn): Serial) -> u32 {
    1 << (who * 8 + turn)
}

impl Model for Claims {
    type State = State;

    fn start(&self) -> State {
        let process = Process { at: At::Start, has_lock: false, knows: None, turns: self.turns };
        State {
            item: Item { version: 1, claim: None, by: u8::MAX, before: None },
            highest: 0,
            ended: 0,
            broken: None,
            kills: self.kills,
            processes: [process; PROCESSES],
        }
    }

    fn steps(&self, state: &State, next: &mut Next<State>) {
        for (index, process) in state.processes.iter().enumerate() {
            if process.at == At::Start && process.turns > 0 {
                let other = ((index + 1) % PROCESSES) as u8;
                for (deed, by) in turns(other) {
                    if by == As::Holder && process.knows.is_none() {
                        continue;
                    }
                    let at = match self.is(Wrong::LapseOutsideLock) {
                        true => At::Look(deed, by),
                        false => At::Read(deed, by, None),
                    };
                    next.step(index, "begins a turn", state.begin(index, at));
                }
            }
            if let Some((does, after)) = self.step(state, index) {
                next.step(index, does, after);
            }
            if state.kills > 0 && matches!(process.at, At::Replace(..) | At::Answer(_)) {
                next.mishap(index, "is killed", state.killed(index));
            }
        }
        if let Some(after) = state.after_lapse() {
            next.mishap(PROCESSES, "(the lease) runs out", after);
        }
    }

    fn broken(&self, state: &State) -> Option<&'static str> {
        state.broken
    }

    fn is_done(&self, state: &State) -> bool {
        let is_over = |process: &Process| {
            process.at == At::Killed || (process.at == At::Start && process.turns == 0)
        };
        state.processes.iter().all(is_over)
    }
}
