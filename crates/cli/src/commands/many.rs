//! Commands on several items. Each item is written by itself: every one is tried, whatever came of
//! those before it, and what came of each is told. With one item a command is as it is without this.

use std::collections::HashSet;
use std::io::{self, Write};

use jerry_application::Request;
use jerry_contract::Results;
use jerry_domain::{Edit, WorkId, WorkItem};

use super::Outcome;
use crate::args::{Change, ItemArgs};
use crate::exit::{Code, Failure};
use crate::output::{Answer, Changed, Json, Style, line};
use crate::session::Session;

/// What a command answers that has written one item.
pub(super) trait OfItem: Answer {
    /// The item.
    fn item(&self) -> &WorkItem;
}

impl OfItem for Changed {
    fn item(&self) -> &WorkItem {
        self.item()
    }
}

/// Makes the same edits in each of the items.
pub(super) async fn edit(
    said: &str,
    items: &ItemArgs,
    edits: Vec<Edit>,
    change: &Change,
    session: &Session,
) -> Outcome {
    let write = async |id: &WorkId, request: &Request| {
        let update = session.modify()?.edit(id, edits.clone(), request).await?;
        Ok(Changed::new(said, update))
    };
    each(items, change, session, write).await
}

/// Calls `write` for each of the items, once for one that is named twice. A word that is no id ends
/// the command before anything is written.
pub(super) async fn each<A: OfItem + 'static>(
    items: &ItemArgs,
    change: &Change,
    session: &Session,
    write: impl AsyncFn(&WorkId, &Request) -> Result<A, Failure>,
) -> Outcome {
    let ids = items.ids(session)?;
    let request = change.request_of_new(session)?;
    let request_for = |id: &WorkId| change.about(id, &request, session);
    if let [id] = ids.as_slice() {
        return Ok(Box::new(write(id, &request_for(id)?).await?));
    }
    refuse_what_one_item_has(change, session)?;
    // What keeps all of them from being tried is no result of one.
    session.ports()?;
    let mut seen = HashSet::new();
    let mut results = Vec::new();
    for id in ids.into_iter().filter(|id| seen.insert(id.clone())) {
        let result = write(&id, &request_for(&id)?).await;
        results.push((id, result));
    }
    Ok(Box::new(Several(results)))
}

fn refuse_what_one_item_has(change: &Change, session: &Session) -> Result<(), Failure> {
    let refused = |option| {
        let message = format!("{option} belongs to one item, and several are named");
        Err(Failure::new(Code::Usage, message).hint("run the command for each item"))
    };
    match (change.if_version, session.global.fence) {
        (Some(_), _) => refused("--if-version"),
        (None, Some(_)) => refused("--fence"),
        (None, None) => Ok(()),
    }
}

struct Several<A>(Vec<(WorkId, Result<A, Failure>)>);

impl<A: OfItem> Several<A> {
    fn results(&self) -> Results<'_> {
        Results::new(self.0.iter().map(|(id, result)| (id, result.as_ref().map(OfItem::item))))
    }
}

impl<A: OfItem> Answer for Several<A> {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&self.results())
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        self.0.iter().try_for_each(|(_, result)| match result {
            Ok(answer) => answer.text(out, style),
            Err(failure) => writeln!(out, "failed: {}", line(&failure.message)),
        })
    }

    fn complaint(&self) -> Option<Failure> {
        let first = self.0.iter().find_map(|(_, result)| result.as_ref().err())?;
        Some(self.results().summary.complaint(first))
    }
}
