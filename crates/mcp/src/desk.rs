//! What every tool works with: the ports, and for whom it acts.

use std::time::Duration;

use jerry_application::{Create, Modify, Ports, Query, Watch};
use jerry_contract::Failure;
use jerry_domain::{Actor, Prefix, SessionName, WorkId};

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

    /// The id that is meant: `WORK-042`, `work-42` or `42`.
    pub(crate) fn id(&self, given: &str) -> Result<WorkId, Failure> {
        match given.parse() {
            Ok(id) => Ok(id),
            Err(_) => Ok(WorkId::parse_lenient(given, &self.prefix)?),
        }
    }
}
