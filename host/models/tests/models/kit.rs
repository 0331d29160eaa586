//! A client whose time, chance, key and gate the test holds.

use deskhand_egress::{
    Ask, Egress, Judge, Judged, Judgement, Parts, Proxies, Reach, Recorder, Secret, SystemLookup, Timer, Traffic,
    Waiting,
};
use deskhand_model_server::{ModelServer, Wire as Scripted};
use deskhand_models::{
    Client, Conversation, Failure, Happening, Jitter, Keys, ModelConfig, NoKey, Piece, Reply, Tool, ToolResult, Wire,
};
use deskhand_vocabulary::Clock;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::json;
use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::sync::watch;

pub(crate) const WIRES: [(Wire, Scripted); 2] = [(Wire::Anthropic, Scripted::Anthropic), (Wire::Chat, Scripted::Chat)];

/// Time that stands still until the test moves it, but for one wait that is over at once.
pub(crate) struct Still {
    now: watch::Sender<Duration>,
    skip: Mutex<Option<Duration>>,
}

impl Still {
    pub(crate) fn pass(&self, time: Duration) {
        self.now.send_modify(|now| *now += time);
    }

    fn skip(&self, wait: Duration) {
        *self.skip.lock().unwrap() = Some(wait);
    }
}

impl Timer for Still {
    fn elapsed(&self) -> Duration {
        *self.now.borrow()
    }

    fn sleep(&self, time: Duration) -> Waiting {
        if self.skip.lock().unwrap().take_if(|skip| *skip == time).is_some() {
            self.pass(time);
            return Box::pin(std::future::ready(()));
        }
        let mut now = self.now.subscribe();
        let until = *now.borrow() + time;
        Box::pin(async move {
            now.wait_for(|now| *now >= until).await.expect("the timer lives as long as its waits");
        })
    }
}

pub(crate) struct Gate(pub(crate) Mutex<HashSet<String>>);

impl Judge for Gate {
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a> {
        let allowed = self.0.lock().unwrap().contains(&ask.host);
        let refused = Judgement::Refused { reason: "it is not allowed".to_owned() };
        Box::pin(async move { if allowed { Judgement::Allowed(Reach::Local) } else { refused } })
    }
}

#[derive(Default)]
pub(crate) struct Kept(pub(crate) Mutex<Vec<Traffic>>);

impl Recorder for Kept {
    fn record(&self, traffic: &Traffic) {
        self.0.lock().unwrap().push(traffic.clone());
    }
}

pub(crate) const KEY: &str = "sk-very-secret-12345";

struct OneKey;

impl Keys for OneKey {
    fn key(&self, name: &str) -> Result<Secret, NoKey> {
        match name {
            "test" => Ok(Secret::new(KEY)),
            _ => Err(NoKey { name: name.to_owned(), reason: "it is not stored".to_owned() }),
        }
    }
}

struct NoChance;

impl Jitter for NoChance {
    fn up_to(&self, _: Duration) -> Duration {
        Duration::ZERO
    }
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-22T12:00:00Z".parse().unwrap()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// What happened, in short.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Seen {
    Began(u32),
    Text(String),
    Thinking(String),
    Call(String),
    Input(String),
    Retrying(Duration, String),
    Unknown(String),
    Renamed(String, String),
}

pub(crate) struct Kit {
    pub(crate) server: ModelServer,
    pub(crate) timer: Arc<Still>,
    pub(crate) kept: Arc<Kept>,
    pub(crate) client: Client,
    pub(crate) seen: Arc<Mutex<Vec<Seen>>>,
}

impl Kit {
    pub(crate) fn new(wire: Wire) -> Self {
        Self::with(wire, |_| ())
    }

    pub(crate) fn with(wire: Wire, change: impl FnOnce(&mut ModelConfig)) -> Self {
        let server = ModelServer::start();
        let url = if wire == Wire::Anthropic { server.url() } else { format!("{}/v1", server.url()) };
        let mut config = ModelConfig::new(wire, &url, "scripted");
        config.key = Some("test".to_owned());
        change(&mut config);
        let timer = Arc::new(Still { now: watch::channel(Duration::ZERO).0, skip: Mutex::default() });
        let egress = Egress::new(Parts {
            proxies: Proxies::none(),
            lookup: Arc::new(SystemLookup),
            timer: Arc::clone(&timer) as _,
            user_agent: "deskhand/test".to_owned(),
        });
        let kept = Arc::<Kept>::default();
        let gate = Gate(Mutex::new(HashSet::from(["127.0.0.1".to_owned()])));
        let outlet = egress.outlet(Arc::new(gate), Arc::clone(&kept) as _);
        let client = Client::new(config, outlet, Arc::new(OneKey), Arc::new(Noon), Arc::new(NoChance)).unwrap();
        Self { server, timer, kept, client, seen: Arc::default() }
    }

    pub(crate) async fn ask(&self, conversation: &Conversation) -> Result<Reply, Failure> {
        let (timer, seen) = (Arc::clone(&self.timer), Arc::clone(&self.seen));
        let mut watch = move |happening: Happening<'_>| {
            let own = |text: &str| text.to_owned();
            seen.lock().unwrap().push(match happening {
                Happening::Began { attempt, .. } => Seen::Began(attempt),
                Happening::Text(text) => Seen::Text(own(text)),
                Happening::Thinking(text) => Seen::Thinking(own(text)),
                Happening::Call { name } => Seen::Call(own(name)),
                Happening::Input(text) => Seen::Input(own(text)),
                Happening::Unknown { what } => Seen::Unknown(own(what)),
                Happening::Renamed { from, to } => Seen::Renamed(own(from), own(to)),
                Happening::Retrying { error, wait, .. } => {
                    timer.skip(wait);
                    Seen::Retrying(wait, error.to_string())
                }
            });
        };
        self.client.reply(conversation, &mut watch).await
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// Time passes from one moment to another.
    pub(crate) async fn time_goes_on(&self, from: impl Fn() -> bool, to: impl Fn() -> bool) {
        while !from() {
            tokio::task::yield_now().await;
        }
        while !to() {
            self.timer.pass(Duration::from_millis(100));
            tokio::task::yield_now().await;
        }
    }

    /// The waits between tries, in milliseconds.
    pub(crate) fn waits(&self) -> Vec<u128> {
        let wait = |seen| if let Seen::Retrying(wait, _) = seen { Some(wait.as_millis()) } else { None };
        self.seen().into_iter().filter_map(wait).collect()
    }

    /// The text that was seen and not void.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for seen in self.seen() {
            match seen {
                Seen::Text(more) => text.push_str(&more),
                Seen::Retrying(..) => text.clear(),
                _ => {}
            }
        }
        text
    }
}

pub(crate) fn tools() -> Vec<Tool> {
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]});
    let tool =
        |name: &str| Tool { name: name.to_owned(), description: format!("{name} a file"), schema: schema.clone() };
    vec![tool("read"), tool("write")]
}

pub(crate) fn conversation() -> Conversation {
    let mut conversation = Conversation::new("You work on files.", tools()).unwrap();
    conversation.say(vec![Piece::text("What is in a.txt? Größe 🙂")]).unwrap();
    conversation
}

pub(crate) fn result(call: &str, text: &str) -> ToolResult {
    ToolResult { call: call.to_owned(), content: vec![Piece::text(text)], failed: false }
}
