//! What holds for every merge of two versions of an item that went their own ways.

use jerry_domain::testing::{extra, item, stamp, title, uid, work_id, writes};
use jerry_domain::{Credentials, Edit, HistoryEntry, RequestId, Stamp, WorkItem};
use proptest::prelude::*;

fn pretty(item: &WorkItem) -> String {
    serde_json::to_string_pretty(item).expect("an item serialises")
}

fn parse(text: &str) -> WorkItem {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// `first` and what it became by each write that was accepted and changed something.
fn after_each(first: &WorkItem, writes: &[(Vec<Edit>, Stamp)]) -> Vec<WorkItem> {
    writes.iter().fold(vec![first.clone()], |mut versions, (edits, stamp)| {
        let last = versions.last().expect("never empty");
        if let Ok(Some(next)) = last.apply(edits, stamp) {
            versions.push(next);
        }
        versions
    })
}

fn same_write(one: &HistoryEntry, other: &HistoryEntry) -> bool {
    (one.at, one.version, &one.event, &one.changes)
        == (other.at, other.version, &other.event, &other.changes)
        && (&one.actor, &one.reason, &one.request_id)
            == (&other.actor, &other.reason, &other.request_id)
}

/// An item as two branches have it, version by version, both from one.
#[derive(Debug)]
struct Fork {
    base: WorkItem,
    ours: Vec<WorkItem>,
    theirs: Vec<WorkItem>,
}

impl Fork {
    fn tips(&self) -> (&WorkItem, &WorkItem) {
        (self.ours.last().expect("never empty"), self.theirs.last().expect("never empty"))
    }
}

/// Boxed, as its parts are: the trees of values are larger than a thread's stack in a debug build.
fn fork() -> BoxedStrategy<Fork> {
    let created = (work_id(), uid(), title(), stamp()).prop_map(|(id, uid, title, stamp)| {
        WorkItem::create(id, uid, title, &[], &stamp).expect("no edit, no refusal")
    });
    let first = prop_oneof![created.boxed(), item().boxed()].boxed();
    // What a later version of jerry, or a person, wrote on one side.
    let unknown = (extra(), extra());
    let writes = || writes().boxed();
    (first, writes(), writes(), writes(), unknown.boxed())
        .prop_map(|(first, common, ours, theirs, unknown)| {
            let base = after_each(&first, &common).pop().expect("never empty");
            let with = |unknown| {
                let mut record = base.clone().into_record();
                if base.history.len().is_multiple_of(2) {
                    record.extra = unknown;
                }
                WorkItem::try_from(record).expect("valid")
            };
            let (ours, theirs) =
                (after_each(&with(unknown.0), &ours), after_each(&with(unknown.1), &theirs));
            Fork { base, ours, theirs }
        })
        .boxed()
}

proptest! {
    // Each case reads and writes a whole history many times.
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn both_directions_make_the_same(fork in fork()) {
        let (ours, theirs) = fork.tips();
        for base in [Some(&fork.base), None] {
            let one = WorkItem::merge(base, ours, theirs).expect("merges");
            let other = WorkItem::merge(base, theirs, ours).expect("merges");
            prop_assert_eq!(pretty(&one), pretty(&other));
            prop_assert_eq!(pretty(&parse(&pretty(&one))), pretty(&one), "it can be read again");
        }
    }

    #[test]
    fn every_version_of_both_lines_is_rebuilt(fork in fork()) {
        let (ours, theirs) = fork.tips();
        let merged = WorkItem::merge(Some(&fork.base), ours, theirs).expect("merges");
        prop_assume!(ours != theirs);
        prop_assert_eq!(merged.version, ours.version.max(theirs.version) + 1);
        let merged = parse(&pretty(&merged));
        let (main, other) = match merged.at_version(ours.version.max(theirs.version)) {
            Ok(main) if main == *ours => (&fork.ours, &fork.theirs),
            _ => (&fork.theirs, &fork.ours),
        };
        for earlier in main {
            let rebuilt = merged.at_version(earlier.version).expect("the main line");
            prop_assert_eq!(pretty(&rebuilt), pretty(earlier));
        }
        let line = merged.merged_at(merged.version).expect("a merge");
        // Unknown fields have no order that a pointer could restore.
        prop_assert_eq!(&line, other.last().expect("never empty"));
        for earlier in other {
            let rebuilt = line.at_version(earlier.version).expect("the other line");
            prop_assert_eq!(&rebuilt, earlier);
        }
    }

    #[test]
    fn what_was_said_on_either_side_stays_said(fork in fork()) {
        let (ours, theirs) = fork.tips();
        let merged = WorkItem::merge(Some(&fork.base), ours, theirs).expect("merges");
        for side in [ours, theirs] {
            prop_assert!(side.notes.iter().all(|note| merged.notes.contains(note)));
            prop_assert!(side.findings.iter().all(|own| merged.findings.contains(own)));
            let criteria = &merged.acceptance_criteria;
            let other = if side == ours { theirs } else { ours };
            for own in &side.acceptance_criteria {
                let was_there = fork.base.acceptance_criteria.iter().any(|base| base.id == own.id);
                let is_gone = !other.acceptance_criteria.iter().any(|their| their.id == own.id);
                let is_said = criteria.iter().any(|merged| merged.text == own.text);
                prop_assert!(is_said || (was_there && is_gone), "{:?}", own);
            }
        }
        let added = |label| ours.labels.contains(label) || theirs.labels.contains(label);
        prop_assert!(merged.labels.iter().all(added));
        for label in ours.labels.iter().filter(|label| !fork.base.labels.contains(label)) {
            prop_assert!(merged.labels.contains(label));
        }
    }

    #[test]
    fn a_side_that_changed_nothing_has_no_say(fork in fork()) {
        let (ours, _) = fork.tips();
        let merged = WorkItem::merge(Some(&fork.base), ours, &fork.base).expect("merges");
        let contents = |item: &WorkItem| {
            let mut record = item.clone().into_record();
            (record.version, record.updated_at) = (1, fork.base.updated_at);
            record.history.clear();
            record
        };
        let fields = |item: &WorkItem| serde_json::to_value(contents(item)).expect("serialises");
        let (merged, ours) = (fields(&merged), fields(ours));
        for (field, value) in merged.as_object().expect("an object") {
            prop_assert_eq!(Some(value), ours.get(field), "{}", field);
        }
    }

    #[test]
    fn a_line_that_was_merged_once_is_known_ever_after(fork in fork(), more in writes()) {
        let (ours, theirs) = fork.tips();
        let merged = WorkItem::merge(Some(&fork.base), ours, theirs).expect("merges");
        let later = after_each(&merged, &more).pop().expect("never empty");
        for known in fork.ours.iter().chain(&fork.theirs) {
            prop_assert_eq!(later.absorb(known).expect("merges"), None);
            prop_assert_eq!(&WorkItem::merge(None, known, &later).expect("merges"), &later);
        }
        // What the other branch wrote since is merged again, and again both lines are there.
        let further = after_each(theirs, &more).pop().expect("never empty");
        let again = WorkItem::merge(Some(theirs), &merged, &further).expect("merges");
        let back = WorkItem::merge(Some(theirs), &further, &merged).expect("merges");
        prop_assert_eq!(pretty(&again), pretty(&back));
        prop_assert!(again.absorb(&merged).expect("merges").is_none());
        prop_assert!(again.absorb(&further).expect("merges").is_none());
    }

    #[test]
    fn files_of_several_items_lose_none(one in fork(), other in fork()) {
        prop_assume!(one.base.uid != other.base.uid);
        let (ours, theirs) = (one.tips().0, other.tips().0);
        let name = &ours.id;
        let file = WorkItem::merge_files(None, ours, theirs, name).expect("merges");
        let back = WorkItem::merge_files(None, theirs, ours, name).expect("merges");
        prop_assert_eq!(pretty(&file), pretty(&back));
        let file = parse(&pretty(&file));
        prop_assert_eq!(&file.id, name);
        let items = file.in_file();
        for item in [ours, theirs] {
            prop_assert_eq!(items.get(&item.uid), Some(item));
        }
        // The branches go on, one with the item alone, one with both.
        let later = WorkItem::merge_files(Some(ours), one.tips().1, &file, name).expect("merges");
        let back = WorkItem::merge_files(Some(ours), &file, one.tips().1, name).expect("merges");
        prop_assert_eq!(pretty(&later), pretty(&back));
        prop_assert_eq!(later.in_file().len(), 2);
        // The other branch gave the younger a number of its own: it stays taken out.
        let apart = WorkItem::merge_files(Some(&file), &later, ours, name).expect("merges");
        prop_assert!(!apart.in_file().contains_key(&theirs.uid));
    }
}

proptest! {
    // Each case is many merges.
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn two_branches_that_merge_each_other_for_ever_keep_every_write_once(
        fork in fork(),
        rounds in proptest::collection::vec((any::<bool>(), title(), stamp()), 1..6),
    ) {
        let (mut ours, mut theirs) = (fork.tips().0.clone(), fork.tips().1.clone());
        let mut base = fork.base.clone();
        for (made, (is_ours, title, stamp)) in rounds.into_iter().enumerate() {
            let stamp = Stamp { credentials: Credentials { force: true, ..Credentials::default() }, ..stamp };
            let said = format!("{made}");
            let write = |item: &WorkItem, side: &str, count: usize| (0..count).fold(item.clone(), |item, n| {
                let edits = [Edit::Note(format!("{side} {said} {n}")), Edit::Title(title.clone())];
                let request_id = RequestId::new(&format!("{side}-{said}-{n}")).ok();
                    let stamp = Stamp { request_id, ..stamp.clone() };
                    item.apply(&edits, &stamp).expect("allowed").expect("a note")
            });
            // Now one line is the longer, now the other.
            let counts = if is_ours { (1, 3) } else { (3, 1) };
            let (before_ours, before_theirs) = (write(&ours, "ours", counts.0), write(&theirs, "theirs", counts.1));
            let merged = WorkItem::merge(Some(&base), &before_ours, &before_theirs).expect("merges");
            prop_assert!(merged.absorb(&before_ours).expect("merges").is_none());
            prop_assert!(merged.absorb(&before_theirs).expect("merges").is_none());
            // One branch takes the merge, the other goes on from its own.
            (ours, theirs, base) = (merged, before_theirs.clone(), before_theirs);
        }
        let text = pretty(&ours);
        let merged = parse(&text);
        for earlier in fork.base.version..merged.version {
            prop_assert!(merged.at_version(earlier).is_ok());
        }
        let all = merged.history.iter().flat_map(|entry| {
            let line = entry.merged.iter().flat_map(|line| line.history.iter().chain(&line.further));
            std::iter::once(entry).chain(line)
        });
        let all: Vec<_> = all.collect();
        for entry in &all {
            let twice = all.iter().filter(|other| same_write(other, entry)).count();
            prop_assert_eq!(twice, 1, "{:?}", entry);
            let inner = entry.merged.iter().flat_map(|line| &line.history);
            prop_assert!(inner.flat_map(|entry| &entry.merged).all(|line| line.history.is_empty()));
        }
    }
}
