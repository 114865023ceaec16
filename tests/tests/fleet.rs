//! The fleet of `examples/fleet.sh`: a small one, and that its check would notice.

#![cfg(unix)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use jerry_tests::{binary, skip};

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples")
}

/// Whether this machine has what the fleet is written in; says so if not.
fn has_a_fleet() -> bool {
    let has = |program: &str, args: [&str; 2]| {
        let mut command = Command::new(program);
        command.args(args).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let has = has("bash", ["-c", "[ -n \"$EPOCHREALTIME\" ]"]) && has("python3", ["-c", ""]);
    if !has {
        skip("needs bash 5 and python3");
    }
    has
}

fn assert_succeeds(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().expect("starts");
    let text =
        [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
    let text = text.concat();
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}

#[test]
fn what_a_fleet_must_not_do_is_noticed() {
    if has_a_fleet() {
        let test = examples().join("fleet/check_test.py");
        assert_succeeds(Command::new("python3").args(["-B"]).arg(test));
    }
}

#[test]
fn a_fleet_that_is_killed_all_the_time_does_every_item_once_and_in_its_turn() {
    if !has_a_fleet() {
        return;
    }
    let mut fleet = Command::new(examples().join("fleet.sh"));
    fleet.arg("--jerry").arg(binary());
    fleet.args(["--agents", "8", "--mcp", "2", "--kills", "40"]);
    let said = assert_succeeds(&mut fleet);
    assert!(said.contains("40 items") && said.contains("killed: "), "{said}");
}
