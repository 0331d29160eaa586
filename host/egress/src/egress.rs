//! One request on its way: judged, routed, sent, and each redirect again.

use crate::{
    address::Kind,
    error::EgressError,
    judge::{Ask, Judge, Judgement, Reach},
    proxy::{Proxies, Proxy},
    record::{Ended, Recorder, Traffic},
    request::{self, HARMLESS, Redirects, Request, host, shown},
    resolve::{self, Forbidden, Guarded, Lookup},
    response::{Deadline, Response, overdue},
    timer::Timer,
};
use reqwest::{
    Client, Method, Url,
    header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, LOCATION},
};
use std::{
    collections::HashMap,
    error::Error,
    fmt, io,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How long a connection may take to come about: looking up the name, TCP, the proxy and TLS.
pub const CONNECT: Duration = Duration::from_secs(15);

/// How long a connection that nobody uses is kept. Servers and the boxes between close them after a minute or more.
const IDLE: Duration = Duration::from_secs(50);

/// How much of a redirect's own body is read, so that its connection can be used again.
const REDIRECT_BODY: u64 = 64 << 10;

/// What the egress stands on.
pub struct Parts {
    /// The proxies.
    pub proxies: Proxies,
    /// Who knows the addresses of names.
    pub lookup: Arc<dyn Lookup>,
    /// Time for deadlines.
    pub timer: Arc<dyn Timer>,
    /// How Deskhand calls itself to servers.
    pub user_agent: String,
}

/// The way that a request takes. Connections are kept apart by it, so that one to a local host is never used by a request
/// that may only go to the internet.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Route {
    Direct { reach: Reach, tls: bool },
    Proxy { proxy: Proxy, tls: bool },
}

struct Inner {
    parts: Parts,
    clients: Mutex<HashMap<Route, Client>>,
}

/// The one way out, with its connections. There is one a process; it is cheap to clone.
#[derive(Clone)]
pub struct Egress {
    inner: Arc<Inner>,
}

impl fmt::Debug for Egress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Egress").finish_non_exhaustive()
    }
}

impl Egress {
    /// Nothing is opened yet.
    pub fn new(parts: Parts) -> Self {
        Self { inner: Arc::new(Inner { parts, clients: Mutex::default() }) }
    }

    /// The way out for one task and principal: `judge` decides for it, `recorder` keeps its record. The connections are
    /// shared by all.
    pub fn outlet(&self, judge: Arc<dyn Judge>, recorder: Arc<dyn Recorder>) -> Outlet {
        Outlet { egress: self.clone(), judge, recorder }
    }

    fn client(&self, route: Route, host: &str) -> Result<Client, EgressError> {
        let mut clients = self.inner.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&route) {
            return Ok(client.clone());
        }
        let client =
            self.build(&route).map_err(|error| EgressError::Tls { host: host.to_owned(), reason: cause(&error) })?;
        clients.insert(route, client.clone());
        Ok(client)
    }

    fn build(&self, route: &Route) -> reqwest::Result<Client> {
        let parts = &self.inner.parts;
        let (reach, tls, proxy) = match route {
            Route::Direct { reach, tls } => (*reach, *tls, None),
            // Only the proxy's own name is resolved here, and proxies stand in private networks.
            Route::Proxy { proxy, tls } => (Reach::Local, *tls, Some(proxy)),
        };
        let builder = Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // There is one layer of retries, and it is not this one.
            .retry(reqwest::retry::never())
            .referer(false)
            .user_agent(parts.user_agent.as_str())
            .connect_timeout(CONNECT)
            .pool_idle_timeout(IDLE)
            .tcp_nodelay(true)
            .dns_resolver(Guarded { lookup: Arc::clone(&parts.lookup), reach });
        // Reading the system's certificates takes longer than a whole local request.
        let builder = if tls { builder } else { builder.tls_certs_only([]) };
        match proxy {
            Some(proxy) => builder.proxy(reqwest::Proxy::all(proxy.url().clone())?).build(),
            None => builder.build(),
        }
    }
}

/// The way out for one task and principal.
#[derive(Clone)]
pub struct Outlet {
    egress: Egress,
    judge: Arc<dyn Judge>,
    recorder: Arc<dyn Recorder>,
}

impl fmt::Debug for Outlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outlet").finish_non_exhaustive()
    }
}

impl Outlet {
    /// Time for deadlines.
    pub fn timer(&self) -> &Arc<dyn Timer> {
        &self.egress.inner.parts.timer
    }

    /// Who knows the addresses of names.
    pub(crate) fn lookup(&self) -> &dyn Lookup {
        &*self.egress.inner.parts.lookup
    }

    /// The proxy that serves a checked address.
    pub(crate) fn proxy(&self, url: &Url) -> Option<&Proxy> {
        self.egress.inner.parts.proxies.of(url)
    }

    pub(crate) async fn judge(&self, ask: &Ask) -> Judgement {
        self.judge.judge(ask).await
    }

    pub(crate) fn recorder(&self) -> Arc<dyn Recorder> {
        Arc::clone(&self.recorder)
    }

    /// Send a request and wait for the head of its answer. Statuses are not errors here.
    ///
    /// # Errors
    /// Where the judge refuses, the host leads where it may not, or no answer comes. The request may have arrived all
    /// the same unless the error says that nothing was sent.
    pub async fn send(&self, request: Request) -> Result<Response, EgressError> {
        let timer = Arc::clone(self.timer());
        let first = request.url.clone();
        let mut at = Flight {
            url: request.url.clone(),
            method: request.method.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            at_home: true,
            from: None,
        };
        let mut waited = Duration::ZERO;
        let start = timer.elapsed();
        let mut hops = 0;
        loop {
            let judging = timer.elapsed();
            let (client, hop) = self.admit(&at, &request).await?;
            waited += timer.elapsed().saturating_sub(judging);
            let deadline = request.limits.total.map(|total| Deadline { at: start + waited + total, after: total });
            let mut response = self.fly(&client, &at, &request, hop, deadline).await?;
            let target = match redirect(&response, request.redirects, hops, &at)? {
                None => return Ok(response),
                Some(target) => target,
            };
            hops += 1;
            response.limits.body = REDIRECT_BODY;
            // what it says beside the new place is of no use, and a failure of it neither
            while let Ok(Some(_)) = response.chunk().await {}
            at.turn(target, response.status(), &first);
        }
    }

    /// Ask the judge, and find the way.
    async fn admit(&self, at: &Flight, request: &Request) -> Result<(Client, Hop), EgressError> {
        let parts = &self.egress.inner.parts;
        let name = host(&at.url);
        let port = at.url.port_or_known_default().unwrap_or_default();
        let proxy = parts.proxies.of(&at.url).cloned();
        let credential = at.at_home && !request.credentials.is_empty();
        let ask = Ask {
            method: at.method.to_string(),
            scheme: at.url.scheme().to_owned(),
            host: name.clone(),
            port,
            bytes: at.length(request),
            credential,
            redirected_from: at.from.clone(),
            proxy: proxy.as_ref().map(Proxy::host),
        };
        let reach = match self.judge.judge(&ask).await {
            Judgement::Allowed(reach) => reach,
            Judgement::Refused { reason } => return Err(EgressError::Refused { host: name, reason }),
            Judgement::Waits { reason } => return Err(EgressError::Waits { host: name, reason }),
        };
        resolve::admit(&name, reach, proxy.as_ref())?;
        let tls = at.url.scheme() == "https";
        let route = match proxy {
            None => Route::Direct { reach, tls },
            Some(proxy) => {
                let tls = tls || proxy.url().scheme() == "https";
                Route::Proxy { proxy, tls }
            }
        };
        let client = self.egress.client(route, &name)?;
        if let Err(left) = self.recorder.reserve(ask.bytes) {
            return Err(EgressError::Beyond { host: name, bytes: ask.bytes, left });
        }
        let hop = Hop {
            traffic: Traffic {
                method: ask.method,
                scheme: ask.scheme,
                host: name,
                port,
                path: at.url.path().to_owned(),
                status: None,
                sent: ask.bytes,
                received: 0,
                ended: Ended::Dropped,
            },
            recorder: Some(self.recorder()),
        };
        Ok((client, hop))
    }

    /// Send one hop.
    async fn fly(
        &self,
        client: &Client,
        at: &Flight,
        request: &Request,
        mut hop: Hop,
        deadline: Option<Deadline>,
    ) -> Result<Response, EgressError> {
        let timer = Arc::clone(self.timer());
        let mut sending = client.request(at.method.clone(), at.url.clone()).headers(at.headers.clone());
        if at.at_home {
            for (name, _, value) in &request.credentials {
                sending = sending.header(name, value);
            }
        }
        let sending = sending.body(at.body.clone()).send();
        let name = host(&at.url);
        let answer = tokio::select! {
            biased;
            answer = sending => answer.map_err(|error| self.explain(&error, at, request)),
            stop = overdue(&*timer, request.limits.silence, deadline) => Err(stop.error(name)),
        };
        match answer {
            Ok(inner) => {
                hop.traffic.status = Some(inner.status().as_u16());
                hop.received(17 + length(inner.headers()));
                Ok(Response { inner, hop, limits: request.limits, deadline, timer, read: 0 })
            }
            Err(error) => {
                if never_left(&error) {
                    hop.never_left();
                }
                hop.end(Ended::Unanswered);
                Err(error)
            }
        }
    }

    fn explain(&self, error: &reqwest::Error, at: &Flight, request: &Request) -> EgressError {
        let host = host(&at.url);
        let proxy = self.egress.inner.parts.proxies.of(&at.url);
        let mut reason = cause(error);
        for (_, secret, _) in &request.credentials {
            reason = secret.blot(&reason);
        }
        if let Some(password) = proxy.and_then(Proxy::password) {
            reason = password.blot(&reason);
        }
        if let Some(forbidden) = find::<Forbidden>(error) {
            return Forbidden(forbidden.0, forbidden.1).error(host);
        }
        if !error.is_connect() {
            return EgressError::Broken { host, reason };
        }
        if error.is_timeout() {
            return EgressError::SlowConnect { host, after: CONNECT };
        }
        if let Some(proxy) = proxy {
            return EgressError::Proxy { host, proxy: proxy.host(), reason };
        }
        if error.is_dns() {
            return EgressError::NotFound { host, reason };
        }
        // rustls reports what is wrong with a certificate or a handshake as invalid data
        let invalid = |cause: &&(dyn Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::InvalidData)
        };
        let refused = |cause: &(dyn Error + 'static)| {
            cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::ConnectionRefused)
        };
        match causes(error).find(invalid) {
            Some(_) => EgressError::Tls { host, reason },
            None if causes(error).any(refused) => EgressError::NotListening { host },
            None => EgressError::NoConnection { host, reason },
        }
    }
}

impl Forbidden {
    pub(crate) fn error(self, host: String) -> EgressError {
        match self {
            Self(address, Kind::Nowhere) => EgressError::Nowhere { host, address },
            Self(address, Kind::Local | Kind::Public) => EgressError::NotPublic { host, address },
        }
    }
}

const fn never_left(error: &EgressError) -> bool {
    matches!(
        error,
        EgressError::NotPublic { .. }
            | EgressError::Nowhere { .. }
            | EgressError::NotFound { .. }
            | EgressError::NotListening { .. }
            | EgressError::NoConnection { .. }
            | EgressError::Tls { .. }
            | EgressError::Proxy { .. }
            | EgressError::SlowConnect { .. }
    )
}

/// Where a request is, between redirects.
struct Flight {
    url: Url,
    method: Method,
    headers: HeaderMap,
    body: bytes::Bytes,
    /// Whether it has never left the host that it is for.
    at_home: bool,
    from: Option<String>,
}

impl Flight {
    /// The bytes of its head and body as HTTP/1.1 writes them (RFC 9112).
    fn length(&self, request: &Request) -> u64 {
        let query = self.url.query().map_or(0, |query| query.len() + 1);
        let line = self.method.as_str().len() + self.url.path().len() + query + 12;
        let host = self.url.host_str().unwrap_or_default().len() + 8;
        let credentials: usize = match self.at_home {
            true => request.credentials.iter().map(|(name, _, value)| name.as_str().len() + value.len() + 4).sum(),
            false => 0,
        };
        (line + host + credentials + self.body.len() + 2) as u64 + length(&self.headers)
    }

    /// On to another place.
    fn turn(&mut self, target: Url, status: u16, first: &Url) {
        self.from = Some(host(&self.url));
        if target.origin() != first.origin() {
            self.at_home = false;
            let kept = self.headers.iter().filter(|(name, _)| HARMLESS.contains(&name.as_str()));
            self.headers = kept.map(|(name, value)| (name.clone(), value.clone())).collect();
        }
        if changes_method(status, &self.method) {
            self.method = Method::GET;
            self.body = bytes::Bytes::new();
            self.headers.remove(CONTENT_TYPE);
            self.headers.remove(CONTENT_ENCODING);
        }
        self.url = target;
    }
}

fn changes_method(status: u16, method: &Method) -> bool {
    match status {
        301 | 302 => *method == Method::POST,
        303 => *method != Method::GET && *method != Method::HEAD,
        _ => false,
    }
}

/// Where an answer sends the request on to, if it does and may.
fn redirect(response: &Response, how: Redirects, hops: u8, at: &Flight) -> Result<Option<Url>, EgressError> {
    let status = response.status();
    if !matches!(status, 301 | 302 | 303 | 307 | 308) {
        return Ok(None);
    }
    let most = match how {
        Redirects::Return => return Ok(None),
        Redirects::SameRequest(most) | Redirects::Follow(most) => most,
    };
    let Some(place) = response.inner.headers().get(LOCATION) else { return Ok(None) };
    let refuse = |to: String, reason| Err(EgressError::Redirect { host: host(&at.url), to, reason });
    let Some(target) = place.to_str().ok().and_then(|place| at.url.join(place).ok()) else {
        return refuse("another place".to_owned(), "its address cannot be read");
    };
    let to = shown(&target);
    if hops >= most {
        return refuse(to, "there were too many redirects");
    }
    if at.url.scheme() == "https" && target.scheme() != "https" {
        return refuse(to, "it would leave the secure connection");
    }
    if matches!(how, Redirects::SameRequest(_)) && changes_method(status, &at.method) {
        return refuse(to, "the request would arrive there as another one. Use the new address itself");
    }
    match request::checked(target) {
        Ok(target) => Ok(Some(target)),
        Err(EgressError::BadAddress { reason, .. }) => refuse(to, reason),
        Err(other) => Err(other),
    }
}

/// The record of one hop: told when it ends, and when it is dropped.
pub(crate) struct Hop {
    traffic: Traffic,
    recorder: Option<Arc<dyn Recorder>>,
}

impl Hop {
    pub(crate) fn new(traffic: Traffic, recorder: Arc<dyn Recorder>) -> Self {
        Self { traffic, recorder: Some(recorder) }
    }

    /// So many more bytes are about to be sent. False if they may not be.
    pub(crate) fn send(&mut self, bytes: u64) -> bool {
        let may = self.recorder.as_ref().is_none_or(|recorder| recorder.reserve(bytes).is_ok());
        if may {
            self.traffic.sent += bytes;
        }
        may
    }

    pub(crate) const fn answered(&mut self, status: u16) {
        self.traffic.status = Some(status);
    }

    /// It was not let out, so there is nothing to tell.
    pub(crate) fn forget(&mut self) {
        self.recorder = None;
    }

    pub(crate) const fn received(&mut self, bytes: u64) {
        self.traffic.received += bytes;
    }

    fn never_left(&mut self) {
        let kept = std::mem::take(&mut self.traffic.sent);
        if let Some(recorder) = &self.recorder {
            recorder.release(kept);
        }
    }

    pub(crate) fn end(&mut self, ended: Ended) {
        if let Some(recorder) = self.recorder.take() {
            self.traffic.ended = ended;
            recorder.record(&self.traffic);
        }
    }
}

impl Drop for Hop {
    fn drop(&mut self) {
        self.end(Ended::Dropped);
    }
}

fn length(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| (name.as_str().len() + value.len() + 4) as u64).sum()
}

/// An error, what caused it, and so on. What an [`io::Error`] wraps counts as its cause, which `source` passes over.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    fn below<'a>(at: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
        match at.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
            Some(wrapped) => Some(wrapped),
            None => at.source(),
        }
    }
    std::iter::successors(Some(error), |at| below(*at))
}

/// The cause at the bottom of an error, in its own words.
pub(crate) fn cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

fn find<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    causes(error).find_map(|cause| cause.downcast_ref())
}
