//! Looks at every state that a model can reach, nearest first.
//!
//! States are kept whole, not as fingerprints: what is said to hold was looked at everywhere.

use std::fmt::Debug;
use std::hash::Hash;

use indexmap::IndexSet;

/// A protocol as a machine of steps, each of which happens whole.
pub(super) trait Model {
    /// Everything that decides what may happen next.
    type State: Debug + Clone + Eq + Hash;

    /// Where it begins.
    fn start(&self) -> Self::State;

    /// Tells `next` every state that may follow.
    fn steps(&self, state: &Self::State, next: &mut Next<Self::State>);

    /// The promise that `state` breaks.
    fn broken(&self, state: &Self::State) -> Option<&'static str>;

    /// Whether everyone has come to an end. From every state there must be a way to such a one that
    /// needs no [`mishap`](Next::mishap).
    fn is_done(&self, state: &Self::State) -> bool;
}

/// The states that follow one.
pub(super) struct Next<S> {
    found: Vec<Step<S>>,
}

struct Step<S> {
    process: usize,
    does: &'static str,
    to: S,
    is_mishap: bool,
}

impl<S> Next<S> {
    /// A step that `process` makes by itself.
    pub(super) fn step(&mut self, process: usize, does: &'static str, to: S) {
        self.found.push(Step { process, does, to, is_mishap: false });
    }

    /// A step that nobody can rely on: a crash, a lack of patience, a clock set back.
    pub(super) fn mishap(&mut self, process: usize, does: &'static str, to: S) {
        self.found.push(Step { process, does, to, is_mishap: true });
    }
}

/// What a search found.
pub(super) struct Found {
    /// How many different states were looked at.
    pub(super) states: usize,
    /// What does not hold, and the shortest way there.
    pub(super) fault: Option<String>,
}

/// More states than this would not fit into a small machine's memory.
const MOST_STATES: usize = 20_000_000;

/// Looks at every state of `model`, or at those up to the first that is not as it must be.
pub(super) fn search<M: Model>(model: &M) -> Found {
    let mut search = Search {
        model,
        states: IndexSet::new(),
        parents: Vec::new(),
        successors: Vec::new(),
        ends_of_successors: Vec::new(),
    };
    let fault = search.run();
    Found { states: search.states.len(), fault }
}

struct Search<'a, M: Model> {
    model: &'a M,
    /// In the order in which they were found; the place of a state is its name.
    states: IndexSet<M::State>,
    /// From which state each was found first.
    parents: Vec<u32>,
    /// For one state after the other, what follows it without a mishap.
    successors: Vec<u32>,
    /// Where in `successors` those of each state end.
    ends_of_successors: Vec<usize>,
}

impl<M: Model> Search<'_, M> {
    fn run(&mut self) -> Option<String> {
        self.reach(self.model.start(), 0);
        let mut place = 0;
        while let Some(state) = self.states.get_index(place) {
            if let Some(what) = self.model.broken(state) {
                return Some(self.tell(what, place));
            }
            for step in steps(self.model, state) {
                let to = self.reach(step.to, place as u32);
                if !step.is_mishap {
                    self.successors.push(to);
                }
            }
            self.ends_of_successors.push(self.successors.len());
            place += 1;
            if place > MOST_STATES {
                return Some(format!("there are more than {MOST_STATES} states"));
            }
        }
        let stuck = self.stuck()?;
        Some(self.tell("somebody waits for ever", stuck))
    }

    fn reach(&mut self, state: M::State, parent: u32) -> u32 {
        let (place, is_new) = self.states.insert_full(state);
        if is_new {
            self.parents.push(parent);
        }
        place as u32
    }

    /// The first state from which no way leads to an end.
    fn stuck(&self) -> Option<usize> {
        let mut comes_to_an_end: Vec<bool> =
            self.states.iter().map(|state| self.model.is_done(state)).collect();
        loop {
            let mut is_settled = true;
            // Ends lie late: backwards, few rounds suffice.
            for place in (0..comes_to_an_end.len()).rev() {
                let first =
                    place.checked_sub(1).map_or(0, |before| self.ends_of_successors[before]);
                let successors = &self.successors[first..self.ends_of_successors[place]];
                if !comes_to_an_end[place]
                    && successors.iter().any(|to| comes_to_an_end[*to as usize])
                {
                    comes_to_an_end[place] = true;
                    is_settled = false;
                }
            }
            if is_settled {
                return comes_to_an_end.iter().position(|ends| !ends);
            }
        }
    }

    /// `what`, the steps that lead to the state at `place`, and that state. Processes are told from
    /// each other within one step only: alike ones may change places between two.
    fn tell(&self, what: &str, mut place: usize) -> String {
        let last = &self.states[place];
        let mut way = Vec::new();
        while place > 0 {
            let before = self.parents[place] as usize;
            let to = &self.states[place];
            let taken = steps(self.model, &self.states[before]).into_iter().find(|s| s.to == *to);
            way.extend(taken.map(|step| format!("{} {}", step.process, step.does)));
            place = before;
        }
        way.reverse();
        format!("{what}, after {} steps: {}; then {last:?}", way.len(), way.join(", "))
    }
}

fn steps<M: Model>(model: &M, state: &M::State) -> Vec<Step<M::State>> {
    let mut next = Next { found: Vec::new() };
    model.steps(state, &mut next);
    next.found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two counters that go up to three; in the hole neither goes on.
    struct Counters {
        highest: u8,
        hole: Option<[u8; 2]>,
    }

    impl Model for Counters {
        type State = [u8; 2];

        fn start(&self) -> [u8; 2] {
            [0, 0]
        }

        fn steps(&self, state: &[u8; 2], next: &mut Next<[u8; 2]>) {
            for counter in 0..2 {
                let mut to = *state;
                to[counter] += 1;
                if to[counter] <= 3 && self.hole != Some(*state) {
                    next.step(counter, "counts", to);
                }
            }
            next.mishap(0, "is set back", [0, state[1]]);
        }

        fn broken(&self, state: &[u8; 2]) -> Option<&'static str> {
            (state[0] > self.highest).then_some("too high")
        }

        fn is_done(&self, state: &[u8; 2]) -> bool {
            *state == [3, 3]
        }
    }

    #[test]
    fn every_state_is_seen_once() {
        let found = search(&Counters { highest: 3, hole: None });
        assert_eq!((found.states, found.fault), (16, None));
    }

    #[test]
    fn the_shortest_way_to_a_fault_is_told() {
        let fault = search(&Counters { highest: 1, hole: None }).fault.expect("two is too high");
        assert!(fault.starts_with("too high, after 2 steps: 0 counts, 0 counts;"), "{fault}");
    }

    #[test]
    fn a_state_without_a_way_to_the_end_is_a_fault() {
        let found = search(&Counters { highest: 3, hole: Some([0, 2]) });
        let fault = found.fault.expect("no way out of the hole");
        let way = "somebody waits for ever, after 2 steps: 1 counts, 1 counts;";
        assert!(fault.starts_with(way), "{fault}");
    }
}
