use std::time::Duration;

use jerry_application::{Delete, Error, History, Moment, Writes};
use jerry_domain::ports::{RepositoryError, Unreadable};
use jerry_domain::{Edit, Event, Priority, UnknownVersion, WorkId};
use pollster::block_on;

use crate::desk::*;

fn history(desk: &Desk) -> History {
    History::new(desk.ports.clone())
}

fn minute(desk: &Desk) {
    desk.store.clock.advance(Duration::from_secs(60));
}

fn versions(told: &Writes) -> Vec<(WorkId, u64)> {
    told.writes.iter().map(|write| (write.id.clone(), write.entry.version)).collect()
}

#[test]
fn the_writes_of_an_item_are_told_the_latest_first_and_in_full() {
    let desk = Desk::new();
    let id = desk.create("x", []).id.clone();
    for text in ["one", "two"] {
        minute(&desk);
        desk.edit(&id, Edit::Note(text.to_owned()));
    }
    let of = |since, limit| block_on(history(&desk).of(&id, since, limit)).expect("told");
    let all = of(None, 0);
    assert_eq!(versions(&all), [(id.clone(), 3), (id.clone(), 2), (id.clone(), 1)]);
    let change = &all.writes[1].entry.changes[0];
    assert_eq!((change.field.as_str(), &change.to["text"]), ("notes/0", &"one".into()));
    let short = of(None, 2);
    assert_eq!((short.writes.len(), short.total), (2, 3));
    assert_eq!(versions(&of(Some(Moment::Version(2)), 0)), [(id.clone(), 3)]);
    let time = all.writes[1].entry.at;
    assert_eq!(of(Some(Moment::Time(time)), 0).total, 2);
    let error = block_on(history(&desk).of(&self::id(9), None, 0)).expect_err("never was");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
}

#[test]
fn the_writes_of_all_items_are_told_deletions_among_them() {
    let desk = Desk::new();
    let one = desk.create("one", []);
    minute(&desk);
    let two = desk.create("two", []);
    minute(&desk);
    desk.edit(&one.id, Edit::Priority(Priority::Low));
    minute(&desk);
    let delete = Delete::new(desk.ports.clone());
    block_on(delete.delete(&two.id, &by("bob"))).expect("deleted");
    let all = |since, limit| block_on(history(&desk).of_all(since, limit)).expect("told");
    let told = all(None, 0);
    let ids = [(&two.id, 1), (&one.id, 2), (&two.id, 1), (&one.id, 1)];
    assert_eq!(versions(&told), ids.map(|(id, version)| (id.clone(), version)));
    assert_eq!(told.writes[0].entry.event, Event::DELETED);
    assert_eq!(told.writes[0].entry.actor, actor("bob"));
    let short = all(None, 1);
    assert_eq!((versions(&short), short.total), (vec![(two.id.clone(), 1)], 4));
    assert_eq!(all(Some(told.writes[1].entry.at), 0).total, 2);
    let of_deleted = block_on(history(&desk).of(&two.id, None, 0)).expect("told");
    assert_eq!(of_deleted.total, 2);
}

/// More than are kept in memory at a time for a short answer.
#[test]
fn a_short_answer_about_many_writes_is_the_latest_of_them() {
    let desk = Desk::new();
    for number in 0..30 {
        let id = desk.create(&format!("item {number}"), []).id.clone();
        for _ in 0..49 {
            desk.store.clock.advance(Duration::from_millis(1));
            desk.edit(&id, Edit::Note("said".to_owned()));
        }
    }
    let last = |limit| block_on(history(&desk).of_all(None, limit)).expect("told");
    let (short, all) = (last(7), last(0));
    assert_eq!((all.writes.len(), all.total, short.total), (1500, 1500, 1500));
    assert_eq!(short.writes, all.writes[..7]);
    assert!(all.writes.is_sorted_by(|one, next| one.entry.at >= next.entry.at));
}

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_told() {
    let desk = Desk::new();
    let item = desk.create("one", []);
    desk.store.items.write_by_hand(&id(70), "{");
    let told = block_on(history(&desk).of_all(None, 0)).expect("told");
    assert_eq!(versions(&told), [(item.id.clone(), 1)]);
    assert!(matches!(told.unreadable[..], [Unreadable::Malformed(_)]));
}

#[test]
fn an_item_is_shown_as_it_was() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    minute(&desk);
    let second = desk.edit(&item.id, Edit::Priority(Priority::Low));
    minute(&desk);
    desk.edit(&item.id, Edit::Title(title("y")));
    let at = |moment| block_on(history(&desk).at(&item.id, moment));
    assert_eq!(at(Moment::Version(1)).expect("rebuilt"), item);
    assert_eq!(at(Moment::Time(second.updated_at)).expect("rebuilt"), second);
    let early = item.created_at - Duration::from_secs(1);
    assert!(matches!(at(Moment::Time(early)), Err(Error::NotThen { .. })));
    let error = at(Moment::Version(4)).expect_err("never had");
    let Error::UnknownVersion { source: UnknownVersion::OutOfReach { newest: 3, .. }, .. } = error
    else {
        panic!("{error}")
    };

    minute(&desk);
    let delete = Delete::new(desk.ports.clone());
    let stone = block_on(delete.delete(&item.id, &by("bob"))).expect("deleted");
    assert_eq!(at(Moment::Version(2)).expect("rebuilt"), second);
    let error = at(Moment::Time(stone.deleted_at)).expect_err("deleted by then");
    assert!(matches!(error, Error::Repository(RepositoryError::Deleted { .. })), "{error}");
}

#[test]
fn a_difference_is_told_field_by_field_either_way() {
    let desk = Desk::new();
    let item = desk.create("x", []);
    desk.edit(&item.id, Edit::Note("said".to_owned()));
    desk.edit(&item.id, Edit::Priority(Priority::Low));
    let diff = |from: Option<u64>, to: Option<u64>| {
        let moment = |version: Option<u64>| version.map(Moment::Version);
        block_on(history(&desk).diff(&item.id, moment(from), moment(to))).expect("compared")
    };
    let fields = |from, to| {
        let changes = diff(from, to).changes.into_iter();
        changes.map(|change| change.field).collect::<Vec<_>>()
    };
    let last = diff(None, None);
    assert_eq!((last.from, last.to), (2, 3));
    assert_eq!(fields(None, None), ["priority"]);
    assert_eq!(fields(Some(1), None), ["priority", "notes/0"]);
    assert_eq!(diff(Some(1), None).changes[1].to["text"], "said");
    assert_eq!(fields(Some(3), Some(1)), ["priority", "notes"]);
    assert_eq!(fields(None, Some(1)), [""; 0]);
}

#[test]
fn the_writes_of_two_items_of_one_number_are_told_of_each() {
    let desk = Desk::new();
    let elder = desk.create("elder", []);
    minute(&desk);
    desk.edit(&elder.id, Edit::Priority(Priority::Low));
    minute(&desk);
    let younger = desk.displace(&desk.create("younger", []), &elder);
    let told = block_on(history(&desk).of_all(None, 0)).expect("told");
    let writes: Vec<_> = told.writes.iter().map(|it| (it.uid, it.entry.version)).collect();
    assert_eq!(writes, [(younger.uid, 1), (elder.uid, 2), (elder.uid, 1)]);
    assert_eq!(told.total, 3);
}
