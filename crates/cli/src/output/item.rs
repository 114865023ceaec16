//! One item.

use std::io::{self, Write};

use jerry_contract::{OneItem, ShownItem, Whole};
use jerry_domain::ports::Update;
use jerry_domain::{Criterion, Link, Note, Progress, Subtask, Timestamp, WorkItem, to_the_second};

use super::{Answer, Json, Paint, Style, block, line, priority_paint, status_paint};

/// An item that was made or changed, and what to say about it.
pub(crate) struct Changed {
    item: WorkItem,
    said: String,
}

impl Changed {
    /// `verb` says in one word what happened to the item.
    pub(crate) fn new(verb: &str, update: Update) -> Self {
        match update {
            Update::Written(item) => {
                Self::said(format!("{verb} {}: {}", item.id, item.title), item)
            }
            Update::Unchanged(item) => {
                Self::said(format!("{} is as it was: {}", item.id, item.title), item)
            }
        }
    }

    pub(crate) fn item(&self) -> &WorkItem {
        &self.item
    }

    pub(crate) fn said(said: impl Into<String>, item: WorkItem) -> Self {
        Self { item, said: said.into() }
    }
}

impl Answer for Changed {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.say(&OneItem::from(&self.item))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        writeln!(out, "{}", line(&self.said))
    }
}

/// An item in full.
pub(crate) struct Shown {
    pub(crate) item: WorkItem,
    /// How far its parts are, where that is known.
    pub(crate) progress: Option<Progress>,
    /// What must be shown before it is completed.
    pub(crate) gates: Vec<String>,
}

impl Answer for Shown {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let gates = self.gates.clone();
        json.say(&ShownItem { item: Whole(&self.item), progress: self.progress, gates })
    }

    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()> {
        let mut page = Page { out, style };
        page.head(&self.item, self.progress, &self.gates)?;
        page.body(&self.item)?;
        self.item.displaced.iter().try_for_each(|younger| {
            writeln!(page.out, "\nAlso {}, until the next write gives it a number:\n", younger.id)?;
            page.head(younger, None, &[])?;
            page.body(younger)
        })
    }
}

struct Page<'a> {
    out: &'a mut dyn Write,
    style: Style,
}

impl Page<'_> {
    fn head(
        &mut self,
        item: &WorkItem,
        progress: Option<Progress>,
        gates: &[String],
    ) -> io::Result<()> {
        let style = self.style;
        let id = style.paint(Paint::Bold, &item.id.to_string());
        let title = style.paint(Paint::Bold, &line(item.title.as_str()));
        writeln!(self.out, "{id}  {title}")?;
        self.field("status", &style.paint(status_paint(item.status), item.status.as_str()))?;
        self.field(
            "priority",
            &style.paint(priority_paint(item.priority), item.priority.as_str()),
        )?;
        self.field("type", item.item_type.as_str())?;
        self.optional("parts done", progress)?;
        self.optional("phase", item.phase.as_ref())?;
        self.optional("assignee", item.assignee.as_ref())?;
        if let Some(claim) = &item.claim {
            match &claim.handed_over_by {
                None => self.field("claimed by", &line(&claim.to_string()))?,
                Some(by) => self.field("handed over", &line(&format!("to {claim}, by {by}")))?,
            }
        }
        if !item.labels.is_empty() {
            let labels: Vec<_> = item.labels.iter().map(|label| line(label.as_str())).collect();
            self.field("labels", &labels.join(", "))?;
        }
        self.optional("parent", item.parent.as_ref())?;
        if !item.depends_on.is_empty() {
            let needed: Vec<_> =
                item.depends_on.iter().map(|needed| needed.id.to_string()).collect();
            self.field("waits for", &needed.join(", "))?;
        }
        if !gates.is_empty() {
            self.field("gates", &line(&gates.join(", ")))?;
        }
        self.optional("elsewhere", item.external_ref.as_ref())?;
        self.moment("due", item.due_at)?;
        self.moment("created", Some(item.created_at))?;
        self.moment("started", item.started_at)?;
        self.moment("completed", item.completed_at)?;
        let updated = to_the_second(item.updated_at);
        self.field("updated", &format!("{updated} (version {})", item.version))
    }

    fn body(&mut self, item: &WorkItem) -> io::Result<()> {
        if let Some(description) = &item.description {
            self.heading("Description")?;
            self.indented(description)?;
        }
        self.section("Acceptance criteria", &item.acceptance_criteria, Self::criterion)?;
        self.section("Sub-tasks", &item.subtasks, Self::subtask)?;
        self.section("Links", &item.links, Self::link)?;
        self.section("Findings", &item.findings, |page, text| page.bullet(text))?;
        self.section("Artifacts", &item.artifacts, |page, artifact| {
            page.titled(&artifact.title, artifact.url.as_deref())
        })?;
        self.section("Sources", &item.sources, |page, source| {
            page.titled(&source.title, source.url.as_deref())
        })?;
        self.section("Notes", &item.notes, Self::note)
    }

    fn field(&mut self, name: &str, shown: &str) -> io::Result<()> {
        let name = self.style.paint(Paint::Dim, &format!("{name:>11}"));
        writeln!(self.out, "{name}  {shown}")
    }

    fn optional(&mut self, name: &str, value: Option<impl ToString>) -> io::Result<()> {
        value.map_or(Ok(()), |value| self.field(name, &line(&value.to_string())))
    }

    fn moment(&mut self, name: &str, at: Option<Timestamp>) -> io::Result<()> {
        self.optional(name, at.map(to_the_second))
    }

    fn heading(&mut self, name: &str) -> io::Result<()> {
        writeln!(self.out, "\n{}", self.style.paint(Paint::Bold, name))
    }

    fn section<T>(
        &mut self,
        name: &str,
        entries: &[T],
        show: impl Fn(&mut Self, &T) -> io::Result<()>,
    ) -> io::Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        self.heading(name)?;
        entries.iter().try_for_each(|entry| show(self, entry))
    }

    fn indented(&mut self, text: &str) -> io::Result<()> {
        block(text).lines().try_for_each(|row| match row {
            "" => writeln!(self.out),
            row => writeln!(self.out, "  {row}"),
        })
    }

    fn bullet(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "  - {}", line(text))
    }

    fn titled(&mut self, title: &str, url: Option<&str>) -> io::Result<()> {
        match url {
            Some(url) => self.bullet(&format!("{title} ({url})")),
            None => self.bullet(title),
        }
    }

    fn criterion(&mut self, criterion: &Criterion) -> io::Result<()> {
        self.check(criterion.id.as_str(), &criterion.text, criterion.done)?;
        criterion.evidence.iter().try_for_each(|evidence| {
            let source = evidence.source.as_ref().map(|source| format!(" ({source})"));
            let said = format!("{}{}", evidence.text, source.unwrap_or_default());
            writeln!(self.out, "      evidence: {}", line(&said))
        })
    }

    fn subtask(&mut self, subtask: &Subtask) -> io::Result<()> {
        self.check(subtask.id.as_str(), &subtask.text, subtask.done)
    }

    fn check(&mut self, id: &str, text: &str, done: bool) -> io::Result<()> {
        let mark = if done { "[x]" } else { "[ ]" };
        writeln!(self.out, "  {mark} {}  {}", line(id), line(text))
    }

    fn link(&mut self, link: &Link) -> io::Result<()> {
        let note = link.note.as_ref().map(|note| format!(": {note}"));
        self.bullet(&format!("{} {}{}", link.kind, link.target, note.unwrap_or_default()))
    }

    fn note(&mut self, note: &Note) -> io::Result<()> {
        let by = format!("{}  {}", to_the_second(note.at), line(note.actor.as_str()));
        writeln!(self.out, "  {}", self.style.paint(Paint::Dim, &by))?;
        self.indented(&note.text)
    }
}
