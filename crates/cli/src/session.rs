//! What a command works with: its options, its surroundings, and the store, opened when it is
//! first needed.

use std::cell::OnceCell;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jerry_application::{History, Modify, Ports, Query, Request};
use jerry_domain::{Actor, Credentials, MAX_ITEM_BYTES, SessionName, Timestamp, WorkId};
use jerry_infra_fs::Located;

use crate::args::Global;
use crate::composition::{self, Store};
use crate::exit::{Code, Failure};
use crate::output::{Style, warn};
use crate::settings::{self, Env, Files, Settings};
use crate::shell::Shell;

/// One run of the program.
pub struct Session {
    /// What every command takes.
    pub global: Global,
    /// How standard output is to be written.
    pub style: Style,
    env: Env,
    place: OnceCell<Located>,
    settings: OnceCell<Settings>,
    store: OnceCell<Store>,
}

impl Session {
    /// A session that has looked at nothing yet.
    #[must_use]
    pub fn new(global: Global, style: Style, env: Env) -> Self {
        Self {
            global,
            style,
            env,
            place: OnceCell::new(),
            settings: OnceCell::new(),
            store: OnceCell::new(),
        }
    }

    /// The same session with a store that is open already.
    #[cfg(test)]
    pub(crate) fn over(self, place: Located, store: Store) -> Self {
        Self { place: OnceCell::from(place), store: OnceCell::from(store), ..self }
    }

    /// Where the store is.
    ///
    /// # Errors
    /// [`Code::NoStore`] when there is none.
    pub fn place(&self) -> Result<&Located, Failure> {
        once(&self.place, || composition::locate(self.global.store.as_deref(), &self.env))
    }

    /// Where a new store would be.
    ///
    /// # Errors
    /// When it cannot be told.
    pub fn new_place(&self) -> Result<Located, Failure> {
        composition::locate_new(self.global.store.as_deref(), &self.env)
    }

    /// The settings in force; those of the user alone where there is no store.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn settings(&self) -> Result<&Settings, Failure> {
        once(&self.settings, || self.load(&self.settings_files()?))
    }

    /// Warns about what the settings say and nobody understands: whoever writes relies on them.
    pub(crate) fn warn_of_misfits(&self) -> Result<(), Failure> {
        self.settings()?.misfits().for_each(|misfit| warn(&misfit.to_string()));
        Ok(())
    }

    /// The settings as they are with the store at `root`.
    ///
    /// # Errors
    /// As [`Session::settings`].
    pub fn settings_of(&self, root: &Path) -> Result<Settings, Failure> {
        self.load(&Files::of(Some(root), &self.env))
    }

    fn load(&self, files: &Files) -> Result<Settings, Failure> {
        let flags = [
            (settings::ACTOR, self.global.actor.as_deref()),
            (settings::LOCK_TIMEOUT, self.global.lock_timeout.as_deref()),
        ];
        Settings::load(&flags, &self.env, files)
    }

    /// The settings files, of which any may be absent.
    ///
    /// # Errors
    /// When it cannot be told where the store is; that there is none is no error.
    pub fn settings_files(&self) -> Result<Files, Failure> {
        let root = match self.place() {
            Ok(place) => Some(place.root.as_path()),
            Err(failure) if failure.code == Code::NoStore => None,
            Err(failure) => return Err(failure),
        };
        Ok(Files::of(root, &self.env))
    }

    /// The store, open.
    ///
    /// # Errors
    /// [`Code::NoStore`] when there is none, and why it cannot be opened.
    pub fn store(&self) -> Result<&Store, Failure> {
        once(&self.store, || {
            let store = composition::open(&self.place()?.root, self.settings()?)?;
            for warning in &store.warnings {
                warn(warning);
            }
            Ok(store)
        })
    }

    /// The ports of the store.
    ///
    /// # Errors
    /// As [`Session::store`].
    pub fn ports(&self) -> Result<Ports, Failure> {
        Ok(self.store()?.ports.clone())
    }

    pub(crate) fn query(&self) -> Result<Query, Failure> {
        Ok(Query::new(self.ports()?))
    }

    pub(crate) fn history(&self) -> Result<History, Failure> {
        Ok(History::new(self.ports()?))
    }

    pub(crate) fn modify(&self) -> Result<Modify, Failure> {
        Ok(Modify::new(self.ports()?))
    }

    /// Who acts.
    ///
    /// # Errors
    /// [`Code::Invalid`] when the name cannot be an actor's.
    pub fn actor(&self) -> Result<Actor, Failure> {
        match self.settings()?.get(settings::ACTOR)?.value.as_str() {
            "" => Ok(Actor::new(&composition::user_at_host())?),
            name => Ok(Actor::new(name)?),
        }
    }

    /// What shows that a claim is the actor's. A fence of the environment counts for the item
    /// that the environment names, if it names one; without `id` none counts.
    ///
    /// # Errors
    /// [`Code::Usage`] for a fence that is no number, [`Code::Invalid`] for a name that cannot be a
    /// session's.
    pub fn credentials(&self, id: Option<&WorkId>) -> Result<Credentials, Failure> {
        let session = match self.global.session.clone() {
            None => self.variable("JERRY_SESSION")?,
            given => given,
        };
        let session = session.map(|name| SessionName::new(&name)).transpose()?;
        let is_of_item = match self.own_item()? {
            Some(item) => Some(&item) == id,
            None => id.is_some(),
        };
        let fence = match self.global.fence {
            None if is_of_item => self
                .variable("JERRY_FENCE")?
                .map(|text| {
                    text.parse().map_err(|_| {
                        Failure::new(Code::Usage, format!("JERRY_FENCE is no number: '{text}'"))
                    })
                })
                .transpose()?,
            given => given.filter(|_| id.is_some()),
        };
        Ok(Credentials { session, fence, ..Credentials::default() })
    }

    /// The item that whoever started this process gave it to work on, if any.
    ///
    /// # Errors
    /// [`Code::Usage`] when `JERRY_ITEM` is no id.
    pub fn own_item(&self) -> Result<Option<WorkId>, Failure> {
        let named = |it: Failure| Failure { message: format!("JERRY_ITEM: {}", it.message), ..it };
        self.variable("JERRY_ITEM")?.map(|item| self.id(&item).map_err(named)).transpose()
    }

    fn variable(&self, name: &str) -> Result<Option<String>, Failure> {
        match (self.env)(name).filter(|value| !value.is_empty()) {
            Some(value) => value.into_string().map(Some).map_err(|value| {
                Failure::new(Code::Usage, format!("{name} is not text: {}", value.display()))
            }),
            None => Ok(None),
        }
    }

    /// What runs commands for an item: they act as `request` does, on this store.
    ///
    /// # Errors
    /// When the present folder or the store cannot be told.
    pub(crate) fn shell(&self, request: &Request) -> Result<Shell, Failure> {
        let folder = std::env::current_dir()
            .map_err(|error| Failure::io("cannot tell the present folder", &error))?;
        let variables = self.variables(&request.actor, &request.credentials)?;
        Ok(Shell::around(&folder, variables))
    }

    /// What a program is told that works for `actor` with these credentials: wherever it stands, it
    /// works on this store.
    ///
    /// # Errors
    /// When the present folder or the store cannot be told.
    pub(crate) fn variables(
        &self,
        actor: &Actor,
        credentials: &Credentials,
    ) -> Result<Vec<(&'static str, OsString)>, Failure> {
        let store = std::path::absolute(&self.place()?.root)
            .map_err(|error| Failure::io("cannot tell where the store is", &error))?;
        let mut variables =
            vec![("JERRY_STORE", store.into()), ("JERRY_ACTOR", actor.as_str().into())];
        let Credentials { session, fence, .. } = credentials;
        variables.extend(session.as_ref().map(|name| ("JERRY_SESSION", name.as_str().into())));
        variables.extend(fence.map(|fence| ("JERRY_FENCE", fence.to_string().into())));
        Ok(variables)
    }

    /// How long a claim stands.
    ///
    /// # Errors
    /// A value that is not allowed.
    pub fn lease(&self) -> Result<Duration, Failure> {
        self.settings()?.duration(settings::LEASE)
    }

    /// The id that a person typed.
    ///
    /// # Errors
    /// [`Code::Usage`] when it is none.
    pub fn id(&self, typed: &str) -> Result<WorkId, Failure> {
        // A full id needs no settings, which would have to be read.
        match typed.parse() {
            Ok(id) => Ok(id),
            Err(_) => Ok(WorkId::parse_lenient(typed, &self.settings()?.prefix()?)?),
        }
    }

    /// Asks a question that only `y` answers with yes. Without a terminal there is nobody to ask,
    /// and the command itself was the yes.
    ///
    /// # Errors
    /// When the terminal cannot be used.
    pub fn confirm(&self, question: &str) -> Result<bool, Failure> {
        if self.global.yes || !io::stdin().is_terminal() || !io::stderr().is_terminal() {
            return Ok(true);
        }
        let unanswered = |error| Failure::io("cannot ask", &error);
        let mut error = io::stderr().lock();
        write!(error, "{question} [y/N] ").and_then(|()| error.flush()).map_err(unanswered)?;
        let mut answer = String::new();
        if io::stdin().lock().read_line(&mut answer).map_err(unanswered)? == 0 {
            // Nobody ended the line of the question.
            writeln!(error).map_err(unanswered)?;
        }
        Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
    }
}

/// A session's name that no other process has: none that comes to the same id later, and none in a
/// container, where ids begin anew.
pub(crate) fn own_name(kind: &str) -> Result<SessionName, Failure> {
    let since = Timestamp::now().as_microsecond();
    Ok(SessionName::new(&format!("{kind}-{}-{since:x}", std::process::id()))?)
}

fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> Result<T, Failure>) -> Result<&T, Failure> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let value = make()?;
    Ok(cell.get_or_init(|| value))
}

/// A text given as an argument, in a file, or (`-`) on standard input.
pub(crate) fn text(
    argument: Option<String>,
    file: Option<&PathBuf>,
) -> Result<Option<String>, Failure> {
    match (argument, file) {
        (_, Some(path)) if path.as_os_str() != "-" => read_file(path).map(Some),
        (_, Some(_)) => stdin_with_text().map(Some),
        (Some(text), None) if text == "-" => stdin_with_text().map(Some),
        (text, None) => Ok(text),
    }
}

/// A short text given as an argument or (`-`) on standard input.
pub(crate) fn short_text(argument: Option<String>) -> Result<Option<String>, Failure> {
    match argument.as_deref() {
        Some("-") => Ok(Some(stdin_with_text()?.trim_end().to_owned())),
        _ => Ok(argument),
    }
}

/// Nothing at all is more likely a mistake than a text: a command before the pipe that failed, or
/// a second `-` in one command.
fn stdin_with_text() -> Result<String, Failure> {
    let text = read_stdin()?;
    if text.trim().is_empty() {
        return Err(Failure::new(Code::Usage, "there is no text on standard input")
            .hint("only one argument can be read from it"));
    }
    Ok(text)
}

/// All that a file, or (`-`) standard input, holds.
pub(crate) fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let read = match path.as_os_str() == "-" {
        true => io::stdin().lock().read_to_end(&mut bytes),
        false => open(path)?.read_to_end(&mut bytes),
    };
    read.map_err(|error| Failure::io(format_args!("cannot read {name}"), &error))?;
    Ok(bytes)
}

/// All of standard input, as text.
pub(crate) fn read_stdin() -> Result<String, Failure> {
    read_text(io::stdin().lock(), "standard input")
}

fn read_file(path: &Path) -> Result<String, Failure> {
    read_text(open(path)?, &path.display().to_string())
}

/// A file that is not there, or is a folder, is a wrong argument, not a fault of the disk.
fn open(path: &Path) -> Result<File, Failure> {
    let name = path.display().to_string();
    let wrong = |said| Failure::new(Code::Usage, said).with("path", name.as_str());
    let opened = File::open(path).and_then(|file| Ok((file.metadata()?.is_dir(), file)));
    match opened {
        Ok((false, file)) => Ok(file),
        Ok((true, _)) => Err(wrong(format!("{name} is a folder, not a file"))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(wrong(format!("there is no file {name}")))
        }
        Err(error) => Err(Failure::io(format_args!("cannot read {name}"), &error)),
    }
}

/// No text is longer than an item may be.
fn read_text(source: impl Read, name: &str) -> Result<String, Failure> {
    let mut bytes = Vec::new();
    source
        .take(MAX_ITEM_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Failure::io(format_args!("cannot read {name}"), &error))?;
    if bytes.len() as u64 > MAX_ITEM_BYTES {
        return Err(Failure::new(Code::TooLarge, format!("{name} holds more than 4 MiB")));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Failure::new(Code::Invalid, format!("{name} is not UTF-8 text from byte {at} on"))
    })
}
