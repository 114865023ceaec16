//! `schema`.

use std::io::{self, Write};

use clap::Args;
use jerry_contract::schemas;
use serde_json::{Map, Value, json};

use super::Outcome;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style};

/// What `schema` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The `kind` of an answer, item-file, or plan; all of them where none is given
    kind: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self) -> Outcome {
        let mut all = schemas().map_err(|error| Failure::of(Code::Internal, &error))?;
        let Some(kind) = self.kind else { return Ok(Box::new(Schemas { all, single: false })) };
        let known: Vec<_> = all.keys().cloned().collect();
        let Some(schema) = all.remove(&kind) else {
            let message = format!("there is no kind of answer called '{kind}'");
            return Err(Failure::new(Code::Usage, message)
                .hint(format!("these are known: {}", known.join(", ")))
                .with("known", known));
        };
        Ok(Box::new(Schemas { all: Map::from_iter([(kind, schema)]), single: true }))
    }
}

struct Schemas {
    all: Map<String, Value>,
    single: bool,
}

impl Answer for Schemas {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer("schemas", &json!({ "schemas": self.all }))
    }

    /// One schema is a document of its own; several stand under their names.
    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        match self.all.values().next() {
            Some(schema) if self.single => writeln!(out, "{schema:#}"),
            _ => writeln!(out, "{:#}", Value::Object(self.all.clone())),
        }
    }
}
