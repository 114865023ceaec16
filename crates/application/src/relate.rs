//! Saying how items have to do with each other.

use jerry_domain::ports::Update;
use jerry_domain::{Edit, Extra, ItemRef, Link, LinkKind, LinkTarget, WorkId};

use crate::{Error, Modify, Ports, Request};

/// Relates items to each other. What it refuses and when is [`Modify::edit`]'s rule.
#[derive(Clone)]
pub struct Relate {
    modify: Modify,
}

impl Relate {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { modify: Modify::new(ports) }
    }

    /// `waiter` waits for `needed` from now on.
    ///
    /// # Errors
    /// As [`Modify::edit`]; [`Error::DependencyCycle`] and [`Error::MixedCycle`] when `needed` waits for
    /// `waiter` already.
    pub async fn add_dependency(
        &self,
        waiter: &WorkId,
        needed: &WorkId,
        note: Option<String>,
        request: &Request,
    ) -> Result<Update, Error> {
        let needed = ItemRef::bare(needed.clone()).with_note(note);
        self.modify.edit(waiter, vec![Edit::AddDependency(needed)], request).await
    }

    /// `waiter` waits for `needed` no longer. `needed` need not exist any more.
    ///
    /// # Errors
    /// As [`Modify::edit`].
    pub async fn remove_dependency(
        &self,
        waiter: &WorkId,
        needed: &WorkId,
        request: &Request,
    ) -> Result<Update, Error> {
        let needed = ItemRef::bare(needed.clone());
        self.modify.edit(waiter, vec![Edit::RemoveDependency(needed)], request).await
    }

    /// Makes `child` a part of `parent`, or of nothing.
    ///
    /// # Errors
    /// As [`Modify::edit`]; [`Error::ParentCycle`] when `parent` is a part of `child` already, and
    /// [`Error::MixedCycle`] when `child` waits for it.
    pub async fn set_parent(
        &self,
        child: &WorkId,
        parent: Option<&WorkId>,
        request: &Request,
    ) -> Result<Update, Error> {
        let parent = parent.cloned().map(ItemRef::bare);
        self.modify.edit(child, vec![Edit::Parent(parent)], request).await
    }

    /// Links `id` to `target`. An item that is linked to must exist.
    ///
    /// # Errors
    /// As [`Modify::edit`].
    pub async fn add_link(
        &self,
        id: &WorkId,
        kind: LinkKind,
        target: LinkTarget,
        note: Option<String>,
        request: &Request,
    ) -> Result<Update, Error> {
        let link = Link { kind, target, note, extra: Extra::new() };
        self.modify.edit(id, vec![Edit::AddLink(link)], request).await
    }

    /// Removes every link from `id` to `target`, which need not exist any more.
    ///
    /// # Errors
    /// As [`Modify::edit`].
    pub async fn remove_link(
        &self,
        id: &WorkId,
        target: LinkTarget,
        request: &Request,
    ) -> Result<Update, Error> {
        self.modify.edit(id, vec![Edit::RemoveLink(target)], request).await
    }
}
