//! `config`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;
use jerry_infra_fs::AtomicFiles;
use serde_json::{Value, json};

use super::Outcome;
use crate::complete;
use crate::composition::{self, NotChanged};
use crate::exit::{Code, Failure};
use crate::output::{Answer, Json, Style, line, warn};
use crate::session::Session;
use crate::settings::{self, Origin, Setting};

/// What `config` takes.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Print every setting
    Show {
        /// Also where each value comes from
        #[arg(long)]
        origin: bool,
    },
    /// Print one setting
    Get {
        /// The setting
        #[arg(add = ArgValueCandidates::new(complete::settings))]
        key: String,
    },
    /// Change a setting: in the store's committed file, unless said otherwise
    Set {
        /// The setting
        #[arg(add = ArgValueCandidates::new(complete::settings))]
        key: String,
        /// Its new value
        value: String,
        #[command(flatten)]
        file: Which,
    },
    /// Remove a setting, so that the next layer decides
    Unset {
        /// The setting
        #[arg(add = ArgValueCandidates::new(complete::settings))]
        key: String,
        #[command(flatten)]
        file: Which,
    },
}

#[derive(Debug, Args)]
struct Which {
    /// For this machine only: local/config.toml in the store
    #[arg(long, conflicts_with = "user")]
    local: bool,
    /// For this user, in every store
    #[arg(long)]
    user: bool,
}

impl Arguments {
    pub(crate) fn run(self, session: &Session) -> Outcome {
        match self.action.unwrap_or(Action::Show { origin: false }) {
            Action::Show { origin } => {
                session.warn_of_misfits()?;
                Ok(Box::new(Shown { settings: session.settings()?.all().to_vec(), origin }))
            }
            Action::Get { key } => {
                let settings = session.settings()?;
                let of_it = settings.misfits().filter(|misfit| misfit.name == key);
                of_it.for_each(|misfit| warn(&misfit.to_string()));
                let key = settings::key(&key)?;
                let mut all = settings.all().iter();
                let setting = all.find(|setting| setting.key == key).cloned();
                Ok(Box::new(One(setting.unwrap_or_else(|| key.by_default()))))
            }
            Action::Set { key, value, file } => {
                let key = settings::key(&key)?;
                let list = key.list(&value).map(Value::from);
                let edit =
                    |path: &Path, text: &str| settings::edited(path, text, key, Some(&value));
                let path = write(session, &file, edit)?;
                let json = list.unwrap_or_else(|| value.clone().into());
                Ok(Box::new(Written {
                    name: key.name.to_owned(),
                    value: Some((value, json)),
                    path,
                }))
            }
            Action::Unset { key: name, file } => {
                // What stands in a file and is no setting can be taken out, too.
                if !session.settings()?.misfits().any(|misfit| misfit.name == name) {
                    settings::key(&name)?;
                }
                let edit = |path: &Path, text: &str| settings::unset(path, text, &name);
                let path = write(session, &file, edit)?;
                Ok(Box::new(Written { name, value: None, path }))
            }
        }
    }
}

/// Makes `edit` in a settings file; answers in which.
fn write(
    session: &Session,
    which: &Which,
    edit: impl FnOnce(&Path, &str) -> Result<String, Failure>,
) -> Result<PathBuf, Failure> {
    let (files, name, path) = file(session, which)?;
    files.update_text(Path::new(name), |text| {
        let text = text.unwrap_or_default();
        let edited = edit(&path, text)?;
        Ok::<_, NotChanged>((edited != text).then_some(edited))
    })?;
    Ok(path)
}

/// The files among which the settings file is, its name there, and its whole path.
fn file(session: &Session, which: &Which) -> Result<(AtomicFiles, &'static str, PathBuf), Failure> {
    // What is wrong with a setting must not keep anybody from putting it right.
    let settings = session.settings()?.with_defaults_for_faults();
    if which.user {
        let path = session.settings_files()?.user.ok_or_else(|| {
            Failure::new(Code::Usage, "there is no place for a user's settings")
                .hint("set HOME or XDG_CONFIG_HOME")
        })?;
        let folder = path.parent().unwrap_or(&path);
        return Ok((composition::files(folder, &settings)?, settings::USER_FILE, path));
    }
    let root = &session.place()?.root;
    let files = composition::open(root, &settings)?.files;
    let name = if which.local { settings::LOCAL_FILE } else { settings::PROJECT_FILE };
    Ok((files, name, root.join(name)))
}

/// A list as one, unless it is none.
fn value(key: settings::Key, text: &str) -> Value {
    match text {
        "" => Value::Null,
        text => key.list(text).map_or_else(|| text.into(), Value::from),
    }
}

fn to_json(setting: &Setting) -> Value {
    let (origin, place) = match &setting.origin {
        Origin::Flag => ("flag", Value::Null),
        Origin::Environment(variable) => ("environment", (*variable).into()),
        Origin::File(path) => ("file", path.display().to_string().into()),
        Origin::Default => ("default", Value::Null),
    };
    json!({ "key": setting.key.name, "value": value(setting.key, &setting.value), "origin": origin, "place": place })
}

struct Shown {
    settings: Vec<Setting>,
    origin: bool,
}

impl Answer for Shown {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let settings: Vec<_> = self.settings.iter().map(to_json).collect();
        json.answer("settings", &json!({ "settings": settings }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        self.settings.iter().try_for_each(|setting| {
            write!(out, "{} = {}", setting.key.name, line(&setting.value))?;
            if self.origin {
                write!(out, "\t# {}", line(&setting.origin.to_string()))?;
            }
            writeln!(out)
        })
    }
}

struct One(Setting);

impl Answer for One {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        json.answer("setting", &json!({ "setting": to_json(&self.0) }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        writeln!(out, "{}", line(&self.0.value))
    }
}

struct Written {
    name: String,
    /// As it was given, and for programs.
    value: Option<(String, Value)>,
    path: PathBuf,
}

impl Answer for Written {
    fn json(&self, json: Json<'_>) -> io::Result<()> {
        let place = self.path.display().to_string();
        let value = self.value.as_ref().map(|(_, value)| value);
        let setting = json!({ "key": self.name, "value": value, "origin": "file", "place": place });
        json.answer("setting", &json!({ "setting": setting }))
    }

    fn text(&self, out: &mut dyn Write, _: Style) -> io::Result<()> {
        let (name, path) = (line(&self.name), self.path.display().to_string());
        match &self.value {
            Some((value, _)) => writeln!(out, "{name} = {} in {}", line(value), line(&path)),
            None => writeln!(out, "{name} is not set in {}", line(&path)),
        }
    }
}
