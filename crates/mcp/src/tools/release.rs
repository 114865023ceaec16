//! `release`.

use jerry_domain::Transition;
use schemars::JsonSchema;
use serde::Deserialize;

use super::with_note;
use crate::desk::Id;
use crate::tool::{Call, Effect, Outcome, Tool};

pub(crate) struct Release;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: Id,
    /// What there is to know for the next one.
    note: Option<String>,
}

impl Tool for Release {
    const NAME: &'static str = "release";
    const ABOUT: &'static str = "Put back an item that you claimed, for someone else to begin.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        call.edit(&arguments.id, with_note(arguments.note, Transition::Release)).await
    }
}
