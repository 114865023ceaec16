//! `complete`.

use jerry_domain::{Edit, Transition};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Call, Effect, Outcome, Tool, written};

pub(crate) struct Complete;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: String,
    /// What came out of it.
    note: Option<String>,
}

impl Tool for Complete {
    const NAME: &'static str = "complete";
    const ABOUT: &'static str = "Finish an item.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let id = desk.id(&arguments.id)?;
        let note = arguments.note.map(Edit::Note);
        let edits = note.into_iter().chain([Edit::Move(Transition::Complete)]).collect();
        written(&desk.modify().edit(&id, edits, &call.request()).await?.into_item())
    }
}
