//! Numbers keep the spelling in which they came.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::ops::Range;

use super::scan::{Scan, Token, key_text};

/// Gives numbers in `new` the spelling that they have in `old`, which in `new` stands within the
/// fields `within`.
///
/// serde_json keeps every digit but writes an exponent as `e+400` whatever it read; a number that
/// a person or another program wrote as `1E400` shall come back as that. A number is known again
/// by the keys that lead to it, and by its order among those with the same keys: fields may have
/// changed places.
pub(crate) fn respell(old: &[u8], new: Vec<u8>, within: &[&str]) -> Vec<u8> {
    let mut spellings: HashMap<(Keys<'_>, Vec<u8>), VecDeque<&[u8]>> = HashMap::new();
    let mut numbers = Numbers::of(old);
    while let Some(number) = numbers.next() {
        let lexeme = &old[number];
        let within = within.iter().map(|key| Cow::Borrowed(key.as_bytes()));
        if let Some(spelt) = respelt(lexeme) {
            let keys = within.chain(numbers.keys()).collect();
            spellings.entry((keys, spelt)).or_default().push_back(lexeme);
        }
    }
    if spellings.is_empty() {
        return new;
    }
    let mut text = Vec::with_capacity(new.len());
    let mut copied = 0;
    let mut numbers = Numbers::of(&new);
    while let Some(number) = numbers.next() {
        let spelt = &new[number.clone()];
        if respelt(spelt).is_none() {
            continue;
        }
        let place = (numbers.keys().collect(), spelt.to_vec());
        if let Some(spelling) = spellings.get_mut(&place).and_then(VecDeque::pop_front) {
            text.extend_from_slice(&new[copied..number.start]);
            text.extend_from_slice(spelling);
            copied = number.end;
        }
    }
    text.extend_from_slice(&new[copied..]);
    text
}

/// How serde_json writes a number with an exponent; `None` for one without.
fn respelt(lexeme: &[u8]) -> Option<Vec<u8>> {
    let place = lexeme.iter().position(|b| matches!(b, b'e' | b'E'))?;
    let (mantissa, exponent) = (&lexeme[..place], &lexeme[place + 1..]);
    let sign: &[u8] = if matches!(exponent.first(), Some(b'+' | b'-')) { b"" } else { b"+" };
    Some([mantissa, b"e", sign, exponent].concat())
}

/// The keys that lead to a value.
type Keys<'a> = Vec<Cow<'a, [u8]>>;

/// The numbers of valid JSON.
struct Numbers<'a> {
    scan: Scan<'a>,
    /// For each open bracket the key that was read last, with its quotes; none in a list.
    open: Vec<&'a [u8]>,
}

impl<'a> Numbers<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self { scan: Scan::new(text), open: Vec::new() }
    }

    /// Where the next number stands.
    fn next(&mut self) -> Option<Range<usize>> {
        loop {
            match self.scan.next()? {
                Token::Open => self.open.push(b""),
                Token::Close => drop(self.open.pop()),
                Token::Key { quoted, .. } => {
                    if let Some(key) = self.open.last_mut() {
                        *key = quoted;
                    }
                }
                Token::Number(range) => return Some(range),
            }
        }
    }

    /// The keys that lead to the number that was found last.
    fn keys(&self) -> impl Iterator<Item = Cow<'a, [u8]>> {
        self.open.iter().filter(|key| !key.is_empty()).map(|key| key_text(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spelling_stays_with_its_number_when_fields_change_places() {
        let old = br#"{"x":1E5,"l":[{"a":1e5},{"\u0061":1E+5}],"b":{"a":1e5}}"#;
        let new = br#"{"b":{"a":1e+5},"x":1e+5,"l":[{"a":1e+5},{"a":1e+5}]}"#.to_vec();
        let spelt = br#"{"b":{"a":1e5},"x":1E5,"l":[{"a":1e5},{"a":1E+5}]}"#;
        assert_eq!(respell(old, new, &[]), spelt);
        let under = br#"{"item":{"x":1e+5},"x":1e+5}"#.to_vec();
        assert_eq!(respell(old, under, &["item"]), br#"{"item":{"x":1E5},"x":1e+5}"#);
    }
}
