//! What was asked for and what was answered, kept outside the store.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use jerry_domain::{Uid, WorkId};
use serde::{Deserialize, Serialize};

/// How many items each plan makes.
pub(super) const PLANNED: usize = 3;

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Deed {
    /// New items; their titles begin with the request's name.
    Create,
    /// A note, which is the request's name.
    Note,
    /// Another change of one item.
    Change,
    /// A change of one item, made only if it has a version.
    ChangeIf,
    /// A claim of one item, or of any that is ready.
    Claim,
    /// A command is run on one item, or on any that is ready.
    Work,
    /// A plan of [`PLANNED`] new items, whose titles begin with the request's name, and a change of
    /// one that is there.
    Plan,
    Delete,
    /// Uids and numbers, for no item.
    Draw,
    /// Nothing is to change.
    Look,
}

/// One request, written down before it is made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Intent {
    /// Its name, used once. It stands in the item's history, or in the title of a new item. The end
    /// of work has a name of its own, made of it.
    pub(super) request: String,
    pub(super) deed: Deed,
    /// On which item; a new one has no id yet.
    pub(super) item: Option<WorkId>,
    /// The claim under which it is made, if one is shown.
    pub(super) fence: Option<u64>,
    /// Also if another has claimed the item.
    pub(super) force: bool,
}

impl Intent {
    /// As somebody who shows nothing and does not insist.
    pub(super) fn new(request: String, deed: Deed, item: Option<WorkId>) -> Self {
        Self { request, deed, item, fence: None, force: false }
    }

    /// The name under which work ends.
    pub(super) fn end(&self) -> String {
        format!("{}{END}", self.request)
    }

    /// Who asks. Each has a session of this name.
    pub(super) fn asker(&self) -> &str {
        self.request.rsplit_once('-').map_or("", |(name, _)| name)
    }
}

/// What the name of the end of work has after that of its request.
const END: &str = " (end)";

/// The name of a request, and whether `written` is that of its end.
pub(super) fn request_of(written: &str) -> (&str, bool) {
    written.strip_suffix(END).map_or((written, false), |request| (request, true))
}

/// How a request ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Answer {
    /// These writes were acknowledged.
    Wrote(Vec<Written>),
    /// This was deleted.
    Deleted(Written),
    /// These are for nobody else.
    Drew { uids: Vec<Uid>, numbers: Vec<WorkId> },
    /// Nothing was to change, or nothing changed.
    Looked,
    /// It was refused and nothing was written. Where the reason is that an item was deleted, this
    /// is that item.
    Refused(Option<WorkId>),
    /// Nobody answered any more: it was done or not.
    Silence,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Written {
    pub(super) id: WorkId,
    /// What an import does not say.
    pub(super) uid: Option<Uid>,
    pub(super) version: u64,
}

impl Written {
    /// Whether it made the item.
    pub(super) fn is_new(&self) -> bool {
        self.version == 1
    }
}

/// A request with its end.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) intent: Intent,
    pub(super) answer: Answer,
}

/// The ledger of one who asks. What it says is also in a file, line by line as it comes, for a
/// person who has to find out how something came about.
pub(super) struct Ledger {
    file: File,
    open: Option<Intent>,
    pub(super) entries: Vec<Entry>,
}

impl Ledger {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::create_new(path)?, open: None, entries: Vec::new() })
    }

    /// To be called before the request is made.
    pub(super) fn begin(&mut self, intent: Intent) -> io::Result<()> {
        self.end(Answer::Silence)?;
        self.write(&intent)?;
        self.open = Some(intent);
        Ok(())
    }

    /// Ends the request that began last, if it has not ended.
    pub(super) fn end(&mut self, answer: Answer) -> io::Result<()> {
        let Some(intent) = self.open.take() else { return Ok(()) };
        self.write(&answer)?;
        self.entries.push(Entry { intent, answer });
        Ok(())
    }

    fn write(&mut self, line: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(line)?;
        text.push(b'\n');
        self.file.write_all(&text)
    }
}
