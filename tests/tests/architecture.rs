//! What the workspace promises about itself: which way dependencies point, what they are licensed
//! under, and that its decisions and documents are in order.

#![allow(clippy::disallowed_methods, reason = "tests look at files as they are")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rstest::rstest;
use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("in the workspace").to_owned()
}

fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).current_dir(root()).output().expect("runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {args:?}: {error}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What is compiled on this machine, all of which the test's own build has fetched already.
fn metadata() -> Value {
    let version = output("rustc", &["-vV"]);
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).expect("a host");
    let args =
        ["metadata", "--format-version=1", "--locked", "--offline", "--filter-platform", host];
    serde_json::from_str(&output(env!("CARGO"), &args)).expect("JSON")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

/// The packages of the workspace, each with those that it depends on in the given way.
fn members(metadata: &Value, is_wanted: fn(&str) -> bool) -> BTreeMap<String, BTreeSet<String>> {
    let packages = list(&metadata["packages"]).iter().filter(|package| package["source"].is_null());
    let of = |package: &Value| {
        let wanted = list(&package["dependencies"])
            .iter()
            .filter(|dependency| is_wanted(dependency["kind"].as_str().unwrap_or("normal")));
        let names = wanted.map(|dependency| text(&dependency["name"]).to_owned());
        names.filter(|name| name.starts_with("jerry-")).collect()
    };
    packages.map(|package| (text(&package["name"]).to_owned(), of(package))).collect()
}

#[rstest]
#[case("jerry-domain", &[])]
#[case("jerry-application", &["jerry-domain"])]
#[case("jerry-conformance", &["jerry-domain"])]
#[case("jerry-infra-fs", &["jerry-domain"])]
#[case("jerry-contract", &["jerry-application", "jerry-domain"])]
#[case("jerry-mcp", &["jerry-application", "jerry-contract", "jerry-domain"])]
#[case("jerry-cli", &["jerry-application", "jerry-contract", "jerry-domain", "jerry-infra-fs", "jerry-mcp"])]
fn dependencies_point_inwards(#[case] package: &str, #[case] allowed: &[&str]) {
    let members = members(&metadata(), |kind| kind != "dev");
    let found = members.get(package).expect("in the workspace");
    let outwards: Vec<_> = found.iter().filter(|name| !allowed.contains(&name.as_str())).collect();
    assert!(outwards.is_empty(), "{package} depends on {outwards:?}");
}

#[test]
fn the_workspace_has_these_packages_and_no_others() {
    let found: Vec<_> = members(&metadata(), |_| true).into_keys().collect();
    let layers = ["application", "cli", "conformance", "contract", "domain", "infra-fs", "mcp"];
    let expected = layers.into_iter().chain(["proof", "proof-targets", "tests"]);
    let expected = expected.map(|name| format!("jerry-{name}"));
    assert_eq!(found, expected.chain(["xtask".to_owned()]).collect::<Vec<_>>());
}

#[test]
fn the_proof_is_built_only_when_asked_for() {
    // Built with it, the program would get the seam that only the proof has.
    let metadata = metadata();
    let defaults = metadata["workspace_default_members"].as_array().expect("a list");
    let has = |name| defaults.iter().any(|id| id.as_str().is_some_and(|id| id.contains(name)));
    assert!(has("/crates/cli"));
    assert!(!has("/proof"));
}

#[test]
fn the_domain_is_tested_without_the_rest() {
    let members = members(&metadata(), |kind| kind == "dev");
    let others: Vec<_> =
        members["jerry-domain"].iter().filter(|name| *name != "jerry-domain").collect();
    assert!(others.is_empty(), "the domain's tests depend on {others:?}");
}

#[test]
fn conformance_is_for_tests_only() {
    for (package, needs) in members(&metadata(), |kind| kind != "dev") {
        if package.starts_with("jerry-proof") {
            continue;
        }
        assert!(!needs.contains("jerry-conformance"), "{package} ships the conformance suites");
    }
}

/// Time, identity and the acting person come in as arguments.
#[rstest]
#[case("domain", &["std::fs", "std::env", "std::net", "std::process", "Timestamp::now", "SystemTime", "Instant::"])]
#[case("application", &["std::fs", "std::env", "std::net", "std::process", "Timestamp::now", "SystemTime"])]
fn the_core_does_no_io(#[case] package: &str, #[case] banned: &[&str]) {
    for file in files(&root().join("crates").join(package).join("src"), &["rs"]) {
        let source = fs::read_to_string(&file).expect("readable");
        for word in banned {
            assert!(!source.contains(word), "{} uses {word}", file.display());
        }
    }
}

const LICENCES: [&str; 13] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// `cargo deny` holds the same list over every platform; this needs no other tool.
#[test]
fn every_dependency_has_an_allowed_licence() {
    let metadata = metadata();
    let resolved: BTreeSet<_> =
        list(&metadata["resolve"]["nodes"]).iter().map(|node| text(&node["id"])).collect();
    let packages = list(&metadata["packages"]).iter();
    for package in packages.filter(|package| resolved.contains(text(&package["id"]))) {
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(is_allowed(licence), "{} is under {licence}", package["name"]);
    }
}

/// `OR` binds weaker than `AND`, as in SPDX; old manifests write `/` for `OR`.
fn is_allowed(licence: &str) -> bool {
    let licence = licence.replace('/', " OR ");
    let mut depth = 0_i32;
    let mut alternatives = vec![String::new()];
    for word in licence.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
        depth += i32::from(word == "(") - i32::from(word == ")");
        if word == "OR" && depth == 0 {
            alternatives.push(String::new());
        } else if let Some(last) = alternatives.last_mut() {
            last.push_str(if last.is_empty() { "" } else { " " });
            last.push_str(word);
        }
    }
    alternatives.iter().any(|alternative| {
        // A group of its own is the same question again; groups inside a conjunction are not.
        let inner = alternative.strip_prefix("( ").and_then(|rest| rest.strip_suffix(" )"));
        match inner.filter(|inner| !inner.contains('(')) {
            Some(inner) => is_allowed(inner),
            None => alternative.split(" AND ").all(|name| {
                let name = name.trim();
                let group = name.strip_prefix("( ").and_then(|rest| rest.strip_suffix(" )"));
                LICENCES.contains(&name) || group.is_some_and(is_allowed)
            }),
        }
    })
}

#[rstest]
#[case("MIT", true)]
#[case("MIT OR GPL-3.0", true)]
#[case("MIT AND GPL-3.0", false)]
#[case("(MIT OR Apache-2.0) AND Unicode-3.0", true)]
#[case("(MIT OR Apache-2.0) AND GPL-3.0", false)]
#[case("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true)]
#[case("Unlicense/MIT", true)]
#[case("GPL-3.0", false)]
#[case("none", false)]
fn licences_are_read_as_spdx_has_them(#[case] licence: &str, #[case] allowed: bool) {
    assert_eq!(is_allowed(licence), allowed);
}

/// The decisions by number.
fn decisions() -> Vec<(String, String)> {
    let files = files(&root().join("docs/adr"), &["md"]);
    let name = |file: &PathBuf| file.file_name().expect("a file").to_string_lossy().into_owned();
    let numbered = files.iter().filter(|file| name(file) != "README.md");
    numbered.map(|file| (name(file), fs::read_to_string(file).expect("readable"))).collect()
}

#[test]
fn decisions_are_numbered_without_gaps() {
    for (index, (name, content)) in decisions().iter().enumerate() {
        let number = format!("{:04}", index + 1);
        assert!(name.starts_with(&format!("{number}-")), "{name} should be number {number}");
        let heading = content.lines().next().unwrap_or_default();
        assert!(heading.starts_with("# ") && heading.contains(&number), "{name}: '{heading}'");
    }
}

#[test]
fn decisions_have_every_section() {
    for (name, content) in decisions() {
        for section in ["## Status", "## Context", "## Decision", "## Consequences"] {
            assert!(content.lines().any(|line| line == section), "{name} has no '{section}'");
        }
    }
}

/// The project speaks of itself alone, wherever it is checked out.
#[test]
fn no_document_names_a_place_on_one_machine() {
    let root = root();
    let own = root.join("tests/tests/architecture.rs");
    let mut all = files(&root, &["md", "rs", "toml"]);
    all.extend(files(&root.join(".ci"), &[""]));
    for file in all.iter().filter(|file| **file != own) {
        let content = fs::read_to_string(file).expect("readable");
        for place in ["/work/", "/root/", "/Users/", "C:\\Users"] {
            assert!(!content.contains(place), "{} mentions {place}", file.display());
        }
    }
}

/// The files under `folder` with one of these extensions, sorted; not what builds leave.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            if name != "target" && !name.starts_with('.') {
                found.extend(files(&path, extensions));
            }
        } else if extensions
            .contains(&path.extension().unwrap_or_default().to_string_lossy().as_ref())
        {
            found.push(path);
        }
    }
    found.sort();
    found
}
