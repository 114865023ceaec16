//! What the items of a plan are in the store.

use std::collections::HashSet;

use jerry_domain::ports::RepositoryError;
use jerry_domain::{Edit, ItemRef, Refusal, Summary, Uid, WorkId, WorkItem};

use crate::plan_file::{InvalidPlan, Place, Wanted};
use crate::{Error, Ports, Request};

/// What an item of a plan is in the store.
pub(super) enum Found {
    /// Nothing yet.
    New,
    /// An item, as it is.
    There(Box<WorkItem>),
    /// An item that was deleted, as it was then.
    Deleted(Box<WorkItem>),
}

/// An item of a plan, and the one that it is to become.
pub(super) struct Target<'a> {
    pub(super) wanted: &'a Wanted,
    /// The item that is there; `None` for a new one.
    pub(super) before: Option<WorkItem>,
    pub(super) id: WorkId,
    pub(super) uid: Uid,
}

/// Which of `items` and of the deleted ones each item of `plan` means.
pub(super) async fn find(
    ports: &Ports,
    plan: &[Wanted],
    items: &[Summary],
) -> Result<Vec<Found>, Error> {
    let mut found = Vec::with_capacity(plan.len());
    for wanted in plan {
        found.push(match (&wanted.id, wanted.named(items)) {
            (Some(id), _) => there_or_deleted(ports, id).await?,
            (None, Some(item)) => match ports.whole(item).await? {
                Some(item) => Found::There(Box::new(item)),
                None => there_or_deleted(ports, &item.id).await?,
            },
            (None, None) => Found::New,
        });
    }
    Ok(found)
}

/// Gives one of `items` that `plan` means, and that shares its number with another, a number of its
/// own. Whether there was one: then the items are no longer what they were.
pub(super) async fn tell_apart(
    ports: &Ports,
    plan: &[Wanted],
    items: &[Summary],
) -> Result<bool, Error> {
    let mut named =
        plan.iter().filter(|wanted| wanted.id.is_none()).filter_map(|it| it.named(items));
    let Some(shared) = named.find(|item| item.is_displaced) else { return Ok(false) };
    // Any write of the file does so.
    ports.items.update(&shared.id, None, Box::new(|_| Ok(None))).await?;
    Ok(true)
}

async fn there_or_deleted(ports: &Ports, id: &WorkId) -> Result<Found, Error> {
    if let Some(item) = ports.items.get(id).await? {
        return Ok(Found::There(Box::new(item)));
    }
    match ports.items.tombstone(id).await? {
        Some(stone) => Ok(Found::Deleted(Box::new(stone.item))),
        None => Err(RepositoryError::NotFound { id: id.clone() }.into()),
    }
}

impl Found {
    pub(super) fn item(&self) -> Option<&WorkItem> {
        match self {
            Self::New => None,
            Self::There(item) | Self::Deleted(item) => Some(item),
        }
    }
}

/// Refuses a plan that cannot be drawn up: an item is there twice, not in the version that the plan was
/// made for, or no longer; or a new one has no title, or a version.
pub(super) async fn check(ports: &Ports, plan: &[Wanted], found: &[Found]) -> Result<(), Error> {
    let mut seen = HashSet::new();
    for (wanted, found) in plan.iter().zip(found) {
        match found {
            Found::New if wanted.item.title.is_none() => {
                return Err(InvalidPlan::NoTitle(wanted.called.clone()).into());
            }
            Found::New if wanted.item.if_version.is_some() => {
                return Err(InvalidPlan::VersionOfNew(wanted.called.clone()).into());
            }
            Found::New => {}
            Found::There(item) if !seen.insert(item.uid) => {
                return Err(InvalidPlan::ItemTwice(item.id.clone()).into());
            }
            Found::There(item) => RepositoryError::unless_version(item, wanted.item.if_version)?,
            Found::Deleted(item) => return Err(ports.absent(&item.id).await?.into()),
        }
    }
    Ok(())
}

/// The items of a plan that was [checked](check); each new one gets one of the `names`.
pub(super) fn targets<'a>(
    plan: &'a [Wanted],
    found: Vec<Found>,
    names: &[(WorkId, Uid)],
) -> Vec<Target<'a>> {
    let mut names = names.iter().cloned();
    let target = |(wanted, found)| {
        let before = match found {
            Found::There(item) => Some(*item),
            Found::New | Found::Deleted(_) => None,
        };
        let own = before.as_ref().map(|item| (item.id.clone(), item.uid));
        let (id, uid) = own.or_else(|| names.next())?;
        Some(Target { wanted, before, id, uid })
    };
    plan.iter().zip(found).filter_map(target).collect()
}

impl Wanted {
    /// The one of `items` that is called elsewhere as the plan says.
    fn named<'a>(&self, items: &'a [Summary]) -> Option<&'a Summary> {
        let name = self.item.external_ref.as_ref()?;
        items.iter().find(|item| item.external_ref.as_ref() == Some(name))
    }
}

impl Target<'_> {
    /// What to call it in a message: the id of a new one is not known to anybody.
    pub(super) fn called(&self) -> String {
        match self.before {
            Some(_) => self.id.to_string(),
            None => self.wanted.called.clone(),
        }
    }

    /// What is to be done to the item, whose references to items of the store may be bare.
    pub(super) fn edits(&self, targets: &[Target<'_>]) -> Vec<Edit> {
        self.wanted.edits(self.before.is_none(), |place| match place {
            Place::InPlan(place) => ItemRef::new(targets[*place].id.clone(), targets[*place].uid),
            Place::InStore(id) => ItemRef::bare(id.clone()),
        })
    }

    /// The item after `edits`; `None` where they change nothing.
    pub(super) fn write(
        &self,
        ports: &Ports,
        edits: &[Edit],
        request: &Request,
    ) -> Result<Option<WorkItem>, Error> {
        let written = match (&self.before, &self.wanted.item.title) {
            (Some(item), _) => item.apply(edits, &ports.stamp(item, request)),
            (None, Some(title)) => {
                let stamp = request.stamp(ports.clock.now());
                WorkItem::create(self.id.clone(), self.uid, title.clone(), edits, &stamp).map(Some)
            }
            (None, None) => return Err(InvalidPlan::NoTitle(self.wanted.called.clone()).into()),
        };
        written.map_err(|source| self.refused(source))
    }

    pub(super) fn refused(&self, source: Refusal) -> Error {
        match &self.before {
            Some(item) => RepositoryError::Refused { id: item.id.clone(), source }.into(),
            None => Error::NotCreated { title: self.wanted.called.clone(), source },
        }
    }
}
