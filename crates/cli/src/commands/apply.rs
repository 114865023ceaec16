//! `apply`: a whole plan, all or none.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use jerry_application::{AppliedItem, Apply, Error, PlanFile};
use jerry_contract::Applied;

use super::Outcome;
use crate::args::Change;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, count, line};
use crate::session::{Session, read_bytes};

/// What `apply` takes.
#[derive(Debug, Args)]
#[command(mut_arg("if_version", |version| version.hide(true)))]
pub struct Arguments {
    /// The plan, in JSON; - reads standard input. `jerry schema plan` tells what it may say
    #[arg(value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: PathBuf,
    /// Say what it would come to, and change nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        if self.change.if_version.is_some() {
            return Err(Failure::new(Code::Usage, "a plan has many items: --if-version is of one"));
        }
        let request = self.change.request_of_new(session)?;
        let text = String::from_utf8(read_bytes(&self.file)?)
            .map_err(|_| Failure::new(Code::Invalid, "the plan is not in UTF-8"))?;
        let apply = Apply::new(session.ports()?, session.settings()?.prefix()?);
        let plan = PlanFile::read(&text).map_err(Error::from)?;
        let items = apply.apply(plan, self.dry_run, &request).await?;
        Ok(Box::new(Done { items, dry_run: self.dry_run }))
    }
}

struct Done {
    items: Vec<AppliedItem>,
    dry_run: bool,
}

impl Answer for Done {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Applied::new(&self.items, self.dry_run))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let applied = Applied::new(&self.items, self.dry_run);
        for item in &applied.items {
            writeln!(out, "{:<9} {}: {}", item.deed, item.id, line(item.title.as_str()))?;
        }
        let (made, said) = (applied.created, if self.dry_run { "would be " } else { "" });
        writeln!(
            out,
            "{} {said}created, {} {said}updated, {} unchanged",
            count(made, "item"),
            applied.updated,
            applied.unchanged
        )
    }
}
