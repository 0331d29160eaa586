//! One model: requests to it, and its replies read to their end.

use crate::{
    anthropic, chat,
    config::{Auth, BadConfig, ModelConfig, Wire},
    content::{LONGEST_NAME, is_name},
    conversation::Conversation,
    error::{Failure, ModelError},
    failure::{Complaint, tidy},
    key::Keys,
    money::Money,
    reply::{Happening, Outcome, Reply},
    retry::{Jitter, Patience, retry_after},
    sse,
    usage::Usage,
};
use deskhand_egress::{EgressError, Limits, Outlet, Redirects, Request, Response, Secret};
use deskhand_vocabulary::Clock;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The longest reply, in bytes of its stream.
const LONGEST_REPLY: u64 = 64 << 20;

/// The longest silence where the settings say nothing.
const SILENCE: Duration = Duration::from_secs(300);

/// How long the end of a body is waited for once the reply is whole. It comes at once, or not at all.
const END: Duration = Duration::from_millis(500);

/// How long a list of models may take, and how many bytes it may have.
const LIST: Duration = Duration::from_secs(20);
const LONGEST_LIST: u64 = 8 << 20;

/// How much of an error's body is read.
const ERROR_BODY: u64 = 64 << 10;

/// A reply on its way.
pub type Replying<'a> = Pin<Box<dyn Future<Output = Result<Reply, Failure>> + Send + 'a>>;

/// A model, as the agent sees it.
pub trait Model: Send + Sync {
    /// Ask for the next reply of a conversation. Dropping the future breaks it off.
    fn reply<'a>(
        &'a self,
        conversation: &'a Conversation,
        watch: &'a mut (dyn FnMut(Happening<'_>) + Send),
    ) -> Replying<'a>;

    /// Its settings.
    fn config(&self) -> &ModelConfig;
}

/// A model at a server.
pub struct Client {
    /// What the person calls it.
    name: Option<String>,
    config: ModelConfig,
    outlet: Outlet,
    keys: Arc<dyn Keys>,
    clock: Arc<dyn Clock>,
    jitter: Arc<dyn Jitter>,
    patience: Patience,
    /// Asking a keyring takes longer than all else here.
    key: Mutex<Option<Secret>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("model", &self.config.model)
            .field("url", &self.config.url)
            .finish_non_exhaustive()
    }
}

/// What a try came to.
struct Tried {
    result: Result<Whole, ModelError>,
    usage: Option<Usage>,
    request_id: Option<String>,
}

struct Whole {
    said: crate::content::Said,
    outcome: Outcome,
}

enum Reading {
    Anthropic(anthropic::Reading),
    Chat(chat::Reading),
}

impl Client {
    /// A client. Nothing is sent, and no key is read yet.
    ///
    /// # Errors
    /// [`BadConfig`] where the settings do not do.
    pub fn new(
        config: ModelConfig,
        outlet: Outlet,
        keys: Arc<dyn Keys>,
        clock: Arc<dyn Clock>,
        jitter: Arc<dyn Jitter>,
    ) -> Result<Self, BadConfig> {
        config.check()?;
        let patience = Patience::default();
        Ok(Self { name: None, config, outlet, keys, clock, jitter, patience, key: Mutex::default() })
    }

    /// Of the model that the person calls so, which is named where they have to mend something.
    pub fn called(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// With other limits on tries.
    pub const fn patience(mut self, patience: Patience) -> Self {
        self.patience = patience;
        self
    }

    /// The host that requests go to.
    pub fn host(&self) -> String {
        self.config.host().unwrap_or_default()
    }

    /// Ask for the next reply of a conversation, again where that helps; what happens is told to `watch`. Dropping the
    /// future breaks the request off.
    ///
    /// # Errors
    /// [`Failure`] once all tries are used up, the time for them is over, or another one would not help.
    pub async fn reply(
        &self,
        conversation: &Conversation,
        watch: &mut (dyn FnMut(Happening<'_>) + Send),
    ) -> Result<Reply, Failure> {
        let timer = Arc::clone(self.outlet.timer());
        let mut spent = Usage::default();
        let mut first_failure = None;
        let mut tries = 0;
        let fail = |error, request_id, tries, after, spent| {
            let (name, model, host) = (self.name.clone(), self.config.model.clone(), self.host());
            Failure { error, name, model, host, request_id, tries, after, spent, cost: self.cost(&spent) }
        };
        let (body, key) =
            match conversation.body(&self.config).map_err(ModelError::from).and_then(|body| Ok((body, self.key()?))) {
                Ok(ready) => ready,
                Err(error) => return Err(fail(error, None, 0, Duration::ZERO, spent)),
            };
        let body = deskhand_egress::Bytes::from(body);
        loop {
            tries += 1;
            let tried = self.attempt(conversation, body.clone(), key.as_ref(), tries, watch).await;
            let used = tried.usage.unwrap_or_default();
            spent += used;
            let error = match tried.result {
                Ok(Whole { said, outcome }) => {
                    let cost = self.cost(&spent);
                    let (usage, request_id) = (tried.usage, tried.request_id);
                    return Ok(Reply { said, outcome, usage, spent, cost, request_id, tries });
                }
                Err(error) => error,
            };
            if matches!(error, ModelError::BadKey { .. }) {
                // a new one may have been stored by the next time
                *self.key.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            let now = timer.elapsed();
            let since = now.saturating_sub(*first_failure.get_or_insert(now));
            let Some(wait) = self.patience.wait(tries, &error, since, &*self.jitter) else {
                return Err(fail(error, tried.request_id, tries, since, spent));
            };
            watch(Happening::Retrying { attempt: tries, tries: self.patience.tries, error: &error, wait, used });
            timer.sleep(wait).await;
        }
    }

    /// The models that the server offers, as it calls them. Asked once; nothing is tried again.
    ///
    /// # Errors
    /// [`Failure`] where the server does not say.
    pub async fn offered(&self) -> Result<Vec<String>, Failure> {
        #[derive(serde::Deserialize)]
        struct List {
            data: Vec<Offered>,
        }
        #[derive(serde::Deserialize)]
        struct Offered {
            id: String,
        }
        let list = async {
            let key = self.key()?;
            let limits = Limits { silence: LIST, total: Some(LIST), body: LONGEST_LIST };
            let request = Request::get(&self.config.list())?.limits(limits).header("accept", "application/json")?;
            let mut response = self.outlet.send(self.dressed(request, key.as_ref())?).await?;
            if !response.is_success() {
                return Err(self.refusal(response, key.as_ref()).await);
            }
            let body = response.bytes().await?;
            let list: List = serde_json::from_slice(&body).map_err(|_| ModelError::NotAStream {
                kind: "something else".to_owned(),
                said: tidy(&String::from_utf8_lossy(&body), key.as_ref()).chars().take(200).collect(),
            })?;
            Ok(list.data.into_iter().map(|model| model.id).collect())
        };
        list.await.map_err(|error| Failure {
            error,
            name: self.name.clone(),
            model: self.config.model.clone(),
            host: self.host(),
            request_id: None,
            tries: 1,
            after: Duration::ZERO,
            spent: Usage::default(),
            cost: None,
        })
    }

    /// What this usage costs, where a price is known.
    pub fn cost(&self, usage: &Usage) -> Option<Money> {
        self.config.price.map(|price| price.of(usage))
    }

    fn key(&self) -> Result<Option<Secret>, ModelError> {
        let Some(name) = &self.config.key else { return Ok(None) };
        let mut kept = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.is_none() {
            *kept = Some(self.keys.key(name)?);
        }
        Ok(kept.clone())
    }

    fn request(&self, body: deskhand_egress::Bytes, key: Option<&Secret>) -> Result<Request, EgressError> {
        let silence = self.config.silence.map_or(SILENCE, Duration::from_secs);
        let request = Request::post(&self.config.endpoint(), body)?
            .limits(Limits { silence, total: None, body: LONGEST_REPLY })
            .redirects(Redirects::SameRequest(3))
            .header("content-type", "application/json")?
            .header("accept", "text/event-stream")?;
        self.dressed(request, key)
    }

    /// With the headers that every request to the server has.
    fn dressed(&self, mut request: Request, key: Option<&Secret>) -> Result<Request, EgressError> {
        if self.config.wire == Wire::Anthropic {
            request = request.header("anthropic-version", self.config.version.as_deref().unwrap_or("2023-06-01"))?;
        }
        for (name, value) in &self.config.headers {
            request = request.header(name, value)?;
        }
        match (key, self.config.auth()) {
            (None, _) => Ok(request),
            (Some(key), Auth::ApiKey) => request.credential("x-api-key", "", key),
            (Some(key), Auth::Bearer) => request.credential("authorization", "Bearer ", key),
        }
    }

    async fn attempt(
        &self,
        conversation: &Conversation,
        body: deskhand_egress::Bytes,
        key: Option<&Secret>,
        attempt: u32,
        watch: &mut (dyn FnMut(Happening<'_>) + Send),
    ) -> Tried {
        let failed = |error, request_id| Tried { result: Err(error), usage: None, request_id };
        let sent = match self.request(body, key) {
            Ok(request) => self.outlet.send(request).await,
            Err(error) => Err(error),
        };
        let response = match sent {
            Ok(response) => response,
            Err(error) => return failed(error.into(), None),
        };
        let id = ["request-id", "x-request-id"].iter().find_map(|name| response.header(name));
        let id = id.map(|id| tidy(id, key).chars().take(100).collect::<String>());
        if !response.is_success() {
            return failed(self.refusal(response, key).await, id);
        }
        let kind = response.header("content-type").unwrap_or_default().to_ascii_lowercase();
        if !kind.is_empty() && !kind.starts_with("text/event-stream") {
            return failed(not_a_stream(response, &kind, key).await, id);
        }
        watch(Happening::Began { attempt, request_id: id.as_deref() });
        let mut reading = match self.config.wire {
            Wire::Anthropic => Reading::Anthropic(anthropic::Reading::default()),
            Wire::Chat => Reading::Chat(chat::Reading::default()),
        };
        let read = self.read(response, &mut reading, watch).await;
        let usage = reading.usage();
        let result = match read {
            Ok(()) => Ok(reading.whole(conversation, watch)),
            Err(error) => Err(blotted(error, key)),
        };
        Tried { result, usage, request_id: id }
    }

    /// Read until the event that ends a reply, and the body to its end.
    async fn read(
        &self,
        mut response: Response,
        reading: &mut Reading,
        watch: &mut (dyn FnMut(Happening<'_>) + Send),
    ) -> Result<(), ModelError> {
        let mut events = sse::Reader::default();
        loop {
            let Some(piece) = response.chunk().await? else {
                return match reading {
                    Reading::Chat(chat) if chat.may_end(self.config.end) => Ok(()),
                    _ => Err(ModelError::Truncated),
                };
            };
            let mut state = Ok(false);
            let read = events.read(&piece, |event| {
                if matches!(state, Ok(false)) {
                    state = reading.event(&event, watch);
                }
            });
            read.map_err(|unreadable| ModelError::Unreadable {
                reason: match unreadable {
                    sse::Unreadable::TooLarge => "an event of it is too large".to_owned(),
                    sse::Unreadable::NotText => "it is not text".to_owned(),
                },
            })?;
            if state? {
                response.finish(END, ERROR_BODY).await;
                return Ok(());
            }
        }
    }

    async fn refusal(&self, mut response: Response, key: Option<&Secret>) -> ModelError {
        let status = response.status();
        let wait = retry_after(|name| response.header(name).map(str::to_owned), &*self.clock);
        let body = begin(&mut response).await;
        response.finish(END, ERROR_BODY).await;
        Complaint::of_body(&body, key).of_status(status, wait)
    }
}

/// The beginning of a body: an error's own failure to arrive is not the error.
async fn begin(response: &mut Response) -> Vec<u8> {
    let mut body = Vec::new();
    while (body.len() as u64) < ERROR_BODY
        && let Ok(Some(piece)) = response.chunk().await
    {
        body.extend_from_slice(&piece);
    }
    body
}

async fn not_a_stream(mut response: Response, kind: &str, key: Option<&Secret>) -> ModelError {
    let body = begin(&mut response).await;
    response.finish(END, ERROR_BODY).await;
    let mut said = tidy(&String::from_utf8_lossy(&body), key);
    if let Some((end, _)) = said.char_indices().nth(200) {
        said.truncate(end);
    }
    ModelError::NotAStream { kind: tidy(kind, key), said }
}

/// Without the key in the server's words.
fn blotted(error: ModelError, key: Option<&Secret>) -> ModelError {
    let Some(key) = key else { return error };
    match error {
        ModelError::BadRequest { status, said } => ModelError::BadRequest { status, said: key.blot(&said) },
        ModelError::ServerFault { status, said, retry_after } => {
            ModelError::ServerFault { status, said: key.blot(&said), retry_after }
        }
        ModelError::Overloaded { said, retry_after } => ModelError::Overloaded { said: key.blot(&said), retry_after },
        ModelError::RateLimited { said, retry_after } => ModelError::RateLimited { said: key.blot(&said), retry_after },
        ModelError::BadKey { said } => ModelError::BadKey { said: key.blot(&said) },
        ModelError::Forbidden { said } => ModelError::Forbidden { said: key.blot(&said) },
        ModelError::NoCredit { said } => ModelError::NoCredit { said: key.blot(&said) },
        ModelError::TooLong { said } => ModelError::TooLong { said: key.blot(&said) },
        other => other,
    }
}

impl Reading {
    fn event(&mut self, event: &sse::Event, watch: &mut (dyn FnMut(Happening<'_>) + Send)) -> Result<bool, ModelError> {
        // Anthropic's way, which gateways of the other wire use as well. What it holds is not always JSON.
        if event.kind == "error" {
            let json = serde_json::from_str(&event.data).unwrap_or_else(|_| event.data.clone().into());
            return Err(Complaint::of(&json, None).in_stream());
        }
        match self {
            Self::Anthropic(reading) => reading.event(&event.data, watch),
            Self::Chat(reading) => reading.chunk(&event.data, watch),
        }
    }

    const fn usage(&self) -> Option<Usage> {
        match self {
            Self::Anthropic(reading) => reading.usage(),
            Self::Chat(reading) => reading.usage(),
        }
    }

    /// The whole reply; ids of calls that cannot be used are replaced.
    fn whole(self, conversation: &Conversation, watch: &mut (dyn FnMut(Happening<'_>) + Send)) -> Whole {
        let mut taken = HashSet::new();
        // many may be the same: each goes on where the last one ended
        let mut numbers: HashMap<String, u32> = HashMap::new();
        let id = |given: &str| {
            let free =
                |id: &str, taken: &HashSet<String>| is_name(id) && !taken.contains(id) && !conversation.knows(id);
            let base: String = given
                .chars()
                .map(|letter| if is_name(letter.encode_utf8(&mut [0; 4])) { letter } else { '_' })
                .take(LONGEST_NAME - 8)
                .collect();
            let base = if base.is_empty() { "call".to_owned() } else { base };
            let mut id = given.to_owned();
            if !free(&id, &taken) {
                let number = numbers.entry(base.clone()).or_insert(1);
                while !free(&id, &taken) {
                    id = if *number == 1 { base.clone() } else { format!("{base}_{number}") };
                    *number += 1;
                }
            }
            if id != given {
                watch(Happening::Renamed { from: given, to: &id });
            }
            taken.insert(id.clone());
            id
        };
        let (said, outcome) = match self {
            Self::Anthropic(reading) => reading.whole(id),
            Self::Chat(reading) => reading.whole(id),
        };
        Whole { said, outcome }
    }
}

impl Model for Client {
    fn reply<'a>(
        &'a self,
        conversation: &'a Conversation,
        watch: &'a mut (dyn FnMut(Happening<'_>) + Send),
    ) -> Replying<'a> {
        Box::pin(self.reply(conversation, watch))
    }

    fn config(&self) -> &ModelConfig {
        &self.config
    }
}
