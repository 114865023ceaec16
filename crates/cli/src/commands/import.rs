//! `import`.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use jerry_application::{Import, ImportFormat, ImportReport, ImportSource, Rejection, Remark};
use jerry_domain::RequestId;

use super::Outcome;
use crate::args::Change;
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, count, count_of, remark, warn};
use crate::session::{Session, read_bytes};

/// From how many items on an import is long enough to be watched.
const LONG: usize = 2_000;

/// What `import` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    /// What the files hold
    #[arg(long, value_enum)]
    from: From,
    /// The files; - reads standard input
    #[arg(value_name = "FILE", required = true, value_hint = clap::ValueHint::FilePath)]
    files: Vec<PathBuf>,
    /// Say what would come in, and change nothing
    #[arg(long, short = 'n')]
    dry_run: bool,
    /// Why; goes into the items' history; - reads standard input
    #[arg(long, short = 'm', value_name = "TEXT")]
    reason: Option<String>,
    /// A name for this request; goes into the items' history
    #[arg(long, value_name = "NAME", hide_short_help = true, value_parser = RequestId::new)]
    request_id: Option<RequestId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum From {
    /// Issues of beads, one JSON object a line
    Beads,
    /// Work-item documents, one a file
    Md,
    /// What `jerry export` writes
    Jsonl,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> Outcome {
        let format = match self.from {
            From::Beads => ImportFormat::Beads,
            From::Md => ImportFormat::Markdown,
            From::Jsonl => ImportFormat::Jsonl,
        };
        let sources = self.files.iter().map(|file| source(file)).collect::<Result<Vec<_>, _>>()?;
        let change =
            Change { reason: self.reason, request_id: self.request_id, ..Change::default() };
        let request = change.request_of_new(session)?;
        let import = Import::new(session.ports()?, session.settings()?.prefix()?);

        let mut bar = None;
        let mut progress = |done: usize, total: usize| {
            if total < LONG || !io::stderr().is_terminal() {
                return;
            }
            bar.get_or_insert_with(|| new_bar(total)).set_position(done as u64);
        };
        let report =
            import.import(format, &sources, self.dry_run, &request, Some(&mut progress)).await;
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        Ok(Box::new(Imported(report?)))
    }
}

fn source(path: &Path) -> Result<ImportSource, Failure> {
    Ok(ImportSource { name: path.display().to_string(), bytes: read_bytes(path)? })
}

fn new_bar(total: usize) -> ProgressBar {
    let bar = ProgressBar::new(total as u64);
    match ProgressStyle::with_template("importing {bar:40} {pos}/{len} items, {eta} left") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

struct Imported(ImportReport);

impl Answer for Imported {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer("import", &self.0)
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let report = &self.0;
        let said = if report.dry_run { "would import" } else { "imported" };
        writeln!(
            out,
            "{said} {} with {}, {}, {} and {}",
            count(report.imported, "item"),
            count_of(report.dependencies, "dependency", "dependencies"),
            count(report.parents, "parent"),
            count(report.links, "link"),
            count(report.notes, "note"),
        )?;
        let others = [
            ("there already, left as they are", report.skipped_existing),
            ("deleted, and stay so", report.skipped_tombstones),
            ("dependencies of older items that found their item", report.resolved),
            ("renumbered, because their number was taken", report.renumbered.len()),
        ];
        for (what, count) in others.into_iter().filter(|(_, count)| *count > 0) {
            writeln!(out, "{what}: {count}")?;
        }
        if report.changed_nothing() && !report.dry_run {
            writeln!(out, "nothing was changed")?;
        }
        Ok(())
    }

    fn remarks(&self, _: Style) {
        for Remark { file, line, message } in &self.0.warnings {
            let line = line.map(|line| format!("{line}:")).unwrap_or_default();
            let place = file.as_ref().map(|file| format!("{file}:{line} "));
            warn(&format!("{}{message}", place.unwrap_or_default()));
        }
        for Rejection { file, line, reason } in &self.0.rejected {
            remark(&format!("rejected: {file}:{line}: {reason}"));
        }
    }

    fn complaint(&self) -> Option<Failure> {
        let rejected = self.0.rejected.len();
        (rejected > 0).then(|| {
            Failure::new(Code::Invalid, format!("not imported: {rejected}"))
                .hint("put the input right and import it again; what is in stays as it is")
        })
    }
}
