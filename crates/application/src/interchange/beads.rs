//! The issues of beads, one JSON object a line.
//!
//! | there | here |
//! |---|---|
//! | `id` | the external reference `beads:<id>` |
//! | status `open`, `in_progress`, `blocked`, `closed` | pending, in_progress, blocked, completed |
//! | status `deferred`, `pinned`; `hooked` | blocked, so that nobody starts it; in_progress |
//! | status `tombstone` | skipped and counted |
//! | priority 0 … 4 | critical, high, medium, low, low with the label `p4` |
//! | `blocks`; `parent-child`; other dependencies | `depends_on`; `parent`; links |
//! | `comments`, `notes` | notes |
//! | `acceptance_criteria` | one criterion for each list entry, or one with the whole text |
//! | `close_reason` | the reason in the history |
//!
//! Everything else, and whatever loses something on the way, is kept under `imported`.

use jerry_domain::{
    Actor, Extra, ItemType, Label, LinkKind, Note, Priority, Status, Timestamp, Title,
};
use serde_json::{Map, Value};

use super::draft::{Draft, DraftCheck, Name};
use super::json_line;

/// What a line holds.
#[derive(Debug)]
pub(super) enum Issue {
    /// An issue, and what of it does not fit.
    Draft(Box<Draft>, Vec<String>),
    /// What a deleted issue left.
    Tombstone,
}

/// Reads one line.
///
/// # Errors
/// The reason why it is no issue that can be imported.
pub(super) fn parse(line: &str) -> Result<Issue, String> {
    let mut fields = Fields { map: json_line::object(line)?, warnings: Vec::new() };
    if fields.map.get("status").and_then(Value::as_str) == Some("tombstone") {
        return Ok(Issue::Tombstone);
    }
    let id = fields.text("id")?.ok_or("it has no id")?;
    let title = fields.text("title")?.ok_or("it has no title")?;
    let title = Title::new(&title).map_err(|error| error.to_string())?;
    let created_at = fields.time("created_at")?.ok_or("it has no created_at")?;

    let mut draft = Draft::new(title, created_at);
    draft.updated_at = fields.time("updated_at")?.unwrap_or(created_at);
    draft.due_at = fields.time("due_at")?;
    draft.started_at = fields.time("started_at")?;
    draft.description = fields.text("description")?;
    draft.reason = fields.text("close_reason")?;
    draft.status = fields.status()?;
    if draft.status == Status::Completed {
        draft.completed_at = fields.time("closed_at")?;
    }
    draft.item_type = fields.item_type()?;
    draft.priority = fields.priority(&mut draft.labels)?;
    draft.assignee = fields.assignee()?;
    fields.labels(&mut draft.labels)?;
    draft.criteria =
        fields.text("acceptance_criteria")?.map(|text| criteria(&text)).unwrap_or_default();
    fields.notes(&mut draft)?;
    fields.dependencies(&id, &mut draft)?;
    draft.external_ref = Some(key(&id));
    draft.name = Some(id);
    if !fields.map.is_empty() {
        draft.imported = Some(Value::Object(fields.map));
    }
    Ok(Issue::Draft(Box::new(draft), fields.warnings))
}

fn key(id: &str) -> String {
    format!("beads:{id}")
}

/// The fields that are still to be mapped; in the end, those that go under `imported`.
struct Fields {
    map: Map<String, Value>,
    warnings: Vec<String>,
}

impl Fields {
    /// Takes a text; `None` where it is absent, null or empty.
    fn text(&mut self, field: &str) -> Result<Option<String>, String> {
        match self.map.get(field) {
            None => Ok(None),
            Some(Value::Null) => {
                self.map.shift_remove(field);
                Ok(None)
            }
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(_)) => {
                let Some(Value::String(text)) = self.map.shift_remove(field) else {
                    return Ok(None);
                };
                Ok(Some(text))
            }
            Some(_) => Err(format!("{field} is not a text")),
        }
    }

    /// Takes a time. One whose spelling would change stays, to the letter, under `imported`.
    fn time(&mut self, field: &str) -> Result<Option<Timestamp>, String> {
        let Some(text) = self.text(field)? else { return Ok(None) };
        let time: Timestamp =
            text.parse().map_err(|_| format!("{field} is not a time: {}", excerpt(&text)))?;
        if time.to_string() != text {
            self.map.insert(field.to_owned(), Value::String(text));
        }
        Ok(Some(time))
    }

    fn list(&mut self, field: &str) -> Result<Vec<Value>, String> {
        match self.map.shift_remove(field) {
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(Value::Array(values)) => Ok(values),
            Some(_) => Err(format!("{field} is not a list")),
        }
    }

    fn status(&mut self) -> Result<Status, String> {
        let text = self.text("status")?.ok_or("it has no status")?;
        let (status, exact) = match text.as_str() {
            "open" => (Status::Pending, true),
            "in_progress" => (Status::InProgress, true),
            "blocked" => (Status::Blocked, true),
            "closed" => (Status::Completed, true),
            "deferred" | "pinned" => (Status::Blocked, false),
            "hooked" => (Status::InProgress, false),
            _ => return Err(format!("unknown status {}", excerpt(&text))),
        };
        if !exact {
            self.map.insert("status".to_owned(), Value::String(text));
        }
        Ok(status)
    }

    fn item_type(&mut self) -> Result<ItemType, String> {
        let Some(text) = self.text("issue_type")? else { return Ok(ItemType::default()) };
        text.parse().or_else(|_| {
            self.warnings.push(format!("unknown type {}: imported as task", excerpt(&text)));
            self.map.insert("issue_type".to_owned(), Value::String(text));
            Ok(ItemType::Task)
        })
    }

    fn priority(&mut self, labels: &mut Vec<Label>) -> Result<Priority, String> {
        let value = self.map.shift_remove("priority").ok_or("it has no priority")?;
        match value.as_u64() {
            Some(0) => Ok(Priority::Critical),
            Some(1) => Ok(Priority::High),
            Some(2) => Ok(Priority::Medium),
            Some(3) => Ok(Priority::Low),
            Some(4) => {
                labels.extend(Label::new("p4"));
                Ok(Priority::Low)
            }
            _ => Err(format!("unknown priority {}: use 0 to 4", excerpt(&value.to_string()))),
        }
    }

    fn assignee(&mut self) -> Result<Option<Actor>, String> {
        let Some(text) = self.text("assignee")? else { return Ok(None) };
        Ok(Actor::new(&text).map(Some).unwrap_or_else(|error| {
            self.warnings.push(format!("assignee kept under 'imported': {error}"));
            self.map.insert("assignee".to_owned(), Value::String(text));
            None
        }))
    }

    fn labels(&mut self, labels: &mut Vec<Label>) -> Result<(), String> {
        let mut unfit = Vec::new();
        for value in self.list("labels")? {
            match value.as_str().map(Label::new) {
                Some(Ok(label)) => labels.push(label),
                Some(Err(error)) => {
                    self.warnings.push(format!("label kept under 'imported': {error}"));
                    unfit.push(value);
                }
                None => return Err("labels holds something that is not a text".to_owned()),
            }
        }
        if !unfit.is_empty() {
            self.map.insert("labels".to_owned(), Value::Array(unfit));
        }
        Ok(())
    }

    /// Comments, and the field `notes` as one more, in the order of their times.
    fn notes(&mut self, draft: &mut Draft) -> Result<(), String> {
        let mut rests = Vec::new();
        for value in self.list("comments")? {
            let Value::Object(map) = value else {
                return Err("comments holds something that is not an object".to_owned());
            };
            let mut comment = Fields { map, warnings: Vec::new() };
            let said = |error| format!("in a comment: {error}");
            let text = comment.text("text").map_err(said)?.unwrap_or_default();
            let author = comment.text("author").map_err(said)?;
            let at = comment.time("created_at").map_err(said)?;
            draft.notes.push(Note {
                at: at.unwrap_or(draft.created_at),
                actor: self.author(author.as_deref())?,
                text,
                extra: Extra::new(),
            });
            rests.push(Value::Object(comment.map));
        }
        let bare = |rest: &Value| rest.as_object().is_some_and(Map::is_empty);
        if !rests.iter().all(bare) {
            self.map.insert("comments".to_owned(), Value::Array(rests));
        }
        if let Some(text) = self.text("notes")? {
            let by = |field| self.map.get(field).and_then(Value::as_str).map(str::to_owned);
            let author = by("updated_by").or_else(|| by("created_by"));
            let actor = self.author(author.as_deref())?;
            draft.notes.push(Note { at: draft.updated_at, actor, text, extra: Extra::new() });
        }
        // Stable: what was said in one second stays in the order of the file.
        draft.notes.sort_by_key(|note| note.at);
        Ok(())
    }

    fn author(&mut self, name: Option<&str>) -> Result<Actor, String> {
        let name = name.filter(|name| !name.trim().is_empty()).unwrap_or("unknown");
        Actor::new(name).map_err(|error| format!("the author of a note: {error}"))
    }

    fn dependencies(&mut self, own: &str, draft: &mut Draft) -> Result<(), String> {
        let dependencies = self.list("dependencies")?;
        if dependencies.is_empty() {
            return Ok(());
        }
        for dependency in &dependencies {
            let text = |field| dependency.get(field).and_then(Value::as_str);
            if text("issue_id").is_some_and(|id| id != own) {
                self.warnings.push("a dependency of another issue is kept under 'imported'".into());
                continue;
            }
            let target = text("depends_on_id").ok_or("a dependency has no depends_on_id")?;
            let kind = text("type").ok_or("a dependency has no type")?;
            let name = |note: Option<&str>| Name {
                text: key(target),
                key: key(target),
                id: None,
                note: note.map(str::to_owned),
            };
            match kind {
                "blocks" => draft.needs.push(name(None)),
                "parent-child" | "parent_child" if draft.parent.is_none() => {
                    draft.parent = Some(name(None));
                }
                "parent-child" | "parent_child" => {
                    self.warnings.push(format!("a second parent, {target}, is kept as a link"));
                    draft.links.push((LinkKind::Related, name(Some("parent"))));
                }
                "discovered-from" | "discovered_from" => {
                    draft.links.push((LinkKind::DiscoveredFrom, name(None)));
                }
                "duplicates" => draft.links.push((LinkKind::Duplicates, name(None))),
                "relates-to" | "relates_to" | "related" => {
                    draft.links.push((LinkKind::Related, name(None)));
                }
                other => draft.links.push((LinkKind::Related, name(Some(other)))),
            }
        }
        // Who made them and when has no place of its own.
        self.map.insert("dependencies".to_owned(), Value::Array(dependencies));
        Ok(())
    }
}

/// One criterion for each entry of a list, numbered or not, with or without boxes; text that is
/// more than a list is one criterion.
fn criteria(text: &str) -> Vec<DraftCheck> {
    // Some writers escape twice: the list is one line with `\n` spelt out between its entries.
    let unescaped = text.replace("\\n", "\n");
    if !text.contains('\n') && unescaped.lines().all(|line| list_entry(line).is_some()) {
        return entries(&unescaped).unwrap_or_default();
    }
    entries(text).unwrap_or_else(|| vec![criterion(false, text.trim())])
}

fn criterion(done: bool, text: &str) -> DraftCheck {
    DraftCheck { id: None, text: text.to_owned(), done, evidence: Vec::new() }
}

/// The entries of a text that is a list and nothing else.
fn entries(text: &str) -> Option<Vec<DraftCheck>> {
    let mut entries: Vec<DraftCheck> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match list_entry(line) {
            Some(entry) => entries.push(match boxed(entry) {
                Some((done, rest)) => criterion(done, rest),
                None => criterion(false, entry),
            }),
            None if line.starts_with([' ', '\t']) => {
                let last = entries.last_mut()?;
                last.text.push('\n');
                last.text.push_str(line.trim());
            }
            None => return None,
        }
    }
    Some(entries)
}

/// The text of an entry that begins at the margin.
fn list_entry(line: &str) -> Option<&str> {
    let rest = match line.trim_start_matches(|c: char| c.is_ascii_digit()) {
        rest if rest.len() < line.len() => {
            rest.strip_prefix(") ").or_else(|| rest.strip_prefix(". "))?
        }
        _ => ["- ", "* ", "+ "].iter().find_map(|marker| line.strip_prefix(marker))?,
    };
    Some(rest.trim()).filter(|rest| !rest.is_empty())
}

fn boxed(entry: &str) -> Option<(bool, &str)> {
    let (mark, rest) = entry.strip_prefix('[')?.split_once("] ")?;
    match mark {
        " " => Some((false, rest.trim())),
        "x" | "X" => Some((true, rest.trim())),
        _ => None,
    }
}

/// The beginning of a text that was not accepted, fit for a terminal.
fn excerpt(text: &str) -> String {
    let start: String = text.chars().take(40).collect();
    format!("{start:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case("- [ ] one\n- [x] two", &[(false, "one"), (true, "two")])]
    #[case("1) one\n2) two [x]", &[(false, "one"), (false, "two [x]")])]
    #[case("* one\n  and more\n\n* two", &[(false, "one\nand more"), (false, "two")])]
    #[case(r"- one\n- two", &[(false, "one"), (false, "two")])]
    #[case(r"- prints \n at the end", &[(false, r"prints \n at the end")])]
    #[case("It works.\n- really", &[(false, "It works.\n- really")])]
    #[case("2026 is the year", &[(false, "2026 is the year")])]
    fn criteria_are_the_entries_of_a_list(#[case] text: &str, #[case] read: &[(bool, &str)]) {
        let criteria = criteria(text);
        let criteria: Vec<_> = criteria.iter().map(|own| (own.done, own.text.as_str())).collect();
        assert_eq!(criteria, read);
    }

    fn draft(fields: &str) -> (Draft, Vec<String>) {
        let line = format!(
            r#"{{"id":"x-1","title":"T","status":"closed","priority":1,
            "created_at":"2026-01-16T09:00:00.100000000+02:00",{fields}}}"#
        );
        match parse(&line.replace('\n', "")).expect("an issue") {
            Issue::Draft(draft, warnings) => (*draft, warnings),
            Issue::Tombstone => panic!("no tombstone"),
        }
    }

    #[test]
    fn what_has_no_place_is_kept_under_imported() {
        let (draft, warnings) = draft(
            r#""external_ref":"gh-9","estimated_minutes":60.50,"issue_type":"decision",
            "labels":["ok","not ok"],"closed_at":"2026-01-17T00:00:00Z""#,
        );
        let imported = draft.imported.expect("something is kept");
        let kept = |field: &str| imported.get(field).map(ToString::to_string).unwrap_or_default();
        assert_eq!(kept("created_at"), "\"2026-01-16T09:00:00.100000000+02:00\"");
        assert_eq!(kept("external_ref"), "\"gh-9\"");
        assert_eq!(kept("estimated_minutes"), "60.50");
        assert_eq!(kept("issue_type"), "\"decision\"");
        assert_eq!(kept("labels"), "[\"not ok\"]");
        assert_eq!(imported.as_object().map(|own| own.len()), Some(5));
        assert_eq!(draft.created_at.to_string(), "2026-01-16T07:00:00.1Z");
        assert_eq!(
            draft.completed_at.map(|at| at.to_string()).as_deref(),
            Some("2026-01-17T00:00:00Z")
        );
        assert_eq!(warnings.len(), 2);
    }

    #[test]
    fn notes_are_in_the_order_of_their_times() {
        let (draft, _) = draft(
            r#""updated_at":"2026-01-18T00:00:00Z","created_by":"ann","notes":"last",
            "comments":[{"id":2,"author":"bob","text":"second","created_at":"2026-01-17T00:00:00Z"},
            {"id":1,"author":"cy","text":"first","created_at":"2026-01-16T00:00:00Z"}]"#,
        );
        let notes: Vec<_> =
            draft.notes.iter().map(|note| (note.actor.as_str(), note.text.as_str())).collect();
        assert_eq!(notes, [("cy", "first"), ("bob", "second"), ("ann", "last")]);
        let imported = serde_json::to_string(&draft.imported).expect("JSON");
        assert!(imported.contains(r#""comments":[{"id":2},{"id":1}]"#));
    }
}
