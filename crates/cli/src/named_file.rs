//! Files that show something: how those are named who are shown them.

use std::fs;
use std::io;
use std::path::Path;

use crate::exit::{Code, Failure};
use crate::shell::working_tree;

/// The file at `path`, seen from the present folder, as everybody finds it who works on the same
/// tree: from the root of the working tree, or where there is none, from the folder that holds
/// `store`. One that lies outside is named in full.
///
/// A file that is not there shows nothing.
pub(crate) fn named_from_the_root(store: &Path, path: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::io(format_args!("cannot look at {path}"), &error);
    let wrong = |what| Err(Failure::new(Code::Usage, format!("{path} {what}")).with("path", path));
    match fs::metadata(path) {
        Ok(found) if found.is_file() => {}
        Ok(_) => return wrong("is not a file: name the file in it that shows it"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let message = format!("there is no file {path}");
            return Err(Failure::new(Code::Usage, message)
                .with("path", path)
                .hint("a path is meant from the present folder"));
        }
        Err(error) => return Err(failed(error)),
    }
    let full = std::path::absolute(path).map_err(failed)?;
    let here = std::env::current_dir().map_err(failed)?;
    let root = working_tree(&here).or(store.parent()).unwrap_or(&here);
    let (Some(folder), Some(name)) = (full.parent(), full.file_name()) else {
        return wrong("is not a file");
    };
    let folder = folder.canonicalize().map_err(failed)?;
    let inside = root
        .canonicalize()
        .ok()
        .and_then(|root| folder.strip_prefix(root).ok().map(|it| it.join(name)));
    match inside {
        Some(inside) => {
            let names = inside.components().map(|name| name.as_os_str().to_string_lossy());
            Ok(names.collect::<Vec<_>>().join("/"))
        }
        None => Ok(full.display().to_string()),
    }
}
