//! Import and export over the adapters in memory.

use std::collections::HashMap;
use std::path::PathBuf;

use jerry_application::{
    Export, ExportFormat, Filter, Import, ImportFormat, ImportReport, ImportSource, Ports, Ready,
    Request, render_markdown,
};
use jerry_conformance::MemoryStore;
use jerry_domain::ports::WorkItemRepository as _;
use jerry_domain::{
    Actor, Event, Graph, LinkKind, LinkTarget, Prefix, Priority, Stamp, Status, Summary, WorkId,
    WorkItem,
};
use rstest::rstest;

struct Store {
    memory: MemoryStore,
    ports: Ports,
}

impl Store {
    fn new() -> Self {
        let memory = MemoryStore::new();
        let ports = Ports {
            items: memory.items.clone(),
            ids: memory.ids.clone(),
            locks: memory.locks.clone(),
            clock: memory.clock.clone(),
            gates: Default::default(),
        };
        Self { memory, ports }
    }

    fn run(&self, format: ImportFormat, sources: &[(&str, &[u8])], dry_run: bool) -> ImportReport {
        let sources: Vec<_> = sources
            .iter()
            .map(|(name, bytes)| ImportSource { name: (*name).to_owned(), bytes: bytes.to_vec() })
            .collect();
        let import = Import::new(self.ports.clone(), work());
        let request = Request::new(Actor::new("importer").expect("valid"));
        pollster::block_on(import.import(format, &sources, dry_run, &request, None))
            .expect("imports")
    }

    fn beads(&self, lines: &str) -> ImportReport {
        self.run(ImportFormat::Beads, &[("beads.jsonl", lines.as_bytes())], false)
    }

    fn documents(&self, documents: &[(&str, &str)]) -> ImportReport {
        let documents: Vec<_> = documents.iter().map(|(n, text)| (*n, text.as_bytes())).collect();
        self.run(ImportFormat::Markdown, &documents, false)
    }

    fn jsonl(&self, lines: &str) -> ImportReport {
        self.run(ImportFormat::Jsonl, &[("items.jsonl", lines.as_bytes())], false)
    }

    fn get(&self, id: &str) -> WorkItem {
        let item = pollster::block_on(self.memory.items.get(&self::id(id))).expect("readable");
        item.unwrap_or_else(|| panic!("no {id}"))
    }

    fn summaries(&self) -> Vec<Summary> {
        let all = pollster::block_on(self.memory.items.summaries()).expect("listed");
        all.collect::<Result<_, _>>().expect("readable")
    }

    fn named(&self, external_ref: &str) -> WorkItem {
        let all = self.summaries();
        let found = all.iter().find(|item| item.external_ref.as_deref() == Some(external_ref));
        self.get(&found.unwrap_or_else(|| panic!("no {external_ref}")).id.to_string())
    }

    fn export(&self, format: ExportFormat) -> Vec<(String, String)> {
        pollster::block_on(Export::new(self.ports.clone()).export(None, format)).expect("exports")
    }

    fn delete(&self, id: &WorkId) {
        let stamp = Stamp::new(jerry_domain::Timestamp::UNIX_EPOCH, actor());
        pollster::block_on(self.memory.items.delete(id, None, &stamp)).expect("deleted");
    }

    fn exported_lines(&self) -> String {
        self.export(ExportFormat::Jsonl).remove(0).1
    }
}

fn work() -> Prefix {
    Prefix::new("WORK").expect("valid")
}

fn id(text: &str) -> WorkId {
    text.parse().expect("valid")
}

fn actor() -> Actor {
    Actor::new("someone").expect("valid")
}

const DEPENDENCIES: &str =
    "## Dependencies\n\n| Type | Work Item | Relationship |\n|---|---|---|\n";

/// One issue of beads.
fn issue(id: &str, dependencies: &[(&str, &str)]) -> String {
    let dependencies: Vec<_> = dependencies
        .iter()
        .map(|(to, kind)| serde_json::json!({"issue_id": id, "depends_on_id": to, "type": kind}))
        .collect();
    let issue = serde_json::json!({
        "id": id, "title": format!("issue {id}"), "status": "open", "priority": 2,
        "issue_type": "task", "created_at": "2026-01-16T07:21:09Z",
        "updated_at": "2026-01-17T09:06:24.443576373Z", "dependencies": dependencies,
    });
    format!("{issue}\n")
}

/// A file of the data beside the repository, or `None`, said aloud, where there is none.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn beside(name: &str) -> Option<Vec<u8>> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            eprintln!("skipped: {}: {error}", path.display());
            None
        }
    }
}

#[test]
fn five_hundred_real_issues_come_in() {
    let Some(bytes) = beside("beads-issues.jsonl") else { return };
    let store = Store::new();
    let sources = [("beads-issues.jsonl", bytes.as_slice())];
    let dry = store.run(ImportFormat::Beads, &sources, true);
    assert!(store.summaries().is_empty(), "a dry run writes nothing");
    let report = store.run(ImportFormat::Beads, &sources, false);
    let counts = |report: &ImportReport| {
        let ImportReport { imported, skipped_tombstones, dependencies, parents, links, .. } =
            *report;
        (imported, skipped_tombstones, dependencies, parents, links)
    };
    assert_eq!(counts(&report), (512, 1, 289, 133, 42));
    assert_eq!(counts(&dry), counts(&report));
    assert_eq!((&report.warnings[..], &report.rejected[..]), (&[][..], &[][..]));
    assert_eq!(report.notes, 280);
    assert!(report.ids.is_sorted(), "numbered in the file's order");

    let all = store.summaries();
    let ready = pollster::block_on(
        Ready::new(store.ports.clone()).ready(None, &Filter { limit: 0, ..Filter::default() }),
    )
    .expect("listed");
    assert_eq!(ready.items.len(), 8);
    assert!(Graph::new(&all).cycles().is_empty());

    let again = store.run(ImportFormat::Beads, &sources, false);
    assert!(again.changed_nothing());
    assert_eq!((again.imported, again.skipped_existing), (0, 512));

    let exported = store.exported_lines();
    let other = Store::new();
    assert_eq!(other.jsonl(&exported).imported, 512);
    assert_eq!(other.exported_lines(), exported);
    assert!(other.jsonl(&exported).changed_nothing());
}

/// Every field of the real file is in the item, to the letter.
#[test]
fn nothing_of_the_real_issues_is_lost() {
    let Some(bytes) = beside("beads-issues.jsonl") else { return };
    let store = Store::new();
    store.run(ImportFormat::Beads, &[("beads-issues.jsonl", &bytes)], false);
    let ids: HashMap<_, _> =
        store.summaries().into_iter().map(|item| (item.external_ref, item.id)).collect();
    for line in std::str::from_utf8(&bytes).expect("text").lines() {
        let issue: serde_json::Value = serde_json::from_str(line).expect("JSON");
        if issue["status"] == "tombstone" {
            continue;
        }
        let key = issue["id"].as_str().expect("text");
        let item = store.get(&ids[&Some(format!("beads:{key}"))].to_string());
        let text = serde_json::to_string(&item).expect("JSON");
        for (field, value) in issue.as_object().expect("object") {
            match (field.as_str(), value) {
                ("id" | "status" | "priority" | "issue_type" | "acceptance_criteria", _) => {}
                ("labels", _) => {
                    let labels = serde_json::to_value(&item.labels).expect("JSON");
                    let mut wanted = value.as_array().expect("list").clone();
                    wanted.sort_by_key(|label| label.to_string());
                    for label in wanted {
                        assert!(labels.as_array().expect("list").contains(&label));
                    }
                }
                ("comments", _) => {
                    for comment in value.as_array().expect("list") {
                        let note = item.notes.iter().find(|note| comment["text"] == note.text);
                        let note = note.expect("the comment is a note");
                        assert_eq!(comment["author"], note.actor.as_str());
                        assert_eq!(comment["created_at"], note.at.to_string());
                    }
                }
                (_, value) => {
                    let value = value.to_string();
                    assert!(text.contains(&value), "{key}: {field} {value} is lost");
                }
            }
        }
        assert_eq!(issue["close_reason"].as_str(), item.history[0].reason.as_deref(), "{key}");
        // Criteria: every word is in one of them.
        let criteria: String =
            item.acceptance_criteria.iter().map(|own| own.text.clone()).collect();
        for word in issue["acceptance_criteria"].as_str().unwrap_or_default().split("\\n") {
            let word = word.trim_start_matches("- ").lines().next().unwrap_or_default();
            let word =
                word.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(") ");
            assert!(criteria.contains(word), "{key}: {word:?} is lost");
        }
    }
}

#[test]
fn the_real_document_comes_back() {
    let Some(bytes) = beside("work-item-004.md") else { return };
    let text = String::from_utf8(bytes.clone()).expect("text");
    let store = Store::new();
    let report = store.run(ImportFormat::Markdown, &[("work-item-004.md", &bytes)], false);
    assert_eq!((report.imported, &report.ids[..]), (1, &[id("WI-004")][..]));
    assert_eq!(report.warnings.len(), 1, "WI-002 is not there: {:?}", report.warnings);
    let item = store.get("WI-004");
    assert_eq!(item.external_ref.as_deref(), Some("md:WI-004"));
    let rendered = render_markdown(&item);
    let trimmed = |text: &str| text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    assert_eq!(trimmed(&rendered).trim_end(), trimmed(&text).trim_end());

    assert_eq!(item.imported, None, "every part of it has a field");
    assert_eq!(item.acceptance_criteria.len(), 4);
    assert!(item.acceptance_criteria[2].evidence[0].text.contains("`O_CREAT | O_EXCL`"));
    assert_eq!(item.notes.len(), 3);
    assert_eq!(item.notes[1].actor.as_str(), "ps-researcher");
    let again = store.run(ImportFormat::Markdown, &[("work-item-004.md", &bytes)], false);
    assert!(again.changed_nothing());
    assert_eq!(again.skipped_existing, 1);
}

#[test]
fn order_does_not_matter() {
    let lines =
        [issue("a", &[("b", "blocks"), ("c", "parent-child")]), issue("b", &[]), issue("c", &[])];
    let forwards = Store::new();
    forwards.beads(&lines.concat());
    let backwards = Store::new();
    backwards.beads(&lines.iter().rev().cloned().collect::<String>());
    for store in [forwards, backwards] {
        let (a, b, c) = (store.named("beads:a"), store.named("beads:b"), store.named("beads:c"));
        assert_eq!(a.depends_on, [b.reference()]);
        assert_eq!(a.parent, Some(c.reference()));
    }
}

#[test]
fn what_comes_later_is_found_by_what_waited_for_it() {
    let store = Store::new();
    let first = store.beads(&issue("a", &[("b", "blocks"), ("b", "relates-to")]));
    assert_eq!((first.dependencies, first.links), (0, 2));
    assert_eq!(first.warnings.len(), 1);
    let a = store.named("beads:a");
    assert_eq!(a.links[0].target, LinkTarget::External("beads:b".to_owned()));

    let second = store.beads(&issue("b", &[]));
    assert_eq!(second.resolved, 1);
    let (a, b) = (store.named("beads:a"), store.named("beads:b"));
    assert_eq!(a.depends_on, [b.reference()]);
    assert_eq!(a.links.len(), 1);
    assert_eq!(a.links[0].target, LinkTarget::Item(b.reference()));
    assert_eq!(a.version, 2);
    assert!(store.beads(&(issue("a", &[("b", "blocks")]) + &issue("b", &[]))).changed_nothing());
}

#[test]
fn a_ring_is_never_written() {
    let store = Store::new();
    let lines = issue("a", &[("b", "blocks")]) + &issue("b", &[("a", "blocks"), ("b", "blocks")]);
    let report = store.beads(&lines);
    assert_eq!((report.imported, report.dependencies, report.links), (2, 1, 2));
    assert_eq!(report.warnings.len(), 2);
    assert_eq!(report.warnings[0].line, Some(2));
    assert!(Graph::new(&store.summaries()).cycles().is_empty());
    assert!(store.beads(&lines).changed_nothing());
}

#[test]
fn a_ring_over_two_runs_is_never_written() {
    let store = Store::new();
    store.beads(&issue("a", &[("b", "blocks")]));
    let report = store.beads(&issue("b", &[("a", "blocks")]));
    assert_eq!(report.resolved + report.dependencies, 1);
    assert!(Graph::new(&store.summaries()).cycles().is_empty());
}

#[test]
fn what_cannot_be_imported_is_reported_and_the_rest_goes_in() {
    let mut bytes = b"\xef\xbb\xbf".to_vec();
    bytes.extend(issue("good", &[]).bytes());
    bytes.extend(b"\n{\"id\": \"cut off\n");
    bytes.extend(b"\xff\xfe\n\0\0\0\n");
    bytes.extend("{\"a\":".repeat(10_000).bytes().chain(*b"\n"));
    bytes.extend(issue("long", &[]).replace("issue long", &"x".repeat(10_000_000)).bytes());
    bytes.extend(issue("bell", &[]).replace("issue bell", "ring\\u0007").bytes());
    bytes.extend(issue("twice", &[]).replace('{', "{\"title\":\"x\",").bytes());
    bytes.extend(issue("urgent", &[]).replace("\"priority\":2", "\"priority\":7").bytes());
    bytes.extend(issue("good", &[]).bytes());
    bytes.extend(
        issue("huge", &[])
            .replace("\"open\"", &format!("\"open\",\"x\":\"{}\"", "x".repeat(5 << 20)))
            .bytes(),
    );
    bytes.extend(issue("last", &[("huge", "blocks")]).bytes());
    let store = Store::new();
    let report = store.run(ImportFormat::Beads, &[("f", &bytes)], false);
    let rejected: Vec<_> =
        report.rejected.iter().map(|own| (own.line, own.reason.as_str())).collect();
    let lines: Vec<_> = rejected.iter().map(|(line, _)| *line).collect();
    assert_eq!(lines, [3, 4, 5, 6, 7, 8, 9, 10, 11, 12], "{rejected:?}");
    for (place, part) in [
        (0, "EOF"),
        (1, "not valid UTF-8"),
        (2, "expected value"),
        (3, "recursion limit"),
        (4, "10000000 characters"),
        (5, "'\\u{7}'"),
        (6, "occurs twice"),
        (7, "unknown priority"),
        (8, "the same item as in f:1"),
        (9, "the limit is"),
    ] {
        let said = rejected[place].1;
        let said = if place == 5 { said.replace("'\\u{7}'", part) } else { said.to_owned() };
        assert!(said.contains(part), "{said}");
    }
    assert_eq!(report.imported, 2);
    let last = store.named("beads:last");
    assert_eq!(
        last.links[0].kind,
        LinkKind::DependsOn,
        "what was rejected is depended on by nobody"
    );
}

#[test]
fn an_import_that_broke_off_is_completed() {
    let lines = issue("a", &[("b", "blocks"), ("c", "blocks"), ("d", "parent-child")])
        + &issue("b", &[("c", "blocks")])
        + &issue("c", &[])
        + &issue("d", &[]);
    let store = Store::new();
    let ids = store.beads(&lines).ids;
    let before = store.exported_lines();
    for id in &ids[1..] {
        store.memory.items.remove_by_hand(id);
    }
    let report = store.beads(&lines);
    assert_eq!((report.imported, report.skipped_existing), (3, 1));
    assert_eq!(store.exported_lines(), before);
}

#[test]
fn an_item_keeps_its_identity_when_its_number_is_taken() {
    let source = Store::new();
    source.beads(&(issue("a", &[("b", "blocks")]) + &issue("b", &[])));
    let lines = source.exported_lines();
    let store = Store::new();
    let taken = source.named("beads:a").id.clone();
    let other = format!("# {taken}: Other\n\n| Field | Value |\n|---|---|\n| UID | 77 |\n");
    store.documents(&[("other.md", &other)]);
    let report = store.jsonl(&lines);
    assert_eq!(report.imported, 2);
    assert_eq!(report.renumbered.len(), 1);
    let (a, b) = (store.named("beads:a"), store.named("beads:b"));
    assert_eq!(report.renumbered[0].to.as_ref(), Some(&a.id));
    assert_eq!(b.reference(), source.named("beads:b").reference());
    assert_eq!(a.uid, source.named("beads:a").uid);
    assert_eq!(a.depends_on[0].uid, Some(b.uid));
    assert_eq!(a.history.last().map(|entry| entry.event.clone()), Some(Event::RENUMBERED));
    assert!(store.jsonl(&lines).changed_nothing());
}

/// Of two items of one number the second gets a new one: not that of an item which it waits for
/// without saying which.
#[test]
fn a_new_number_is_none_that_the_input_points_at() {
    let source = Store::new();
    source.beads(&issue("a", &[]));
    let first = source.exported_lines();
    let item = source.named("beads:a");
    let own = item.id.number();
    let needed = (1..=40).filter(|number| *number != own);
    let needed: Vec<_> = needed.map(|number| format!("{{\"id\":\"WORK-{number:03}\"}}")).collect();
    let needed = format!("\"depends_on\":[{}]", needed.join(","));
    let second = first
        .replace(&item.uid.to_string(), "77")
        .replace("beads:a", "other:a")
        .replace("\"depends_on\":[]", &needed);
    let lines = first + &second;
    let store = Store::new();
    let report = store.jsonl(&lines);
    assert_eq!((report.imported, report.rejected.len()), (2, 0), "{report:?}");
    let renumbered = store.named("other:a");
    assert!(renumbered.id.number() > 40, "{}", renumbered.id);
    assert!(renumbered.depends_on.iter().all(|needed| needed.uid != Some(renumbered.uid)));
    assert!(store.jsonl(&lines).changed_nothing());
}

#[test]
fn what_was_deleted_here_stays_deleted() {
    let source = Store::new();
    let id = source.beads(&issue("a", &[])).ids.remove(0);
    let lines = source.exported_lines();
    source.delete(&id);
    let report = source.jsonl(&lines);
    assert_eq!((report.imported, report.skipped_tombstones), (0, 1));
    let report = source.beads(&issue("a", &[]));
    assert_eq!((report.imported, report.skipped_tombstones), (0, 1));
    assert!(report.changed_nothing());

    let store = Store::new();
    store.documents(&[("a.md", "# WI-004: Something\n")]);
    store.delete(&self::id("WI-004"));
    let report = store.documents(&[("a.md", "# WI-004: Something\n")]);
    assert_eq!((report.imported, report.skipped_tombstones), (0, 1));
}

#[test]
fn documents_find_each_other() {
    let first = format!("# WI-001: First\n\n{DEPENDENCIES}| Depends On | WI-2, WI-003 | both |\n");
    let store = Store::new();
    store.documents(&[("1.md", &first), ("2.md", "# WI-002: Second\n")]);
    let item = store.get("WI-001");
    assert_eq!(item.depends_on[0].uid, Some(store.get("WI-002").uid));
    assert_eq!(item.depends_on[0].note.as_deref(), Some("both"));
    assert_eq!(item.links[0].kind, LinkKind::DependsOn);
    assert!(render_markdown(&item).contains("| Depends On | WI-002, WI-003 | both |"));
    let report = store.documents(&[("3.md", "# WI-003: Third\n")]);
    assert_eq!(report.resolved, 1);
    let item = store.get("WI-001");
    assert_eq!(item.depends_on[1].note.as_deref(), Some("both"));
    assert!(item.links.is_empty());
}

#[test]
fn a_document_whose_id_is_taken_gets_a_new_one() {
    let store = Store::new();
    let taken = store.beads(&issue("other", &[])).ids.remove(0);
    let first = format!("# {taken}: Mine\n");
    let second = format!("# NEXT-002: Next\n\n{}| Depends On | {taken} | |\n", DEPENDENCIES);
    let report = store.documents(&[("1.md", &first), ("2.md", &second)]);
    assert_eq!((report.imported, report.renumbered.len()), (2, 1));
    let mine = store.named(&format!("md:{taken}"));
    assert_ne!(mine.id, taken);
    let meant = store.get("NEXT-002").depends_on[0].uid;
    assert_eq!(meant, Some(mine.uid), "the document's, not the one that was there");
}

#[test]
fn exported_documents_are_recognised() {
    let store = Store::new();
    store.beads(&(issue("a", &[("b", "blocks")]) + &issue("b", &[])));
    let documents = store.export(ExportFormat::Markdown);
    let documents: Vec<_> = documents.iter().map(|(n, t)| (n.as_str(), t.as_str())).collect();
    assert_eq!(documents[0].0, format!("{}.md", store.named("beads:a").id));
    assert!(store.documents(&documents).changed_nothing());
    let other = Store::new();
    assert_eq!(other.documents(&documents).imported, 2);
    assert_eq!(other.named("beads:a").depends_on, [other.named("beads:b").reference()]);
}

#[rstest]
#[case("open", Status::Pending, None)]
#[case("in_progress", Status::InProgress, None)]
#[case("blocked", Status::Blocked, None)]
#[case("closed", Status::Completed, None)]
#[case("deferred", Status::Blocked, Some("deferred"))]
fn statuses_are_mapped(#[case] there: &str, #[case] here: Status, #[case] kept: Option<&str>) {
    let store = Store::new();
    store.beads(&issue("a", &[]).replace("\"open\"", &format!("\"{there}\"")));
    let item = store.named("beads:a");
    assert_eq!(item.status, here);
    let imported = item.imported.as_ref().and_then(|own| own.get("status"));
    assert_eq!(imported.and_then(|own| own.as_str()), kept);
}

#[rstest]
#[case(0, Priority::Critical, false)]
#[case(1, Priority::High, false)]
#[case(2, Priority::Medium, false)]
#[case(3, Priority::Low, false)]
#[case(4, Priority::Low, true)]
fn priorities_are_mapped(#[case] there: u8, #[case] here: Priority, #[case] labelled: bool) {
    let store = Store::new();
    let line = issue("a", &[]).replace("\"priority\":2", &format!("\"priority\":{there}"));
    store.beads(&line);
    let item = store.named("beads:a");
    assert_eq!((item.priority, item.labels.len() == 1), (here, labelled));
}

#[test]
fn progress_is_told() {
    let store = Store::new();
    let mut told = Vec::new();
    let sources = [ImportSource { name: "f".into(), bytes: issue("a", &[]).into_bytes() }];
    let import = Import::new(store.ports.clone(), work());
    let mut progress = |done, total| told.push((done, total));
    let request = Request::new(actor());
    let import = import.import(ImportFormat::Beads, &sources, false, &request, Some(&mut progress));
    pollster::block_on(import).expect("imports");
    assert_eq!(told, [(0, 1), (1, 1)]);
}

/// What no Rust number holds comes back as it stood there.
#[test]
fn numbers_of_a_line_are_kept_to_the_letter() {
    let line = r#"{"schema":1,"id":"WORK-007","uid":"7","version":1,"type":"task","title":"T",
        "status":"pending","priority":"low","created_at":"2026-01-01T00:00:00Z",
        "updated_at":"2026-01-01T00:00:00Z","x":[18446744073709551616,-0,1.10,0.00]}"#;
    let store = Store::new();
    assert_eq!(store.jsonl(&line.replace('\n', "")).rejected, []);
    let lines = store.exported_lines();
    assert!(lines.contains(r#""x":[18446744073709551616,-0,1.10,0.00]}"#), "{lines}");
}

/// A document of the greatest size is read in one pass, whatever it is full of.
#[test]
fn a_document_full_of_one_thing_is_read_at_once() {
    let table = "## Evidence\n\n| Criterion | Evidence | Source |\n|--|--|--|\n";
    let unknown = "| AC-1 | a | b |\n".repeat(100_000);
    let list = (1..30_000).map(|n| format!("- AC-{n}: a\n")).collect::<String>();
    let proofs = (1..30_000).map(|n| format!("| AC-{n} | a | b |\n")).collect::<String>();
    for document in [
        format!("# A\n\n{}\n", "&#".repeat(1_000_000)),
        format!("# A\n\n{table}{unknown}"),
        format!("# A\n\n## Acceptance Criteria\n\n{list}\n{table}{proofs}"),
    ] {
        Store::new().documents(&[("a.md", &document)]);
    }
}
