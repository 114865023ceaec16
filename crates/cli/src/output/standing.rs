//! How items stand, in words.

use jerry_application::{Standing, Waiting, WayPoint};
use jerry_domain::{Mark, Relation, Since, Situation, Summary, to_the_second};

use super::{line, who_has};

/// The most steps that are indented; beyond them the number of steps is said.
const INDENTED: usize = 32;

/// `ready`; `claimed by ann, session s, since …, until …`; `handed over to bob by ann since …`;
/// `blocked by bob since …: no key`.
pub(crate) fn said(item: &Summary, situation: Situation, since: Option<&Since>) -> String {
    let until = match item.claim.as_ref().and_then(|claim| claim.expires_at) {
        Some(end) => format!(" until {}", to_the_second(end)),
        None => String::new(),
    };
    let receiver = item.claim.as_ref().filter(|claim| claim.is_handed_over);
    let mut text = match (situation, since) {
        (Situation::Claimed, None) if receiver.is_some() => {
            format!("handed over to {}", who_has(item))
        }
        (Situation::Claimed, None) => format!("claimed by {}", who_has(item)),
        (Situation::Ready, _) if item.claim.is_some() => {
            format!("ready: the claim of {} has lapsed", who_has(item))
        }
        (Situation::Ready | Situation::Waiting, _) | (_, None) => situation.to_string(),
        (_, Some(since)) => match receiver.filter(|_| situation == Situation::Claimed) {
            Some(claim) => format!("handed over to {} by {}", claim.holder, since.by),
            None => format!("{situation} by {}", since.by),
        },
    };
    let Some(since) = since else { return text };
    if let Some(session) = &since.session {
        text.push_str(&format!(", session {session}"));
    }
    let when = if item.status.is_closed() { "at" } else { "since" };
    text.push_str(&format!(" {when} {}", to_the_second(since.at)));
    if situation == Situation::Claimed {
        text.push_str(&until);
    }
    if let Some(reason) = &since.reason {
        text.push_str(&format!(": {reason}"));
    }
    text
}

/// One line of a way through a plan.
pub(crate) fn way_point(point: &WayPoint) -> String {
    let WayPoint { depth, relation, id, standing, mark } = point;
    let relation = match relation {
        None => "",
        Some(Relation::Needs) => "needs ",
        Some(Relation::Part) => "part ",
        Some(Relation::NeededBy) => "needed by ",
    };
    let steps = if *depth > INDENTED { format!("[{depth}] ") } else { String::new() };
    let indent = "  ".repeat((*depth).min(INDENTED));
    let rest = match (mark, standing) {
        (Mark::Repeated, _) => " (see above)".to_owned(),
        (Mark::Ring, _) => " (a ring: it leads here)".to_owned(),
        (Mark::New, None) => "  [missing: deleted, or cannot be read]".to_owned(),
        (Mark::New, Some(Standing { item, situation, since })) => {
            format!("  {} [{}]", item.title, said(item, *situation, since.as_ref()))
        }
    };
    line(&format!("{indent}{steps}{relation}{id}{rest}")).into_owned()
}

/// Why an item cannot be begun, in brief.
pub(crate) fn reasons(waiting: &Waiting) -> String {
    let needed = waiting.waits_for.iter().map(|standing| {
        let Standing { item, situation, .. } = standing;
        format!("{} ({})", item.id, said(item, *situation, None))
    });
    let missing = waiting.missing.iter().map(|id| format!("{id} (missing)"));
    let needs: Vec<_> = needed.chain(missing).collect();
    let needs = (!needs.is_empty()).then(|| format!("needs {}", needs.join(", ")));
    let stands = (waiting.situation != Situation::Waiting)
        .then(|| said(&waiting.item, waiting.situation, waiting.since.as_ref()));
    stands.into_iter().chain(needs).collect::<Vec<_>>().join("; ")
}
