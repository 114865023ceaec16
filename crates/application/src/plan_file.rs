//! A plan as a file has it: items that point at each other by names of their own.

use std::collections::HashSet;

use jerry_domain::{Actor, Day, ItemType, Label, Phase, Prefix, Priority, Status, Title, WorkId};
use serde::Deserialize;

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
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The items.
    pub items: Vec<PlanItem>,
}

/// One item of a plan. What is not named stays as it is, or is as in every new item.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(default, deny_unknown_fields)]
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
    /// Reads a plan from JSON.
    ///
    /// # Errors
    /// [`InvalidPlan::Json`].
    pub fn read(text: &str) -> Result<Self, InvalidPlan> {
        // Told apart by hand: an untagged enum would not say where a fault is.
        if text.trim_start().starts_with('[') {
            Ok(Self { items: serde_json::from_str(text)? })
        } else {
            Ok(serde_json::from_str(text)?)
        }
    }
}

/// The items of a plan in its order, parts behind what they are parts of, each with the place of what
/// it stands in. Names must be distinct, and cannot be ids where `prefix` is the store's.
pub(crate) fn flat(
    plan: Plan,
    prefix: &Prefix,
) -> Result<Vec<(PlanItem, Option<usize>)>, InvalidPlan> {
    let items = plan.items;
    let mut flat = Vec::new();
    flatten(items, None, &mut flat);
    if flat.is_empty() {
        return Err(InvalidPlan::Empty);
    }
    let mut names = HashSet::new();
    for (item, _) in &flat {
        if let Some(name) = &item.name {
            if name.is_empty() || WorkId::parse_lenient(name, prefix).is_ok() {
                return Err(InvalidPlan::NameIsId(name.clone()));
            }
            if !names.insert(name) {
                return Err(InvalidPlan::NameTwice(name.clone()));
            }
        }
    }
    Ok(flat)
}

fn flatten(items: Vec<PlanItem>, parent: Option<usize>, flat: &mut Vec<(PlanItem, Option<usize>)>) {
    for mut item in items {
        let children = std::mem::take(&mut item.children);
        let place = flat.len();
        flat.push((item, parent));
        flatten(children, Some(place), flat);
    }
}
