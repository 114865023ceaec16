//! `merge-driver`, which git calls.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;
use jerry_infra_fs::{DriverError, merge_files};
use serde_json::json;

use super::Outcome;
use crate::composition::unpublished;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style};

/// What `merge-driver` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The version that both came from; an empty file where there is none
    #[arg(value_name = "BASE", value_hint = clap::ValueHint::FilePath)]
    base: PathBuf,
    /// Our version, which becomes the result
    #[arg(value_name = "OURS", value_hint = clap::ValueHint::FilePath)]
    ours: PathBuf,
    /// Their version
    #[arg(value_name = "THEIRS", value_hint = clap::ValueHint::FilePath)]
    theirs: PathBuf,
    /// Where the file stands in the repository
    #[arg(value_name = "PATH")]
    path: String,
}

impl Arguments {
    pub(crate) fn run(self) -> Outcome {
        merge_files(&self.base, &self.ours, &self.theirs, &self.path).map_err(not_merged)?;
        Ok(Box::new(Merged { path: self.path }))
    }
}

/// git says what there is to say.
struct Merged {
    path: String,
}

impl Answer for Merged {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer("merged", &json!({ "path": self.path }))
    }

    fn text(&self, _: &mut dyn Write, _: Style) -> io::Result<()> {
        Ok(())
    }
}

fn not_merged(error: DriverError) -> Failure {
    const TAKE_ONE: &str =
        "nothing was changed; take one of the two versions whole and say again what the other said";
    match error {
        DriverError::Path { .. } => Failure::of(Code::Usage, &error),
        DriverError::Missing { .. } => Failure::of(Code::NotFound, &error),
        DriverError::Malformed(error) => Failure::from(error).hint(TAKE_ONE),
        DriverError::Storage(error) => error.into(),
        DriverError::Unmergeable { .. } => Failure::of(Code::Invalid, &error).hint(TAKE_ONE),
        DriverError::TooLarge { .. } => Failure::of(Code::TooLarge, &error).hint(TAKE_ONE),
        DriverError::Publish(error) => unpublished(error),
    }
}
