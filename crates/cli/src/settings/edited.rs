//! Settings files with one setting changed.

use std::path::Path;

use jerry_domain::Gate;
use toml_edit::{DocumentMut, Item, Table, Value};

use super::keys::parse_gates;
use super::{Key, parse};
use crate::exit::{Code, Failure};

/// What the settings file with `text` says after `key` is set to `value`, or removed. Comments
/// and everything else stay.
///
/// # Errors
/// A value that the setting does not allow; a text that is no TOML.
pub fn edited(path: &Path, text: &str, key: Key, value: Option<&str>) -> Result<String, Failure> {
    let Some(value) = value else { return unset(path, text, key.name) };
    edit(path, text, key.name, |table, name| {
        (key.check)(value).map_err(|reason| {
            let message = format!("{} cannot be '{value}': {reason}", key.name);
            Failure::new(Code::Usage, message).hint(format!("{}: {}", key.name, key.about))
        })?;
        let mut value = match key.is_list.then(|| value.parse::<Value>()) {
            Some(Ok(list @ Value::Array(_))) => list,
            Some(_) => {
                let gates = parse_gates(value).unwrap_or_default();
                Value::Array(gates.iter().map(Gate::to_string).collect())
            }
            None => Value::from(value),
        };
        if let Some(old) = table.get(name).and_then(Item::as_value) {
            // The comment behind it is its decoration.
            *value.decor_mut() = old.decor().clone();
        }
        table[name] = Item::Value(value);
        Ok(())
    })
}

/// What the settings file with `text` says without what it calls `name`, whether there is such a setting
/// or not.
///
/// # Errors
/// A text that is no TOML; a table of that name.
pub fn unset(path: &Path, text: &str, name: &str) -> Result<String, Failure> {
    let document = parse(path, text)?;
    let is_there = match name.split_once('.') {
        None => document.contains_key(name),
        Some((table, name)) => document.get(table).is_some_and(|table| table.get(name).is_some()),
    };
    if !is_there {
        return Ok(text.to_owned());
    }
    edit(path, text, name, |table, name| {
        table.remove(name);
        Ok(())
    })
}

/// Makes `change` in the table in which `name` stands, which is no table itself.
fn edit(
    path: &Path,
    text: &str,
    name: &str,
    change: impl FnOnce(&mut Table, &str) -> Result<(), Failure>,
) -> Result<String, Failure> {
    let mut document = parse(path, text)?;
    // Comments of a file without settings are its head, which TOML would put behind the first.
    let head = if document.is_empty() { text.replace("\r\n", "\n") } else { String::new() };
    let end = if head.is_empty() || head.ends_with('\n') { "" } else { "\n" };
    if document.is_empty() {
        document = DocumentMut::new();
    }
    let (table, own) = match name.split_once('.') {
        None => (document.as_table_mut(), name),
        Some((table, own)) => {
            let entry = document.entry(table).or_insert_with(toml_edit::table);
            let table = entry.as_table_mut().ok_or_else(|| {
                Failure::new(Code::Usage, format!("'{table}' in {} is no table", path.display()))
            })?;
            (table, own)
        }
    };
    let is_table = |item: &Item| item.as_value().is_none_or(Value::is_inline_table);
    if table.get(own).is_some_and(is_table) {
        let message = format!("'{name}' in {} is a table, not a value", path.display());
        let hint = "whatever is in it would be lost; take it out by hand first";
        return Err(Failure::new(Code::Usage, message).hint(hint));
    }
    change(table, own)?;
    Ok(format!("{head}{end}{document}"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::settings::{GATES_DEFAULT, GATES_OF_TYPES, LOCK_TIMEOUT, PREFIX};

    #[test]
    fn setting_a_value_keeps_comments() {
        let path = Path::new("config.toml");
        let text = "# ours\nprefix = \"WORK\" # short\n\n[lock]\n# slow disk\n";
        let text = edited(path, text, PREFIX, Some("AB")).expect("valid");
        let text = edited(path, &text, LOCK_TIMEOUT, Some("5s")).expect("valid");
        assert!(text.contains("# ours") && text.contains("# slow disk"), "{text}");
        assert!(text.contains("prefix = \"AB\" # short\n"), "{text}");
        assert!(text.contains("timeout = \"5s\""), "{text}");
        let head = "# what this file is\n";
        let set = edited(path, head, LOCK_TIMEOUT, Some("5s")).expect("valid");
        assert_eq!(set, "# what this file is\n[lock]\ntimeout = \"5s\"\n");
        let set = edited(path, head.trim_end(), PREFIX, Some("AB")).expect("valid");
        assert_eq!(set, "# what this file is\nprefix = \"AB\"\n");
        let text = edited(path, &text, PREFIX, None).expect("valid");
        assert!(!text.contains("prefix"), "{text}");
        assert!(edited(path, &text, PREFIX, Some("ab")).is_err());
    }

    #[rstest]
    #[case("# why\nprefix.of = \"ours\"\n")]
    #[case("[prefix]\nof = \"ours\"\n")]
    #[case("[[prefix]]\n")]
    #[case("prefix = { of = \"ours\" }\n")]
    fn a_table_is_not_written_over(#[case] text: &str) {
        for value in [Some("AB"), None] {
            let refused = edited(Path::new("config.toml"), text, PREFIX, value);
            assert!(refused.is_err_and(|failure| failure.message.contains("is a table")));
        }
    }

    #[test]
    fn what_is_no_setting_can_be_taken_out() {
        let path = Path::new("config.toml");
        let text = "# ours\nshade = 1\n[gates]\ntsk = [\"criteria\"]\nbug = [] # none\n";
        let without = unset(path, text, "gates.tsk").expect("valid");
        assert_eq!(without, text.replace("tsk = [\"criteria\"]\n", ""));
        assert!(!unset(path, text, "shade").expect("valid").contains("shade"));
        for absent in ["gates.nothing", "other.thing", "nothing", "shade.of"] {
            assert_eq!(unset(path, text, absent).expect("valid"), text, "{absent}");
        }
        assert_eq!(unset(path, "", "lock.timeout").expect("valid"), "");
        assert!(unset(path, text, "gates").is_err(), "a table");
    }

    #[test]
    fn a_list_is_written_as_one() {
        let path = Path::new("config.toml");
        let bugs = GATES_OF_TYPES[5];
        let list = r#"["criteria", "cmd: cargo test"]"#;
        let text = edited(path, "", bugs, Some(list)).expect("valid");
        assert_eq!(text, format!("[gates]\nbug = {list}\n"));
        let text = edited(path, &text, GATES_DEFAULT, Some("cmd: make \"all\"")).expect("valid");
        assert!(text.contains("default = ['cmd: make \"all\"']"), "{text}");
        let text = edited(path, &text, bugs, Some("criteria,cmd: a, b")).expect("valid");
        assert!(text.contains(r#"bug = ["criteria", "cmd: a, b"]"#), "{text}");
        let text = edited(path, &text, bugs, Some("[]")).expect("valid");
        assert!(text.contains("bug = []"), "{text}");
        assert!(edited(path, &text, bugs, Some("tests")).is_err());
    }
}
