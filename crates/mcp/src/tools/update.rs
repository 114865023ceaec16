//! `update`.

use jerry_contract::Failure;
use jerry_domain::{
    Actor, CheckId, Day, Edit, Evidence, ItemRef, ItemType, Label, Phase, Priority, Status, Title,
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use crate::desk::{Desk, Id};
use crate::tool::{Call, Effect, Outcome, Tool, usage};

pub(crate) struct Update;

#[derive(Deserialize, JsonSchema)]
pub(crate) struct Arguments {
    /// The item: WORK-042, or 42.
    id: Id,
    title: Option<Title>,
    /// What is there already is replaced only with `if_version`: read it first. null removes it, as
    /// with every field below that is not a list.
    #[serde(default, deserialize_with = "or_null")]
    description: Option<Option<String>>,
    /// Where it is to stand, if a move leads there from where it stands. For claim, complete and
    /// release there are tools.
    status: Option<Status>,
    #[serde(rename = "type")]
    item_type: Option<ItemType>,
    priority: Option<Priority>,
    #[serde(default, deserialize_with = "or_null")]
    assignee: Option<Option<Actor>>,
    #[serde(default, deserialize_with = "or_null")]
    phase: Option<Option<Phase>>,
    /// A day, which means its first instant in UTC, or an instant: 2026-01-31 or
    /// 2026-01-31T12:00:00Z.
    #[serde(default, deserialize_with = "or_null")]
    due: Option<Option<Day>>,
    /// The item that it is a part of.
    #[serde(default, deserialize_with = "or_null")]
    parent: Option<Option<Id>>,
    #[serde(default)]
    add_labels: Vec<Label>,
    #[serde(default)]
    remove_labels: Vec<Label>,
    /// Items that have to be finished before it can begin.
    #[serde(default)]
    add_needs: Vec<Id>,
    #[serde(default)]
    remove_needs: Vec<Id>,
    /// Criteria and sub-tasks to tick.
    #[serde(default)]
    check: Vec<Tick>,
    /// Something that was found out.
    #[serde(default)]
    add_findings: Vec<String>,
}

/// An entry of a checklist.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Tick {
    /// Its name: AC-042.1, or ST-042.1.
    id: CheckId,
    /// false takes the tick away. Default true.
    done: Option<bool>,
    /// What shows that it holds: commit:SHA, file:PATH, cmd:COMMAND, url:ADDRESS, or words. For
    /// criteria only.
    evidence: Option<String>,
    /// Where that can be seen, of evidence in words.
    source: Option<String>,
}

/// `null` is a value, which removes; absent is none.
fn or_null<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

impl Tool for Update {
    const NAME: &'static str = "update";
    const ABOUT: &'static str = "Change fields of an item, all or none. What is not given stays.";
    const EFFECT: Effect = Effect::Writes;
    type Arguments = Arguments;

    async fn call(arguments: Arguments, call: Call<'_>) -> Outcome {
        let id = arguments.id.clone();
        let edits = edits(arguments, call.change.if_version, call.desk)?;
        if edits.is_empty() {
            return Err(usage("there is nothing to update"));
        }
        call.edit(&id, edits).await
    }
}

/// `seen` is the version that the agent names.
fn edits(arguments: Arguments, seen: Option<u64>, desk: &Desk) -> Result<Vec<Edit>, Failure> {
    let reference = |id: Id| Ok::<_, Failure>(ItemRef::bare(desk.id(&id)?));
    let mut edits = Vec::new();
    edits.extend(arguments.title.map(Edit::Title));
    edits.extend(arguments.description.map(|text| match seen {
        Some(of) => Edit::ReplaceDescription { text, of },
        None => Edit::Description(text),
    }));
    edits.extend(arguments.item_type.map(Edit::Type));
    edits.extend(arguments.priority.map(Edit::Priority));
    edits.extend(arguments.assignee.map(Edit::Assignee));
    edits.extend(arguments.phase.map(Edit::Phase));
    edits.extend(arguments.due.map(|day| Edit::DueAt(day.map(|day| day.0))));
    if let Some(parent) = arguments.parent {
        edits.push(Edit::Parent(parent.map(reference).transpose()?));
    }
    edits.extend(arguments.add_labels.into_iter().map(Edit::AddLabel));
    edits.extend(arguments.remove_labels.into_iter().map(Edit::RemoveLabel));
    for needed in arguments.add_needs {
        edits.push(Edit::AddDependency(reference(needed)?));
    }
    for needed in arguments.remove_needs {
        edits.push(Edit::RemoveDependency(reference(needed)?));
    }
    for entry in arguments.check {
        edits.push(tick(entry, desk)?);
    }
    edits.extend(arguments.add_findings.into_iter().map(Edit::AddFinding));
    edits.extend(arguments.status.map(Edit::MoveTo));
    Ok(edits)
}

fn tick(tick: Tick, desk: &Desk) -> Result<Edit, Failure> {
    let Tick { id, done, evidence, source } = tick;
    if source.is_some() && evidence.is_none() {
        return Err(usage("source is where evidence can be seen, and there is none"));
    }
    let evidence =
        evidence.map(|text| Evidence::given(text, source, |path| (desk.find_file)(path)));
    Ok(Edit::Check { id, done: done.unwrap_or(true), evidence: evidence.transpose()? })
}
