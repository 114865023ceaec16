//! One line of a JSONL file, read strictly: an object, and every key in it once.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// Reads one line.
///
/// # Errors
/// A reason fit for a report, with the column where there is one.
pub(super) fn object(line: &str) -> Result<Map<String, Value>, String> {
    let value: Value = serde_json::from_str(line).map_err(|error| reason(&error))?;
    match suspicious_key(line) {
        Some(key) if key.starts_with(PRIVATE_KEYS) => {
            return Err(format!("the key {key:?} is reserved"));
        }
        Some(key) => return Err(format!("the key {key:?} occurs twice in one object")),
        None => {}
    }
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err("not a JSON object".to_owned()),
    }
}

/// What serde_json says, without its line, which is always the first.
pub(super) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    match error.column() {
        0 => text.to_owned(),
        column => format!("{text} (column {column})"),
    }
}

/// How the keys begin by which serde_json tells itself of numbers. It would take an object that
/// somebody wrote with one for a number.
const PRIVATE_KEYS: &str = "$serde_json::private::";

/// The first key that an object of `json`, which must be valid, has twice, or that is reserved. A
/// parser would keep one of two values and lose the other in silence.
fn suspicious_key(json: &str) -> Option<String> {
    let bytes = json.as_bytes();
    // One entry for each open bracket; a set for an object, with whether a key comes next.
    let mut open: Vec<Option<HashSet<String>>> = Vec::new();
    let mut key_next = false;
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'{' => {
                open.push(Some(HashSet::new()));
                key_next = true;
            }
            b'[' => {
                open.push(None);
                key_next = false;
            }
            b'}' | b']' => {
                open.pop();
                key_next = false;
            }
            b',' => key_next = matches!(open.last(), Some(Some(_))),
            b'"' => {
                let start = at;
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
                if let (true, Some(Some(keys))) = (key_next, open.last_mut()) {
                    let key: String = serde_json::from_str(json.get(start..=at)?).ok()?;
                    if key.starts_with(PRIVATE_KEYS) {
                        return Some(key);
                    }
                    if let Some(key) = keys.replace(key) {
                        return Some(key);
                    }
                    key_next = false;
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use rstest::rstest;

    #[rstest]
    #[case(r#"{"a":1,"b":{"a":2},"c":[{"a":3},{"a":4}]}"#, None)]
    #[case(r#"{"a":1,"a":2}"#, Some("a"))]
    #[case(r#"{"x":[{"b\"":1,"b\u0022":2}]}"#, Some("b\""))]
    #[case(r#"{"a":"a","b":["a","a"],"c":"\\"}"#, None)]
    #[case(r#"{"a":{},"b":[],"a":0}"#, Some("a"))]
    fn a_repeated_key_is_found(#[case] json: &str, #[case] key: Option<&str>) {
        assert_eq!(suspicious_key(json).as_deref(), key);
    }

    #[rstest]
    #[case("[]", "not a JSON object")]
    #[case("{\"a\":1,\"a\":2}", "the key \"a\" occurs twice in one object")]
    #[case("{\"a\":\u{0}}", "expected value (column 6)")]
    #[case(
        r#"{"a":{"$serde_json::private::Number":"1"}}"#,
        "the key \"$serde_json::private::Number\" is reserved"
    )]
    #[case("{\"a\":", "EOF while parsing a value (column 5)")]
    fn what_is_wrong_is_said(#[case] line: &str, #[case] said: &str) {
        assert_eq!(object(line).expect_err("malformed"), said);
    }

    #[test]
    fn depth_is_refused_and_does_not_overflow_the_stack() {
        let deep = "{\"a\":".repeat(10_000);
        assert!(object(&deep).expect_err("too deep").starts_with("recursion limit exceeded"));
    }
}
