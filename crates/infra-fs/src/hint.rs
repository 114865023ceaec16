//! A hint that items may have changed: inotify on Linux; elsewhere there is none, and one looks
//! more often.
//!
//! The kernel tells of no writes by other machines or through another mount, its queue may run over,
//! a folder may be exchanged for another. None of that loses a change, for whoever watches looks at
//! the items again in any case; the hint only spares most of the looks that would find nothing.

use std::path::PathBuf;
use std::time::Duration;

use jerry_domain::ports::ChangeHint;

use crate::layout::Layout;

/// Listens at the folders of the items and the tombstones.
pub(crate) struct FsHint {
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "there is no hint"))]
    folders: [PathBuf; 2],
    #[cfg(target_os = "linux")]
    inotify: Option<std::os::fd::OwnedFd>,
}

impl FsHint {
    pub(crate) fn new(layout: &Layout) -> Self {
        Self {
            folders: [layout.items(), layout.tombstones()],
            #[cfg(target_os = "linux")]
            inotify: None,
        }
    }
}

#[cfg(target_os = "linux")]
impl ChangeHint for FsHint {
    /// Each time anew: a folder that was exchanged is another one for the kernel. One that is
    /// listened at already stays as it is.
    fn arm(&mut self) -> bool {
        use rustix::fs::inotify::{CreateFlags, WatchFlags, add_watch, init};
        let wanted = WatchFlags::CREATE
            | WatchFlags::MOVED_TO
            | WatchFlags::MOVED_FROM
            | WatchFlags::CLOSE_WRITE
            | WatchFlags::DELETE
            | WatchFlags::ONLYDIR;
        if self.inotify.is_none() {
            self.inotify = init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).ok();
        }
        let Some(inotify) = &self.inotify else { return false };
        let listens = |folder| add_watch(inotify, folder, wanted).is_ok();
        // Before the first deletion there may be no folder of tombstones; whoever deletes an item
        // changes its folder too.
        let armed = listens(&self.folders[0]);
        listens(&self.folders[1]);
        // The look to come sees what these are about.
        drain(inotify);
        armed
    }

    fn wait(&mut self, at_least: Duration, at_most: Duration) -> bool {
        use std::time::Instant;

        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let until = Instant::now() + at_most.max(at_least);
        std::thread::sleep(at_least);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some(inotify) = self.inotify.as_ref().filter(|_| !left.is_zero()) else {
                std::thread::sleep(left);
                return false;
            };
            let timeout = Timespec::try_from(left).ok();
            match poll(&mut [PollFd::new(inotify, PollFlags::IN)], timeout.as_ref()) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) if drain(inotify) => return true,
                Ok(_) => {}
                Err(_) => self.inotify = None,
            }
        }
    }
}

/// Takes what the kernel has told; whether any of it may be about an item. Temporary files are not.
#[cfg(target_os = "linux")]
fn drain(inotify: &std::os::fd::OwnedFd) -> bool {
    use std::mem::MaybeUninit;

    use rustix::fs::inotify::Reader;
    let mut buffer = [MaybeUninit::uninit(); 8192];
    let mut events = Reader::new(inotify, &mut buffer);
    let mut counts = false;
    while let Ok(event) = events.next() {
        // What has no name is about the folder, or says that the queue ran over.
        counts |= event.file_name().is_none_or(|name| !name.to_bytes().starts_with(b"."));
    }
    counts
}

#[cfg(not(target_os = "linux"))]
impl ChangeHint for FsHint {
    fn arm(&mut self) -> bool {
        false
    }

    fn wait(&mut self, at_least: Duration, at_most: Duration) -> bool {
        std::thread::sleep(at_most.max(at_least));
        false
    }
}

#[cfg(all(test, target_os = "linux"))]
#[expect(clippy::disallowed_methods, reason = "changes files as other programs do")]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Instant;

    use rstest::rstest;

    use super::*;

    /// Longer than any test may take.
    const LONG: Duration = Duration::from_secs(600);

    fn store() -> (tempfile::TempDir, FsHint) {
        let folder = tempfile::tempdir().expect("a folder");
        fs::create_dir_all(folder.path().join("data/items")).expect("made");
        let hint = FsHint::new(&Layout::new(folder.path().to_owned()));
        (folder, hint)
    }

    fn rename_into_place(item: &Path) {
        let temp = item.with_file_name(".temp");
        fs::write(&temp, "x").expect("written");
        fs::rename(temp, item).expect("renamed");
    }

    #[rstest]
    #[case::replaced(rename_into_place)]
    #[case::written(|item: &Path| fs::write(item, "x").expect("written"))]
    #[case::removed(|item: &Path| {
        fs::write(item, "x").expect("written");
        fs::remove_file(item).expect("removed");
    })]
    fn what_happens_between_arming_and_waiting_is_told(#[case] change: fn(&Path)) {
        let (folder, mut hint) = store();
        assert!(hint.arm());
        change(&folder.path().join("data/items/WORK-001.json"));
        // Without the hint this would not come back while anybody waits for the test.
        hint.wait(Duration::ZERO, LONG);
    }

    #[test]
    fn a_folder_that_was_exchanged_is_listened_at_again() {
        let (folder, mut hint) = store();
        assert!(hint.arm());
        let items = folder.path().join("data/items");
        fs::remove_dir(&items).expect("removed");
        assert!(!hint.arm());
        fs::create_dir(&items).expect("made");
        assert!(hint.arm());
        rename_into_place(&items.join("WORK-001.json"));
        hint.wait(Duration::ZERO, LONG);
    }

    #[test]
    fn temporary_files_are_no_hint_and_a_wait_ends() {
        let (folder, mut hint) = store();
        assert!(hint.arm());
        fs::write(folder.path().join("data/items/.WORK-001.json.tmp"), "x").expect("written");
        let (begun, at_most) = (Instant::now(), Duration::from_millis(20));
        hint.wait(Duration::ZERO, at_most);
        assert!(begun.elapsed() >= at_most);
    }

    #[test]
    fn no_wait_is_shorter_than_asked() {
        let (folder, mut hint) = store();
        assert!(hint.arm());
        rename_into_place(&folder.path().join("data/items/WORK-001.json"));
        let (begun, at_least) = (Instant::now(), Duration::from_millis(20));
        hint.wait(at_least, LONG);
        assert!(begun.elapsed() >= at_least);
    }
}
