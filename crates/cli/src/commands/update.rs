//! `update`.

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_domain::{
    Edit, ItemRef, ItemType, Phase, Priority, Requirement, Status, Timestamp, Title, day_or_instant,
};

use super::Outcome;
use crate::args::{self, Change, Description, ItemArg};
use crate::complete;
use crate::exit::{Code, Failure};
use crate::output::Changed;
use crate::session::{Session, text};

/// What `update` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    /// What it is about, in one line
    #[arg(long, value_name = "TEXT")]
    title: Option<String>,
    /// Where it stands; only the moves that `start`, `complete` and the others make
    #[arg(long, short = 's', value_parser = args::status(), ignore_case = true)]
    status: Option<Status>,
    /// What kind of work it is
    #[arg(long = "type", short = 't', value_name = "TYPE", value_parser = args::item_type(), ignore_case = true)]
    item_type: Option<ItemType>,
    /// How urgent it is
    #[arg(long, short = 'p', value_parser = args::priority(), ignore_case = true)]
    priority: Option<Priority>,
    #[command(flatten)]
    description: Description,
    /// Remove the description; as with --replace
    #[arg(long, conflicts_with_all = ["description", "description_file"], requires = "replace")]
    no_description: bool,
    /// Replace the description that stands in the version that --if-version names
    #[arg(long, requires = "if_version")]
    replace: bool,
    /// Add to the description, as a paragraph of its own; - reads standard input
    #[arg(long, value_name = "TEXT", conflicts_with_all = ["description", "description_file", "no_description"])]
    append_description: Option<String>,
    /// Who is to do it
    #[arg(long, short = 'a', value_name = "NAME")]
    assignee: Option<String>,
    /// Nobody is to do it
    #[arg(long, conflicts_with = "assignee")]
    no_assignee: bool,
    /// The phase of a plan that it belongs to
    #[arg(long, value_name = "PHASE")]
    phase: Option<String>,
    /// It belongs to no phase
    #[arg(long, conflicts_with = "phase")]
    no_phase: bool,
    /// When it should be completed: 2026-01-31, or a time
    #[arg(long, value_name = "DAY", value_parser = day_or_instant)]
    due: Option<Timestamp>,
    /// It may be completed at any time
    #[arg(long, conflicts_with = "due")]
    no_due: bool,
    /// The item that this one is a part of
    #[arg(long, value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    parent: Option<String>,
    /// It is a part of nothing
    #[arg(long, conflicts_with = "parent")]
    no_parent: bool,
    /// What it is called elsewhere
    #[arg(long, value_name = "NAME")]
    external_ref: Option<String>,
    /// It is called nothing elsewhere
    #[arg(long, conflicts_with = "external_ref")]
    no_external_ref: bool,
    /// Something that was found out; may be repeated
    #[arg(long = "finding", value_name = "TEXT")]
    findings: Vec<String>,
    /// Something that it must show before it is completed: criteria, evidence, subtasks
    #[arg(long = "gate", value_name = "GATE", value_parser = args::requirement(), ignore_case = true, value_delimiter = ',')]
    gates: Vec<Requirement>,
    /// Something that it need not show, unless settings ask for it
    #[arg(long = "no-gate", value_name = "GATE", value_parser = args::requirement(), ignore_case = true, value_delimiter = ',')]
    no_gates: Vec<Requirement>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let request = self.change.request(session, &id)?;
        let edits = self.edits(session)?;
        if edits.is_empty() {
            return Err(Failure::new(Code::Usage, "there is nothing to update").hint(
                "name a field, --title or --priority for example; see `jerry update --help`",
            ));
        }
        let update = session.modify()?.edit(&id, edits, &request).await?;
        Ok(Box::new(Changed::new("updated", update)))
    }

    fn edits(self, session: &Session) -> Result<Vec<Edit>, Failure> {
        let mut edits = Vec::new();
        if let Some(title) = self.title {
            edits.push(Edit::Title(Title::new(&title)?));
        }
        edits.extend(self.item_type.map(Edit::Type));
        edits.extend(self.priority.map(Edit::Priority));
        let replaced = self.change.if_version.filter(|_| self.replace);
        let description = set_or_clear(self.description.read()?, self.no_description);
        edits.extend(description.map(|text| match replaced {
            Some(of) => Edit::ReplaceDescription { text, of },
            None => Edit::Description(text),
        }));
        let more = text(self.append_description, None)?;
        edits.extend(more.map(|text| Edit::AppendDescription(text.trim_end().to_owned())));
        let assignee = self.assignee.map(|name| args::actor(&name)).transpose()?;
        edits.extend(set_or_clear(assignee, self.no_assignee).map(Edit::Assignee));
        let phase = self.phase.map(|phase| Phase::new(&phase)).transpose()?;
        edits.extend(set_or_clear(phase, self.no_phase).map(Edit::Phase));
        edits.extend(set_or_clear(self.due, self.no_due).map(Edit::DueAt));
        let parent = self.parent.map(|id| session.id(&id)).transpose()?.map(ItemRef::bare);
        edits.extend(set_or_clear(parent, self.no_parent).map(Edit::Parent));
        let external_ref = set_or_clear(self.external_ref, self.no_external_ref);
        edits.extend(external_ref.map(Edit::ExternalRef));
        edits.extend(self.gates.into_iter().map(Edit::AddGate));
        edits.extend(self.no_gates.into_iter().map(Edit::RemoveGate));
        edits.extend(self.findings.into_iter().map(Edit::AddFinding));
        edits.extend(self.status.map(Edit::MoveTo));
        Ok(edits)
    }
}

/// The new value of a field that can be removed; `None` where it stays.
fn set_or_clear<T>(value: Option<T>, clear: bool) -> Option<Option<T>> {
    if clear { Some(None) } else { value.map(Some) }
}
