//! Settings in layers: flag, environment, this machine's file, the project's file, the user's
//! file, default. The first layer that has a value decides.

mod duration;
mod edited;
mod keys;

use std::ffi::OsString;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jerry_domain::{Gates, ItemType, Prefix};
use toml_edit::{DocumentMut, Item, Value};

pub use duration::{parse_duration, parse_lease};
pub use edited::edited;
pub use keys::*;

use keys::not_a_number;

use crate::exit::{Code, Failure};

/// Looks up a variable of the environment.
pub type Env = Box<dyn Fn(&str) -> Option<OsString>>;

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

    /// What items must show before they are completed.
    ///
    /// # Errors
    /// Never: values are checked when they are loaded.
    pub fn gates(&self) -> Result<Gates, Failure> {
        let list = |key: Key| {
            let setting = self.get(key)?;
            let gates = (!setting.value.is_empty()).then(|| keys::parse_gates(&setting.value));
            gates.transpose().map_err(|reason| refused(setting, &reason))
        };
        let mut gates =
            Gates { default: list(GATES_DEFAULT)?.unwrap_or_default(), ..Gates::default() };
        for (item_type, key) in ItemType::ALL.into_iter().zip(GATES_OF_TYPES) {
            if let Some(of_type) = list(key)? {
                gates.of_type.insert(item_type, of_type);
            }
        }
        Ok(gates)
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

fn resolve(
    key: Key,
    flags: &[(Key, Option<&str>)],
    env: &Env,
    documents: &[(PathBuf, DocumentMut)],
) -> Result<Setting, Failure> {
    let flag = flags.iter().find(|(flag, _)| *flag == key).and_then(|(_, value)| *value);
    let named = Some(key.variable).filter(|name| !name.is_empty());
    let variable = || named.and_then(env).filter(|value| !value.is_empty());
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
}
