use jerry_application::{Error, Relate};
use jerry_domain::ports::{RepositoryError, Update};
use jerry_domain::{Edit, ItemRef, LinkKind, LinkTarget};
use pollster::block_on;

use crate::desk::*;

#[test]
fn a_dependency_comes_with_its_reason_and_goes() {
    let desk = Desk::new();
    let (a, b) = (desk.create("a", []), desk.create("b", []));
    let relate = Relate::new(desk.ports.clone());
    let why = Some("the API first".to_owned());
    let added = block_on(relate.add_dependency(&a.id, &b.id, why.clone(), &by("ann")));
    let item = added.expect("added").into_item();
    assert_eq!(item.depends_on, [b.reference().with_note(why)]);
    let again = block_on(relate.add_dependency(&a.id, &b.id, None, &by("ann"))).expect("fine");
    assert!(matches!(again, Update::Unchanged(_)), "it is waited for already");
    let gone = block_on(relate.remove_dependency(&a.id, &b.id, &by("ann"))).expect("removed");
    assert_eq!(gone.into_item().depends_on, []);
}

/// The name that people see today removes the reference that was written under an older one.
#[test]
fn a_dependency_goes_by_the_name_of_today() {
    let desk = Desk::new();
    let b = desk.create("b", []);
    let a = desk.create("a", [needs(&b)]);
    let moved = desk.renumber_by_hand(&b, 500);
    let usurper = b.reissue(b.id.clone(), fresh_uid(&desk), &stamp(&desk)).expect("valid");
    desk.write_by_hand(&usurper);
    let relate = Relate::new(desk.ports.clone());
    let other = block_on(relate.remove_dependency(&a.id, &b.id, &by("ann"))).expect("fine");
    assert!(matches!(other, Update::Unchanged(_)), "that number is another item's now");
    let gone = block_on(relate.remove_dependency(&a.id, &moved.id, &by("ann"))).expect("removed");
    assert_eq!(gone.into_item().depends_on, []);
}

#[test]
fn a_dependency_on_nothing_can_be_removed() {
    let desk = Desk::new();
    let b = desk.create("b", []);
    let a = desk.create("a", [needs(&b)]);
    desk.store.items.remove_by_hand(&b.id);
    let relate = Relate::new(desk.ports.clone());
    let gone = block_on(relate.remove_dependency(&a.id, &b.id, &by("ann"))).expect("removed");
    assert_eq!(gone.into_item().depends_on, []);
}

#[test]
fn a_dependency_on_what_cannot_be_read_can_be_removed() {
    let desk = Desk::new();
    let b = desk.create("b", []);
    let a = desk.create("a", [needs(&b)]);
    desk.store.items.write_by_hand(&b.id, "{");
    let relate = Relate::new(desk.ports.clone());
    let gone = block_on(relate.remove_dependency(&a.id, &b.id, &by("ann"))).expect("removed");
    assert_eq!(gone.into_item().depends_on, []);
    let error = desk.try_edit(&a.id, needs(&b)).expect_err("nobody knows what it is");
    assert!(matches!(error, Error::Repository(RepositoryError::Malformed(_))), "{error}");
}

/// A reference with an identity finds its item under whatever name.
#[test]
fn a_complete_reference_follows_its_item() {
    let desk = Desk::new();
    let (a, b) = (desk.create("a", []), desk.create("b", []));
    let moved = desk.renumber_by_hand(&b, 500);
    let usurper = b.reissue(b.id.clone(), fresh_uid(&desk), &stamp(&desk)).expect("valid");
    desk.write_by_hand(&usurper);
    let item = desk.edit(&a.id, Edit::AddDependency(b.reference()));
    assert_eq!(item.depends_on, [moved.reference()]);
    desk.store.items.remove_by_hand(&moved.id);
    let error = desk.try_edit(&a.id, Edit::Parent(Some(b.reference()))).expect_err("gone");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
}

#[test]
fn a_parent_is_set_and_taken_away() {
    let desk = Desk::new();
    let (a, b) = (desk.create("a", []), desk.create("b", []));
    let relate = Relate::new(desk.ports.clone());
    let item = block_on(relate.set_parent(&a.id, Some(&b.id), &by("ann"))).expect("set");
    assert_eq!(item.into_item().parent, Some(b.reference()));
    let error = block_on(relate.set_parent(&b.id, Some(&a.id), &by("ann"))).expect_err("a ring");
    assert!(matches!(error, Error::ParentCycle(_)), "{error}");
    let item = block_on(relate.set_parent(&a.id, None, &by("ann"))).expect("taken away");
    assert_eq!(item.into_item().parent, None);
}

#[test]
fn links_go_to_items_that_exist_and_to_names_elsewhere() {
    let desk = Desk::new();
    let (a, b) = (desk.create("a", []), desk.create("b", []));
    let relate = Relate::new(desk.ports.clone());
    let link = |target: &LinkTarget| {
        relate_link(&relate, &a, target.clone()).map(|update| update.into_item())
    };
    let bare = LinkTarget::Item(ItemRef::bare(b.id.clone()));
    let elsewhere = LinkTarget::External("gh-12".to_owned());
    link(&bare).expect("linked");
    let item = link(&elsewhere).expect("linked");
    let targets: Vec<_> = item.links.iter().map(|link| link.target.clone()).collect();
    assert_eq!(targets, [LinkTarget::Item(b.reference()), elsewhere]);
    let nowhere = LinkTarget::Item(ItemRef::bare(id(900)));
    let error = link(&nowhere).expect_err("points nowhere");
    assert!(matches!(error, Error::Repository(RepositoryError::NotFound { .. })), "{error}");
    let item = block_on(relate.remove_link(&a.id, bare, &by("ann"))).expect("removed");
    assert_eq!(item.into_item().links.len(), 1);
}

fn relate_link(
    relate: &Relate,
    from: &jerry_domain::WorkItem,
    target: LinkTarget,
) -> Result<Update, Error> {
    block_on(relate.add_link(&from.id, LinkKind::Related, target, None, &by("ann")))
}

fn fresh_uid(desk: &Desk) -> jerry_domain::Uid {
    block_on(desk.ports.ids.uids(1)).expect("a uid")[0]
}

fn stamp(desk: &Desk) -> jerry_domain::Stamp {
    jerry_domain::Stamp::new(desk.ports.clock.now(), actor("git"))
}
