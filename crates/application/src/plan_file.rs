//! A plan as a file has it: items that point at each other by names of their own.

use std::collections::{HashMap, HashSet};

use jerry_domain::{
    Actor, ChecklistKind, Day, Edit, Event, ItemRef, ItemType, Label, Phase, Prefix, Priority,
    Status, Title, Uid, WorkId, WorkItem,
};
use serde::Deserialize;

use crate::requests::Left;

/// Why a text is no plan. Nothing was done.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPlan {
    /// It is not JSON, or has a field that plans have not, or a value that is not allowed.
    #[error("it cannot be read")]
    Json(#[from] serde_json::Error),
    /// It says nothing.
    #[error("the plan has no items")]
    Empty,
    /// Two items have one name.
    #[error("two items of the plan are called '{0}'")]
    NameTwice(String),
    /// One item of the store is meant twice.
    #[error("the plan speaks of {0} twice")]
    ItemTwice(WorkId),
    /// A name could be taken for an id.
    #[error("'{0}' cannot be a name within the plan: it is, or could be, an id of the store")]
    NameIsId(String),
    /// Two items are called the same elsewhere, and so would be one.
    #[error("two items of the plan have the external_ref '{0}', which tells items apart")]
    ExternalRefTwice(String),
    /// A new item has no version that it could be expected in.
    #[error("{0} is new, and if_version is of items that are there")]
    VersionOfNew(String),
    /// What is to be the id of an item is none.
    #[error("item {place} of the plan has the id '{id}', which is none: ids are WORK-042, or 42")]
    NotAnId {
        /// The item's place in the plan, from 1 on.
        place: usize,
        /// What it says.
        id: String,
    },
    /// Nothing says what a new item is about.
    #[error("{0} is new and has no title")]
    NoTitle(String),
    /// A reference that is neither a name of the plan nor an id.
    #[error("{item} points at '{name}', which is neither a name within the plan nor an id")]
    UnknownName {
        /// Which item.
        item: String,
        /// What it points at.
        name: String,
    },
    /// A part names another parent than the item that it stands in.
    #[error("{0} is one of the children of an item and names a parent too")]
    TwoParents(String),
}

/// A plan: items to be made, and items that are there to be changed. The list of items alone is one
/// too.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, expecting = "a list of items, or an object that has one as `items`")]
pub struct Plan {
    /// The items.
    pub items: Vec<PlanItem>,
}

/// One item of a plan. What is not named stays as it is, or is as in every new item.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields, expecting = "an item, which is an object")]
pub struct PlanItem {
    /// What others of the plan call it.
    pub name: Option<String>,
    /// The item of the store that it is; without it, and without one of its `external_ref`, it is new.
    pub id: Option<String>,
    /// What it is called elsewhere. An item of the store that is called so is this one.
    pub external_ref: Option<String>,
    /// What it is about.
    pub title: Option<Title>,
    /// What it is about, at length. To replace what an item says already, name its version.
    pub description: Option<String>,
    /// The version of the item that the plan was made for: in any other it is a conflict.
    pub if_version: Option<u64>,
    /// What kind of work it is.
    #[serde(rename = "type")]
    pub item_type: Option<ItemType>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// Where it is to stand.
    pub status: Option<Status>,
    /// The phase that it belongs to.
    pub phase: Option<Phase>,
    /// Who is to do it.
    pub assignee: Option<Actor>,
    /// When it should be completed: 2026-01-31, or 2026-01-31T12:00:00Z.
    pub due: Option<Day>,
    /// Labels that it is to have, beside those that it has.
    pub labels: Vec<Label>,
    /// What it is a part of: a name of the plan, or an id.
    pub parent: Option<String>,
    /// What it waits for, beside what it waits for already: names of the plan, or ids.
    pub needs: Vec<String>,
    /// What must hold for it to count as done, beside what is there in the same words.
    pub criteria: Vec<String>,
    /// Steps, beside those that are there in the same words.
    pub subtasks: Vec<String>,
    /// Its parts, each in turn an item.
    pub children: Vec<PlanItem>,
}

impl Plan {
    /// Reads a plan from JSON, before which there may be a byte order mark.
    ///
    /// # Errors
    /// [`InvalidPlan::Json`].
    pub fn read(text: &str) -> Result<Self, InvalidPlan> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        // Told apart by hand: an untagged enum would not say where a fault is.
        if text.trim_start().starts_with('[') {
            Ok(Self { items: serde_json::from_str(text)? })
        } else {
            Ok(serde_json::from_str(text)?)
        }
    }
}

/// An item of a plan whose names are understood.
pub(crate) struct Wanted {
    pub(crate) item: PlanItem,
    /// What to call it in a message.
    pub(crate) called: String,
    /// Which item of the store it is, where the plan says so.
    pub(crate) id: Option<WorkId>,
    parent: Option<Place>,
    needs: Vec<Place>,
}

/// Where that is which an item of a plan points at.
pub(crate) enum Place {
    /// In the plan, at this place.
    InPlan(usize),
    /// In the store, under this name.
    InStore(WorkId),
}

/// The items of a plan in its order, parts behind what they are parts of. Names must be distinct, and
/// cannot be ids where `prefix` is the store's.
pub(crate) fn understood(plan: Plan, prefix: &Prefix) -> Result<Vec<Wanted>, InvalidPlan> {
    let mut flat = Vec::new();
    flatten(plan.items, None, &mut flat);
    if flat.is_empty() {
        return Err(InvalidPlan::Empty);
    }
    let (mut names, mut elsewhere) = (HashMap::new(), HashSet::new());
    for (place, (item, _)) in flat.iter().enumerate() {
        let external = item.external_ref.as_ref().filter(|name| !name.is_empty());
        if let Some(external) = external.filter(|name| !elsewhere.insert(name.as_str())) {
            return Err(InvalidPlan::ExternalRefTwice(external.clone()));
        }
        let Some(name) = &item.name else { continue };
        if name.is_empty() || WorkId::parse_lenient(name, prefix).is_ok() {
            return Err(InvalidPlan::NameIsId(name.clone()));
        }
        if names.insert(name.clone(), place).is_some() {
            return Err(InvalidPlan::NameTwice(name.clone()));
        }
    }
    let pointed_at = |by: &String, name: &String| match names.get(name) {
        Some(place) => Ok(Place::InPlan(*place)),
        None => WorkId::parse_lenient(name, prefix)
            .map(Place::InStore)
            .map_err(|_| InvalidPlan::UnknownName { item: by.clone(), name: name.clone() }),
    };
    let understand = |(place, (item, within)): (usize, (PlanItem, Option<usize>))| {
        let called = item.called(place);
        let id = item.id.as_ref().map(|id| {
            let wrong = |_| InvalidPlan::NotAnId { place: place + 1, id: id.clone() };
            WorkId::parse_lenient(id, prefix).map_err(wrong)
        });
        let id = id.transpose()?;
        let parent = match (&item.parent, within) {
            (Some(_), Some(_)) => return Err(InvalidPlan::TwoParents(called)),
            (Some(name), None) => Some(pointed_at(&called, name)?),
            (None, within) => within.map(Place::InPlan),
        };
        let needs = item.needs.iter().map(|name| pointed_at(&called, name));
        let needs = needs.collect::<Result<_, _>>()?;
        Ok(Wanted { item, called, id, parent, needs })
    };
    flat.into_iter().enumerate().map(understand).collect()
}

fn flatten(items: Vec<PlanItem>, within: Option<usize>, flat: &mut Vec<(PlanItem, Option<usize>)>) {
    for mut item in items {
        let children = std::mem::take(&mut item.children);
        let place = flat.len();
        flat.push((item, within));
        flatten(children, Some(place), flat);
    }
}

impl PlanItem {
    /// What to call it in a message, where it stands at `place`.
    fn called(&self, place: usize) -> String {
        let title = self.title.as_ref().map(ToString::to_string);
        let names = [self.name.clone(), self.id.clone(), title, self.external_ref.clone()];
        names
            .into_iter()
            .flatten()
            .find(|name| !name.is_empty())
            .unwrap_or_else(|| format!("item {} of the plan", place + 1))
    }
}

impl Wanted {
    /// What is to be done to the item that it is as the plan wants it, also where it is so already:
    /// a repeat asks for the same. `reference` tells what to point with.
    pub(crate) fn edits(&self, is_new: bool, reference: impl Fn(&Place) -> ItemRef) -> Vec<Edit> {
        let item = &self.item;
        let mut edits = Vec::new();
        if !is_new {
            edits.extend(item.title.clone().map(Edit::Title));
        }
        edits.extend(item.item_type.map(Edit::Type));
        edits.extend(item.priority.map(Edit::Priority));
        edits.extend(item.description.clone().map(|text| match item.if_version {
            Some(of) => Edit::ReplaceDescription { text: Some(text), of },
            None => Edit::Description(Some(text)),
        }));
        edits.extend(item.phase.clone().map(|phase| Edit::Phase(Some(phase))));
        edits.extend(item.assignee.clone().map(|actor| Edit::Assignee(Some(actor))));
        edits.extend(item.due.map(|day| Edit::DueAt(Some(day.0))));
        edits.extend(item.external_ref.clone().map(|name| Edit::ExternalRef(Some(name))));
        edits.extend(item.labels.iter().cloned().map(Edit::AddLabel));
        edits.extend(self.parent.as_ref().map(|place| Edit::Parent(Some(reference(place)))));
        edits.extend(self.needs.iter().map(|place| Edit::AddDependency(reference(place))));
        let check = |kind| move |text: &String| Edit::EnsureCheck(kind, text.clone());
        edits.extend(item.criteria.iter().map(check(ChecklistKind::Criteria)));
        edits.extend(item.subtasks.iter().map(check(ChecklistKind::Subtasks)));
        edits.extend(item.status.map(Edit::MoveTo));
        edits
    }

    /// Whether what a request `left` was made for this. `found` is the item that the plan means by an
    /// id.
    pub(crate) fn asked_for(&self, left: &Left, found: Option<Uid>) -> bool {
        let Left { item, event } = left;
        if *event == Event::CREATED {
            let is_same = self.item.title.as_ref() == Some(&item.title);
            return self.id.is_none() && is_same && self.is_named_as(item);
        }
        // What is pointed at makes no difference to what kind of write it is.
        let edits = self.edits(false, |_| ItemRef::new(item.id.clone(), item.uid));
        let is_it = match self.id {
            Some(_) => found == Some(item.uid),
            None => item.external_ref.is_some() && self.is_named_as(item),
        };
        is_it && *event == Event::of(&edits)
    }

    fn is_named_as(&self, item: &WorkItem) -> bool {
        let named = self.item.external_ref.as_ref().filter(|name| !name.is_empty());
        named == item.external_ref.as_ref()
    }
}
