//! What holds for every item and every sequence of writes.

use jerry_domain::testing::{edit, item, item_ref, json, number, stamp, title, work_id, writes};
use jerry_domain::{
    Edit, Event, FieldChange, HistoryEntry, InvalidItem, ItemRef, Refusal, Stamp, Transition, Uid,
    UnknownVersion, WorkId, WorkItem,
};
use proptest::prelude::*;
use serde_json::Value;

fn pretty(item: &WorkItem) -> String {
    serde_json::to_string_pretty(item).expect("an item serialises")
}

fn parse(text: &str) -> WorkItem {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// An item that has its whole history: created here, then written.
fn written() -> impl Strategy<Value = Vec<WorkItem>> {
    let uid = jerry_domain::testing::uid();
    (work_id(), uid, title(), stamp(), writes()).prop_map(|(id, uid, title, stamp, writes)| {
        let first = WorkItem::create(id, uid, title, &[], &stamp).expect("no edit, no refusal");
        after_each(first, &writes)
    })
}

/// `first` and what it became by each write that was accepted and changed something.
fn after_each(first: WorkItem, writes: &[(Vec<Edit>, Stamp)]) -> Vec<WorkItem> {
    writes.iter().fold(vec![first], |mut versions, (edits, stamp)| {
        let last = versions.last().expect("never empty");
        if let Ok(Some(next)) = last.apply(edits, stamp) {
            versions.push(next);
        }
        versions
    })
}

proptest! {
    #[test]
    fn any_item_round_trips_byte_identically(item in item()) {
        let once = pretty(&item);
        let again = parse(&once);
        prop_assert_eq!(&again, &item);
        prop_assert_eq!(pretty(&again), once);
        let compact = serde_json::to_string(&item).expect("serialises");
        prop_assert_eq!(pretty(&parse(&compact)), pretty(&item));
    }

    #[test]
    fn unknown_values_are_kept_to_the_letter(value in json(), number in number()) {
        let extra = format!(r#","x":{value},"y":{number},"a":[{number}]}}"#);
        for mut text in [small_item().to_owned(), pretty(&parse(small_item()))] {
            text.truncate(text.rfind('}').expect("an object"));
            text.push_str(&extra);
            let kept = serde_json::to_string(&parse(&text)).expect("serialises");
            prop_assert!(kept.ends_with(&extra), "{} became {}", extra, kept);
        }
    }

    #[test]
    fn any_writes_keep_the_invariants(versions in written()) {
        for (before, after) in versions.iter().zip(&versions[1..]) {
            prop_assert_eq!(after.version, before.version + 1);
            prop_assert_eq!(after.history.len(), before.history.len() + 1);
            prop_assert_eq!(&after.history[..before.history.len()], &before.history[..]);
            prop_assert!(after.notes.starts_with(&before.notes));
            prop_assert_eq!(&after.uid, &before.uid);
            prop_assert_eq!(&after.created_at, &before.created_at);
        }
        for item in &versions {
            let numbers = item.history.iter().map(|entry| entry.version);
            prop_assert!(numbers.eq(1..=item.version), "contiguous from 1");
            prop_assert_eq!(item.history.last().expect("an entry").at, item.updated_at);
            prop_assert!(item.labels.is_sorted_by(|one, next| one < next));
            let valid = WorkItem::try_from(item.clone().into_record());
            prop_assert_eq!(&valid.expect("still valid"), item);
            prop_assert_eq!(pretty(&parse(&pretty(item))), pretty(item));
        }
    }

    #[test]
    fn every_earlier_version_is_rebuilt_exactly(versions in written()) {
        let last = parse(&pretty(versions.last().expect("never empty")));
        for earlier in &versions {
            let rebuilt = last.at_version(earlier.version).expect("within the history");
            prop_assert_eq!(pretty(&rebuilt), pretty(earlier));
        }
        for beyond in [0, last.version + 1] {
            let out = matches!(last.at_version(beyond), Err(UnknownVersion::OutOfReach { .. }));
            prop_assert!(out, "{}", beyond);
        }
    }

    #[test]
    fn an_item_from_elsewhere_goes_back_to_where_it_came_in(first in item(), writes in writes()) {
        let versions = after_each(first, &writes);
        let last = versions.last().expect("never empty");
        for earlier in &versions {
            let rebuilt = last.at_version(earlier.version).expect("within the history");
            prop_assert_eq!(pretty(&rebuilt), pretty(earlier));
        }
    }

    #[test]
    fn writes_keep_unknown_fields(first in item(), writes in writes()) {
        let extra = first.extra.clone();
        let kept: Vec<_> = first.notes.iter().map(|note| note.extra.clone()).collect();
        for item in after_each(first, &writes) {
            prop_assert_eq!(&item.extra, &extra);
            let notes = item.notes.iter().map(|note| &note.extra);
            prop_assert!(notes.take(kept.len()).eq(&kept));
        }
    }

    #[test]
    fn a_write_is_all_or_nothing(item in item(), edits in proptest::collection::vec(edit(), 1..6), mut stamp in stamp()) {
        // A request is made once: one by one, only the first edit would be.
        stamp.request_id = None;
        let before = pretty(&item);
        let one_by_one = edits.iter().try_fold(item.clone(), |item, edit| {
            Ok::<_, Refusal>(item.apply(std::slice::from_ref(edit), &stamp)?.unwrap_or(item))
        });
        let at_once = item.apply(&edits, &stamp);
        prop_assert_eq!(pretty(&item), before);
        if let (Ok(one_by_one), Ok(at_once)) = (one_by_one, at_once) {
            let mut one_by_one = one_by_one.into_record();
            let mut at_once = at_once.unwrap_or(item).into_record();
            one_by_one.version = 1;
            at_once.version = 1;
            one_by_one.history.clear();
            at_once.history.clear();
            one_by_one.updated_at = at_once.updated_at;
            // The fence is the version that the claim made.
            for claim in [&mut one_by_one.claim, &mut at_once.claim].into_iter().flatten() {
                claim.fence = 1;
            }
            prop_assert_eq!(one_by_one, at_once);
        }
    }

    #[test]
    fn edits_that_change_nothing_write_nothing(item in item(), mut stamp in stamp()) {
        stamp.credentials.force = true;
        let request = stamp.request_id.take();
        let mut same = vec![
            Edit::Title(item.title.clone()),
            Edit::Priority(item.priority),
            Edit::Parent(item.parent.clone()),
        ];
        same.extend(item.labels.iter().cloned().map(Edit::AddLabel));
        same.extend(item.links.iter().cloned().map(Edit::AddLink));
        prop_assert_eq!(item.apply(&same, &stamp).expect("allowed"), None);
        prop_assert_eq!(item.apply(&[], &stamp).expect("allowed"), None);
        if request.is_some() {
            stamp.request_id = request;
            let named = item.apply(&same, &stamp).expect("allowed").expect("its repeat must be known");
            prop_assert_eq!(named.version, item.version + 1);
        }
    }

    /// The answer to a repeat is the item as the request left it, whatever was written since.
    #[test]
    fn a_request_is_made_once(item in item(), edits in proptest::collection::vec(edit(), 1..4), later in proptest::collection::vec(edit(), 0..4), mut stamp in stamp()) {
        stamp.credentials.force = true;
        let request = stamp.request_id.take();
        let request = request.unwrap_or_else(|| jerry_domain::RequestId::new("r").expect("valid"));
        let named = jerry_domain::Stamp { request_id: Some(request.clone()), ..stamp.clone() };
        if let Ok(Some(first)) = item.apply(&edits, &named) {
            let now = first.apply(&later, &stamp).ok().flatten().unwrap_or_else(|| first.clone());
            prop_assert_eq!(now.apply(&edits, &named).expect("known"), None);
            let event = Event::of(&edits);
            let left = now.as_left_by(&request, &event).expect("the same").expect("made");
            prop_assert_eq!(&left, &first);
            prop_assert!(left.is_result_of(&edits), "{edits:?}");
            let others: Vec<_> = edits.into_iter().chain([Edit::Note("and more".to_owned())]).collect();
            prop_assert!(!left.is_result_of(&others));
        }
    }

    /// A bare reference is completed when it is written, and bare again when the request is repeated.
    #[test]
    fn an_item_is_made_with_what_made_it(title in title(), edits in proptest::collection::vec(edit(), 0..4), stamp in stamp()) {
        let id = WorkId::new(jerry_domain::Prefix::new("WORK").expect("valid"), 7).expect("valid");
        let uid = Uid::try_from(1_u64 << 50).expect("valid");
        if let Ok(made) = WorkItem::create(id, uid, title.clone(), &edits, &stamp) {
            let of_this_store = |id: &&WorkId| id.prefix().as_str() == "WORK";
            let uid_of = |id: &WorkId| Uid::try_from(Some(id).filter(of_this_store)?.number()).ok();
            let made = made.complete_references(uid_of);
            prop_assert!(made.is_made_with(&title, &edits), "{edits:?}");
            let others: Vec<_> = edits.into_iter().chain([Edit::Note("and more".to_owned())]).collect();
            prop_assert!(!made.is_made_with(&title, &others));
        }
    }

    #[test]
    fn renumbering_is_one_write_and_can_be_taken_back(versions in written(), id in work_id(), stamp in stamp()) {
        let before = versions.last().expect("never empty");
        if let Ok(Some(after)) = before.renumber(id.clone(), &stamp) {
            prop_assert_eq!(&after.id, &id);
            prop_assert_eq!(after.uid, before.uid);
            prop_assert_eq!(after.version, before.version + 1);
            prop_assert_eq!(&after.at_version(before.version).expect("rebuilt"), before);
        }
    }

    /// Two references may turn out to mean one item when the bare one is completed.
    #[test]
    fn completing_references_leaves_a_valid_item(item in item(), uids in proptest::collection::vec(jerry_domain::testing::uid(), 64)) {
        let uid_of = |id: &WorkId| Some(uids[id.number() as usize % uids.len()]);
        let completed = item.complete_references(uid_of);
        for bare in completed.references().filter(|reference| reference.uid.is_none()) {
            prop_assert_eq!(uid_of(&bare.id), Some(completed.uid));
        }
        let valid = WorkItem::try_from(completed.clone().into_record());
        prop_assert_eq!(valid.expect("still valid"), completed);
    }

    #[test]
    fn what_no_item_may_be_cannot_be_deserialised(item in item(), needed in item_ref()) {
        let mut twice = item.clone().into_record();
        twice.depends_on = vec![needed.clone(), needed];
        let mut own = item.clone().into_record();
        own.depends_on = vec![ItemRef::new(own.id.clone(), own.uid)];
        let mut own_parent = item.clone().into_record();
        own_parent.parent = Some(ItemRef::bare(own_parent.id.clone()));
        let mut unborn = item.into_record();
        unborn.version = 0;
        for record in [twice, own, own_parent, unborn] {
            let text = serde_json::to_string(&record).expect("serialises");
            prop_assert!(serde_json::from_str::<WorkItem>(&text).is_err());
            prop_assert!(WorkItem::try_from(record).is_err());
        }
    }

    #[test]
    fn one_wrong_field_makes_the_whole_item_unreadable(item in item(), wrong in json(), field in 0..WRONG.len()) {
        let (field, allows) = WRONG[field];
        prop_assume!(!allows(&wrong));
        let mut value = serde_json::to_value(&item).expect("serialises");
        value[field] = wrong;
        let text = value.to_string();
        prop_assert!(serde_json::from_str::<WorkItem>(&text).is_err(), "{}", text);
    }
}

type Allows = fn(&Value) -> bool;

/// Fields and the values that a random one could hit by chance.
const WRONG: [(&str, Allows); 9] = [
    ("id", |value| value.as_str().is_some_and(|text| text.parse::<WorkId>().is_ok())),
    ("uid", |value| value.as_str().is_some_and(|text| text.parse::<Uid>().is_ok())),
    ("version", |value| value.as_u64().is_some_and(|version| version > 0)),
    ("title", Value::is_string),
    ("status", |_| false),
    ("priority", |_| false),
    ("type", |_| false),
    ("created_at", |_| false),
    ("labels", |value| value.is_null() || value.is_array()),
];

fn small_item() -> &'static str {
    r#"{"schema":1,"id":"WORK-001","uid":"1","version":1,"type":"task","title":"t",
        "status":"pending","priority":"low","created_at":"2024-01-01T00:00:00Z",
        "updated_at":"2024-01-01T00:00:00Z"}"#
}

#[test]
fn numbers_beyond_every_machine_type_survive_at_every_level() {
    let numbers = "[1.10,1e+400,12345678901234567890123,-0,-0.0,1e-7]";
    let text = pretty(&parse(&format!(
        r#"{{"schema":1,"id":"WORK-001","uid":"1","version":1,"type":"task","title":"t",
        "status":"pending","priority":"low","parent":{{"id":"WORK-002","x":{numbers}}},
        "depends_on":[{{"id":"WORK-003","uid":"7","x":{numbers}}}],
        "links":[{{"kind":"related","target":{{"id":"WORK-004","x":{numbers}}},"x":{numbers}}}],
        "claim":{{"holder":"ada","fence":1,"since":"2024-01-01T00:00:00Z","x":{numbers}}},
        "acceptance_criteria":[{{"id":"AC-1","text":"t","x":{numbers},
            "evidence":[{{"text":"t","x":{numbers}}}]}}],
        "subtasks":[{{"id":"ST-1","text":"t","x":{numbers}}}],
        "notes":[{{"at":"2024-01-01T00:00:00Z","actor":"a","text":"t","x":{numbers}}}],
        "artifacts":[{{"title":"t","x":{numbers}}}],"sources":[{{"title":"t","x":{numbers}}}],
        "history":[{{"at":"2024-01-01T00:00:00Z","actor":"a","version":1,"event":"e",
            "x":{numbers},"changes":[{{"field":"f","from":{numbers},"to":{numbers}}}]}}],
        "created_at":"2024-01-01T00:00:00Z","updated_at":"2024-01-01T00:00:00Z",
        "imported":{numbers},"x":{numbers}}}"#
    )));
    assert_eq!(pretty(&parse(&text)), text);
    let packed: String = text.split_whitespace().collect();
    assert_eq!(packed.matches(numbers).count(), 16, "{text}");
}

/// The JSON parser spells exponents in one way before anyone can see them; no digit changes.
#[test]
fn an_exponent_is_written_with_its_sign() {
    let text = small_item().replace("}", r#","x":[1e400,1E400,1.50E-7]}"#);
    let kept = serde_json::to_string(&parse(&text)).expect("serialises");
    assert!(kept.ends_with(r#""x":[1e+400,1e+400,1.50e-7]}"#), "{kept}");
}

#[test]
fn an_edit_at_the_time_an_import_left_can_be_taken_back() {
    let mut record = parse(small_item()).into_record();
    let stamp = |second| {
        let at = jerry_domain::Timestamp::from_second(second).expect("in range");
        Stamp::new(at, "ada".parse().expect("valid"))
    };
    record.updated_at = stamp(50).at;
    record.history = vec![];
    let first = WorkItem::try_from(record).expect("valid");
    let second = first.apply(&[Edit::Note("one".to_owned())], &stamp(50));
    let second = second.expect("allowed").expect("a change");
    assert_eq!(second.at_version(1).expect("rebuilt"), first);
}

#[test]
fn a_refused_move_names_the_allowed_ones() {
    let stamp = Stamp::new(jerry_domain::Timestamp::UNIX_EPOCH, "ada".parse().expect("valid"));
    let refused = parse(small_item()).apply(&[Edit::Move(Transition::Complete)], &stamp);
    let Err(refused @ Refusal::Transition { .. }) = refused else { panic!("{refused:?}") };
    assert!(refused.to_string().contains("start (to in_progress)"), "{refused}");
    assert!(matches!(
        WorkItem::try_from({
            let mut record = parse(small_item()).into_record();
            record.version = 0;
            record
        }),
        Err(InvalidItem::Version(0))
    ));
}

/// Whatever a file says of versions, no arithmetic on them overflows.
#[test]
fn a_version_without_a_next_and_a_history_before_the_first_are_survived() {
    let mut record = parse(small_item()).into_record();
    record.version = u64::MAX;
    assert!(matches!(WorkItem::try_from(record), Err(InvalidItem::Version(u64::MAX))));

    let mut record = parse(small_item()).into_record();
    record.version = 1;
    let entry = r#"{"at":"2026-01-01T00:00:00Z","actor":"ada","version":1,"event":"created"}"#;
    let entry: HistoryEntry = serde_json::from_str(entry).expect("an entry");
    record.history = vec![HistoryEntry { version: 0, ..entry.clone() }, entry];
    let item = WorkItem::try_from(record).expect("valid");
    assert!(matches!(item.at_version(0), Err(UnknownVersion::OutOfReach { oldest: 1, .. })));
}

#[test]
fn unknown_fields_of_a_change_are_kept() {
    let text = r#"{"field":"title","from":"a","to":"b","why":1.10}"#;
    let change: FieldChange = serde_json::from_str(text).expect("a change");
    assert_eq!(serde_json::to_string(&change).expect("JSON"), text);
}

/// A file of the greatest size full of dependencies is refused or read at once, not pondered.
#[test]
fn a_hundred_thousand_dependencies_are_checked_in_one_pass() {
    let mut record = parse(small_item()).into_record();
    let prefix = record.id.prefix().clone();
    let id = |number| WorkId::new(prefix.clone(), number).expect("in range");
    record.depends_on = (2..100_002).map(|number| ItemRef::bare(id(number))).collect();
    let item = WorkItem::try_from(record).expect("no two alike");
    assert_eq!(item.depends_on.len(), 100_000);
}
