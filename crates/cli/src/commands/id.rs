//! `id`.

use std::io::{self, Write};

use clap::{Args, Subcommand};
use jerry_domain::{Uid, WorkId};
use serde_json::json;

use super::Outcome;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, line};
use crate::session::Session;

/// What `id` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Take a uid (decimal, or hexadecimal with 0x) or an item's id apart
    Parse {
        /// The uid or the id
        id: String,
    },
    /// Make new uids
    Generate {
        /// How many
        #[arg(short = 'n', long = "count", value_name = "N", default_value_t = 1)]
        count: u32,
    },
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        match self.action {
            Action::Parse { id } => parse(&id),
            Action::Generate { count } => {
                let uids = session.ports()?.ids.uids(count as usize).await;
                Ok(Box::new(Uids(uids?)))
            }
        }
    }
}

/// Twelve digits at most make an item's number; a uid has more.
fn parse(text: &str) -> Outcome {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let uid = match hex {
        Some(digits) => u64::from_str_radix(digits, 16).ok().and_then(|it| Uid::try_from(it).ok()),
        None => text.parse::<Uid>().ok(),
    };
    if let Some(uid) = uid {
        return Ok(Box::new(UidParts(uid)));
    }
    let id = text.to_ascii_uppercase();
    let id = id
        .split_once('-')
        .and_then(|(prefix, _)| WorkId::parse_lenient(&id, &prefix.parse().ok()?).ok());
    match id {
        Some(id) => Ok(Box::new(IdParts(id))),
        None => Err(Failure::new(Code::Usage, format!("'{text}' is neither a uid nor an id"))
            .hint("a uid is a decimal number, or hexadecimal with 0x; an id is like WORK-042")),
    }
}

struct Uids(Vec<Uid>);

impl Answer for Uids {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer("uids", &json!({ "uids": self.0 }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.0.iter().try_for_each(|uid| writeln!(out, "{uid}"))
    }
}

struct UidParts(Uid);

impl Answer for UidParts {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let uid = self.0;
        json.answer(
            "uid",
            &json!({
                "uid": uid,
                "hex": format!("{uid:x}"),
                "timestamp": uid.timestamp(),
                "millis": uid.millis(),
                "worker": uid.worker(),
                "sequence": uid.sequence(),
            }),
        )
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let uid = self.0;
        writeln!(out, "uid        {uid}")?;
        writeln!(out, "hex        {uid:x}")?;
        writeln!(out, "timestamp  {}", uid.timestamp())?;
        writeln!(out, "worker     {}", uid.worker())?;
        writeln!(out, "sequence   {}", uid.sequence())
    }
}

struct IdParts(WorkId);

impl Answer for IdParts {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let id = &self.0;
        json.answer("id_parts", &json!({ "id": id, "prefix": id.prefix(), "number": id.number() }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let id = &self.0;
        writeln!(out, "id      {}", line(&id.to_string()))?;
        writeln!(out, "prefix  {}", id.prefix())?;
        writeln!(out, "number  {}", id.number())
    }
}
