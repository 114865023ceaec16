//! What a shell may offer for values that only the store knows. Where the store cannot be read,
//! nothing is offered: completion has no place for errors.

use clap_complete::CompletionCandidate;
use jerry_application::{Filter, Query, SortKey};
use jerry_domain::Summary;

use crate::args::Global;
use crate::composition;
use crate::exit::Failure;
use crate::output::{Style, line};
use crate::session::Session;
use crate::settings::KEYS;

/// The variable by which a shell asks for completions.
pub(crate) const VARIABLE: &str = "JERRY_COMPLETE";

/// The ids of the items, each with its title; those that are completed or cancelled come last.
pub(crate) fn ids() -> Vec<CompletionCandidate> {
    let candidate = |item: Summary| {
        let title = line(item.title.as_str()).into_owned();
        CompletionCandidate::new(item.id.to_string()).help(Some(title.into()))
    };
    items().unwrap_or_default().into_iter().map(candidate).collect()
}

fn items() -> Result<Vec<Summary>, Failure> {
    let env = Box::new(|name: &str| std::env::var_os(name));
    let session = Session::new(Global::default(), Style::PLAIN, env);
    // Opened here and not by the session, which would warn in the middle of a command line.
    let store = composition::open(&session.place()?.root, session.settings()?)?;
    let all = Filter { include_closed: true, sort: SortKey::Status, limit: 0, ..Filter::default() };
    Ok(pollster::block_on(Query::new(store.ports).list(&all))?.items)
}

/// The names of the settings.
pub(crate) fn settings() -> Vec<CompletionCandidate> {
    let candidate = |key: &crate::settings::Key| {
        CompletionCandidate::new(key.name).help(Some(key.about.into()))
    };
    KEYS.iter().map(candidate).collect()
}
