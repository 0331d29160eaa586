//! What followers see of a task while it is at work, beside what is on record.

use crate::{screen, show};
use deskhand_agent::screen::{Screen, Seen};
use deskhand_models::Happening;
use deskhand_records::Records;
use deskhand_tasks::{Stage, message::Live};
use std::sync::Arc;
use tokio::runtime::Handle;

/// See the module.
#[derive(Debug)]
pub(super) struct Staged {
    stage: Arc<Stage>,
    records: Arc<Records>,
}

impl Staged {
    pub(super) const fn new(stage: Arc<Stage>, records: Arc<Records>) -> Self {
        Self { stage, records }
    }

    /// A reply begins. It is told once what came before it is on record, which the reply does not wait for.
    fn begin(&self) {
        let (stage, records, reply) = (Arc::clone(&self.stage), Arc::clone(&self.records), self.stage.begin_reply());
        if let Ok(handle) = Handle::try_current() {
            handle.spawn_blocking(move || {
                // where it fails, the task ends, and the record says all that was said
                if records.flush().is_ok() {
                    stage.release(reply);
                }
            });
        }
    }
}

impl Screen for Staged {
    fn show(&self, seen: Seen<'_>) {
        let stage = &self.stage;
        match seen {
            Seen::Reply(Happening::Began { .. }) => self.begin(),
            Seen::Reply(Happening::Text(text)) => stage.text(text),
            Seen::Reply(Happening::Thinking(text)) => stage.show(Live::Thinking { text: (*text).to_owned() }),
            Seen::Reply(Happening::Call { name }) => stage.show(Live::Call { tool: show::line(name) }),
            Seen::Reply(Happening::Retrying { attempt, tries, error, wait, .. }) => {
                stage.void(format!("{}.", screen::retrying(error, *wait, attempt + 1, *tries)));
            }
            Seen::Replied => stage.end_reply(),
            Seen::Paused(paused) => stage.show(Live::Paused { paused }),
            Seen::Budget(alert) => stage.show(Live::Line { line: screen::budget(alert) }),
            Seen::Reflected(found) => stage.show(Live::Line { line: screen::reflected(found) }),
            // on record
            Seen::Calling(_) | Seen::Called(..) | Seen::Plan(_) | Seen::Told(_) | Seen::Shorter(_) => {}
            Seen::Reply(Happening::Input(_) | Happening::Unknown { .. } | Happening::Renamed { .. }) => {}
        }
    }
}
