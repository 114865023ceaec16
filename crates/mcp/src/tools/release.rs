//! `release`.

use jerry_domain::{Edit, Transition};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Call, Effect, Outcome, Tool, written};

pub(crate) struct Release;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: String,
    /// What there is to know for the next one.
    note: Option<String>,
}

impl Tool for Release {
    const NAME: &'static str = "release";
    const ABOUT: &'static str = "Put back an item that you claimed, for someone else to begin.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let id = desk.id(&arguments.id)?;
        let note = arguments.note.map(Edit::Note);
        let edits = note.into_iter().chain([Edit::Move(Transition::Release)]).collect();
        written(&desk.modify().edit(&id, edits, &call.request()).await?.into_item())
    }
}
