//! The tools, one file each.

mod apply;
mod claim;
mod complete;
mod create;
mod note;
mod ready;
mod release;
mod search;
mod show;
mod update;
mod watch;

use crate::tool::Entry;

/// Every tool, in the order in which agents are told of them.
pub(crate) fn all() -> Vec<Entry> {
    vec![
        Entry::of::<ready::Ready>(),
        Entry::of::<claim::Claim>(),
        Entry::of::<show::Show>(),
        Entry::of::<note::Note>(),
        Entry::of::<complete::Complete>(),
        Entry::of::<release::Release>(),
        Entry::of::<create::Create>(),
        Entry::of::<update::Update>(),
        Entry::of::<apply::Apply>(),
        Entry::of::<search::Search>(),
        Entry::of::<watch::Watch>(),
    ]
}
