//! Finds the store that a command means.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::layout::{self, Layout};

/// What a command knows of where its store is.
#[derive(Debug, Clone, Default)]
pub struct Whereabouts {
    /// `--store`: the root folder itself, or the folder that holds it.
    pub flag: Option<PathBuf>,
    /// `JERRY_STORE`, likewise.
    pub environment: Option<PathBuf>,
    /// `JERRY_PROJECT`: a name under `projects/` of the repository root.
    pub project: Option<String>,
    /// Where the command runs.
    pub directory: PathBuf,
}

/// Why it is this store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// `--store` names it.
    Flag,
    /// `JERRY_STORE` names it.
    Environment,
    /// `JERRY_PROJECT` names it.
    Project(String),
    /// It is the nearest one upwards.
    Upwards,
    /// The command runs in a linked git worktree, which shares the main worktree's store.
    MainWorktree,
}

/// A store's root folder and why it is this one. Whether a store is there is not said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The root folder, `…/.jerry`.
    pub root: PathBuf,
    /// Why.
    pub reason: Reason,
}

/// Why no store was found.
#[derive(Debug, thiserror::Error)]
pub enum LocateError {
    /// There is none from the directory upwards.
    #[error("there is no .jerry in {directory} or above it")]
    NotFound {
        /// Where the search began.
        directory: PathBuf,
    },
    /// A project's name must be one folder's name.
    #[error("'{name}' is not the name of a project: it must be one folder's name")]
    ProjectName {
        /// The name.
        name: String,
    },
    /// The way could not be looked at.
    #[error("cannot look at {path}")]
    Io {
        /// Where.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag => f.write_str("named by --store"),
            Self::Environment => f.write_str("named by JERRY_STORE"),
            Self::Project(name) => write!(f, "project {name}, named by JERRY_PROJECT"),
            Self::Upwards => f.write_str("the nearest .jerry upwards"),
            Self::MainWorktree => {
                f.write_str("the main worktree's; every linked git worktree shares it")
            }
        }
    }
}

/// Finds the root folder of the store that `whereabouts` means, like git finds its own.
///
/// # Errors
/// [`LocateError`].
pub fn locate(whereabouts: &Whereabouts) -> Result<Located, LocateError> {
    let Whereabouts { flag, environment, project, directory } = whereabouts;
    if let Some(root) = flag {
        return Ok(Located { root: named(directory, root)?, reason: Reason::Flag });
    }
    if let Some(root) = environment {
        return Ok(Located { root: named(directory, root)?, reason: Reason::Environment });
    }
    let repository = Repository::around(directory)?;
    if let Some(name) = project {
        let root = project_root(directory, repository.as_ref(), name)?;
        return Ok(Located { root, reason: Reason::Project(name.clone()) });
    }
    if let Some(Repository { worktree, main: Some(main) }) = &repository {
        // The same way down in the main worktree as here.
        for above in directory.ancestors().take_while(|above| above.starts_with(worktree)) {
            let below = above.strip_prefix(worktree).unwrap_or(Path::new(""));
            let root = main.join(below).join(Layout::ROOT_NAME);
            if is_folder(&root)? {
                return Ok(Located { root, reason: Reason::MainWorktree });
            }
        }
    }
    for above in directory.ancestors() {
        let root = above.join(Layout::ROOT_NAME);
        if is_folder(&root)? {
            return Ok(Located { root, reason: Reason::Upwards });
        }
    }
    Err(LocateError::NotFound { directory: directory.clone() })
}

/// Where `jerry init` makes a store: where one is named, else in the main worktree's root, else in
/// the directory itself.
///
/// # Errors
/// [`LocateError`].
pub fn locate_new(whereabouts: &Whereabouts) -> Result<Located, LocateError> {
    match locate(whereabouts) {
        Ok(located) if located.reason != Reason::Upwards => Ok(located),
        Ok(_) | Err(LocateError::NotFound { .. }) => {
            let directory = &whereabouts.directory;
            let repository = Repository::around(directory)?;
            Ok(match repository {
                Some(Repository { main: Some(main), .. }) => {
                    Located { root: main.join(Layout::ROOT_NAME), reason: Reason::MainWorktree }
                }
                _ => Located { root: directory.join(Layout::ROOT_NAME), reason: Reason::Upwards },
            })
        }
        Err(error) => Err(error),
    }
}

/// A path that names a store: its root folder, or the folder that holds it.
fn named(directory: &Path, path: &Path) -> Result<PathBuf, LocateError> {
    let path = directory.join(path);
    let is_root = path.file_name().is_some_and(|name| name == Layout::ROOT_NAME);
    if is_root || is_folder(&path.join("data"))? {
        Ok(path)
    } else {
        Ok(path.join(Layout::ROOT_NAME))
    }
}

fn project_root(
    directory: &Path,
    repository: Option<&Repository>,
    name: &str,
) -> Result<PathBuf, LocateError> {
    let mut parts = Path::new(name).components();
    if !(parts.next().is_some_and(layout::is_plain_name) && parts.next().is_none()) {
        return Err(LocateError::ProjectName { name: name.to_owned() });
    }
    let top = repository
        .map_or(directory, |repository| repository.main.as_deref().unwrap_or(&repository.worktree));
    Ok(top.join("projects").join(name).join(Layout::ROOT_NAME))
}

/// The git worktree around a directory.
struct Repository {
    /// Its top folder.
    worktree: PathBuf,
    /// The main worktree's top folder, when this is a linked one.
    main: Option<PathBuf>,
}

impl Repository {
    fn around(directory: &Path) -> Result<Option<Self>, LocateError> {
        for above in directory.ancestors() {
            let git = above.join(".git");
            let found = crate::fault::if_present(std::fs::metadata(&git))
                .map_err(|source| LocateError::Io { path: git.clone(), source })?;
            if let Some(found) = found {
                let main = if found.is_file() { main_worktree(above, &git)? } else { None };
                return Ok(Some(Self { worktree: above.to_owned(), main }));
            }
        }
        Ok(None)
    }
}

/// Follows a linked worktree's `.git` file: it names a folder whose `commondir` names the
/// repository, which lies in the main worktree. A submodule's has no `commondir`, and a bare
/// repository has no main worktree.
fn main_worktree(worktree: &Path, git_file: &Path) -> Result<Option<PathBuf>, LocateError> {
    let read = |path: &Path| {
        crate::fault::if_present(std::fs::read_to_string(path))
            .map_err(|source| LocateError::Io { path: path.to_owned(), source })
    };
    let Some(text) = read(git_file)? else { return Ok(None) };
    let Some(folder) = text.trim().strip_prefix("gitdir:") else { return Ok(None) };
    let folder = worktree.join(folder.trim());
    let Some(common) = read(&folder.join("commondir"))? else { return Ok(None) };
    let common = folder.join(common.trim());
    let common = std::fs::canonicalize(&common)
        .map_err(|source| LocateError::Io { path: common.clone(), source })?;
    let in_worktree = common.file_name().is_some_and(|name| name == ".git");
    Ok(if in_worktree { common.parent().map(Path::to_owned) } else { None })
}

fn is_folder(path: &Path) -> Result<bool, LocateError> {
    // A file where a folder should be is not a way that leads on either.
    match std::fs::metadata(path) {
        Ok(found) => Ok(found.is_dir()),
        Err(error)
            if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
        {
            Ok(false)
        }
        Err(source) => Err(LocateError::Io { path: path.to_owned(), source }),
    }
}
