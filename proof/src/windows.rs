//! The tests as Windows programs under Wine: runs `cargo xtask windows` and reads its report.

use std::process::{Command, Stdio};

use crate::effort::{Effort, Measure};
use crate::outcome::Outcome;

pub(crate) fn run(effort: &Effort) -> Outcome {
    let mut outcome = Outcome::new("tests");
    if effort.measure == Measure::Bounded {
        outcome.skipped.push("only in a full run, or by `cargo xtask windows`".to_owned());
        return outcome;
    }
    let mut task = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    task.args(["xtask", "windows"]).current_dir(env!("CARGO_MANIFEST_DIR"));
    match task.stderr(Stdio::inherit()).output() {
        Ok(output) => {
            read(&String::from_utf8_lossy(&output.stdout), &mut outcome);
            if !output.status.success() && outcome.violations.is_empty() {
                outcome
                    .violations
                    .push(format!("`cargo xtask windows` ends with {}", output.status));
            }
        }
        Err(error) => outcome.violations.push(format!("`cargo xtask windows` fails: {error}")),
    }
    outcome
}

/// Each line of a test binary is followed by indented ones for what did not pass.
fn read(report: &str, outcome: &mut Outcome) {
    let mut binary = "";
    for line in report.lines() {
        let Some((head, tail)) = line.trim_start().split_once(": ") else { continue };
        match head {
            "windows" => {
                outcome.remarks.push(tail.to_owned());
                let ran = tail.split(", ").find_map(|count| count.strip_suffix(" ran"));
                outcome.cases = ran.and_then(|ran| ran.parse().ok()).unwrap_or(0);
            }
            "FAILED" => outcome.violations.push(format!("{binary}: {tail}")),
            "failed by Wine" | "skipped" => {
                outcome.skipped.push(format!("{binary}: {head}: {tail}"));
            }
            _ if tail == "does not type-check" => outcome.violations.push(line.to_owned()),
            _ => binary = head,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_is_read() {
        let report = "aarch64-apple-darwin: does not type-check\n\
            x/y: 3 ran, 1 passed, 1 failed, 1 failed by Wine, 1 skipped, 0.1 s\n    \
            FAILED: a::b\n    failed by Wine: c: for a reason\n    skipped: d: for another\n\
            windows: 2 targets checked, 1 binaries, 3 ran, 1 passed, 2 failed\n";
        let mut outcome = Outcome::new("tests");
        read(report, &mut outcome);
        assert_eq!(outcome.cases, 3);
        assert_eq!(outcome.violations, ["aarch64-apple-darwin: does not type-check", "x/y: a::b"]);
        let skipped = ["x/y: failed by Wine: c: for a reason", "x/y: skipped: d: for another"];
        assert_eq!(outcome.skipped, skipped);
    }
}
