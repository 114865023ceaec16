//! What a command that did not do what was asked says and exits with: one table of codes, and one
//! mapping from every error to it.

use std::error::Error as StdError;
use std::process::ExitCode;

use jerry_application::Error;
use jerry_domain::ports::{
    IdError, LockError, Malformed, RepositoryError, StorageError, StorageFault, Unreadable,
};
use jerry_domain::{Claim, InvalidItem, InvalidText, InvalidWorkId, Refusal, Status, WorkId};
use serde_json::{Map, Value, json};

/// What went wrong, as programs tell it: the `code` of a JSON error. Part of the contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Code {
    Internal,
    Usage,
    NotFound,
    Deleted,
    NoStore,
    Invalid,
    InvalidTransition,
    Cycle,
    StillNeeded,
    TooLarge,
    VersionConflict,
    ChangedOutside,
    Claimed,
    StaleFence,
    NoFreeNumber,
    Busy,
    NothingReady,
    Storage,
    DiskFull,
    ReadOnly,
    PermissionDenied,
    Malformed,
    NewerFormat,
    Unhealthy,
    Indeterminate,
    Interrupted,
}

impl Code {
    /// Every code.
    pub const ALL: [Self; 26] = [
        Self::Internal,
        Self::Usage,
        Self::NotFound,
        Self::Deleted,
        Self::NoStore,
        Self::Invalid,
        Self::InvalidTransition,
        Self::Cycle,
        Self::StillNeeded,
        Self::TooLarge,
        Self::VersionConflict,
        Self::ChangedOutside,
        Self::Claimed,
        Self::StaleFence,
        Self::NoFreeNumber,
        Self::Busy,
        Self::NothingReady,
        Self::Storage,
        Self::DiskFull,
        Self::ReadOnly,
        Self::PermissionDenied,
        Self::Malformed,
        Self::NewerFormat,
        Self::Unhealthy,
        Self::Indeterminate,
        Self::Interrupted,
    ];

    /// The table: the name in JSON, the exit status, and whether the same command, run again as it
    /// is, may succeed without anybody putting something right.
    #[must_use]
    pub fn row(self) -> (&'static str, u8, bool) {
        match self {
            Self::Internal => ("internal", 1, false),
            Self::Usage => ("usage", 2, false),
            Self::NotFound => ("not_found", 3, false),
            Self::Deleted => ("deleted", 3, false),
            Self::NoStore => ("no_store", 3, false),
            Self::Invalid => ("invalid", 4, false),
            Self::InvalidTransition => ("invalid_transition", 4, false),
            Self::Cycle => ("cycle", 4, false),
            Self::StillNeeded => ("still_needed", 4, false),
            Self::TooLarge => ("too_large", 4, false),
            Self::VersionConflict => ("version_conflict", 5, false),
            Self::ChangedOutside => ("changed_outside", 5, true),
            Self::Claimed => ("claimed", 5, true),
            Self::StaleFence => ("stale_fence", 5, false),
            Self::NoFreeNumber => ("no_free_number", 5, true),
            Self::Busy => ("busy", 6, true),
            Self::NothingReady => ("nothing_ready", 7, true),
            Self::Storage => ("storage", 8, false),
            Self::DiskFull => ("disk_full", 8, false),
            Self::ReadOnly => ("read_only", 8, false),
            Self::PermissionDenied => ("permission_denied", 8, false),
            Self::Malformed => ("malformed", 8, false),
            Self::NewerFormat => ("newer_format", 8, false),
            Self::Unhealthy => ("unhealthy", 8, false),
            Self::Indeterminate => ("indeterminate", 9, false),
            Self::Interrupted => ("interrupted", 130, true),
        }
    }

    /// The name in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// The exit status.
    #[must_use]
    pub fn status(self) -> u8 {
        self.row().1
    }

    /// Whether the same command, run again as it is, may succeed.
    #[must_use]
    pub fn is_retryable(self) -> bool {
        self.row().2
    }
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code.status())
    }
}

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong, for programs.
    pub code: Code,
    /// What went wrong, for people, with every cause.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What the error is about: ids, versions, paths.
    pub context: Map<String, Value>,
}

impl Failure {
    /// A failure without hint and context.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, context: Map::new() }
    }

    /// A failure that says what `error` and its causes say.
    #[must_use]
    pub fn of(code: Code, error: &dyn StdError) -> Self {
        Self::new(code, chain(error))
    }

    /// A failure of the file system outside the store. `action` says what was tried.
    #[must_use]
    pub fn io(action: impl std::fmt::Display, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let (code, hint) = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (Code::DiskFull, "free some space and run the command again")
            }
            ErrorKind::ReadOnlyFilesystem => (Code::ReadOnly, "make the file system writable"),
            ErrorKind::PermissionDenied => {
                (Code::PermissionDenied, "give this user the right to it, or work as its owner")
            }
            _ => (Code::Storage, "look at the device and the file system"),
        };
        Self::new(code, format!("{action}: {error}")).hint(hint)
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds to the context.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    /// The error as JSON shows it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        json!({
            "code": self.code.name(),
            "message": self.message,
            "hint": self.hint,
            "retryable": self.code.is_retryable(),
            "context": self.context,
        })
    }

    /// Says that something was done before the command failed, and stands.
    #[must_use]
    pub(crate) fn after(self, done: &str) -> Self {
        let message = format!("{done}, but then: {}", self.message);
        Self { code: Code::Indeterminate, message, ..self }
            .hint("look at what is there before you run it again")
    }

    fn about(self, id: &WorkId) -> Self {
        self.with("id", id.to_string())
    }
}

/// What `error` says, with every cause behind it.
pub(crate) fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Repository(error) => error.into(),
            Error::Ids(error) => error.into(),
            Error::Lock(error) => error.into(),
            Error::NotCreated { ref title, ref source } => {
                refused(source, &error).with("title", title.as_str())
            }
            Error::NoFreeNumber { .. } => Self::of(Code::NoFreeNumber, &error)
                .hint("run `jerry doctor`: the numbers on record may be behind the items"),
            Error::DependencyCycle(ref cycle) | Error::ParentCycle(ref cycle) => {
                Self::of(Code::Cycle, &error).with("cycle", names(&cycle.0))
            }
            Error::StillNeeded { ref id, ref dependents, ref children } => {
                Self::of(Code::StillNeeded, &error)
                    .about(id)
                    .with("dependents", names(dependents))
                    .with("children", names(children))
                    .hint("detach them first, or cancel the item; --force deletes it all the same")
            }
            Error::NothingReady => Self::of(Code::NothingReady, &error)
                .hint("`jerry list` shows what others work on and what waits for what"),
            Error::EmptySearch => Self::of(Code::Usage, &error),
            Error::Partly(error) => Self::from(*error).after("a part of it was done"),
        }
    }
}

impl From<RepositoryError> for Failure {
    fn from(error: RepositoryError) -> Self {
        match error {
            RepositoryError::NotFound { ref id } => Self::of(Code::NotFound, &error)
                .about(id)
                .hint("`jerry list --all` shows every item"),
            RepositoryError::Deleted { ref id, at, ref by } => Self::of(Code::Deleted, &error)
                .about(id)
                .with("deleted_at", at.to_string())
                .with("deleted_by", by.as_str()),
            RepositoryError::VersionConflict { ref id, expected, found } => {
                Self::of(Code::VersionConflict, &error)
                    .about(id)
                    .with("expected", expected)
                    .with("found", found)
                    .hint(format!("look at it again with `jerry show {id}`, then decide"))
            }
            RepositoryError::ChangedOutside { ref id } => Self::of(Code::ChangedOutside, &error)
                .about(id)
                .hint("nothing was overwritten; run the command again"),
            RepositoryError::Refused { ref id, ref source } => refused(source, &error).about(id),
            RepositoryError::TooLarge { ref id, size, limit } => Self::of(Code::TooLarge, &error)
                .about(id)
                .with("size", size)
                .with("limit", limit)
                .hint("keep long texts in files of their own and name them in the item"),
            RepositoryError::NewerFormat { found, known } => Self::of(Code::NewerFormat, &error)
                .with("found", found)
                .with("known", known)
                .hint("upgrade jerry; reading works with this version"),
            RepositoryError::Lock(error) => error.into(),
            RepositoryError::Malformed(error) => error.into(),
            RepositoryError::Storage(error) => error.into(),
            RepositoryError::Indeterminate(_) => Self::of(Code::Indeterminate, &error)
                .hint("the change is visible; check the disk before you rely on it"),
        }
    }
}

impl From<IdError> for Failure {
    fn from(error: IdError) -> Self {
        match error {
            IdError::NoWorkerSlot { .. } => {
                Self::of(Code::Busy, &error).hint("wait until other jerry processes have ended")
            }
            IdError::Exhausted { .. } => Self::of(Code::Storage, &error)
                .hint("start another prefix: jerry config set prefix NAME"),
            IdError::Lock(error) => error.into(),
            IdError::Malformed(error) => error.into(),
            IdError::Storage(error) => error.into(),
            // Nothing was given out, so nothing is in doubt.
            IdError::Indeterminate(ref source) => storage(source, &error),
        }
    }
}

impl From<LockError> for Failure {
    fn from(error: LockError) -> Self {
        match error {
            LockError::TimedOut { ref name, ref holder, waited } => {
                let mut failure = Self::of(Code::Busy, &error)
                    .with("lock", name.as_str())
                    .with("waited_ms", u64::try_from(waited.as_millis()).unwrap_or(u64::MAX))
                    .hint(
                        "run it again, or wait longer with --lock-timeout; \
                         `jerry locks list` shows who holds what",
                    );
                let holder = holder.as_ref().and_then(|holder| serde_json::to_value(holder).ok());
                failure.context.insert("holder".to_owned(), holder.unwrap_or_default());
                failure
            }
            LockError::Storage { ref source, .. } => storage(source, &error),
        }
    }
}

impl From<Malformed> for Failure {
    fn from(error: Malformed) -> Self {
        Self::of(Code::Malformed, &error)
            .with("path", error.path.as_str())
            .with("line", error.line)
            .with("column", error.column)
            .hint(
                "put the file right, or restore it from version control; `jerry doctor` tells more",
            )
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        storage(&error, &error)
    }
}

impl From<Unreadable> for Failure {
    fn from(error: Unreadable) -> Self {
        match error {
            Unreadable::Malformed(error) => error.into(),
            Unreadable::Storage(error) => error.into(),
        }
    }
}

impl From<InvalidText> for Failure {
    fn from(error: InvalidText) -> Self {
        Self::of(Code::Invalid, &error)
    }
}

impl From<InvalidWorkId> for Failure {
    fn from(error: InvalidWorkId) -> Self {
        Self::of(Code::Usage, &error).hint("an id is typed WORK-042, work-42 or 42")
    }
}

/// `whole` is the error that carries `error`; it says which lock or item the storage failed.
fn storage(error: &StorageError, whole: &dyn StdError) -> Failure {
    let code = match error.fault {
        StorageFault::Full => Code::DiskFull,
        StorageFault::ReadOnly => Code::ReadOnly,
        StorageFault::Denied => Code::PermissionDenied,
        StorageFault::CrossDevice | StorageFault::TooManyOpen | StorageFault::Other => {
            Code::Storage
        }
    };
    Failure::of(code, whole)
        .with("action", error.action)
        .with("path", error.resource.as_str())
        .hint(error.remedy())
}

/// `whole` is the error that carries `refusal`; it says which item was not made or changed.
fn refused(refusal: &Refusal, whole: &dyn StdError) -> Failure {
    match refusal {
        Refusal::Transition { from, transition } => {
            with_moves(Failure::of(Code::InvalidTransition, whole), *from)
                .with("transition", transition.as_str())
        }
        Refusal::UnknownCheck { id, known } => {
            let known: Vec<_> = known.iter().map(|id| Value::from(id.as_str())).collect();
            Failure::of(Code::NotFound, whole).with("check", id.as_str()).with("known", known)
        }
        Refusal::NewerSchema { schema } => {
            Failure::of(Code::NewerFormat, whole).with("schema", *schema).hint("upgrade jerry")
        }
        Refusal::Claimed(claim) => with_claim(Failure::of(Code::Claimed, whole), Some(claim)).hint(
            "take another item; whose claim it is shows its --fence, or the --session it was \
             claimed in; --force writes all the same",
        ),
        Refusal::StaleFence { fence, claim } => {
            with_claim(Failure::of(Code::StaleFence, whole), claim.as_deref())
                .with("fence", *fence)
                .hint("stop working on it, or claim it again")
        }
        Refusal::EvidenceOnSubtask { .. }
        | Refusal::Empty { .. }
        | Refusal::Invalid(
            InvalidItem::Version(_)
            | InvalidItem::DuplicateCheckId(_)
            | InvalidItem::OwnParent
            | InvalidItem::OwnDependency
            | InvalidItem::DuplicateDependency(_)
            | InvalidItem::Field(_),
        )
        | Refusal::Text(_)
        | Refusal::Rule(_) => Failure::of(Code::Invalid, whole),
    }
}

/// Says whose the item is; `null` where it is nobody's.
fn with_claim(mut failure: Failure, claim: Option<&Claim>) -> Failure {
    let claim = claim.and_then(|claim| serde_json::to_value(claim).ok());
    failure.context.insert("claim".to_owned(), claim.unwrap_or_default());
    failure
}

/// A status that no move of the status machine leads to from where the item stands.
pub(crate) fn transition_refused(id: &WorkId, from: Status, to: Status) -> Failure {
    let moves: Vec<_> = from.moves().map(|(verb, to)| format!("{verb} (to {to})")).collect();
    let message = format!(
        "{id} was not changed: it is {from} and cannot become {to}; from {from} it can: {}",
        moves.join(", ")
    );
    with_moves(Failure::new(Code::InvalidTransition, message), from).about(id)
}

fn with_moves(failure: Failure, from: Status) -> Failure {
    let allowed: Vec<_> = from.moves().map(|(verb, _)| verb.as_str()).collect();
    failure.with("status", from.as_str()).with("allowed", allowed)
}

fn names(ids: &[WorkId]) -> Vec<String> {
    ids.iter().map(WorkId::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use jerry_domain::ports::{Holder, LockName};
    use jerry_domain::{Actor, CheckId, Cycle, Timestamp, Transition};
    use rstest::rstest;

    use super::*;

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
    #[case::not_found(repository(RepositoryError::NotFound { id: id(1) }), Code::NotFound, 3)]
    #[case::deleted(
        repository(RepositoryError::Deleted {
            id: id(1),
            at: Timestamp::UNIX_EPOCH,
            by: Actor::new("ann").expect("valid"),
        }),
        Code::Deleted,
        3
    )]
    #[case::version(
        repository(RepositoryError::VersionConflict { id: id(1), expected: 1, found: 2 }),
        Code::VersionConflict,
        5
    )]
    #[case::outside(
        repository(RepositoryError::ChangedOutside { id: id(1) }),
        Code::ChangedOutside,
        5
    )]
    #[case::too_large(
        repository(RepositoryError::TooLarge { id: id(1), size: 9, limit: 8 }),
        Code::TooLarge,
        4
    )]
    #[case::newer_format(
        repository(RepositoryError::NewerFormat { found: 2, known: 1 }),
        Code::NewerFormat,
        8
    )]
    #[case::lock_in_repository(repository(timed_out().into()), Code::Busy, 6)]
    #[case::malformed(repository(malformed().into()), Code::Malformed, 8)]
    #[case::full(repository(storage_error(StorageFault::Full).into()), Code::DiskFull, 8)]
    #[case::read_only(repository(storage_error(StorageFault::ReadOnly).into()), Code::ReadOnly, 8)]
    #[case::denied(
        repository(storage_error(StorageFault::Denied).into()),
        Code::PermissionDenied,
        8
    )]
    #[case::cross_device(
        repository(storage_error(StorageFault::CrossDevice).into()),
        Code::Storage,
        8
    )]
    #[case::too_many_open(
        repository(storage_error(StorageFault::TooManyOpen).into()),
        Code::Storage,
        8
    )]
    #[case::other(repository(storage_error(StorageFault::Other).into()), Code::Storage, 8)]
    #[case::indeterminate(
        repository(RepositoryError::Indeterminate(storage_error(StorageFault::Other))),
        Code::Indeterminate,
        9
    )]
    #[case::transition(
        refused(Refusal::Transition { from: Status::Pending, transition: Transition::Complete }),
        Code::InvalidTransition,
        4
    )]
    #[case::unknown_check(
        refused(Refusal::UnknownCheck {
            id: CheckId::new("AC-001.9").expect("valid"),
            known: vec![CheckId::new("AC-001.1").expect("valid")],
        }),
        Code::NotFound,
        3
    )]
    #[case::evidence(
        refused(Refusal::EvidenceOnSubtask { id: CheckId::new("ST-001.1").expect("valid") }),
        Code::Invalid,
        4
    )]
    #[case::empty(refused(Refusal::Empty { what: "note" }), Code::Invalid, 4)]
    #[case::invalid(refused(Refusal::Invalid(InvalidItem::OwnParent)), Code::Invalid, 4)]
    #[case::text(
        refused(Refusal::Text(InvalidText::Empty { what: "title" })),
        Code::Invalid,
        4
    )]
    #[case::newer_schema(refused(Refusal::NewerSchema { schema: 2 }), Code::NewerFormat, 8)]
    #[case::rule(refused(Refusal::Rule("no".into())), Code::Invalid, 4)]
    #[case::claimed(refused(Refusal::Claimed(claim())), Code::Claimed, 5)]
    #[case::stale_fence(
        refused(Refusal::StaleFence { fence: 1, claim: Some(claim()) }),
        Code::StaleFence,
        5
    )]
    #[case::no_slot(IdError::NoWorkerSlot { slots: 1024 }.into(), Code::Busy, 6)]
    #[case::exhausted(
        IdError::Exhausted { what: "numbers".into() }.into(),
        Code::Storage,
        8
    )]
    #[case::ids_lock(IdError::Lock(timed_out()).into(), Code::Busy, 6)]
    #[case::ids_malformed(IdError::Malformed(malformed()).into(), Code::Malformed, 8)]
    #[case::ids_storage(
        IdError::Storage(storage_error(StorageFault::Full)).into(),
        Code::DiskFull,
        8
    )]
    #[case::ids_indeterminate(
        IdError::Indeterminate(storage_error(StorageFault::Other)).into(),
        Code::Storage,
        8
    )]
    #[case::lock(timed_out().into(), Code::Busy, 6)]
    #[case::lock_storage(
        LockError::Storage {
            name: LockName::graph(),
            source: storage_error(StorageFault::Denied),
        }
        .into(),
        Code::PermissionDenied,
        8
    )]
    #[case::not_created(
        Error::NotCreated { title: "x".into(), source: Refusal::Empty { what: "criterion" } },
        Code::Invalid,
        4
    )]
    #[case::no_number(
        Error::NoFreeNumber { prefix: "WORK".into(), attempts: 20 },
        Code::NoFreeNumber,
        5
    )]
    #[case::cycle(Error::DependencyCycle(Cycle(vec![id(1), id(1)])), Code::Cycle, 4)]
    #[case::parents(Error::ParentCycle(Cycle(vec![id(1), id(1)])), Code::Cycle, 4)]
    #[case::needed(
        Error::StillNeeded { id: id(1), dependents: vec![id(2)], children: vec![] },
        Code::StillNeeded,
        4
    )]
    #[case::nothing_ready(Error::NothingReady, Code::NothingReady, 7)]
    #[case::empty_search(Error::EmptySearch, Code::Usage, 2)]
    fn every_error_has_its_code_and_status(
        #[case] error: Error,
        #[case] code: Code,
        #[case] status: u8,
    ) {
        let failure = Failure::from(error);
        assert_eq!((failure.code, failure.code.status()), (code, status), "{failure}");
        let json = failure.to_json();
        let keys: Vec<_> = json.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["code", "message", "hint", "retryable", "context"]);
    }

    #[test]
    fn no_two_codes_have_one_name() {
        let names: HashSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
    }

    #[test]
    fn a_message_has_every_cause_once() {
        let failure = Failure::from(storage_error(StorageFault::Full));
        assert_eq!(failure.message, "cannot write data/items: the cause");
    }

    #[test]
    fn a_busy_lock_names_its_holder() {
        let json = Failure::from(timed_out()).to_json();
        assert_eq!(json["context"]["holder"]["pid"], 7);
        assert_eq!(json["retryable"], true);
    }

    #[test]
    fn a_refused_move_names_those_that_are_allowed() {
        let error = refused(Refusal::Transition {
            from: Status::Pending,
            transition: Transition::Complete,
        });
        let json = Failure::from(error).to_json();
        assert_eq!(json["context"]["allowed"], json!(["start", "cancel"]));
    }
}
