//! What cannot hold under Wine though jerry keeps it: each with the reason, which the report shows.

/// Binaries that are not run.
const BINARIES: [(&str, &str); 1] =
    [("jerry-tests/architecture", "asks cargo, which is no Windows program here")];

/// Tests, by binary, that fail for Wine's own reasons.
const FAILING: [(&str, &str, &str); 0] = [];

/// Tests, by binary, that do not end for Wine's own reasons and are left out.
const HANGING: [(&str, &str, &str); 0] = [];

/// Why a binary is not run, if it is not.
pub(super) fn of_binary(binary: &str) -> Option<&'static str> {
    BINARIES.iter().find(|(name, _)| *name == binary).map(|(_, why)| *why)
}

/// Why a test may fail here, if it may.
pub(super) fn of_failure(binary: &str, test: &str) -> Option<&'static str> {
    let found = FAILING.iter().find(|(name, failing, _)| *name == binary && *failing == test);
    found.map(|(_, _, why)| *why)
}

/// The tests of a binary that are left out.
pub(super) fn that_hang(binary: &str) -> impl Iterator<Item = &'static str> {
    hanging(binary).map(|(test, _)| test)
}

/// The tests of a binary that are left out, and why.
pub(super) fn hanging(binary: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_binary = HANGING.iter().filter(move |(name, _, _)| *name == binary);
    of_binary.map(|(_, test, why)| (*test, *why))
}
