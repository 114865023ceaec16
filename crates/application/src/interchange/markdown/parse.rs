//! From a document to a draft.

use std::collections::{HashMap, HashSet};

use jerry_domain::{
    Actor, Artifact, CheckId, Evidence, Extra, Label, Note, Phase, Source, Timestamp, Title,
};
use serde_json::{Map, Value, json};

use super::super::draft::{Draft, DraftCheck, Name};
use super::fields::{self, Relation};
use super::inline::{self, Place};
use super::render::implied_update;
use super::sections::{self, Entry, Line, Section};
use super::{
    ARTIFACTS, CRITERIA, DEPENDENCIES, DESCRIPTION, EVIDENCE, FINDINGS, LOG, SOURCES, SUBTASKS,
    block,
};

/// Why a document cannot be imported: the line, and the reason.
type Fault = (usize, String);

/// Reads one document, which the report calls `name`. Beside the draft: what of it does not have
/// the form, with the lines.
///
/// # Errors
/// The line and the reason why it is no document that can be imported.
pub(crate) fn parse(
    text: &str,
    name: &str,
    now: Timestamp,
) -> Result<(Draft, Vec<(usize, String)>), Fault> {
    let outline = sections::outline(text);
    let heading = outline.heading.map(|heading| inline::decode(heading, Place::Line));
    let mut reader = Reader::new(&outline.preamble, heading, name, now)?;
    let meaning = |part: &Section<'_>| super::section(&inline::decode(part.title, Place::Line));
    let mut sections: Vec<_> = outline.sections.iter().map(|part| (meaning(part), part)).collect();
    // Evidence is told from what only stands in its section by the criteria.
    sections.sort_by_key(|(meaning, _)| *meaning != Some(CRITERIA));
    let mut seen = Vec::new();
    for (meaning, part) in sections {
        let lines = trimmed(&part.lines);
        match meaning {
            Some(known) if !seen.contains(&known) => {
                reader.section(known, lines)?;
                // One that says nothing is not written, and must not take another's place.
                if reader.has(known) {
                    seen.push(known);
                }
            }
            Some(_) => {
                reader.warn(part.line, "the section stands there twice: kept as it is");
                reader.keep(part, lines);
            }
            None => reader.keep(part, lines),
        }
    }
    Ok(reader.finish())
}

fn trimmed<'a, 'b>(lines: &'b [Line<'a>]) -> &'b [Line<'a>] {
    let texts: Vec<_> = lines.iter().map(|(_, line)| *line).collect();
    let blank = texts.iter().take_while(|line| line.trim().is_empty()).count();
    let kept = block::trimmed(&texts).len();
    &lines[blank.min(lines.len() - kept)..][..kept]
}

fn decode_block(lines: &[Line<'_>]) -> String {
    let lines: Vec<_> = trimmed(lines).iter().map(|(_, line)| *line).collect();
    block::decode(&lines)
}

struct Reader {
    draft: Draft,
    warnings: Vec<(usize, String)>,
    updated: Option<Timestamp>,
    created: Option<Timestamp>,
    /// The place of each criterion that has an id.
    criteria: HashMap<CheckId, usize>,
    kept: Kept,
}

/// What the item has no field for.
#[derive(Default)]
struct Kept {
    fields: Map<String, Value>,
    preamble: String,
    sections: Vec<Value>,
    rest: Map<String, Value>,
}

/// The table of fields; what is taken out of it is known.
struct Fields<'a>(Vec<(usize, &'a str, &'a str)>);

impl Fields<'_> {
    /// Takes a field; `None` where it is missing or says that there is nothing.
    fn take(&mut self, name: &str) -> Option<(usize, String)> {
        let place = self.0.iter().position(|(_, own, _)| sections::key(own) == name)?;
        let (line, _, cell) = self.0.remove(place);
        (!fields::is_absent(cell)).then(|| (line, inline::decode(cell, Place::Cell)))
    }

    fn parsed<T, E: ToString>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<Option<T>, Fault> {
        let Some((line, text)) = self.take(name) else { return Ok(None) };
        parse(&text).map(Some).map_err(|error| (line, error.to_string()))
    }

    fn time(&mut self, name: &str) -> Result<Option<Timestamp>, Fault> {
        self.parsed(name, |text| {
            fields::parse_time(text).ok_or_else(|| format!("{name} is not a time: {text:?}"))
        })
    }
}

impl Reader {
    /// Begins with the heading and the table of fields.
    fn new(
        preamble: &[Line<'_>],
        heading: Option<String>,
        file: &str,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let table = sections::table(preamble).filter(|table| table.header == ["field", "value"]);
        let (rows, rest) = match table {
            Some(table) => (table.rows, table.rest),
            None => (Vec::new(), preamble.to_vec()),
        };
        let mut seen = HashSet::new();
        for ((line, _), cells) in &rows {
            if !seen.insert(sections::key(cells[0])) {
                return Err((*line, format!("the field {:?} stands there twice", cells[0])));
            }
        }
        let rows = rows.iter().map(|((line, _), cells)| (*line, cells[0], cells[1]));
        let mut fields = Fields(rows.collect());

        let named = heading.as_deref().and_then(|heading| heading.split_once(": "));
        let name = fields.take("id").map(|(_, id)| id);
        let name = name
            .or_else(|| named.map(|(id, _)| id.to_owned()).filter(|id| fields::id(id).is_some()));
        let id = name.as_deref().and_then(fields::id);
        let name = id.as_ref().map(ToString::to_string).or(name);
        let title = match fields.parsed("title", Title::new)? {
            Some(title) => title,
            None => {
                let heading = heading.as_deref().ok_or((1, "it has no title".to_owned()))?;
                let own = name.as_ref().and_then(|name| heading.strip_prefix(&format!("{name}: ")));
                Title::new(own.unwrap_or(heading)).map_err(|error| (1, error.to_string()))?
            }
        };
        let mut draft = Draft::new(title, now);
        let usual = format!("{}: {}", name.as_deref().unwrap_or_default(), draft.title);
        draft.heading = heading.filter(|heading| *heading != usual && !heading.is_empty());
        draft.item_type = fields.parsed("type", str::parse)?.unwrap_or_default();
        draft.status = fields.parsed("status", str::parse)?.unwrap_or_default();
        draft.priority = fields.parsed("priority", str::parse)?.unwrap_or_default();
        draft.phase = fields.parsed("phase", Phase::new)?;
        draft.assignee = fields.parsed("assignee", Actor::new)?;
        let labels = |text: &str| {
            let labels = text.split(',').map(str::trim).filter(|label| !label.is_empty());
            labels.map(Label::new).collect::<Result<Vec<_>, _>>()
        };
        draft.labels = fields.parsed("labels", labels)?.unwrap_or_default();
        draft.parent = fields.take("parent").map(|(_, parent)| self::name(&parent, None));
        let created = fields.time("created")?;
        draft.started_at = fields.time("started")?;
        draft.completed_at = fields.time("completed")?;
        draft.due_at = fields.time("due")?;
        let updated = fields.time("updated")?;
        draft.uid = fields.parsed("uid", str::parse)?;
        draft.external_ref = fields.take("external ref").map(|(_, key)| key);
        if draft.external_ref.is_none() && draft.uid.is_none() {
            let stem = || file.rsplit(['/', '\\']).next().unwrap_or(file).trim_end_matches(".md");
            draft.external_ref = Some(format!("md:{}", name.as_deref().unwrap_or_else(stem)));
        }
        draft.name = name;
        draft.id = id;

        let mut kept = Kept { preamble: decode_block(&rest), ..Kept::default() };
        for (_, name, value) in fields.0 {
            let name = name.trim().trim_matches('*').trim();
            let value = Value::String(inline::decode(value, Place::Cell));
            kept.fields.insert(inline::decode(name, Place::Cell), value);
        }
        let (warnings, criteria) = (Vec::new(), HashMap::new());
        Ok(Self { draft, warnings, updated, created, criteria, kept })
    }

    fn warn(&mut self, line: usize, message: impl Into<String>) {
        self.warnings.push((line, message.into()));
    }

    /// Keeps a section that has no place in an item.
    fn keep(&mut self, section: &Section<'_>, lines: &[Line<'_>]) {
        let title = inline::decode(section.title, Place::Line);
        self.kept.sections.push(json!({ "title": title, "text": decode_block(lines) }));
    }

    /// Keeps lines of a known section that are not of its form.
    fn keep_rest(&mut self, title: &str, lines: &[Line<'_>]) {
        let lines = trimmed(lines);
        let Some((line, _)) = lines.first() else { return };
        self.warn(*line, format!("not of the form of '{title}': kept as it is"));
        self.kept.rest.insert(title.to_owned(), Value::String(decode_block(lines)));
    }

    /// Whether anything is known that stands in a section.
    fn has(&self, title: &str) -> bool {
        let draft = &self.draft;
        let read = match title {
            DESCRIPTION => draft.description.is_some(),
            CRITERIA => !draft.criteria.is_empty(),
            EVIDENCE => draft.criteria.iter().any(|criterion| !criterion.evidence.is_empty()),
            SUBTASKS => !draft.subtasks.is_empty(),
            FINDINGS => !draft.findings.is_empty(),
            LOG => !draft.notes.is_empty(),
            DEPENDENCIES => {
                draft.parent.is_some() || !draft.needs.is_empty() || !draft.links.is_empty()
            }
            ARTIFACTS => !draft.artifacts.is_empty(),
            _ => !draft.sources.is_empty(),
        };
        read || self.kept.rest.contains_key(title)
    }

    /// Reads a known section; what of it has not its form is kept beside.
    fn section(&mut self, title: &'static str, lines: &[Line<'_>]) -> Result<(), Fault> {
        match title {
            DESCRIPTION => {
                self.draft.description = Some(decode_block(lines)).filter(|text| !text.is_empty());
            }
            CRITERIA | SUBTASKS | FINDINGS | ARTIFACTS | SOURCES => {
                let (entries, rest) = sections::list(lines);
                self.keep_rest(title, &rest);
                for entry in entries {
                    match title {
                        CRITERIA => self.criterion(check(&entry)?),
                        SUBTASKS => self.draft.subtasks.push(check(&entry)?),
                        FINDINGS => self.draft.findings.push(entry.text()),
                        ARTIFACTS => self.draft.artifacts.push(artifact(&entry)),
                        _ => self.draft.sources.push(source(&entry)),
                    }
                }
            }
            _ => self.table(title, lines),
        }
        Ok(())
    }

    fn table(&mut self, title: &'static str, lines: &[Line<'_>]) {
        let Some(table) = sections::table(lines).filter(|table| table.header.len() == 3) else {
            return self.keep_rest(title, lines);
        };
        let columns: [&[&str]; 3] = match title {
            EVIDENCE => [&["criterion", "criteria"], &["evidence"], &["source"]],
            LOG => [
                &["timestamp", "time", "date"],
                &["update", "note", "entry"],
                &["actor", "author", "who"],
            ],
            _ => [&["type"], &["work item", "item"], &["relationship", "reason", "note"]],
        };
        let column =
            |names: &[&str]| table.header.iter().position(|own| names.contains(&own.as_str()));
        let places: Vec<_> = columns.into_iter().filter_map(column).collect();
        let [first, second, third] = places[..] else { return self.keep_rest(title, lines) };
        let mut rest = table.rest;
        for (line, cells) in &table.rows {
            let cells = [cells[first], cells[second], cells[third]];
            let fits = match title {
                EVIDENCE => self.evidence(cells),
                LOG => self.note(cells),
                _ => self.dependency(cells),
            };
            if fits.is_none() {
                rest.push(*line);
            }
        }
        let says_more = rest.iter().any(|(_, line)| !line.trim().is_empty());
        if says_more && rest.len() + 2 == lines.len() {
            // Without its head, the rows would be lines of something else when they are read again.
            return self.keep_rest(title, lines);
        }
        rest.sort_by_key(|(number, _)| *number);
        self.keep_rest(title, &rest);
    }

    fn criterion(&mut self, check: DraftCheck) {
        if let Some(id) = &check.id {
            self.criteria.entry(id.clone()).or_insert(self.draft.criteria.len());
        }
        self.draft.criteria.push(check);
    }

    fn evidence(&mut self, [criterion, text, source]: [&str; 3]) -> Option<()> {
        let criterion = inline::decode(criterion.trim().trim_matches('*'), Place::Cell);
        let criterion = CheckId::new(&criterion).ok()?;
        let Some(place) = self.criteria.get(&criterion).copied() else {
            self.draft.missing.push(criterion);
            return None;
        };
        let source = inline::decode(source, Place::Cell);
        self.draft.criteria[place].evidence.push(Evidence {
            text: inline::decode(text, Place::Cell),
            source: Some(source).filter(|source| !source.is_empty()),
            extra: Extra::new(),
        });
        Some(())
    }

    fn note(&mut self, [at, text, actor]: [&str; 3]) -> Option<()> {
        let actor = inline::decode(actor, Place::Cell);
        let actor = if actor.trim().is_empty() { "unknown" } else { &actor };
        self.draft.notes.push(Note {
            at: fields::parse_time(&inline::decode(at, Place::Cell))?,
            actor: Actor::new(actor).ok()?,
            text: inline::decode(text, Place::Cell),
            extra: Extra::new(),
        });
        Some(())
    }

    fn dependency(&mut self, [relation, targets, note]: [&str; 3]) -> Option<()> {
        let relation = Relation::parse(&sections::key(relation))?;
        let note = Some(inline::decode(note, Place::Cell)).filter(|note| !note.is_empty());
        let targets: Vec<_> =
            targets.split(',').map(str::trim).filter(|target| !target.is_empty()).collect();
        let full =
            relation == Relation::Parent && (targets.len() != 1 || self.draft.parent.is_some());
        if targets.is_empty() || full {
            return None;
        }
        for target in targets {
            let name = name(&inline::decode(target, Place::Name), note.clone());
            match relation {
                Relation::Parent => self.draft.parent = Some(name),
                Relation::DependsOn => self.draft.needs.push(name),
                Relation::Link(kind) => self.draft.links.push((kind, name)),
            }
        }
        Some(())
    }

    fn finish(mut self) -> (Draft, Vec<(usize, String)>) {
        let draft = &mut self.draft;
        let noted = draft.notes.iter().map(|note| note.at);
        let others = draft.started_at.into_iter().chain(draft.completed_at).chain(noted);
        let others: Vec<_> = others.collect();
        draft.created_at =
            self.created.or_else(|| others.iter().copied().min()).unwrap_or(draft.created_at);
        draft.updated_at = self.updated.unwrap_or_else(|| implied_update(draft.created_at, others));
        let Kept { fields, preamble, sections, rest } = self.kept;
        let mut document = Map::new();
        let mut keep = |key: &str, value: Value, empty: bool| {
            if !empty {
                document.insert(key.to_owned(), value);
            }
        };
        keep("fields", Value::Object(fields.clone()), fields.is_empty());
        keep("preamble", Value::String(preamble.clone()), preamble.is_empty());
        keep("sections", Value::Array(sections.clone()), sections.is_empty());
        keep("rest", Value::Object(rest.clone()), rest.is_empty());
        if !document.is_empty() {
            draft.imported = Some(json!({ "document": document }));
        }
        self.warnings.sort_by_key(|(line, _)| *line);
        (self.draft, self.warnings)
    }
}

fn name(text: &str, note: Option<String>) -> Name {
    let id = fields::id(text);
    let text = id.as_ref().map_or_else(|| text.to_owned(), ToString::to_string);
    let key = if text.contains(':') { text.clone() } else { format!("md:{text}") };
    Name { text, key, id, note }
}

fn check(entry: &Entry) -> Result<DraftCheck, Fault> {
    let first = entry.raw[0].as_str();
    let (done, first) = match first.split_at_checked(3) {
        Some(("[ ]", rest)) => (false, rest),
        Some(("[x]" | "[X]", rest)) => (true, rest),
        _ => (false, first),
    };
    let (id, first) = named(first.trim_start());
    let id = id.map(CheckId::new).transpose().map_err(|error| (entry.line, error.to_string()))?;
    let mut raw = entry.raw.clone();
    raw[0] = first.to_owned();
    let text = Entry { line: entry.line, raw }.text();
    Ok(DraftCheck { id, text, done, evidence: Vec::new() })
}

/// The id that the text of a checklist entry begins with, and the rest.
fn named(text: &str) -> (Option<&str>, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if let Some(id) = word.strip_prefix("{#").and_then(|word| word.strip_suffix('}')) {
        return (Some(id), rest);
    }
    match word.strip_suffix(':').map(|id| id.trim_matches('*')) {
        Some(id) if fields::is_plain_check_id(id) => (Some(id), rest),
        _ => (None, text),
    }
}

fn artifact(entry: &Entry) -> Artifact {
    let text = entry.raw.join("\n");
    let (kind, rest) = match kind(&text) {
        Some((kind, rest)) => (Some(inline::decode(kind, Place::Line)), rest),
        None => (None, text.as_str()),
    };
    let (title, url) = place(rest);
    Artifact { kind, title, url, extra: Extra::new() }
}

fn source(entry: &Entry) -> Source {
    let (title, url) = place(&entry.raw.join("\n"));
    Source { title, url, extra: Extra::new() }
}

/// `**kind**: rest`.
pub(super) fn kind(text: &str) -> Option<(&str, &str)> {
    let (kind, rest) = text.strip_prefix("**")?.split_once("**:")?;
    Some((kind, rest.trim_start()))
}

/// `[title](url)`, and nothing else.
pub(super) fn link(text: &str) -> Option<(&str, &str)> {
    text.trim().strip_prefix('[')?.strip_suffix(')')?.split_once("](")
}

fn place(text: &str) -> (String, Option<String>) {
    let decode = |text| inline::decode(text, Place::Line);
    match link(text) {
        Some((title, url)) => (decode(title), Some(decode(url))),
        None => (decode(text), None),
    }
}
