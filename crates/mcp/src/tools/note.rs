//! `note`.

use jerry_domain::Edit;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Call, Effect, Outcome, Tool, written};

pub(crate) struct Note;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: String,
    /// What there is to say.
    text: String,
}

impl Tool for Note {
    const NAME: &'static str = "note";
    const ABOUT: &'static str = "Add a note to an item. Notes are only ever added.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let id = desk.id(&arguments.id)?;
        let edits = vec![Edit::Note(arguments.text.trim_end().to_owned())];
        written(&desk.modify().edit(&id, edits, &call.request()).await?.into_item())
    }
}
