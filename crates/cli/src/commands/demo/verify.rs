//! Compares what was acknowledged with what the store holds. Reads the files itself, without the
//! code that wrote them: what it finds is what anyone would find.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::Path;

use jerry_domain::{Event, HistoryEntry, Uid, WorkId, WorkItem};
use serde::Serialize;

use super::ledger::{Acknowledgement, Ledger, Operation, Verb, note_of};

/// What can be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Wrong {
    /// A write that was acknowledged is not there.
    Lost,
    /// Two items got one id or one uid.
    Duplicate,
    /// A file does not hold an item, or half of a write.
    Unreadable,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    pub wrong: Wrong,
    /// The item, where it is about one.
    pub item: Option<WorkId>,
    pub message: String,
}

/// The items as their files say.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub items: BTreeMap<WorkId, WorkItem>,
    /// What is no item.
    pub unreadable: Vec<String>,
}

/// What came of the comparison.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    pub findings: Vec<Finding>,
    /// How many files there are.
    pub files: usize,
    /// How many of the writes that killed agents could not tell the end of are there.
    pub unanswered_there: usize,
}

impl Verdict {
    pub(super) fn count(&self, wrong: Wrong) -> usize {
        self.findings.iter().filter(|finding| finding.wrong == wrong).count()
    }

    fn add(&mut self, wrong: Wrong, item: Option<&WorkId>, message: impl Into<String>) {
        self.findings.push(Finding { wrong, item: item.cloned(), message: message.into() });
    }
}

/// Reads every file in the folder of the items. Temporary files, which killed agents leave, are
/// none of them.
///
/// # Errors
/// When the folder cannot be read.
pub(super) fn read(folder: &Path) -> io::Result<Found> {
    let mut found = Found::default();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with('.') && name.ends_with(".tmp") {
            continue;
        }
        match serde_json::from_slice::<WorkItem>(&fs::read(&path)?) {
            Ok(item) if name == format!("{}.json", item.id) => {
                found.items.insert(item.id.clone(), item);
            }
            Ok(item) => found.unreadable.push(format!("{name} holds {}", item.id)),
            Err(error) => found.unreadable.push(format!("{name}: {error}")),
        }
    }
    Ok(found)
}

/// Holds the store against the ledger.
pub(super) fn verify(ledger: &Ledger, found: &Found) -> Verdict {
    let files = found.items.len() + found.unreadable.len();
    let mut verdict = Verdict { files, ..Verdict::default() };
    for message in found.unreadable.iter().chain(&ledger.unreadable) {
        verdict.add(Wrong::Unreadable, None, message);
    }
    duplicates(&mut verdict, ledger, found);
    for item in found.items.values() {
        whole(&mut verdict, item);
    }
    for (operation, answer) in &ledger.acknowledged {
        if let Some(why) = lost(operation, answer, found) {
            let Acknowledgement { id, version, .. } = answer;
            let (verb, request) = (operation.verb.as_str(), &operation.request);
            verdict.add(
                Wrong::Lost,
                Some(id),
                format!("{id}: {verb} {request}, acknowledged as version {version}: {why}"),
            );
        }
    }
    verdict.unanswered_there =
        ledger.unanswered.iter().filter(|operation| is_there(operation, found)).count();
    verdict
}

/// No id and no uid may have been given to two items, be they there or lost.
fn duplicates(verdict: &mut Verdict, ledger: &Ledger, found: &Found) {
    let created = ledger.acknowledged.iter().filter(|(it, _)| it.verb == Verb::Create);
    let mut ids: HashMap<&WorkId, Uid> = HashMap::new();
    let mut uids: HashMap<Uid, &WorkId> = HashMap::new();
    for (_, Acknowledgement { id, uid, .. }) in created {
        if ids.insert(id, *uid).is_some() {
            verdict.add(Wrong::Duplicate, Some(id), format!("{id} was given to two items"));
        }
        if let Some(other) = uids.insert(*uid, id) {
            let message = format!("the uid {uid} was given to {other} and to {id}");
            verdict.add(Wrong::Duplicate, Some(id), message);
        }
    }
    for (id, item) in &found.items {
        if let Some(other) = uids.insert(item.uid, id).filter(|other| *other != id) {
            let message = format!("{other} and {id} have the uid {}", item.uid);
            verdict.add(Wrong::Duplicate, Some(id), message);
        }
    }
}

/// An item's parts must agree: each version has its entry, each entry what it stands for. What
/// agents began and did not live to see the end of is there whole or not at all.
fn whole(verdict: &mut Verdict, item: &WorkItem) {
    let id = &item.id;
    let versions = item.history.iter().map(|entry| entry.version);
    if !versions.eq(1..=item.version) {
        let message = format!("{id}: version {} has gaps in its history", item.version);
        verdict.add(Wrong::Lost, Some(id), message);
    }
    let noted = item.history.iter().filter(|entry| entry.event == Event::NOTED);
    let noted = noted.map(|entry| entry.request_id.as_deref().unwrap_or_default());
    let notes = item.notes.iter().map(|note| note.text.as_str());
    if !noted.map(note_of).eq(notes) {
        let message = format!("{id}: its notes are not those that its history tells of");
        verdict.add(Wrong::Unreadable, Some(id), message);
    }
}

/// Why an acknowledged write counts as lost; `None` when it is there, once.
fn lost(operation: &Operation, answer: &Acknowledgement, found: &Found) -> Option<String> {
    let Some(item) = found.items.get(&answer.id) else {
        return Some("there is no such item".to_owned());
    };
    if item.uid != answer.uid {
        return Some(format!("the item has the uid {}, not {}", item.uid, answer.uid));
    }
    match entries(item, operation)[..] {
        [] => return Some("its history does not know of it".to_owned()),
        [entry] if entry.version == answer.version && entry.event == operation.verb.event() => {}
        [entry] => return Some(format!("its history has {} {}", entry.event, entry.version)),
        [..] => return Some("its history has it more than once".to_owned()),
    }
    let note = operation.note();
    let noted = item.notes.iter().filter(|own| own.text == note).count();
    match operation.verb {
        Verb::Create if item.title.as_str() != operation.title() => {
            Some(format!("the title is '{}'", item.title))
        }
        Verb::Note if noted != 1 => Some(format!("the note is there {noted} times")),
        _ => None,
    }
}

fn is_there(operation: &Operation, found: &Found) -> bool {
    let mut items: Box<dyn Iterator<Item = &WorkItem>> = match &operation.item {
        Some(id) => Box::new(found.items.get(id).into_iter()),
        None => Box::new(found.items.values()),
    };
    items.any(|item| !entries(item, operation).is_empty())
}

fn entries<'a>(item: &'a WorkItem, operation: &Operation) -> Vec<&'a HistoryEntry> {
    let name = operation.request.as_str();
    let asked = |entry: &&HistoryEntry| entry.request_id.as_deref() == Some(name);
    item.history.iter().filter(asked).collect()
}

#[cfg(test)]
mod tests {
    use jerry_domain::{Actor, Edit, RequestId, Stamp, Timestamp, Title, Transition};
    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    /// An item with three acknowledged writes, its ledger and its folder.
    struct Demo {
        ledger: Ledger,
        folder: tempfile::TempDir,
        file: Value,
    }

    impl Demo {
        fn new() -> Self {
            let id: WorkId = "WORK-001".parse().expect("valid");
            let operations = [Verb::Create, Verb::Start, Verb::Note].map(|verb| Operation {
                request: RequestId::new(&format!("agent-01.1-{}", verb.as_str())).expect("valid"),
                verb,
                item: (verb != Verb::Create).then(|| id.clone()),
            });
            let stamp = |operation: &Operation| Stamp {
                request_id: Some(operation.request.clone()),
                ..Stamp::new(Timestamp::UNIX_EPOCH, Actor::new("a").expect("valid"))
            };
            let [create, start, note] = &operations;
            let title = Title::new(&create.title()).expect("valid");
            let uid = Uid::try_from(7).expect("valid");
            let item = WorkItem::create(id.clone(), uid, title, &[], &stamp(create));
            let edits = [Edit::Move(Transition::Start), Edit::Note(note.note())];
            let item = item.expect("valid");
            let item = item.apply(&edits[..1], &stamp(start)).expect("allowed").expect("new");
            let item = item.apply(&edits[1..], &stamp(note)).expect("allowed").expect("new");
            let answers = operations.into_iter().zip(1..).map(|(operation, version)| {
                (operation, Acknowledgement { id: id.clone(), uid, version, micros: 1 })
            });
            let ledger = Ledger { acknowledged: answers.collect(), ..Ledger::default() };
            let file = serde_json::to_value(&item).expect("JSON");
            Self { ledger, folder: tempfile::tempdir().expect("a folder"), file }
        }

        #[expect(clippy::disallowed_methods, reason = "writes what no jerry would")]
        fn put(&self, name: &str, text: &str) {
            fs::write(self.folder.path().join(name), text).expect("written");
        }

        fn verdict(&self) -> Verdict {
            verify(&self.ledger, &read(self.folder.path()).expect("readable"))
        }
    }

    fn counts(verdict: &Verdict) -> [usize; 3] {
        [Wrong::Lost, Wrong::Duplicate, Wrong::Unreadable].map(|wrong| verdict.count(wrong))
    }

    #[rstest]
    #[case::another_title("/title", json!("Other"), [1, 0, 0])]
    #[case::another_uid("/uid", json!("8"), [3, 0, 0])]
    #[case::another_write_in_its_place("/history/2/request_id", json!("x"), [1, 0, 1])]
    #[case::another_event("/history/1/event", json!("blocked"), [1, 0, 0])]
    #[case::a_gap("/version", json!(5), [1, 0, 0])]
    #[case::a_note_that_is_no_note("/history/2/event", json!("updated"), [1, 0, 1])]
    #[case::an_entry_without_its_note("/notes", json!([]), [1, 0, 1])]
    #[case::no_item("/status", json!("lost"), [3, 0, 1])]
    fn whatever_is_wrong_with_an_item_is_found(
        #[case] place: &str,
        #[case] value: Value,
        #[case] expected: [usize; 3],
    ) {
        let mut demo = Demo::new();
        *demo.file.pointer_mut(place).expect("a field") = value;
        demo.put("WORK-001.json", &demo.file.to_string());
        let verdict = demo.verdict();
        assert_eq!(counts(&verdict), expected, "{:#?}", verdict.findings);
    }

    #[test]
    fn a_write_that_another_undid_is_lost() {
        let mut demo = Demo::new();
        undo_last(&mut demo.file);
        demo.put("WORK-001.json", &demo.file.to_string());
        assert_eq!(counts(&demo.verdict()), [1, 0, 0]);
    }

    #[test]
    fn a_note_that_is_there_twice_is_not_as_acknowledged() {
        let mut demo = Demo::new();
        let note = demo.file["notes"][0].clone();
        demo.file["notes"].as_array_mut().expect("a list").push(note);
        demo.put("WORK-001.json", &demo.file.to_string());
        assert_eq!(counts(&demo.verdict()), [1, 0, 1]);
    }

    /// The item as it was before its last write, which is whole and one version behind.
    fn undo_last(item: &mut Value) {
        item["version"] = json!(2);
        item["notes"] = json!([]);
        item["history"].as_array_mut().expect("a list").pop();
    }

    #[test]
    fn an_item_that_is_gone_is_lost_with_all_that_was_written_to_it() {
        assert_eq!(counts(&Demo::new().verdict()), [3, 0, 0]);
    }

    #[test]
    fn ids_and_uids_that_were_given_twice_are_found() {
        let mut demo = Demo::new();
        demo.put("WORK-001.json", &demo.file.to_string());
        let (operation, answer) = demo.ledger.acknowledged[0].clone();
        demo.ledger.acknowledged.push((operation, answer));
        assert_eq!(counts(&demo.verdict()), [0, 2, 0], "one id and one uid");

        let mut demo = Demo::new();
        demo.put("WORK-001.json", &demo.file.to_string());
        demo.file["id"] = "WORK-002".into();
        demo.put("WORK-002.json", &demo.file.to_string());
        assert_eq!(counts(&demo.verdict()), [0, 1, 0], "one uid in two files");
    }

    #[test]
    fn a_file_that_is_no_item_is_found_and_litter_is_not_taken_for_one() {
        let demo = Demo::new();
        let text = demo.file.to_string();
        demo.put("WORK-001.json", &text);
        demo.put(".WORK-001.json.tmp", &text[..20]);
        assert_eq!(counts(&demo.verdict()), [0, 0, 0]);
        demo.put("WORK-002.json", &text);
        demo.put("WORK-003.json", &text[..20]);
        assert_eq!(counts(&demo.verdict()), [0, 0, 2]);
    }

    #[test]
    fn what_nobody_was_told_may_be_there_or_not() {
        let mut demo = Demo::new();
        demo.put("WORK-001.json", &demo.file.to_string());
        let (note, _) = demo.ledger.acknowledged.pop().expect("three");
        demo.ledger.unanswered.push(note);
        let verdict = demo.verdict();
        assert_eq!((counts(&verdict), verdict.unanswered_there), ([0, 0, 0], 1));

        undo_last(&mut demo.file);
        demo.put("WORK-001.json", &demo.file.to_string());
        let verdict = demo.verdict();
        assert_eq!((counts(&verdict), verdict.unanswered_there), ([0, 0, 0], 0));
    }
}
