//! How results are shown: text for people, JSON for programs.

mod diff;
mod escape;
mod history;
mod item;
mod json;
mod list;
mod picked;
mod standing;
mod style;
mod table;

use std::io::{self, Write};

pub(crate) use diff::Compared;
pub(crate) use escape::{block, line};
pub(crate) use history::Told;
pub(crate) use item::{Changed, Shown};
pub(crate) use json::Json;
pub(crate) use list::{Listing, report_unreadable, who_has};
pub(crate) use picked::Picked;
pub(crate) use standing::{reasons, said, way_point};
pub use style::Style;
pub(crate) use style::{Paint, priority_paint, status_paint};
pub(crate) use table::{Cell, write as write_table};

use crate::exit::Failure;

/// What a command has to say when it did what was asked.
pub trait Answer {
    /// Says it to a program: one call of `Json::answer`.
    ///
    /// # Errors
    /// When it cannot be written.
    fn json(&self, json: Json<'_>) -> io::Result<()>;

    /// Says it to a person.
    ///
    /// # Errors
    /// When it cannot be written.
    fn text(&self, out: &mut dyn Write, style: Style) -> io::Result<()>;

    /// Says on standard error what a person should know beside the text.
    fn remarks(&self, _style: Style) {}

    /// What is wrong although the command did what was asked; it decides the exit status.
    fn complaint(&self) -> Option<Failure> {
        None
    }
}

/// A finished text.
pub(crate) struct Document {
    pub(crate) kind: &'static str,
    pub(crate) text: String,
}

impl Document {
    /// A text that people wrote parts of. On standard output nothing in it drives a terminal.
    pub(crate) fn written(text: &str) -> Self {
        Self { kind: "document", text: block(text).into_owned() }
    }

    /// JSON, which can say everything without driving a terminal.
    pub(crate) fn json(text: &str) -> Self {
        Self { kind: "document", text: escape::json(text).into_owned() }
    }
}

impl Answer for Document {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer(self.kind, &serde_json::json!({ "text": self.text }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        out.write_all(self.text.as_bytes())
    }
}

/// `1 item`, `2 items`.
pub(crate) fn count(number: usize, thing: &str) -> String {
    count_of(number, thing, &format!("{thing}s"))
}

/// `1 dependency`, `2 dependencies`.
pub(crate) fn count_of(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Says something on standard error. Where even that fails there is nobody left to tell.
pub(crate) fn warn(message: &str) {
    let _ = writeln!(io::stderr().lock(), "warning: {}", line(message));
}

/// Says something on standard error that is no warning.
pub(crate) fn remark(message: &str) {
    let _ = writeln!(io::stderr().lock(), "{}", line(message));
}

/// Says why the command did not do what was asked.
pub(crate) fn complain(failure: &Failure) {
    let mut text = format!("error: {}\n", block(&failure.message));
    // What a code says in general, a person sees in the message.
    if let Some(hint) = &failure.hint {
        text.push_str(&format!("hint: {}\n", block(hint)));
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}
