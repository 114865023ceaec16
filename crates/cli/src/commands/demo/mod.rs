//! `demo`: many processes on one store, some of them killed, and a look whether everything that
//! they were told is there.

mod agents;
mod fault;
mod ledger;
mod report;
mod verify;
pub(super) mod worker;

use std::path::Path;
use std::time::Instant;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use jerry_infra_fs::Layout;
use jerry_infra_fs::lock::LockBackend;

use super::Outcome;
use crate::composition;
use crate::exit::{Code, Failure};
use crate::session::Session;
use agents::Plan;
use fault::Fault;
use report::Report;

/// What `demo` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// How many processes work at once
    #[arg(long, value_name = "N", default_value = "10",
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=200))]
    agents: usize,
    /// How many items they create and work on
    #[arg(long, value_name = "M", default_value = "50",
          value_parser = RangedU64ValueParser::<usize>::new().range(1..=100_000))]
    items: usize,
    /// What the agents do wrong, to see that it is noticed
    #[arg(long, value_enum, hide = true)]
    fault: Option<Fault>,
}

/// What the name of every demo's folder begins with.
const FOLDER: &str = "jerry-demo-";

/// Whether the store at `root` is a demo's. Agents touch no other.
fn is_of_a_demo(root: &Path) -> bool {
    let folder = root.parent().and_then(Path::file_name);
    folder.is_some_and(|name| name.to_string_lossy().starts_with(FOLDER))
}

/// The most agents that are killed.
const MOST_KILLS: usize = 10;

impl Arguments {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        if session.global.store.is_some() {
            return Err(Failure::new(Code::Usage, "a demo makes a store of its own")
                .hint("leave --store away; TMPDIR says where the demo's folder is made"));
        }
        let folder = tempfile::Builder::new().prefix(FOLDER).tempdir().map_err(|error| {
            Failure::io("cannot make a folder for the demo", &error)
                .hint("TMPDIR says where it is made")
        })?;
        let layout = Layout::new(folder.path().join(Layout::ROOT_NAME));
        composition::init(layout.root(), LockBackend::Os, "")?;
        let plan = Plan {
            agents: self.agents,
            items: self.items,
            kills: (self.agents / 2).clamp(1, MOST_KILLS),
            fault: self.fault,
            store: layout.root().to_owned(),
            journal: folder.path().join("journal.jsonl"),
            lock_timeout: session.global.lock_timeout.clone(),
        };
        let since = Instant::now();
        let ledger = agents::run(&plan)?;
        let took = since.elapsed();
        let items = layout.items();
        let found = verify::read(&items).map_err(|error| {
            Failure::io(format_args!("cannot read {}", items.display()), &error)
        })?;
        let verdict = verify::verify(&ledger, &found);
        Ok(Box::new(Report { plan, ledger, verdict, took, folder: folder.keep() }))
    }
}
