//! What went out, on record and counted.

use deskhand_egress::{Ended, Recorder, Traffic};
use deskhand_records::{Filter, Records, RecordsError};
use deskhand_vocabulary::{Entry, Event, Log as _, TaskId};
use serde_json::json;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// See the module.
pub(super) struct OnRecord {
    records: Arc<Records>,
    task: Option<TaskId>,
    sent: AtomicU64,
}

impl OnRecord {
    /// What went out for the task before, as when it goes on after a crash, is counted.
    pub(super) fn of(records: Arc<Records>, task: Option<TaskId>) -> Result<Self, RecordsError> {
        let mut before = 0_u64;
        if task.is_some() {
            for event in records.events(Filter { task, kinds: vec!["sent".to_owned()], ..Filter::default() }) {
                if let Event::Sent { sent, .. } = event?.event {
                    before = before.saturating_add(sent);
                }
            }
        }
        Ok(Self { records, task, sent: AtomicU64::new(before) })
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Recorder for OnRecord {
    fn record(&self, traffic: &Traffic) {
        self.sent.fetch_add(traffic.sent, Ordering::Relaxed);
        let ended = match traffic.ended {
            Ended::Whole => "whole",
            Ended::Broken => "broken",
            Ended::Unanswered => "unanswered",
            Ended::Dropped => "dropped",
        };
        // the decision before it is on record durably; if this cannot be written, the next that must be fails
        self.records.queue(Entry {
            task: self.task,
            event: Event::Sent {
                host: traffic.host.clone(),
                port: traffic.port,
                status: traffic.status,
                sent: traffic.sent,
                received: traffic.received,
                ended: ended.to_owned(),
            },
            content: Some(json!({"method": traffic.method, "scheme": traffic.scheme, "path": traffic.path})),
        });
    }
}
