//! Two versions of one item that came from one, as git finds them when it merges branches.
//!
//! Field by field: what one side changed is taken; of what both changed, the later write. Sets and
//! lists are united. The result does not depend on which side is called ours. It is one more write of
//! the *main line*, the side with the greater version, so that everything that could be rebuilt of it
//! still can; the other line stands in that write's history entry, whole
//! ([`MergedLine`](crate::MergedLine)). See `docs/adr/0025-merges-keep-both-lines.md`.

mod fields;
mod file;
mod work;

use crate::edit::{check_ids, same_target};
use crate::history::{self, Event, FieldChange, HistoryEntry, MergedLine};
use crate::record::{Extra, Record};
use crate::{
    Actor, CheckId, Criterion, ITEM_SCHEMA, InvalidItem, ItemRef, Link, Refusal, Subtask,
    UnknownVersion, WorkId, WorkItem,
};

use fields::{Side, Three, Whose};

/// Why two versions of an item are not merged.
#[derive(Debug, thiserror::Error)]
pub enum Unmergeable {
    /// A newer version of jerry wrote one, whose rules this one does not know.
    #[error(
        "the item has schema {schema}, this version of jerry writes {ITEM_SCHEMA}; upgrade jerry"
    )]
    NewerSchema {
        /// The item's schema.
        schema: u32,
    },
    /// They are not one item.
    #[error("they are different items")]
    DifferentItems,
    /// The result would be no item.
    #[error("what they make together is no valid item")]
    Invalid(#[from] InvalidItem),
}

impl From<Unmergeable> for Refusal {
    fn from(error: Unmergeable) -> Self {
        match error {
            Unmergeable::NewerSchema { schema } => Self::NewerSchema { schema },
            Unmergeable::Invalid(error) => Self::Invalid(error),
            error @ Unmergeable::DifferentItems => Self::Rule(error.to_string()),
        }
    }
}

impl WorkItem {
    /// What two versions of one item make together that both came from `base`. Where that is not
    /// known, the last version that both histories have in common takes its place.
    ///
    /// Symmetric: which side is ours makes no difference. The version is greater than both, unless
    /// one side is what the other came from. Of the items that other branches displaced nothing is
    /// said: see [`WorkItem::merge_files`].
    ///
    /// # Errors
    /// [`Unmergeable`].
    pub fn merge(base: Option<&Self>, ours: &Self, theirs: &Self) -> Result<Self, Unmergeable> {
        if ours == theirs {
            return Ok(ours.clone());
        }
        let (main, other) = if is_main(ours, theirs) { (ours, theirs) } else { (theirs, ours) };
        unite(base, main, other, None)
    }

    /// The next version of this item, which knows what `other`, another version of it, says. `None`
    /// when it knows already.
    ///
    /// # Errors
    /// [`Unmergeable`].
    pub fn absorb(&self, other: &Self) -> Result<Option<Self>, Unmergeable> {
        if self.uid == other.uid && self.knows(other) {
            return Ok(None);
        }
        unite(None, self, other, Some(&self.id)).map(Some)
    }

    /// Whether this and `other` are one item that two branches each gave a number of its own, and no
    /// copy that somebody made.
    #[must_use]
    pub fn is_twin_of(&self, other: &Self) -> bool {
        let shared = shared_entries(&self.history, &other.history);
        let is_renumbered = |item: &Self| {
            item.history[shared..].iter().any(|entry| entry.event == Event::RENUMBERED)
        };
        self.uid == other.uid && is_renumbered(self) && is_renumbered(other)
    }

    /// The line that was merged into this item where it made the version `version`, as that line
    /// stood then.
    ///
    /// # Errors
    /// [`UnknownVersion`] when that version was no merge, or the history does not lead there.
    pub fn merged_at(&self, version: u64) -> Result<Self, UnknownVersion> {
        history::rebuild_merged(self, version)
    }

    /// Whether `other` is an earlier version of this item, on the main line or one merged into it.
    fn knows(&self, other: &Self) -> bool {
        let wanted = bare(other);
        // To rebuild a version costs much more than to see that it is none of a line's.
        let last = other.history.last().map(HistoryEntry::alone);
        let has_last = |entries: &[HistoryEntry]| {
            last.as_ref().is_none_or(|last| {
                entries.iter().any(|own| own.version == last.version && own.alone() == *last)
            })
        };
        let is_on = |line: &Self| {
            line.at_version(other.version).is_ok_and(|earlier| bare(&earlier) == wanted)
        };
        let lines = self.history.iter().filter_map(|entry| {
            let line = entry.merged.as_ref()?;
            let shared = self.history.get(..line.shared)?;
            let is_there = has_last(shared) || has_last(&history::own_entries(&self.history, line));
            is_there.then(|| self.merged_at(entry.version).ok())?
        });
        (has_last(&self.history) && is_on(self)) || lines.into_iter().any(|line| is_on(&line))
    }
}

/// What tells two versions of an item apart.
fn bare(item: &WorkItem) -> Record {
    let mut record = item.clone().split_off().0.into_record();
    record.history = record.history.iter().map(HistoryEntry::alone).collect();
    record
}

/// Whether `one` is the main line. Total, so that both directions choose the same.
fn is_main(one: &WorkItem, other: &WorkItem) -> bool {
    let text = |item: &WorkItem| serde_json::to_string(item).unwrap_or_default();
    let rank = |item: &WorkItem| (item.version, item.updated_at);
    rank(one).cmp(&rank(other)).then_with(|| text(one).cmp(&text(other))).is_ge()
}

/// The next version of `main`, which knows `other` too. It is called `name`, where that is given.
fn unite(
    base: Option<&WorkItem>,
    main: &WorkItem,
    other: &WorkItem,
    name: Option<&WorkId>,
) -> Result<WorkItem, Unmergeable> {
    if main.uid != other.uid {
        return Err(Unmergeable::DifferentItems);
    }
    if let Some(schema) = [main.schema, other.schema].into_iter().find(|own| *own > ITEM_SCHEMA) {
        return Err(Unmergeable::NewerSchema { schema });
    }
    let shared = shared_entries(&main.history, &other.history);
    let from_history = match base {
        Some(_) => None,
        None if main.knows(other) => return Ok(main.clone()),
        None if other.knows(main) => return Ok(other.clone()),
        None => common_version(main, shared),
    };
    let three = Three {
        base: base.or(from_history.as_ref()).map(|base| &**base),
        main: Side { record: main, since: &main.history[shared..] },
        other: Side { record: other, since: &other.history[shared..] },
    };
    let mut after = contents(&three);
    if let Some(name) = name {
        after.id = name.clone();
    }
    after.version = main.version.saturating_add(1);
    work::refence(&three, &mut after);
    point_away_from_itself(&mut after);
    let changes = |before: &WorkItem| history::changes(before, &after).map_err(InvalidItem::from);
    let entry = HistoryEntry {
        at: after.updated_at,
        actor: merger()?,
        session: None,
        version: after.version,
        event: Event::MERGED,
        changes: changes(main)?,
        reason: None,
        request_id: None,
        forced: false,
        merged: Some(Box::new(line(&main.history, other, shared, changes(other)?))),
        extra: Extra::new(),
    };
    after.history.push(entry);
    Ok(WorkItem::try_from(after)?)
}

/// Who signs a merge: whoever runs it, the result is the same.
fn merger() -> Result<Actor, Unmergeable> {
    Actor::new("jerry").map_err(|error| {
        let error = <serde_json::Error as serde::de::Error>::custom(error);
        InvalidItem::from(error).into()
    })
}

/// What `history` will say of `other`, which has `shared` entries in common with it. What it says
/// already is not repeated.
fn line(
    history: &[HistoryEntry],
    other: &WorkItem,
    shared: usize,
    changes: Vec<FieldChange>,
) -> MergedLine {
    let own: Vec<_> = other.history[shared..].iter().map(HistoryEntry::alone).collect();
    let earlier = history.iter().filter_map(|entry| {
        let line = entry.merged.as_ref().filter(|line| line.shared == shared)?;
        let known = history::own_entries(history, line);
        (!known.is_empty() && own.starts_with(&known)).then_some((entry.version, known.len()))
    });
    let earlier = earlier.max_by_key(|(_, length)| *length);
    let said: Vec<_> = history
        .iter()
        .flat_map(|entry| std::iter::once(entry).chain(entry.of_other_lines()))
        .collect();
    let mut further: Vec<HistoryEntry> = Vec::new();
    for entry in other.history[shared..].iter().flat_map(HistoryEntry::of_other_lines) {
        let entry = entry.alone();
        let is_said = said.iter().any(|said| said.at == entry.at && said.alone() == entry);
        if !is_said && !own.contains(&entry) && !further.contains(&entry) {
            further.push(entry);
        }
    }
    MergedLine {
        version: other.version,
        shared,
        continues: earlier.map(|(version, _)| version),
        changes,
        history: own[earlier.map_or(0, |(_, length)| length)..].to_vec(),
        further,
        extra: Extra::new(),
    }
}

/// With how many equal entries two histories begin.
fn shared_entries(one: &[HistoryEntry], other: &[HistoryEntry]) -> usize {
    let is_same = |(one, other): &(&HistoryEntry, &HistoryEntry)| one.alone() == other.alone();
    one.iter().zip(other).take_while(is_same).count()
}

fn common_version(main: &WorkItem, shared: usize) -> Option<WorkItem> {
    let last = main.history[..shared].last()?;
    main.at_version(last.version).ok()
}

/// Every field but the version and its history.
fn contents(three: &Three<'_>) -> Record {
    let scalar = three.scalars();
    let work = work::of(three);
    let links = three.list(
        |record| &record.links,
        same_link,
        |base, main, other| three.pick("links", base, main, other),
    );
    let mut after = Record {
        schema: ITEM_SCHEMA,
        id: scalar.of("id", |record| &record.id),
        uid: three.main.record.uid,
        version: three.main.record.version,
        item_type: scalar.of("type", |record| &record.item_type),
        title: scalar.of("title", |record| &record.title),
        heading: scalar.of("heading", |record| &record.heading),
        description: scalar.of("description", |record| &record.description),
        status: work.status,
        priority: scalar.of("priority", |record| &record.priority),
        phase: scalar.of("phase", |record| &record.phase),
        assignee: work.assignee,
        claim: work.claim,
        labels: three.set(|record| &record.labels),
        parent: scalar.of("parent", |record| &record.parent),
        depends_on: three.list(
            |record| &record.depends_on,
            ItemRef::same_target,
            |base, main, other| three.pick("depends_on", base, main, other),
        ),
        links,
        gates: three.set(|record| &record.gates),
        acceptance_criteria: criteria(three),
        subtasks: subtasks(three),
        notes: three.by_time(|record| &record.notes, |note| note.at),
        findings: three.united(|record| &record.findings),
        artifacts: three.united(|record| &record.artifacts),
        sources: three.united(|record| &record.sources),
        external_ref: scalar.of("external_ref", |record| &record.external_ref),
        created_at: three.main.record.created_at.min(three.other.record.created_at),
        updated_at: three.main.record.updated_at.max(three.other.record.updated_at),
        started_at: three.earliest_of(|record| record.started_at),
        completed_at: work.completed_at,
        due_at: scalar.of("due_at", |record| &record.due_at),
        imported: three.json("imported", |record| record.imported.as_ref()),
        history: three.main.record.history.clone(),
        displaced: Vec::new(),
        extra: three.unknown(),
    };
    rename_repeated_checks(&mut after);
    after
}

fn same_link(one: &Link, other: &Link) -> bool {
    one.kind == other.kind && same_target(&one.target, &other.target)
}

/// Whether two entries of a checklist are one: both sides may have added one under the same name.
fn same_check<'a, T>(
    known: &'a [T],
    of: fn(&T) -> (&CheckId, &String),
) -> impl Fn(&T, &T) -> bool + use<'a, T> {
    move |one, other| {
        let ((id, text), (other_id, other_text)) = (of(one), of(other));
        let is_known = || known.iter().any(|entry| of(entry).0 == id);
        id == other_id && (text == other_text || is_known())
    }
}

fn criteria(three: &Three<'_>) -> Vec<Criterion> {
    const FIELD: &str = "acceptance_criteria";
    let known = three.base.map(|base| base.acceptance_criteria.as_slice()).unwrap_or_default();
    three.list(
        |record| &record.acceptance_criteria,
        same_check(known, |criterion| (&criterion.id, &criterion.text)),
        |base, main, other| Criterion {
            id: main.id.clone(),
            text: three.pick(FIELD, base.map(|base| &base.text), &main.text, &other.text),
            done: three.pick(FIELD, base.map(|base| &base.done), &main.done, &other.done),
            evidence: fields::united(
                base.map(|base| base.evidence.as_slice()).unwrap_or_default(),
                &main.evidence,
                &other.evidence,
            ),
            extra: three.object(FIELD, base.map(|base| &base.extra), &main.extra, &other.extra),
        },
    )
}

fn subtasks(three: &Three<'_>) -> Vec<Subtask> {
    const FIELD: &str = "subtasks";
    let known = three.base.map(|base| base.subtasks.as_slice()).unwrap_or_default();
    three.list(
        |record| &record.subtasks,
        same_check(known, |subtask| (&subtask.id, &subtask.text)),
        |base, main, other| Subtask {
            id: main.id.clone(),
            text: three.pick(FIELD, base.map(|base| &base.text), &main.text, &other.text),
            done: three.pick(FIELD, base.map(|base| &base.done), &main.done, &other.done),
            extra: three.object(FIELD, base.map(|base| &base.extra), &main.extra, &other.extra),
        },
    )
}

/// Two entries that both sides added under one name: the second gets the next free one.
fn rename_repeated_checks(record: &mut Record) {
    let number = record.id.number();
    let mut taken: Vec<CheckId> = check_ids(record).cloned().collect();
    let mut seen = std::collections::HashSet::new();
    let criteria = record.acceptance_criteria.iter_mut().map(|own| ("AC", &mut own.id));
    let subtasks = record.subtasks.iter_mut().map(|own| ("ST", &mut own.id));
    for (short, id) in criteria.chain(subtasks) {
        if seen.insert(id.clone()) {
            continue;
        }
        let stem = format!("{short}-{number:03}.");
        let count = |id: &CheckId| id.as_str().strip_prefix(&stem)?.parse::<u32>().ok();
        let next = taken.iter().filter_map(count).max().unwrap_or(0).saturating_add(1);
        if let Ok(free) = CheckId::new(&format!("{stem}{next}")) {
            *id = free;
        }
        seen.insert(id.clone());
        taken.push(id.clone());
    }
}

/// A name that one side gave the item may be what the other side pointed at.
fn point_away_from_itself(record: &mut Record) {
    let (id, uid) = (record.id.clone(), record.uid);
    record.parent.take_if(|parent| parent.points_at(&id, uid));
    let mut kept: Vec<ItemRef> = Vec::with_capacity(record.depends_on.len());
    for needed in std::mem::take(&mut record.depends_on) {
        if !needed.points_at(&id, uid) && !kept.iter().any(|own| own.same_target(&needed)) {
            kept.push(needed);
        }
    }
    record.depends_on = kept;
}

impl Whose {
    fn of<T>(self, main: T, other: T) -> T {
        match self {
            Self::Main => main,
            Self::Other => other,
        }
    }
}
