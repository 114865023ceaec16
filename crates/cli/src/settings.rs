//! Settings in layers: flag, environment, this machine's file, the project's file, the user's
//! file, default. The first layer that has a value decides.

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jerry_domain::{Actor, Prefix};
use toml_edit::{DocumentMut, Item, Value};

use crate::exit::{Code, Failure};

/// Looks up a variable of the environment.
pub type Env = Box<dyn Fn(&str) -> Option<OsString>>;

/// One setting that there is.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// The variable that sets it.
    pub variable: &'static str,
    /// What it is where no layer says otherwise; empty for none.
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
    check: fn(&str) -> Result<(), String>,
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Key {}

/// The letters before the number of a new item's id.
pub const PREFIX: Key = Key {
    name: "prefix",
    variable: "JERRY_PREFIX",
    default: "WORK",
    about: "the letters before the number of a new item's id",
    check: |text| text.parse::<Prefix>().map(drop).map_err(|error| error.to_string()),
};

/// Who acts.
pub const ACTOR: Key = Key {
    name: "actor",
    variable: "JERRY_ACTOR",
    default: "",
    about: "who acts; user@host where it is not set",
    check: |text| text.parse::<Actor>().map(drop).map_err(|error| error.to_string()),
};

/// How long a claim stands after each write by its holder.
pub const LEASE: Key = Key {
    name: "lease",
    variable: "JERRY_LEASE",
    default: "4h",
    about: "how long a claim stands after each write by its holder, as 4h, 30m or 90s",
    check: |text| parse_lease(text).map(drop),
};

/// How long to wait for a lock.
pub const LOCK_TIMEOUT: Key = Key {
    name: "lock.timeout",
    variable: "JERRY_LOCK_TIMEOUT",
    default: "30s",
    about: "how long to wait for a lock, as 30s, 500ms or 2m",
    check: |text| parse_duration(text).map(drop),
};

/// How often a directory lock is tried.
pub const LOCK_ATTEMPTS: Key = Key {
    name: "lock.attempts",
    variable: "JERRY_LOCK_ATTEMPTS",
    default: "2000",
    about: "how often a directory lock is tried within the timeout",
    check: |text| text.parse::<u32>().map(drop).map_err(|_| not_a_number(text)),
};

/// The first pause between two tries of a directory lock.
pub const LOCK_BACKOFF: Key = Key {
    name: "lock.backoff",
    variable: "JERRY_LOCK_BACKOFF",
    default: "2ms",
    about: "the first pause between two tries of a directory lock; each later one doubles it",
    check: |text| parse_duration(text).map(drop),
};

/// The longest pause between two tries of a directory lock.
pub const LOCK_BACKOFF_MAX: Key = Key {
    name: "lock.backoff_max",
    variable: "JERRY_LOCK_BACKOFF_MAX",
    default: "100ms",
    about: "the longest pause between two tries of a directory lock, jitter aside",
    check: |text| parse_duration(text).map(drop),
};

/// The random part of a pause.
pub const LOCK_JITTER: Key = Key {
    name: "lock.jitter",
    variable: "JERRY_LOCK_JITTER",
    default: "20ms",
    about: "the longest random addition to a pause, which keeps waiters from asking in step",
    check: |text| parse_duration(text).map(drop),
};

/// Every setting.
pub const KEYS: [Key; 8] = [
    PREFIX,
    ACTOR,
    LEASE,
    LOCK_TIMEOUT,
    LOCK_ATTEMPTS,
    LOCK_BACKOFF,
    LOCK_BACKOFF_MAX,
    LOCK_JITTER,
];

/// This machine's settings, in the store.
pub const LOCAL_FILE: &str = "local/config.toml";
/// The project's settings, in the store.
pub const PROJECT_FILE: &str = "config.toml";
/// The user's settings, in their own folder.
pub const USER_FILE: &str = "config.toml";

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// An option of the command.
    Flag,
    /// A variable of the environment.
    Environment(&'static str),
    /// A settings file.
    File(PathBuf),
    /// Nothing else had a value.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("flag"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}

/// A value that was checked, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which setting.
    pub key: Key,
    /// Its value; empty for none.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

/// The settings files, those that decide first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Files {
    /// This machine's, inside the store.
    pub local: Option<PathBuf>,
    /// The project's, inside the store and committed.
    pub project: Option<PathBuf>,
    /// The user's.
    pub user: Option<PathBuf>,
}

impl Files {
    /// The files of the store at `root`, if there is one, and the user's.
    #[must_use]
    pub fn of(root: Option<&Path>, env: &Env) -> Self {
        let set = |name| env(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let config = set("XDG_CONFIG_HOME")
            .or_else(|| set("APPDATA"))
            .or_else(|| set("HOME").map(|home| home.join(".config")));
        Self {
            local: root.map(|root| root.join(LOCAL_FILE)),
            project: root.map(|root| root.join(PROJECT_FILE)),
            user: config.map(|config| config.join("jerry").join(USER_FILE)),
        }
    }
}

/// Every setting with its value.
#[derive(Debug)]
pub struct Settings {
    all: Vec<Setting>,
    /// Keys in the files that this version does not know, as `key in file`.
    pub unknown: Vec<String>,
}

impl Settings {
    /// Reads all layers. `flags` are the options that were given.
    ///
    /// # Errors
    /// A file that cannot be read or is no TOML, a value that its setting does not allow.
    pub fn load(flags: &[(Key, Option<&str>)], env: &Env, files: &Files) -> Result<Self, Failure> {
        let mut texts = Vec::new();
        for path in [&files.local, &files.project, &files.user].into_iter().flatten() {
            if let Some(text) = read(path)? {
                texts.push((path.clone(), text));
            }
        }
        Self::of(flags, env, texts)
    }

    /// As [`Settings::load`], of what the files say; those that decide first come first.
    ///
    /// # Errors
    /// A text that is no TOML, a value that its setting does not allow.
    pub fn of(
        flags: &[(Key, Option<&str>)],
        env: &Env,
        texts: Vec<(PathBuf, String)>,
    ) -> Result<Self, Failure> {
        let parsed = texts.into_iter().map(|(path, text)| {
            let document = parse(&path, &text)?;
            Ok((path, document))
        });
        let documents = parsed.collect::<Result<Vec<_>, Failure>>()?;
        let all: Result<Vec<_>, Failure> =
            KEYS.into_iter().map(|key| resolve(key, flags, env, &documents)).collect();
        let unknown = documents.iter().flat_map(|(path, document)| {
            let names = names_of(document);
            let unknown = names.into_iter().filter(|name| KEYS.iter().all(|key| key.name != name));
            unknown.map(move |name| format!("{name} in {}", path.display()))
        });
        let unknown = unknown.collect();
        Ok(Self { all: all?, unknown })
    }

    /// Every setting, in the order of [`KEYS`].
    #[must_use]
    pub fn all(&self) -> &[Setting] {
        &self.all
    }

    /// The setting of one key.
    ///
    /// # Errors
    /// Never for a key of [`KEYS`].
    pub fn get(&self, key: Key) -> Result<&Setting, Failure> {
        let found = self.all.iter().find(|setting| setting.key == key);
        found.ok_or_else(|| Failure::new(Code::Internal, format!("no setting {}", key.name)))
    }

    /// The prefix of new ids, and of ids typed as a number alone.
    ///
    /// # Errors
    /// Never: values are checked when they are loaded.
    pub fn prefix(&self) -> Result<Prefix, Failure> {
        let setting = self.get(PREFIX)?;
        Prefix::new(&setting.value).map_err(|error| refused(setting, &error.to_string()))
    }

    /// A setting that is a span of time.
    ///
    /// # Errors
    /// Never: values are checked when they are loaded.
    pub fn duration(&self, key: Key) -> Result<Duration, Failure> {
        let setting = self.get(key)?;
        parse_duration(&setting.value).map_err(|reason| refused(setting, &reason))
    }

    /// A setting that is a number.
    ///
    /// # Errors
    /// Never: values are checked when they are loaded.
    pub fn number(&self, key: Key) -> Result<u32, Failure> {
        let setting = self.get(key)?;
        setting.value.parse().map_err(|_| refused(setting, &not_a_number(&setting.value)))
    }
}

/// The key called `name`.
///
/// # Errors
/// A usage error that lists the keys there are.
pub fn key(name: &str) -> Result<Key, Failure> {
    KEYS.into_iter().find(|key| key.name == name).ok_or_else(|| {
        let names: Vec<_> = KEYS.iter().map(|key| key.name).collect();
        Failure::new(Code::Usage, format!("there is no setting '{name}'"))
            .hint(format!("the settings are {}", names.join(", ")))
    })
}

/// What the settings file with `text` says after `key` is set to `value`, or removed. Comments
/// and everything else stay.
///
/// # Errors
/// A value that the setting does not allow; a text that is no TOML.
pub fn edited(path: &Path, text: &str, key: Key, value: Option<&str>) -> Result<String, Failure> {
    let mut document = parse(path, text)?;
    // Comments of a file without settings are its head, which TOML would put behind the first.
    let head = if document.is_empty() { text.replace("\r\n", "\n") } else { String::new() };
    let end = if head.is_empty() || head.ends_with('\n') { "" } else { "\n" };
    if document.is_empty() {
        document = DocumentMut::new();
    }
    let (table, name) = match key.name.split_once('.') {
        None => (document.as_table_mut(), key.name),
        Some((table, name)) => {
            let entry = document.entry(table).or_insert_with(toml_edit::table);
            let table = entry.as_table_mut().ok_or_else(|| {
                Failure::new(Code::Usage, format!("'{table}' in {} is no table", path.display()))
            })?;
            (table, name)
        }
    };
    let is_table = |item: &Item| item.as_value().is_none_or(Value::is_inline_table);
    if table.get(name).is_some_and(is_table) {
        let name = key.name;
        let message = format!("'{name}' in {} is a table, not a value", path.display());
        let hint = "whatever is in it would be lost; take it out by hand first";
        return Err(Failure::new(Code::Usage, message).hint(hint));
    }
    match value {
        None => drop(table.remove(name)),
        Some(value) => {
            (key.check)(value).map_err(|reason| {
                Failure::new(Code::Usage, format!("{} cannot be '{value}': {reason}", key.name))
            })?;
            let mut value = Value::from(value);
            if let Some(old) = table.get(name).and_then(Item::as_value) {
                // The comment behind it is its decoration.
                *value.decor_mut() = old.decor().clone();
            }
            table[name] = Item::Value(value);
        }
    }
    Ok(format!("{head}{end}{document}"))
}

fn resolve(
    key: Key,
    flags: &[(Key, Option<&str>)],
    env: &Env,
    documents: &[(PathBuf, DocumentMut)],
) -> Result<Setting, Failure> {
    let flag = flags.iter().find(|(flag, _)| *flag == key).and_then(|(_, value)| *value);
    let variable = || env(key.variable).filter(|value| !value.is_empty());
    let (value, origin) = if let Some(value) = flag {
        (value.to_owned(), Origin::Flag)
    } else if let Some(value) = variable() {
        let value = value.into_string().map_err(|_| {
            Failure::new(Code::Usage, format!("{} is not UTF-8 text", key.variable))
        })?;
        (value, Origin::Environment(key.variable))
    } else {
        let found = documents.iter().find_map(|(path, document)| {
            Some((look_up(document, key)?, Origin::File(path.clone())))
        });
        found.unwrap_or_else(|| (key.default.to_owned(), Origin::Default))
    };
    let setting = Setting { key, value, origin };
    if setting.origin != Origin::Default {
        (key.check)(&setting.value).map_err(|reason| refused(&setting, &reason))?;
    }
    Ok(setting)
}

fn refused(setting: &Setting, reason: &str) -> Failure {
    let Setting { key, origin, .. } = setting;
    Failure::new(Code::Usage, format!("setting {} from {origin}: {reason}", key.name))
        .with("setting", key.name)
        .hint(format!("{}: {}", key.name, key.about))
}

fn look_up(document: &DocumentMut, key: Key) -> Option<String> {
    let item = match key.name.split_once('.') {
        None => document.get(key.name)?,
        Some((table, name)) => document.get(table)?.get(name)?,
    };
    match item {
        Item::Value(Value::String(text)) => Some(text.value().clone()),
        Item::Value(value) => Some(value.to_string().trim().to_owned()),
        _ => None,
    }
}

fn names_of(document: &DocumentMut) -> Vec<String> {
    let mut names = Vec::new();
    for (name, item) in document.iter() {
        match item.as_table_like() {
            Some(table) => names.extend(table.iter().map(|(inner, _)| format!("{name}.{inner}"))),
            None => names.push(name.to_owned()),
        }
    }
    names
}

fn read(path: &Path) -> Result<Option<String>, Failure> {
    // A pipe in its place would hang every command.
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        let message = format!("{} is not a regular file", path.display());
        return Err(Failure::new(Code::Malformed, message)
            .with("path", path.display().to_string())
            .hint("settings files are TOML: prefix = \"WORK\""));
    }
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::io(format_args!("cannot read {}", path.display()), &error)),
    }
}

fn parse(path: &Path, text: &str) -> Result<DocumentMut, Failure> {
    text.parse::<DocumentMut>().map_err(|error| {
        let before = &text[..error.span().map_or(0, |span| span.start.min(text.len()))];
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
        let reason = error.message().trim().replace('\n', "; ");
        Failure::new(Code::Malformed, format!("{}:{line}:{column}: {reason}", path.display()))
            .with("path", path.display().to_string())
            .with("line", line)
            .with("column", column)
            .hint("settings files are TOML: prefix = \"WORK\"")
    })
}

fn not_a_number(text: &str) -> String {
    format!("'{text}' is not a number")
}

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
    use std::collections::HashMap;

    use rstest::rstest;

    use super::*;

    fn env(variables: &[(&str, &str)]) -> Env {
        let variables: HashMap<String, OsString> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        Box::new(move |name| variables.get(name).cloned())
    }

    struct Layers {
        _folder: tempfile::TempDir,
        files: Files,
    }

    #[expect(clippy::disallowed_methods, reason = "writes test data")]
    fn layers(local: &str, project: &str, user: &str) -> Layers {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            Some(path)
        };
        let files = Files {
            local: write("local", local),
            project: write("project", project),
            user: write("user", user),
        };
        Layers { _folder: folder, files }
    }

    /// Takes one layer away at a time: the next one decides.
    #[rstest]
    #[case(Some("1s"), "2s", "3s", "4s", "5s", "1s", "flag")]
    #[case(None, "2s", "3s", "4s", "5s", "2s", "environment JERRY_LOCK_TIMEOUT")]
    #[case(None, "", "3s", "4s", "5s", "3s", "local")]
    #[case(None, "", "", "4s", "5s", "4s", "project")]
    #[case(None, "", "", "", "5s", "5s", "user")]
    #[case(None, "", "", "", "", "30s", "default")]
    fn the_first_layer_with_a_value_decides(
        #[case] flag: Option<&str>,
        #[case] variable: &str,
        #[case] local: &str,
        #[case] project: &str,
        #[case] user: &str,
        #[case] value: &str,
        #[case] origin: &str,
    ) {
        let toml = |value: &str| match value {
            "" => String::new(),
            value => format!("[lock]\ntimeout = \"{value}\"\n"),
        };
        let layers = layers(&toml(local), &toml(project), &toml(user));
        let env = env(&[("JERRY_LOCK_TIMEOUT", variable)]);
        let settings = Settings::load(&[(LOCK_TIMEOUT, flag)], &env, &layers.files).expect("valid");
        let setting = settings.get(LOCK_TIMEOUT).expect("known");
        assert_eq!(setting.value, value);
        assert!(setting.origin.to_string().ends_with(origin), "{}", setting.origin);
    }

    #[test]
    fn the_defaults_of_locks_are_those_of_the_adapter() {
        let settings = Settings::load(&[], &env(&[]), &Files::default()).expect("valid");
        let ours = crate::composition::lock_settings(&settings).expect("valid");
        assert_eq!(ours, jerry_infra_fs::lock::LockSettings::default());
    }

    #[test]
    fn a_wrong_value_names_its_file() {
        let layers = layers("", "prefix = \"nope\"", "");
        let failure = Settings::load(&[], &env(&[]), &layers.files).expect_err("invalid");
        assert_eq!(failure.code, Code::Usage);
        assert!(failure.message.contains("project"), "{}", failure.message);
    }

    #[test]
    fn a_broken_file_is_named_with_line_and_column() {
        let layers = layers("", "a = 1\nb = = 2\n", "");
        let failure = Settings::load(&[], &env(&[]), &layers.files).expect_err("malformed");
        assert_eq!(failure.code, Code::Malformed);
        assert!(failure.message.contains(":2:5: "), "{}", failure.message);
    }

    #[test]
    fn keys_of_later_versions_are_named_and_left_alone() {
        let layers = layers("", "shade = 1\n[lock]\ntimeout = 7\ncolour = 2\n", "");
        let settings = Settings::load(&[], &env(&[]), &layers.files).expect("valid");
        assert_eq!(settings.duration(LOCK_TIMEOUT).expect("valid"), Duration::from_secs(7));
        assert!(settings.unknown[0].starts_with("shade in "));
        assert!(settings.unknown[1].starts_with("lock.colour in "));
    }

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
