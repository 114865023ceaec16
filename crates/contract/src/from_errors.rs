//! From every error of the application and the domain to its code, with what it is about and what to
//! do about it.

use std::error::Error as StdError;

use jerry_application::Error;
use jerry_domain::ports::{
    IdError, LockError, Malformed, RepositoryError, StorageError, StorageFault, Unreadable,
};
use jerry_domain::{
    Claim, InvalidItem, InvalidText, InvalidWorkId, NotUndone, Refusal, Status, Unmet, WorkId,
};
use serde_json::Value;

use crate::{Code, Failure};

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Repository(error) => error.into(),
            Error::Ids(error) => error.into(),
            Error::Lock(error) => error.into(),
            Error::NotCreated { ref title, ref source } => {
                refused(source, &error, None).with("title", title.as_str())
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
            Error::Plan(_) => Self::of(Code::Invalid, &error)
                .hint("put the plan right; nothing of it was carried out"),
            Error::NothingReady => Self::of(Code::NothingReady, &error)
                .hint("`jerry ready --explain` shows what others work on and what waits for what"),
            Error::UnknownCursor { ref cursor } => {
                Self::of(Code::UnknownCursor, &error).with("cursor", cursor.as_str()).hint(
                    "changes since then cannot be told: look at all items with `jerry list --all`, \
                     and watch from now on, without --since",
                )
            }
            Error::OtherFilter { ref cursor } => Self::of(Code::Usage, &error)
                .with("cursor", cursor.as_str())
                .hint("go on with the filter that it was given for, or begin without --since"),
            Error::UnknownVersion { ref id, .. } => Self::of(Code::UnknownVersion, &error)
                .about(id)
                .hint(format!("`jerry history {id} --limit 0` names every version")),
            Error::NotThen { ref id, time, since } => Self::of(Code::UnknownVersion, &error)
                .about(id)
                .with("time", time.to_string())
                .with("since", since.to_string())
                .hint(format!("`jerry history {id} --limit 0` names every version")),
            Error::NothingWritten { ref actor } => Self::of(Code::NotFound, &error)
                .with("actor", actor.as_str())
                .hint("name the item; `jerry history` tells who wrote what"),
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
                .with("deleted_by", by.as_str())
                .hint(format!(
                    "`jerry history {id}` tells what it was; a deletion is not taken back"
                )),
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
            RepositoryError::Refused { ref id, ref source } => {
                refused(source, &error, Some(id)).about(id)
            }
            RepositoryError::TooLarge { ref id, size, limit } => Self::of(Code::TooLarge, &error)
                .about(id)
                .with("size", size)
                .with("limit", limit)
                .hint("keep long texts in files of their own and name them in the item"),
            RepositoryError::CommitTooLarge { size, limit } => Self::of(Code::TooLarge, &error)
                .with("size", size)
                .with("limit", limit)
                .hint("divide it into several plans; later ones can name items of earlier ones"),
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

/// `whole` is the error that carries `refusal`; it says which item was not made or changed. Without an
/// `id` it has none yet.
fn refused(refusal: &Refusal, whole: &dyn StdError, id: Option<&WorkId>) -> Failure {
    let id = id.map_or_else(|| "ID".to_owned(), WorkId::to_string);
    match refusal {
        Refusal::Transition { from, transition } => {
            with_moves(Failure::of(Code::InvalidTransition, whole), *from)
                .with("transition", transition.as_str())
        }
        Refusal::NoMove { from, to } => {
            with_moves(Failure::of(Code::InvalidTransition, whole), *from).with("to", to.as_str())
        }
        Refusal::UnknownCheck { id: check, known } => {
            let hint = match known.is_empty() {
                true => format!("it has none; `jerry check {id} --add TEXT` adds one"),
                false => format!("`jerry show {id}` shows those that it has"),
            };
            let known: Vec<_> = known.iter().map(|id| Value::from(id.as_str())).collect();
            Failure::of(Code::NotFound, whole)
                .with("check", check.as_str())
                .with("known", known)
                .hint(hint)
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
        Refusal::UnfinishedParts { parts } => Failure::of(Code::UnfinishedParts, whole)
            .with("parts", names(parts))
            .hint("finish or cancel them first; --force completes it all the same"),
        Refusal::CompletedParent { parent } => Failure::of(Code::CompletedParent, whole)
            .with("parent", parent.to_string())
            .hint(format!(
                "take the parent up again with `jerry reopen {parent}`, or name another; --force \
                 does it all the same"
            )),
        Refusal::RequestReused { request, version, event } => {
            Failure::of(Code::RequestReused, whole)
                .with("request_id", request.as_str())
                .with("version", *version)
                .with("event", event.as_str())
        }
        Refusal::WouldReplace { what, version } => {
            Failure::of(Code::WouldReplace, whole).with("version", *version).hint(format!(
                "`jerry update {id} --append-{what} TEXT` adds to it; to replace it, look at it and \
                 name its version: --replace --if-version {version}, or if_version in a plan"
            ))
        }
        Refusal::ReplacesOther { of, found, .. } => Failure::of(Code::VersionConflict, whole)
            .with("expected", *of)
            .with("found", *found)
            .hint(format!("look at it again with `jerry show {id}`, then decide")),
        Refusal::NotUndone(why) => not_undone(why, whole, &id),
        Refusal::Gate { unmet } => {
            let mut failure = Failure::of(Code::Gate, whole).hint(how_to_meet(unmet, &id));
            let unmet = serde_json::to_value(unmet).unwrap_or_default();
            failure.context.insert("unmet".to_owned(), unmet);
            failure
        }
        Refusal::MovedOn { seen, found } => Failure::of(Code::VersionConflict, whole)
            .with("expected", *seen)
            .with("found", *found)
            .hint(format!("look at what it asks for now with `jerry show {id}`, then complete it again")),
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

/// `whole` is the error that carries `why`; it says on which item.
fn not_undone(why: &NotUndone, whole: &dyn StdError, id: &str) -> Failure {
    let failure = |code, version: &u64| Failure::of(code, whole).with("version", *version);
    match why {
        NotUndone::WrittenSince { version, actor, session, at } => {
            failure(Code::WrittenSince, version)
                .with("actor", actor.as_str())
                .with("session", session.as_ref().map(|session| session.as_str()))
                .with("at", at.to_string())
                .hint(format!(
                    "look at it with `jerry diff {id}`; --force takes back what another wrote"
                ))
        }
        NotUndone::ChangedOutside { version, field } => {
            failure(Code::WrittenSince, version).with("field", field.as_str()).hint(format!(
                "look at it with `jerry show {id}`, and change what is to be changed with `jerry \
                 update {id}`"
            ))
        }
        NotUndone::First { version } => {
            failure(Code::NotUndoable, version).hint("cancel it, or delete it")
        }
        NotUndone::Renumbered { version } => {
            failure(Code::NotUndoable, version).hint("an id that was given out stays")
        }
        NotUndone::Merged { version } => failure(Code::NotUndoable, version)
            .hint(format!("look at it with `jerry diff {id}`, and change what is to be changed")),
        NotUndone::Stays { version } => failure(Code::NotUndoable, version)
            .hint("put a wrong note right with another one; claim the item again"),
        NotUndone::Unknown { version, .. } => failure(Code::NotUndoable, version),
    }
}

/// What meets the first of each kind of gate of the item `id` that is not met.
fn how_to_meet(unmet: &[Unmet], id: &str) -> String {
    let mut hints = Vec::new();
    let first = |is_wanted: fn(&Unmet) -> bool| unmet.iter().find(|unmet| is_wanted(unmet));
    if first(|unmet| matches!(unmet, Unmet::Unclear { .. })).is_some() {
        hints.push("put the settings right, which `jerry config show --origin` shows".to_owned());
    }
    let bare = first(|unmet| matches!(unmet, Unmet::WithoutEvidence { .. }));
    let open = first(|unmet| matches!(unmet, Unmet::Unticked { .. }));
    match (bare, open) {
        (Some(Unmet::WithoutEvidence { check }), _) => hints.push(format!(
            "`jerry check {id} {check} --evidence commit:SHA` ticks it with evidence"
        )),
        (_, Some(Unmet::Unticked { check })) => {
            hints.push(format!("`jerry check {id} {check}` ticks it"));
        }
        _ => {}
    }
    if first(|unmet| matches!(unmet, Unmet::NotRun { .. })).is_some() {
        hints.push(format!("`jerry complete {id}` runs the commands"));
    }
    if first(|unmet| matches!(unmet, Unmet::Failed { .. })).is_some() {
        hints.push("put right what the command complains of".to_owned());
    }
    hints.push("--force completes it all the same".to_owned());
    hints.join("; ")
}

/// Says whose the item is; `null` where it is nobody's.
fn with_claim(mut failure: Failure, claim: Option<&Claim>) -> Failure {
    let claim = claim.and_then(|claim| serde_json::to_value(claim).ok());
    failure.context.insert("claim".to_owned(), claim.unwrap_or_default());
    failure
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
    use std::time::Duration;

    use jerry_domain::ports::{Holder, LockName};
    use jerry_domain::{
        Actor, CheckId, Cycle, Event, RequestId, Timestamp, Transition, UnknownVersion,
    };
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
    #[case::cycle(Error::DependencyCycle(Cycle(vec![id(1), id(1)])), Code::Cycle)]
    #[case::parents(Error::ParentCycle(Cycle(vec![id(1), id(1)])), Code::Cycle)]
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
        let error = refused(Refusal::Transition {
            from: Status::Pending,
            transition: Transition::Complete,
        });
        let json = json(&error.into());
        assert_eq!(json["context"]["allowed"], serde_json::json!(["start", "cancel"]));
    }
}
