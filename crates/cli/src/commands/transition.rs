//! `start`, `block`, `cancel`, `reopen`: moves of the status machine that ask nothing else.

use clap::Args;
use jerry_domain::{Edit, Transition};

use super::{Outcome, many};
use crate::args::{Change, ItemArgs};
use crate::session::Session;

macro_rules! transitions {
    ($($(#[$doc:meta])* $name:ident => $said:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Args)]
        pub struct $name {
            #[command(flatten)]
            items: ItemArgs,
            #[command(flatten)]
            change: Change,
        }

        impl $name {
            pub(crate) async fn run(self, session: &Session) -> Outcome {
                let edits = vec![Edit::Move(Transition::$name)];
                many::edit($said, &self.items, edits, &self.change, session).await
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
