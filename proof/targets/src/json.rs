//! JSON to the letter, read by other means than jerry's, and what of it must be kept.

use std::collections::HashSet;

use crate::must;

/// JSON whose numbers are as they were spelt and whose objects have every key that stands there.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`, a boolean or a number, as it stands there.
    Plain(String),
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

/// What becomes of a field.
#[derive(Clone, Copy)]
pub(crate) enum Kept {
    /// jerry knows it and may spell it in its own way.
    Known,
    /// As it is, unless there is nothing.
    Exactly,
    /// An object, or a list of objects that may become longer, with these fields.
    Of(Fields),
}

/// The fields of an object that jerry knows. All others are kept exactly, in their order.
pub(crate) type Fields = &'static [(&'static str, Kept)];

impl Json {
    /// Reads `bytes`.
    ///
    /// # Errors
    /// Why jerry should have refused them.
    pub(crate) fn read(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let valid = serde_json::from_str::<serde_json::Value>(text);
        valid.map_err(|error| format!("it is no JSON: {error}"))?;
        Reader { text, at: 0 }.value()
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        fields.iter().find(|(own, _)| own == key).map(|(_, value)| value)
    }

    fn is_nothing(&self) -> bool {
        match self {
            Self::Plain(text) => text == "null",
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Object(_) => false,
        }
    }

    /// The same with exponents as serde_json spells them.
    pub(crate) fn respelt(self) -> Self {
        match self {
            Self::Plain(text) => Self::Plain(respelt(&text)),
            Self::Text(_) => self,
            Self::List(list) => Self::List(list.into_iter().map(Self::respelt).collect()),
            Self::Object(fields) => {
                Self::Object(fields.into_iter().map(|(key, it)| (key, it.respelt())).collect())
            }
        }
    }
}

fn respelt(number: &str) -> String {
    if !number.starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
        return number.to_owned();
    }
    match number.split_once(['e', 'E']) {
        None => number.to_owned(),
        Some((mantissa, exponent)) if exponent.starts_with(['+', '-']) => {
            format!("{mantissa}e{exponent}")
        }
        Some((mantissa, exponent)) => format!("{mantissa}e+{exponent}"),
    }
}

/// Checks that nothing of `before` that jerry does not know was lost or changed in `after`.
pub(crate) fn kept(before: &Json, after: &Json, known: Fields) -> Result<(), String> {
    let (Json::Object(before), Json::Object(_)) = (before, after) else { return Ok(()) };
    let kind = |key: &str| known.iter().find(|(own, _)| own == &key).map(|(_, kept)| *kept);
    for (key, value) in before {
        let now = after.get(key);
        let same =
            || must(now == Some(value), || format!("{key} was {value:?} and became {now:?}"));
        match kind(key) {
            None => same()?,
            Some(Kept::Known) => {}
            Some(Kept::Exactly) if value.is_nothing() => {}
            Some(Kept::Exactly) => same()?,
            Some(Kept::Of(fields)) => match (value, now) {
                (Json::List(before), Some(Json::List(after))) => {
                    must(before.len() <= after.len(), || format!("{key} lost entries"))?;
                    let pairs = before.iter().zip(after);
                    pairs.into_iter().try_for_each(|(one, other)| kept(one, other, fields))?;
                }
                (before, Some(after)) => kept(before, after, fields)?,
                (before, None) => must(before.is_nothing(), || format!("{key} was lost"))?,
            },
        }
    }
    let unknown = |of: &Json| match of {
        Json::Object(fields) => {
            let keys = fields.iter().map(|(key, _)| key.clone());
            keys.filter(|key| kind(key).is_none()).collect::<Vec<_>>()
        }
        _ => Vec::new(),
    };
    let (before, after) = (unknown(&Json::Object(before.clone())), unknown(after));
    must(before == after, || format!("unknown fields were {before:?} and became {after:?}"))
}

/// Reads what is known to be valid.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl Reader<'_> {
    fn value(&mut self) -> Result<Json, String> {
        match self.peek() {
            b'{' => {
                let (mut fields, mut seen) = (Vec::new(), HashSet::new());
                while self.next_entry(b'}') {
                    let key = self.string()?;
                    must(seen.insert(key.clone()), || format!("the key {key:?} occurs twice"))?;
                    self.peek();
                    self.at += 1; // the colon
                    fields.push((key, self.value()?));
                }
                Ok(Json::Object(fields))
            }
            b'[' => {
                let mut list = Vec::new();
                while self.next_entry(b']') {
                    list.push(self.value()?);
                }
                Ok(Json::List(list))
            }
            b'"' => self.string().map(Json::Text),
            _ => {
                let rest = &self.text[self.at..];
                let ends = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}');
                let plain = &rest[..rest.find(ends).unwrap_or(rest.len())];
                self.at += plain.len();
                Ok(Json::Plain(plain.to_owned()))
            }
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> u8 {
        let rest = &self.text.as_bytes()[self.at..];
        self.at += rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
        self.text.as_bytes().get(self.at).copied().unwrap_or_default()
    }

    /// Steps over a bracket or a comma; whether another entry follows.
    fn next_entry(&mut self, end: u8) -> bool {
        if self.peek() != end {
            self.at += 1;
        }
        let more = self.peek() != end;
        if !more {
            self.at += 1;
        }
        more
    }

    fn string(&mut self) -> Result<String, String> {
        self.peek();
        let bytes = self.text.as_bytes();
        let start = self.at;
        self.at += 1;
        while bytes.get(self.at).is_some_and(|byte| *byte != b'"') {
            self.at += if bytes[self.at] == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).unwrap_or_default();
        serde_json::from_str(quoted).map_err(|error| error.to_string())
    }
}
