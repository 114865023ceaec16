//! `dep`.

use std::io::{self, Write};

use clap::{ArgGroup, Args, Subcommand};
use clap_complete::ArgValueCandidates;
use jerry_application::Filter;
use jerry_contract::Row;
use jerry_domain::ports::Update;
use jerry_domain::{
    Edit, Extra, ItemRef, Link, LinkKind, LinkTarget, ProgressCount, Summary, WorkId, WorkItem,
};
use serde_json::json;

use super::Outcome;
use super::dep_tree::{PathArguments, TreeArguments};
use crate::args::{Change, ItemArg};
use crate::complete;
use crate::exit::Failure;
use crate::output::{Answer, Changed, Json, Style, line, report_unreadable};
use crate::session::Session;

/// What `dep` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Let an item wait for others, or link it to them
    Add(Add),
    /// Remove what an item waits for, or its links
    #[command(visible_alias = "rm")]
    Remove(Remove),
    /// List what an item waits for, what waits for it, its parts and its links
    #[command(visible_alias = "ls")]
    List(ItemArg),
    /// Show what an item waits for, what that waits for, and so on
    Tree(TreeArguments),
    /// Show the longest chain of unfinished items that must be finished one after the other
    CriticalPath(PathArguments),
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("relation").required(true).multiple(true))]
struct Add {
    #[command(flatten)]
    item: ItemArg,
    /// The item waits for this one; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "relation", add = ArgValueCandidates::new(complete::ids))]
    needs: Vec<String>,
    /// The two have to do with each other
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "relation", add = ArgValueCandidates::new(complete::ids))]
    related: Vec<String>,
    /// The item came up while this one was worked on
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "relation", add = ArgValueCandidates::new(complete::ids))]
    discovered_from: Vec<String>,
    /// The item says what this one says
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "relation", add = ArgValueCandidates::new(complete::ids))]
    duplicates: Vec<String>,
    /// A note that this one waits for the item; it holds nothing back, as --needs on the other does
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "relation", add = ArgValueCandidates::new(complete::ids))]
    blocks: Vec<String>,
    /// Why, in words
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    #[command(flatten)]
    change: Change,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("relation").required(true).multiple(true))]
struct Remove {
    #[command(flatten)]
    item: ItemArg,
    /// The item waits for this one no longer; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "relation", add = ArgValueCandidates::new(complete::ids))]
    needs: Vec<String>,
    /// Remove every link to this one; may be repeated
    #[arg(long, value_name = "ID", value_delimiter = ',', group = "relation", add = ArgValueCandidates::new(complete::ids))]
    link: Vec<String>,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self.action {
            Action::Add(add) => add.run(session).await,
            Action::Remove(remove) => remove.run(session).await,
            Action::Tree(tree) => tree.run(session).await,
            Action::CriticalPath(path) => path.run(session).await,
            Action::List(item) => list(session, &item.id(session)?).await,
        }
    }
}

impl Add {
    async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let mut edits = Vec::new();
        let mut said = Vec::new();
        for needed in ids(session, &self.needs)? {
            said.push(format!("{id} waits for {needed}"));
            edits.push(Edit::AddDependency(ItemRef::bare(needed).with_note(self.note.clone())));
        }
        let links = [
            (LinkKind::Related, &self.related),
            (LinkKind::DiscoveredFrom, &self.discovered_from),
            (LinkKind::Duplicates, &self.duplicates),
            (LinkKind::Blocks, &self.blocks),
        ];
        for (kind, targets) in links {
            for target in ids(session, targets)? {
                said.push(format!("{id} {kind} {target}"));
                let (target, note) = (LinkTarget::Item(ItemRef::bare(target)), self.note.clone());
                edits.push(Edit::AddLink(Link { kind, target, note, extra: Extra::new() }));
            }
        }
        write(session, &id, edits, &self.change, &said).await
    }
}

impl Remove {
    async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let mut edits = Vec::new();
        let mut said = Vec::new();
        let (needs, linked) = (ids(session, &self.needs)?, ids(session, &self.link)?);
        let bare = |id: &WorkId| ItemRef::bare(id.clone());
        edits.extend(needs.iter().map(|needed| Edit::RemoveDependency(bare(needed))));
        edits.extend(linked.iter().map(|it| Edit::RemoveLink(LinkTarget::Item(bare(it)))));
        let update =
            session.modify()?.edit(&id, edits, &self.change.request(session, &id)?).await?;
        let before = match &update {
            Update::Unchanged(item) => item.clone(),
            Update::Written(item) => {
                item.at_version(item.version - 1).unwrap_or_else(|_| item.clone())
            }
        };
        for needed in needs {
            said.push(match before.depends_on.iter().any(|own| own.id == needed) {
                true => format!("{id} waits for {needed} no longer"),
                false => format!("{id} did not wait for {needed}"),
            });
        }
        for target in linked {
            let is_target = |link: &Link| match &link.target {
                LinkTarget::Item(own) => own.id == target,
                LinkTarget::External(_) => false,
            };
            said.push(match before.links.iter().any(is_target) {
                true => format!("{id} has no link to {target} any more"),
                false => format!("{id} had no link to {target}"),
            });
        }
        Ok(Box::new(changed(&said, update)))
    }
}

async fn write(
    session: &Session,
    id: &WorkId,
    edits: Vec<Edit>,
    change: &Change,
    said: &[String],
) -> Outcome {
    let update = session.modify()?.edit(id, edits, &change.request(session, id)?).await?;
    Ok(Box::new(changed(said, update)))
}

fn changed(said: &[String], update: Update) -> Changed {
    let said = said.join("; ");
    match update {
        Update::Written(item) => Changed::said(said, item),
        Update::Unchanged(item) => Changed::said(format!("{} is as it was: {said}", item.id), item),
    }
}

fn ids(session: &Session, typed: &[String]) -> Result<Vec<WorkId>, Failure> {
    typed.iter().map(|id| session.id(id)).collect()
}

async fn list(session: &Session, id: &WorkId) -> Outcome {
    let query = session.query()?;
    let item = query.show(id).await?;
    let all = Filter { include_closed: true, limit: 0, ..Filter::default() };
    let page = query.list(&all).await?;
    report_unreadable(&page.unreadable);
    let graph = jerry_domain::Graph::new(&page.items);
    let waits_for: Vec<_> =
        item.depends_on.iter().filter_map(|needed| graph.resolve(needed)).cloned().collect();
    let missing = item.depends_on.iter().filter(|needed| graph.resolve(needed).is_none());
    Ok(Box::new(Relations {
        waits_for,
        missing: missing.map(|needed| needed.id.clone()).collect(),
        needed_by: graph.dependents(id).cloned().collect(),
        children: graph.children(id).cloned().collect(),
        progress: page.progress,
        item,
    }))
}

struct Relations {
    item: WorkItem,
    waits_for: Vec<Summary>,
    missing: Vec<WorkId>,
    needed_by: Vec<Summary>,
    children: Vec<Summary>,
    progress: ProgressCount,
}

impl Answer for Relations {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let rows = |items: &[Summary]| {
            let rows: Vec<_> = items.iter().map(|item| Row::new(item, &self.progress)).collect();
            serde_json::to_value(rows)
        };
        let link = |link: &Link| json!({ "kind": link.kind, "target": link.target.to_string(), "note": link.note });
        let links: Vec<_> = self.item.links.iter().map(link).collect();
        json.answer(
            "dependencies",
            &json!({
                "id": self.item.id,
                "parent": self.item.parent.as_ref().map(|parent| &parent.id),
                "waits_for": rows(&self.waits_for)?,
                "missing": self.missing,
                "needed_by": rows(&self.needed_by)?,
                "children": rows(&self.children)?,
                "links": links,
            }),
        )
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let id = &self.item.id;
        let mut row = |said: &str, other: &Summary| {
            writeln!(
                out,
                "{id} {said} {}\t{}\t{}",
                other.id,
                other.status,
                line(other.title.as_str())
            )
        };
        self.waits_for.iter().try_for_each(|other| row("waits for", other))?;
        self.needed_by.iter().try_for_each(|other| row("is needed by", other))?;
        self.children.iter().try_for_each(|other| row("contains", other))?;
        for gone in &self.missing {
            writeln!(out, "{id} waits for {gone}\tmissing")?;
        }
        if let Some(parent) = &self.item.parent {
            writeln!(out, "{id} is a part of {parent}")?;
        }
        for link in &self.item.links {
            writeln!(out, "{id} {} {}", link.kind, line(&link.target.to_string()))?;
        }
        Ok(())
    }
}
