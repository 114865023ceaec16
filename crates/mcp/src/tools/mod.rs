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

use jerry_domain::{Edit, Transition};

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

/// A move of an item with what there is to say about it, as one write.
fn with_note(note: Option<String>, transition: Transition) -> Vec<Edit> {
    note.map(Edit::Note).into_iter().chain([Edit::Move(transition)]).collect()
}
