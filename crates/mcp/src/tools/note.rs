//! `note`.

use jerry_domain::Edit;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::desk::Id;
use crate::tool::{Call, Effect, Outcome, Tool};

pub(crate) struct Note;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: Id,
    /// What there is to say.
    text: String,
}

impl Tool for Note {
    const NAME: &'static str = "note";
    const ABOUT: &'static str = "Add a note to an item. Notes are only ever added.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let text = arguments.text.trim_end().to_owned();
        call.edit(&arguments.id, vec![Edit::Note(text)]).await
    }
}
