//! `create`.

use jerry_application::NewItem;
use jerry_contract::{Code, Failure};
use jerry_domain::{
    Actor, ChecklistKind, Day, Edit, ItemRef, ItemType, Label, Phase, Priority, Title,
};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::desk::{Desk, Id};
use crate::tool::{Call, Effect, Outcome, Tool, written};

pub(crate) struct Create;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// What it is about, in one line.
    title: Title,
    /// What it is about, at length.
    description: Option<String>,
    /// Default task.
    #[serde(rename = "type")]
    item_type: Option<ItemType>,
    /// Default medium.
    priority: Option<Priority>,
    #[serde(default)]
    labels: Vec<Label>,
    /// The item that it is a part of.
    parent: Option<Id>,
    /// The items that have to be finished before it can begin.
    #[serde(default)]
    needs: Vec<Id>,
    /// What must hold for it to count as done.
    #[serde(default)]
    criteria: Vec<String>,
    /// Steps too small to be items.
    #[serde(default)]
    subtasks: Vec<String>,
    /// Who is to do it.
    assignee: Option<Actor>,
    /// The phase of a plan that it belongs to.
    phase: Option<Phase>,
    /// When it should be done.
    due: Option<Day>,
}

impl Tool for Create {
    const NAME: &'static str = "create";
    const ABOUT: &'static str = "Make an item.";
    const EFFECT: Effect = Effect::Makes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let desk = call.desk;
        let (title, request) = (arguments.title.clone(), call.request());
        let new = NewItem { title, edits: edits(arguments, desk)? };
        let item = desk.create().create(vec![new], &request).await?.pop();
        written(&item.ok_or_else(|| Failure::new(Code::Internal, "one item was asked for"))?)
    }
}

fn edits(arguments: Arguments, desk: &Desk) -> Result<Vec<Edit>, Failure> {
    let reference = |id: &Id| Ok::<_, Failure>(ItemRef::bare(desk.id(id)?));
    let check = |kind| move |text| Edit::AddCheck(kind, text);
    let mut edits = Vec::new();
    edits.extend(arguments.item_type.map(Edit::Type));
    edits.extend(arguments.priority.map(Edit::Priority));
    edits.extend(arguments.description.map(|text| Edit::Description(Some(text))));
    edits.extend(arguments.due.map(|day| Edit::DueAt(Some(day.0))));
    edits.extend(arguments.phase.map(|phase| Edit::Phase(Some(phase))));
    edits.extend(arguments.assignee.map(|actor| Edit::Assignee(Some(actor))));
    edits.extend(arguments.labels.into_iter().map(Edit::AddLabel));
    if let Some(parent) = &arguments.parent {
        edits.push(Edit::Parent(Some(reference(parent)?)));
    }
    for needed in &arguments.needs {
        edits.push(Edit::AddDependency(reference(needed)?));
    }
    edits.extend(arguments.criteria.into_iter().map(check(ChecklistKind::Criteria)));
    edits.extend(arguments.subtasks.into_iter().map(check(ChecklistKind::Subtasks)));
    Ok(edits)
}
