//! What the place that text goes to can show.

use std::io::IsTerminal;

use jerry_domain::{Priority, Status};

/// How text is to be written: for a terminal or for a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Whether a person watches: tables and headings instead of bare lines.
    pub terminal: bool,
    /// Whether to colour.
    pub colour: bool,
    /// Columns, where there is a terminal.
    pub width: usize,
}

/// A rendition of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paint {
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Cyan,
}

impl Style {
    /// For a program: bare lines, no colour.
    pub const PLAIN: Self = Self { terminal: false, colour: false, width: 80 };

    /// What standard output is. `NO_COLOR` with any value turns colour off.
    #[must_use]
    pub fn of_stdout(no_color: bool) -> Self {
        if !std::io::stdout().is_terminal() {
            return Self::PLAIN;
        }
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        Self { terminal: true, colour: !no_color, width }
    }

    /// `text` painted, where there is colour.
    pub(crate) fn paint(self, paint: Paint, text: &str) -> String {
        let code = match paint {
            Paint::Plain => return text.to_owned(),
            _ if !self.colour => return text.to_owned(),
            Paint::Bold => "1",
            Paint::Dim => "2",
            Paint::Red => "31",
            Paint::Green => "32",
            Paint::Yellow => "33",
            Paint::Cyan => "36",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }
}

pub(crate) fn status_paint(status: Status) -> Paint {
    match status {
        Status::Pending => Paint::Plain,
        Status::InProgress => Paint::Cyan,
        Status::Blocked => Paint::Yellow,
        Status::Completed => Paint::Green,
        Status::Cancelled => Paint::Dim,
    }
}

pub(crate) fn priority_paint(priority: Priority) -> Paint {
    match priority {
        Priority::Critical => Paint::Red,
        Priority::High => Paint::Yellow,
        Priority::Medium => Paint::Plain,
        Priority::Low => Paint::Dim,
    }
}
