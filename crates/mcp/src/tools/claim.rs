//! `claim`.

use std::time::Duration;

use jerry_application::{ClaimNext, Filter};
use jerry_contract::Failure;
use jerry_domain::{Edit, ItemType, Label, Priority};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::desk::{Desk, Id};
use crate::tool::{Call, Effect, Outcome, Tool, usage, written};

/// For how many minutes a claim stands at most: for a year.
const LONGEST: u32 = 366 * 24 * 60;

pub(crate) struct Claim;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42. Without it, the most urgent of those that are ready.
    id: Option<Id>,
    /// Without an id: one of these types.
    #[serde(default)]
    types: Vec<ItemType>,
    /// Without an id: one of these priorities.
    #[serde(default)]
    priorities: Vec<Priority>,
    /// Without an id: with all of these labels.
    #[serde(default)]
    labels: Vec<Label>,
    /// Without an id: directly a part of this item.
    parent: Option<Id>,
    /// For how many minutes the claim stands after each of your writes to the item, at most a year.
    #[schemars(range(min = 1, max = LONGEST))]
    lease_minutes: Option<u32>,
}

impl Tool for Claim {
    const NAME: &'static str = "claim";
    const ABOUT: &'static str = "Take an item for yourself and begin it: nobody else writes to it until you complete or \
         release it. Without an id, takes the most urgent that is ready; of many who ask at once \
         each gets another. Answers the item; its claim has the fence.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let lease = match arguments.lease_minutes {
            Some(0) => return Err(usage("lease_minutes: a claim stands for a minute at least")),
            Some(minutes) if minutes > LONGEST => {
                return Err(usage(format!("lease_minutes: at most {LONGEST}, a year")));
            }
            Some(minutes) => Duration::from_secs(u64::from(minutes) * 60),
            None => desk.lease,
        };
        let is_narrowed = !arguments.types.is_empty()
            || !arguments.priorities.is_empty()
            || !arguments.labels.is_empty()
            || arguments.parent.is_some();
        let item = match &arguments.id {
            Some(_) if is_narrowed => {
                return Err(usage("with an id there is nothing to choose from"));
            }
            Some(id) => {
                let edits = vec![Edit::Claim { lease: Some(lease), lock: None }];
                let (id, request) = (desk.id(id)?, call.request());
                desk.modify().edit(&id, edits, &request).await?.into_item()
            }
            None if call.change.if_version.is_some() || call.change.fence.is_some() => {
                return Err(usage(
                    "if_version and fence belong to an item that is named by its id",
                ));
            }
            None => {
                let filter = filter(arguments, desk)?;
                let next = ClaimNext::new(desk.ports.clone());
                next.claim(&filter, Some(lease), &call.request()).await?
            }
        };
        written(&item)
    }
}

fn filter(arguments: Arguments, desk: &Desk) -> Result<Filter, Failure> {
    let Arguments { types, priorities, labels, parent, .. } = arguments;
    let parent = parent.map(|id| desk.id(&id)).transpose()?;
    Ok(Filter { types, priorities, labels, parent, ..Filter::default() })
}
