//! `mcp`.

use std::io::{self, Write};
use std::sync::Arc;

use clap::Args;
use jerry_mcp::Desk;

use super::Outcome;
use crate::exit::{Code, Failure};
use crate::named_file::named_from_the_root;
use crate::output::{Answer, Json, Style};
use crate::session::{Session, own_name};

/// What `mcp` takes.
#[derive(Debug, Args)]
pub struct Arguments {}

impl Arguments {
    /// Returns when the client has gone.
    pub(crate) fn run(self, session: &Session) -> Outcome {
        let store = session.place()?.root.clone();
        let desk = Desk {
            find_file: Arc::new(move |path| named_from_the_root(&store, path)),
            ports: session.ports()?,
            watch: session.store()?.watch.clone(),
            prefix: session.settings()?.prefix()?,
            lease: session.lease()?,
            actor: session.actor()?,
            session: session.credentials(None)?.session.map_or_else(|| own_name("mcp"), Ok)?,
        };
        jerry_mcp::serve(desk).map_err(|error| Failure::of(Code::Internal, &error))?;
        Ok(Box::new(Served))
    }
}

/// All there was to say has been said in the protocol.
struct Served;

impl Answer for Served {
    fn json(&self, _: Json<'_>) -> io::Result<()> {
        Ok(())
    }

    fn text(&self, _: &mut dyn Write, _: Style) -> io::Result<()> {
        Ok(())
    }
}
