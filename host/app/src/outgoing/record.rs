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
    /// Sent, or about to be.
    sent: AtomicU64,
    /// The most that may be.
    most: Option<u64>,
}

impl OnRecord {
    /// What went out for the task before, as when it goes on after a crash, is counted.
    pub(super) fn of(records: Arc<Records>, task: Option<TaskId>, most: Option<u64>) -> Result<Self, RecordsError> {
        let mut before = 0_u64;
        if task.is_some() {
            for event in records.events(Filter { task, kinds: vec!["sent".to_owned()], ..Filter::default() }) {
                if let Event::Sent { sent, .. } = event?.event {
                    before = before.saturating_add(sent);
                }
            }
        }
        Ok(Self { records, task, sent: AtomicU64::new(before), most })
    }

    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Recorder for OnRecord {
    fn record(&self, traffic: &Traffic) {
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

    fn reserve(&self, bytes: u64) -> Result<(), u64> {
        let fits = |sent: u64| {
            let sum = sent.saturating_add(bytes);
            self.most.is_none_or(|most| sum <= most).then_some(sum)
        };
        let reserved = self.sent.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits);
        reserved.map(|_| ()).map_err(|sent| self.most.unwrap_or(u64::MAX).saturating_sub(sent))
    }

    fn release(&self, bytes: u64) {
        self.sent.fetch_sub(bytes, Ordering::Relaxed);
    }
}
