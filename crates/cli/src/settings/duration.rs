//! Spans of time as people write them.

use std::time::Duration;

/// A span of time as people write it: `30s`, `500ms`, `2m`, or a number of seconds.
///
/// # Errors
/// What is wrong with it.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => Some(1_u64),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let number = number.parse::<u64>().ok();
    milliseconds
        .zip(number)
        .and_then(|(unit, number)| unit.checked_mul(number))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("'{text}' is not a duration like 30s, 500ms, 2m or 4h"))
}

/// How long a claim is to stand, as [`parse_duration`].
///
/// # Errors
/// Why it is no such text, or too short.
pub fn parse_lease(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        lease if lease < Duration::from_secs(1) => Err("a claim stands for 1s at least".to_owned()),
        lease => Ok(lease),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("30s", Some(30_000))]
    #[case("30", Some(30_000))]
    #[case("500ms", Some(500))]
    #[case("2m", Some(120_000))]
    #[case("0", Some(0))]
    #[case("", None)]
    #[case("s", None)]
    #[case("-1s", None)]
    #[case("1.5s", None)]
    #[case("99999999999999999999s", None)]
    #[case("18446744073709551615m", None)]
    fn durations(#[case] text: &str, #[case] milliseconds: Option<u64>) {
        assert_eq!(parse_duration(text).ok(), milliseconds.map(Duration::from_millis));
    }
}
