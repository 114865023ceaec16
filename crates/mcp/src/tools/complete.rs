//! `complete`.

use jerry_domain::Transition;
use schemars::JsonSchema;
use serde::Deserialize;

use super::with_note;
use crate::desk::Id;
use crate::tool::{Call, Effect, Outcome, Tool};

pub(crate) struct Complete;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: Id,
    /// What came out of it.
    note: Option<String>,
}

impl Tool for Complete {
    const NAME: &'static str = "complete";
    const ABOUT: &'static str = "Finish an item.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        call.edit(&arguments.id, with_note(arguments.note, Transition::Complete)).await
    }
}
