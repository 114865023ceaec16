//! What the document can say comes back from it.

use jerry_domain::{
    Actor, Artifact, CheckId, Evidence, Extra, ItemRef, ItemType, Label, Link, LinkKind,
    LinkTarget, Note, Phase, Priority, Record, Source, Stamp, Status, Timestamp, Title, Uid,
    WorkId, WorkItem,
};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use rstest::rstest;

use super::super::draft::{Draft, DraftCheck, Found, Name, References};
use super::{parse, render};

fn now() -> Timestamp {
    Timestamp::UNIX_EPOCH
}

fn id(text: &str) -> WorkId {
    text.parse().expect("valid")
}

fn uid(value: u64) -> Uid {
    Uid::try_from(value).expect("valid")
}

/// The item of a draft, where the names that `known` has mean items.
fn item(draft: Draft, known: &[ItemRef]) -> WorkItem {
    let found = |name: &Name| {
        let item = known.iter().find(|own| Some(&own.id) == name.id.as_ref());
        item.map_or(Found::Nothing, |item| Found::Item(item.clone().with_note(None)))
    };
    let references = References {
        parent: draft.parent.as_ref().map(found),
        needs: draft.needs.iter().map(found).collect(),
        links: draft.links.iter().map(|(_, name)| found(name)).collect(),
    };
    let (own, uid) = (draft.id.clone().expect("an id"), draft.uid.unwrap_or(uid(1)));
    let stamp = Stamp::new(now(), Actor::new("importer").expect("valid"));
    draft.into_item(own, uid, references, &stamp).expect("valid")
}

fn read(text: &str) -> (Draft, Vec<(usize, String)>) {
    parse(text, "file.md", now()).expect("a document")
}

const DOCUMENT: &str = "\
# WI-7: A heading of its own

| Field | Value |
|-------|-------|
| **ID** | WI-007 |
| **Title** | Fix `a | b` \\| c |
| **Type** | Bug |
| **Status** | IN_PROGRESS |
| **Priority** | HIGH |
| **Phase** | P1 |
| **Assignee** | Ada |
| **Labels** | cli, fast |
| **Created** | 2026-01-12 |
| **Started** | 2026-01-12T08:30:00Z |
| **Due** | 2026-02-01 |
| **Sprint** | 12 |

> Written by hand.

---

## Description

One.

### Deeper

```sh
## not a section
```

---

## Acceptance Criteria

Some words first.

- [x] AC-007.1: First
  over two lines
- [ ] {#odd} Second

---

## Evidence

| Criterion | Evidence | Source |
|-----------|----------|--------|
| AC-007.1 | seen | log |
| AC-007.1 | again |  |

---

## Key Findings

1. One
2. Two

---

## Dependencies

| Type | Work Item | Relationship |
|------|-----------|--------------|
| Parent | WI-001 |  |
| Depends On | WI-002, WI-003 | both |
| Discovered From | beads:x, the wiki | there |

---

## Related Artifacts

- **Report**: [title](../a.md)
- **Report**: on paper
- loose

---

## Risks

- [ ] unknown section
";

#[test]
fn a_document_comes_back() {
    let (draft, warnings) = read(DOCUMENT);
    assert_eq!(warnings, [(36, "not of the form of 'Acceptance Criteria': kept as it is".into())]);
    let known = ["WI-001", "WI-002"].map(|name| ItemRef::new(id(name), uid(9)));
    let item = item(draft, &known);
    assert_eq!(render(&item), DOCUMENT);
    assert_eq!(item.depends_on.len(), 1);
    assert_eq!(item.links.len(), 3);
    assert_eq!(item.acceptance_criteria[0].text, "First\nover two lines");
    assert_eq!(item.acceptance_criteria[0].evidence.len(), 2);
    assert_eq!(item.acceptance_criteria[1].id.as_str(), "odd");
    assert_eq!(item.artifacts[1].title, "on paper");
}

#[test]
fn what_stands_in_fenced_code_is_no_table_and_no_list() {
    let code =
        "```\n| Criterion | Evidence | Source |\n|--|--|--|\n| AC-1 | a | b |\n- [x] AC-1: c\n```";
    for title in ["Evidence", "Acceptance Criteria"] {
        let (draft, _) = read(&format!("# WI-001: A\n\n## {title}\n\n{code}\n"));
        assert_eq!(draft.criteria, []);
        assert!(render(&item(draft, &[])).contains(code));
    }
}

#[test]
fn a_section_that_says_nothing_takes_no_place() {
    let (draft, warnings) = read("# WI-001: A\n\n## Sources\n\n## Sources\n\n- one\n");
    assert_eq!((draft.sources.len(), warnings), (1, vec![]));
}

#[test]
fn a_field_of_any_name_keeps_it() {
    let table = "# WI-001: A\n\n| Field | Value |\n|--|--|\n";
    for name in ["Cre\\|ated", "Status&#42;", "Status&#58;"] {
        let (draft, _) = read(&format!("{table}| **{name}** | b |\n"));
        let document = render(&item(draft, &[]));
        assert!(document.contains(&format!("\n| **{name}** | b |\n")), "{document}");
    }
}

#[test]
fn windows_line_ends_are_the_same_document() {
    assert_eq!(read(&DOCUMENT.replace('\n', "\r\n")).0, read(DOCUMENT).0);
}

#[test]
fn sections_come_in_any_order() {
    let text = "# WI-001: A\n\n## Evidence\n\n| Criterion | Evidence | Source |\n|--|--|--|\n\
                | AC-1 | seen | |\n| AC-2 | lost | |\n\n## Acceptance Criteria\n\n- [x] AC-1: One\n";
    let (draft, warnings) = read(text);
    assert_eq!(draft.criteria[0].evidence[0].text, "seen");
    assert_eq!(warnings, [(8, "not of the form of 'Evidence': kept as it is".into())]);
    assert!(render(&item(draft, &[])).contains("\n| AC-2 | lost | |\n"));
}

/// What is kept has the order in which it stood, however often it is read and written.
#[rstest]
#[case::a_row_for_no_criterion("| AC-9 | lost | |\n| AC-1 | seen | |\n\nText.\n", 1)]
#[case::no_row_that_fits(
    "| AC-9 | lost | |\n\n| Criterion | Evidence | Source |\n|--|--|--|\n| AC-1 | seen | |\n",
    0
)]
#[case::no_row("\n| Criterion | Evidence | Source |\n|--|--|--|\n| AC-1 | seen | |\n", 0)]
fn what_is_no_evidence_stays_where_it_stands(#[case] rows: &str, #[case] evidence: usize) {
    let head = "# WORK-001: A\n\n## Acceptance Criteria\n\n- [x] AC-1: One\n\n---\n\n## Evidence\n";
    let table = "| Criterion | Evidence | Source |\n|-----------|----------|--------|\n";
    let first = item(read(&format!("{head}\n{table}{rows}")).0, &[]);
    assert_eq!(first.acceptance_criteria[0].evidence.len(), evidence);
    let written = render(&first);
    let second = item(read(&written).0, &[]);
    let mut later = written.lines();
    let kept = rows.lines().filter(|line| !line.contains("seen"));
    assert!(kept.into_iter().all(|line| later.any(|own| own == line)), "{written}");
    assert_eq!(second.imported, first.imported);
    assert_eq!(second.acceptance_criteria, first.acceptance_criteria);
    assert_eq!(render(&second), written);
}

#[test]
fn no_criterion_is_given_an_id_that_evidence_names() {
    let text = "# WORK-001: A\n\n## Acceptance Criteria\n\n- [x] One\n\n## Evidence\n\n\
                | Criterion | Evidence | Source |\n|--|--|--|\n| AC-001.1 | seen | |\n";
    let item = item(read(text).0, &[]);
    assert_eq!(item.acceptance_criteria[0].id.as_str(), "AC-001.2");
    assert_eq!(read(&render(&item)).0.criteria[0].evidence, []);
}

#[rstest]
#[case("no heading\n", 1, "no title")]
#[case("# A\n\n| Field | Value |\n|--|--|\n| **Status** | LATER |\n", 5, "unknown status")]
#[case("# A\n\n| Field | Value |\n|--|--|\n| Created | soon |\n", 5, "not a time")]
#[case("# A\n\n| Field | Value |\n|--|--|\n| ID | A-1 |\n| id | A-2 |\n", 6, "twice")]
#[case("# \u{1b}[2J\n", 1, "character")]
fn what_is_wrong_is_said_with_its_line(
    #[case] text: &str,
    #[case] line: usize,
    #[case] said: &str,
) {
    let (at, reason) = parse(text, "file.md", now()).expect_err("refused");
    assert_eq!(at, line);
    assert!(reason.contains(said), "{reason}");
}

#[rstest]
#[case("# WI-7: A\n", "md:WI-007")]
#[case("# A\n", "md:notes")]
#[case("# A\n\n| Field | Value |\n|--|--|\n| ID | FEAT |\n", "md:FEAT")]
fn a_document_has_a_key(#[case] text: &str, #[case] key: &str) {
    let (draft, _) = parse(text, "some/notes.md", now()).expect("a document");
    assert_eq!(draft.external_ref.as_deref(), Some(key));
}

fn text() -> impl Strategy<Value = String> {
    let pieces = [
        "|", "`", "``", "\\", "<br>", "&#96;", " ", "\n", "\n\n", "\t", "\r", "- ", "1. ", "# ",
        "## ", "---", "```\n", "~~~", "[x] ", "](", "[", ")", "**", "**: ", "{#", "AC-1: ", ",",
        "word", "ü", "\u{a0}", "\u{7}", "-", "—",
    ];
    prop::collection::vec(select(pieces.to_vec()), 1..8).prop_map(|pieces| pieces.concat())
}

/// A text that is not blank, for values that do not tell blank from absent.
fn said() -> impl Strategy<Value = String> {
    text().prop_map(|text| format!("{text}."))
}

fn line() -> impl Strategy<Value = String> {
    said().prop_map(|text| text.chars().filter(|c| !c.is_control()).collect::<String>())
}

fn time() -> impl Strategy<Value = Timestamp> {
    let second = |second| Timestamp::from_second(second).expect("in range");
    prop_oneof![
        (0i64..20_000).prop_map(move |day| second(day * 86_400)),
        (0i64..2_000_000_000).prop_map(second),
        (0i64..2_000_000_000, 0i32..1_000_000_000)
            .prop_map(|(s, ns)| Timestamp::new(s, ns).expect("in range")),
    ]
}

fn check() -> impl Strategy<Value = DraftCheck> {
    let evidence = (text(), prop::option::of(said())).prop_map(|(text, source)| Evidence {
        text,
        source,
        extra: Extra::new(),
    });
    (text(), any::<bool>(), prop::collection::vec(evidence, 0..3))
        .prop_map(|(text, done, evidence)| DraftCheck { id: None, text, done, evidence })
}

fn link() -> impl Strategy<Value = Link> {
    let target = prop_oneof![
        (1u64..9)
            .prop_map(|n| { LinkTarget::Item(ItemRef::new(id(&format!("WI-00{n}")), uid(n))) }),
        line().prop_map(LinkTarget::External),
    ];
    (select(&LinkKind::ALL[..]), target, prop::option::of(said()))
        .prop_map(|(kind, target, note)| Link { kind, target, note, extra: Extra::new() })
}

fn record() -> impl Strategy<Value = Record> {
    let place = || (prop::option::of(said()), text(), prop::option::of(text()));
    let head = (line(), prop::option::of(said()), prop::option::of(text()), any::<[Index; 3]>());
    let people = (prop::option::of(line()), prop::option::of(line()), text());
    let times = (time(), time(), prop::option::of(time()), prop::option::of(time()));
    let lists = (
        prop::collection::vec(check(), 0..4),
        prop::collection::vec(check(), 0..4),
        prop::collection::vec((time(), line(), text()), 0..4),
        prop::collection::vec(text(), 0..4),
        prop::collection::vec(place(), 0..4),
        prop::collection::vec(link(), 0..5),
    );
    let parts = (head, people, times, lists, any::<bool>(), prop::option::of(said()));
    parts.prop_map(|(head, people, times, lists, odd, external_ref)| {
        let (title, heading, description, [kind, status, priority]) = head;
        let (phase, assignee, label) = people;
        let (created_at, updated_at, started_at, due_at) = times;
        let (criteria, subtasks, notes, findings, places, links) = lists;
        let mut draft = Draft::new(Title::new(&title).expect("valid"), created_at);
        draft.heading = heading;
        draft.description = description;
        draft.item_type = *kind.get(&ItemType::ALL);
        draft.status = *status.get(&Status::ALL);
        draft.priority = *priority.get(&Priority::ALL);
        draft.phase = phase.map(|phase| Phase::new(&phase).expect("valid"));
        draft.assignee = assignee.map(|name| Actor::new(&name).expect("valid"));
        draft.labels = Label::new(&label).into_iter().collect();
        (draft.updated_at, draft.started_at, draft.due_at) = (updated_at, started_at, due_at);
        (draft.criteria, draft.subtasks) = (criteria, subtasks);
        if let Some(check) = draft.criteria.first_mut().filter(|_| odd) {
            check.id = Some(CheckId::new("odd|`}:").expect("valid"));
        }
        draft.subtasks.iter_mut().for_each(|own| own.evidence.clear());
        let note = |(at, actor, text): (_, String, _)| Note {
            at,
            actor: Actor::new(&actor).expect("valid"),
            text,
            extra: Extra::new(),
        };
        draft.notes = notes.into_iter().map(note).collect();
        draft.findings = findings;
        for (kind, title, url) in places {
            let (title, url) = (title.clone(), url.clone());
            draft.sources.push(Source {
                title: title.clone(),
                url: url.clone(),
                extra: Extra::new(),
            });
            draft.artifacts.push(Artifact { kind, title, url, extra: Extra::new() });
        }
        draft.external_ref = external_ref;
        draft.id = Some(id("WI-042"));
        draft.uid = Some(uid(42));
        let mut record = item(draft, &[]).into_record();
        for link in links {
            match (link.kind, link.target) {
                (LinkKind::DependsOn, LinkTarget::Item(needed)) => {
                    if !record.depends_on.iter().any(|own| own.same_target(&needed)) {
                        record.depends_on.push(needed.with_note(link.note));
                    }
                }
                (LinkKind::Duplicates, LinkTarget::Item(parent)) => {
                    record.parent = Some(parent.with_note(link.note));
                }
                (_, target) => record.links.push(Link { target, ..link }),
            }
        }
        // The document writes what is needed before the other links.
        record.links.sort_by_key(|link| link.kind != LinkKind::DependsOn);
        record
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn whatever_a_document_can_say_comes_back(record in record()) {
        let known: Vec<_> = (1..9).map(|n| ItemRef::new(id(&format!("WI-00{n}")), uid(n))).collect();
        let item = WorkItem::try_from(record).expect("valid");
        let document = render(&item);
        let (draft, warnings) = parse(&document, "file.md", now()).expect("a document");
        prop_assert!(warnings.is_empty(), "{:?}\n{}", warnings, document);
        let draft = Draft { uid: Some(item.uid), ..draft };
        let mut read = self::item(draft, &known).into_record();
        let mut wrote = item.into_record();
        // Blank lines around a description are the document's own.
        for record in [&mut read, &mut wrote] {
            let lines = record.description.take();
            let lines: Vec<_> = lines.iter().flat_map(|text| text.split('\n')).collect();
            let blank = |line: &&str| line.trim().is_empty();
            let start = lines.iter().take_while(|line| blank(line)).count();
            let end = lines.iter().rev().take_while(|line| blank(line)).count();
            let kept = lines.get(start..lines.len() - end).unwrap_or_default().join("\n");
            record.description = Some(kept).filter(|text| !text.is_empty());
            record.history.clear();
        }
        prop_assert_eq!(read, wrote, "{}", document);
    }
}
