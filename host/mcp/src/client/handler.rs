//! What a server may say and ask while it works: questions to the person, which are bounded; how far it is; what it logs; and
//! that what it has is not what it was.

#![expect(deprecated, reason = "the protocol gives up roots and logging in time; the servers of today use them")]

use super::{
    host::{Change, Elicited, Host},
    wait::Asked,
};
use deskhand_vocabulary::{
    ServerName,
    text::{safe, shortened},
};
use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        ClientCapabilities, ClientConfig, ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability,
        FormElicitationCapability, Implementation, ListRootsResult, LoggingMessageNotificationParam,
        ProgressNotificationParam, Root, RootsCapabilities,
    },
    service::{NotificationContext, RequestContext},
};
use serde_json::Value;
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

/// How many questions a server may put to the person for one thing that it is asked. Then it is answered no.
const QUESTIONS: u32 = 5;
/// How many lines a server may log for one thing that it is asked; and the most characters of each, and of a question.
const LINES: u32 = 100;
const LINE: usize = 1000;
const QUESTION: usize = 2000;
/// The largest form, in bytes of its schema.
const FORM: usize = 16 << 10;

/// The side of one connection that the server speaks to. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Handler(Arc<Inner>);

struct Inner {
    server: ServerName,
    host: Arc<dyn Host>,
    /// The folders that it is told to work in; none for a server elsewhere, which is not to know of any.
    roots: OnceLock<Vec<(String, String)>>,
    /// Whether it is a program on this computer.
    local: bool,
    asked: Asked,
    /// One question at a time.
    turn: tokio::sync::Mutex<()>,
    questions: AtomicU32,
    lines: AtomicU32,
    /// How much is asked just now that may lead to questions.
    asking: AtomicU32,
    /// Whether nobody was there to be asked.
    nobody: AtomicBool,
    changed: AtomicBool,
    /// Whether it told how far it is.
    tells: AtomicBool,
}

impl Handler {
    pub(crate) fn new(server: &ServerName, host: Arc<dyn Host>, local: bool) -> Self {
        Self(Arc::new(Inner {
            server: server.clone(),
            host,
            roots: OnceLock::new(),
            local,
            asked: Asked::default(),
            turn: tokio::sync::Mutex::new(()),
            questions: AtomicU32::new(0),
            lines: AtomicU32::new(0),
            asking: AtomicU32::new(0),
            nobody: AtomicBool::new(false),
            changed: AtomicBool::new(false),
            tells: AtomicBool::new(false),
        }))
    }

    /// Tell it to work in these folders: their addresses, with their names. Once.
    pub(crate) fn work_in(&self, roots: Vec<(String, String)>) {
        let _ = self.0.roots.set(roots);
    }

    /// Something is asked of the server for which it may have the person asked, until [`Self::end`]. What is bounded is
    /// counted anew where nothing else is under way.
    pub(crate) fn begin(&self) {
        if self.0.asking.fetch_add(1, Ordering::SeqCst) == 0 {
            self.0.questions.store(0, Ordering::SeqCst);
            self.0.lines.store(0, Ordering::SeqCst);
            self.0.nobody.store(false, Ordering::SeqCst);
        }
    }

    /// It is answered. How far the server was says nothing any more.
    pub(crate) fn end(&self) {
        if self.0.asking.fetch_sub(1, Ordering::SeqCst) == 1 && self.0.tells.swap(false, Ordering::SeqCst) {
            self.0.host.progress(&self.0.server, "", 1, Some(1));
        }
    }

    /// How long the server had the person asked.
    pub(crate) fn asked(&self) -> &Asked {
        &self.0.asked
    }

    /// Whether it wanted to ask the person something, and nobody was there.
    pub(crate) fn nobody_was_there(&self) -> bool {
        self.0.nobody.load(Ordering::SeqCst)
    }

    /// Whether what the server has is not what it was, since this was asked last.
    pub(crate) fn take_changed(&self) -> bool {
        self.0.changed.swap(false, Ordering::SeqCst)
    }

    fn change(&self) {
        if !self.0.changed.swap(true, Ordering::SeqCst) {
            self.0.host.changed(&self.0.server, &Change::Offer, Duration::ZERO);
        }
    }

    /// Whether the server may put one more question.
    fn may_ask(&self) -> bool {
        self.0.asking.load(Ordering::SeqCst) > 0 && self.0.questions.fetch_add(1, Ordering::SeqCst) < QUESTIONS
    }

    async fn ask(&self, text: String, schema: Value) -> Elicited {
        let _turn = self.0.turn.lock().await;
        let handler = self.clone();
        self.0.asked.begin();
        let ask = move || handler.0.host.ask(&handler.0.server, &shortened(&text, QUESTION), &schema);
        let said = tokio::task::spawn_blocking(ask).await.unwrap_or(Elicited::Nobody);
        self.0.asked.end();
        if said == Elicited::Nobody {
            self.0.nobody.store(true, Ordering::SeqCst);
        }
        said
    }
}

impl ClientHandler for Handler {
    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, requested_schema, .. } = request else {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        };
        let schema = serde_json::to_value(&requested_schema).unwrap_or_default();
        if !self.may_ask() || schema.to_string().len() > FORM {
            return Ok(ElicitResult::new(ElicitationAction::Decline));
        }
        Ok(match self.ask(message, schema).await {
            Elicited::Filled(filled) => ElicitResult::new(ElicitationAction::Accept).with_content(filled),
            Elicited::Declined => ElicitResult::new(ElicitationAction::Decline),
            Elicited::Nobody => ElicitResult::new(ElicitationAction::Cancel),
        })
    }

    async fn list_roots(&self, _: RequestContext<RoleClient>) -> Result<ListRootsResult, ErrorData> {
        // another computer has no business with where folders are here
        let roots = self.0.roots.get().into_iter().flatten();
        Ok(ListRootsResult::new(roots.map(|(address, name)| Root::new(address).with_name(name)).collect()))
    }

    async fn on_progress(&self, progress: ProgressNotificationParam, _: NotificationContext<RoleClient>) {
        if self.0.asking.load(Ordering::SeqCst) == 0 {
            return;
        }
        self.0.tells.store(true, Ordering::SeqCst);
        let whole = |number: f64| if number.is_finite() && number > 0.0 { number as u64 } else { 0 };
        let text = safe(&shortened(progress.message.as_deref().unwrap_or("at work"), LINE), false);
        self.0.host.progress(&self.0.server, &text, whole(progress.progress), progress.total.map(whole));
    }

    async fn on_logging_message(&self, message: LoggingMessageNotificationParam, _: NotificationContext<RoleClient>) {
        if self.0.lines.fetch_add(1, Ordering::SeqCst) >= LINES {
            return;
        }
        let text = message.data.as_str().map_or_else(|| message.data.to_string(), str::to_owned);
        let level = serde_json::to_value(message.level).unwrap_or_default();
        let line = safe(&shortened(&text, LINE), false);
        self.0.host.log(&self.0.server, level.as_str().unwrap_or("info"), &line);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.change();
    }

    async fn on_resource_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.change();
    }

    async fn on_prompt_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.change();
    }

    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(ElicitationCapability::new().with_form(FormElicitationCapability::new()));
        capabilities.roots = self.0.local.then(RootsCapabilities::default);
        ClientConfig::new(capabilities, Implementation::new("deskhand", env!("CARGO_PKG_VERSION")))
    }
}
