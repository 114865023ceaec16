//! Where everything lies inside a store.

use std::path::{Component, Path, PathBuf};

use jerry_domain::WorkId;

/// The folders and files of one store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// What the root folder is called.
    pub const ROOT_NAME: &'static str = ".jerry";

    /// The layout of the store whose root folder (`…/.jerry`) is `root`. Looks at nothing.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The root folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Settings that are committed.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.root.join("config.toml")
    }

    /// What belongs to this machine alone and is not committed.
    #[must_use]
    pub fn local(&self) -> PathBuf {
        self.root.join("local")
    }

    /// The lock files.
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.root.join("local").join("locks")
    }

    pub(crate) fn workers(&self) -> PathBuf {
        self.root.join("local").join("workers")
    }

    pub(crate) fn backups(&self) -> PathBuf {
        self.root.join("local").join("backups")
    }

    pub(crate) fn cursors(&self) -> PathBuf {
        self.root.join("local").join("cursors")
    }

    pub(crate) fn ignore_file(&self) -> PathBuf {
        self.root.join(".gitignore")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("data")
    }

    pub(crate) fn format(&self) -> PathBuf {
        self.root.join("data").join("format.json")
    }

    /// The items, one file each.
    #[must_use]
    pub fn items(&self) -> PathBuf {
        self.root.join("data").join("items")
    }

    /// The file of one item.
    #[must_use]
    pub fn item(&self, id: &WorkId) -> PathBuf {
        self.items().join(format!("{id}.json"))
    }

    pub(crate) fn tombstones(&self) -> PathBuf {
        self.root.join("data").join("tombstones")
    }

    pub(crate) fn tombstone(&self, id: &WorkId) -> PathBuf {
        self.tombstones().join(format!("{id}.json"))
    }

    pub(crate) fn sequences(&self) -> PathBuf {
        self.root.join("data").join("sequences.json")
    }

    pub(crate) fn journal(&self) -> PathBuf {
        self.root.join("data").join("journal.json")
    }

    pub(crate) fn index(&self) -> PathBuf {
        self.root.join("data").join("index.json")
    }

    /// `path` as people of this store say it: relative to the root, with `/` on
    /// every system.
    pub(crate) fn relative(&self, path: &Path) -> String {
        match path.strip_prefix(&self.root) {
            Ok(inside) => shown(inside),
            Err(_) => path.display().to_string(),
        }
    }
}

/// A relative path with `/` on every system.
pub(crate) fn shown(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Whether `part` of a path is a name of its own, and not a step to somewhere else.
pub(crate) fn is_plain_name(part: Component<'_>) -> bool {
    let Component::Normal(name) = part else { return false };
    !(cfg!(windows) && is_special_on_windows(&name.to_string_lossy()))
}

/// Names under which Windows has something else than a file of that name: a device, whose opening
/// may never end; a stream within another file; a file whose name lacks the last character.
fn is_special_on_windows(name: &str) -> bool {
    const DEVICES: [&str; 6] = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"];
    let stem = name.split('.').next().unwrap_or(name).trim_end().to_uppercase();
    let port = stem.strip_prefix("COM").or_else(|| stem.strip_prefix("LPT"));
    DEVICES.contains(&stem.as_str())
        || port.is_some_and(|port| port.chars().count() == 1 && port.chars().all(char::is_numeric))
        || name.contains(':')
        || name.ends_with(['.', ' '])
}

/// The id that a file in `items` or `tombstones` is named after; `None` for any other file.
pub(crate) fn id_of_file(name: &str) -> Option<WorkId> {
    name.strip_suffix(".json")?.parse().ok()
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("AUX", true)]
    #[case("con.json", true)]
    #[case("nul .tar.gz", true)]
    #[case("COM1", true)]
    #[case("lpt9.txt", true)]
    #[case("COM¹", true)]
    #[case("WORK-001.json:stream", true)]
    #[case("WORK-001.json.", true)]
    #[case("WORK-001.json ", true)]
    #[case("WORK-001.json", false)]
    #[case("AUX-001.json", false)]
    #[case("COM10", false)]
    #[case("command.json", false)]
    #[case(".jerry", false)]
    fn names_that_windows_takes_for_something_else(#[case] name: &str, #[case] expected: bool) {
        assert_eq!(is_special_on_windows(name), expected);
        let plain = is_plain_name(Component::Normal(name.as_ref()));
        assert_eq!(plain, !(cfg!(windows) && expected));
    }

    #[test]
    fn a_path_is_shown_alike_on_every_system() {
        let layout = Layout::new(PathBuf::from("store").join(Layout::ROOT_NAME));
        assert_eq!(layout.relative(&layout.sequences()), "data/sequences.json");
    }
}
