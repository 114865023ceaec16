//! Traces of a jerry that forgets something: an fsync left out, or made too late, or a file removed
//! too early. Each must be found out.
//!
//! The same fsync of the code shows in many traces, under a name of its own each time. It counts as
//! one, and has to be missed in one of them: where two commands make the same folder durable, one
//! of the two is not.

use super::disk::{Node, Op};
use super::trace::{Event, FORMAT, SEQUENCES, STORE, Trace, matters};

/// A change of a trace.
pub(super) struct Mutation {
    /// What is forgotten, without the names that differ from trace to trace.
    pub(super) name: String,
    change: Change,
}

#[derive(Clone, Copy)]
enum Change {
    Without(usize),
    /// Puts the first event behind the second.
    Later(usize, usize),
    /// Puts the second event before the first.
    Earlier(usize, usize),
}

impl Mutation {
    pub(super) fn of(&self, trace: &Trace) -> Trace {
        let mut trace = trace.clone();
        match self.change {
            Change::Without(place) => drop(trace.events.remove(place)),
            Change::Later(place, to) => trace.events[place..=to].rotate_left(1),
            Change::Earlier(to, place) => trace.events[to..=place].rotate_right(1),
        }
        trace
    }
}

/// Everything that can be forgotten in a trace.
pub(super) fn all(trace: &Trace) -> Vec<Mutation> {
    let mut mutations = Vec::new();
    for (place, event) in trace.events.iter().enumerate() {
        let Event::Step(op) = event else { continue };
        if let Some(what) = synced(trace, op) {
            let name = format!("without the fsync of {what}");
            mutations.push(Mutation { name, change: Change::Without(place) });
            if let Some((later, next)) = relies_on(trace, place) {
                let name = format!("the fsync of {what} after {next}");
                mutations.push(Mutation { name, change: Change::Later(place, later) });
            }
        }
        if let Op::Remove { path } = op
            && is_kept(path)
            && let Some((earlier, publication)) = last_publication(trace, place)
        {
            let name = format!("the removal of {} before {publication}", class(path));
            mutations.push(Mutation { name, change: Change::Earlier(earlier, place) });
        }
    }
    mutations
}

/// What a sync makes durable; `None` for any other step.
fn synced(trace: &Trace, op: &Op) -> Option<String> {
    match op {
        Op::SyncFile { node } => Some(class(path_of(trace, *node)?)),
        Op::SyncDir { path } => Some(format!("the folder {:?}", class(path))),
        Op::SyncAll => Some("the file system".to_owned()),
        _ => None,
    }
}

/// The first step after a sync, within its command, that must not come before it.
fn relies_on(trace: &Trace, place: usize) -> Option<(usize, String)> {
    let Event::Step(sync) = &trace.events[place] else { return None };
    let own = match sync {
        Op::SyncFile { node } => path_of(trace, *node),
        _ => None,
    };
    let relies = |op: &Op| match (sync, op) {
        (Op::SyncFile { .. }, Op::Rename { from, to }) if Some(from) == own => {
            (matters(to) || to == SEQUENCES).then(|| "its renaming".to_owned())
        }
        (Op::SyncAll, Op::Rename { to, .. }) if matters(to) => {
            Some(format!("the renaming to {}", class(to)))
        }
        (Op::SyncDir { path }, Op::Rename { to, .. }) if path == STORE && to == FORMAT => {
            Some(format!("the renaming to {}", class(to)))
        }
        (Op::SyncDir { .. } | Op::SyncFile { .. }, Op::Remove { path })
            if is_kept(path) && holds_a_copy(trace, place, own) =>
        {
            Some(format!("the removal of {}", class(path)))
        }
        _ => None,
    };
    let later = trace.events.iter().enumerate().skip(place + 1);
    let mut later = later.map_while(|(place, event)| match event {
        Event::Step(op) => Some((place, op)),
        Event::Acknowledged | Event::Killed => None,
    });
    later.find_map(|(place, op)| Some((place, relies(op)?)))
}

/// Whether what a sync makes durable is what a removal after it relies on: the file that was last
/// published before the sync or after it, the folder that it is in, or one that was made for it.
fn holds_a_copy(trace: &Trace, place: usize, own: Option<&String>) -> bool {
    let published = trace.events[place..].iter().find_map(|event| match event {
        Event::Step(Op::Rename { from, to }) if is_copy(to) => Some((from, to)),
        _ => None,
    });
    let before = trace.events[..place].iter().rev().find_map(|event| match event {
        Event::Step(Op::Rename { from, to }) if is_copy(to) => Some((from, to)),
        Event::Step(_) => None,
        Event::Acknowledged | Event::Killed => None,
    });
    match &trace.events[place] {
        Event::Step(Op::SyncFile { .. }) => published.is_some_and(|(from, _)| Some(from) == own),
        Event::Step(Op::SyncDir { path: folder }) => {
            let is_in = |to: &str| to.rsplit_once('/').is_some_and(|(parent, _)| parent == folder);
            let made = trace.events[..place].iter().filter_map(|event| match event {
                Event::Step(Op::MakeDir { path, .. }) if is_in(path) => Some(path.as_str()),
                _ => None,
            });
            let leads_to_copy =
                |made: &str| published.is_some_and(|(_, to)| to.starts_with(&format!("{made}/")));
            before.is_some_and(|(_, to)| is_in(to)) || made.into_iter().any(leads_to_copy)
        }
        _ => false,
    }
}

/// A file by which another one may be removed.
fn is_copy(path: &str) -> bool {
    is_kept(path) && path != SEQUENCES
}

/// Where the steps begin by which a file was published, in the same command before a removal.
fn last_publication(trace: &Trace, place: usize) -> Option<(usize, String)> {
    let steps = trace.events[..place].iter().rev();
    let mut steps = steps.take_while(|event| matches!(event, Event::Step(_)));
    let (from, to) = steps.find_map(|event| match event {
        Event::Step(Op::Rename { from, to }) if is_kept(to) => Some((from, to)),
        _ => None,
    })?;
    let begins =
        |event: &Event| matches!(event, Event::Step(Op::Create { path, .. }) if path == from);
    Some((trace.events[..place].iter().rposition(begins)?, class(to)))
}

/// Whether a file holds what must not be lost.
fn is_kept(path: &str) -> bool {
    let is_backup = path.starts_with(".jerry/local/backups/") && !path.ends_with(".tmp");
    matters(path) || path == SEQUENCES || is_backup
}

fn path_of(trace: &Trace, wanted: Node) -> Option<&String> {
    trace.events.iter().find_map(|event| match event {
        Event::Step(Op::Create { path, node }) if *node == wanted => Some(path),
        _ => None,
    })
}

/// A path without what differs from run to run: numbers, and the names that only one process has.
fn class(path: &str) -> String {
    let mut class = String::new();
    for part in path.split_inclusive(['/', '.', '-']) {
        let name = part.trim_end_matches(['/', '.', '-']);
        let is_nonce = name.len() >= 16 && name.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_number = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit());
        class.push_str(if is_nonce || is_number { "#" } else { name });
        class.push_str(&part[name.len()..]);
    }
    class
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_differ_from_run_to_run_are_one_class() {
        assert_eq!(
            class(".jerry/data/items/.WORK-004.json.34-0.tmp"),
            ".jerry/data/items/.WORK-#.json.#-#.tmp"
        );
        assert_eq!(
            class(
                "locks/prepare-91b13f89114139c406d46cc6b9145f06/owner-91b13f89114139c406d46cc6b9145f06"
            ),
            "locks/prepare-#/owner-#"
        );
    }
}
