//! What lies between two versions of an item.

use std::io::{self, Write};

use jerry_application::Diff;
use jerry_contract::Difference;
use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use super::history::in_brief;
use super::{Answer, Json, Paint, Style, block};

/// How many lines of a text are shown around what changed.
const CONTEXT: usize = 3;

/// Two versions, compared.
pub(crate) struct Compared(pub(crate) Diff);

impl Answer for Compared {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Difference::from(&self.0))
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let Diff { id, from, to, changes } = &self.0;
        if changes.is_empty() {
            return match from == to {
                true => writeln!(out, "{id} version {from}: there is nothing to compare it with"),
                false => writeln!(out, "{id} versions {from} and {to} do not differ"),
            };
        }
        let versions = format!("{id} version {from} -> {to}");
        writeln!(out, "{}", style.paint(Paint::Bold, &versions))?;
        let mut page = Page { out, style };
        changes.iter().try_for_each(|change| page.change(&change.field, &change.from, &change.to))
    }
}

struct Page<'a> {
    out: &'a mut dyn Write,
    style: Style,
}

impl Page<'_> {
    fn change(&mut self, field: &str, from: &Value, to: &Value) -> io::Result<()> {
        writeln!(self.out, "{}", self.style.paint(Paint::Cyan, &block(field)))?;
        let (from, to) = (as_text(from), as_text(to));
        let diff = TextDiff::from_lines(&from, &to);
        for (index, group) in diff.grouped_ops(CONTEXT).iter().enumerate() {
            if index > 0 {
                writeln!(self.out, "  {}", self.style.paint(Paint::Dim, "…"))?;
            }
            for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
                let (mark, paint) = match change.tag() {
                    ChangeTag::Delete => ("-", Paint::Red),
                    ChangeTag::Insert => ("+", Paint::Green),
                    ChangeTag::Equal => (" ", Paint::Plain),
                };
                let text = block(change.value().trim_end_matches('\n'));
                writeln!(self.out, "{}", self.style.paint(paint, &format!("  {mark} {text}")))?;
            }
        }
        Ok(())
    }
}

/// What stands there, in lines: each element of a list and each field of an object has its own.
fn as_text(value: &Value) -> String {
    let mut text = match value {
        Value::Null => return String::new(),
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(as_text).collect(),
        // A reference is what it points at.
        Value::Object(fields) if fields.contains_key("uid") => in_brief(value),
        Value::Object(fields) => {
            let is_there = |(_, value): &(&String, &Value)| match value {
                Value::Null => false,
                Value::Array(elements) => !elements.is_empty(),
                _ => true,
            };
            let line = |(name, value): (&String, &Value)| match value {
                Value::String(text) => format!("{name}: {text}\n"),
                Value::Object(fields) if fields.contains_key("uid") => {
                    format!("{name}: {}\n", in_brief(value))
                }
                value => format!("{name}: {value}\n"),
            };
            fields.iter().filter(is_there).map(line).collect()
        }
        value => value.to_string(),
    };
    // Without an end of its own, an unchanged last line would count as changed.
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}
