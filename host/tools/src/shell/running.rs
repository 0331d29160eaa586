//! A program of a plugin while it runs: what it says until that is read, what it is given, and how it ends.

use super::{Done, Enclosure, Ended, Job};
use deskhand_confine::{Excess, Input, Stream, Taken};
use deskhand_runtime::{Code, Process, Refused, Said};
use deskhand_vocabulary::{Event, PluginId, Stop};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};
use tokio::sync::mpsc::UnboundedSender;

/// How much of each of its two streams is kept, in bytes. The rest is counted, and thrown away.
const KEPT: u64 = 16 << 20;
/// The most that a program is given to read, in bytes.
const GIVEN: u64 = 64 << 20;
/// How long whoever reads waits for something to be said.
const SHORT: Duration = Duration::from_millis(500);
/// The most of what was not taken that is told.
const REFUSED: usize = 100;

/// A program to be run.
pub(super) struct Order {
    pub(super) job: Job,
    pub(super) input: Input,
    pub(super) time: Duration,
    pub(super) running: Arc<Running>,
}

/// See the module.
pub(super) struct Running {
    stop: Stop,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    output: Heard,
    error: Heard,
    /// How it ended, or why it was not run.
    ended: Option<Result<Value, Refused>>,
}

/// What was said on one stream.
#[derive(Default)]
struct Heard {
    /// What is not read yet.
    unread: Vec<u8>,
    /// How many bytes there were, in all.
    said: u64,
}

impl Heard {
    fn hear(&mut self, bytes: &[u8]) {
        let left = usize::try_from(KEPT.saturating_sub(self.said)).unwrap_or(usize::MAX);
        self.unread.extend_from_slice(&bytes[..bytes.len().min(left)]);
        self.said += bytes.len() as u64;
    }

    fn read(&mut self, most: usize) -> Vec<u8> {
        let rest = self.unread.split_off(self.unread.len().min(most));
        std::mem::replace(&mut self.unread, rest)
    }
}

impl Running {
    /// Ended with `stop`.
    pub(super) fn new(stop: Stop) -> Self {
        Self { stop, state: Mutex::default(), changed: Condvar::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn has_ended(&self) -> bool {
        self.state().ended.is_some()
    }

    pub(super) fn kill(&self) {
        self.stop.stop();
    }

    fn hear(&self, stream: Stream, bytes: &[u8]) {
        let mut state = self.state();
        match stream {
            Stream::Output => state.output.hear(bytes),
            Stream::Error => state.error.hear(bytes),
        }
        drop(state);
        self.changed.notify_all();
    }

    fn end(&self, how: Result<Value, Refused>) {
        self.state().ended.get_or_insert(how);
        self.changed.notify_all();
    }

    /// Wait for its end. Whoever runs it sees to it that there is one.
    fn wait(&self) -> Result<Value, Refused> {
        let mut state = self.state();
        loop {
            if let Some(ended) = &state.ended {
                return ended.clone();
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// What a program came to, before it is told.
pub(super) struct Record {
    running: Arc<Running>,
    done: Result<Done, String>,
    time: Duration,
}

/// Run a program to its end.
pub(super) fn work(enclosure: &dyn Enclosure, order: Order) -> Record {
    /// Nobody waits for ever for a program whose run broke off.
    struct Guard(Option<Arc<Running>>);
    impl Drop for Guard {
        fn drop(&mut self) {
            if let Some(running) = self.0.take() {
                running.end(Err(Refused::new(Code::Failed, "the program was lost")));
            }
        }
    }
    let Order { job, input, time, running } = order;
    let (mut guard, begun) = (Guard(Some(Arc::clone(&running))), Instant::now());
    let mut hear = |stream: Stream, bytes: &[u8]| running.hear(stream, bytes);
    let done = enclosure.run(&job, Some(input), (time, &running.stop), &mut hear);
    guard.0 = None;
    Record { running, done, time: begun.elapsed() }
}

/// How a program ended, in a word, with its status and with why.
fn ended(ended: &Ended) -> (&'static str, Option<u8>, Option<&str>) {
    match ended {
        Ended::Exited(status) => ("exited", *status, None),
        Ended::TimedOut(_) => ("time", None, None),
        Ended::Stopped => ("stopped", None, None),
        Ended::Beyond(Excess::Memory) => ("memory", None, None),
        Ended::Beyond(Excess::Processes) => ("processes", None, None),
        Ended::Beyond(Excess::Processor) => ("processor", None, None),
        Ended::Beyond(Excess::Disk) => ("disk", None, None),
        Ended::Broken => ("broken", None, None),
        Ended::NotStarted(reason) => ("not-started", None, Some(reason)),
    }
}

fn refused(taken: &Taken) -> u64 {
    taken.refused.len() as u64 + taken.more
}

impl Record {
    pub(super) fn event(&self, plugin: PluginId) -> Event {
        let (outcome, status) = self.done.as_ref().map_or(("failed", None), |done| {
            let (word, status, _) = ended(&done.ended);
            (word, status)
        });
        let (changes, refused) =
            self.done.as_ref().map_or((0, 0), |done| (done.taken.added() as u64, refused(&done.taken)));
        let micros = u64::try_from(self.time.as_micros()).unwrap_or(u64::MAX);
        Event::ProgramEnded { plugin, outcome: outcome.to_owned(), status, micros, changes, refused }
    }

    pub(super) fn content(&self) -> Option<Value> {
        let reason = match &self.done {
            Ok(done) => ended(&done.ended).2,
            Err(reason) => Some(reason.as_str()),
        };
        reason.map(|reason| json!({ "reason": reason }))
    }

    /// Say it to whoever waits for the program.
    pub(super) fn tell(self) {
        let how = match &self.done {
            Ok(done) => Ok(self.told(done)),
            Err(reason) => Err(Refused::new(Code::Unavailable, format!("it was not run: {reason}"))),
        };
        self.running.end(how);
    }

    /// As `wait` of the interface gives it.
    fn told(&self, done: &Done) -> Value {
        let (word, status, reason) = ended(&done.ended);
        let listed = done.taken.refused.iter().take(REFUSED);
        let listed: Vec<Value> =
            listed.map(|one| json!({ "path": one.path.to_string(), "reason": one.reason })).collect();
        let (output, error) = {
            let state = self.running.state();
            (state.output.said, state.error.said)
        };
        json!({
            "ended": word,
            "status": status,
            "reason": reason,
            "milliseconds": u64::try_from(self.time.as_millis()).unwrap_or(u64::MAX),
            "stdout": output,
            "stderr": error,
            "cut": output.max(error) > KEPT,
            "changes": done.taken.added(),
            "refused": refused(&done.taken),
            "not-taken": listed,
        })
    }
}

/// A program that was started, for the plugin.
pub(super) struct Started {
    running: Arc<Running>,
    given: Mutex<Given>,
}

/// What it is given to read.
struct Given {
    /// None once that has ended.
    to: Option<UnboundedSender<Vec<u8>>>,
    left: u64,
}

impl Started {
    pub(super) fn new(running: Arc<Running>, to: UnboundedSender<Vec<u8>>) -> Self {
        Self { running, given: Mutex::new(Given { to: Some(to), left: GIVEN }) }
    }

    fn given(&self) -> MutexGuard<'_, Given> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Process for Started {
    fn read(&self, most: usize) -> Result<Said, Refused> {
        let until = Instant::now() + SHORT;
        let mut state = self.running.state();
        loop {
            let stdout = state.output.read(most);
            let stderr = state.error.read(most - stdout.len());
            if !stdout.is_empty() || !stderr.is_empty() {
                return Ok(Said { stdout, stderr, ended: false });
            }
            if let Some(ended) = &state.ended {
                return ended.clone().map(|_| Said { ended: true, ..Said::default() });
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Said::default());
            }
            state = self.running.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Refused> {
        let mut given = self.given();
        let over = || Refused::new(Code::Conflict, "the program reads nothing any more");
        let to = given.to.clone().filter(|_| !self.running.has_ended()).ok_or_else(over)?;
        given.left = given.left.checked_sub(bytes.len() as u64).ok_or_else(|| {
            Refused::new(Code::Exhausted, format!("a program is given at most {} MiB to read", GIVEN >> 20))
        })?;
        bytes.chunks(deskhand_confine::PIECE).try_for_each(|piece| to.send(piece.to_vec()).map_err(|_| over()))
    }

    fn close_stdin(&self) {
        self.given().to = None;
    }

    fn wait(&self) -> Result<Value, Refused> {
        self.running.wait()
    }

    fn kill(&self) {
        self.running.kill();
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.running.kill();
        let _ = self.running.wait(); // nobody asks any more how it ended
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_kept_up_to_a_bound_and_read_in_pieces() {
        let mut heard = Heard::default();
        heard.hear(b"one two");
        assert_eq!((heard.read(3), heard.read(100), heard.read(100)), (b"one".to_vec(), b" two".to_vec(), vec![]));
        let much = vec![b'x'; 1 << 20];
        for _ in 0..20 {
            heard.hear(&much);
        }
        assert_eq!((heard.said, heard.unread.len() as u64), (7 + (20 << 20), KEPT - 7));
    }
}
