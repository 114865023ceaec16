//! What was not done, why, and what to do about it.

use std::error::Error as StdError;

use jerry_domain::WorkId;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{Answer, Code};

/// Why what was asked for was not done.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What went wrong, for programs.
    pub code: Code,
    /// What went wrong, for people, with every cause.
    pub message: String,
    /// What to do about it, where there is more to say than [`Code::hint`].
    pub hint: Option<String>,
    /// What the error is about: ids, versions, paths.
    pub context: Map<String, Value>,
}

impl Failure {
    /// A failure without hint and context.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, context: Map::new() }
    }

    /// A failure that says what `error` and its causes say.
    #[must_use]
    pub fn of(code: Code, error: &dyn StdError) -> Self {
        Self::new(code, chain(error))
    }

    /// A failure of the file system outside the store. `action` says what was tried.
    #[must_use]
    pub fn io(action: impl std::fmt::Display, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let (code, hint) = match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
                (Code::DiskFull, "free some space and run the command again")
            }
            ErrorKind::ReadOnlyFilesystem => (Code::ReadOnly, "make the file system writable"),
            ErrorKind::PermissionDenied => {
                (Code::PermissionDenied, "give this user the right to it, or work as its owner")
            }
            _ => (Code::Storage, "look at the device and the file system"),
        };
        Self::new(code, format!("{action}: {error}")).hint(hint)
    }

    /// Says what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        Self { hint: Some(hint.into()), ..self }
    }

    /// Adds to the context.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.context.insert(key.to_owned(), value.into());
        self
    }

    /// What to do about it: what the error says, or else what its code says.
    #[must_use]
    pub fn remedy(&self) -> &str {
        self.hint.as_deref().unwrap_or(self.code.hint())
    }

    /// The answer that tells it.
    #[must_use]
    pub fn answer(&self) -> Failed<'_> {
        Failed { error: self.body() }
    }

    /// What an answer says of it.
    #[must_use]
    pub fn body(&self) -> ErrorBody<'_> {
        ErrorBody {
            code: self.code.name(),
            message: &self.message,
            hint: self.remedy(),
            retryable: self.code.is_retryable(),
            retry_after_ms: self.code.retry_after_ms(),
            context: &self.context,
        }
    }

    /// Says that something was done before the command failed, and stands.
    #[must_use]
    pub fn after(self, done: &str) -> Self {
        let message = format!("{done}, but then: {}", self.message);
        Self { code: Code::Indeterminate, message, ..self }
            .hint("look at what is there before you run it again")
    }

    /// Names the item that it is about.
    #[must_use]
    pub fn about(self, id: &WorkId) -> Self {
        self.with("id", id.to_string())
    }
}

/// The answer of kind `error`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "error")]
pub struct Failed<'a> {
    /// What went wrong.
    pub error: ErrorBody<'a>,
}

impl Answer for Failed<'_> {
    const KIND: &'static str = "error";
}

/// What went wrong, and what to do about it.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "error_body")]
pub struct ErrorBody<'a> {
    /// What kind of error it is.
    pub code: &'static str,
    /// What went wrong, for people, with every cause.
    pub message: &'a str,
    /// What to do about it.
    pub hint: &'a str,
    /// Whether the same request, made again as it is, may succeed.
    pub retryable: bool,
    /// After how many milliseconds it may; `null` if it will not.
    pub retry_after_ms: Option<u64>,
    /// What the error is about: ids, versions, paths.
    pub context: &'a Map<String, Value>,
}

/// What `error` says, with every cause behind it.
#[must_use]
pub fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        next = cause.source();
    }
    text
}
