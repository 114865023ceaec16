//! `search`.

use jerry_application::Filter;
use jerry_contract::Hits;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Call, Effect, Outcome, Tool, say};

pub(crate) struct Search;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// What to look for, in any case.
    text: String,
    /// In completed and cancelled items too. Default false.
    all: Option<bool>,
    /// At most so many items; 0 for all. Default 10.
    limit: Option<usize>,
}

impl Tool for Search {
    const NAME: &'static str = "search";
    const ABOUT: &'static str =
        "Find items by a text in the title, description, notes, criteria or findings.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let filter = Filter {
            include_closed: arguments.all == Some(true),
            limit: arguments.limit.unwrap_or(10),
            ..Filter::default()
        };
        let found = desk.query().search(&arguments.text, &filter).await?;
        say(&Hits::from(&found))
    }
}
