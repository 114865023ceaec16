//! `dep tree` and `dep critical-path`: plans as trees and as chains.

use std::io::{self, Write};

use clap::Args;
use clap_complete::ArgValueCandidates;
use jerry_application::{LongestChain, Plans, Standing, WayPoint};
use jerry_contract::{Chain, Tree};
use jerry_domain::Ways;
use jerry_domain::ports::Unreadable;

use super::Outcome;
use crate::args::ItemArg;
use crate::complete;
use crate::output::{
    Answer, Json, Style, count, line, remark, report_unreadable, said, warn, way_point,
};
use crate::session::Session;

/// What `dep tree` takes.
#[derive(Debug, Args)]
pub(super) struct TreeArguments {
    #[command(flatten)]
    item: ItemArg,
    /// The other way: what waits for it
    #[arg(long, short = 'r')]
    reverse: bool,
    /// Also its parts, and theirs
    #[arg(long, conflicts_with = "reverse")]
    parts: bool,
    /// Also what is completed or cancelled
    #[arg(long)]
    all: bool,
}

impl TreeArguments {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let Self { reverse, parts, all, .. } = self;
        let ways = Ways { needs: !reverse, parts, needed_by: reverse, finished: all };
        let id = self.item.id(session)?;
        let (way, unreadable) = Plans::new(session.ports()?).tree(&id, ways).await?;
        report_unreadable(&unreadable);
        Ok(Box::new(ShownTree(way, unreadable)))
    }
}

struct ShownTree(Vec<WayPoint>, Vec<Unreadable>);

impl Answer for ShownTree {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Tree::new(&self.0, &self.1))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.0.iter().try_for_each(|point| writeln!(out, "{}", way_point(point)))
    }
}

/// What `dep critical-path` takes.
#[derive(Debug, Args)]
pub(super) struct PathArguments {
    /// Only this item, its parts, and theirs
    #[arg(value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    id: Option<String>,
}

impl PathArguments {
    pub(super) async fn run(self, session: &Session) -> Outcome {
        let whole = self.id.map(|id| session.id(&id)).transpose()?;
        let chain = Plans::new(session.ports()?).critical_path(whole.as_ref()).await?;
        report_unreadable(&chain.unreadable);
        Ok(Box::new(ShownChain(chain)))
    }
}

struct ShownChain(LongestChain);

impl Answer for ShownChain {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Chain::from(&self.0))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.0.path.iter().zip(1..).try_for_each(|(standing, place): (_, usize)| {
            let Standing { item, situation, since } = standing;
            let said = said(item, *situation, since.as_ref());
            writeln!(out, "{place}. {}  {} [{}]", item.id, line(item.title.as_str()), line(&said))
        })
    }

    fn remarks(&self, _: Style) {
        let LongestChain { path, endless, .. } = &self.0;
        if path.is_empty() && endless.is_empty() {
            remark("nothing is unfinished");
        }
        if let Some(first) = endless.first() {
            let items = count(endless.len(), "item");
            warn(&format!(
                "{items} wait for themselves in a ring, or for such a ring; `jerry why {first}` \
                 shows it"
            ));
        }
    }
}
