//! JSON as the store keeps it: indent 2, a trailing newline, non-ASCII as it is; and read with
//! more suspicion than usual, because people, editors and merges write these files too.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::ops::Range;

use jerry_domain::ports::Malformed;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor,
};
use serde::{Deserialize, Deserializer, Serialize};

/// The text of `value` for its file.
pub(crate) fn encode(value: &impl Serialize) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    Ok(text)
}

/// Reads `bytes` as JSON and refuses what could be read in two ways: a byte order mark, one key
/// twice in an object.
///
/// `path` is for the message.
pub(crate) fn decode<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> Result<T, Malformed> {
    let malformed = |error: serde_json::Error| {
        let text = error.to_string();
        // serde_json puts the position behind its message; Malformed shows it in front.
        let suffix = format!(" at line {} column {}", error.line(), error.column());
        Malformed {
            path: path.to_owned(),
            line: error.line(),
            column: error.column(),
            reason: text.strip_suffix(&suffix).unwrap_or(&text).to_owned(),
        }
    };
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        let reason = "the file starts with a byte order mark; save it as plain UTF-8".to_owned();
        return Err(Malformed { path: path.to_owned(), line: 1, column: 1, reason });
    }
    serde_json::from_slice::<UniqueKeys>(bytes).map_err(malformed)?;
    serde_json::from_slice(bytes).map_err(malformed)
}

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
    text: &'a [u8],
    at: usize,
    /// For each open bracket the key that was read last, with its quotes; none in a list.
    open: Vec<&'a [u8]>,
}

impl<'a> Numbers<'a> {
    fn of(text: &'a [u8]) -> Self {
        Self { text, at: 0, open: Vec::new() }
    }

    /// Where the next number stands.
    fn next(&mut self) -> Option<Range<usize>> {
        while let Some(byte) = self.text.get(self.at) {
            match byte {
                b'{' | b'[' => self.open.push(b""),
                b'}' | b']' => drop(self.open.pop()),
                b'"' => {
                    let string = self.string();
                    let mut rest = self.text[self.at..].iter();
                    if rest.find(|byte| !byte.is_ascii_whitespace()) == Some(&b':')
                        && let Some(key) = self.open.last_mut()
                    {
                        *key = string;
                    }
                    continue;
                }
                b'-' | b'0'..=b'9' => {
                    let rest = &self.text[self.at..];
                    let in_number =
                        |b: &u8| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                    let length = rest.iter().position(|b| !in_number(b)).unwrap_or(rest.len());
                    self.at += length;
                    return Some(self.at - length..self.at);
                }
                _ => {}
            }
            self.at += 1;
        }
        None
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

    /// The keys that lead to the number that was found last.
    fn keys(&self) -> impl Iterator<Item = Cow<'a, [u8]>> {
        self.open.iter().filter(|key| !key.is_empty()).map(|key| {
            let spelt = key.contains(&b'\\').then(|| serde_json::from_slice::<String>(key).ok());
            match spelt.flatten() {
                Some(key) => Cow::Owned(key.into_bytes()),
                None => Cow::Borrowed(key.get(1..key.len() - 1).unwrap_or_default()),
            }
        })
    }
}

/// Any JSON whose objects have no key twice.
struct UniqueKeys;

impl<'de> Deserialize<'de> for UniqueKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueKeys)
    }
}

impl<'de> Visitor<'de> for UniqueKeys {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self, A::Error> {
        let mut keys: Vec<Cow<'de, str>> = Vec::new();
        while let Some(key) = object.next_key_seed(Key)? {
            if key.starts_with(PRIVATE_KEYS) {
                // A number is shown as an object of one such key.
                object.next_value::<Number>()?;
                continue;
            }
            object.next_value::<Self>()?;
            keys.push(key);
        }
        keys.sort_unstable();
        match keys.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(A::Error::custom(format_args!("the key {:?} occurs twice", pair[0]))),
            None => Ok(self),
        }
    }
}

/// How the keys begin by which serde_json tells itself of numbers. In a file they would be taken
/// for numbers and rewritten as such.
const PRIVATE_KEYS: &str = "$serde_json::private::";

/// What stands behind a private key: a number of the text, which is handed over as a `String`, or
/// anything else, which somebody wrote there.
struct Number;

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Number {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no key that starts with {PRIVATE_KEYS}, which is reserved")
    }

    fn visit_string<E>(self, _: String) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self, E> {
        Err(E::invalid_value(de::Unexpected::Str(text), &self))
    }
}

/// A key, borrowed where it has no escapes.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, key: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(key))
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(key.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;
    use serde_json::Value;

    #[rstest]
    #[case(b"\xEF\xBB\xBF{}", "byte order mark")]
    #[case(br#"{"a":1,"a":2}"#, "\"a\" occurs twice")]
    #[case(br#"{"x":[{"a":1,"b":2,"\u0061":3}]}"#, "\"a\" occurs twice")]
    #[case(b"{\"a\":\"\x00\"}", "control character")]
    #[case(b"\"\xff\"", "unicode")]
    #[case(br#"{} {}"#, "trailing")]
    #[case(br#"{"x":{"$serde_json::private::Number":"12"}}"#, "reserved")]
    #[case(br#"{"x":{"\u0024serde_json::private::Number":"\u0031"}}"#, "reserved")]
    #[case(br#"{"$serde_json::private::RawValue":{}}"#, "reserved")]
    fn what_can_be_read_in_two_ways_is_refused(#[case] bytes: &[u8], #[case] reason: &str) {
        let error = decode::<Value>("items/WORK-001.json", bytes).expect_err("refused");
        assert!(error.reason.contains(reason), "{error}");
        assert!(error.line > 0, "{error}");
    }

    #[test]
    fn depth_is_bounded() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        let error = decode::<Value>("x", deep.as_bytes()).expect_err("refused");
        assert!(error.reason.contains("recursion"), "{error}");
    }

    #[test]
    fn numbers_are_kept_to_the_letter() {
        let text =
            br#"[1.10,-0,1e400,12345678901234567890123,0.1E+2,1E400,"1E2",9007199254740993]"#;
        let value: Value = decode("x", text).expect("valid");
        let written = serde_json::to_vec(&value).expect("serialises");
        assert_ne!(written, text, "serde_json spells exponents its own way");
        assert_eq!(respell(text, written, &[]), text);
    }

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
