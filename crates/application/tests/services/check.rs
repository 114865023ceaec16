use std::sync::Arc;

use jerry_application::{Check, Checked, Error, Request};
use jerry_domain::{CheckId, ChecklistKind, Edit, Evidence, Extra, Refusal, RequestId, WorkItem};
use pollster::block_on;
use rstest::rstest;

use crate::complete::{Runner, edit_by_others, ran, refusal, runner};
use crate::desk::*;

fn criterion() -> CheckId {
    CheckId::new("AC-003.1").expect("valid")
}

fn desk() -> (Desk, WorkItem) {
    let desk = Desk::new();
    let item = desk.create("task", [Edit::AddCheck(ChecklistKind::Criteria, "holds".to_owned())]);
    (desk, item)
}

fn failing(command: &'static str) -> Arc<Runner> {
    let mut runner = runner(|| {});
    Arc::get_mut(&mut runner).expect("only one").failing = Some(command);
    runner
}

fn check(
    desk: &Desk,
    runner: &Arc<Runner>,
    item: &WorkItem,
    request: &Request,
) -> Result<Checked, Error> {
    let check = Check::new(desk.ports.clone(), runner.clone());
    block_on(check.by_command(&item.id, &[criterion()], "test", request))
}

#[test]
fn what_a_command_shows_is_ticked_while_nothing_was_locked() {
    let (desk, item) = desk();
    let runner = runner(edit_by_others(&desk, &item, Edit::Note("going well".to_owned())));
    let checked = check(&desk, &runner, &item, &by("ann")).expect("written");
    assert!(checked.failed.is_none());
    let shown = &desk.get(&item.id).acceptance_criteria[0];
    assert!(shown.done);
    assert_eq!(shown.evidence[0].text, "exit status 0");
    assert_eq!(shown.evidence[0].source.as_deref(), Some("cmd:test"));
}

#[test]
fn how_a_command_failed_is_on_record_and_what_was_ticked_is_unticked() {
    let (desk, item) = desk();
    desk.edit(&item.id, Edit::Check { id: criterion(), done: true, evidence: None });
    let checked = check(&desk, &failing("test"), &item, &by("ann")).expect("written");
    assert_eq!(checked.failed.expect("it failed").ended, "exit status 1");
    let shown = &desk.get(&item.id).acceptance_criteria[0];
    assert!(!shown.done);
    assert_eq!(shown.evidence[0].failure(), Some("exit status 1"));
    assert!(!shown.evidence[0].can_show());
}

/// Also where the command would succeed by now.
#[test]
fn a_repeated_request_runs_nothing_and_answers_how_the_command_failed() {
    let (desk, item) = desk();
    let request = Request { request_id: Some(RequestId::new("r").expect("valid")), ..by("ann") };
    check(&desk, &failing("test"), &item, &request).expect("written");
    let written = desk.get(&item.id);
    let succeeding = runner(|| {});
    let again = check(&desk, &succeeding, &item, &request).expect("known");
    assert_eq!(again.failed.expect("as the first time").ended, "exit status 1");
    assert_eq!(ran(&succeeding), [""; 0]);
    assert_eq!(desk.get(&item.id), written);
}

#[test]
fn what_is_refused_anyway_runs_nothing() {
    let (desk, item) = desk();
    let runner = runner(|| {});
    let stale = Request { if_version: Some(7), ..by("ann") };
    check(&desk, &runner, &item, &stale).expect_err("another version");
    desk.edit(&item.id, Edit::Claim { lease: None, lock: None });
    let error = check(&desk, &runner, &item, &by("ann")).expect_err("claimed by bob");
    assert!(matches!(refusal(error), Refusal::Claimed(_)));
    assert_eq!(ran(&runner), [""; 0]);
}

#[rstest]
#[case("")]
#[case(" \n\t")]
fn evidence_that_says_nothing_is_refused_whoever_gives_it(#[case] text: &str) {
    let (desk, item) = desk();
    let evidence =
        Evidence { text: text.to_owned(), source: Some("x".to_owned()), extra: Extra::new() };
    let edit = Edit::Check { id: criterion(), done: true, evidence: Some(evidence) };
    let error = desk.try_edit(&item.id, edit).expect_err("refused");
    assert!(matches!(refusal(error), Refusal::Empty { what: "evidence" }));
}
