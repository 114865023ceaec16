//! Why an item stands where it stands, and what would have to be done first.

use jerry_domain::ports::Unreadable;
use jerry_domain::{
    Mark, Plan, Relation, Since, Situation, Step, Summary, Target, Timestamp, Ways, WorkId,
};

use crate::{Error, Ports, view};

/// An item, how it stands, and since when.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing {
    /// The item.
    pub item: Summary,
    /// How it stands.
    pub situation: Situation,
    /// Since when and by whom, where it was looked up and its history tells.
    pub since: Option<Since>,
}

/// One item on a way through a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct WayPoint {
    /// How many steps it is from the first, which is 0.
    pub depth: usize,
    /// How it has to do with the one before it; `None` of the first.
    pub relation: Option<Relation>,
    /// What it is called.
    pub id: WorkId,
    /// The item; `None` when it was deleted, never was, or cannot be read.
    pub standing: Option<Standing>,
    /// Whether the way goes on behind it.
    pub mark: Mark,
}

/// What holds an item up.
#[derive(Debug)]
pub struct Reasons {
    /// The item itself, then whatever must be finished before it can be, each followed by what holds
    /// it up.
    pub way: Vec<WayPoint>,
    /// Those on the way that somebody could work on now, in the order of the way.
    pub workable: Vec<WorkId>,
    /// What could not be read, and may be what is missing.
    pub unreadable: Vec<Unreadable>,
}

/// Tells why an item stands where it stands. Takes no lock.
#[derive(Clone)]
pub struct Why {
    ports: Ports,
}

impl Why {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// What holds up the item `id`, down to what somebody could work on now.
    ///
    /// # Errors
    /// [`Error::Repository`] when the item is not there or cannot be read, or the store cannot be
    /// listed.
    pub async fn why(&self, id: &WorkId) -> Result<Reasons, Error> {
        let (items, unreadable) = view::around(&self.ports, id).await?;
        let now = self.ports.clock.now();
        let plan = Plan::new(&items, now);
        let mut way = way(&plan, &plan.walk(id, Ways::HOLDING_UP));
        let mut workable = Vec::new();
        for point in &mut way {
            let Some(standing) = point.standing.as_mut() else { continue };
            standing.since = since(&self.ports, standing, now).await?;
            let has_parts = plan.unfinished_parts(&standing.item).next().is_some();
            if point.mark == Mark::New && standing.situation == Situation::Ready && !has_parts {
                workable.push(point.id.clone());
            }
        }
        Ok(Reasons { way, workable, unreadable })
    }
}

/// The steps with what they lead to, without since when.
pub(crate) fn way<'a>(plan: &Plan<'a>, steps: &[Step<'a>]) -> Vec<WayPoint> {
    let point = |step: &Step<'a>| {
        let (id, standing) = match step.target {
            Target::Item(item) => (item.id.clone(), Some(standing(plan, item))),
            Target::Missing(reference) => (reference.id.clone(), None),
        };
        WayPoint { depth: step.depth, relation: step.relation, id, standing, mark: step.mark }
    };
    steps.iter().map(point).collect()
}

pub(crate) fn standing<'a>(plan: &Plan<'a>, item: &'a Summary) -> Standing {
    Standing { item: item.clone(), situation: plan.situation(item), since: None }
}

/// Since when the item stands so. What went away or broke since it was listed does not tell.
pub(crate) async fn since(
    ports: &Ports,
    standing: &Standing,
    now: Timestamp,
) -> Result<Option<Since>, Error> {
    if matches!(standing.situation, Situation::Ready | Situation::Waiting) {
        return Ok(None);
    }
    let item = ports.whole(&standing.item).await.ok().flatten();
    Ok(item.and_then(|item| Since::of(&item, now)))
}
