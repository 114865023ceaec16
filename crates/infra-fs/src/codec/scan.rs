//! Goes over JSON without reading its values: brackets, keys and numbers, each where it stands. It
//! takes the text for valid; over any other it comes to the end too.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in the text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// An object or a list begins.
    Open,
    /// The one that began last ends.
    Close,
    /// The key of what follows, with its quotes, and where it begins.
    Key { quoted: &'a [u8], at: usize },
    /// A number that stands there.
    Number(Range<usize>),
}

/// A text and how far it has been looked at.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scan<'a> {
    pub(super) fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Steps over a string.
    fn string(&mut self) -> &'a [u8] {
        let start = self.at;
        self.at += 1;
        while self.text.get(self.at).is_some_and(|byte| *byte != b'"') {
            self.at += if self.text[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at = (self.at + 1).min(self.text.len());
        &self.text[start..self.at]
    }

    /// Steps over a number.
    fn number(&mut self) -> Range<usize> {
        let rest = &self.text[self.at..];
        let in_number = |b: &u8| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
        let length = rest.iter().position(|b| !in_number(b)).unwrap_or(rest.len());
        self.at += length;
        self.at - length..self.at
    }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        while let Some(byte) = self.text.get(self.at) {
            let at = self.at;
            match byte {
                b'"' => {
                    let quoted = self.string();
                    let mut rest = self.text[self.at..].iter();
                    if rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b':') {
                        return Some(Token::Key { quoted, at });
                    }
                    continue;
                }
                b'-' | b'0'..=b'9' => return Some(Token::Number(self.number())),
                _ => self.at += 1,
            }
            match byte {
                b'{' | b'[' => return Some(Token::Open),
                b'}' | b']' => return Some(Token::Close),
                _ => {}
            }
        }
        None
    }
}

/// What a key with quotes says.
pub(super) fn key_text(quoted: &[u8]) -> Cow<'_, [u8]> {
    let spelt = quoted.contains(&b'\\').then(|| serde_json::from_slice::<String>(quoted).ok());
    match spelt.flatten() {
        Some(key) => Cow::Owned(key.into_bytes()),
        None => Cow::Borrowed(quoted.get(1..quoted.len() - 1).unwrap_or_default()),
    }
}
