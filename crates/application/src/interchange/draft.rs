//! An item as a text describes it, before it has an identity and before anyone knows which items
//! the names in it mean.

use std::collections::HashSet;

use jerry_domain::{
    Actor, Artifact, CheckId, Criterion, Event, Evidence, Extra, HistoryEntry, ITEM_SCHEMA,
    InvalidText, ItemRef, ItemType, Label, Link, LinkKind, LinkTarget, Note, Phase, Priority,
    Record, Refusal, Source, Stamp, Status, Subtask, Timestamp, Title, Uid, WorkId, WorkItem,
};
use serde_json::Value;

/// How a text names another item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Name {
    /// What stands there, and what is kept when nothing has this name.
    pub(super) text: String,
    /// The external reference that an item of this name carries.
    pub(super) key: String,
    /// The id that it would be, where names of this format can be ids.
    pub(super) id: Option<WorkId>,
    /// What is said about the relation.
    pub(super) note: Option<String>,
}

/// One entry of a checklist; without an id it gets the next free one.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DraftCheck {
    pub(super) id: Option<CheckId>,
    pub(super) text: String,
    pub(super) done: bool,
    pub(super) evidence: Vec<Evidence>,
}

/// An item without identity, whose references are names.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Draft {
    /// What others of its kind call it.
    pub(super) name: Option<String>,
    /// The id that it should have if that is free.
    pub(super) id: Option<WorkId>,
    /// The identity, where the text tells it.
    pub(super) uid: Option<Uid>,
    pub(super) external_ref: Option<String>,
    pub(super) title: Title,
    pub(super) heading: Option<String>,
    pub(super) description: Option<String>,
    pub(super) item_type: ItemType,
    pub(super) status: Status,
    pub(super) priority: Priority,
    pub(super) phase: Option<Phase>,
    pub(super) assignee: Option<Actor>,
    pub(super) labels: Vec<Label>,
    pub(super) parent: Option<Name>,
    pub(super) needs: Vec<Name>,
    pub(super) links: Vec<(LinkKind, Name)>,
    pub(super) criteria: Vec<DraftCheck>,
    pub(super) subtasks: Vec<DraftCheck>,
    /// Entries that the text speaks of and does not have. No other is given their names.
    pub(super) missing: Vec<CheckId>,
    pub(super) notes: Vec<Note>,
    pub(super) findings: Vec<String>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) sources: Vec<Source>,
    pub(super) created_at: Timestamp,
    pub(super) updated_at: Timestamp,
    pub(super) started_at: Option<Timestamp>,
    pub(super) completed_at: Option<Timestamp>,
    pub(super) due_at: Option<Timestamp>,
    pub(super) imported: Option<Value>,
    /// Why it is as it is, for the history.
    pub(super) reason: Option<String>,
}

/// What became of a name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Found {
    /// It means this item.
    Item(ItemRef),
    /// It means this item, but the relation would close a ring.
    Ring(ItemRef),
    /// It means nothing that is known.
    Nothing,
}

/// What the names of a draft mean, in the draft's order.
#[derive(Debug, Default)]
pub(super) struct References {
    pub(super) parent: Option<Found>,
    pub(super) needs: Vec<Found>,
    pub(super) links: Vec<Found>,
}

impl Draft {
    /// A draft with a title and times, and nothing else.
    pub(super) fn new(title: Title, created_at: Timestamp) -> Self {
        Self {
            name: None,
            id: None,
            uid: None,
            external_ref: None,
            title,
            heading: None,
            description: None,
            item_type: ItemType::default(),
            status: Status::default(),
            priority: Priority::default(),
            phase: None,
            assignee: None,
            labels: Vec::new(),
            parent: None,
            needs: Vec::new(),
            links: Vec::new(),
            criteria: Vec::new(),
            subtasks: Vec::new(),
            missing: Vec::new(),
            notes: Vec::new(),
            findings: Vec::new(),
            artifacts: Vec::new(),
            sources: Vec::new(),
            created_at,
            updated_at: created_at,
            started_at: None,
            completed_at: None,
            due_at: None,
            imported: None,
            reason: None,
        }
    }

    /// The item, version 1, with `references` for its names.
    ///
    /// # Errors
    /// [`Refusal`] when the fields do not agree with each other.
    pub(super) fn into_item(
        mut self,
        id: WorkId,
        uid: Uid,
        references: References,
        stamp: &Stamp,
    ) -> Result<WorkItem, Refusal> {
        let mut links = Vec::new();
        let mut link = |kind, target, note: Option<String>| {
            links.push(Link { kind, target, note, extra: Extra::new() });
        };
        let mut parent = None;
        if let (Some(name), Some(found)) = (self.parent.take(), references.parent) {
            match found {
                Found::Item(item) => parent = Some(item.with_note(name.note)),
                Found::Ring(item) => {
                    link(LinkKind::Related, LinkTarget::Item(item), or_parent(name.note));
                }
                Found::Nothing => link(LinkKind::Related, unknown(&name), or_parent(name.note)),
            }
        }
        let mut depends_on: Vec<ItemRef> = Vec::new();
        for (name, found) in self.needs.into_iter().zip(references.needs) {
            match found {
                Found::Item(item) if depends_on.iter().any(|own| own.same_target(&item)) => {}
                Found::Item(item) => depends_on.push(item.with_note(name.note)),
                Found::Ring(item) => link(LinkKind::DependsOn, LinkTarget::Item(item), name.note),
                Found::Nothing => link(LinkKind::DependsOn, unknown(&name), name.note),
            }
        }
        for ((kind, name), found) in self.links.into_iter().zip(references.links) {
            let target = match found {
                Found::Item(item) | Found::Ring(item) => LinkTarget::Item(item),
                Found::Nothing => unknown(&name),
            };
            link(kind, target, name.note);
        }
        let own = self.criteria.iter().chain(&self.subtasks).filter_map(|check| check.id.as_ref());
        let taken = own.chain(&self.missing).cloned().collect();
        let mut names = CheckNames { number: id.number(), taken };
        names.fill("AC", &mut self.criteria)?;
        names.fill("ST", &mut self.subtasks)?;
        let criterion = |DraftCheck { id, text, done, evidence }: DraftCheck| {
            Some(Criterion { id: id?, text, done, evidence, extra: Extra::new() })
        };
        let subtask = |DraftCheck { id, text, done, .. }: DraftCheck| {
            Some(Subtask { id: id?, text, done, extra: Extra::new() })
        };
        let history = vec![HistoryEntry {
            at: stamp.at,
            actor: stamp.actor.clone(),
            session: stamp.credentials.session.clone(),
            version: 1,
            event: Event::IMPORTED,
            changes: Vec::new(),
            reason: self.reason.or_else(|| stamp.reason.clone()),
            request_id: stamp.request_id.clone().map(String::from),
            forced: false,
            merged: None,
            extra: Extra::new(),
        }];
        Ok(WorkItem::try_from(Record {
            schema: ITEM_SCHEMA,
            id,
            uid,
            version: 1,
            item_type: self.item_type,
            title: self.title,
            heading: self.heading,
            description: self.description,
            status: self.status,
            priority: self.priority,
            phase: self.phase,
            assignee: self.assignee,
            claim: None,
            labels: self.labels,
            parent,
            depends_on,
            links,
            gates: Vec::new(),
            acceptance_criteria: self.criteria.into_iter().filter_map(criterion).collect(),
            subtasks: self.subtasks.into_iter().filter_map(subtask).collect(),
            notes: self.notes,
            findings: self.findings,
            artifacts: self.artifacts,
            sources: self.sources,
            external_ref: self.external_ref,
            created_at: self.created_at,
            updated_at: self.updated_at,
            started_at: self.started_at,
            completed_at: self.completed_at,
            due_at: self.due_at,
            imported: self.imported,
            history,
            displaced: Vec::new(),
            extra: Extra::new(),
        })?)
    }
}

/// A parent that cannot be one is a link, and the link says so.
fn or_parent(note: Option<String>) -> Option<String> {
    note.or_else(|| Some("parent".to_owned()))
}

fn unknown(name: &Name) -> LinkTarget {
    match &name.id {
        Some(id) => LinkTarget::Item(ItemRef::bare(id.clone())),
        None => LinkTarget::External(name.text.clone()),
    }
}

/// Gives names to checklist entries that have none: free ones, in order.
struct CheckNames {
    number: u64,
    taken: HashSet<CheckId>,
}

impl CheckNames {
    fn fill(&mut self, short: &str, checks: &mut [DraftCheck]) -> Result<(), InvalidText> {
        let mut next = 1;
        for check in checks.iter_mut().filter(|check| check.id.is_none()) {
            loop {
                let id = CheckId::new(&format!("{short}-{:03}.{next}", self.number))?;
                next += 1;
                if !self.taken.contains(&id) {
                    check.id = Some(id);
                    break;
                }
            }
        }
        Ok(())
    }
}
