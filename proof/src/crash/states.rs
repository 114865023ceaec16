//! The states in which a trace may leave a disk: for every moment, every way to resolve what was
//! not yet durable, or as many of them as the limit allows.

use std::collections::{BTreeSet, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use super::disk::{Doubt, Tree};
use super::trace::{Event, Expectation, Promise, Trace};
use crate::dice::Dice;

/// A tree that a power cut may leave, and what must be found in it.
pub(super) struct State<'a> {
    pub(super) tree: Tree,
    pub(super) expectation: &'a Expectation,
    /// How many of the trace's events had happened.
    pub(super) moment: usize,
}

/// Calls `look` with every state of `trace`, each once, until it answers an error.
///
/// At each moment at most `limit` ways are tried: all of them if there are no more, else those in
/// which everything is old or everything is new but for one doubt, and random ones. What a power
/// cut leaves of the lock files is tried in a few ways only: nothing rests on it.
pub(super) fn each<E: From<String>>(
    trace: &Trace,
    promise: Promise,
    limit: usize,
    dice: &mut Dice,
    mut look: impl FnMut(&State<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut disk = trace.base.clone();
    let mut visible = disk.visible();
    let mut before = visible.clone();
    let mut expectation = Expectation::of_base(&visible, promise);
    let mut seen = HashSet::new();
    for moment in 0..=trace.events.len() {
        let doubts = disk.doubts();
        for picks in ways(&doubts, limit, dice) {
            let tree = disk.resolve(&doubts, &picks);
            if seen.insert(fingerprint(&tree)) {
                look(&State { tree, expectation: &expectation, moment })?;
            }
        }
        match trace.events.get(moment) {
            None => {}
            Some(Event::Step(op)) => {
                disk.apply(op)?;
                if op.is_naming() {
                    visible = disk.visible();
                    expectation.may_be(&visible);
                }
            }
            Some(Event::Acknowledged) => {
                visible = disk.visible();
                expectation.acknowledge(&before, &visible);
                before.clone_from(&visible);
                // The same trees again, of which more is expected now.
                seen.clear();
            }
            Some(Event::Killed) => before = disk.visible(),
        }
    }
    Ok(())
}

fn fingerprint(tree: &Tree) -> u64 {
    let mut hasher = DefaultHasher::new();
    tree.hash(&mut hasher);
    hasher.finish()
}

/// For each way a pick for each doubt.
fn ways(doubts: &[Doubt], limit: usize, dice: &mut Dice) -> Vec<Vec<usize>> {
    let newest: Vec<_> = doubts.iter().map(|doubt| doubt.count() - 1).collect();
    let all = doubts.iter().map(|doubt| doubt.count() as u128).product::<u128>();
    if all <= limit as u128 {
        return every(doubts);
    }
    let oldest = vec![0; doubts.len()];
    let mut ways = vec![newest.clone(), oldest.clone()];
    let mut tried: BTreeSet<_> = ways.iter().cloned().collect();
    let mut add = |ways: &mut Vec<Vec<usize>>, picks: Vec<usize>| {
        if tried.insert(picks.clone()) {
            ways.push(picks);
        }
    };
    for (place, doubt) in doubts.iter().enumerate() {
        for pick in 0..doubt.count() {
            for rest in [&newest, &oldest] {
                let mut picks = rest.clone();
                picks[place] = pick;
                if ways.len() < limit / 2 {
                    add(&mut ways, picks);
                }
            }
        }
    }
    for _ in 0..4 * limit {
        if ways.len() == limit {
            break;
        }
        let pick = |doubt: &Doubt| dice.below(doubt.count() as u64) as usize;
        add(&mut ways, doubts.iter().map(pick).collect());
    }
    ways
}

fn every(doubts: &[Doubt]) -> Vec<Vec<usize>> {
    doubts.iter().fold(vec![Vec::new()], |ways, doubt| {
        let longer = |picks: &Vec<usize>| {
            let picks = picks.clone();
            (0..doubt.count()).rev().map(move |pick| [picks.as_slice(), &[pick]].concat())
        };
        ways.iter().flat_map(longer).collect()
    })
}
