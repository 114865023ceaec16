//! Every change that an item allows, as data: what the command line, an import and a plan ask
//! for is the same list of [`Edit`]s, and the rules for each stand here once.

use std::time::Duration;

use jiff::Timestamp;

use crate::claim::{self, Credentials};
use crate::history::{Event, FieldChange, HistoryEntry};
use crate::record::{Extra, Record};
use crate::{
    Actor, Artifact, CheckId, Criterion, Evidence, ItemRef, ItemType, Label, Link, LinkKind,
    LinkTarget, Note, Phase, Priority, Reach, Refusal, RequestId, Requirement, Source, Status,
    Subtask, Title, Transition,
};

/// Who writes, when and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// Why, in the actor's words.
    pub reason: Option<String>,
    /// The request that asks for it, if it has a name.
    pub request_id: Option<RequestId>,
    /// What shows that a claimed item is its own.
    pub credentials: Credentials,
}

impl Stamp {
    /// A stamp without a reason.
    #[must_use]
    pub fn new(at: Timestamp, actor: Actor) -> Self {
        let credentials = Credentials::default();
        Self { at, actor, reason: None, request_id: None, credentials }
    }

    pub(crate) fn entry(
        &self,
        version: u64,
        event: Event,
        changes: Vec<FieldChange>,
    ) -> HistoryEntry {
        HistoryEntry {
            at: self.at,
            actor: self.actor.clone(),
            session: self.credentials.session.clone(),
            version,
            event,
            changes,
            reason: self.reason.clone(),
            request_id: self.request_id.clone().map(String::from),
            forced: false,
            merged: None,
            extra: Extra::new(),
        }
    }
}

/// One of an item's two checklists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChecklistKind {
    /// Acceptance criteria, named `AC-<number>.<n>`.
    Criteria,
    /// Sub-tasks, named `ST-<number>.<n>`.
    Subtasks,
}

/// One change to an item.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Change the title.
    Title(Title),
    /// Describe what has no description yet. Where another stands, it is refused.
    Description(Option<String>),
    /// Replace or remove the description that stands in the item's version `of`, which the writer
    /// has seen. In any other version it is refused.
    ReplaceDescription {
        /// What it shall be.
        text: Option<String>,
        /// The version whose description it replaces.
        of: u64,
    },
    /// Add to the description, as a paragraph of its own.
    AppendDescription(String),
    /// Change the type.
    Type(ItemType),
    /// Change the priority.
    Priority(Priority),
    /// Change or remove the phase.
    Phase(Option<Phase>),
    /// Change or remove the assignee.
    Assignee(Option<Actor>),
    /// Change or remove the due date.
    DueAt(Option<Timestamp>),
    /// Change or remove what the item is called elsewhere.
    ExternalRef(Option<String>),
    /// Add a label; one that is there already changes nothing.
    AddLabel(Label),
    /// Remove a label; one that is not there changes nothing.
    RemoveLabel(Label),
    /// Change or remove the parent. That no cycle arises is for the caller to check.
    Parent(Option<ItemRef>),
    /// Wait for another item; one that is waited for already changes nothing. That no cycle
    /// arises is for the caller to check. An unresolved `depends_on` link to the same item goes.
    AddDependency(ItemRef),
    /// Wait for it no longer; one that is not waited for changes nothing.
    RemoveDependency(ItemRef),
    /// Add a link; the same kind and target again changes nothing.
    AddLink(Link),
    /// Remove every link to a target.
    RemoveLink(LinkTarget),
    /// Ask for something before the item is completed; what is asked for already changes nothing.
    AddGate(Requirement),
    /// Ask for it no longer; settings may ask for it all the same.
    RemoveGate(Requirement),
    /// Append an entry to a checklist, under the next free name.
    AddCheck(ChecklistKind, String),
    /// Append an entry to a checklist; one that is there in the same words changes nothing.
    EnsureCheck(ChecklistKind, String),
    /// Tick or untick an entry of either checklist. Evidence is for criteria only.
    Check {
        /// Which entry.
        id: CheckId,
        /// Ticked or not.
        done: bool,
        /// What shows it.
        evidence: Option<Evidence>,
    },
    /// Remove an entry of either checklist.
    RemoveCheck(CheckId),
    /// Append a finding.
    AddFinding(String),
    /// Append an artifact.
    AddArtifact(Artifact),
    /// Append a source.
    AddSource(Source),
    /// Append a note.
    Note(String),
    /// Move to another status.
    Move(Transition),
    /// Make whatever move leads to this status; none where the item has it already.
    MoveTo(Status),
    /// Claim the item, and begin it where it is not begun.
    Claim {
        /// How long the claim stands after each write, in whole seconds; `None` for ever.
        lease: Option<Duration>,
        /// Where a lock shows for how long somebody works on it.
        lock: Option<Reach>,
    },
    /// End the claim and leave the item where it stands.
    Unclaim,
    /// Pass the claim on to another.
    HandOver(Actor),
}

impl Edit {
    /// Whether it completes an item that is not completed.
    #[must_use]
    pub fn completes(&self) -> bool {
        matches!(self, Self::Move(Transition::Complete) | Self::MoveTo(Status::Completed))
    }

    /// Whether it takes up an item again that is closed.
    #[must_use]
    pub fn reopens(&self) -> bool {
        let opens = |status: &Status| matches!(status, Status::Pending | Status::InProgress);
        match self {
            Self::Move(transition) => *transition == Transition::Reopen,
            Self::MoveTo(status) => opens(status),
            _ => false,
        }
    }
}

impl Event {
    /// What a history entry calls a write of `edits`: by its move if it has one, else by what all of
    /// its edits have in common.
    #[must_use]
    pub fn of(edits: &[Edit]) -> Self {
        let moved = edits.iter().find_map(|edit| match edit {
            Edit::Move(transition) => Some(match transition {
                Transition::Start => Event::STARTED,
                Transition::Block => Event::BLOCKED,
                Transition::Complete => Event::COMPLETED,
                Transition::Cancel => Event::CANCELLED,
                Transition::Release => Event::RELEASED,
                Transition::Reopen => Event::REOPENED,
            }),
            Edit::MoveTo(status) => Some(match status {
                Status::Pending => Event::RELEASED,
                Status::InProgress => Event::STARTED,
                Status::Blocked => Event::BLOCKED,
                Status::Completed => Event::COMPLETED,
                Status::Cancelled => Event::CANCELLED,
            }),
            Edit::Claim { .. } => Some(Event::CLAIMED),
            Edit::Unclaim => Some(Event::RELEASED),
            Edit::HandOver(_) => Some(Event::HANDED_OVER),
            _ => None,
        });
        let kind = |edit: &Edit| match edit {
            Edit::Note(_) => Event::NOTED,
            Edit::Check { .. } => Event::CHECKED,
            Edit::AddLabel(_) | Edit::RemoveLabel(_) => Event::LABELLED,
            Edit::Parent(_)
            | Edit::AddDependency(_)
            | Edit::RemoveDependency(_)
            | Edit::AddLink(_)
            | Edit::RemoveLink(_) => Event::LINKED,
            _ => Event::UPDATED,
        };
        moved.unwrap_or_else(|| {
            let first = edits.first().map_or(Event::UPDATED, kind);
            if edits.iter().all(|edit| kind(edit) == first) { first } else { Event::UPDATED }
        })
    }
}

/// Makes one edit on the bare fields. Rules between fields are checked by the caller afterwards.
pub(crate) fn make(record: &mut Record, edit: &Edit, stamp: &Stamp) -> Result<(), Refusal> {
    match edit.clone() {
        Edit::Title(title) => record.title = title,
        Edit::Description(text) => describe(record, text)?,
        Edit::ReplaceDescription { text, of } => {
            if of != record.version {
                let (what, found) = ("description", record.version);
                return Err(Refusal::ReplacesOther { what, of, found });
            }
            record.description = text.filter(|text| !text.is_empty());
        }
        Edit::AppendDescription(text) => {
            let text = said("description", text)?;
            record.description = Some(match &record.description {
                Some(before) => format!("{}\n\n{text}", before.trim_end()),
                None => text,
            });
        }
        Edit::Type(item_type) => record.item_type = item_type,
        Edit::Priority(priority) => record.priority = priority,
        Edit::Phase(phase) => record.phase = phase,
        Edit::Assignee(assignee) => record.assignee = assignee,
        Edit::DueAt(due_at) => record.due_at = due_at,
        Edit::ExternalRef(name) => record.external_ref = name.filter(|name| !name.is_empty()),
        Edit::AddLabel(label) => {
            if let Err(place) = record.labels.binary_search(&label) {
                record.labels.insert(place, label);
            }
        }
        Edit::RemoveLabel(label) => record.labels.retain(|own| *own != label),
        Edit::Parent(parent) => record.parent = parent,
        Edit::AddDependency(needed) => add_dependency(record, needed),
        Edit::RemoveDependency(needed) => record.depends_on.retain(|own| !own.same_target(&needed)),
        Edit::AddLink(link) => {
            let same = |own: &Link| own.kind == link.kind && same_target(&own.target, &link.target);
            if !record.links.iter().any(same) {
                record.links.push(link);
            }
        }
        Edit::RemoveLink(target) => record.links.retain(|own| !same_target(&own.target, &target)),
        Edit::AddGate(requirement) => {
            record.gates.push(requirement);
            record.gates.sort_unstable();
            record.gates.dedup();
        }
        Edit::RemoveGate(requirement) => record.gates.retain(|own| *own != requirement),
        Edit::EnsureCheck(kind, text) if has_check(record, kind, &text) => {}
        Edit::AddCheck(kind, text) | Edit::EnsureCheck(kind, text) => {
            add_check(record, kind, text)?;
        }
        Edit::Check { id, done, evidence } => check(record, id, done, evidence)?,
        Edit::RemoveCheck(id) => remove_check(record, id)?,
        Edit::AddFinding(text) => record.findings.push(said("finding", text)?),
        Edit::AddArtifact(artifact) => record.artifacts.push(artifact),
        Edit::AddSource(source) => record.sources.push(source),
        Edit::Note(text) => record.notes.push(Note {
            at: stamp.at,
            actor: stamp.actor.clone(),
            text: said("note", text)?,
            extra: Extra::new(),
        }),
        Edit::Move(transition) => move_to(record, transition, stamp)?,
        Edit::MoveTo(to) if record.status == to => {}
        Edit::MoveTo(to) => {
            let from = record.status;
            let transition = from.transition_to(to).ok_or(Refusal::NoMove { from, to })?;
            move_to(record, transition, stamp)?;
        }
        Edit::Claim { lease, lock } => claim::take(record, lease, lock, stamp)?,
        Edit::Unclaim => claim::end(record)?,
        Edit::HandOver(to) => claim::hand_over(record, to, stamp)?,
    }
    Ok(())
}

fn said(what: &'static str, text: String) -> Result<String, Refusal> {
    if text.trim().is_empty() { Err(Refusal::Empty { what }) } else { Ok(text) }
}

fn describe(record: &mut Record, text: Option<String>) -> Result<(), Refusal> {
    let text = text.filter(|text| !text.is_empty());
    if record.description.is_some() && record.description != text {
        let version = record.version;
        return Err(Refusal::WouldReplace { what: "description", version });
    }
    record.description = text;
    Ok(())
}

pub(crate) fn same_target(one: &LinkTarget, other: &LinkTarget) -> bool {
    match (one, other) {
        (LinkTarget::Item(one), LinkTarget::Item(other)) => one.same_target(other),
        (one, other) => one == other,
    }
}

fn add_dependency(record: &mut Record, needed: ItemRef) {
    record.links.retain(|link| {
        let LinkTarget::Item(own) = &link.target else { return true };
        link.kind != LinkKind::DependsOn || !own.same_target(&needed)
    });
    if !record.depends_on.iter().any(|own| own.same_target(&needed)) {
        record.depends_on.push(needed);
    }
}

fn add_check(record: &mut Record, kind: ChecklistKind, text: String) -> Result<(), Refusal> {
    let (short, what) = match kind {
        ChecklistKind::Criteria => ("AC", "criterion"),
        ChecklistKind::Subtasks => ("ST", "sub-task"),
    };
    let text = said(what, text)?;
    let stem = format!("{short}-{:03}.", record.id.number());
    let taken = check_ids(record)
        .filter_map(|id| id.as_str().strip_prefix(&stem)?.parse::<u32>().ok())
        .max()
        .unwrap_or(0);
    let id = CheckId::new(&format!("{stem}{}", taken.saturating_add(1)))?;
    match kind {
        ChecklistKind::Criteria => record.acceptance_criteria.push(Criterion {
            id,
            text,
            done: false,
            evidence: Vec::new(),
            extra: Extra::new(),
        }),
        ChecklistKind::Subtasks => {
            record.subtasks.push(Subtask { id, text, done: false, extra: Extra::new() });
        }
    }
    Ok(())
}

fn has_check(record: &Record, kind: ChecklistKind, text: &str) -> bool {
    match kind {
        ChecklistKind::Criteria => record.acceptance_criteria.iter().any(|own| own.text == text),
        ChecklistKind::Subtasks => record.subtasks.iter().any(|own| own.text == text),
    }
}

pub(crate) fn check_ids(record: &Record) -> impl Iterator<Item = &CheckId> {
    let criteria = record.acceptance_criteria.iter().map(|criterion| &criterion.id);
    criteria.chain(record.subtasks.iter().map(|subtask| &subtask.id))
}

fn unknown_check(record: &Record, id: CheckId) -> Refusal {
    Refusal::UnknownCheck { id, known: check_ids(record).cloned().collect() }
}

fn check(
    record: &mut Record,
    id: CheckId,
    done: bool,
    evidence: Option<Evidence>,
) -> Result<(), Refusal> {
    if evidence.as_ref().is_some_and(Evidence::is_blank) {
        return Err(Refusal::Empty { what: "evidence" });
    }
    if let Some(criterion) = record.acceptance_criteria.iter_mut().find(|own| own.id == id) {
        criterion.done = done;
        criterion.evidence.extend(evidence);
        return Ok(());
    }
    match record.subtasks.iter_mut().find(|own| own.id == id) {
        Some(_) if evidence.is_some() => Err(Refusal::EvidenceOnSubtask { id }),
        Some(subtask) => {
            subtask.done = done;
            Ok(())
        }
        None => Err(unknown_check(record, id)),
    }
}

fn remove_check(record: &mut Record, id: CheckId) -> Result<(), Refusal> {
    if !check_ids(record).any(|own| *own == id) {
        return Err(unknown_check(record, id));
    }
    record.acceptance_criteria.retain(|own| own.id != id);
    record.subtasks.retain(|own| own.id != id);
    Ok(())
}

fn move_to(record: &mut Record, transition: Transition, stamp: &Stamp) -> Result<(), Refusal> {
    let from = record.status;
    if (from, transition) == (Status::Blocked, Transition::Release) && record.claim.is_some() {
        // What keeps it from going on does so for the next one too.
        record.claim = None;
        record.assignee = None;
        return Ok(());
    }
    record.status = from.after(transition).ok_or(Refusal::Transition { from, transition })?;
    match transition {
        Transition::Start => {
            record.started_at.get_or_insert(stamp.at);
            record.assignee.get_or_insert_with(|| stamp.actor.clone());
        }
        Transition::Complete => {
            record.completed_at = Some(stamp.at);
            record.claim = None;
        }
        Transition::Cancel => record.claim = None,
        Transition::Release => {
            record.assignee = None;
            record.claim = None;
        }
        Transition::Reopen => record.completed_at = None,
        Transition::Block => {}
    }
    Ok(())
}
