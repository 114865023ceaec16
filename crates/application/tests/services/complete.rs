use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jerry_application::{Complete, Error, Modify, Ports, Request};
use jerry_domain::ports::{CommandFailed, CommandRunner, RepositoryError, Update};
use jerry_domain::{
    CheckId, ChecklistKind, Edit, Gates, ItemType, Refusal, RequestId, Requirement, Status,
    Transition, Unmet, WorkId, WorkItem,
};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

/// Keeps what it was asked to run; what it does meanwhile, and what fails, is for the test to say.
pub(crate) struct Runner {
    ran: Mutex<Vec<String>>,
    meanwhile: Box<dyn Fn() + Send + Sync>,
    pub(crate) failing: Option<&'static str>,
}

#[async_trait]
impl CommandRunner for Runner {
    async fn run(&self, command: &str, _: &WorkId) -> Result<(), CommandFailed> {
        self.ran.lock().expect("not poisoned").push(command.to_owned());
        (self.meanwhile)();
        match self.failing == Some(command) {
            true => {
                Err(CommandFailed { command: command.to_owned(), ended: "exit status 1".into() })
            }
            false => Ok(()),
        }
    }
}

pub(crate) fn runner(meanwhile: impl Fn() + Send + Sync + 'static) -> Arc<Runner> {
    Arc::new(Runner { ran: Mutex::default(), meanwhile: Box::new(meanwhile), failing: None })
}

pub(crate) fn ran(runner: &Runner) -> Vec<String> {
    runner.ran.lock().expect("not poisoned").clone()
}

/// A desk whose tasks ask for `gates`, and a task that is begun.
fn desk(gates: &[&str]) -> (Desk, WorkItem) {
    let mut desk = Desk::new();
    let gates = gates.iter().map(|gate| gate.parse().expect("a gate")).collect();
    desk.ports.gates = Arc::new(Gates { default: gates, ..Gates::default() });
    let item = desk.create("task", [Edit::AddCheck(ChecklistKind::Criteria, "holds".to_owned())]);
    let item = desk.edit(&item.id, Edit::Move(Transition::Start));
    (desk, item)
}

fn complete(
    desk: &Desk,
    runner: &Arc<Runner>,
    item: &WorkItem,
    request: &Request,
) -> Result<WorkItem, Error> {
    let complete = Complete::new(desk.ports.clone(), runner.clone());
    block_on(complete.complete(&item.id, Vec::new(), request)).map(Update::into_item)
}

pub(crate) fn refusal(error: Error) -> Refusal {
    let Error::Repository(RepositoryError::Refused { source, .. }) = error else {
        panic!("{error}");
    };
    source
}

pub(crate) fn edit_by_others(
    desk: &Desk,
    item: &WorkItem,
    edit: Edit,
) -> impl Fn() + Send + Sync + 'static {
    let (ports, id) = (desk.ports.clone(), item.id.clone());
    move || {
        let (modify, bob) = (Modify::new(ports.clone()), by("bob"));
        block_on(modify.edit(&id, vec![edit.clone()], &bob)).expect("nothing is locked");
    }
}

#[test]
fn commands_run_in_their_order_while_nothing_is_locked() {
    let (desk, item) = desk(&["cmd: one", "cmd: two"]);
    let runner = runner(edit_by_others(&desk, &item, Edit::Note("going well".to_owned())));
    let done = complete(&desk, &runner, &item, &by("ann")).expect("completed");
    assert_eq!(ran(&runner), ["one", "two"]);
    assert_eq!((done.status, done.notes.len()), (Status::Completed, 2));
    assert!(!done.history.last().expect("an entry").forced);
}

#[test]
fn nothing_is_run_after_a_command_that_fails_and_nothing_is_written() {
    let (desk, item) = desk(&["cmd: one", "cmd: two"]);
    let mut runner = runner(|| {});
    Arc::get_mut(&mut runner).expect("only one").failing = Some("one");
    let error = complete(&desk, &runner, &item, &by("ann")).expect_err("it fails");
    let Refusal::Gate { unmet } = refusal(error) else { panic!("another rule") };
    let (command, ended) = ("one".to_owned(), "exit status 1".to_owned());
    assert_eq!(unmet, [Unmet::Failed { command, ended }]);
    assert_eq!(ran(&runner), ["one"]);
    assert_eq!(desk.get(&item.id), item);
}

/// What was shown is shown of what was asked for then.
#[rstest]
#[case::title(Edit::Title(title("more")))]
#[case::description(Edit::Description(Some("and more".to_owned())))]
#[case::criterion(Edit::AddCheck(ChecklistKind::Criteria, "more".to_owned()))]
#[case::gates(Edit::AddGate(Requirement::Subtasks))]
#[case::item_type(Edit::Type(ItemType::Chore))]
fn what_asks_for_something_else_by_then_is_a_conflict(#[case] edit: Edit) {
    let (desk, item) = desk(&["cmd: one"]);
    let runner = runner(edit_by_others(&desk, &item, edit));
    let error = complete(&desk, &runner, &item, &by("ann")).expect_err("it moved on");
    let refusal = refusal(error);
    assert!(matches!(refusal, Refusal::MovedOn { seen: 2, found: 3 }), "{refusal}");
    assert_eq!(desk.get(&item.id).status, Status::InProgress);
}

#[rstest]
#[case::unticked(Edit::Check { id: check(), done: false, evidence: None }, "gates are not met")]
#[case::claimed(Edit::Claim { lease: None, lock: None }, "claimed by bob")]
#[case::cancelled(Edit::Move(Transition::Cancel), "cannot complete an item that is cancelled")]
fn what_else_forbids_it_is_asked_when_it_is_written(#[case] edit: Edit, #[case] said: &str) {
    let (desk, item) = desk(&["criteria", "cmd: one"]);
    desk.edit(&item.id, Edit::Check { id: check(), done: true, evidence: None });
    let runner = runner(edit_by_others(&desk, &item, edit));
    let error = complete(&desk, &runner, &item, &by("ann")).expect_err("refused");
    assert!(refusal(error).to_string().contains(said));
    assert_eq!(ran(&runner), ["one"]);
}

fn check() -> CheckId {
    CheckId::new("AC-003.1").expect("valid")
}

#[test]
fn what_is_refused_anyway_runs_nothing() {
    let (desk, item) = desk(&["criteria", "cmd: one"]);
    let runner = runner(|| {});
    let refused =
        |request: &Request| complete(&desk, &runner, &item, request).expect_err("refused");
    assert!(matches!(refusal(refused(&by("ann"))), Refusal::Gate { .. }));
    let conflict = refused(&at_version(7));
    assert!(matches!(conflict, Error::Repository(RepositoryError::VersionConflict { .. })));
    let name = desk.get(&item.id).acceptance_criteria[0].id.clone();
    desk.edit(&item.id, Edit::Check { id: name, done: true, evidence: None });
    let part = desk.create("part", [part_of(&item)]);
    assert!(matches!(refusal(refused(&by("ann"))), Refusal::UnfinishedParts { .. }));
    desk.edit(&part.id, Edit::Move(Transition::Cancel));
    edit_by_others(&desk, &item, Edit::Claim { lease: None, lock: None })();
    assert!(matches!(refusal(refused(&by("ann"))), Refusal::Claimed(_)));
    assert_eq!(ran(&runner), [""; 0]);
}

#[test]
fn who_insists_runs_nothing_and_is_recorded() {
    let (desk, item) = desk(&["cmd: one"]);
    let (runner, mut request) = (runner(|| {}), by("ann"));
    request.credentials.force = true;
    let done = complete(&desk, &runner, &item, &request).expect("forced");
    assert!(done.history.last().expect("an entry").forced);
    assert_eq!(ran(&runner), [""; 0]);
}

#[test]
fn a_repeated_request_runs_nothing_again() {
    let (desk, item) = desk(&["cmd: one"]);
    let (runner, mut request) = (runner(|| {}), by("ann"));
    request.request_id = Some(RequestId::new("r").expect("valid"));
    let first = complete(&desk, &runner, &item, &request).expect("completed");
    let again = complete(&desk, &runner, &item, &request).expect("completed");
    assert_eq!((first, ran(&runner).len()), (again, 1));
}

/// Whatever else completes an item runs nothing, and so cannot.
#[test]
fn another_way_to_complete_does_not_pass_the_commands() {
    let (desk, item) = desk(&["cmd: one"]);
    for edit in [Edit::Move(Transition::Complete), Edit::MoveTo(Status::Completed)] {
        let error = desk.try_edit(&item.id, edit).expect_err("not run");
        assert!(error.to_string().contains("was not changed"), "{error}");
        assert!(matches!(refusal(error), Refusal::Gate { .. }));
    }
}

#[test]
fn the_gates_of_a_type_stand_in_place_of_the_default() {
    let (mut desk, item) = desk(&["criteria"]);
    let gates = Gates {
        of_type: [(ItemType::Task, vec!["subtasks".parse().expect("a gate")])].into(),
        ..(*desk.ports.gates).clone()
    };
    desk.ports.gates = Arc::new(gates);
    desk.edit(&item.id, Edit::AddGate(Requirement::Evidence));
    let modify = Modify::new(desk.ports.clone());
    // What the item is when it is completed decides, not what the same write makes of it.
    let lowered = vec![
        Edit::RemoveGate(Requirement::Evidence),
        Edit::Type(ItemType::Chore),
        Edit::Move(Transition::Complete),
    ];
    let error = block_on(modify.edit(&item.id, lowered, &by("ann"))).expect_err("lowered");
    let Refusal::Gate { unmet } = refusal(error) else { panic!("another rule") };
    let check = desk.get(&item.id).acceptance_criteria[0].id.clone();
    assert_eq!(unmet, [Unmet::WithoutEvidence { check }]);
    desk.edit(&item.id, Edit::RemoveGate(Requirement::Evidence));
    desk.edit(&item.id, Edit::Move(Transition::Complete));
}

/// The lock of all is held when the completion is written, not while commands run.
#[test]
fn the_completion_is_decided_under_the_lock_of_all() {
    let (desk, item) = desk(&["cmd: one"]);
    let runner = runner(|| {});
    let ports = Ports { locks: busy_locks(1), ..desk.ports.clone() };
    let complete = Complete::new(ports, runner.clone());
    let error = block_on(complete.complete(&item.id, Vec::new(), &by("ann"))).expect_err("busy");
    assert!(matches!(error, Error::Lock(_)), "{error}");
    assert_eq!(ran(&runner), ["one"]);
}
