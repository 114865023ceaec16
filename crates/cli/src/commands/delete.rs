//! `delete`.

use std::io::{self, Write};

use clap::Args;
use jerry_application::{Delete, Request};
use jerry_contract::Whole;
use jerry_domain::ports::Tombstone;
use jerry_domain::{WorkId, WorkItem};
use serde_json::json;

use super::Outcome;
use super::many::{self, OfItem};
use crate::args::{Change, ItemArgs};
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
    items: ItemArgs,
    #[command(flatten)]
    change: Change,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let delete =
            async |id: &WorkId, request: &Request| delete(id, request, session).await.map(Deleted);
        many::each(&self.items, &self.change, session, delete).await
    }
}

async fn delete(id: &WorkId, request: &Request, session: &Session) -> Result<Tombstone, Failure> {
    let delete = Delete::new(session.ports()?);
    let item = match session.query()?.show(id).await {
        Ok(item) => item,
        Err(error) => return Ok(delete.earlier(id, request).await?.ok_or(error)?),
    };
    if !session.confirm(&format!("delete {id}, {}?", line(item.title.as_str())))? {
        return Err(Failure::new(Code::Usage, format!("{id} was not deleted")));
    }
    Ok(delete.delete(id, request).await?)
}

struct Deleted(Tombstone);

impl OfItem for Deleted {
    fn item(&self) -> &WorkItem {
        &self.0.item
    }
}

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
