//! What an import takes: issues of beads, jerry's own lines, documents. Each goes all the way into
//! a store in memory, whose adapters check every write, and out again.

use jerry_application::{
    Export, ExportFormat, Import, ImportFormat, ImportReport, ImportSource, Ports, Request,
};
use jerry_conformance::MemoryStore;
use jerry_domain::{Actor, LinkKind, Prefix, Record};
use jerry_infra_fs::proof;

use crate::item::ITEM;
use crate::json::{Fields, Json, Kept, kept};
use crate::{Target, difference, must};

pub(crate) const BEADS: Target = Target {
    name: "beads",
    words: &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"",
        "\n",
        "null",
        "\"id\":",
        "\"title\":",
        "\"status\":",
        "\"open\"",
        "\"closed\"",
        "\"tombstone\"",
        "\"priority\":",
        "4",
        "1E5",
        "-0",
        "1.10",
        "\"labels\":",
        "\"dependencies\":",
        "\"depends_on_id\":",
        "\"type\":",
        "\"blocks\"",
        "\"parent-child\"",
        "\"discovered-from\"",
        "\"comments\":",
        "\"notes\":",
        "\"author\":",
        "\"text\":",
        "\"acceptance_criteria\":",
        "- [ ] ",
        "1) ",
        "\\n",
        "\\u0000",
        "\"created_at\":",
        "\"2026-01-16T09:00:00.100000000+02:00\"",
        "\"$serde_json::private::Number\"",
        "x-1",
        "18446744073709551616",
    ],
    rewrite: |bytes| lines_of(bytes, ImportFormat::Beads),
    again: |bytes| lines_of(bytes, ImportFormat::Jsonl),
    laws: |bytes, written| {
        twice(bytes, ImportFormat::Beads)?;
        let items: Vec<_> =
            lines(written).map(|(_, line)| Json::read(line)).collect::<Result<_, _>>()?;
        for (_, line) in lines(bytes) {
            let Ok(issue) = Json::read(line).map(Json::respelt) else { continue };
            let key = match issue.get("id") {
                Some(Json::Text(id)) => Json::Text(format!("beads:{id}")),
                _ => continue,
            };
            let imported = items.iter().find(|item| item.get("external_ref") == Some(&key));
            // What a line before it has taken the name of, and what was refused.
            let Some(item) = imported else { continue };
            if lines(bytes).filter(|(_, line)| has_id(line, &issue)).count() == 1 {
                let nothing = Json::Object(Vec::new());
                let rest = item.get("imported").filter(|rest| matches!(rest, Json::Object(_)));
                kept_aside(&issue, rest.unwrap_or(&nothing))?;
            }
        }
        Ok(())
    },
};

pub(crate) const JSONL: Target = Target {
    name: "jsonl",
    words: super::item::TARGET.words,
    rewrite: |bytes| lines_of(bytes, ImportFormat::Jsonl),
    again: |bytes| lines_of(bytes, ImportFormat::Jsonl),
    laws: |bytes, written| {
        twice(bytes, ImportFormat::Jsonl)?;
        // With several, or where a number was taken, some stay out and others are changed.
        let mut given = lines(bytes);
        if let (Some((_, line)), None) = (given.next(), given.next()) {
            let before = Json::read(line)?.respelt();
            kept(&before, &Json::read(written)?, ITEM)?;
        }
        Ok(())
    },
};

pub(crate) const MARKDOWN: Target = Target {
    name: "markdown",
    words: &[
        "# ",
        "## ",
        "### ",
        "\n",
        "\r\n",
        "\n\n",
        "---\n",
        "| ",
        " |",
        "|",
        "|---|---|\n",
        "**",
        "`",
        "``",
        "```\n",
        "~~~\n",
        "\\",
        "\\|",
        "<br>",
        "&#96;",
        "&#",
        ";",
        "- ",
        "- [ ] ",
        "- [x] ",
        "1. ",
        "  ",
        "\t",
        "[",
        "](",
        ")",
        "{#",
        "}",
        "AC-1: ",
        "ST-001.1: ",
        "**: ",
        ",",
        ": ",
        "WORK-001",
        "beads:x",
        "Field",
        "Value",
        "ID",
        "Title",
        "Status",
        "Created",
        "2026-01-12",
        "Description",
        "Acceptance Criteria",
        "Evidence",
        "Sub-tasks",
        "Key Findings",
        "Progress Log",
        "Dependencies",
        "Related Artifacts",
        "Sources",
        "\u{7}",
        "\u{a0}",
        "—",
        "ü",
    ],
    rewrite: |bytes| document(bytes).map(|(_, document)| document),
    again: |bytes| document(bytes).map(|(_, document)| document),
    laws: |bytes, written| {
        let (Some((before, _)), Some((after, _))) = (document(bytes), document(written)) else {
            return Err("the document cannot be read again".to_owned());
        };
        // Which of the kept parts stood first is not said.
        must(before == after, || {
            let text = |record: &Record| format!("{record:#?}").into_bytes();
            difference("its document gives another item", &text(&before), &text(&after))
        })
    },
};

/// Imports into a new store.
fn import(bytes: &[u8], format: ImportFormat) -> Option<(Ports, ImportReport)> {
    let store = MemoryStore::new();
    let MemoryStore { items, ids, locks, clock } = store;
    let ports = Ports { items, ids, locks, clock, gates: Default::default() };
    let report = import_into(&ports, bytes, format)?;
    Some((ports, report))
}

fn import_into(ports: &Ports, bytes: &[u8], format: ImportFormat) -> Option<ImportReport> {
    let import = Import::new(ports.clone(), Prefix::new("WORK").ok()?);
    let sources = [ImportSource { name: "some/file.md".to_owned(), bytes: bytes.to_vec() }];
    let request = Request::new(Actor::new("importer").ok()?);
    pollster::block_on(import.import(format, &sources, false, &request, None)).ok()
}

fn export(ports: &Ports, format: ExportFormat) -> Option<Vec<(String, String)>> {
    pollster::block_on(Export::new(ports.clone()).export(None, format)).ok()
}

/// What jerry exports after an import.
fn lines_of(bytes: &[u8], format: ImportFormat) -> Option<Vec<u8>> {
    let (ports, report) = import(bytes, format)?;
    let (_, lines) = export(&ports, ExportFormat::Jsonl)?.pop()?;
    (report.imported > 0).then(|| lines.into_bytes())
}

/// The item of a document, without what differs at each import, and its own document.
fn document(bytes: &[u8]) -> Option<(Record, Vec<u8>)> {
    let (ports, report) = import(bytes, ImportFormat::Markdown)?;
    let id = report.ids.first()?;
    let item = pollster::block_on(ports.items.get(id)).ok()??;
    let (_, document) = export(&ports, ExportFormat::Markdown)?.pop()?;
    let mut record = item.into_record();
    record.uid = jerry_domain::Uid::try_from(1).ok()?;
    record.history.clear();
    // The document writes what is needed before the other links.
    record.links.sort_by_key(|link| link.kind != LinkKind::DependsOn);
    Some((record, document.into_bytes()))
}

/// A second import of the same finds everything there.
fn twice(bytes: &[u8], format: ImportFormat) -> Result<(), String> {
    let Some((ports, first)) = import(bytes, format) else { return Ok(()) };
    let second = import_into(&ports, bytes, format).ok_or("the second import failed")?;
    must(second.imported == 0, || format!("the second import brought {:?}", second.ids))?;
    must(second.skipped_existing >= first.imported, || {
        format!("{} came in and {} were found", first.imported, second.skipped_existing)
    })?;
    for (_, line) in lines(&lines_of(bytes, format).unwrap_or_default()) {
        let item = proof::item(line).map_err(|error| error.to_string())?;
        proof::item_text(line, &item).ok_or("an item cannot be written")?;
    }
    Ok(())
}

fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|byte| *byte == b'\n').enumerate();
    lines.filter(|(_, line)| !line.trim_ascii().is_empty())
}

fn has_id(line: &[u8], issue: &Json) -> bool {
    Json::read(line).is_ok_and(|own| own.get("id").is_some() && own.get("id") == issue.get("id"))
}

/// The fields of an issue that have a place in an item; all others are kept as they are.
const ISSUE: Fields = &[
    ("id", Kept::Known),
    ("title", Kept::Known),
    ("description", Kept::Known),
    ("status", Kept::Known),
    ("priority", Kept::Known),
    ("issue_type", Kept::Known),
    ("assignee", Kept::Known),
    ("labels", Kept::Known),
    ("created_at", Kept::Known),
    ("updated_at", Kept::Known),
    ("started_at", Kept::Known),
    ("closed_at", Kept::Known),
    ("due_at", Kept::Known),
    ("close_reason", Kept::Known),
    ("acceptance_criteria", Kept::Known),
    ("notes", Kept::Known),
    ("comments", Kept::Known),
    ("dependencies", Kept::Known),
];

fn kept_aside(issue: &Json, rest: &Json) -> Result<(), String> {
    let Json::Object(fields) = issue else { return Ok(()) };
    for (key, value) in fields.iter().filter(|(key, _)| ISSUE.iter().all(|(own, _)| own != key)) {
        let now = rest.get(key);
        must(now == Some(value), || format!("{key} was {value:?} and became {now:?}"))?;
    }
    Ok(())
}
