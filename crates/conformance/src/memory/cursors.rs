use std::collections::HashMap;
use std::sync::Mutex;

use async_trait::async_trait;
use jerry_domain::ports::{Cursor, CursorError, CursorStore, Seen, Step};

use super::held;

/// Keeps everything that was ever seen.
///
/// Panics where a caller says that a step led from a cursor to what it saves, and it does not.
#[derive(Default)]
pub struct MemoryCursors(Mutex<HashMap<Cursor, Seen>>);

#[async_trait]
impl CursorStore for MemoryCursors {
    async fn save(
        &self,
        seen: &Seen,
        since: Option<(&Cursor, &Step)>,
    ) -> Result<Cursor, CursorError> {
        let mut known = held(&self.0);
        if let Some((cursor, step)) = since
            && let Some(earlier) = known.get(cursor)
        {
            let mut later = earlier.clone();
            later.advance(step);
            assert!(later == *seen, "the step since {cursor} does not lead to what was seen");
        }
        let cursor: Cursor = format!("seen-{}", known.len() + 1).parse().expect("a cursor");
        known.insert(cursor.clone(), seen.clone());
        Ok(cursor)
    }

    async fn load(&self, cursor: &Cursor) -> Result<Option<Seen>, CursorError> {
        Ok(held(&self.0).get(cursor).cloned())
    }
}
