//! Plans.

use jerry_application::{AppliedItem, Apply, Error, PlanFile, Request};
use pollster::block_on;

use crate::desk::*;

fn apply(desk: &Desk, plan: &str, request: &Request) -> Result<Vec<AppliedItem>, Error> {
    let plan = PlanFile::read(plan).map_err(Error::from)?;
    block_on(Apply::new(desk.ports.clone(), work()).apply(plan, false, request))
}

#[test]
fn a_plan_may_name_days() {
    let desk = Desk::new();
    let due = |day: &str| {
        let plan = format!(r#"[{{"title": "due", "due": "{day}"}}]"#);
        let made = apply(&desk, &plan, &by("ann"))?;
        Ok::<_, Error>(made[0].item.due_at.expect("a day").to_string())
    };
    assert_eq!(due("2026-01-31").expect("a day"), "2026-01-31T00:00:00Z");
    assert_eq!(due("2026-01-31T12:00:00Z").expect("an instant"), "2026-01-31T12:00:00Z");
    assert!(matches!(due("tomorrow"), Err(Error::Plan(_))));
}
