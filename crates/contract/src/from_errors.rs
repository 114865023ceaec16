//! From every error of the application and the domain to its code, with what it is about and what to
//! do about it.

use std::error::Error as StdError;

use jerry_application::Error;
use jerry_domain::ports::{
    IdError, LockError, Malformed, RepositoryError, StorageError, StorageFault, Unreadable,
};
use jerry_domain::{
    Claim, InvalidEvidence, InvalidItem, InvalidText, InvalidWorkId, NotUndone, Refusal, Status,
    Unmet, WorkId,
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
            Error::DependencyCycle(ref ring)
            | Error::ParentCycle(ref ring)
            | Error::MixedCycle(ref ring) => {
                Self::of(Code::Cycle, &error).with("cycle", ring.0.clone())
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

impl From<InvalidEvidence> for Failure {
    fn from(error: InvalidEvidence) -> Self {
        let failure = Self::of(Code::Usage, &error);
        match error {
            InvalidEvidence::Source => failure.hint("leave the source out"),
            InvalidEvidence::Empty { .. }
            | InvalidEvidence::Commit(_)
            | InvalidEvidence::Address(_) => failure,
        }
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
        Refusal::Claimed(claim) => {
            let failure = with_claim(Failure::of(Code::Claimed, whole), Some(claim));
            failure.hint(match claim.handed_over_by {
                None => {
                    "if the claim is your own, show --fence N or the --session it was claimed in; else \
                     take another item; --force writes all the same"
                        .to_owned()
                }
                Some(_) => format!(
                    "if you are {}, take it with `jerry claim {id}`; else take another item; --force \
                     writes all the same",
                    claim.holder
                ),
            })
        }
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
mod tests;
