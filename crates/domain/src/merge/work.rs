//! Who works on the item and how far it is: the status, the claim and what belongs to them are one
//! thing, and come from one side whole. Otherwise an item could be done and claimed, or claimed by
//! one and assigned to another.
//!
//! - Of two claims the elder stands, as it would in one store, unless its lease had run out when the
//!   younger was made. The other's next write is refused.
//! - Otherwise the later write counts. A holder's writes renew the claim, which is no write of it.
//! - A fence proves its holder only while nobody else has the same one. Two branches may have given
//!   out one version, so that a claim whose fence the other branch gave out too gets another, the
//!   version that the merge makes: whoever shows the old one is refused.

use jiff::Timestamp;

use super::fields::{Three, Whose};
use crate::claim::lease_has_ended;
use crate::history::{Event, HistoryEntry};
use crate::record::Record;
use crate::{Actor, Claim, Status};

/// The fields that belong together.
pub(super) struct Work {
    pub(super) status: Status,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) claim: Option<Claim>,
    pub(super) assignee: Option<Actor>,
}

pub(super) fn of(three: &Three<'_>) -> Work {
    let (main, other) = (three.main.record, three.other.record);
    let whose = whose(three);
    let chosen = whose.of(main, other);
    let mut claim = chosen.claim.clone();
    if let (Some(claim), true) = (&mut claim, is_one_claim(main, other)) {
        claim.expires_at = end(three);
    }
    let assigned = |record: &Record| three.base.is_none_or(|base| base.assignee != record.assignee);
    let assignee = match decided(three) && assigned(main) && assigned(other) {
        true => chosen.assignee.clone(),
        false => three.scalars().of("assignee", |record| &record.assignee),
    };
    Work { status: chosen.status, completed_at: chosen.completed_at, claim, assignee }
}

/// Gives the merged claim another fence where the side that does not hold it gave out the same.
pub(super) fn refence(three: &Three<'_>, after: &mut Record) {
    let version = after.version;
    let Some(claim) = &mut after.claim else { return };
    let loser = match whose(three) {
        _ if is_one_claim(three.main.record, three.other.record) => return,
        Whose::Main => &three.other,
        Whose::Other => &three.main,
    };
    if gave_out(loser.since, claim.fence) {
        claim.fence = version;
    }
}

/// Whether one of `entries`, or of a line merged into them, made a claim with this fence.
fn gave_out(entries: &[HistoryEntry], fence: u64) -> bool {
    entries.iter().any(|entry| {
        let is_claim = [Event::CLAIMED, Event::HANDED_OVER].contains(&entry.event)
            || entry.changes.iter().any(|change| {
                matches!(change.field.as_str(), "claim" | "claim/fence") && !change.to.is_null()
            });
        (entry.version == fence && is_claim)
            || entry.of_other_lines().any(|entry| gave_out(std::slice::from_ref(entry), fence))
    })
}

/// From which side the work comes.
fn whose(three: &Three<'_>) -> Whose {
    let (main, other) = (three.main.record, three.other.record);
    match three.base {
        Some(base) if is_same_work(base, main) => return Whose::Other,
        Some(base) if is_same_work(base, other) => return Whose::Main,
        _ if is_same_work(main, other) => return Whose::Main,
        _ => {}
    }
    match (&main.claim, &other.claim) {
        (Some(main), Some(other)) if identity(main) != identity(other) => {
            let is_first = main.since <= other.since;
            let (first, second) = if is_first { (main, other) } else { (other, main) };
            // A lock that says whether somebody is at it means nothing on another machine.
            match lease_has_ended(first.expires_at, second.since) == is_first {
                true => Whose::Other,
                false => Whose::Main,
            }
        }
        _ => three.later_where(|path| {
            matches!(path, "status" | "completed_at" | "claim")
                || path.strip_prefix("claim/").is_some_and(|step| step != "expires_at")
        }),
    }
}

/// Whether both sides say something of their own, so that one had to be chosen.
fn decided(three: &Three<'_>) -> bool {
    let (main, other) = (three.main.record, three.other.record);
    let is_base = |record| three.base.is_some_and(|base| is_same_work(base, record));
    !is_same_work(main, other) && !is_base(main) && !is_base(other)
}

fn is_same_work(one: &Record, other: &Record) -> bool {
    one.status == other.status
        && one.completed_at == other.completed_at
        && one.claim.as_ref().map(identity) == other.claim.as_ref().map(identity)
}

fn is_one_claim(one: &Record, other: &Record) -> bool {
    let claims = one.claim.as_ref().zip(other.claim.as_ref());
    claims.is_some_and(|(one, other)| identity(one) == identity(other))
}

/// The claim but for its end, which each write of its holder moves.
fn identity(claim: &Claim) -> Claim {
    Claim { expires_at: None, ..claim.clone() }
}

/// When the claim that both sides have lapses: where both renewed it, at the later end, of which
/// `None`, never, is the latest.
fn end(three: &Three<'_>) -> Option<Timestamp> {
    let end = |record: &Record| record.claim.as_ref().and_then(|claim| claim.expires_at);
    let (main, other) = (end(three.main.record), end(three.other.record));
    match three.base.filter(|base| is_one_claim(base, three.main.record)).map(end) {
        Some(base) if base == main => other,
        Some(base) if base == other => main,
        _ => main.zip(other).map(|(main, other)| main.max(other)),
    }
}
