//! Which error is told in which words.

use std::time::Duration;

use jerry_application::Ring;
use jerry_domain::ports::{Holder, LockName};
use jerry_domain::{Actor, CheckId, Event, RequestId, Timestamp, Transition, UnknownVersion};
use rstest::rstest;

use super::*;

fn json(failure: &Failure) -> Value {
    serde_json::to_value(failure.answer().error).expect("serialises")
}

fn claim() -> Box<Claim> {
    let claim = r#"{"holder":"ada","fence":2,"since":"2026-01-01T00:00:00Z"}"#;
    serde_json::from_str(claim).expect("a claim")
}

fn id(number: u64) -> WorkId {
    format!("WORK-{number:03}").parse().expect("valid")
}

fn storage_error(fault: StorageFault) -> StorageError {
    let source = Box::new(std::io::Error::other("the cause"));
    StorageError { action: "write", resource: "data/items".into(), fault, source }
}

fn timed_out() -> LockError {
    let holder = Holder {
        pid: 7,
        started: None,
        host: "box".into(),
        user: "ann".into(),
        command: "jerry".into(),
        since: Timestamp::UNIX_EPOCH,
    };
    let (name, waited) = (LockName::graph(), Duration::from_secs(1));
    LockError::TimedOut { name, waited, holder: Some(Box::new(holder)) }
}

fn out_of_reach() -> UnknownVersion {
    UnknownVersion::OutOfReach { wanted: 9, oldest: 1, newest: 3 }
}

fn malformed() -> Malformed {
    Malformed { path: "x.json".into(), line: 2, column: 3, reason: "no".into() }
}

fn refused(refusal: Refusal) -> Error {
    RepositoryError::Refused { id: id(1), source: refusal }.into()
}

fn repository(error: RepositoryError) -> Error {
    error.into()
}

#[rstest]
#[case::not_found(repository(RepositoryError::NotFound { id: id(1) }), Code::NotFound)]
#[case::deleted(
    repository(RepositoryError::Deleted {
        id: id(1),
        at: Timestamp::UNIX_EPOCH,
        by: Actor::new("ann").expect("valid"),
    }),
    Code::Deleted
)]
#[case::version(
    repository(RepositoryError::VersionConflict { id: id(1), expected: 1, found: 2 }),
    Code::VersionConflict
)]
#[case::outside(
    repository(RepositoryError::ChangedOutside { id: id(1) }),
    Code::ChangedOutside
)]
#[case::too_large(
    repository(RepositoryError::TooLarge { id: id(1), size: 9, limit: 8 }),
    Code::TooLarge
)]
#[case::newer_format(
    repository(RepositoryError::NewerFormat { found: 2, known: 1 }),
    Code::NewerFormat
)]
#[case::lock_in_repository(repository(timed_out().into()), Code::Busy)]
#[case::malformed(repository(malformed().into()), Code::Malformed)]
#[case::full(repository(storage_error(StorageFault::Full).into()), Code::DiskFull)]
#[case::read_only(repository(storage_error(StorageFault::ReadOnly).into()), Code::ReadOnly)]
#[case::denied(
    repository(storage_error(StorageFault::Denied).into()),
    Code::PermissionDenied
)]
#[case::cross_device(
    repository(storage_error(StorageFault::CrossDevice).into()),
    Code::Storage
)]
#[case::too_many_open(
    repository(storage_error(StorageFault::TooManyOpen).into()),
    Code::Storage
)]
#[case::other(repository(storage_error(StorageFault::Other).into()), Code::Storage)]
#[case::indeterminate(
    repository(RepositoryError::Indeterminate(storage_error(StorageFault::Other))),
    Code::Indeterminate
)]
#[case::transition(
    refused(Refusal::Transition { from: Status::Pending, transition: Transition::Complete }),
    Code::InvalidTransition
)]
#[case::unknown_check(
    refused(Refusal::UnknownCheck {
        id: CheckId::new("AC-001.9").expect("valid"),
        known: vec![CheckId::new("AC-001.1").expect("valid")],
    }),
    Code::NotFound
)]
#[case::evidence(
    refused(Refusal::EvidenceOnSubtask { id: CheckId::new("ST-001.1").expect("valid") }),
    Code::Invalid
)]
#[case::empty(refused(Refusal::Empty { what: "note" }), Code::Invalid)]
#[case::invalid(refused(Refusal::Invalid(InvalidItem::OwnParent)), Code::Invalid)]
#[case::text(
    refused(Refusal::Text(InvalidText::Empty { what: "title" })),
    Code::Invalid
)]
#[case::newer_schema(refused(Refusal::NewerSchema { schema: 2 }), Code::NewerFormat)]
#[case::unfinished_parts(
    refused(Refusal::UnfinishedParts { parts: vec![id(2)] }),
    Code::UnfinishedParts
)]
#[case::completed_parent(
    refused(Refusal::CompletedParent { parent: id(2) }),
    Code::CompletedParent
)]
#[case::gate(
    refused(Refusal::Gate { unmet: vec![Unmet::NotRun { command: "make".to_owned() }] }),
    Code::Gate
)]
#[case::moved_on(refused(Refusal::MovedOn { seen: 1, found: 2 }), Code::VersionConflict)]
#[case::rule(refused(Refusal::Rule("no".into())), Code::Invalid)]
#[case::would_replace(
    refused(Refusal::WouldReplace { what: "description", version: 3 }),
    Code::WouldReplace
)]
#[case::replaces_other(
    refused(Refusal::ReplacesOther { what: "description", of: 2, found: 3 }),
    Code::VersionConflict
)]
#[case::written_since(
    refused(Refusal::NotUndone(NotUndone::WrittenSince {
        version: 3,
        actor: Actor::new("ann").expect("valid"),
        session: None,
        at: Timestamp::UNIX_EPOCH,
    })),
    Code::WrittenSince
)]
#[case::changed_by_hand(
    refused(Refusal::NotUndone(NotUndone::ChangedOutside { version: 3, field: "title".into() })),
    Code::WrittenSince
)]
#[case::first(
    refused(Refusal::NotUndone(NotUndone::First { version: 1 })),
    Code::NotUndoable
)]
#[case::renumbered(
    refused(Refusal::NotUndone(NotUndone::Renumbered { version: 3 })),
    Code::NotUndoable
)]
#[case::merged(
    refused(Refusal::NotUndone(NotUndone::Merged { version: 3 })),
    Code::NotUndoable
)]
#[case::stays(
    refused(Refusal::NotUndone(NotUndone::Stays { version: 3 })),
    Code::NotUndoable
)]
#[case::unknown(
    refused(Refusal::NotUndone(NotUndone::Unknown { version: 3, source: out_of_reach() })),
    Code::NotUndoable
)]
#[case::unknown_version(
    Error::UnknownVersion { id: id(1), source: out_of_reach() },
    Code::UnknownVersion
)]
#[case::not_then(
    Error::NotThen {
        id: id(1),
        time: Timestamp::UNIX_EPOCH,
        since: Timestamp::UNIX_EPOCH,
    },
    Code::UnknownVersion
)]
#[case::nothing_written(
    Error::NothingWritten { actor: Actor::new("ann").expect("valid") },
    Code::NotFound
)]
#[case::claimed(refused(Refusal::Claimed(claim())), Code::Claimed)]
#[case::stale_fence(
    refused(Refusal::StaleFence { fence: 1, claim: Some(claim()) }),
    Code::StaleFence
)]
#[case::request_reused(
    refused(Refusal::RequestReused {
        request: RequestId::new("r").expect("valid"),
        version: 2,
        event: Event::NOTED,
    }),
    Code::RequestReused
)]
#[case::no_slot(IdError::NoWorkerSlot { slots: 1024 }.into(), Code::Busy)]
#[case::exhausted(
    IdError::Exhausted { what: "numbers".into() }.into(),
    Code::Storage
)]
#[case::ids_lock(IdError::Lock(timed_out()).into(), Code::Busy)]
#[case::ids_malformed(IdError::Malformed(malformed()).into(), Code::Malformed)]
#[case::ids_storage(
    IdError::Storage(storage_error(StorageFault::Full)).into(),
    Code::DiskFull
)]
#[case::ids_indeterminate(
    IdError::Indeterminate(storage_error(StorageFault::Other)).into(),
    Code::Storage
)]
#[case::lock(timed_out().into(), Code::Busy)]
#[case::lock_storage(
    LockError::Storage {
        name: LockName::graph(),
        source: storage_error(StorageFault::Denied),
    }
    .into(),
    Code::PermissionDenied
)]
#[case::not_created(
    Error::NotCreated { title: "x".into(), source: Refusal::Empty { what: "criterion" } },
    Code::Invalid
)]
#[case::no_number(
    Error::NoFreeNumber { prefix: "WORK".into(), attempts: 20 },
    Code::NoFreeNumber
)]
#[case::cycle(Error::DependencyCycle(Ring(vec!["WORK-001".into(); 2])), Code::Cycle)]
#[case::parents(Error::ParentCycle(Ring(vec!["WORK-001".into(); 2])), Code::Cycle)]
#[case::both(Error::MixedCycle(Ring(vec!["new".into(), "WORK-001".into()])), Code::Cycle)]
#[case::needed(
    Error::StillNeeded { id: id(1), dependents: vec![id(2)], children: vec![] },
    Code::StillNeeded
)]
#[case::nothing_ready(Error::NothingReady, Code::NothingReady)]
#[case::empty_search(Error::EmptySearch, Code::Usage)]
fn every_error_has_its_code(#[case] error: Error, #[case] code: Code) {
    let failure = Failure::from(error);
    assert_eq!(failure.code, code, "{failure}");
    let told = json(&failure);
    let keys: Vec<_> = told.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["code", "message", "hint", "retryable", "retry_after_ms", "context"]);
    assert_eq!(told["retryable"], !told["retry_after_ms"].is_null());
}

/// A hint is there to be typed.
#[rstest]
#[case(Refusal::Gate { unmet: vec![Unmet::NotRun { command: "make".to_owned() }] })]
#[case(Refusal::Gate {
    unmet: vec![Unmet::Unticked { check: CheckId::new("AC-001.1").expect("valid") }],
})]
#[case(Refusal::Gate {
    unmet: vec![Unmet::WithoutEvidence { check: CheckId::new("AC-001.1").expect("valid") }],
})]
#[case(Refusal::NotUndone(NotUndone::WrittenSince {
    version: 3,
    actor: Actor::new("ann").expect("valid"),
    session: None,
    at: Timestamp::UNIX_EPOCH,
}))]
#[case(Refusal::NotUndone(NotUndone::Merged { version: 3 }))]
#[case(Refusal::UnknownCheck {
    id: CheckId::new("AC-001.9").expect("valid"),
    known: vec![CheckId::new("AC-001.1").expect("valid")],
})]
#[case(Refusal::WouldReplace { what: "description", version: 3 })]
#[case(Refusal::MovedOn { seen: 1, found: 2 })]
fn hints_name_the_item(#[case] refusal: Refusal) {
    let hint = json(&self::refused(refusal).into())["hint"].as_str().expect("text").to_owned();
    assert!(hint.contains("WORK-001") && !hint.contains(" ID"), "{hint}");
}

#[test]
fn a_message_has_every_cause_once() {
    let failure = Failure::from(storage_error(StorageFault::Full));
    assert_eq!(failure.message, "cannot write data/items: the cause");
}

#[test]
fn a_busy_lock_names_its_holder() {
    let json = json(&timed_out().into());
    assert_eq!(json["context"]["holder"]["pid"], 7);
    assert_eq!(json["retryable"], true);
}

#[test]
fn a_refused_move_names_those_that_are_allowed() {
    let error =
        refused(Refusal::Transition { from: Status::Pending, transition: Transition::Complete });
    let json = json(&error.into());
    assert_eq!(json["context"]["allowed"], serde_json::json!(["start", "cancel"]));
}
