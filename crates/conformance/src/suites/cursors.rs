//! What every store of cursors keeps to.

use std::sync::Arc;

use jerry_domain::Uid;
use jerry_domain::ports::{Cursor, CursorStore, ItemKey, Mark, Seen, Step};
use pollster::block_on;

use crate::Fixture;
use crate::sample::id;

/// Tests that a store of cursors keeps to its contract. `$fixture` is a function that makes a
/// [`Fixture`](crate::Fixture) with [`Handle`](crate::cursors::Handle).
#[macro_export]
macro_rules! cursor_suite {
    ($fixture:path) => {
        $crate::stamp! { cursors, $fixture:
            what_was_seen_is_found_again
            a_cursor_is_known_to_other_handles
            a_cursor_that_nobody_was_given_is_not_known
            steps_lead_on
            an_empty_step_leads_nowhere_else
            what_a_cursor_names_never_changes
            the_same_step_can_be_made_again
            a_step_from_an_unknown_cursor_is_kept_whole
            many_steps_are_kept
        }
    };
}

/// A handle on the cursors of a store.
pub type Handle = Arc<dyn CursorStore>;

fn mark(version: u64) -> Mark {
    Mark { version, digest: u64::MAX - version, is_watched: version.is_multiple_of(2) }
}

fn key(number: u64) -> ItemKey {
    (id(number), Uid::try_from(number + 1).expect("in range"))
}

fn seen(numbers: impl IntoIterator<Item = u64>) -> Seen {
    let items = numbers.into_iter().map(|number| (key(number), mark(number))).collect();
    Seen { selection: r#"of "some" kind"#.to_owned(), items }
}

/// Saves what `step` makes of what was seen at `cursor`.
fn go_on(cursors: &Handle, cursor: &Cursor, step: &Step) -> (Cursor, Seen) {
    let mut seen = load(cursors, cursor).expect("it is known");
    seen.advance(step);
    let next = block_on(cursors.save(&seen, Some((cursor, step)))).expect("saved");
    (next, seen)
}

fn load(cursors: &Handle, cursor: &Cursor) -> Option<Seen> {
    block_on(cursors.load(cursor)).expect("looked up")
}

fn begin(cursors: &Handle, seen: &Seen) -> Cursor {
    block_on(cursors.save(seen, None)).expect("saved")
}

/// However much it is.
pub fn what_was_seen_is_found_again(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    for seen in [seen([]), seen(1..4), seen(1..2000)] {
        assert!(load(&cursors, &begin(&cursors, &seen)) == Some(seen));
    }
}

/// A watcher comes back as another process.
pub fn a_cursor_is_known_to_other_handles(fixture: &Fixture<Handle>) {
    let cursor = begin(&fixture.open(), &seen(1..4));
    assert_eq!(load(&fixture.open(), &cursor), Some(seen(1..4)));
}

/// Also one that is nearly another.
pub fn a_cursor_that_nobody_was_given_is_not_known(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    let real = begin(&cursors, &seen(1..4)).to_string();
    let (head, tail) = real.split_at(real.len() - 1);
    let near = format!("{head}{}", if tail == "0" { "1" } else { "0" });
    for name in ["x", "0000000000000000-1-00000000", &near] {
        assert_eq!(load(&cursors, &name.parse().expect("a cursor")), None, "{name}");
    }
}

/// To what the items are then, the one that went included.
pub fn steps_lead_on(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    let first = begin(&cursors, &seen(1..4));
    let step = Step::from([(key(1), None), (key(2), Some(mark(9))), (key(7), Some(mark(1)))]);
    let (second, after) = go_on(&cursors, &first, &step);
    assert_eq!(load(&cursors, &second), Some(after));
}

/// Who saw nothing new is where it was.
pub fn an_empty_step_leads_nowhere_else(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    let first = begin(&cursors, &seen(1..4));
    let (same, _) = go_on(&cursors, &first, &Step::new());
    assert_eq!(load(&cursors, &same), Some(seen(1..4)));
}

/// Whoever goes on from it, and however.
pub fn what_a_cursor_names_never_changes(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    let first = begin(&cursors, &seen(1..4));
    let mut names = vec![(first.clone(), seen(1..4))];
    for number in 4..8 {
        // Two go on from each cursor, in different ways.
        let (cursor, _) = names.last().expect("there is one").clone();
        let gone = Step::from([(key(1), None), (key(number), Some(mark(number + 1)))]);
        names.push(go_on(&cursors, &cursor, &gone));
        names.push(go_on(&cursors, &cursor, &Step::from([(key(number), Some(mark(number)))])));
    }
    for (cursor, seen) in names {
        assert_eq!(load(&cursors, &cursor), Some(seen), "{cursor}");
    }
}

/// By whoever was killed before it could tell, also when others have gone further.
pub fn the_same_step_can_be_made_again(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    let first = begin(&cursors, &seen(1..4));
    let step = Step::from([(key(2), None)]);
    let (second, after) = go_on(&cursors, &first, &step);
    let (third, _) = go_on(&cursors, &second, &Step::from([(key(3), None)]));
    let (again, _) = go_on(&cursors, &first, &step);
    assert_eq!(load(&cursors, &again), Some(after.clone()));
    assert_eq!(load(&cursors, &second), Some(after));
    assert_eq!(load(&cursors, &third).map(|seen| seen.items.len()), Some(1));
}

/// It may have been removed in between.
pub fn a_step_from_an_unknown_cursor_is_kept_whole(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    let unknown = "0000000000000000-1-00000000".parse().expect("a cursor");
    let step = Step::from([(key(2), Some(mark(2)))]);
    let cursor = block_on(cursors.save(&seen(1..4), Some((&unknown, &step)))).expect("saved");
    assert_eq!(load(&cursors, &cursor), Some(seen(1..4)));
}

/// One after the other, each under its cursor.
pub fn many_steps_are_kept(fixture: &Fixture<Handle>) {
    let cursors = fixture.open();
    let mut all = vec![(begin(&cursors, &seen(1..4)), seen(1..4))];
    for number in 1..100 {
        let (cursor, _) = all.last().expect("there is one").clone();
        // Large enough for more than one file, where steps are kept in files.
        let step = (0..20).map(|other| (key(other), Some(mark(number)))).collect();
        all.push(go_on(&cursors, &cursor, &step));
    }
    for (cursor, seen) in all {
        assert!(load(&cursors, &cursor) == Some(seen), "{cursor}");
    }
}
