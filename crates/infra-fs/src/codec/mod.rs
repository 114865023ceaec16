//! JSON as the store keeps it: indent 2, a trailing newline, non-ASCII as it is; and read with
//! more suspicion than usual, because people, editors and merges write these files too.

mod keys;
mod scan;
mod spelling;

use jerry_domain::ports::Malformed;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub(crate) use spelling::respell;

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
    let malformed =
        |line, column, reason| Malformed { path: path.to_owned(), line, column, reason };
    if bytes.starts_with(b"\xEF\xBB\xBF") {
        let reason = "the file starts with a byte order mark; save it as plain UTF-8".to_owned();
        return Err(malformed(1, 1, reason));
    }
    let read = serde_json::from_slice(bytes);
    // What is no JSON has no keys; what is of the wrong type may be so because of them.
    let is_json = read.as_ref().err().is_none_or(serde_json::Error::is_data);
    if let (true, Err(fault)) = (is_json, keys::check(bytes)) {
        let (line, column) = place(bytes, fault.at);
        return Err(malformed(line, column, fault.reason));
    }
    read.map_err(|error| {
        let text = error.to_string();
        // serde_json puts the position behind its message; Malformed shows it in front.
        let suffix = format!(" at line {} column {}", error.line(), error.column());
        let reason = text.strip_suffix(&suffix).unwrap_or(&text).to_owned();
        malformed(error.line(), error.column(), reason)
    })
}

/// The line and column, from 1, of the byte `at`.
fn place(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[..at];
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    (before.iter().filter(|byte| **byte == b'\n').count() + 1, at - line_start + 1)
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
    fn a_key_twice_is_said_with_the_place_of_the_second() {
        #[derive(Debug, serde::Deserialize)]
        struct Typed {
            #[expect(dead_code)]
            a: u64,
        }
        let text = b"{\n  \"a\": 1,\n  \"a\": 2\n}\n";
        for error in [decode::<Typed>("x", text).err(), decode::<Value>("x", text).err()] {
            let error = error.expect("refused");
            assert_eq!((error.line, error.column), (3, 3));
            assert_eq!(error.reason, "the key \"a\" occurs twice");
        }
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
}
