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
pub use edited::{edited, unset};
pub use keys::*;

use keys::not_a_number;

use crate::exit::{Code, Failure};

/// Looks up a variable of the environment.
pub type Env = Box<dyn Fn(&str) -> Option<OsString>>;

/// The table of what items must show.
const GATES: &str = "gates";

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

/// A value, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which setting.
    pub key: Key,
    /// Its value; empty for none.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
    /// Why the setting cannot have this value, if it cannot.
    pub fault: Option<String>,
}

/// What some layer says and this version cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// What it calls the setting.
    pub name: String,
    /// Where it stands.
    pub origin: Origin,
    /// What is wrong with its value; `None` where there is no such setting.
    pub fault: Option<String>,
}

impl Misfit {
    /// Whether it leaves open what must be shown before items are completed.
    #[must_use]
    pub fn is_gate(&self) -> bool {
        self.name == GATES || self.name.split_once('.').is_some_and(|(table, _)| table == GATES)
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, origin, fault } = self;
        match fault {
            Some(fault) => write!(f, "setting {name} from {origin}: {fault}"),
            None => write!(f, "there is no setting '{name}', which stands in {origin}"),
        }
    }
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
///
/// A value that its setting does not allow is an error for whoever needs it, and for nobody else: else
/// not even the command could be given that puts it right.
#[derive(Debug, Clone)]
pub struct Settings {
    all: Vec<Setting>,
    unknown: Vec<Misfit>,
}

impl Settings {
    /// Reads all layers. `flags` are the options that were given.
    ///
    /// # Errors
    /// A file that cannot be read or is no TOML, a flag whose setting does not allow it.
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
    /// A text that is no TOML, a flag whose setting does not allow it.
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
            unknown.map(|name| Misfit { name, origin: Origin::File(path.clone()), fault: None })
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
    /// A value that the setting does not allow.
    pub fn get(&self, key: Key) -> Result<&Setting, Failure> {
        let found = self.all.iter().find(|setting| setting.key == key);
        let missing = || Failure::new(Code::Internal, format!("no setting {}", key.name));
        let setting = found.ok_or_else(missing)?;
        match &setting.fault {
            None => Ok(setting),
            Some(fault) => Err(refused(setting, fault)),
        }
    }

    /// What the layers say that cannot be used, as far as it would be.
    pub fn misfits(&self) -> impl Iterator<Item = Misfit> {
        let faulty = self.all.iter().filter_map(|setting| {
            let fault = Some(setting.fault.clone()?);
            let (name, origin) = (setting.key.name.to_owned(), setting.origin.clone());
            Some(Misfit { name, origin, fault })
        });
        faulty.chain(self.unknown.iter().cloned())
    }

    /// The same settings with the default where a value is not allowed: for what puts it right.
    #[must_use]
    pub fn with_defaults_for_faults(&self) -> Self {
        let mut settings = self.clone();
        for setting in settings.all.iter_mut().filter(|setting| setting.fault.is_some()) {
            *setting = setting.key.by_default();
        }
        settings
    }

    /// The prefix of new ids, and of ids typed as a number alone.
    ///
    /// # Errors
    /// As [`Settings::get`].
    pub fn prefix(&self) -> Result<Prefix, Failure> {
        let setting = self.get(PREFIX)?;
        Prefix::new(&setting.value).map_err(|error| refused(setting, &error.to_string()))
    }

    /// A setting that is a span of time.
    ///
    /// # Errors
    /// As [`Settings::get`].
    pub fn duration(&self, key: Key) -> Result<Duration, Failure> {
        let setting = self.get(key)?;
        parse_duration(&setting.value).map_err(|reason| refused(setting, &reason))
    }

    /// What items must show before they are completed.
    #[must_use]
    pub fn gates(&self) -> Gates {
        let list = |key: Key| {
            let setting = self.all.iter().find(|setting| setting.key == key)?;
            let is_set = setting.origin != Origin::Default;
            is_set.then(|| keys::parse_gates(&setting.value).unwrap_or_default())
        };
        let types = ItemType::ALL.into_iter().zip(GATES_OF_TYPES);
        Gates {
            default: list(GATES_DEFAULT).unwrap_or_default(),
            of_type: types.filter_map(|(of, key)| Some((of, list(key)?))).collect(),
            unclear: self.misfits().filter(Misfit::is_gate).map(|it| it.to_string()).collect(),
        }
    }

    /// A setting that is a number.
    ///
    /// # Errors
    /// As [`Settings::get`].
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
        let Some(found) = found else { return Ok(key.by_default()) };
        found
    };
    let fault = (key.check)(&value).err();
    let setting = Setting { key, value, origin, fault };
    match &setting.fault {
        // What one has just typed one is told about, needed or not.
        Some(fault) if setting.origin == Origin::Flag => Err(refused(&setting, fault)),
        _ => Ok(setting),
    }
}

fn refused(setting: &Setting, reason: &str) -> Failure {
    let Setting { key, origin, .. } = setting;
    let name = key.name;
    let remedy = match origin {
        Origin::Flag | Origin::Default => String::new(),
        Origin::Environment(variable) => {
            format!("; set {variable} to something else, or not at all")
        }
        Origin::File(path) => {
            let which = match () {
                () if path.ends_with(LOCAL_FILE) => " --local",
                () if path.ends_with("jerry/config.toml") => " --user",
                () => "",
            };
            format!(
                "; `jerry config set {name} VALUE{which}` puts it right, or unset takes it away"
            )
        }
    };
    Failure::new(Code::Usage, format!("setting {name} from {origin}: {reason}"))
        .with("setting", name)
        .hint(format!("{name}: {}{remedy}", key.about))
}

fn look_up(document: &DocumentMut, key: Key) -> Option<String> {
    let item = match key.name.split_once('.') {
        None => document.get(key.name)?,
        Some((table, name)) => document.get(table)?.get(name)?,
    };
    match item {
        Item::Value(Value::String(text)) => Some(text.value().clone()),
        Item::Value(value) => Some(value.to_string().trim().to_owned()),
        // A table in its place is no value, and does not go unnoticed.
        item => Some(item.to_string().trim().to_owned()),
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
        let settings = Settings::load(&[], &env(&[]), &layers.files).expect("others can be used");
        assert_eq!(settings.duration(LOCK_TIMEOUT).expect("valid"), Duration::from_secs(30));
        let failure = settings.prefix().expect_err("invalid");
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
        let names: Vec<_> = settings.misfits().map(|misfit| misfit.name).collect();
        assert_eq!(names, ["shade", "lock.colour"]);
        assert_eq!(settings.gates(), Gates::default(), "what is no gate asks for nothing");
    }

    /// Whoever asks for something in words that say nothing does not get "nothing" for it.
    #[rstest]
    #[case("[gates]\ntsk = [\"criteria\"]\n", "gates.tsk")]
    #[case("[gates]\ntask = \"nonsense\"\n", "gates.task")]
    #[case("[gates]\ntask = \"\"\n", "gates.task")]
    #[case("[gates]\ntask = 3\n", "gates.task")]
    #[case("[gates.task]\n", "gates.task")]
    #[case("gates.task.of = \"criteria\"\n", "gates.task")]
    #[case("[[gates]]\n", "gates")]
    #[case("gates = [\"criteria\"]\n", "gates")]
    fn gates_that_are_not_understood_are_not_met(#[case] text: &str, #[case] name: &str) {
        let layers = layers("", text, "");
        let settings = Settings::load(&[], &env(&[]), &layers.files).expect("others can be used");
        let unclear = settings.gates().unclear;
        assert!(unclear.len() == 1 && unclear[0].contains(name), "{unclear:?}");
    }

    #[test]
    fn what_puts_a_wrong_value_right_works_with_the_default() {
        let layers = layers("", "[lock]\ntimeout = \"long\"\n", "");
        let settings = Settings::load(&[], &env(&[]), &layers.files).expect("read");
        assert!(settings.duration(LOCK_TIMEOUT).is_err());
        let settings = settings.with_defaults_for_faults();
        assert_eq!(settings.duration(LOCK_TIMEOUT).expect("valid"), Duration::from_secs(30));
    }
}
