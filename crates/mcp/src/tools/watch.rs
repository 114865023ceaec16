//! `watch`.

use std::time::Duration;

use jerry_application::Filter;
use jerry_contract::{ChangedItems, Failure};
use jerry_domain::ports::Cursor;
use jerry_domain::{ItemType, Label, Priority, Status};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::desk::{Desk, Id};
use crate::tool::{Call, Effect, Outcome, Tool, say, usage};

/// For how many seconds one call waits at most.
const LONGEST: u32 = 3600;

pub(crate) struct Watch;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// Go on after these changes: the cursor of the answer before, with the same filters. Without it,
    /// from now on.
    since: Option<String>,
    /// For how many seconds to wait for a change; 0 only looks. Default 30, at most 3600.
    #[schemars(range(max = LONGEST))]
    timeout_seconds: Option<u32>,
    /// With one of these statuses.
    #[serde(default)]
    statuses: Vec<Status>,
    /// Of one of these types.
    #[serde(default)]
    types: Vec<ItemType>,
    /// With one of these priorities.
    #[serde(default)]
    priorities: Vec<Priority>,
    /// With all of these labels.
    #[serde(default)]
    labels: Vec<Label>,
    /// Directly a part of this item.
    parent: Option<Id>,
    /// At most so many changes; the others come next. Default 20; 0 for all.
    limit: Option<usize>,
}

impl Tool for Watch {
    const NAME: &'static str = "watch";
    const ABOUT: &'static str = "Wait until items change, instead of asking again and again. Answers the changes, deletions \
         included, none when the time is over; and a cursor, with which the next call misses nothing.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let seconds = arguments.timeout_seconds.unwrap_or(30);
        if seconds > LONGEST {
            return Err(usage(format!("timeout_seconds: at most {LONGEST}; then call again")));
        }
        let since = arguments.since.as_deref().map(str::parse::<Cursor>).transpose();
        let since = since.map_err(|error| usage(format!("since: {error}")))?;
        let filter = filter(arguments, call.desk)?;
        let watch = &call.desk.watch;
        let mut watching = match &since {
            Some(cursor) => watch.since(filter, cursor).await?,
            None => watch.from_now(filter).await?,
        };
        let timeout = Duration::from_secs(seconds.into());
        let changes = watching.until(Some(timeout), call.is_given_up).await?.unwrap_or_default();
        let cursor = watching.cursor().await?;
        say(&ChangedItems::new(&changes, &cursor))
    }
}

fn filter(arguments: Arguments, desk: &Desk) -> Result<Filter, Failure> {
    let Arguments { statuses, types, priorities, labels, parent, limit, .. } = arguments;
    let parent = parent.map(|id| desk.id(&id)).transpose()?;
    let (include_closed, limit) = (true, limit.unwrap_or(20));
    let filter = Filter { statuses, types, priorities, labels, parent, ..Filter::default() };
    Ok(Filter { include_closed, limit, ..filter })
}
