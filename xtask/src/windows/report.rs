//! What the runs came to: a line for each test binary, below it all that did not pass, and a line
//! for the whole.

use std::process::ExitCode;
use std::time::Duration;

use super::exceptions;

/// What became of one test binary.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Report {
    pub(super) passed: u64,
    /// Tests that fail, and whatever else is wrong.
    pub(super) failed: Vec<String>,
    /// Tests that fail for Wine's own reasons.
    pub(super) wines_own: Vec<String>,
    /// What was not tested, with the reason.
    pub(super) skipped: Vec<String>,
    pub(super) took: Duration,
}

impl Report {
    pub(super) fn skipped(why: &str) -> Self {
        Self { skipped: vec![format!("all of it: {why}")], ..Self::default() }
    }

    /// Reads what the test harness printed.
    pub(super) fn of(binary: &str, output: &str, ended: bool, took: Duration) -> Self {
        let mut report = Self { took, ..Self::default() };
        let said = output.lines().filter_map(|line| Some(line.split_once("SKIPPED ")?.1));
        report.skipped.extend(said.map(str::to_owned));
        let excused = report.skipped.len() as u64;
        let left_out = exceptions::hanging(binary).map(|(test, why)| format!("{test}: {why}"));
        report.skipped.extend(left_out);
        for (test, result) in output.lines().filter_map(result) {
            match (result, exceptions::of_failure(binary, test)) {
                ("ok", None) => report.passed += 1,
                ("ok", Some(_)) => report.failed.push(format!("{test}: passes, against its entry")),
                ("FAILED", Some(why)) => report.wines_own.push(format!("{test}: {why}")),
                ("FAILED", None) => report.failed.push(test.to_owned()),
                (ignored, _) => report.skipped.push(format!("{test}: {ignored}")),
            }
        }
        report.passed = report.passed.saturating_sub(excused);
        let over = output.lines().any(|line| line.starts_with("test result: "));
        if !ended {
            let running = unfinished(output).collect::<Vec<_>>().join(", ");
            report.failed.push(format!("it did not end; still running: {running}"));
        } else if !over {
            report.failed.push("it ended before its tests did".to_owned());
        }
        report
    }

    fn ran(&self) -> u64 {
        self.passed + (self.failed.len() + self.wines_own.len()) as u64
    }
}

/// A test's name and what became of it, from a line like `test a::b ... ok`.
fn result(line: &str) -> Option<(&str, &str)> {
    line.strip_prefix("test ")?.split_once(" ... ")
}

/// The tests that had been running for long and had no result.
fn unfinished(output: &str) -> impl Iterator<Item = &str> {
    let slow = |line| str::strip_prefix(line, "test ")?.split_once(" has been running for ");
    let slow = output.lines().filter_map(slow).map(|(test, _)| test);
    slow.filter(|test| !output.lines().filter_map(result).any(|(ended, _)| ended == *test))
}

/// All of it.
#[derive(Debug, Default)]
pub(super) struct Total {
    checked: Vec<&'static str>,
    binaries: u64,
    ran: u64,
    passed: u64,
    wines_own: u64,
    skipped: u64,
    failed: u64,
}

#[expect(clippy::print_stdout, reason = "the report goes to the terminal")]
impl Total {
    pub(super) fn checked(&mut self, target: &'static str, passes: bool) {
        println!("{target}: {}", if passes { "type-checks" } else { "does not type-check" });
        self.checked.push(target);
        self.failed += u64::from(!passes);
    }

    pub(super) fn ran(&mut self, binary: &str, report: &Report) {
        let counts = [
            ("ran", report.ran()),
            ("passed", report.passed),
            ("failed", report.failed.len() as u64),
            ("failed by Wine", report.wines_own.len() as u64),
            ("skipped", report.skipped.len() as u64),
        ];
        let counts = counts.map(|(what, count)| format!("{count} {what}")).join(", ");
        println!("{binary}: {counts}, {:.1} s", report.took.as_secs_f64());
        let sorts = [
            ("FAILED", &report.failed),
            ("failed by Wine", &report.wines_own),
            ("skipped", &report.skipped),
        ];
        for (sort, lines) in sorts {
            for line in lines {
                println!("    {sort}: {line}");
            }
        }
        self.binaries += 1;
        self.ran += report.ran();
        self.passed += report.passed;
        self.failed += report.failed.len() as u64;
        self.wines_own += report.wines_own.len() as u64;
        self.skipped += report.skipped.len() as u64;
    }

    /// Prints the last line, whose form the proof reads.
    pub(super) fn finish(&self) -> ExitCode {
        let Self { checked, binaries, ran, passed, failed, wines_own, skipped } = self;
        println!(
            "windows: {} targets checked, {binaries} binaries, {ran} ran, {passed} passed, \
             {failed} failed, {wines_own} failed by Wine, {skipped} skipped",
            checked.len()
        );
        if *failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_harness_prints_is_counted() {
        let output = "running 4 tests\n\
            test a::one ... ok\n\
            test a::two ... FAILED\n\
            test three ... ignored, started by another\n\
            test four ... ok\n\
            ---- four stdout ----\n\
            SKIPPED four: strace is missing\n\
            test result: FAILED. 2 passed; 1 failed; 1 ignored\n";
        let report = Report::of("x/y", output, true, Duration::ZERO);
        assert_eq!((report.ran(), report.passed), (2, 1));
        assert_eq!(report.failed, ["a::two"]);
        let skipped = ["four: strace is missing", "three: ignored, started by another"];
        assert_eq!(report.skipped, skipped);
    }

    #[test]
    fn a_binary_that_does_not_end_has_failed() {
        let output = "test a ... ok\ntest b has been running for over 60 seconds\n";
        let report = Report::of("x/y", output, false, Duration::ZERO);
        assert_eq!(report.failed, ["it did not end; still running: b"]);
        let report = Report::of("x/y", output, true, Duration::ZERO);
        assert_eq!(report.failed, ["it ended before its tests did"]);
    }
}
