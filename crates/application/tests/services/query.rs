use std::sync::Arc;
use std::time::Duration;

use jerry_application::{Error, Filter, Page, Ports, Query, SortKey};
use jerry_domain::ports::{MockWorkItemRepository, RepositoryError, StorageFault};
use jerry_domain::{
    ChecklistKind, Edit, ItemType, Label, Phase, Priority, Stamp, Status, Timestamp, Transition,
    WorkId, WorkItem,
};
use pollster::block_on;
use rstest::rstest;

use crate::desk::*;

fn list(desk: &Desk, filter: &Filter) -> Page {
    block_on(Query::new(desk.ports.clone()).list(filter)).expect("listed")
}

fn listed(desk: &Desk, filter: &Filter) -> Vec<String> {
    list(desk, filter).items.iter().map(|item| item.title.to_string()).collect()
}

fn label(text: &str) -> Label {
    Label::new(text).expect("a valid label")
}

fn show(desk: &Desk, id: &WorkId) -> Result<WorkItem, Error> {
    block_on(Query::new(desk.ports.clone()).show(id))
}

#[test]
fn an_item_is_shown_as_it_is() {
    let desk = Desk::new();
    let (other, epic) = (desk.create("other", []), desk.create("epic", []));
    let item = desk.create("x", [needs(&other), part_of(&epic), Edit::Note("n".into())]);
    assert_eq!(show(&desk, &item.id).expect("shown"), item);
}

#[test]
fn an_item_is_shown_with_the_names_of_today() {
    let desk = Desk::new();
    let (epic, needed) = (desk.create("epic", []), desk.create("needed", []));
    let item = desk.create("x", [part_of(&epic), needs(&needed)]);
    desk.renumber_by_hand(&epic, 500);
    let moved = desk.renumber_by_hand(&needed, 600);
    // Another item has the old number: the name alone would mislead.
    let stamp = Stamp::new(desk.ports.clock.now(), actor("git"));
    let uid = block_on(desk.ports.ids.uids(1)).expect("a uid")[0];
    desk.write_by_hand(&needed.reissue(needed.id.clone(), uid, &stamp).expect("valid"));
    let shown = show(&desk, &item.id).expect("shown");
    assert_eq!(shown.parent.as_ref().map(|parent| parent.id.clone()), Some(id(500)));
    assert_eq!(shown.depends_on, [moved.reference()]);
    assert_eq!(desk.get(&item.id), item, "showing writes nothing");

    let page = list(&desk, &Filter::default());
    let brief = page.items.iter().find(|brief| brief.id == item.id).expect("listed");
    assert_eq!(brief.depends_on, [moved.reference()]);
    assert_eq!(brief.parent.as_ref().map(|parent| parent.id.clone()), Some(id(500)));
}

#[test]
fn a_reference_to_what_cannot_be_read_keeps_its_name() {
    let desk = Desk::new();
    let other = desk.create("other", []);
    let item = desk.create("x", [needs(&other)]);
    desk.store.items.write_by_hand(&other.id, "<<<<<<< ours");
    assert_eq!(show(&desk, &item.id).expect("shown"), item);
}

#[test]
fn what_cannot_be_shown_says_why() {
    let desk = Desk::new();
    let [deleted, broken] = ["deleted", "broken"].map(|title| desk.create(title, []));
    let stamp = Stamp::new(desk.ports.clock.now(), actor("bob"));
    block_on(desk.ports.items.delete(&deleted.id, None, &stamp)).expect("deleted");
    desk.store.items.write_by_hand(&broken.id, "{\n \"id\":");
    let error = show(&desk, &id(900)).expect_err("never there");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
    let error = show(&desk, &deleted.id).expect_err("deleted");
    assert!(error.to_string().contains("deleted by bob"), "{error}");
    assert!(matches!(error, Error::Repository(RepositoryError::Deleted { .. })), "{error}");
    let error = show(&desk, &broken.id).expect_err("broken");
    assert!(error.to_string().contains(":2:"), "{error}");
    assert!(matches!(error, Error::Repository(RepositoryError::Malformed(_))), "{error}");
}

#[test]
fn a_list_shows_what_is_open() {
    let desk = Desk::new();
    desk.create("open", []);
    let done = desk.create("done", [Edit::Move(Transition::Start)]);
    desk.edit(&done.id, Edit::Move(Transition::Complete));
    desk.create("given up", [Edit::Move(Transition::Cancel)]);
    desk.create("blocked", [Edit::Move(Transition::Start), Edit::Move(Transition::Block)]);
    assert_eq!(listed(&desk, &Filter::default()), ["open", "blocked"]);
    let all = Filter { include_closed: true, ..Filter::default() };
    assert_eq!(listed(&desk, &all), ["open", "done", "given up", "blocked"]);
    let done = Filter { statuses: vec![Status::Completed], ..Filter::default() };
    assert_eq!(listed(&desk, &done), ["done"]);
}

#[test]
fn a_list_is_cut_and_says_how_many_there_are() {
    let desk = Desk::new();
    desk.try_create((0..60).map(|number| new(&format!("{number}"), [])).collect()).expect("made");
    let page = list(&desk, &Filter::default());
    assert_eq!((page.items.len(), page.total), (50, 60));
    let page = list(&desk, &Filter { limit: 0, ..Filter::default() });
    assert_eq!((page.items.len(), page.total), (60, 60));
    let page = list(&desk, &Filter { limit: 100, ..Filter::default() });
    assert_eq!((page.items.len(), page.total), (60, 60));
}

/// More than are kept in memory at a time.
#[rstest]
fn the_first_of_many_are_the_first(#[values(false, true)] descending: bool) {
    let desk = Desk::new();
    desk.try_create((0..3000).map(|number| new(&format!("{number}"), [])).collect()).expect("made");
    let filter = Filter { sort: SortKey::Id, descending, limit: 0, ..Filter::default() };
    let all = listed(&desk, &filter);
    assert_eq!(all[0], if descending { "2999" } else { "0" });
    assert_eq!(listed(&desk, &Filter { limit: 7, ..filter }), all[..7]);
}

fn filter(change: impl FnOnce(&mut Filter)) -> Filter {
    let mut filter = Filter::default();
    change(&mut filter);
    filter
}

#[rstest]
#[case::status(filter(|f| f.statuses = vec![Status::InProgress]), &["bug"])]
#[case::statuses(filter(|f| f.statuses = Status::ALL.into()), &["epic", "bug", "chore", "child"])]
#[case::item_type(filter(|f| f.types = vec![ItemType::Bug, ItemType::Epic]), &["epic", "bug"])]
#[case::priority(filter(|f| f.priorities = vec![Priority::Critical]), &["bug"])]
#[case::assignee(filter(|f| f.assignee = Some(actor("bob"))), &["chore"])]
#[case::label(filter(|f| f.labels = vec![label("x")]), &["bug", "chore"])]
#[case::every_label(filter(|f| f.labels = vec![label("x"), label("y")]), &["chore"])]
#[case::phase(filter(|f| f.phase = Some(Phase::new("beta").expect("valid"))), &["epic"])]
#[case::text(filter(|f| f.text = Some("EPIC".to_owned())), &["epic", "child"])]
#[case::since(filter(|f| f.updated_since = Some(minute(3))), &["chore", "child"])]
#[case::both(filter(|f| { f.labels = vec![label("x")]; f.assignee = Some(actor("bob")) }), &["chore"])]
#[case::none(filter(|f| f.assignee = Some(actor("eve"))), &[])]
fn a_filter_narrows(#[case] filter: Filter, #[case] expected: &[&str]) {
    let filter = Filter { sort: SortKey::Id, ..filter };
    assert_eq!(listed(&four(), &filter), expected);
}

fn minute(minute: u64) -> Timestamp {
    Desk::new().ports.clock.now() + Duration::from_secs(60 * minute)
}

/// Four items, made a minute apart.
fn four() -> Desk {
    let desk = Desk::new();
    let edits: [(&str, Vec<Edit>); 4] = [
        (
            "epic",
            vec![
                Edit::Type(ItemType::Epic),
                Edit::Phase(Some(Phase::new("beta").expect("valid"))),
                Edit::DueAt(Some(minute(900))),
            ],
        ),
        (
            "bug",
            vec![
                Edit::Type(ItemType::Bug),
                Edit::Priority(Priority::Critical),
                Edit::AddLabel(label("x")),
                Edit::Move(Transition::Start),
            ],
        ),
        (
            "chore",
            vec![
                Edit::Type(ItemType::Chore),
                Edit::Assignee(Some(actor("bob"))),
                Edit::AddLabel(label("x")),
                Edit::AddLabel(label("y")),
                Edit::DueAt(Some(minute(800))),
            ],
        ),
        ("child", vec![Edit::Description(Some("a part\nof the Epic".to_owned()))]),
    ];
    for (title, edits) in edits {
        desk.store.clock.advance(Duration::from_secs(60));
        desk.create(title, edits);
    }
    desk
}

#[rstest]
#[case(SortKey::Priority, &["bug", "epic", "chore", "child"])]
#[case(SortKey::Id, &["epic", "bug", "chore", "child"])]
#[case(SortKey::Created, &["epic", "bug", "chore", "child"])]
#[case(SortKey::Updated, &["bug", "chore", "child", "epic"])]
#[case(SortKey::Due, &["chore", "epic", "bug", "child"])]
#[case(SortKey::Title, &["bug", "child", "chore", "epic"])]
#[case(SortKey::Status, &["epic", "chore", "child", "bug"])]
fn a_list_is_sorted(#[case] sort: SortKey, #[case] expected: &[&str]) {
    let desk = four();
    desk.store.clock.advance(Duration::from_secs(60));
    let epic = list(&desk, &filter(|f| f.types = vec![ItemType::Epic])).items.remove(0);
    desk.edit(&epic.id, Edit::Note("touched".into()));
    let order = Filter { sort, ..Filter::default() };
    assert_eq!(listed(&desk, &order), expected);
    let backwards: Vec<_> = expected.iter().rev().copied().collect();
    assert_eq!(listed(&desk, &Filter { descending: true, ..order }), backwards);
}

#[test]
fn the_parts_of_an_item_are_found_by_its_name_of_today() {
    let desk = Desk::new();
    let epic = desk.create("epic", []);
    let part = desk.create("part", [part_of(&epic)]);
    desk.create("part of a part", [part_of(&part)]);
    let parts = |number| Filter { parent: Some(id(number)), ..Filter::default() };
    assert_eq!(listed(&desk, &parts(epic.id.number())), ["part"]);
    desk.renumber_by_hand(&epic, 500);
    assert_eq!(listed(&desk, &parts(500)), ["part"]);
    let query = Query::new(desk.ports.clone());
    let error = block_on(query.list(&parts(epic.id.number()))).expect_err("moved away");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
}

#[test]
fn what_cannot_be_read_is_said_beside_the_rest() {
    let desk = Desk::new();
    let (good, bad) = (desk.create("good", []), desk.create("bad", []));
    desk.store.items.write_by_hand(&bad.id, "not JSON");
    let page = list(&desk, &Filter::default());
    assert_eq!((page.items.len(), page.total), (1, 1));
    assert_eq!(page.items[0].id, good.id);
    assert!(page.unreadable[0].to_string().contains(&bad.id.to_string()));
}

#[rstest]
#[case::title("NEEDLE one", "title", "Needle one")]
#[case::description("haystack", "description", "a needle in a haystack")]
#[case::criterion("is sharp", "acceptance_criteria", "The needle is sharp")]
#[case::finding("blunt", "findings", "It was blunt")]
#[case::note("ÜBERALL", "notes", "überall gesucht")]
fn a_text_is_found_wherever_it_stands(
    #[case] text: &str,
    #[case] field: &str,
    #[case] excerpt: &str,
) {
    let desk = Desk::new();
    desk.create("Another", [Edit::Note("nothing here".into())]);
    let item = desk.create(
        "Needle one",
        [
            Edit::Description(Some("First line\na needle in a haystack\nlast".to_owned())),
            Edit::AddCheck(ChecklistKind::Criteria, "The needle is sharp".to_owned()),
            Edit::AddFinding("It was blunt".to_owned()),
            Edit::Note("überall gesucht".to_owned()),
        ],
    );
    let found = block_on(Query::new(desk.ports.clone()).search(text, &Filter::default()));
    let found = found.expect("searched");
    assert_eq!((found.hits.len(), found.total), (1, 1));
    assert_eq!(found.hits[0].item.id, item.id);
    let place = found.hits[0].excerpt.as_ref().expect("still there");
    assert_eq!((place.field, place.text.as_str()), (field, excerpt));
}

/// An item that is spoilt between the listing and the reading is said, not passed over.
#[test]
fn what_cannot_be_searched_is_said() {
    let desk = Desk::new();
    desk.create("x", []);
    let listed: Vec<_> = block_on(desk.ports.items.summaries()).expect("listed").collect();
    let mut items = MockWorkItemRepository::new();
    items.expect_summaries().return_once(|| Ok(Box::new(listed.into_iter())));
    items
        .expect_get()
        .returning(|_| Err(RepositoryError::Storage(storage_error(StorageFault::Denied))));
    let query = Query::new(Ports { items: Arc::new(items), ..desk.ports.clone() });
    let found = block_on(query.search("x", &Filter::default())).expect("searched");
    assert_eq!((found.total, found.unreadable.len()), (0, 1));
}

#[test]
fn a_long_line_is_cut_around_what_was_found() {
    let desk = Desk::new();
    let long = format!("{}needle{}", "ä ".repeat(300), " z".repeat(300));
    desk.create("x", [Edit::Description(Some(long))]);
    let found = block_on(Query::new(desk.ports.clone()).search("needle", &Filter::default()));
    let hit = found.expect("searched").hits.remove(0);
    let text = hit.excerpt.expect("still there").text;
    assert!(text.contains("needle") && text.chars().count() <= 100, "{text}");
}

#[test]
fn a_search_for_nothing_is_refused() {
    let query = Query::new(Desk::new().ports);
    let error = block_on(query.search(" \n", &Filter::default())).expect_err("nothing");
    assert!(matches!(error, Error::EmptySearch), "{error}");
    let blank = Filter { text: Some(String::new()), ..Filter::default() };
    let error = block_on(query.list(&blank)).expect_err("nothing");
    assert!(matches!(error, Error::EmptySearch), "{error}");
}
