//! What the SDK has to say, on standard error, one line each: warnings and errors. A whole logging
//! framework would be more than these few lines.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

/// Sends what is said from now on to standard error. Where something takes it already, it stays so.
pub(crate) fn to_stderr() {
    let _ = tracing::subscriber::set_global_default(ToStderr);
}

struct ToStderr;

impl Subscriber for ToStderr {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && *metadata.level() <= Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        let mut told = Told(false);
        event.record(&mut told);
        if told.0 {
            return;
        }
        let mut line = Line(format!("{}:", event.metadata().level().as_str().to_lowercase()));
        event.record(&mut line);
        // Where even that fails there is nobody left to tell.
        let _ = writeln!(std::io::stderr().lock(), "{}", line.0);
    }

    // Spans are not enabled.
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

/// Whether it is about an answer that the client has been given: a refusal is no fault of the server.
struct Told(bool);

impl Visit for Told {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0 |= field.name() == "message" && format!("{value:?}") == "response error";
    }
}

/// One line: nothing in it drives a terminal, whatever the client sent.
struct Line(String);

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let said = format!("{value:?}");
        let said: String = said.chars().flat_map(safe).collect();
        // Writing into a string does not fail.
        let _ = match field.name() {
            "message" => write!(self.0, " {said}"),
            name => write!(self.0, " {name}={said}"),
        };
    }
}

fn safe(c: char) -> Box<dyn Iterator<Item = char>> {
    if c.is_control() { Box::new(c.escape_unicode()) } else { Box::new(std::iter::once(c)) }
}
