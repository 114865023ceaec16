//! Writes, the latest first.

use std::io::{self, Write};

use jerry_application::{Write as Written, Writes};
use jerry_contract::History;
use jerry_domain::{FieldChange, HistoryEntry, to_the_second};
use serde_json::Value;

use super::{Answer, Json, Paint, Style, count, line, remark};

/// The most characters of a value that a line shows.
const EXCERPT_CHARS: usize = 48;

/// What was written.
pub(crate) struct Told(pub(crate) Writes);

impl Answer for Told {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&History::from(&self.0))
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        if !style.terminal {
            return self.0.writes.iter().try_for_each(|write| compact(out, write));
        }
        self.0.writes.iter().try_for_each(|write| at_length(out, style, write))?;
        writeln!(out, "{}", style.paint(Paint::Dim, &self.count()))
    }

    fn remarks(&self, style: Style) {
        let Writes { writes, total, .. } = &self.0;
        if !style.terminal && (writes.is_empty() || *total > writes.len()) {
            remark(&self.count());
        }
    }
}

impl Told {
    fn count(&self) -> String {
        match (self.0.writes.len(), self.0.total) {
            (0, _) => "no writes".to_owned(),
            (shown, total) if shown < total => {
                format!("{shown} of {total} writes; --limit 0 shows all of them")
            }
            (shown, _) => count(shown, "write"),
        }
    }
}

/// One write as one line of tab-separated fields: id, version, time, event, actor, what it changed
/// and why.
fn compact(out: &mut dyn Write, Written { id, entry, .. }: &Written) -> io::Result<()> {
    let mut said: Vec<_> = entry.changes.iter().filter_map(brief).collect();
    said.extend(entry.reason.as_ref().map(|reason| format!("({})", excerpt(reason))));
    let (version, at, event) = (entry.version, to_the_second(entry.at), &entry.event);
    let said = said.join("; ");
    let (event, by) = (line(event.as_str()), by(entry));
    writeln!(out, "{id}\t{version}\t{at}\t{event}\t{}\t{}", line(&by), line(&said))
}

fn at_length(out: &mut dyn Write, style: Style, write: &Written) -> io::Result<()> {
    let Written { id, title, entry, .. } = write;
    let id = style.paint(Paint::Bold, &id.to_string());
    let event = style.paint(Paint::Cyan, &line(entry.event.as_str()));
    let by = format!("by {}, {}", line(&by(entry)), to_the_second(entry.at));
    let by = style.paint(Paint::Dim, &by);
    writeln!(out, "{id} {}  {event} {by}  {}", entry.version, line(title.as_str()))?;
    for said in entry.changes.iter().filter_map(brief) {
        writeln!(out, "    {}", line(&said))?;
    }
    match &entry.reason {
        Some(reason) => writeln!(out, "    because: {}", line(reason)),
        None => Ok(()),
    }
}

fn by(entry: &HistoryEntry) -> String {
    let mut by = entry.actor.to_string();
    if let Some(session) = &entry.session {
        by.push_str(&format!(" ({session})"));
    }
    if entry.forced {
        by.push_str(" by force");
    }
    by
}

/// A change in one line; nothing for what every write by a holder changes.
fn brief(change: &FieldChange) -> Option<String> {
    let FieldChange { field, from, to, .. } = change;
    if field == "claim/expires_at" || field == "updated_at" {
        return None;
    }
    Some(match list_of(field).filter(|_| from.is_null()) {
        Some(list) => format!("{list}: + {}", in_brief(to)),
        None => format!("{field}: {} -> {}", in_brief(from), in_brief(to)),
    })
}

/// The list to which `field` was appended, if it is an element's.
fn list_of(field: &str) -> Option<&str> {
    let (list, index) = field.rsplit_once('/')?;
    index.bytes().all(|digit| digit.is_ascii_digit()).then_some(list)
}

/// A value by what people call it.
pub(super) fn in_brief(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => excerpt(text),
        Value::Array(elements) if elements.is_empty() => "-".to_owned(),
        Value::Array(elements) => {
            excerpt(&elements.iter().map(in_brief).collect::<Vec<_>>().join(", "))
        }
        Value::Object(fields) => {
            let name = ["text", "title", "target", "holder", "id"];
            match name.into_iter().find_map(|name| fields.get(name)) {
                Some(name) => in_brief(name),
                None => excerpt(&value.to_string()),
            }
        }
        value => value.to_string(),
    }
}

fn excerpt(text: &str) -> String {
    let mut chars = text.trim().chars();
    let mut kept: String = chars.by_ref().take(EXCERPT_CHARS).collect();
    if chars.next().is_some() {
        kept.push('…');
    }
    kept
}
