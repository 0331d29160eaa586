//! The server with its script.

use crate::{
    check::Checks,
    http::{Answer, Heard, HttpServer, Said},
    reply::{Reply, Stream, Wire},
};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A request and when its answer was over.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The wire that it came on.
    pub wire: Wire,
    /// The request.
    pub heard: Heard,
    /// When the end of the answer was sent, since the server's start; not set while it is being answered.
    pub answered: Option<Duration>,
}

impl Exchange {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.heard.body).expect("the body was checked to be JSON")
    }
}

enum Say {
    Reply(Reply),
    Answer(Answer),
}

/// A step of the script: one answer.
pub struct Step {
    say: Say,
    only: Option<String>,
    fresh: bool,
}

impl From<Reply> for Step {
    fn from(reply: Reply) -> Self {
        Self { say: Say::Reply(reply), only: None, fresh: false }
    }
}

impl From<Answer> for Step {
    fn from(answer: Answer) -> Self {
        Self { say: Say::Answer(answer), only: None, fresh: false }
    }
}

impl From<Stream> for Step {
    fn from(stream: Stream) -> Self {
        stream.answer().into()
    }
}

impl Step {
    /// Only for a request that contains this text. Steps for several conversations can so be told apart.
    pub fn only_for(mut self, text: &str) -> Self {
        self.only = Some(text.to_owned());
        self
    }

    /// The request may begin its conversation anew, as after a compaction.
    pub const fn fresh(mut self) -> Self {
        self.fresh = true;
        self
    }
}

#[derive(Default)]
struct State {
    script: VecDeque<Step>,
    exchanges: Vec<Exchange>,
    checks: Checks,
}

/// A scripted model on loopback.
#[derive(Debug)]
pub struct ModelServer {
    http: HttpServer,
    state: Arc<Mutex<State>>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "State({} exchanges)", self.exchanges.len())
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl ModelServer {
    /// With an empty script.
    pub fn start() -> Self {
        let state = Arc::new(Mutex::new(State::default()));
        let serving = Arc::clone(&state);
        let http = HttpServer::with(Box::new(move |heard| answer(&serving, heard)));
        Self { http, state }
    }

    /// The base address for Anthropic's wire; the other's is below `/v1`.
    pub fn url(&self) -> String {
        self.http.url()
    }

    /// Add a step.
    pub fn then(&self, step: impl Into<Step>) {
        locked(&self.state).script.push_back(step.into());
    }

    /// Add a reply, on whichever wire is asked.
    pub fn reply(&self, reply: Reply) {
        self.then(reply);
    }

    /// Add an answer with this status, as the vendors' errors look.
    pub fn fail(&self, status: u16, kind: &str, message: &str) {
        self.then(error(status, kind, message));
    }

    /// All requests so far.
    pub fn exchanges(&self) -> Vec<Exchange> {
        locked(&self.state).exchanges.clone()
    }

    /// What requests did against the protocol.
    pub fn violations(&self) -> Vec<String> {
        locked(&self.state).checks.violations().to_vec()
    }

    /// How many conversations there were, told apart by their first message.
    pub fn conversations(&self) -> usize {
        locked(&self.state).checks.conversations()
    }

    /// When it was started: what [`Heard::at`] and [`Exchange::answered`] are counted from.
    pub fn started(&self) -> Instant {
        self.http.started()
    }

    /// How many connections there were.
    pub fn connections(&self) -> usize {
        self.http.connections()
    }

    /// The script is used up and no request was against the protocol.
    ///
    /// # Panics
    /// Where that is not so.
    pub fn finish(&self) {
        let state = locked(&self.state);
        assert!(state.checks.violations().is_empty(), "{:#?}", state.checks.violations());
        assert_eq!(state.script.len(), 0, "steps of the script are left");
    }
}

/// An answer as the vendors' errors look; both wires can read it.
pub fn error(status: u16, kind: &str, message: &str) -> Answer {
    let body = json!({"type": "error", "error": {"type": kind, "message": message, "code": kind}});
    Answer::new(status, "application/json", body.to_string())
}

fn answer(shared: &Arc<Mutex<State>>, heard: Heard) -> (Answer, Box<dyn FnOnce(Duration) + Send>) {
    let path = heard.target.split('?').next().unwrap_or_default();
    let wire = match (heard.method.as_str(), path) {
        ("POST", "/v1/messages") => Wire::Anthropic,
        ("POST", path) if path.ends_with("/chat/completions") => Wire::Chat,
        // both wires list models alike
        ("GET", "/v1/models") => {
            let list = json!({"object": "list", "has_more": false, "data": [
                {"id": "scripted", "type": "model", "object": "model", "display_name": "Scripted", "created": 1}]});
            return (Answer::new(200, "application/json", list.to_string()), Box::new(|_| ()));
        }
        _ => return (error(404, "not_found_error", "no such path"), Box::new(|_| ())),
    };
    let mut state = locked(shared);
    let number = state.exchanges.len();
    let answer = state.next(number, wire, &heard);
    state.exchanges.push(Exchange { wire, heard, answered: None });
    drop(state);
    let id = format!("req_{number}");
    let answer = answer.header("request-id", &id).header("x-request-id", &id);
    let shared = Arc::clone(shared);
    (answer, Box::new(move |at| locked(&shared).exchanges[number].answered = Some(at)))
}

impl State {
    fn next(&mut self, number: usize, wire: Wire, heard: &Heard) -> Answer {
        let text = String::from_utf8_lossy(&heard.body);
        let fits = |step: &Step| step.only.as_ref().is_none_or(|only| text.contains(only.as_str()));
        let Some(step) = self.script.iter().position(fits).and_then(|at| self.script.remove(at)) else {
            self.checks.note(format!("request {number}: the script has no answer for it"));
            return error(400, "invalid_request_error", "the script is over");
        };
        let conversation = match self.checks.request(wire, heard, step.fresh) {
            Ok(conversation) => conversation,
            Err(problems) => {
                let problems = problems.join("; ");
                self.checks.note(format!("request {number}: {problems}"));
                return error(400, "invalid_request_error", &problems);
            }
        };
        let answer = match step.say {
            Say::Answer(answer) => answer,
            Say::Reply(reply) => {
                let streams =
                    serde_json::from_slice::<Value>(&heard.body).is_ok_and(|body| body["stream"] == json!(true));
                match streams {
                    true => Stream::of(wire, &reply).answer(),
                    false => {
                        let mut whole = Answer::new(200, "application/json", reply.whole(wire).to_string());
                        whole.said = Said::This(reply.expected(wire));
                        whole
                    }
                }
            }
        };
        self.checks.answered(conversation, answer.said.clone());
        answer
    }
}
