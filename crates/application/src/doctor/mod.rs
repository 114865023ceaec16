//! Finding what is wrong with a store, and putting right what can be put right safely.

mod duplicates;
mod rules;

use std::sync::Arc;

use jerry_domain::ports::{Finding, Repair, Repairs, RepositoryError, StoreCare};
use jerry_domain::{Graph, Summary};

use crate::{Error, Ports, Request};

/// What a repair came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What was put right.
    pub repairs: Vec<Repair>,
    /// What is wrong still.
    pub remaining: Vec<Finding>,
}

/// Examines and repairs a store: its files through the port, its items by the rules that hold
/// between them.
#[derive(Clone)]
pub struct Doctor {
    ports: Ports,
    care: Arc<dyn StoreCare>,
}

impl Doctor {
    /// A service over `ports` and the care of the files below them.
    #[must_use]
    pub fn new(ports: Ports, care: Arc<dyn StoreCare>) -> Self {
        Self { ports, care }
    }

    /// Everything that is wrong. Changes nothing.
    ///
    /// # Errors
    /// [`Error::Repository`] when the store cannot be listed.
    pub async fn examine(&self) -> Result<Vec<Finding>, Error> {
        let mut findings = self.care.examine().await?;
        findings.extend(self.examine_items().await?);
        Ok(findings)
    }

    /// Repairs what can be repaired without losing anything, then examines again. Never deletes
    /// an item.
    ///
    /// # Errors
    /// The error of the first repair that failed; [`Error::Partly`] when others were made.
    pub async fn fix(&self, request: &Request) -> Result<Report, Error> {
        let stamp = request.stamp(self.ports.clock.now());
        let files = self.care.examine().await?;
        let Repairs { done: mut repairs, failed } = self.care.repair(&files, &stamp).await?;
        let remaining = match failed {
            Some(error) => Err(error.into()),
            None => self.separate(files.is_empty(), &mut repairs, request).await,
        };
        match remaining {
            Ok(remaining) => Ok(Report { repairs, remaining }),
            Err(error) if repairs.is_empty() => Err(error),
            Err(error) => Err(error.partly()),
        }
    }

    /// Repairs what the items say of each other, and answers what is wrong still.
    async fn separate(
        &self,
        were_files_clean: bool,
        repairs: &mut Vec<Repair>,
        request: &Request,
    ) -> Result<Vec<Finding>, Error> {
        duplicates::separate(&self.ports, request, repairs).await?;
        match were_files_clean && repairs.is_empty() {
            true => Ok(self.examine_items().await?),
            false => self.examine().await,
        }
    }

    /// What the items say of each other. Items that cannot be read are the files' findings.
    async fn examine_items(&self) -> Result<Vec<Finding>, RepositoryError> {
        let items = summaries(&self.ports).await?;
        let graph = Graph::new(&items);
        let mut findings = duplicates::find(&items);
        findings.extend(rules::dangling(&self.ports, &items, &graph).await?);
        findings.extend(rules::cycles(&graph));
        findings.extend(rules::ahead_of_clock(&items, self.ports.clock.now()));
        Ok(findings)
    }
}

/// Every item that can be read, by id.
async fn summaries(ports: &Ports) -> Result<Vec<Summary>, RepositoryError> {
    let mut items: Vec<_> = ports.items.summaries().await?.filter_map(Result::ok).collect();
    items.sort_by(|one, other| one.id.cmp(&other.id));
    Ok(items)
}
