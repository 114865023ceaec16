//! The store as one list, for questions that concern many items.

use jerry_domain::ports::Unreadable;
use jerry_domain::{Summary, WorkId};

use crate::references::Names;
use crate::{Error, Ports};

/// Every item by id, its references under the names of today, and what could not be read.
pub(crate) async fn of(ports: &Ports) -> Result<(Vec<Summary>, Vec<Unreadable>), Error> {
    let (mut items, mut unreadable) = (Vec::new(), Vec::new());
    for item in ports.summaries().await? {
        match item {
            Ok(item) => items.push(item),
            Err(error) => unreadable.push(error),
        }
    }
    items.sort_unstable_by(|one, other| one.id.cmp(&other.id));
    let mut names = Names::default();
    items.iter().for_each(|item| names.learn(item));
    names.refresh(&mut items);
    Ok((items, unreadable))
}

/// As [`of`], with the item `id` among them.
///
/// # Errors
/// Why it is not: it cannot be read, was deleted, or never was.
pub(crate) async fn around(
    ports: &Ports,
    id: &WorkId,
) -> Result<(Vec<Summary>, Vec<Unreadable>), Error> {
    let has = |items: &[Summary]| items.iter().any(|item| item.id == *id);
    let mut view = of(ports).await?;
    // It may have come after the list was made.
    if !has(&view.0) && ports.items.get(id).await?.is_some() {
        view = of(ports).await?;
    }
    if has(&view.0) { Ok(view) } else { Err(ports.absent(id).await?.into()) }
}
