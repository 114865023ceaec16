//! `setup git`: lets git merge items by `jerry merge-driver`.
//!
//! Two parts. Which files are merged so stands in `.gitattributes` in the store's folder, which is
//! committed; what the name there means stands in this repository's own configuration, because git
//! takes no commands from files that others wrote. One without the other harms nothing: git then
//! merges the files as text.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::section::Section;
use super::{Action, Part, State};
use crate::exit::{Code, Failure};
use crate::session::Session;

const ATTRIBUTES: &str = ".gitattributes";

const SECTION: Section<'_> = Section {
    preface: "",
    begin: "# jerry setup git: begin",
    end: "# jerry setup git: end",
    body: "\
# Merged field by field, where `jerry setup git` was run; as text elsewhere.
/data/items/*.json merge=jerry
/data/tombstones/*.json merge=jerry
",
};

const NAME: &str = "jerry merges items field by field";

pub(super) fn run(session: &Session, action: Action) -> Result<Vec<Part>, Failure> {
    let root = &session.place()?.root;
    let git = Repository { folder: root.clone() };
    git.require()?;
    let wanted = [("merge.jerry.name", NAME.to_owned()), ("merge.jerry.driver", driver()?)];
    let attributes = SECTION.apply(&session.store()?.files, root, Path::new(ATTRIBUTES), action)?;
    let mut parts =
        vec![Part::after(root.join(ATTRIBUTES).display().to_string(), attributes, action)];
    for (key, value) in &wanted {
        let was = git.state(key, value)?;
        match (action, was) {
            (Action::Write, State::Absent | State::Outdated) => git.set(key, value)?,
            (Action::Remove, State::Current | State::Outdated) => git.unset(key)?,
            _ => {}
        }
        parts.push(Part::after(format!("git config {key}"), was, action));
    }
    Ok(parts)
}

/// How git calls this program: by its name where the shell finds this very file under it, so that it
/// outlives an upgrade that moves it; by its path otherwise.
fn driver() -> Result<String, Failure> {
    let own = std::env::current_exe()
        .map_err(|error| Failure::io("cannot tell where jerry is", &error))?;
    let program = if is_on_path(&own) { "jerry".to_owned() } else { quoted(&own)? };
    Ok(format!("{program} merge-driver %O %A %B %P"))
}

fn is_on_path(own: &Path) -> bool {
    let Some(path) = std::env::var_os("PATH") else { return false };
    let name = format!("jerry{}", std::env::consts::EXE_SUFFIX);
    let found =
        std::env::split_paths(&path).find_map(|folder| folder.join(&name).canonicalize().ok());
    found.is_some() && found == own.canonicalize().ok()
}

/// A word of the shell, which on Windows too is the one that git brings.
fn quoted(path: &Path) -> Result<String, Failure> {
    let text = path.to_str().ok_or_else(|| {
        Failure::new(Code::Invalid, format!("the path {} is no text", path.display()))
            .hint("put jerry where the shell finds it")
    })?;
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.to_owned() };
    // git reads `%` as the beginning of a name of its own.
    Ok(format!("'{}'", text.replace('\'', r"'\''").replace('%', "%%")))
}

/// The repository that the store is in.
struct Repository {
    folder: PathBuf,
}

impl Repository {
    fn require(&self) -> Result<(), Failure> {
        match self.git(&["rev-parse", "--git-dir"])? {
            (Some(0), _) => Ok(()),
            _ => {
                let message = format!("{} is in no git repository", self.folder.display());
                Err(Failure::new(Code::Invalid, message).hint("make one with `git init`"))
            }
        }
    }

    fn state(&self, key: &str, wanted: &str) -> Result<State, Failure> {
        match self.git(&["config", "--local", "--get-all", key])? {
            (Some(0), found) if found.lines().eq([wanted]) => Ok(State::Current),
            (Some(0), _) => Ok(State::Outdated),
            (Some(1), _) => Ok(State::Absent),
            (_, said) => Err(failed(&format!("cannot read {key}"), &said)),
        }
    }

    fn set(&self, key: &str, value: &str) -> Result<(), Failure> {
        match self.git(&["config", "--local", "--replace-all", key, value])? {
            (Some(0), _) => Ok(()),
            (_, said) => Err(failed(&format!("cannot set {key}"), &said)),
        }
    }

    fn unset(&self, key: &str) -> Result<(), Failure> {
        match self.git(&["config", "--local", "--unset-all", key])? {
            (Some(0), _) => Ok(()),
            (_, said) => Err(failed(&format!("cannot unset {key}"), &said)),
        }
    }

    /// Runs git to its end: its exit status, and what it wrote.
    fn git(&self, arguments: &[&str]) -> Result<(Option<i32>, String), Failure> {
        let output =
            Command::new("git").arg("-C").arg(&self.folder).args(arguments).output().map_err(
                |error| match error.kind() {
                    io::ErrorKind::NotFound => Failure::new(Code::Invalid, "there is no git here")
                        .hint("install git, or put it where programs are looked for"),
                    _ => Failure::io("cannot run git", &error),
                },
            )?;
        let said = if output.status.success() { output.stdout } else { output.stderr };
        Ok((output.status.code(), String::from_utf8_lossy(&said).into_owned()))
    }
}

fn failed(what: &str, said: &str) -> Failure {
    Failure::new(Code::Storage, format!("{what} in git's configuration: {}", said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_of_the_shell_to_git() {
        let quoted = |path: &str| quoted(Path::new(path)).expect("text");
        assert_eq!(quoted("/a b/jerry"), "'/a b/jerry'");
        assert_eq!(quoted("/it's/100%/jerry"), r"'/it'\''s/100%%/jerry'");
    }
}
