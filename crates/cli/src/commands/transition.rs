//! `start`, `block`, `cancel`, `reopen`: moves of the status machine that ask nothing else.

use clap::Args;
use jerry_domain::{Edit, Transition};

use super::Outcome;
use crate::args::{Change, ItemArg};
use crate::output::Changed;
use crate::session::Session;

macro_rules! transitions {
    ($($(#[$doc:meta])* $name:ident => $said:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Args)]
        pub struct $name {
            #[command(flatten)]
            item: ItemArg,
            #[command(flatten)]
            change: Change,
        }

        impl $name {
            pub(crate) async fn run(self, session: &Session) -> Outcome {
                run(session, Transition::$name, $said, &self.item, &self.change).await
            }
        }
    )*};
}

transitions! {
    /// What `start` takes.
    Start => "started";
    /// What `block` takes.
    Block => "blocked";
    /// What `cancel` takes.
    Cancel => "cancelled";
    /// What `reopen` takes.
    Reopen => "reopened";
}

async fn run(
    session: &Session,
    transition: Transition,
    said: &str,
    item: &ItemArg,
    change: &Change,
) -> Outcome {
    let id = item.id(session)?;
    let edits = vec![Edit::Move(transition)];
    let update = session.modify()?.edit(&id, edits, &change.request(session, &id)?).await?;
    Ok(Box::new(Changed::new(said, update)))
}
