//! What items must not say of each other.

use std::time::Duration;

use jerry_domain::ports::{Ailment, Finding, RepositoryError};
use jerry_domain::{Graph, ItemRef, Summary, Timestamp, WorkId, to_the_second};

use crate::Ports;

/// How far an identity may be ahead of the clock. Logical milliseconds run a little ahead of it,
/// and clocks of several machines differ.
const AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// References to items that are not there. One to an item that is there and cannot be read is
/// none of them.
pub(super) async fn dangling(
    ports: &Ports,
    items: &[Summary],
    graph: &Graph<'_>,
) -> Result<Vec<Finding>, RepositoryError> {
    let mut findings = Vec::new();
    for item in items {
        let dependencies =
            item.depends_on.iter().map(|needed| (Ailment::DanglingDependency, needed));
        let parent = item.parent.iter().map(|parent| (Ailment::DanglingParent, parent));
        for (ailment, reference) in dependencies.chain(parent) {
            if graph.resolve(reference).is_some() {
                continue;
            }
            let Some(fate) = fate(ports, reference).await? else { continue };
            let (id, missing) = (&item.id, &reference.id);
            let message = if ailment == Ailment::DanglingParent {
                format!("{id} is a part of {missing}, which {fate}; give it another parent or none")
            } else {
                format!("{id} waits for {missing}, which {fate}; remove the dependency to go on")
            };
            findings.push(finding(ailment, id, message));
        }
    }
    Ok(findings)
}

/// What became of an item that no summary shows; `None` when it is there after all.
async fn fate(ports: &Ports, reference: &ItemRef) -> Result<Option<String>, RepositoryError> {
    match (ports.items.get(&reference.id).await, reference.uid) {
        (Err(RepositoryError::Malformed(_) | RepositoryError::Storage(_)), _) => Ok(None),
        (Err(error), _) => Err(error),
        (Ok(Some(found)), Some(uid)) if found.uid != uid => {
            Ok(Some("is another item now".to_owned()))
        }
        (Ok(Some(_)), _) => Ok(None),
        (Ok(None), _) => Ok(Some(match ports.absent(&reference.id).await? {
            RepositoryError::Deleted { at, by, .. } => {
                format!("was deleted by {by} at {}", to_the_second(at))
            }
            _ => "does not exist".to_owned(),
        })),
    }
}

/// Rings, of which no item can ever be begun or finished before the others.
pub(super) fn cycles(graph: &Graph<'_>) -> Vec<Finding> {
    let found = graph.cycles().into_iter().filter_map(|cycle| {
        let first = cycle.0.first()?;
        let message = format!(
            "items wait for each other, or are parts of each other, in a ring: {cycle}; take one \
             of the dependencies or parents away"
        );
        Some(finding(Ailment::Cycle, first, message))
    });
    found.collect()
}

/// Identities from the future: the clock of the machine that made them was wrong, or is here.
pub(super) fn ahead_of_clock(items: &[Summary], now: Timestamp) -> Vec<Finding> {
    let latest = now.checked_add(AHEAD).unwrap_or(Timestamp::MAX);
    let ahead = items.iter().filter(|item| item.uid.timestamp() > latest);
    let found = ahead.map(|item| {
        let message = format!(
            "the uid of {} was made at {}, far ahead of this machine's clock; set the clock right",
            item.id,
            item.uid.timestamp()
        );
        finding(Ailment::UidAheadOfClock, &item.id, message)
    });
    found.collect()
}

fn finding(ailment: Ailment, item: &WorkId, message: String) -> Finding {
    Finding { ailment, path: None, item: Some(item.clone()), message, fixable: false }
}
