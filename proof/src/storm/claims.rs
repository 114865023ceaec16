//! Whether everyone kept out of what others had claimed. Goes back over the changes in an item's
//! history by itself; who asked for a write, and what it showed, is read from the ledgers.

use std::collections::HashMap;

use jerry_domain::ports::Tombstone;
use jerry_domain::{Claim, HistoryEntry, Timestamp, WorkItem};
use serde_json::Value;

use super::ledger::{Answer, Entry, request_of};
use super::verify::{Finding, Wrong};

/// Requests by their names.
type Asked<'a> = HashMap<&'a str, &'a Entry>;

/// Every write of `item` that its claims did not allow, and every claim that has not a fence of its
/// own.
pub(super) fn broken(item: &WorkItem, asked: &Asked<'_>) -> Vec<Finding> {
    let id = &item.id;
    let mut findings = Vec::new();
    let mut add = |wrong, message| findings.push(Finding { wrong, message });
    let mut highest = 0;
    for Step { entry, before, after } in steps(item) {
        let version = entry.version;
        let writer = Writer::of(entry.request_id.as_deref(), asked);
        let is_left = before.as_ref().is_some_and(|claim| was_left(item, claim, asked));
        if let Some(why) = writer.trespasses(before.as_ref(), is_left, entry.at) {
            add(Wrong::Robbed, format!("{id}: version {version} {why}"));
        }
        if entry.forced && !writer.insists {
            add(Wrong::Strange, format!("{id}: version {version} was forced by nobody"));
        }
        let told = |claim: &Claim| (claim.fence, claim.since);
        let is_new = after.as_ref().map(told) != before.as_ref().map(told);
        if let Some(fence) = after.filter(|_| is_new).map(|claim| claim.fence) {
            if fence <= highest || fence != version {
                let message = format!("{id}: the claim of version {version} has the fence {fence}");
                add(Wrong::Duplicate, message);
            }
            highest = highest.max(fence);
        }
    }
    findings
}

/// Whether a claim did not allow the deletion.
pub(super) fn robbed_by_deletion(stone: &Tombstone, asked: &Asked<'_>) -> Option<Finding> {
    let writer = Writer::of(stone.request_id.as_deref(), asked);
    let claim = stone.item.claim.as_ref();
    let is_left = claim.is_some_and(|claim| was_left(&stone.item, claim, asked));
    let why = writer.trespasses(claim, is_left, stone.deleted_at)?;
    Some(Finding {
        wrong: Wrong::Robbed,
        message: format!("{}: its deletion {why}", stone.item.id),
    })
}

/// Whether the claim was made for work, and whoever worked did not live to tell how that ended.
fn was_left(item: &WorkItem, claim: &Claim, asked: &Asked<'_>) -> bool {
    let made = item.history.iter().find(|entry| entry.version == claim.fence);
    let request = made.and_then(|entry| entry.request_id.as_deref()).unwrap_or_default();
    let by = asked.get(request).map(|entry| &entry.answer);
    claim.lock.is_some() && by == Some(&Answer::Silence)
}

/// One write, and the claims around it.
struct Step<'a> {
    entry: &'a HistoryEntry,
    before: Option<Claim>,
    after: Option<Claim>,
}

/// Every write of the item, the first one first.
fn steps(item: &WorkItem) -> Vec<Step<'_>> {
    let read = |claim: &Value| serde_json::from_value(claim.clone()).ok();
    let mut claim = serde_json::to_value(&item.claim).unwrap_or_default();
    let mut steps = Vec::new();
    for entry in item.history.iter().rev() {
        let after = read(&claim);
        for change in entry.changes.iter().rev() {
            if change.field == "claim" {
                claim = change.from.clone();
            } else if let Some(field) = change.field.strip_prefix("claim") {
                claim.pointer_mut(field).into_iter().for_each(|it| *it = change.from.clone());
            }
        }
        steps.push(Step { entry, before: read(&claim), after });
    }
    steps.reverse();
    steps
}

struct Writer<'a> {
    name: &'a str,
    fence: Option<u64>,
    insists: bool,
}

impl<'a> Writer<'a> {
    fn of(request: Option<&str>, asked: &Asked<'a>) -> Self {
        match asked.get(request_of(request.unwrap_or_default()).0) {
            Some(Entry { intent, .. }) => {
                Self { name: intent.asker(), fence: intent.fence, insists: intent.force }
            }
            None => Self { name: "", fence: None, insists: false },
        }
    }

    /// Why it could not write at the time `at` with this claim on the item, which whoever made it may
    /// have left. A lease is over by the clock of whoever looks, so by the time that its write tells.
    fn trespasses(&self, claim: Option<&Claim>, is_left: bool, at: Timestamp) -> Option<String> {
        if self.insists {
            return None;
        }
        let found = claim.map(|claim| claim.fence);
        if let Some(fence) = self.fence.filter(|fence| Some(*fence) != found) {
            return Some(format!("is {}'s under the fence {fence}, over {found:?}", self.name));
        }
        let stands = |claim: &&Claim| !is_left && claim.expires_at.is_none_or(|end| at < end);
        let claim = claim.filter(stands)?;
        let session = claim.session.as_ref().map(|session| session.as_str());
        let is_holder = self.fence == Some(claim.fence) || session == Some(self.name);
        (!is_holder).then(|| format!("is {}'s, while {claim} held it", self.name))
    }
}
