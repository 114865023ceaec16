//! `why`.

use std::io::{self, Write};

use clap::Args;
use jerry_application::{Reasons, Why};
use jerry_contract::Because;
use jerry_domain::{Situation, WorkId};

use super::Outcome;
use crate::args::ItemArg;
use crate::output::{Answer, Json, Style, report_unreadable, way_point};
use crate::session::Session;

/// What `why` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let reasons = Why::new(session.ports()?).why(&self.item.id(session)?).await?;
        report_unreadable(&reasons.unreadable);
        Ok(Box::new(Shown(reasons)))
    }
}

struct Shown(Reasons);

impl Shown {
    /// What follows from it, for whoever looks for work.
    fn conclusion(&self) -> Option<String> {
        let Reasons { way, workable, .. } = &self.0;
        let first = way.first()?.standing.as_ref()?;
        if first.item.status.is_closed() {
            return None;
        }
        if *workable == [first.item.id.clone()] {
            return Some("it can be begun now".to_owned());
        }
        let others = match &workable[..] {
            [] if way.len() == 1 => return None,
            [] => "none can be begun now".to_owned(),
            ids => {
                let ids: Vec<_> = ids.iter().map(WorkId::to_string).collect();
                format!("can be begun now: {}", ids.join(", "))
            }
        };
        Some(match first.situation {
            Situation::Ready => format!("it can be completed after its parts; of those {others}"),
            _ => others,
        })
    }
}

impl Answer for Shown {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&Because::from(&self.0))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.0.way.iter().try_for_each(|point| writeln!(out, "{}", way_point(point)))?;
        self.conclusion().map_or(Ok(()), |said| writeln!(out, "{said}"))
    }
}
