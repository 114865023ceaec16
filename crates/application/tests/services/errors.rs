use jerry_application::{Error, Kind};
use jerry_domain::ports::{IdError, LockError, LockName, Malformed, RepositoryError, StorageFault};
use jerry_domain::{Refusal, Status, Transition};
use rstest::rstest;

use crate::desk::{actor, id, storage_error};

fn busy() -> LockError {
    LockError::TimedOut { name: LockName::graph(), waited: Default::default(), holder: None }
}

fn refused(source: Refusal) -> Error {
    Error::from(RepositoryError::Refused { id: id(1), source })
}

fn malformed() -> Malformed {
    Malformed { path: "x".to_owned(), line: 1, column: 2, reason: "no".to_owned() }
}

#[rstest]
#[case(RepositoryError::NotFound { id: id(1) }.into(), Kind::NotFound)]
#[case(
    RepositoryError::Deleted { id: id(1), at: jerry_domain::Timestamp::UNIX_EPOCH, by: actor("a") }
        .into(),
    Kind::NotFound
)]
#[case(
    RepositoryError::VersionConflict { id: id(1), expected: 1, found: 2 }.into(),
    Kind::Conflict
)]
#[case(RepositoryError::ChangedOutside { id: id(1) }.into(), Kind::Conflict)]
#[case(
    refused(Refusal::Transition { from: Status::Pending, transition: Transition::Complete }),
    Kind::Invalid
)]
#[case(refused(Refusal::NewerSchema { schema: 9 }), Kind::Storage)]
#[case(RepositoryError::TooLarge { id: id(1), size: 2, limit: 1 }.into(), Kind::Invalid)]
#[case(RepositoryError::Lock(busy()).into(), Kind::Busy)]
#[case(RepositoryError::Malformed(malformed()).into(), Kind::Storage)]
#[case(RepositoryError::NewerFormat { found: 2, known: 1 }.into(), Kind::Storage)]
#[case(RepositoryError::Storage(storage_error(StorageFault::Full)).into(), Kind::Storage)]
#[case(
    RepositoryError::Indeterminate(storage_error(StorageFault::Other)).into(),
    Kind::Indeterminate
)]
#[case(IdError::NoWorkerSlot { slots: 1 }.into(), Kind::Busy)]
#[case(IdError::Lock(busy()).into(), Kind::Busy)]
#[case(IdError::Exhausted { what: "numbers".to_owned() }.into(), Kind::Storage)]
#[case(IdError::Indeterminate(storage_error(StorageFault::Other)).into(), Kind::Storage)]
#[case(busy().into(), Kind::Busy)]
#[case(
    LockError::Storage { name: LockName::graph(), source: storage_error(StorageFault::Denied) }
        .into(),
    Kind::Storage
)]
fn every_error_has_its_kind(#[case] error: Error, #[case] kind: Kind) {
    assert_eq!(error.kind(), kind);
}
