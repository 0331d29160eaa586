//! Questions that go to whoever is at the client, as forms (`elicitation/create`). How long one may stand, how large it may be
//! and how many there may be is bounded here; which questions may go there at all is for the application to say.

use deskhand_vocabulary::Stop;
use rmcp::{
    Peer, RoleServer,
    model::{ElicitRequestParams, ElicitationAction},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU32, Ordering},
        mpsc::sync_channel,
    },
    time::Duration,
};
use tokio::runtime::Handle;

/// What is asked: some words, and a form to be filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// Safe to show.
    pub message: String,
    /// A JSON Schema of an object whose members are plain: texts, numbers, yes or no, choices.
    pub schema: Value,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unasked {
    /// The client cannot ask, whoever is there did not answer, or there are too many questions.
    #[error("nobody is there to be asked")]
    Absent,
    /// The call that it belongs to was cancelled.
    #[error("the call was cancelled")]
    Cancelled,
}

/// Bounds of questions.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long one may stand.
    pub patience: Duration,
    /// The most of one call.
    pub count: u32,
    /// The longest message, in bytes.
    pub message: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { patience: Duration::from_secs(5 * 60), count: 20, message: 32 << 10 }
    }
}

/// The largest answer that is looked at, in bytes.
const ANSWER: usize = 64 << 10;

/// How often it is looked whether the call was cancelled.
const LOOK: Duration = Duration::from_millis(50);

async fn stopped(stop: &Stop) {
    while !stop.is_stopped() {
        tokio::time::sleep(LOOK).await;
    }
}

/// The way to whoever is at the client. Before there is a client, nobody is there.
#[derive(Debug)]
pub struct Asking {
    handle: Handle,
    peer: OnceLock<Peer<RoleServer>>,
    bounds: Bounds,
    asked: AtomicU32,
    /// Questions are put one at a time.
    turn: Mutex<()>,
}

impl Asking {
    /// Of a session that is served on this runtime.
    pub fn new(handle: Handle, bounds: Bounds) -> Arc<Self> {
        let (peer, asked) = (OnceLock::new(), AtomicU32::new(0));
        Arc::new(Self { handle, peer, bounds, asked, turn: Mutex::default() })
    }

    pub(crate) fn found(&self, peer: &Peer<RoleServer>) {
        // a session has one client, which says hello once
        let _ = self.peer.set(peer.clone());
    }

    /// Another call begins, which may ask as much as any.
    pub fn begin(&self) {
        self.asked.store(0, Ordering::SeqCst);
    }

    /// True if the client says that it can ask somebody.
    pub fn is_possible(&self) -> bool {
        let declared = |peer: &Peer<RoleServer>| {
            let elicitation = peer.peer_info().and_then(|info| info.capabilities.elicitation.clone());
            // a client that names no way means a form (2025-11-25, elicitation)
            elicitation.is_some_and(|ways| ways.form.is_some() || ways.url.is_none())
        };
        self.peer.get().is_some_and(declared)
    }

    /// Ask, and wait for the answer: what was filled in, or nothing where it was declined or is no answer to the question.
    /// For a thread that may wait. `stop` is that of the call that asks.
    ///
    /// # Errors
    /// Nobody answers, or nobody wants to know any more.
    pub fn ask(&self, form: &Form, stop: &Stop) -> Result<Option<Value>, Unasked> {
        let _turn: MutexGuard<'_, ()> = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let peer = self.peer.get().filter(|_| self.is_possible()).ok_or(Unasked::Absent)?;
        let too_many = self.asked.fetch_add(1, Ordering::SeqCst) >= self.bounds.count;
        if too_many || form.message.len() > self.bounds.message {
            return Err(Unasked::Absent);
        }
        let params = json!({ "mode": "form", "message": form.message, "requestedSchema": form.schema });
        // a form that the protocol does not know is one that nobody can be shown
        let params: ElicitRequestParams = serde_json::from_value(params).map_err(|_| Unasked::Absent)?;
        let (peer, stop, patience) = (peer.clone(), stop.clone(), self.bounds.patience);
        let (answered, answer) = sync_channel(1);
        // this thread may be that of a plugin, on which no other executor may run
        self.handle.spawn(async move {
            let answer = tokio::select! {
                biased;
                () = stopped(&stop) => Err(Unasked::Cancelled),
                answer = peer.create_elicitation_with_timeout(params, Some(patience)) => {
                    answer.map_err(|_| Unasked::Absent)
                }
            };
            // whoever has asked waits for it
            let _ = answered.send(answer);
        });
        // a server that ends answers nothing more
        let answer = answer.recv().unwrap_or(Err(Unasked::Cancelled))?;
        match answer.action {
            ElicitationAction::Accept => {
                let small = |content: &Value| content.is_object() && content.to_string().len() <= ANSWER;
                Ok(answer.content.filter(small))
            }
            ElicitationAction::Decline => Ok(None),
            // dismissed, which is neither yes nor no: it can be answered later
            _ => Err(Unasked::Absent),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::server::{
        Content, Hello, NotServed, Offer, Page, Prompt, Resource, Telling, Template, handler::Session,
    };
    use deskhand_agent::tool::{Call, Output, Tool};
    use rmcp::{
        ClientHandler, ErrorData, RoleClient, ServiceExt as _,
        model::{CallToolRequestParams, ClientConfig, ElicitResult},
        service::RequestContext,
    };
    use serde_json::Map;

    /// A tool that asks, and says what came of it.
    struct Asks(Arc<Asking>);

    impl Offer for Asks {
        fn hello(&self, _: Hello) {}
        fn instructions(&self) -> String {
            String::new()
        }
        fn tools(&self) -> Result<Vec<Tool>, NotServed> {
            Ok(Vec::new())
        }
        fn call(&self, _: &Call, _: Telling, stop: &Stop) -> Result<Output, NotServed> {
            let form = Form { message: "Well?".to_owned(), schema: json!({"type": "object", "properties": {}}) };
            Ok(Output::done(format!("{:?}", self.0.ask(&form, stop))))
        }
        fn prompts(&self) -> Result<Vec<Prompt>, NotServed> {
            Ok(Vec::new())
        }
        fn prompt(&self, _: &str, _: &Map<String, Value>, _: &Stop) -> Result<String, NotServed> {
            Ok(String::new())
        }
        fn resources(&self, _: Option<&str>, _: &Stop) -> Result<Page<Resource>, NotServed> {
            Ok(Page { items: Vec::new(), next: None })
        }
        fn templates(&self) -> Vec<Template> {
            Vec::new()
        }
        fn read(&self, _: &str, _: &Stop) -> Result<Content, NotServed> {
            Err(NotServed::Unknown(String::new()))
        }
        fn edition(&self) -> u64 {
            0
        }
        fn end(&self) {}
    }

    /// A client that shows a question, to whoever is not there.
    struct Nobody;

    impl ClientHandler for Nobody {
        fn get_info(&self) -> ClientConfig {
            serde_json::from_value(json!({
                "protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}},
                "clientInfo": {"name": "a test", "version": "1"},
            }))
            .unwrap()
        }

        async fn create_elicitation(
            &self,
            _: ElicitRequestParams,
            _: RequestContext<RoleClient>,
        ) -> Result<ElicitResult, ErrorData> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_question_that_nobody_answers_is_given_up() {
        let bounds = Bounds { patience: Duration::from_millis(20), count: 2, ..Bounds::default() };
        let asking = Asking::new(Handle::current(), bounds);
        let session = Session::new(Arc::new(Asks(Arc::clone(&asking))), asking);
        let (here, there) = tokio::io::duplex(1 << 16);
        let serving = tokio::spawn(async move { session.serve(here).await.unwrap().waiting().await });
        let client = Nobody.serve(there).await.unwrap();
        let params: CallToolRequestParams = serde_json::from_value(json!({"name": "ask"})).unwrap();
        // the first two stood until nobody had answered; the third is one too many
        for _ in 0..3 {
            let answer = serde_json::to_value(client.call_tool(params.clone()).await.unwrap()).unwrap();
            assert_eq!(answer["content"][0]["text"], "Err(Absent)");
        }
        client.cancel().await.unwrap();
        serving.await.unwrap().unwrap();
    }
}
