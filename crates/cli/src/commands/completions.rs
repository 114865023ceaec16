//! `completions`.

use clap::{Args, ValueEnum};
use clap_complete::env::{Bash, EnvCompleter, Fish, Zsh};

use super::Outcome;
use crate::complete;
use crate::exit::Failure;
use crate::output::Document;

/// What `completions` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The shell whose start-up file is to evaluate what this prints
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Shell {
    /// source <(jerry completions bash)
    Bash,
    /// source <(jerry completions zsh)
    Zsh,
    /// jerry completions fish | source
    Fish,
}

impl Arguments {
    pub(crate) fn run(self) -> Outcome {
        let shell: &dyn EnvCompleter = match self.shell {
            Shell::Bash => &Bash,
            Shell::Zsh => &Zsh,
            Shell::Fish => &Fish,
        };
        let mut script = Vec::new();
        shell
            .write_registration(complete::VARIABLE, "jerry", "jerry", "jerry", &mut script)
            .map_err(|error| Failure::io("cannot write the script", &error))?;
        let text = String::from_utf8_lossy(&script).into_owned();
        Ok(Box::new(Document { kind: "script", text }))
    }
}
