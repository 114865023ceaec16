//! A settings file, read and edited.

use std::path::{Path, PathBuf};

use jerry_cli::settings::{ACTOR, KEYS, Key, LOCK_ATTEMPTS, PREFIX, Settings, edited};

use crate::{Target, must};

pub(crate) const TARGET: Target = Target {
    name: "config",
    words: &[
        "prefix",
        "actor",
        "lock",
        ".",
        "timeout",
        "attempts",
        "=",
        " = ",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "[",
        "]",
        "[[",
        "]]",
        "[lock]\n",
        "{",
        "}",
        ",",
        "#",
        "# why\n",
        "\n",
        "\r\n",
        "1",
        "\"30s\"",
        "500ms",
        "\"WORK\"",
        "0x10",
        "1e5",
        "inf",
        "1979-05-27T07:32:00Z",
        "\\u0041",
        "true",
        "ü",
    ],
    rewrite: |bytes| edit(std::str::from_utf8(bytes).ok()?, PREFIX, Some("FUZZ")),
    again: |bytes| edit(std::str::from_utf8(bytes).ok()?, PREFIX, Some("FUZZ")),
    laws: |bytes, _| {
        let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
        let before = said(text);
        for (key, value) in [(PREFIX, "FUZZ"), (ACTOR, "a \"b\" # c"), (LOCK_ATTEMPTS, "7")] {
            let Some(set) = edit(text, key, Some(value)) else { continue };
            let set = String::from_utf8(set).map_err(|error| error.to_string())?;
            // One within a list that stood in the place of a value goes with it.
            if before.is_ok() {
                comments_stay(text, &set)?;
            }
            compare(&before, &set, key, value)?;
            let unset = edit(&set, key, None).ok_or("what was set cannot be removed")?;
            let unset = String::from_utf8(unset).map_err(|error| error.to_string())?;
            compare(&before, &unset, key, key.default)?;
        }
        Ok(())
    },
};

fn edit(text: &str, key: Key, value: Option<&str>) -> Option<Vec<u8>> {
    edited(Path::new("config.toml"), text, key, value).ok().map(String::into_bytes)
}

/// What a file says: every setting, or why it cannot be used.
fn said(text: &str) -> Result<Settings, String> {
    let env = Box::new(|_: &str| None) as jerry_cli::settings::Env;
    let texts = vec![(PathBuf::from("config.toml"), text.to_owned())];
    let settings = Settings::of(&[], &env, texts).map_err(|failure| failure.message)?;
    let faulty = settings.misfits().find(|misfit| misfit.fault.is_some());
    match faulty {
        Some(misfit) => Err(misfit.to_string()),
        None => Ok(settings),
    }
}

/// Only `key` changed, and to `value`.
fn compare(
    before: &Result<Settings, String>,
    text: &str,
    key: Key,
    value: &str,
) -> Result<(), String> {
    let Ok(before) = before else { return Ok(()) };
    let after = said(text).map_err(|reason| format!("{reason} in what was written:\n{text}"))?;
    for own in KEYS {
        let get = |settings: &Settings| settings.get(own).map(|it| it.value.clone()).ok();
        let (before, after) = (get(before), get(&after));
        let expected = if own == key { Some(value.to_owned()) } else { before };
        must(after == expected, || {
            format!("{} is {after:?}, not {expected:?}, in:\n{text}", own.name)
        })?;
    }
    let unknown = |settings: &Settings| settings.misfits().collect::<Vec<_>>();
    let (before, after) = (unknown(before), unknown(&after));
    must(before == after, || format!("unknown settings were {before:?} and became {after:?}"))
}

/// Every comment that has a line of its own is still there.
fn comments_stay(before: &str, after: &str) -> Result<(), String> {
    if before.contains("\"\"\"") || before.contains("'''") {
        return Ok(());
    }
    let comments = |text: &str| {
        let lines = text.lines().map(str::trim).filter(|line| line.starts_with('#'));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (mut before, mut after) = (comments(before), comments(after));
    before.sort_unstable();
    after.sort_unstable();
    must(before == after, || format!("comments were {before:?} and became {after:?}"))
}
