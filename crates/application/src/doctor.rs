//! Finding what is wrong with a store, and putting right what can be put right safely.

use std::sync::Arc;

use jerry_domain::ports::{Finding, Repair, StoreCare};

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
        Ok(self.care.examine().await?)
    }

    /// Repairs what can be repaired without losing anything, then examines again. Never deletes
    /// an item.
    ///
    /// # Errors
    /// The error of the first repair that failed; those before it stand.
    pub async fn fix(&self, request: &Request) -> Result<Report, Error> {
        let stamp = request.stamp(self.ports.clock.now());
        let repairs = self.care.repair(&self.care.examine().await?, &stamp).await?;
        Ok(Report { repairs, remaining: self.examine().await? })
    }
}
