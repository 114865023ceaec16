//! Whether a history of one item is linearizable, by its versions, in one pass.
//!
//! Each write made a version of its own, so that there is only one order in which the writes can
//! have taken effect, and each read tells between which two of them it did. A history is
//! linearizable if and only if nothing is earlier in this order than what had returned before it was
//! called. What was seen of several versions alike (a list without the item, a move that a status
//! forbids, a claim) is put as early as it can be: whatever that contradicts, every other place does too.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use jerry_domain::Status;

use super::event::{Content, Event, Seen};

/// A place in the order: the write of version `v` at `2v`, whoever saw it at `2v + 1`.
type Place = u64;

const UNKNOWN: Place = 1;

/// Why the history cannot be; `None` where it can.
pub(super) fn contradiction(events: &[Event]) -> Option<String> {
    Order::of(events).and_then(|order| order.walk(events)).err()
}

struct Order {
    versions: BTreeMap<u64, Content>,
    /// The version that was deleted.
    removed: Option<u64>,
}

impl Order {
    /// The only order of the writes that there can be.
    fn of(events: &[Event]) -> Result<Self, String> {
        let (mut versions, mut removed) = (BTreeMap::new(), None);
        for event in events {
            match event.seen {
                Seen::Made(content) | Seen::Wrote(content, _) => {
                    let is_first = matches!(event.seen, Seen::Made(_));
                    if is_first != (content.version == 1) {
                        return Err(format!("not the version to be made: {event}"));
                    }
                    if versions.insert(content.version, content).is_some() {
                        return Err(format!("version {} was written twice", content.version));
                    }
                }
                Seen::Removed(version, _) if removed.replace(version).is_some() => {
                    return Err(format!("deleted twice, at last with version {version}"));
                }
                _ => {}
            }
        }
        let newest = versions.len() as u64;
        if !versions.keys().copied().eq(1..=newest) {
            return Err(format!("{newest} versions were written, and not 1 to {newest}"));
        }
        if removed.is_some_and(|version| version != newest) {
            return Err(format!("version {removed:?} was deleted, of {newest}"));
        }
        Ok(Self { versions, removed })
    }

    fn walk(&self, events: &[Event]) -> Result<(), String> {
        let mut by_call: Vec<_> = events.iter().collect();
        by_call.sort_unstable_by_key(|event| event.called);
        let mut returned = BinaryHeap::new();
        // The latest place of whatever returned before the present call.
        let mut floor = 0;
        for event in by_call {
            while let Some(Reverse((when, place))) = returned.peek().copied()
                && when < event.called
            {
                floor = floor.max(place);
                returned.pop();
            }
            let place = self.first_place(&event.seen, floor).ok_or_else(|| {
                let (version, half) = (floor / 2, if floor % 2 == 0 { "made" } else { "seen" });
                format!("after version {version} had been {half}: {event}")
            })?;
            returned.push(Reverse((event.returned, place)));
        }
        Ok(())
    }

    /// The first place from `floor` on at which this can have been seen.
    fn first_place(&self, seen: &Seen, floor: Place) -> Option<Place> {
        let newest = self.versions.len() as u64;
        let gone = self.removed.map(|version| 2 * version + 3);
        let at = |place: Place| (place >= floor).then_some(place);
        let saw = |version: u64, fits: &dyn Fn(&Content) -> bool| {
            self.versions.get(&version).filter(|content| fits(content))?;
            at(2 * version + 1)
        };
        let first = |fits: &dyn Fn(&Content) -> bool| {
            let from = floor.saturating_sub(1).div_ceil(2);
            (from..=newest).find_map(|version| saw(version, fits))
        };
        match *seen {
            Seen::Made(_) => at(2),
            Seen::Wrote(content, condition) => {
                let before = self.versions.get(&(content.version - 1));
                let fits = before.is_some_and(|before| condition.allows(before, &content));
                at(2 * content.version).filter(|_| fits)
            }
            Seen::Removed(version, shown) => {
                let fits = |last: &&Content| shown.may_write(last.fence);
                self.versions.get(&version).filter(fits)?;
                at(2 * version + 2)
            }
            Seen::Read(content) => saw(content.version, &|own| *own == content),
            Seen::Listed { version, status } => saw(version, &|own| own.status == status),
            Seen::Conflict { found, expected } => saw(found, &|_| found != expected),
            Seen::Forbidden(status) => first(&|own| own.status == status),
            Seen::Held(fence) => first(&|own| own.fence == Some(fence)),
            Seen::Stale { shown, found } => {
                first(&|own| own.fence == found && found != Some(shown))
            }
            Seen::Unknown => at(UNKNOWN),
            Seen::Gone => gone.and_then(at),
            Seen::NotListed => at(UNKNOWN).or_else(|| gone.and_then(at)),
            Seen::NotReady => at(UNKNOWN)
                .or_else(|| first(&|own| own.status != Status::Pending))
                .or_else(|| gone.and_then(at)),
        }
    }
}
