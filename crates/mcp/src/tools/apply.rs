//! `apply`.

use jerry_application::{PlanFile, PlanItem};
use jerry_contract::Applied;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::tool::{Call, Effect, Outcome, Tool, say};

pub(crate) struct Apply;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The items of the plan. They point at each other by `name`, at those of the store by id.
    items: Vec<PlanItem>,
    /// Only say what it would come to.
    #[serde(default)]
    dry_run: bool,
}

impl Tool for Apply {
    const NAME: &'static str = "apply";
    const ABOUT: &'static str = "Make and change many items at once, all or none: a plan with \
                                 dependencies and parts.";
    const EFFECT: Effect = Effect::Makes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let (desk, plan) = (call.desk, PlanFile { items: arguments.items });
        let apply = jerry_application::Apply::new(desk.ports.clone(), desk.prefix.clone());
        let items = apply.apply(plan, arguments.dry_run, &call.request()).await?;
        say(&Applied::new(&items, arguments.dry_run))
    }
}
