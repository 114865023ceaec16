//! How much memory something takes, as the kernel counts it.

use std::fs;

/// What any text may take, and what each of its bytes may.
const FLOOR: u64 = 64 << 20;
const PER_BYTE: u64 = 256;

/// The most bytes that a text of `length` may take.
pub(super) fn allowed(length: usize) -> u64 {
    FLOOR + PER_BYTE * length as u64
}

/// How far the memory of this process grows while `job` runs; `None` where that is not told.
pub(super) fn peak_of<T>(job: impl FnOnce() -> T) -> Option<u64> {
    // 5 makes the kernel forget the peak so far.
    #[expect(clippy::disallowed_methods, reason = "no file: it tells the kernel something")]
    let before = fs::write("/proc/self/clear_refs", "5").ok().and_then(|()| bytes("VmRSS:"));
    drop(job());
    Some(bytes("VmHWM:")?.saturating_sub(before?))
}

fn bytes(field: &str) -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}
