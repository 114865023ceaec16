//! Answers for programs: each is one line, in which nothing drives a terminal.

use std::io::{self, Write};

use jerry_contract::{Answer, Envelope};
use serde::Serialize;

use super::escape::SafeJson;
use crate::exit::Failure;

/// Takes one answer.
pub struct Json<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Json<'a> {
    pub(crate) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    /// Writes an answer that other adapters give too.
    pub(crate) fn say<T: Answer>(self, answer: &T) -> io::Result<()> {
        self.write(&Envelope::of(answer))
    }

    /// Writes one of several answers, each for whoever reads along.
    pub(crate) fn say_on<T: Answer>(&mut self, answer: &T) -> io::Result<()> {
        Json::new(self.out).say(answer)?;
        self.out.flush()
    }

    /// Writes the answer whose fields are those of `fields`.
    pub(crate) fn answer<T: Serialize>(self, kind: &str, fields: &T) -> io::Result<()> {
        self.write(&Envelope::new(kind, fields))
    }

    pub(crate) fn error(self, failure: &Failure) -> io::Result<()> {
        self.say(&failure.answer())
    }

    fn write(self, answer: &impl Serialize) -> io::Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(&mut *self.out, SafeJson);
        answer.serialize(&mut serializer)?;
        writeln!(self.out)
    }
}
