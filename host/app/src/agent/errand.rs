//! What a task is queued with: it stands in the log with that it is queued, so that any process can work on it.

use super::{Said, Spec};
use crate::failure::Result;
use deskhand_permissions::Standing;
use deskhand_records::{Filter, Records};
use deskhand_vocabulary::{Event, TaskId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Errand {
    /// What the model is to be told: the request, or what follows on a task that is over.
    pub(crate) words: Option<String>,
    /// What was piped in.
    pub(crate) attachment: Option<String>,
    /// What was said in advance: to apply without asking, but for so many removals.
    pub(crate) yes: bool,
    pub(crate) removals: u64,
}

impl Errand {
    /// One that follows up on a task.
    pub(crate) const fn following(words: String, attachment: Option<String>, standing: Standing) -> Self {
        Self { words: Some(words), attachment, yes: standing.yes, removals: standing.removals }
    }

    /// The content of the entry with which a task is queued.
    pub(crate) fn content(&self) -> Value {
        json!({ "errand": self })
    }

    /// What was said in advance.
    pub(crate) const fn standing(&self) -> Standing {
        Standing { yes: self.yes, removals: self.removals }
    }

    /// What a task was queued with last, without what the model was told since; none if it never was, or if that is forgotten.
    pub(crate) fn of(records: &Records, task: TaskId) -> Result<Option<Self>> {
        let kinds = ["told", "task-queued"].map(str::to_owned).to_vec();
        let mut told = false;
        for recorded in records.events(Filter { task: Some(task), kinds, backwards: true, ..Filter::default() }) {
            let recorded = recorded?;
            match recorded.event {
                Event::Told { by } => told |= by == "person",
                _ => {
                    let errand = recorded.content.map(|mut content| content["errand"].take()).unwrap_or_default();
                    let mut errand: Self = serde_json::from_value(errand).unwrap_or_default();
                    if told {
                        (errand.words, errand.attachment) = (None, None);
                    }
                    return Ok(Some(errand));
                }
            }
        }
        Ok(None)
    }
}

/// What the model is told when a task goes on: what it was to be told before and was not, then `said`. And whether it was told
/// anything at all, so that it is a task that goes on and not one that begins.
pub(crate) fn unsaid(records: &Records, task: TaskId, spec: &Spec, said: Said) -> Result<(Said, bool)> {
    let filter = Filter { task: Some(task), kinds: vec!["told".to_owned()], limit: Some(1), ..Filter::default() };
    let begun = records.events(filter).next().transpose()?.is_some();
    let errand = Errand::of(records, task)?.unwrap_or_default();
    let before = errand.words.or_else(|| (!begun).then(|| spec.request.clone()));
    let words: Vec<String> = before.into_iter().chain(said.words).collect();
    let words = Some(words.join("\n\n")).filter(|words| !words.is_empty());
    Ok((Said { words, attachment: said.attachment.or(errand.attachment) }, begun))
}
