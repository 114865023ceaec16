//! Keys by which a text could be read in two ways.

use std::borrow::Cow;

use super::scan::{Scan, Token, key_text};

/// How the keys begin by which serde_json tells itself of numbers. In a file they would be taken
/// for numbers and rewritten as such.
const PRIVATE_KEYS: &str = "$serde_json::private::";

/// What is wrong with a key, and where it begins.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) reason: String,
}

/// Refuses one key twice in an object, and keys that are reserved.
pub(super) fn check(text: &[u8]) -> Result<(), Fault> {
    // The keys of all objects that are open, and how many belong to those around each.
    let mut keys: Vec<(Cow<'_, [u8]>, usize)> = Vec::new();
    let mut open = Vec::new();
    for token in Scan::new(text) {
        match token {
            Token::Open => open.push(keys.len()),
            Token::Key { quoted, at } => {
                let key = key_text(quoted);
                if key.starts_with(PRIVATE_KEYS.as_bytes()) {
                    let reason = format!("a key starts with {PRIVATE_KEYS}, which is reserved");
                    return Err(Fault { at, reason });
                }
                keys.push((key, at));
            }
            Token::Close => {
                let around = open.pop().unwrap_or(0);
                unique(&mut keys[around..])?;
                keys.truncate(around);
            }
            Token::Number(_) => {}
        }
    }
    Ok(())
}

fn unique(keys: &mut [(Cow<'_, [u8]>, usize)]) -> Result<(), Fault> {
    // Most differ in length already.
    keys.sort_unstable_by(|one, other| {
        one.0.len().cmp(&other.0.len()).then_with(|| one.cmp(other))
    });
    match keys.windows(2).find(|two| two[0].0 == two[1].0) {
        None => Ok(()),
        Some(two) => {
            let (key, at) = &two[1];
            let reason = format!("the key {:?} occurs twice", String::from_utf8_lossy(key));
            Err(Fault { at: *at, reason })
        }
    }
}
