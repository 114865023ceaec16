//! Bringing items in.

use std::collections::{BTreeMap, HashMap, HashSet};

use jerry_domain::ports::{Change, Insertion, RepositoryError, Unreadable, Update};
use jerry_domain::{
    Edit, ItemRef, Link, LinkKind, LinkTarget, Prefix, Refusal, Stamp, Uid, WorkId, WorkItem,
};

use super::known::{Gone, Known};
use super::plan::{self, Late, Placed};
use super::reading::{self, Body, Entry, Origin};
use super::report::{ImportReport, Remark};
use crate::{Error, Ports, Request};

/// How often a number that turns out to be taken is replaced by a later one.
const ATTEMPTS: usize = 20;
/// How many items are made durable together; after each batch progress is reported.
const BATCH: usize = 1000;

/// What the input is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportFormat {
    /// The issues of beads, one JSON object a line. They get new numbers, in the file's order.
    Beads,
    /// Work-item documents, one a file. Each keeps its own id if that is free.
    Markdown,
    /// jerry's own export. Items keep their id if it is free, and their identity always.
    Jsonl,
}

/// One file of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportSource {
    /// What the report calls it.
    pub name: String,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// Is told how many items are in, and how many there will be.
pub type Progress<'a> = &'a mut (dyn FnMut(usize, usize) + Send);

/// Brings items in.
#[derive(Clone)]
pub struct Import {
    ports: Ports,
    prefix: Prefix,
}

impl Import {
    /// A service that numbers items without an id of their own with `prefix`.
    #[must_use]
    pub fn new(ports: Ports, prefix: Prefix) -> Self {
        Self { ports, prefix }
    }

    /// Brings in what `sources` hold. When it returns, everything that the report counts is
    /// durable; a dry run writes nothing and takes no numbers.
    ///
    /// - An item that is there already is left as it is: documents and issues are known again by
    ///   their external reference, jerry's own items by their identity.
    /// - An item that was deleted here stays deleted: it is known by its identity and by its name
    ///   elsewhere.
    /// - What cannot be read is reported, and keeps nothing else out. An item comes in whole or
    ///   not at all.
    /// - References find their item wherever it stands: later in the input, in another file, or
    ///   in the store; and items of the store that waited for one that comes in now find it. One
    ///   that finds nothing, or would close a ring, becomes a link.
    /// - An import that broke off is completed by the next one, under the identities that the
    ///   first had given out.
    ///
    /// # Errors
    /// Those of the ports; [`Error::Partly`] when some items came in.
    pub async fn import(
        &self,
        format: ImportFormat,
        sources: &[ImportSource],
        dry_run: bool,
        request: &Request,
        progress: Option<Progress<'_>>,
    ) -> Result<ImportReport, Error> {
        let mut report = ImportReport { dry_run, ..ImportReport::default() };
        let stamp = request.stamp(self.ports.clock.now());
        let entries = reading::read(format, sources, stamp.at, &mut report);
        // A dry run only reads, and no reader waits for a lock.
        let _graph = if dry_run { None } else { Some(self.ports.lock_graph().await?) };
        let known = self.known(&mut report).await?;
        let gone = self.gone(&mut report).await?;
        let chosen = choose(entries, &known, &mut report);
        let placed = self.place(chosen.fresh, &known, &gone, dry_run, &mut report).await?;
        let mut plan = plan::make(placed, &known, &chosen.aliases, &stamp);
        report.warnings.append(&mut plan.warnings);
        report.rejected.append(&mut plan.rejected);
        report.renumbered.append(&mut plan.renumbered);
        if dry_run {
            plan.items.iter().for_each(|(_, item)| count(item, &mut report));
            report.resolved = plan.late.iter().map(|late| late.found.len()).sum();
            report.renumbered.iter_mut().for_each(|it| it.to = None);
        } else {
            // That an item is there already is answered for as that it came in.
            self.ports.items.settle().await?;
            let inserted =
                self.insert_all(plan.items, plan.late, &stamp, &mut report, progress).await;
            let nothing_yet = report.imported == 0;
            inserted.map_err(|error| if nothing_yet { error } else { error.partly() })?;
        }
        report.warnings.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        report.rejected.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
        Ok(report)
    }

    async fn known(&self, report: &mut ImportReport) -> Result<Known, Error> {
        let mut items = Vec::new();
        // One that the storage does not give might be in the input, and would come in twice.
        for item in self.ports.to_decide().await? {
            match item {
                Ok(item) => items.push(item),
                Err(why) => report.warnings.push(Remark {
                    file: None,
                    line: None,
                    message: format!("not recognised if it is in the input: {why}"),
                }),
            }
        }
        Ok(Known::new(items))
    }

    async fn gone(&self, report: &mut ImportReport) -> Result<Gone, Error> {
        let mut gone = Gone::default();
        for tombstone in self.ports.items.tombstones().await? {
            match tombstone {
                Ok(tombstone) => gone.add(tombstone),
                Err(Unreadable::Storage(error)) => return Err(RepositoryError::from(error).into()),
                Err(Unreadable::Malformed(why)) => report.warnings.push(Remark {
                    file: None,
                    line: None,
                    message: format!("not known to be deleted if it is in the input: {why}"),
                }),
            }
        }
        Ok(gone)
    }

    /// Gives every entry its identity: its own where that is free, else a new one.
    async fn place(
        &self,
        fresh: Vec<Fresh>,
        known: &Known,
        gone: &Gone,
        dry_run: bool,
        report: &mut ImportReport,
    ) -> Result<Vec<Placed>, Error> {
        let mut taken: HashSet<WorkId> = HashSet::new();
        let named: HashSet<_> =
            fresh.iter().flat_map(|it| it.entry.body.named()).cloned().collect();
        let mut chosen: Vec<(Fresh, Option<WorkId>)> = Vec::new();
        for fresh in fresh {
            if gone.is(fresh.uid, fresh.entry.body.key()) {
                let message = "was deleted here and stays deleted".to_owned();
                report.warnings.push(fresh.entry.origin.warn(message));
                report.skipped_tombstones += 1;
                continue;
            }
            let free =
                |id: &WorkId| known.by_id(id).is_none() && !taken.contains(id) && !gone.had(id);
            let id = fresh.id.clone().filter(free);
            taken.extend(id.clone());
            chosen.push((fresh, id));
        }
        // No new number may be one that is pointed at: it would be taken for what is meant.
        taken.extend(named);
        let numbers = chosen.iter().filter(|(_, id)| id.is_none()).count();
        let uids = chosen.iter().filter(|(fresh, _)| fresh.uid.is_none()).count();
        let (numbers, uids) = if dry_run {
            let number = |number| WorkId::new(self.prefix.clone(), number).ok();
            let free = |id: &WorkId| known.by_id(id).is_none() && !taken.contains(id);
            let own: HashSet<_> = chosen.iter().filter_map(|(fresh, _)| fresh.uid).collect();
            let unused = |uid: &Uid| known.by_uid(*uid).is_none() && !own.contains(uid);
            let uid = |value: u64| Uid::try_from(value).ok();
            (
                (0..).map_while(number).filter(free).take(numbers).collect(),
                (1..).map_while(uid).filter(unused).take(uids).collect(),
            )
        } else {
            (self.numbers(numbers, known, &taken).await?, self.ports.ids.uids(uids).await?)
        };
        let (mut numbers, mut uids) = (numbers.into_iter(), uids.into_iter());
        let placed = chosen.into_iter().filter_map(|(fresh, id)| {
            let id = id.or_else(|| numbers.next())?;
            let uid = fresh.uid.or_else(|| uids.next())?;
            Some(Placed { entry: fresh.entry, id, uid })
        });
        Ok(placed.collect())
    }

    /// New numbers that the store does not have and that are none of `taken`: those that the input
    /// has, or points at without saying which item it means.
    async fn numbers(
        &self,
        count: usize,
        known: &Known,
        taken: &HashSet<WorkId>,
    ) -> Result<Vec<WorkId>, Error> {
        let mut free: Vec<WorkId> = Vec::with_capacity(count);
        for attempt in 0..ATTEMPTS {
            let missing = count - free.len();
            if missing == 0 {
                return Ok(free);
            }
            // Taken numbers stand in rows; asking for more each time leaves a row of any length.
            let ids = self.ports.ids.work_ids(&self.prefix, missing << attempt).await?;
            if ids.iter().any(|id| known.by_id(id).is_some()) {
                self.ports.ids.catch_up(&self.prefix).await?;
            }
            let unused = |id: &WorkId| known.by_id(id).is_none() && !taken.contains(id);
            free.extend(ids.into_iter().filter(unused).take(missing));
        }
        Err(self.no_free_number())
    }

    fn no_free_number(&self) -> Error {
        Error::NoFreeNumber { prefix: self.prefix.to_string(), attempts: ATTEMPTS }
    }

    /// Inserts the items, then lets those that waited for them find them.
    async fn insert_all(
        &self,
        items: Vec<(Origin, WorkItem)>,
        late: Vec<Late>,
        stamp: &Stamp,
        report: &mut ImportReport,
        progress: Option<Progress<'_>>,
    ) -> Result<(), Error> {
        self.insert(items, stamp, report, progress).await?;
        for late in late {
            self.resolve(late, stamp, report).await?;
        }
        Ok(())
    }

    async fn insert(
        &self,
        items: Vec<(Origin, WorkItem)>,
        stamp: &Stamp,
        report: &mut ImportReport,
        mut progress: Option<Progress<'_>>,
    ) -> Result<(), Error> {
        let total = items.len();
        let mut done = 0;
        let mut tell = |done| {
            if let Some(progress) = &mut progress {
                progress(done, total);
            }
        };
        tell(0);
        let mut items = items.into_iter();
        while done < total {
            let batch: Vec<_> = items.by_ref().take(BATCH).collect();
            done += batch.len();
            self.insert_batch(batch, stamp, report).await?;
            tell(done);
        }
        Ok(())
    }

    /// Inserts one batch; whose id was taken since it was chosen gets a new one.
    async fn insert_batch(
        &self,
        mut batch: Vec<(Origin, WorkItem)>,
        stamp: &Stamp,
        report: &mut ImportReport,
    ) -> Result<(), Error> {
        let mut ids: Vec<(usize, WorkId)> = Vec::with_capacity(batch.len());
        let mut places: Vec<usize> = (0..batch.len()).collect();
        for _ in 0..ATTEMPTS {
            let items = batch.iter().map(|(_, item)| item.clone()).collect();
            let insertions = self.ports.items.insert_many(items).await?;
            let mut left = Vec::new();
            for ((place, (origin, item)), insertion) in places.drain(..).zip(batch).zip(insertions)
            {
                if matches!(insertion, Insertion::Inserted(_)) {
                    count(&item, report);
                    ids.push((place, item.id.clone()));
                } else {
                    left.push((place, (origin, item)));
                }
            }
            if left.is_empty() {
                ids.sort_unstable_by_key(|(place, _)| *place);
                report.ids.extend(ids.into_iter().map(|(_, id)| id));
                return Ok(());
            }
            (places, batch) = left.into_iter().unzip();
            self.ports.ids.catch_up(&self.prefix).await?;
            let numbers = self.ports.ids.work_ids(&self.prefix, batch.len()).await?;
            for ((origin, item), id) in batch.iter_mut().zip(numbers) {
                report.renumbered.retain(|it| it.to.as_ref() != Some(&item.id));
                report.renumbered.push(origin.renumbered(&item.id, &id));
                if let Some(renumbered) = item
                    .renumber(id, stamp)
                    .map_err(|source| Error::NotCreated { title: item.title.to_string(), source })?
                {
                    *item = renumbered;
                }
            }
        }
        Err(self.no_free_number())
    }

    /// Makes dependencies of the unresolved links of an item that was there before.
    async fn resolve(
        &self,
        late: Late,
        stamp: &Stamp,
        report: &mut ImportReport,
    ) -> Result<(), Error> {
        let Late { id, found } = late;
        let count = found.len();
        let stamp = stamp.clone();
        let change: Change = Box::new(move |item: &WorkItem| resolved(item, &found, &stamp));
        match self.ports.items.update(&id, None, change).await {
            Ok(Update::Written(_)) => report.resolved += count,
            Ok(Update::Unchanged(_)) => {}
            // Someone deleted it or wrote it in a way that this version must not touch. What was
            // imported is in, and the link stays what it was.
            Err(
                error @ (RepositoryError::NotFound { .. }
                | RepositoryError::Deleted { .. }
                | RepositoryError::Refused { .. }
                | RepositoryError::ChangedOutside { .. }
                | RepositoryError::Malformed(_)),
            ) => {
                let message = format!("{id} goes on with an unresolved link: {error}");
                report.warnings.push(Remark { file: None, line: None, message });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

/// What is to be imported, and what the names of the rest mean.
struct Chosen {
    fresh: Vec<Fresh>,
    /// What the input calls items that are in the store already.
    aliases: HashMap<String, usize>,
}

/// An entry that is not in the store, with the id and the identity that it should have.
struct Fresh {
    entry: Entry,
    id: Option<WorkId>,
    uid: Option<Uid>,
}

/// Leaves out what is in the store already, and what the input has twice.
fn choose(entries: Vec<Entry>, known: &Known, report: &mut ImportReport) -> Chosen {
    let mut seen: HashMap<String, Origin> = HashMap::new();
    let mut fresh: Vec<Fresh> = Vec::new();
    let mut present: Vec<(Entry, usize)> = Vec::new();
    let mut aliases = HashMap::new();
    for entry in entries {
        let (key, uid) = (entry.body.key(), entry.body.uid());
        let name = uid.map(|uid| uid.to_string()).or_else(|| key.map(str::to_owned));
        if let Some(first) = name.as_ref().and_then(|name| seen.get(name)) {
            let reason = format!("the same item as in {}:{}", first.file, first.line);
            report.rejected.push(entry.origin.reject(reason));
            continue;
        }
        seen.extend(name.map(|name| (name, entry.origin.clone())));
        let place =
            key.and_then(|key| known.by_ref(key)).or_else(|| uid.and_then(|uid| known.by_uid(uid)));
        match place {
            Some(place) => {
                report.skipped_existing += 1;
                if let Body::Draft(draft) = &entry.body {
                    aliases.extend(draft.name.clone().map(|name| (name, place)));
                }
                present.push((entry, place));
            }
            None => fresh.push(Fresh { id: entry.body.id().cloned(), uid, entry }),
        }
    }
    promise(&mut fresh, &present, known);
    Chosen { fresh, aliases }
}

/// Items of an import that broke off may point at items that did not come in any more. Those get
/// the identities by which they are pointed at.
fn promise(fresh: &mut [Fresh], present: &[(Entry, usize)], known: &Known) {
    let mut by_key: HashMap<String, usize> = HashMap::new();
    for (index, fresh) in fresh.iter().enumerate() {
        by_key.extend(fresh.entry.body.key().map(|key| (key.to_owned(), index)));
    }
    let mut promised: BTreeMap<usize, ItemRef> = BTreeMap::new();
    for (entry, place) in present {
        let Body::Draft(draft) = &entry.body else { continue };
        let item = &known.items[*place];
        let gone = |own: &&ItemRef| own.uid.is_some() && known.find(own).is_none();
        let missing = draft.needs.iter().filter_map(|name| by_key.get(&name.key).copied());
        let mut missing: Vec<_> = missing.collect();
        let mut seen = HashSet::new();
        missing.retain(|index| seen.insert(*index));
        let dangling: Vec<_> = item.depends_on.iter().filter(gone).collect();
        // With one more or one less nobody can say which is which.
        if missing.len() == dangling.len() {
            for (index, reference) in missing.into_iter().zip(dangling) {
                promised.entry(index).or_insert_with(|| reference.clone());
            }
        }
        let parent = draft.parent.as_ref().and_then(|name| by_key.get(&name.key).copied());
        if let (Some(index), Some(reference)) = (parent, item.parent.as_ref().filter(gone)) {
            promised.entry(index).or_insert_with(|| reference.clone());
        }
    }
    let mut given = HashSet::new();
    for (index, reference) in promised {
        let fresh = &mut fresh[index];
        if fresh.uid.is_none() && given.insert(reference.uid) {
            fresh.uid = reference.uid;
            fresh.id = Some(reference.id);
        }
    }
}

fn count(item: &WorkItem, report: &mut ImportReport) {
    report.imported += 1;
    report.dependencies += item.depends_on.len();
    report.parents += usize::from(item.parent.is_some());
    report.links += item.links.len();
    report.notes += item.notes.len();
}

/// `item` with dependencies for those of its unresolved links that `found` names.
fn resolved(
    item: &WorkItem,
    found: &HashMap<String, ItemRef>,
    stamp: &Stamp,
) -> Result<Option<WorkItem>, Refusal> {
    let target = |target: &LinkTarget| {
        let found = found.get(&target.to_string())?;
        match target {
            LinkTarget::Item(own) if own.uid.is_some_and(|uid| Some(uid) != found.uid) => None,
            _ => Some(found.clone()),
        }
    };
    let mut edits = Vec::new();
    for link in item.links.iter().filter(|link| link.kind == LinkKind::DependsOn) {
        if let Some(needed) = target(&link.target) {
            edits.push(Edit::RemoveLink(link.target.clone()));
            edits.push(Edit::AddDependency(needed.with_note(link.note.clone())));
        }
    }
    if edits.is_empty() {
        return Ok(None);
    }
    // Links of other kinds to the same target went with it and come back.
    for link in item.links.iter().filter(|link| link.kind != LinkKind::DependsOn) {
        if let Some(found) = target(&link.target) {
            let target = LinkTarget::Item(found);
            edits.push(Edit::AddLink(Link { target, ..link.clone() }));
        }
    }
    item.apply(&edits, stamp)
}
