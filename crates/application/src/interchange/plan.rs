//! Decides what an import writes: which items the names mean, which references have to stay out,
//! and what the items look like in the end.

use std::collections::{HashMap, HashSet};

use jerry_domain::{
    Edit, Extra, ItemRef, Link, LinkKind, LinkTarget, MAX_ITEM_BYTES, Refusal, Stamp, Uid, WorkId,
    WorkItem,
};

use super::draft::{Draft, Found, Name, References};
use super::known::Known;
use super::reading::{Body, Entry, Origin};
use super::report::{Rejection, Remark, Renumbered};
use super::rings::{self, Edge};

/// Written out, an item takes more room than in its source, but never this many times as much.
const MAX_GROWTH: u64 = 256;

/// An entry with the identity that its item will have.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    pub(super) entry: Entry,
    pub(super) id: WorkId,
    pub(super) uid: Uid,
}

/// What is to be written, and what there is to say about it.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) items: Vec<(Origin, WorkItem)>,
    pub(super) renumbered: Vec<Renumbered>,
    pub(super) late: Vec<Late>,
    pub(super) warnings: Vec<Remark>,
    pub(super) rejected: Vec<Rejection>,
}

/// An item that is there already and has waited for items that come in now.
pub(super) struct Late {
    pub(super) id: WorkId,
    /// By the name that its links have for them.
    pub(super) found: HashMap<String, ItemRef>,
}

/// Makes the plan. `aliases` are names of items in the store that their own files do not tell.
pub(super) fn make(
    mut placed: Vec<Placed>,
    known: &Known,
    aliases: &HashMap<String, usize>,
    stamp: &Stamp,
) -> Plan {
    let mut rejected = Vec::new();
    loop {
        let mut plan = Decision::new(&placed, known, aliases).plan(stamp);
        if plan.rejected.is_empty() {
            plan.rejected = rejected;
            return plan;
        }
        // What is rejected can be referred to by nobody, so everything is decided again.
        let out: HashSet<_> = plan.rejected.iter().map(|it| (it.file.as_str(), it.line)).collect();
        placed.retain(|Placed { entry: Entry { origin, .. }, .. }| {
            !out.contains(&(origin.file.as_str(), origin.line))
        });
        rejected.append(&mut plan.rejected);
    }
}

/// Items are meant by their places: those of the store first, then those that come in.
struct Decision<'a> {
    placed: &'a [Placed],
    known: &'a Known,
    aliases: &'a HashMap<String, usize>,
    names: HashMap<String, usize>,
    by_uid: HashMap<Uid, usize>,
    /// Items of jerry's own whose id was taken, by that id.
    moved: HashMap<WorkId, Uid>,
}

impl<'a> Decision<'a> {
    fn new(placed: &'a [Placed], known: &'a Known, aliases: &'a HashMap<String, usize>) -> Self {
        let mut names = HashMap::new();
        let mut by_uid = HashMap::new();
        let mut moved = HashMap::new();
        for (index, Placed { entry, id, uid }) in placed.iter().enumerate() {
            let place = known.items.len() + index;
            by_uid.insert(*uid, place);
            let mut name = |name: &str| {
                names.entry(name.to_owned()).or_insert(place);
            };
            name(&uid.to_string());
            match &entry.body {
                Body::Draft(draft) => {
                    draft.external_ref.as_deref().map(&mut name);
                    draft.name.as_deref().map(&mut name);
                }
                Body::Item(item) => {
                    item.external_ref.as_deref().map(&mut name);
                    name(&item.id.to_string());
                    if item.id != *id {
                        moved.insert(item.id.clone(), *uid);
                    }
                }
            }
        }
        Self { placed, known, aliases, names, by_uid, moved }
    }

    fn plan(&self, stamp: &Stamp) -> Plan {
        let count = self.known.items.len() + self.placed.len();
        let mut needs: Vec<Vec<Edge>> = Vec::with_capacity(count);
        let mut parents: Vec<Vec<Edge>> = Vec::with_capacity(count);
        for item in &self.known.items {
            let old = |reference| self.find(reference).map(Edge::old);
            needs.push(item.depends_on.iter().filter_map(old).collect());
            parents.push(item.parent.iter().filter_map(old).collect());
        }
        let late = self.late(&mut needs);
        for Placed { entry, .. } in self.placed {
            let (own_needs, own_parent) = match &entry.body {
                Body::Draft(draft) => (
                    draft.needs.iter().filter_map(|name| self.resolve(name)).collect::<Vec<_>>(),
                    draft.parent.iter().find_map(|name| self.resolve(name)),
                ),
                Body::Item(item) => (
                    item.depends_on.iter().filter_map(|own| self.find(own)).collect(),
                    item.parent.iter().find_map(|own| self.find(own)),
                ),
            };
            needs.push(own_needs.into_iter().map(Edge::new).collect());
            parents.push(own_parent.into_iter().map(Edge::new).collect());
        }
        rings::cut(&mut needs);
        rings::cut(&mut parents);

        let mut plan = Plan::default();
        for (index, placed) in self.placed.iter().enumerate() {
            let place = self.known.items.len() + index;
            let edges = Edges { needs: needs[place].iter(), parent: parents[place].iter() };
            match self.item(placed, edges, stamp, &mut plan.warnings) {
                Ok(item) => {
                    let origin = &placed.entry.origin;
                    let from = placed.entry.body.id().filter(|id| **id != item.id);
                    plan.renumbered.extend(from.map(|from| origin.renumbered(from, &item.id)));
                    plan.items.push((origin.clone(), item));
                }
                Err(reason) => plan.rejected.push(placed.entry.origin.reject(reason)),
            }
        }
        plan.late = self.uncut(late, &needs, &mut plan.warnings);
        plan
    }

    /// Where the item stands that `name` means.
    fn resolve(&self, name: &Name) -> Option<usize> {
        let new = |name: &str| self.names.get(name).copied();
        new(&name.key)
            .or_else(|| new(&name.text))
            .or_else(|| self.known.by_ref(&name.key))
            .or_else(|| self.aliases.get(&name.text).copied())
            .or_else(|| self.known.by_id(name.id.as_ref()?))
            .or_else(|| self.known.by_uid(name.text.parse().ok()?))
    }

    /// Where the item stands that `reference`, of jerry's own, means.
    fn find(&self, reference: &ItemRef) -> Option<usize> {
        let known = || self.known.find(reference);
        match reference.uid {
            Some(uid) => self.by_uid.get(&uid).copied().or_else(known),
            None => self.names.get(&reference.id.to_string()).copied().or_else(known),
        }
    }

    fn reference(&self, place: usize) -> ItemRef {
        match self.known.items.get(place) {
            Some(item) => ItemRef::new(item.id.clone(), item.uid),
            None => {
                let Placed { id, uid, .. } = &self.placed[place - self.known.items.len()];
                ItemRef::new(id.clone(), *uid)
            }
        }
    }

    /// The edges of items in the store whose unresolved links mean items that come in: which
    /// item, by which name, and which of its edges.
    fn late(&self, needs: &mut [Vec<Edge>]) -> Vec<(usize, String, usize)> {
        let mut late = Vec::new();
        for (place, item) in self.known.items.iter().enumerate() {
            for name in &item.unresolved {
                if let Some(to) = self.names.get(name) {
                    late.push((place, name.clone(), needs[place].len()));
                    needs[place].push(Edge::new(*to));
                }
            }
        }
        late
    }

    fn uncut(
        &self,
        late: Vec<(usize, String, usize)>,
        needs: &[Vec<Edge>],
        warnings: &mut Vec<Remark>,
    ) -> Vec<Late> {
        let mut all: Vec<Late> = Vec::new();
        for (place, name, edge) in late {
            let id = &self.known.items[place].id;
            let edge = needs[place][edge];
            let target = self.reference(edge.to);
            if edge.cut {
                let message =
                    format!("{id} needs {target}, which would close a ring: it stays a link");
                warnings.push(Remark { file: None, line: None, message });
                continue;
            }
            match all.last_mut().filter(|last| last.id == *id) {
                Some(last) => {
                    last.found.insert(name, target);
                }
                None => {
                    all.push(Late { id: id.clone(), found: HashMap::from([(name, target)]) });
                }
            }
        }
        all
    }

    fn item(
        &self,
        placed: &Placed,
        edges: Edges<'_>,
        stamp: &Stamp,
        warnings: &mut Vec<Remark>,
    ) -> Result<WorkItem, String> {
        let Placed { entry, id, uid } = placed;
        let mut said = Vec::new();
        let item = match &entry.body {
            Body::Draft(draft) => {
                let references = self.references(draft, edges, &mut said);
                draft.as_ref().clone().into_item(id.clone(), *uid, references, stamp)
            }
            Body::Item(item) => self.own_item(item, id, edges, stamp, &mut said),
        };
        let item = item.map_err(|refusal| chain(&refusal))?;
        if entry.size as u64 > MAX_ITEM_BYTES / MAX_GROWTH {
            let text = serde_json::to_vec_pretty(&item).map_err(|error| error.to_string())?;
            let size = text.len() as u64 + 1; // a newline ends the file
            if size > MAX_ITEM_BYTES {
                return Err(format!("it would have {size} bytes; the limit is {MAX_ITEM_BYTES}"));
            }
        }
        warnings.extend(said.into_iter().map(|message| entry.origin.warn(message)));
        Ok(item)
    }

    fn references(
        &self,
        draft: &Draft,
        mut edges: Edges<'_>,
        said: &mut Vec<String>,
    ) -> References {
        let mut found = |name: &Name, what: &str, edges: &mut std::slice::Iter<'_, Edge>| {
            let Some(place) = self.resolve(name) else {
                said.push(format!("{what} {}, which is not there: kept as a link", name.text));
                return Found::Nothing;
            };
            if edges.next().is_some_and(|edge| edge.cut) {
                said.push(format!(
                    "{what} {}, which would close a ring: kept as a link",
                    name.text
                ));
                return Found::Ring(self.reference(place));
            }
            Found::Item(self.reference(place))
        };
        let parent = draft.parent.as_ref();
        let parent = parent.map(|name| found(name, "is a part of", &mut edges.parent));
        let needs = draft.needs.iter().map(|name| found(name, "needs", &mut edges.needs)).collect();
        let link = |(_, name): &(LinkKind, Name)| match self.resolve(name) {
            Some(place) => Found::Item(self.reference(place)),
            None => Found::Nothing,
        };
        References { parent, needs, links: draft.links.iter().map(link).collect() }
    }

    /// An item of jerry's own stays as it is, to the byte, unless its id is taken or it would
    /// close a ring. What it needs and is not there it goes on waiting for: it was not free to
    /// begin where it came from.
    fn own_item(
        &self,
        item: &WorkItem,
        id: &WorkId,
        mut edges: Edges<'_>,
        stamp: &Stamp,
        said: &mut Vec<String>,
    ) -> Result<WorkItem, Refusal> {
        let mut edits = Vec::new();
        let mut edit = |removal, kind, target: &ItemRef, note: Option<&str>| {
            edits.push(removal);
            edits.push(Edit::AddLink(Link {
                kind,
                note: note.map(str::to_owned).or_else(|| target.note.clone()),
                target: LinkTarget::Item(ItemRef { note: None, ..target.clone() }),
                extra: Extra::new(),
            }));
        };
        for needed in &item.depends_on {
            if self.find(needed).is_none() {
                said.push(format!("needs {needed}, which is not there"));
            } else if edges.needs.next().is_some_and(|edge| edge.cut) {
                said.push(format!("needs {needed}, which would close a ring: kept as a link"));
                edit(Edit::RemoveDependency(needed.clone()), LinkKind::DependsOn, needed, None);
            }
        }
        if let Some(parent) = &item.parent {
            if self.find(parent).is_none() {
                said.push(format!("is a part of {parent}, which is not there"));
            } else if edges.parent.next().is_some_and(|edge| edge.cut) {
                said.push(format!(
                    "is a part of {parent}, which would close a ring: kept as a link"
                ));
                edit(Edit::Parent(None), LinkKind::Related, parent, Some("parent"));
            }
        }
        let mut item = item.clone();
        if !self.moved.is_empty() {
            item = item.complete_references(|id| self.moved.get(id).copied());
        }
        if item.id != *id {
            item = item.renumber(id.clone(), stamp)?.unwrap_or(item);
        }
        if !edits.is_empty() {
            item = item.apply(&edits, stamp)?.unwrap_or(item);
        }
        Ok(item)
    }
}

/// The edges of one item, in the order of the references that were resolved.
struct Edges<'a> {
    needs: std::slice::Iter<'a, Edge>,
    parent: std::slice::Iter<'a, Edge>,
}

/// An error and its causes, on one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
