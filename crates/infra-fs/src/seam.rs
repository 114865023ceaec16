//! The seam between jerry and the file system. Every step that changes files passes here, so that
//! the proof can record steps, refuse them, or do them otherwise, under the very code that users
//! run. Without the feature `proof` there is nothing here but the call.

use std::fs::File;
use std::path::Path;

/// One step on the file system.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// Opens a file that is there, or fails.
    Open(&'a Path),
    /// Creates an empty file where nothing is.
    CreateNew(&'a Path),
    /// Opens a file, or creates it empty.
    OpenOrCreate(&'a Path),
    /// Writes all of `bytes`, at the file's position or over what stands at an offset.
    Write {
        /// An open file.
        file: &'a File,
        /// What is written.
        bytes: &'a [u8],
        /// Where; `None` for the file's position.
        at: Option<u64>,
    },
    /// Cuts or extends a file.
    SetLen {
        /// An open file.
        file: &'a File,
        /// Its length from then on, in bytes.
        length: u64,
    },
    /// Changes a file's permissions.
    SetPermissions(&'a File),
    /// Makes a file's data durable.
    SyncFile(&'a File),
    /// Makes a directory's entries durable.
    SyncDir(&'a Path),
    /// Makes everything on the directory's file system durable.
    SyncFileSystem(&'a Path),
    /// Renames, over whatever is there.
    Rename {
        /// What it is called.
        from: &'a Path,
        /// What it will be called.
        to: &'a Path,
    },
    /// Renames where nothing is.
    RenameNew {
        /// What it is called.
        from: &'a Path,
        /// What it will be called.
        to: &'a Path,
    },
    /// Gives a file a second name.
    Link {
        /// What it is called.
        from: &'a Path,
        /// What it will be called too.
        to: &'a Path,
    },
    /// Removes a file.
    RemoveFile(&'a Path),
    /// Makes a directory.
    MakeDir(&'a Path),
    /// Removes an empty directory.
    RemoveDir(&'a Path),
}

/// Does a step.
#[cfg(not(feature = "proof"))]
#[inline(always)]
pub(crate) fn pass<T>(_: Step<'_>, run: impl FnOnce() -> T) -> T {
    run()
}

#[cfg(feature = "proof")]
pub use watched::{Watch, set_boot, watch};
#[cfg(feature = "proof")]
pub(crate) use watched::{boot, pass};

#[cfg(feature = "proof")]
mod watched {
    use std::cell::{Cell, RefCell};
    use std::io;

    use super::Step;

    /// Stands between jerry and the file system.
    pub trait Watch {
        /// Takes the place of `step`; `run` does it, and may be left out only with an error.
        /// What this answers is what jerry sees.
        ///
        /// # Errors
        /// Those of `run`, or whatever jerry shall see.
        fn pass(
            &mut self,
            step: Step<'_>,
            run: &mut dyn FnMut() -> io::Result<()>,
        ) -> io::Result<()>;
    }

    thread_local! {
        static WATCH: RefCell<Option<Box<dyn Watch>>> = const { RefCell::new(None) };
        static BOOT: Cell<Option<&'static str>> = const { Cell::new(None) };
    }

    /// Sets who watches the steps of this thread, and returns who did before.
    pub fn watch(watch: Option<Box<dyn Watch>>) -> Option<Box<dyn Watch>> {
        WATCH.replace(watch)
    }

    /// Makes this thread believe in another boot of the machine; `None` for the real one.
    pub fn set_boot(boot: Option<&'static str>) {
        BOOT.set(boot);
    }

    pub(crate) fn boot() -> Option<&'static str> {
        BOOT.get()
    }

    pub(crate) fn pass<T>(step: Step<'_>, run: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        WATCH.with_borrow_mut(|watch| match watch {
            None => run(),
            Some(watch) => {
                let (mut run, mut done) = (Some(run), None);
                let passed = watch.pass(step, &mut || match run.take().map(|run| run()) {
                    Some(Ok(value)) => {
                        done = Some(value);
                        Ok(())
                    }
                    Some(Err(error)) => Err(error),
                    None => Err(io::Error::other("a step is done once")),
                });
                passed.and_then(|()| done.ok_or_else(|| io::Error::other("the step was not done")))
            }
        })
    }
}
