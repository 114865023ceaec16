//! What every tool works with: the ports, and for whom it acts.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jerry_application::{Create, Modify, Ports, Query, Watch};
use jerry_contract::Failure;
use jerry_domain::{Actor, Prefix, SessionName, WorkId};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// One agent at its work.
#[derive(Clone)]
pub struct Desk {
    /// What the application works through.
    pub ports: Ports,
    /// What waits for changes.
    pub watch: Watch,
    /// The prefix of new ids, and of ids that are given as a number.
    pub prefix: Prefix,
    /// How long a claim stands where the agent does not say.
    pub lease: Duration,
    /// Who the agent is.
    pub actor: Actor,
    /// Which of the actor's sessions this is. No other process may have it, unless it works for the
    /// same agent: whoever has it holds what this one claims.
    pub session: SessionName,
    /// Looks for a file that is given as evidence.
    pub find_file: FindFile,
}

/// Looks for the file at a path, as the agent has it, and says how everybody names it; fails where
/// there is none.
pub type FindFile = Arc<dyn Fn(&str) -> Result<String, Failure> + Send + Sync>;

/// An item as an agent names it: `WORK-042`, `work-42`, `42`, or 42 as a number.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Id(String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;

        impl Visitor<'_> for TextOrNumber {
            type Value = Id;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an id: \"WORK-042\", or 42")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
                Ok(Id(text.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id, E> {
                Ok(Id(number.to_string()))
            }
        }

        deserializer.deserialize_any(TextOrNumber)
    }
}

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "id".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

impl Desk {
    pub(crate) fn query(&self) -> Query {
        Query::new(self.ports.clone())
    }

    pub(crate) fn modify(&self) -> Modify {
        Modify::new(self.ports.clone())
    }

    pub(crate) fn create(&self) -> Create {
        Create::new(self.ports.clone(), self.prefix.clone())
    }

    /// The id that is meant.
    pub(crate) fn id(&self, Id(given): &Id) -> Result<WorkId, Failure> {
        self.id_of(given)
    }

    /// The id that `given` means.
    pub(crate) fn id_of(&self, given: &str) -> Result<WorkId, Failure> {
        match given.parse() {
            Ok(id) => Ok(id),
            Err(_) => Ok(WorkId::parse_lenient(given, &self.prefix)?),
        }
    }
}
