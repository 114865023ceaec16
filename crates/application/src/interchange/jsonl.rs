//! jerry's own export: one item a line, sorted by id, each as its file has it but compact. Ids,
//! identities, versions and histories are in it, so that a store can be made again from it, to
//! the byte. What was deleted is not.

use jerry_domain::WorkItem;

use super::json_line;

/// Reads one line.
///
/// # Errors
/// The reason why it is no item.
pub(super) fn parse(line: &str) -> Result<WorkItem, String> {
    json_line::object(line)?;
    // Not from what was read already: it takes long numbers for others, or refuses them.
    serde_json::from_str(line).map_err(|error| json_line::reason(&error))
}

/// Writes one line, with its end.
///
/// # Errors
/// None that an item can cause; those of the serialiser.
pub(super) fn line(item: &WorkItem) -> Result<String, serde_json::Error> {
    let mut line = serde_json::to_string(item)?;
    line.push('\n');
    Ok(line)
}
