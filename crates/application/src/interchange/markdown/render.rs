//! From an item to its document.

use std::fmt::Write;

use jerry_domain::{Artifact, ItemRef, Link, LinkKind, Source, Timestamp, WorkItem};
use serde_json::Value;

use super::fields::{self, Relation};
use super::inline::{self, Place};
use super::sections::write_entry;
use super::{
    ARTIFACTS, CRITERIA, DEPENDENCIES, DESCRIPTION, EVIDENCE, FINDINGS, LOG, SOURCES, SUBTASKS,
    block, parse,
};

/// The work-item document of `item`. References show the ids that `item` has for them; see
/// [`WorkItem::rename_references`].
#[must_use]
pub fn render(item: &WorkItem) -> String {
    let kept = item.imported.as_ref().and_then(|imported| imported.get("document"));
    let kept = |key: &str| kept.and_then(|document| document.get(key));
    let heading = item.heading.clone();
    let heading = heading.unwrap_or_else(|| format!("{}: {}", item.id, item.title));
    let mut head = format!("# {}\n\n", inline::encode(&heading, Place::Line));
    head.push_str(&table(&["Field", "Value"], field_rows(item, kept("fields"))));
    if let Some(text) = kept("preamble").and_then(Value::as_str) {
        let _ = write!(head, "\n{}\n", block::encode(text));
    }
    let mut parts = vec![head];
    let mut section = |title: &str, body: Option<String>, list: bool| {
        let rest = kept("rest").and_then(|rest| rest.get(title)).and_then(Value::as_str);
        let rest = rest.map(|rest| format!("{}\n", block::encode(rest)));
        // Behind a list, text could be taken for a part of it; before a table, for its header.
        let pieces = if list { [rest, body] } else { [body, rest] };
        let pieces: Vec<_> = pieces.into_iter().flatten().collect();
        if !pieces.is_empty() {
            parts.push(format!("## {title}\n\n{}", pieces.join("\n")));
        }
    };
    let description = item.description.as_deref();
    section(DESCRIPTION, description.map(|text| format!("{}\n", block::encode(text))), false);
    section(
        CRITERIA,
        entries(
            item.acceptance_criteria.iter().map(|own| check(own.id.as_str(), own.done, &own.text)),
        ),
        true,
    );
    section(EVIDENCE, evidence(item), false);
    section(
        SUBTASKS,
        entries(item.subtasks.iter().map(|own| check(own.id.as_str(), own.done, &own.text))),
        true,
    );
    let finding =
        |(index, text): (usize, &String)| write_entry(&format!("{}. ", index + 1), "", text);
    section(FINDINGS, entries(item.findings.iter().enumerate().map(finding)), true);
    section(LOG, log(item), false);
    section(DEPENDENCIES, dependencies(item), false);
    section(ARTIFACTS, entries(item.artifacts.iter().map(artifact)), true);
    section(SOURCES, entries(item.sources.iter().map(source)), true);
    for own in kept("sections").and_then(Value::as_array).into_iter().flatten() {
        let text = |key| own.get(key).and_then(Value::as_str).unwrap_or_default();
        let title = inline::encode(text("title"), Place::Line);
        parts.push(format!("## {title}\n\n{}\n", block::encode(text("text"))));
    }
    parts.join("\n---\n\n")
}

/// When an item was last written, as far as its document tells by other times.
pub(super) fn implied_update(
    created: Timestamp,
    others: impl IntoIterator<Item = Timestamp>,
) -> Timestamp {
    others.into_iter().fold(created, Timestamp::max)
}

fn field_rows(item: &WorkItem, kept: Option<&Value>) -> Vec<Vec<String>> {
    let others = item.started_at.into_iter().chain(item.completed_at);
    let implied = implied_update(item.created_at, others.chain(item.notes.iter().map(|n| n.at)));
    let item_type = item.item_type.as_str();
    let item_type = item_type[..1].to_uppercase() + &item_type[1..];
    let labels = item.labels.iter().map(|label| inline::encode(label.as_str(), Place::Name));
    let labels = labels.collect::<Vec<_>>().join(", ");
    let labels = if fields::is_absent(&labels) { fields::value(&labels) } else { labels };
    let own_key = format!("md:{}", item.id);
    let external_ref = item.external_ref.as_deref().filter(|key| *key != own_key);
    // A document without a key of its own is known again by the item's identity.
    let uid = item.external_ref.is_none().then(|| item.uid.to_string());
    let rows = [
        ("ID", Some(item.id.to_string())),
        ("UID", uid),
        ("Title", Some(inline::encode(item.title.as_str(), Place::Cell))),
        ("Type", Some(item_type)),
        ("Status", Some(item.status.as_str().to_uppercase())),
        ("Priority", Some(item.priority.as_str().to_uppercase())),
        ("Phase", item.phase.as_ref().map(|phase| fields::value(phase.as_str()))),
        ("Assignee", item.assignee.as_ref().map(|actor| fields::value(actor.as_str()))),
        ("Labels", Some(labels).filter(|labels| !labels.is_empty())),
        ("Created", Some(fields::time(item.created_at))),
        ("Started", item.started_at.map(fields::time)),
        ("Completed", item.completed_at.map(fields::time)),
        ("Updated", Some(item.updated_at).filter(|at| *at != implied).map(fields::time)),
        ("Due", item.due_at.map(fields::time)),
        ("External Ref", external_ref.map(fields::value)),
    ];
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let kept = kept.and_then(Value::as_object).into_iter().flatten().map(|(name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (fields::name(name), inline::encode(&value, Place::Cell))
    });
    rows.chain(kept).map(|(name, value)| vec![format!("**{name}**"), value]).collect()
}

fn table(header: &[&str], rows: Vec<Vec<String>>) -> String {
    let rule = header.iter().map(|name| "-".repeat(name.len() + 2));
    let mut out = format!("| {} |\n|{}|\n", header.join(" | "), rule.collect::<Vec<_>>().join("|"));
    for row in rows {
        let _ = writeln!(out, "| {} |", row.join(" | "));
    }
    out
}

fn entries(entries: impl Iterator<Item = String>) -> Option<String> {
    let text: String = entries.map(|entry| entry + "\n").collect();
    Some(text).filter(|text| !text.is_empty())
}

fn check(id: &str, done: bool, text: &str) -> String {
    let mark = if done { "x" } else { " " };
    let id = if fields::is_plain_check_id(id) { format!("{id}: ") } else { format!("{{#{id}}} ") };
    write_entry("- ", &format!("[{mark}] {id}"), text)
}

fn evidence(item: &WorkItem) -> Option<String> {
    let rows = item.acceptance_criteria.iter().flat_map(|criterion| {
        criterion.evidence.iter().map(|own| {
            let source = own.source.as_deref().unwrap_or_default();
            vec![
                inline::encode(criterion.id.as_str(), Place::Cell),
                inline::encode(&own.text, Place::Cell),
                inline::encode(source, Place::Cell),
            ]
        })
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| table(&["Criterion", "Evidence", "Source"], rows))
}

fn log(item: &WorkItem) -> Option<String> {
    let rows = item.notes.iter().map(|note| {
        let text = inline::encode(&note.text, Place::Cell);
        vec![fields::time(note.at), text, inline::encode(note.actor.as_str(), Place::Cell)]
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| table(&["Timestamp", "Update", "Actor"], rows))
}

/// Relations of one kind with one text, next to each other, share a row.
fn dependencies(item: &WorkItem) -> Option<String> {
    let own = |relation, reference: &ItemRef| {
        (relation, reference.id.to_string(), reference.note.clone().unwrap_or_default())
    };
    let link = |link: &Link| {
        let target = inline::encode(&link.target.to_string(), Place::Name);
        (Relation::Link(link.kind), target, link.note.clone().unwrap_or_default())
    };
    let unresolved = |link: &&Link| link.kind == LinkKind::DependsOn;
    let parent = item.parent.iter().map(|parent| own(Relation::Parent, parent));
    let needs = item.depends_on.iter().map(|needed| own(Relation::DependsOn, needed));
    let open = item.links.iter().filter(unresolved).map(link);
    let links = item.links.iter().filter(|own| !unresolved(own)).map(link);
    let mut rows: Vec<(&str, Vec<String>, String)> = Vec::new();
    for (relation, target, note) in parent.chain(needs).chain(open).chain(links) {
        match rows.last_mut() {
            Some((name, targets, own)) if *name == relation.name() && *own == note => {
                targets.push(target);
            }
            _ => rows.push((relation.name(), vec![target], note)),
        }
    }
    let rows = rows.into_iter().map(|(name, targets, note)| {
        vec![name.to_owned(), targets.join(", "), inline::encode(&note, Place::Cell)]
    });
    let rows: Vec<_> = rows.collect();
    (!rows.is_empty()).then(|| table(&["Type", "Work Item", "Relationship"], rows))
}

fn artifact(artifact: &Artifact) -> String {
    let kind = artifact.kind.as_ref();
    let kind = kind.map(|kind| format!("**{}**: ", inline::encode(kind, Place::Before("**"))));
    let place = place(&artifact.title, artifact.url.as_deref());
    let place = match kind {
        None if parse::kind(&place).is_some() => format!("&#42;{}", &place[1..]),
        _ => place,
    };
    format!("- {}{place}", kind.unwrap_or_default()).trim_end().to_owned()
}

fn source(source: &Source) -> String {
    format!("- {}", place(&source.title, source.url.as_deref())).trim_end().to_owned()
}

fn place(title: &str, url: Option<&str>) -> String {
    match url {
        Some(url) => {
            let title = inline::encode(title, Place::Before("]("));
            format!("[{title}]({})", inline::encode(url, Place::Before("](")))
        }
        None => match inline::encode(title, Place::Line) {
            text if parse::link(&text).is_some() => format!("&#91;{}", &text[1..]),
            text => text,
        },
    }
}
