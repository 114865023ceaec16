//! `man`.

use clap::{Args, CommandFactory};

use super::Outcome;
use crate::args::Cli;
use crate::exit::{Code, Failure};
use crate::output::Document;

/// What `man` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The command, `dep add` for example; none for jerry itself
    #[arg(value_name = "COMMAND")]
    path: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(self) -> Outcome {
        let mut root = Cli::command();
        root.build();
        let mut command = &root;
        for name in &self.path {
            command = command.find_subcommand(name).ok_or_else(|| {
                Failure::new(Code::Usage, format!("there is no command '{}'", self.path.join(" ")))
            })?;
        }
        let mut page = Vec::new();
        clap_mangen::Man::new(command.clone().mut_args(in_full))
            .render(&mut page)
            .map_err(|error| Failure::io("cannot write the page", &error))?;
        let text = String::from_utf8_lossy(&page).into_owned();
        Ok(Box::new(Document { kind: "man", text }))
    }
}

/// A manual page has no short form that would leave an option's help out.
fn in_full(option: clap::Arg) -> clap::Arg {
    option.hide_short_help(false)
}
