//! `create` and `q`.

use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::{Create, NewItem, Request};
use jerry_contract::Items;
use jerry_domain::{
    ChecklistKind, Edit, ItemRef, ItemType, Label, Phase, Priority, ProgressCount, RequestId,
    Requirement, Summary, Timestamp, Title, WorkItem, day_or_instant,
};
use serde_json::json;

use super::Outcome;
use crate::args::{self, Change, Description};
use crate::complete;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Changed, Json, Style, line};
use crate::session::{Session, read_stdin};

/// What `create` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What the item is about, in one line and in quotes; several titles make several items; a
    /// lone - is --stdin
    #[arg(value_name = "TITLE", required_unless_present = "stdin")]
    titles: Vec<String>,
    /// Read the titles from standard input, one a line
    #[arg(long, conflicts_with = "titles")]
    stdin: bool,
    #[command(flatten)]
    fields: Fields,
    /// What must hold for the item to count as done; may be repeated
    #[arg(long = "criterion", value_name = "TEXT")]
    criteria: Vec<String>,
    /// A step too small to be an item; may be repeated
    #[arg(long = "subtask", value_name = "TEXT")]
    subtasks: Vec<String>,
    /// Something that it must show before it is completed: criteria, evidence, subtasks
    #[arg(long = "gate", value_name = "GATE", value_parser = args::requirement(), ignore_case = true, value_delimiter = ',')]
    gates: Vec<Requirement>,
    /// Why; goes into the item's history; - reads standard input
    #[arg(long, short = 'm', value_name = "TEXT")]
    reason: Option<String>,
    /// A name for this request; a repeat of it makes nothing and says what the first one said
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = RequestId::new)]
    request_id: Option<RequestId>,
    /// Also as a part of what is completed; goes into the item's history
    #[arg(long)]
    force: bool,
}

/// What `q` takes.
#[derive(Debug, Args)]
pub struct Quick {
    /// What the item is about; several words need no quotes
    #[arg(value_name = "TITLE", required = true, num_args = 1..)]
    title: Vec<String>,
    #[command(flatten)]
    fields: Fields,
    /// A name for this request; a repeat of it makes nothing and says what the first one said
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = RequestId::new)]
    request_id: Option<RequestId>,
}

#[derive(Debug, Clone, Args)]
struct Fields {
    /// What kind of work it is [default: task]
    #[arg(long = "type", short = 't', value_name = "TYPE", value_parser = args::item_type(), ignore_case = true)]
    item_type: Option<ItemType>,
    /// How urgent it is [default: medium]
    #[arg(long, short = 'p', value_parser = args::priority(), ignore_case = true)]
    priority: Option<Priority>,
    #[command(flatten)]
    description: Description,
    /// A label; may be repeated, or several with commas
    #[arg(long = "label", short = 'l', value_name = "LABEL", value_delimiter = ',')]
    labels: Vec<String>,
    /// The item that this one is a part of
    #[arg(long, value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    parent: Option<String>,
    /// An item that this one waits for; may be repeated, or several with commas
    #[arg(long, value_name = "ID", value_delimiter = ',', add = ArgValueCandidates::new(complete::ids))]
    needs: Vec<String>,
    /// Who is to do it
    #[arg(long, short = 'a', value_name = "NAME")]
    assignee: Option<String>,
    /// The phase of a plan that it belongs to
    #[arg(long, value_name = "PHASE")]
    phase: Option<String>,
    /// When it should be completed: 2026-01-31, or a time
    #[arg(long, value_name = "DAY", value_parser = day_or_instant)]
    due: Option<Timestamp>,
}

impl Fields {
    fn edits(self, session: &Session) -> Result<Vec<Edit>, Failure> {
        let mut edits = Vec::new();
        edits.extend(self.item_type.map(Edit::Type));
        edits.extend(self.priority.map(Edit::Priority));
        let description = self.description.read()?;
        edits.extend(description.map(|text| Edit::Description(Some(text))));
        edits.extend(self.due.map(|due| Edit::DueAt(Some(due))));
        if let Some(phase) = self.phase {
            edits.push(Edit::Phase(Some(Phase::new(&phase)?)));
        }
        if let Some(assignee) = self.assignee {
            edits.push(Edit::Assignee(Some(args::actor(&assignee)?)));
        }
        for label in &self.labels {
            edits.push(Edit::AddLabel(Label::new(label)?));
        }
        if let Some(parent) = self.parent {
            edits.push(Edit::Parent(Some(ItemRef::bare(session.id(&parent)?))));
        }
        for needed in &self.needs {
            edits.push(Edit::AddDependency(ItemRef::bare(session.id(needed)?)));
        }
        Ok(edits)
    }
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let stdin = self.stdin || self.titles == ["-"];
        let titles = if stdin { titles(&read_stdin()?)? } else { quoted(self.titles)? };
        let mut edits = self.fields.edits(session)?;
        let checks = |kind| move |text| Edit::AddCheck(kind, text);
        edits.extend(self.gates.into_iter().map(Edit::AddGate));
        edits.extend(self.criteria.into_iter().map(checks(ChecklistKind::Criteria)));
        edits.extend(self.subtasks.into_iter().map(checks(ChecklistKind::Subtasks)));
        let change = Change {
            reason: self.reason,
            request_id: self.request_id,
            force: self.force,
            ..Change::default()
        };
        let mut items = create(session, &titles, &edits, &change.request_of_new(session)?).await?;
        match items.pop() {
            Some(item) if items.is_empty() && !stdin => {
                let said = format!("created {}: {}", item.id, item.title);
                Ok(Box::new(Changed::said(said, item)))
            }
            last => {
                items.extend(last);
                Ok(Box::new(Created(items)))
            }
        }
    }
}

impl Quick {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let edits = self.fields.edits(session)?;
        let change = Change { request_id: self.request_id, ..Change::default() };
        let request = change.request_of_new(session)?;
        let items = create(session, &[self.title.join(" ")], &edits, &request).await?;
        Ok(Box::new(Id(items)))
    }
}

async fn create(
    session: &Session,
    titles: &[String],
    edits: &[Edit],
    request: &Request,
) -> Result<Vec<WorkItem>, Failure> {
    let item = |title: &String| Ok(NewItem { title: Title::new(title)?, edits: edits.to_vec() });
    let new = titles.iter().map(item).collect::<Result<Vec<_>, Failure>>()?;
    let prefix = session.settings()?.prefix()?;
    Ok(Create::new(session.ports()?, prefix).create(new, request).await?)
}

/// Several words without quotes are one title that its writer forgot to quote.
fn quoted(titles: Vec<String>) -> Result<Vec<String>, Failure> {
    let words = titles.iter().all(|title| !title.contains(char::is_whitespace));
    if titles.len() > 1 && words {
        let title = titles.join(" ");
        return Err(Failure::new(Code::Usage, "a title of several words needs quotes")
            .hint(format!("one item: \"{title}\"; many of one word each: --stdin, one a line")));
    }
    Ok(titles)
}

fn titles(text: &str) -> Result<Vec<String>, Failure> {
    let titles: Vec<_> =
        text.lines().filter(|it| !it.trim().is_empty()).map(str::to_owned).collect();
    if titles.is_empty() {
        return Err(Failure::new(Code::Usage, "there is no title on standard input"));
    }
    Ok(titles)
}

/// Many new items.
struct Created(Vec<WorkItem>);

impl Answer for Created {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let summaries: Vec<_> = self.0.iter().map(Summary::from).collect();
        let progress = ProgressCount::default();
        json.say(&Items::new(&summaries, summaries.len(), &progress, &[]))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.0.iter().try_for_each(|item| {
            writeln!(out, "created {}: {}", item.id, line(item.title.as_str()))
        })
    }
}

/// A new item's id alone.
struct Id(Vec<WorkItem>);

impl Answer for Id {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let item = self.0.first();
        let (id, uid) = (item.map(|item| &item.id), item.map(|item| item.uid));
        json.answer("id", &json!({ "id": id, "uid": uid }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.0.iter().try_for_each(|item| writeln!(out, "{}", item.id))
    }
}
