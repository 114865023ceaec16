//! `ready`.

use jerry_application::Filter;
use jerry_contract::Items;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Call, Effect, Outcome, Tool, say};

pub(crate) struct Ready;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// At most so many items; 0 for all. Default 10.
    limit: Option<usize>,
}

impl Tool for Ready {
    const NAME: &'static str = "ready";
    const ABOUT: &'static str = "List what can be begun, the most urgent first: pending, claimed by \
                                 nobody or handed over to you, waiting for nothing.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let limit = arguments.limit.unwrap_or(10);
        let filter = Filter { limit, ..Filter::default() };
        let ready = jerry_application::Ready::new(desk.ports.clone());
        let ready = ready.ready(Some(desk.actor.clone()), &filter).await?;
        say(&Items::new(&ready.items, ready.total, &ready.progress, &ready.unreadable))
    }
}
