//! `export`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use clap_complete::ArgValueCandidates;
use jerry_application::{Export, ExportFormat};
use jerry_infra_fs::publish_outside;
use serde_json::json;

use super::Outcome;
use crate::complete;
use crate::composition::unpublished;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Document, Json, Style, count, count_of, line};
use crate::session::Session;

/// What `export` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The items; all of them where none is named
    #[arg(value_name = "ID", add = ArgValueCandidates::new(complete::ids))]
    ids: Vec<String>,
    /// The shape; only `jsonl` keeps everything and can be imported again without loss
    #[arg(long, short = 'f', value_enum, default_value_t)]
    format: Format,
    /// The file to write, or, for several Markdown documents, the folder; else standard output
    #[arg(long, short = 'o', value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Format {
    #[default]
    Jsonl,
    Json,
    Md,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let format = match self.format {
            Format::Jsonl => ExportFormat::Jsonl,
            Format::Json => ExportFormat::Json,
            Format::Md => ExportFormat::Markdown,
        };
        let ids = self.ids.iter().map(|id| session.id(id)).collect::<Result<Vec<_>, _>>()?;
        let ids = (!ids.is_empty()).then_some(ids.as_slice());
        let mut files = Export::new(session.ports()?).export(ids, format).await?;
        match self.output {
            Some(folder) if self.format == Format::Md && self.ids.len() != 1 => {
                Ok(Box::new(Exported(write_all(&folder, files)?)))
            }
            Some(path) => {
                let text = files.pop().map(|(_, text)| text).unwrap_or_default();
                write(&path, &text)?;
                Ok(Box::new(Exported(vec![path])))
            }
            None if files.len() > 1 => {
                Err(Failure::new(Code::Usage, "several documents do not go into one output")
                    .hint("name a folder with --output"))
            }
            None => {
                let text = files.pop().map(|(_, text)| text).unwrap_or_default();
                Ok(Box::new(match self.format {
                    Format::Jsonl | Format::Json => Document::json(&text),
                    Format::Md => Document::written(&text),
                }))
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "the folder of an export is no part of a store")]
fn write_all(folder: &Path, files: Vec<(String, String)>) -> Result<Vec<PathBuf>, Failure> {
    fs::create_dir_all(folder)
        .map_err(|error| Failure::io(format_args!("cannot make {}", folder.display()), &error))?;
    let mut written = Vec::with_capacity(files.len());
    for (name, text) in files {
        let path = folder.join(name);
        write(&path, &text).map_err(|failure| match written.len() {
            0 => failure,
            some => failure.after(&format!("{} written", count_of(some, "file was", "files were"))),
        })?;
        written.push(path);
    }
    Ok(written)
}

/// A crash leaves the file of the previous export or this one's. A pipe or a device is written to
/// as it is, and so is what a link points to, which would otherwise be taken for the file.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    match fs::symlink_metadata(path) {
        Ok(there) if !there.is_file() => write_into(path, text),
        // Whatever else is wrong with it, publishing says so.
        Ok(_) | Err(_) => publish_outside(path, text.as_bytes()).map_err(unpublished),
    }
}

fn write_into(path: &Path, text: &str) -> Result<(), Failure> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        match file.metadata()?.is_file() {
            true => file.sync_all(),
            false => Ok(()),
        }
    });
    written.map_err(|error| Failure::io(format_args!("cannot write {}", path.display()), &error))
}

struct Exported(Vec<PathBuf>);

impl Answer for Exported {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let files: Vec<_> = self.0.iter().map(|path| path.display().to_string()).collect();
        json.answer("export", &json!({ "files": files }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        match self.0.as_slice() {
            [path] => writeln!(out, "wrote {}", line(&path.display().to_string())),
            files => writeln!(out, "wrote {}", count(files.len(), "file")),
        }
    }
}
