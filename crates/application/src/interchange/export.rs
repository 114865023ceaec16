//! Handing items out.

use jerry_domain::ports::RepositoryError;
use jerry_domain::{InvalidItem, Refusal, WorkId, WorkItem};
use serde_json::Value;

use super::{jsonl, markdown};
use crate::references::Names;
use crate::{Error, Ports};

/// The shape in which items are handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// jerry's own: one item a line. The only shape that keeps everything.
    Jsonl,
    /// One JSON array.
    Json,
    /// One work-item document for each item.
    Markdown,
}

/// Hands items out.
#[derive(Clone)]
pub struct Export {
    ports: Ports,
}

impl Export {
    /// A service over `ports`.
    #[must_use]
    pub fn new(ports: Ports) -> Self {
        Self { ports }
    }

    /// The items called `ids`, or all, sorted by id, as files: each with a name and its text.
    /// JSON and JSONL are one file, Markdown is one for each item.
    ///
    /// JSON and JSONL hold what is stored. Documents show references under the names of today.
    ///
    /// # Errors
    /// A not-found error when one of `ids` is not there; those of the repository. An export that
    /// leaves something out would be taken for a whole one, so an item that cannot be read is an
    /// error.
    pub async fn export(
        &self,
        ids: Option<&[WorkId]>,
        format: ExportFormat,
    ) -> Result<Vec<(String, String)>, Error> {
        let items = self.items(ids).await?;
        Ok(match format {
            ExportFormat::Jsonl => {
                let lines = items.iter().map(|item| written(item, jsonl::line(item)));
                vec![("items.jsonl".to_owned(), lines.collect::<Result<_, _>>()?)]
            }
            ExportFormat::Json => {
                let values = items.iter().map(|item| written(item, serde_json::to_value(item)));
                let array = Value::Array(values.collect::<Result<_, _>>()?);
                vec![("items.json".to_owned(), format!("{array:#}\n"))]
            }
            ExportFormat::Markdown => {
                let names = Names::of_all(&self.ports).await?;
                let document = |item: WorkItem| {
                    let item = item.rename_references(|uid| names.get(uid).cloned());
                    (format!("{}.md", item.id), markdown::render(&item))
                };
                items.into_iter().map(document).collect()
            }
        })
    }

    async fn items(&self, wanted: Option<&[WorkId]>) -> Result<Vec<WorkItem>, Error> {
        let mut ids = match wanted {
            Some(ids) => ids.to_vec(),
            None => {
                let all = self.ports.items.summaries().await?;
                let all = all.map(|item| item.map(|item| item.id).map_err(RepositoryError::from));
                all.collect::<Result<_, _>>()?
            }
        };
        ids.sort_unstable();
        ids.dedup();
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            match self.ports.items.get(&id).await? {
                Some(item) => items.extend(item.in_file().into_values()),
                None if wanted.is_some() => return Err(self.ports.absent(&id).await?.into()),
                // Deleted since the items were listed.
                None => {}
            }
        }
        Ok(items)
    }
}

fn written<T>(item: &WorkItem, text: Result<T, serde_json::Error>) -> Result<T, Error> {
    text.map_err(|error| {
        let source = Refusal::Invalid(InvalidItem::Field(error));
        RepositoryError::Refused { id: item.id.clone(), source }.into()
    })
}
