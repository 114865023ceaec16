//! Whether a history of one item is linearizable, by search: whether every operation can have taken
//! effect at one moment between its call and its return.
//!
//! Walks through the calls and returns in the order of time and keeps every configuration that
//! explains what was seen so far: the state of the item, and which of the operations under way have
//! taken effect. An operation takes effect just in time: at the latest when it returns (Lowe 2017,
//! after Wing and Gong 1993). One that only looks takes effect as soon as what it saw is so: that
//! never keeps another from taking effect, so that nothing is missed by it.

use std::collections::HashSet;

use jerry_domain::Status;

use super::event::{Content, Event, Seen};

/// An item as those who use it must be able to think of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum State {
    Unknown,
    Here(Content),
    Gone,
}

impl State {
    /// The state after an operation that saw `seen`; `None` where it cannot have seen that.
    fn after(self, seen: &Seen) -> Option<Self> {
        match (self, *seen) {
            (Self::Unknown, Seen::Made(content)) if content.version == 1 => {
                Some(Self::Here(content))
            }
            (Self::Here(now), Seen::Wrote(next, condition)) => {
                condition.allows(&now, &next).then_some(Self::Here(next))
            }
            (Self::Here(now), Seen::Removed(version, shown)) => {
                (now.version == version && shown.may_write(now.fence)).then_some(Self::Gone)
            }
            (_, seen) => self.allows(&seen).then_some(self),
        }
    }

    /// Whether one who only looks can see this.
    fn allows(self, seen: &Seen) -> bool {
        match (self, *seen) {
            (Self::Unknown, Seen::Unknown | Seen::NotListed | Seen::NotReady) => true,
            (Self::Gone, Seen::Gone | Seen::NotListed | Seen::NotReady) => true,
            (Self::Here(now), Seen::Read(content)) => now == content,
            (Self::Here(now), Seen::Listed { version, status }) => {
                (now.version, now.status) == (version, status)
            }
            (Self::Here(now), Seen::NotReady) => now.status != Status::Pending,
            (Self::Here(now), Seen::Conflict { found, expected }) => {
                now.version == found && found != expected
            }
            (Self::Here(now), Seen::Forbidden(status)) => now.status == status,
            (Self::Here(now), Seen::Held(fence)) => now.fence == Some(fence),
            (Self::Here(now), Seen::Stale { shown, found }) => {
                now.fence == found && found != Some(shown)
            }
            _ => false,
        }
    }
}

fn writes(seen: &Seen) -> bool {
    matches!(seen, Seen::Made(_) | Seen::Wrote(..) | Seen::Removed(..))
}

/// What may be the case: the item's state, and which operations under way have taken effect, a bit
/// for each place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Configuration {
    state: State,
    done: u128,
}

/// The operations under way, each at a place of its own.
struct UnderWay<'a> {
    events: &'a [Event],
    places: Vec<Option<usize>>,
}

impl UnderWay<'_> {
    fn begin(&mut self, event: usize) -> usize {
        match self.places.iter().position(Option::is_none) {
            Some(place) => {
                self.places[place] = Some(event);
                place
            }
            None => {
                self.places.push(Some(event));
                self.places.len() - 1
            }
        }
    }

    fn waiting(&self, done: u128) -> impl Iterator<Item = (u128, &Seen)> {
        let bits = self.places.iter().enumerate().filter_map(move |(place, event)| {
            let bit = 1 << place;
            event.filter(|_| done & bit == 0).map(|event| (bit, event))
        });
        bits.map(|(bit, event)| (bit, &self.events[event].seen))
    }

    /// Lets everyone look who sees what they saw.
    fn look(&self, mut at: Configuration) -> Configuration {
        let state = at.state;
        let looking = self.waiting(at.done).filter(|(_, seen)| !writes(seen) && state.allows(seen));
        at.done |= looking.fold(0, |bits, (bit, _)| bits | bit);
        at
    }

    /// Every configuration that `from` can turn into in which the operation `bit` is done.
    fn until_done(&self, from: Configuration, bit: u128, into: &mut HashSet<Configuration>) {
        let (mut open, mut met) = (vec![from], HashSet::from([from]));
        while let Some(at) = open.pop() {
            if at.done & bit != 0 {
                into.insert(Configuration { done: at.done & !bit, ..at });
                continue;
            }
            for (other, seen) in self.waiting(at.done).filter(|(_, seen)| writes(seen)) {
                if let Some(state) = at.state.after(seen) {
                    let next = self.look(Configuration { state, done: at.done | other });
                    if met.insert(next) {
                        open.push(next);
                    }
                }
            }
        }
    }
}

/// The first operation that nothing explains when it returns; `None` where all is explained.
pub(super) fn unexplained(events: &[Event]) -> Option<&Event> {
    let calls = events.iter().enumerate().map(|(event, it)| (it.called, false, event));
    let returns = events.iter().enumerate().map(|(event, it)| (it.returned, true, event));
    let mut moments: Vec<_> = calls.chain(returns).collect();
    // Of what happens at one moment calls come first: whoever cannot be told apart overlaps.
    moments.sort_unstable();

    let mut under_way = UnderWay { events, places: Vec::new() };
    let mut place_of = vec![0; events.len()];
    let mut may_be = HashSet::from([Configuration { state: State::Unknown, done: 0 }]);
    for (_, is_return, event) in moments {
        if !is_return {
            place_of[event] = under_way.begin(event);
            may_be = may_be.into_iter().map(|at| under_way.look(at)).collect();
            continue;
        }
        let place = place_of[event];
        let mut after = HashSet::new();
        for at in may_be {
            under_way.until_done(at, 1 << place, &mut after);
        }
        if after.is_empty() {
            return Some(&events[event]);
        }
        under_way.places[place] = None;
        may_be = after;
    }
    None
}
