//! `show`.

use jerry_contract::{ShownItem, Whole};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::desk::Id;
use crate::tool::{Call, Effect, Outcome, Tool, say, without_history};

pub(crate) struct Show;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: Id,
    /// With its history: every write, by whom, and what it changed. Default false.
    history: Option<bool>,
}

impl Tool for Show {
    const NAME: &'static str = "show";
    const ABOUT: &'static str =
        "Show an item in full: description, criteria, notes, what it waits for.";
    const EFFECT: Effect = Effect::Reads;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let query = desk.query();
        let item = query.show(&desk.id(&arguments.id)?).await?;
        let progress = query.progress(&item).await?;
        let gates = desk.ports.gates.asked_of(&item).collect();
        let answer = say(&ShownItem { item: Whole(&item), progress, gates })?;
        Ok(if arguments.history == Some(true) { answer } else { without_history(answer) })
    }
}
