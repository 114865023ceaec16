//! Items as resources: `jerry://item/WORK-042`.

use jerry_application::{Filter, SortKey};
use jerry_contract::{Failure, ShownItem, Whole};
use jerry_domain::Summary;
use rmcp::model::{
    ListResourcesResult, ReadResourceResult, Resource, ResourceContents, ResourceTemplate,
};

use crate::desk::Desk;
use crate::tool::{say, usage};

const ITEM: &str = "jerry://item/";
const JSON: &str = "application/json";

/// How many items one page of the list has.
const PAGE: usize = 100;

/// The open items by id, those that come after the one in the cursor. Closed ones are not listed,
/// and can be read.
pub(crate) async fn list(
    after: Option<String>,
    desk: &Desk,
) -> Result<ListResourcesResult, Failure> {
    let after = after.map(|cursor| {
        cursor.parse().map_err(|_| usage(format!("'{cursor}' is no cursor of this list")))
    });
    let after = after.transpose()?;
    let filter = Filter { sort: SortKey::Id, limit: 0, ..Filter::default() };
    let mut items = desk.query().list(&filter).await?.items;
    items.retain(|item| after.as_ref().is_none_or(|after| item.id > *after));
    let is_last = items.len() <= PAGE;
    items.truncate(PAGE);
    let mut page = ListResourcesResult::with_all_items(items.iter().map(resource).collect());
    if !is_last {
        page.next_cursor = items.last().map(|item| item.id.to_string());
    }
    Ok(page)
}

fn resource(item: &Summary) -> Resource {
    Resource::new(format!("{ITEM}{}", item.id), item.id.to_string())
        .with_title(item.title.as_str())
        .with_mime_type(JSON)
}

pub(crate) fn template() -> ResourceTemplate {
    ResourceTemplate::new(format!("{ITEM}{{id}}"), "item")
        .with_description("An item in full, with its history.")
        .with_mime_type(JSON)
}

/// The item that `uri` names, in full.
pub(crate) async fn read(uri: &str, desk: &Desk) -> Result<ReadResourceResult, Failure> {
    let Some(id) = uri.strip_prefix(ITEM) else {
        return Err(usage(format!("'{uri}' is no resource; items are {ITEM}WORK-042")));
    };
    let query = desk.query();
    let item = query.show(&desk.id_of(id)?).await?;
    let progress = query.progress(&item).await?;
    let gates = desk.ports.gates.asked_of(&item).collect();
    let text = say(&ShownItem { item: Whole(&item), progress, gates })?.to_string();
    let contents = ResourceContents::text(text, uri).with_mime_type(JSON);
    Ok(ReadResourceResult::new(vec![contents]))
}
