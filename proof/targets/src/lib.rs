//! What jerry reads, as functions that any bytes can be given to: a fuzzer's, or those of a
//! bounded run that needs none.
//!
//! Whatever the bytes are, nothing may panic. What can be read must come back: written again and
//! read again it is the same, and each target adds what must not get lost on the way.

mod config;
mod faults;
mod files;
mod id;
mod import;
mod item;
mod json;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use faults::{FAULTS, Fault, Seen};

/// From a text to the text that jerry writes for it; `None` for what it refuses.
pub type Rewrite<'a> = &'a dyn Fn(&[u8]) -> Option<Vec<u8>>;

/// One kind of text that jerry reads.
pub struct Target {
    /// Its name, and that of the folder of its corpus.
    pub name: &'static str,
    /// What texts of this kind are made of.
    pub words: &'static [&'static str],
    rewrite: fn(&[u8]) -> Option<Vec<u8>>,
    /// What reads the text that `rewrite` wrote, and writes it once more.
    again: fn(&[u8]) -> Option<Vec<u8>>,
    /// What must hold beyond that, of a text and what was written for it.
    laws: fn(&[u8], &[u8]) -> Result<(), String>,
}

/// Every target.
pub static TARGETS: [Target; 10] = [
    item::TARGET,
    files::INDEX,
    files::SEQUENCES,
    files::SLOT,
    files::OWNER,
    id::TARGET,
    config::TARGET,
    import::BEADS,
    import::JSONL,
    import::MARKDOWN,
];

impl Target {
    /// The target called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TARGETS.iter().find(|target| target.name == name)
    }

    /// What jerry writes for `bytes`; `None` when it refuses them.
    #[must_use]
    pub fn rewritten(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        (self.rewrite)(bytes)
    }

    /// Gives it `bytes`, and answers whether they could be read.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check(&self, bytes: &[u8]) -> Result<bool, String> {
        self.check_with(bytes, &|bytes| (self.rewrite)(bytes))
    }

    /// As [`Target::check_with`], where a panic is a law that does not hold.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_calmly(&self, bytes: &[u8], rewrite: Option<Rewrite<'_>>) -> Result<bool, String> {
        let own: Rewrite<'_> = &|bytes| (self.rewrite)(bytes);
        let checked = AssertUnwindSafe(|| self.check_with(bytes, rewrite.unwrap_or(own)));
        catch_unwind(checked).unwrap_or_else(|panic| {
            let text = panic.downcast_ref::<String>().cloned();
            let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()));
            Err(format!("panicked: {}", text.unwrap_or_default()))
        })
    }

    /// As [`Target::check`], with another reader and writer in place of jerry's.
    ///
    /// # Errors
    /// What does not hold.
    pub fn check_with(&self, bytes: &[u8], rewrite: Rewrite<'_>) -> Result<bool, String> {
        let Some(once) = rewrite(bytes) else { return Ok(false) };
        match (self.again)(&once) {
            Some(twice) if twice == once => {}
            Some(twice) => return Err(difference("written again it differs", &once, &twice)),
            None => {
                let once = String::from_utf8_lossy(&once);
                return Err(format!("what was written cannot be read: {once}"));
            }
        }
        (self.laws)(bytes, &once)?;
        Ok(true)
    }
}

/// For a fuzzer: gives `bytes` to the target called `name`.
///
/// # Panics
/// When something does not hold.
pub fn hold(name: &str, bytes: &[u8]) {
    let Some(target) = Target::named(name) else { panic!("there is no target {name}") };
    if let Err(what) = target.check(bytes) {
        panic!("{name}: {what}");
    }
}

/// Says where two texts part.
fn difference(what: &str, one: &[u8], other: &[u8]) -> String {
    let same = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let from = same.saturating_sub(40);
    let part = |text: &[u8]| {
        let part = &text[from.min(text.len())..(same + 80).min(text.len())];
        String::from_utf8_lossy(part).into_owned()
    };
    format!("{what}, from byte {same}:\n{}\n{}", part(one), part(other))
}

/// Refuses a law that does not hold.
fn must(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
