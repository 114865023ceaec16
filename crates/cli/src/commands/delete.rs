//! `delete`.

use std::io::{self, Write};

use clap::Args;
use jerry_application::Delete;
use jerry_contract::Whole;
use jerry_domain::ports::Tombstone;
use serde_json::json;

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, line};
use crate::session::Session;

/// What `delete` takes.
#[derive(Debug, Args)]
#[command(mut_arg("force", |force| {
    force.help("Also if another has claimed it, if items wait for it or are parts of it")
}))]
pub struct Arguments {
    #[command(flatten)]
    item: ItemArg,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let id = self.item.id(session)?;
        let request = self.change.request(session, &id)?;
        let delete = Delete::new(session.ports()?);
        if let Some(earlier) = delete.earlier(&id, &request).await? {
            return Ok(Box::new(Deleted(earlier)));
        }
        let item = session.query()?.show(&id).await?;
        if !session.confirm(&format!("delete {id}, {}?", line(item.title.as_str())))? {
            return Err(Failure::new(Code::Usage, format!("{id} was not deleted")));
        }
        let stone = delete.delete(&id, self.change.force, &request).await?;
        Ok(Box::new(Deleted(stone)))
    }
}

struct Deleted(Tombstone);

impl Answer for Deleted {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let Tombstone { deleted_at, deleted_by, reason, item, .. } = &self.0;
        json.answer(
            "deleted",
            &json!({
                "id": item.id,
                "deleted_at": deleted_at,
                "deleted_by": deleted_by,
                "reason": reason,
                "item": Whole(item),
            }),
        )
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let item = &self.0.item;
        writeln!(out, "deleted {}: {}", item.id, line(item.title.as_str()))
    }
}
