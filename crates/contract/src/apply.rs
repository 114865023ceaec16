//! What became of a plan.

use jerry_application::{AppliedItem, Deed};
use jerry_domain::{Title, Uid, WorkId};
use schemars::JsonSchema;
use serde::Serialize;

use crate::Answer;

/// The answer of kind `applied`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "applied")]
pub struct Applied<'a> {
    /// Whether nothing was written.
    pub dry_run: bool,
    /// The items of the plan in its order, parts behind what they are parts of.
    pub items: Vec<InPlan<'a>>,
    /// How many are new.
    pub created: usize,
    /// How many were changed.
    pub updated: usize,
    /// How many were as the plan wants them.
    pub unchanged: usize,
}

/// One item of a plan.
#[derive(Debug, Serialize, JsonSchema)]
pub struct InPlan<'a> {
    /// What the plan calls it.
    pub name: Option<&'a str>,
    /// What was done: `created`, `updated` or `unchanged`.
    pub deed: &'static str,
    /// The name for people.
    pub id: &'a WorkId,
    /// The identity; `null` of one that would be new.
    pub uid: Option<Uid>,
    /// The version that it has now.
    pub version: u64,
    /// What it is about.
    pub title: &'a Title,
}

impl<'a> Applied<'a> {
    /// The answer to a plan that came to `items`.
    #[must_use]
    pub fn new(items: &'a [AppliedItem], dry_run: bool) -> Self {
        let count = |deed| items.iter().filter(|item| item.deed == deed).count();
        Self {
            dry_run,
            created: count(Deed::Created),
            updated: count(Deed::Updated),
            unchanged: count(Deed::Unchanged),
            items: items.iter().map(|item| InPlan::new(item, dry_run)).collect(),
        }
    }
}

impl<'a> InPlan<'a> {
    fn new(applied: &'a AppliedItem, dry_run: bool) -> Self {
        let AppliedItem { name, deed, item } = applied;
        Self {
            name: name.as_deref(),
            deed: match deed {
                Deed::Created => "created",
                Deed::Updated => "updated",
                Deed::Unchanged => "unchanged",
            },
            id: &item.id,
            uid: (!dry_run || *deed != Deed::Created).then_some(item.uid),
            version: item.version,
            title: &item.title,
        }
    }
}

impl Answer for Applied<'_> {
    const KIND: &'static str = "applied";
}
