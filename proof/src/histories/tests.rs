//! The checkers on histories small enough to be judged by a person, and on many by each other.

use jerry_domain::Status;
use rstest::rstest;

use super::event::{Condition, Content, Event, Seen, Shown};
use super::{search, versions};
use crate::dice::Dice;

/// Version 2 is begun, the others wait.
fn content(version: u64) -> Content {
    let status = if version == 2 { Status::InProgress } else { Status::Pending };
    Content { version, status, fence: None, digest: version as u32 * 7 }
}

fn made() -> Seen {
    Seen::Made(content(1))
}

fn wrote(version: u64) -> Seen {
    Seen::Wrote(content(version), Condition::default())
}

fn wrote_if(version: u64, expected: u64) -> Seen {
    Seen::Wrote(content(version), Condition { expected: Some(expected), ..Condition::default() })
}

/// Version 2 is claimed.
fn claimed() -> Seen {
    Seen::Wrote(under(2, Some(2)), Condition::default())
}

fn under(version: u64, fence: Option<u64>) -> Content {
    Content { fence, ..content(version) }
}

/// Version 3, of an item that stays claimed as it was or does not.
fn wrote_as(shown: Shown, fence: Option<u64>) -> Seen {
    Seen::Wrote(under(3, fence), Condition { shown, ..Condition::default() })
}

fn read(version: u64) -> Seen {
    Seen::Read(content(version))
}

fn other_than(version: u64) -> Seen {
    Seen::Read(Content { digest: 99, ..content(version) })
}

fn listed(version: u64) -> Seen {
    Seen::Listed { version, status: content(version).status }
}

fn conflict(found: u64, expected: u64) -> Seen {
    Seen::Conflict { found, expected }
}

/// Each operation from one moment to another.
fn history(events: &[(u64, u64, Seen)]) -> Vec<Event> {
    let event = |&(called, returned, seen)| Event { called, returned, seen };
    events.iter().map(event).collect()
}

#[rstest]
#[case::nothing(&[])]
#[case::one_after_the_other(&[(0, 1, made()), (2, 3, wrote(2)), (4, 5, read(2)), (6, 7, wrote(3))])]
#[case::writes_at_once_in_either_order(&[(0, 1, made()), (2, 9, wrote(3)), (3, 8, wrote(2))])]
#[case::a_read_beside_a_write_sees_the_old(&[(0, 1, made()), (2, 9, wrote(2)), (3, 4, read(1))])]
#[case::a_read_beside_a_write_sees_the_new(&[(0, 1, made()), (2, 9, wrote(2)), (3, 4, read(2))])]
#[case::two_reads_see_the_old_then_the_new(
    &[(0, 1, made()), (2, 9, wrote(2)), (3, 4, read(1)), (5, 6, read(2))]
)]
#[case::seen_before_its_maker_was_told(&[(0, 9, made()), (3, 4, read(1)), (5, 6, wrote(2))])]
#[case::unknown_before(&[(0, 1, Seen::Unknown), (2, 3, made())])]
#[case::gone_after(&[(0, 1, made()), (2, 3, Seen::Removed(1, Shown::Nothing)), (4, 5, Seen::Gone)])]
#[case::a_list_beside_a_deletion(&[(0, 1, made()), (2, 9, Seen::Removed(1, Shown::Nothing)), (3, 4, listed(1))])]
#[case::a_list_that_is_over_before(&[(0, 1, Seen::NotListed), (1, 2, made())])]
#[case::a_list_after_the_deletion(
    &[(0, 1, made()), (2, 3, Seen::Removed(1, Shown::Nothing)), (4, 5, Seen::NotListed)]
)]
#[case::not_ready_while_begun(
    &[(0, 1, made()), (2, 3, wrote(2)), (4, 5, Seen::NotReady), (6, 7, wrote(3)), (8, 9, listed(3))]
)]
#[case::a_conflict(&[(0, 1, made()), (2, 3, wrote(2)), (4, 5, conflict(2, 1))])]
#[case::as_expected(&[(0, 1, made()), (2, 3, wrote_if(2, 1))])]
#[case::forbidden_from_where_it_was(
    &[(0, 1, made()), (2, 9, wrote(2)), (3, 4, Seen::Forbidden(Status::InProgress))]
)]
#[case::the_holder_writes(
    &[(0, 1, made()), (2, 3, claimed()), (4, 5, wrote_as(Shown::Fence(2), Some(2)))]
)]
#[case::who_insists_takes_it(
    &[(0, 1, made()), (2, 3, claimed()), (4, 5, wrote_as(Shown::Force, Some(3)))]
)]
#[case::others_are_refused(&[(0, 1, made()), (2, 3, claimed()), (4, 5, Seen::Held(2))])]
#[case::late_after_a_release(&[
    (0, 1, made()), (2, 3, claimed()), (4, 5, wrote_as(Shown::Fence(2), None)),
    (6, 7, Seen::Stale { shown: 2, found: None })
])]
#[case::at_one_moment_is_at_once(&[(0, 1, made()), (1, 2, Seen::Unknown)])]
fn a_history_that_can_be_is_explained(#[case] events: &[(u64, u64, Seen)]) {
    let events = history(events);
    assert_eq!(versions::contradiction(&events), None);
    assert_eq!(search::unexplained(&events), None);
}

#[rstest]
#[case::never_made(&[(0, 1, read(1))])]
#[case::one_version_twice(&[(0, 1, made()), (2, 9, wrote(2)), (3, 8, wrote(2))])]
#[case::made_twice(&[(0, 9, made()), (1, 8, made())])]
#[case::a_version_left_out(&[(0, 1, made()), (2, 3, wrote(3))])]
#[case::against_the_order_of_time(&[(0, 1, made()), (2, 3, wrote(3)), (4, 5, wrote(2))])]
#[case::an_old_read(&[(0, 1, made()), (2, 3, wrote(2)), (4, 5, read(1))])]
#[case::a_read_from_the_future(&[(0, 1, made()), (2, 3, read(2)), (4, 5, wrote(2))])]
#[case::two_reads_see_the_new_then_the_old(
    &[(0, 1, made()), (2, 9, wrote(2)), (3, 4, read(2)), (5, 6, read(1))]
)]
#[case::what_nobody_wrote(&[(0, 1, made()), (2, 3, other_than(1))])]
#[case::unknown_after_it_was_made(&[(0, 1, made()), (2, 3, Seen::Unknown)])]
#[case::unknown_after_it_was_seen(&[(0, 9, made()), (1, 2, read(1)), (3, 4, Seen::Unknown)])]
#[case::gone_and_never_deleted(&[(0, 1, made()), (2, 3, Seen::Gone)])]
#[case::back_after_it_was_deleted(&[(0, 1, made()), (2, 3, Seen::Removed(1, Shown::Nothing)), (4, 5, read(1))])]
#[case::written_after_it_was_deleted(&[(0, 1, made()), (2, 3, Seen::Removed(1, Shown::Nothing)), (4, 5, wrote(2))])]
#[case::deleted_twice(&[(0, 1, made()), (2, 9, Seen::Removed(1, Shown::Nothing)), (3, 8, Seen::Removed(1, Shown::Nothing))])]
#[case::deleted_in_an_old_version(&[(0, 1, made()), (2, 3, wrote(2)), (4, 5, Seen::Removed(1, Shown::Nothing))])]
#[case::missing_from_a_list(&[(0, 1, made()), (2, 3, Seen::NotListed)])]
#[case::missing_from_a_list_beside_a_write(
    &[(0, 1, made()), (2, 9, wrote(2)), (3, 4, Seen::NotListed)]
)]
#[case::listed_after_it_was_deleted(
    &[(0, 1, made()), (2, 3, Seen::Removed(1, Shown::Nothing)), (4, 5, listed(1))]
)]
#[case::listed_in_an_old_version(&[(0, 1, made()), (2, 3, wrote(2)), (4, 5, listed(1))])]
#[case::not_ready_though_pending(&[(0, 1, made()), (2, 3, Seen::NotReady)])]
#[case::not_what_was_expected(&[(0, 1, made()), (2, 3, wrote(2)), (4, 5, wrote_if(3, 1))])]
#[case::a_conflict_without_cause(&[(0, 1, made()), (2, 3, conflict(1, 1))])]
#[case::a_conflict_with_the_past(&[(0, 1, made()), (2, 3, wrote(2)), (4, 5, conflict(1, 2))])]
#[case::past_a_claim(
    &[(0, 1, made()), (2, 3, claimed()), (4, 5, wrote_as(Shown::Nothing, Some(2)))]
)]
#[case::under_another_claim(
    &[(0, 1, made()), (2, 3, claimed()), (4, 5, wrote_as(Shown::Fence(1), Some(2)))]
)]
#[case::under_a_claim_that_there_is_not(
    &[(0, 1, made()), (2, 3, wrote(2)), (4, 5, wrote_as(Shown::Fence(2), None))]
)]
#[case::a_fence_out_of_nowhere(
    &[(0, 1, made()), (2, 3, claimed()), (4, 5, wrote_as(Shown::Force, Some(7)))]
)]
#[case::deleted_past_a_claim(
    &[(0, 1, made()), (2, 3, claimed()), (4, 5, Seen::Removed(2, Shown::Nothing))]
)]
#[case::held_by_nobody(&[(0, 1, made()), (2, 3, Seen::Held(1))])]
#[case::stale_though_it_stands(
    &[(0, 1, made()), (2, 3, claimed()), (4, 5, Seen::Stale { shown: 2, found: Some(2) })]
)]
#[case::forbidden_for_no_reason(
    &[(0, 1, made()), (2, 3, wrote(2)), (4, 5, Seen::Forbidden(Status::Pending))]
)]
fn a_history_that_cannot_be_is_found_out(#[case] events: &[(u64, u64, Seen)]) {
    let events = history(events);
    assert_ne!(versions::contradiction(&events), None);
    assert_ne!(search::unexplained(&events), None);
}

/// A history of `count` operations that can be: each takes effect at a moment of its own, and its
/// call and return lie around that.
fn possible(dice: &mut Dice, count: u64) -> Vec<Event> {
    let mut events = Vec::new();
    let (mut version, mut gone) = (0, false);
    for number in 0..count {
        let here = version > 0 && !gone;
        let seen = match dice.below(7) {
            0 | 1 if version == 0 => {
                version = 1;
                made()
            }
            0 | 1 if here => {
                version += 1;
                wrote(version)
            }
            2 if here && dice.one_in(3) => {
                gone = true;
                Seen::Removed(version, Shown::Nothing)
            }
            3 if here && content(version).status != Status::Pending => Seen::NotReady,
            3 | 4 if here => listed(version),
            5 if here => Seen::Forbidden(content(version).status),
            6 if here => conflict(version, version + 1),
            _ if here => read(version),
            3 => Seen::NotReady,
            4 => Seen::NotListed,
            _ if gone => Seen::Gone,
            _ => Seen::Unknown,
        };
        let moment = 100 + number * 10;
        let called = moment - dice.below(40);
        events.push(Event { called, returned: moment + dice.below(40), seen });
    }
    events
}

#[test]
fn what_can_be_is_explained_however_it_overlaps() {
    for seed in 0..2_000 {
        let mut dice = Dice::new(seed, 1);
        let count = 1 + dice.below(30);
        let events = possible(&mut dice, count);
        assert_eq!(versions::contradiction(&events), None, "{events:#?}");
        assert_eq!(search::unexplained(&events), None, "{events:#?}");
    }
}

/// Any history, most of them impossible: the two checkers have nothing in common but their answer.
#[test]
fn the_checkers_agree() {
    let mut impossible = 0;
    for seed in 0..20_000 {
        let mut dice = Dice::new(seed, 2);
        let count = 2 + dice.below(10);
        let mut events = possible(&mut dice, count);
        for _ in 0..1 + dice.below(2) {
            let (one, other) = (dice.below(count) as usize, dice.below(count) as usize);
            let seen = events[one].seen;
            events[one].seen = events[other].seen;
            events[other].seen = seen;
        }
        let by_versions = versions::contradiction(&events);
        let by_search = search::unexplained(&events);
        assert_eq!(by_versions.is_none(), by_search.is_none(), "{by_versions:?} {events:#?}");
        impossible += usize::from(by_search.is_some());
    }
    assert!((2_000..18_000).contains(&impossible), "{impossible} of 20000 are impossible");
}
