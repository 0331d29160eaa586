//! A server that is ready: asking it, and telling why there is no answer.

use super::{
    error::McpError,
    handler::Handler,
    host::Host,
    http::{NoAnswer, Way},
    login::LoginError,
    program::{self, Program, Running, Way as Start},
    sandbox::Wrote,
    stderr::Tail,
    stdout::{Allowance, Bounded},
    wait::{Over, over},
};
use crate::pace::Paced;
use deskhand_egress::{EgressError, Url};
use deskhand_vocabulary::{
    ServerName, Stop,
    text::{safe, shortened},
};
use rmcp::{
    RoleClient,
    model::{ClientRequest, ServerCapabilities, ServerResult},
    service::{ClientInitializeError, PeerRequestOptions, RunningService, ServiceError, serve_client},
    transport::{
        StreamableHttpClientTransport,
        async_rw::AsyncRwTransport,
        streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError},
        worker::WorkerQuitReason,
    },
};
use std::{
    error::Error,
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// The most characters of a server's own words in an error.
const WORDS: usize = 600;

/// See the module.
pub(crate) struct Connection {
    server: ServerName,
    service: RunningService<RoleClient, Handler>,
    handler: Handler,
    process: Option<Process>,
    /// How many requests wait for an answer, and when the last one ended.
    busy: AtomicUsize,
    used: Mutex<Instant>,
    since: Instant,
}

/// What there is of a program.
struct Process {
    running: tokio::sync::Mutex<Option<Running>>,
    /// Where it finds the folders of the task in its sandbox, with their names.
    folders: Vec<(PathBuf, String)>,
    tail: Tail,
    allowance: Allowance,
}

impl Connection {
    /// Start a program, and greet it.
    pub(crate) async fn with_program(
        server: &ServerName,
        (program, start): (&Program, Start<'_>),
        host: &Arc<dyn Host>,
        (limit, stop): (Duration, &Stop),
    ) -> Result<Self, McpError> {
        let not_started = |reason: String| McpError::NotStarted { server: server.clone(), reason };
        let (running, streams) = program::start(server, program, start).await.map_err(not_started)?;
        let handler = Handler::new(server, Arc::clone(host), true);
        let folders = running.folders();
        handler.work_in(folders.as_deref().map_or_else(|| host.roots(), addresses));
        let (tail, allowance) = (Tail::default(), Allowance::default());
        tokio::spawn(tail.clone().read(streams.errors));
        let output = Bounded::new(streams.output, allowance.clone());
        // how long a line may be is bounded by the allowance
        let transport = AsyncRwTransport::new_client(output, streams.input).with_max_line_length(usize::MAX);
        let transport = Paced::new(transport);
        let folders = folders.unwrap_or_default();
        let process = Process { running: tokio::sync::Mutex::new(Some(running)), folders, tail, allowance };
        let greeted = tokio::select! {
            biased;
            greeted = serve_client(handler.clone(), transport) => greeted,
            why = over(limit, handler.asked(), stop) => {
                let silent = !process.allowance.is_touched();
                let what = if silent { "start" } else { "greet back, though it wrote to its output," };
                let late = ended(server, why, what, limit);
                process.end().await;
                return Err(late);
            }
        };
        match greeted {
            Ok(service) => Ok(Self::new(server, service, handler, Some(process))),
            Err(error) => {
                let reason = process.why(|| greeting(&error)).await;
                process.end().await;
                Err(not_started(reason))
            }
        }
    }

    /// Greet a server at an address.
    pub(crate) async fn with_address(
        server: &ServerName,
        way: Way,
        config: StreamableHttpClientTransportConfig,
        handler: Handler,
        (limit, stop): (Duration, &Stop),
    ) -> Result<Self, McpError> {
        let transport = Paced::new(StreamableHttpClientTransport::with_client(way, config));
        tokio::select! {
            biased;
            greeted = serve_client(handler.clone(), transport) => match greeted {
                Ok(service) => Ok(Self::new(server, service, handler, None)),
                Err(error) => Err(not_greeted(server, &error)),
            },
            why = over(limit, handler.asked(), stop) => Err(ended(server, why, "start", limit)),
        }
    }

    fn new(
        server: &ServerName,
        service: RunningService<RoleClient, Handler>,
        handler: Handler,
        process: Option<Process>,
    ) -> Self {
        let now = Instant::now();
        let (busy, used) = (AtomicUsize::new(0), Mutex::new(now));
        Self { server: server.clone(), service, handler, process, busy, used, since: now }
    }

    /// What the server says that it can do.
    pub(crate) fn capabilities(&self) -> ServerCapabilities {
        self.service.peer().peer_info().map(|info| info.capabilities.clone()).unwrap_or_default()
    }

    /// Who the server says that it is: its name and version; empty where it does not say.
    pub(crate) fn identity(&self) -> String {
        let info = self.service.peer().peer_info().and_then(|info| info.server_info.clone());
        let identity = info.map(|info| format!("{} {}", info.name, info.version)).unwrap_or_default();
        shortened(&safe(&identity, false), 100)
    }

    pub(crate) const fn handler(&self) -> &Handler {
        &self.handler
    }

    /// How long it has been ready.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// True once the connection is of no use any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.service.is_closed() || self.service.peer().is_transport_closed()
    }

    /// How long nothing has been asked; none while something is.
    pub(crate) fn idle(&self) -> Option<Duration> {
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        (self.busy.load(Ordering::SeqCst) == 0).then(|| used.elapsed())
    }

    /// Ask something, once. `what` completes "it did not …".
    pub(crate) async fn ask(
        &self,
        request: ClientRequest,
        (what, limit): (&'static str, Duration),
        stop: &Stop,
    ) -> Result<ServerResult, McpError> {
        self.busy.fetch_add(1, Ordering::SeqCst);
        if let Some(process) = &self.process {
            process.allowance.renew();
        }
        let answer = self.answer(request, (what, limit), stop).await;
        *self.used.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.busy.fetch_sub(1, Ordering::SeqCst);
        answer
    }

    async fn answer(
        &self,
        request: ClientRequest,
        (what, limit): (&'static str, Duration),
        stop: &Stop,
    ) -> Result<ServerResult, McpError> {
        let options = PeerRequestOptions::no_options();
        let mut asked = match self.service.peer().send_cancellable_request(request, options).await {
            Ok(asked) => asked,
            Err(error) => return Err(self.explain(error).await),
        };
        let why = tokio::select! {
            biased;
            answer = &mut asked.rx => {
                return match answer {
                    Ok(Ok(answer)) => Ok(answer),
                    Ok(Err(error)) => Err(self.explain(error).await),
                    Err(_) => Err(self.explain(ServiceError::TransportClosed).await),
                };
            }
            why = over(limit, self.handler.asked(), stop) => why,
        };
        let reason = if why == Over::Late { "it took too long" } else { "the person stopped it" };
        // a server that does not take it in is not waited for
        let _ = tokio::time::timeout(Duration::from_secs(1), asked.cancel(Some(reason.to_owned()))).await;
        Err(ended(&self.server, why, what, limit))
    }

    async fn explain(&self, error: ServiceError) -> McpError {
        let server = self.server.clone();
        match error {
            ServiceError::McpError(error) => {
                McpError::Refused { server, reason: shortened(&safe(&error.message, false), WORDS) }
            }
            ServiceError::UnexpectedResponse => McpError::Nonsense { server, what: "answer" },
            other => {
                if let Some(error) = of_http(&other).and_then(|error| refused(&server, error)) {
                    return error;
                }
                let reason = match &self.process {
                    Some(_) => self.why_closed().await,
                    None => shortened(&safe(&root(&other), false), WORDS),
                };
                McpError::Died { server, reason }
            }
        }
    }

    /// Why it is closed, as far as that is known.
    pub(crate) async fn why_closed(&self) -> String {
        let closed = || "the connection to it was closed".to_owned();
        match &self.process {
            Some(process) => process.why(closed).await,
            None => closed(),
        }
    }

    /// Where its program finds the folders of the task in its sandbox, with their names.
    pub(crate) fn folders(&self) -> &[(PathBuf, String)] {
        self.process.as_ref().map_or(&[], |process| &process.folders)
    }

    /// Whether something else is pending than what its program sees.
    pub(crate) async fn is_behind(&self) -> bool {
        self.is(Running::is_behind).await
    }

    /// Whether its program sees folders of the task with what is pending in them.
    pub(crate) async fn sees_folders(&self) -> bool {
        self.is(Running::sees_folders).await
    }

    async fn is(&self, so: impl FnOnce(&Running) -> bool) -> bool {
        match &self.process {
            Some(process) => process.running.lock().await.as_ref().is_some_and(so),
            None => false,
        }
    }

    /// Let what its program wrote since the last time be pending.
    pub(crate) async fn take(&self) -> Wrote {
        let Some(process) = &self.process else { return Wrote::default() };
        match process.running.lock().await.as_mut() {
            Some(running) => running.take().await,
            None => Wrote::default(),
        }
    }

    /// Take leave of it, and see that it is gone. What its program wrote last is pending then.
    pub(crate) async fn end(self: Arc<Self>) -> Wrote {
        self.service.cancellation_token().cancel();
        match &self.process {
            Some(process) => process.end().await,
            None => Wrote::default(),
        }
    }
}

/// Folders as their addresses.
fn addresses(folders: &[(PathBuf, String)]) -> Vec<(String, String)> {
    // what is no whole path has no address, and no folder is one
    folders.iter().filter_map(|(path, name)| Some((Url::from_file_path(path).ok()?.into(), name.clone()))).collect()
}

impl Process {
    /// Why the program does not answer any more; `else_` where nothing is known of it.
    async fn why(&self, else_: impl FnOnce() -> String) -> String {
        if self.allowance.is_used_up() {
            return format!("it wrote more than the {} MiB that an answer may have", super::stdout::MOST >> 20);
        }
        let ended = match self.running.lock().await.as_mut() {
            Some(running) => running.ended().await,
            None => None,
        };
        let reason = ended.unwrap_or_else(else_);
        match self.tail.last_lines() {
            Some(lines) => format!("{reason}; the last that it wrote: {lines}"),
            None => reason,
        }
    }

    async fn end(&self) -> Wrote {
        let running = self.running.lock().await.take();
        match running {
            Some(running) => running.end().await,
            None => Wrote::default(),
        }
    }
}

fn ended(server: &ServerName, why: Over, what: &'static str, after: Duration) -> McpError {
    match why {
        Over::Late => McpError::Late { server: server.clone(), what, after },
        Over::Stopped => McpError::Stopped,
    }
}

fn not_greeted(server: &ServerName, error: &ClientInitializeError) -> McpError {
    let known = of_http(beneath(error)).and_then(|error| refused(server, error));
    known.unwrap_or_else(|| McpError::NotStarted { server: server.clone(), reason: greeting(error) })
}

/// What is known of an answer that was none, beside what went wrong with the protocol.
fn refused(server: &ServerName, error: &StreamableHttpError<NoAnswer>) -> Option<McpError> {
    let server = server.clone();
    Some(match error {
        StreamableHttpError::Client(NoAnswer::Egress(error)) => not_sent(server, error),
        StreamableHttpError::Client(NoAnswer::Login(LoginError::Egress(error @ EgressError::Waits { .. }))) => {
            not_sent(server, error)
        }
        StreamableHttpError::Client(NoAnswer::Login(error)) => {
            McpError::NotRenewed { server, reason: error.to_string() }
        }
        StreamableHttpError::AuthRequired(_) => McpError::LoginWanted { server },
        StreamableHttpError::InsufficientScope(error) => {
            McpError::ScopeWanted { scope: scope(error.get_required_scope().unwrap_or_default()), server }
        }
        _ => return None,
    })
}

/// The scopes that a server names, as a shell takes them (RFC 6749, 3.3); none where it is something else that it names.
fn scope(named: &str) -> String {
    let letter = |byte: u8| matches!(byte, b' ' | b'!' | b'#'..=b'[' | b']'..=b'~') && byte != b'\'';
    let fits = (1..=WORDS).contains(&named.trim().len()) && named.bytes().all(letter);
    if fits { format!(" --scope '{}'", named.trim()) } else { String::new() }
}

/// Nothing reached the server, as the way out says.
fn not_sent(server: ServerName, error: &EgressError) -> McpError {
    let reason = error.to_string();
    match error {
        EgressError::Waits { .. } => McpError::Waits { server, reason },
        EgressError::Refused { .. } | EgressError::Beyond { .. } => McpError::Closed { server, reason },
        EgressError::Broken { .. } | EgressError::Silent { .. } | EgressError::Late { .. } => {
            McpError::Died { server, reason }
        }
        _ => McpError::NotStarted { server, reason },
    }
}

/// Why a server could not be greeted.
fn greeting(error: &ClientInitializeError) -> String {
    let reason = match error {
        ClientInitializeError::JsonRpcError(error) => format!("it says: {}", error.message),
        ClientInitializeError::ConnectionClosed(_) => "it closed its output without a greeting".to_owned(),
        ClientInitializeError::TransportError { error, .. } => {
            of_http(error).map_or_else(|| root(error), ToString::to_string)
        }
        other => format!("it does not keep to the protocol: {other}"),
    };
    shortened(&safe(&reason, false), WORDS)
}

/// What the transport has to say, which is not listed as a cause.
fn beneath(error: &ClientInitializeError) -> &(dyn Error + 'static) {
    match error {
        ClientInitializeError::TransportError { error, .. } => error,
        other => other,
    }
}

/// What went wrong in HTTP, if it is the cause.
fn of_http<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a StreamableHttpError<NoAnswer>> {
    causes(error).find_map(|cause| match cause.downcast_ref() {
        Some(WorkerQuitReason::Fatal { error, .. }) => Some(error),
        _ => cause.downcast_ref(),
    })
}

/// The first cause, in its own words.
fn root(error: &(dyn Error + 'static)) -> String {
    causes(error).last().map(ToString::to_string).unwrap_or_default()
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |cause| Error::source(*cause))
}

#[cfg(test)]
mod tests {
    use super::scope;

    #[test]
    fn scopes_are_named_so_that_a_shell_takes_them_as_they_are() {
        assert_eq!(scope("files:read $(rm)"), " --scope 'files:read $(rm)'");
        for odd in ["", " ", "a'; rm -rf ~; '", "a\nb", "a\"b", "a\\b", "\u{1b}[2J", &"a".repeat(601)] {
            assert_eq!(scope(odd), "", "{odd}");
        }
    }
}
