//! `http`: requests through the egress. The manifest's hosts are the ceiling, the gate decides about each hop, and a
//! credential is added here, for the hosts that it belongs to, and taken out of what comes back.

use crate::{
    bindings::wit::{http, types},
    call::{self, Call},
    reply::{Code, Refused},
    services::{Network, NoCredential},
};
use deskhand_egress::{
    Ask, EgressError, Judge, Judged, Judgement, Limits, Outlet, Reach, Redirects, Request, Response, Secret,
};
use deskhand_permissions::{
    Context, Gate,
    effect::{Connect, UseCredential},
};
use deskhand_vocabulary::{Stop, host};
use serde::Deserialize;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use wasmtime::component::Resource;

/// The most of an answer that `fetch` takes, and that `open` does unless more is asked for, in bytes.
const FETCHED: u64 = 16 << 20;
/// The most that can be asked for, in bytes.
const OPENED: u64 = 2 << 30;
/// The longest that a request may be asked to take.
const SECONDS: u64 = 600;
/// The most answers that one call may hold open.
const OPEN: u32 = 16;
/// The most redirects that are followed.
const HOPS: u8 = 5;

/// What a request's `options` hold; what is not known here is passed over.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
struct Options {
    redirects: OnRedirect,
    seconds: Option<u64>,
    bytes: Option<u64>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum OnRedirect {
    #[default]
    Follow,
    Same,
    None,
}

/// An answer that is read in pieces; not there while one is being waited for.
#[expect(unreachable_pub, reason = "the bindings name it in public")]
pub struct Download(Option<Answer>);

/// An answer and what is taken out of it.
struct Answer {
    response: Response,
    blot: Blot,
}

impl Call {
    /// Send a request, and wait for the head of the answer.
    async fn send(&mut self, wanted: http::Request, most: u64) -> Result<(Response, Blot), Refused> {
        let Some(Network { egress, recorder }) = self.invocation.services.network.clone() else {
            return Err(Refused::new(Code::Unsupported, "there is no network here"));
        };
        let options = if wanted.options.is_empty() { "{}" } else { wanted.options.as_str() };
        let options: Options = serde_json::from_str(options)
            .map_err(|error| Refused::new(Code::Invalid, format!("the options of the request do not fit: {error}")))?;
        let gatekeeper = Arc::new(Gatekeeper::of(self));
        let failed = |error: &EgressError| of_egress(error, gatekeeper.refused());
        let mut request = Request::of(&wanted.method, &wanted.url, wanted.body.unwrap_or_default())
            .map_err(|error| failed(&error))?;
        for (name, value) in &wanted.headers {
            request = request.header(name, value).map_err(|error| failed(&error))?;
        }
        let mut secret = None;
        if let Some(name) = &wanted.credential {
            let found = self.credential(name, &request)?;
            request =
                request.credential(&found.header, &found.prefix, &found.secret).map_err(|error| failed(&error))?;
            secret = Some(found.secret);
        }
        let total = Duration::from_secs(options.seconds.unwrap_or(60).clamp(1, SECONDS));
        let body = options.bytes.unwrap_or(FETCHED).min(most);
        let request = request.limits(Limits { silence: total.min(Duration::from_secs(60)), total: Some(total), body });
        let request = request.redirects(match options.redirects {
            OnRedirect::Follow => Redirects::Follow(HOPS),
            OnRedirect::Same => Redirects::SameRequest(HOPS),
            OnRedirect::None => Redirects::Return,
        });
        let outlet: Outlet = egress.outlet(gatekeeper.clone(), recorder);
        let answer = {
            let _paused = self.meter.pause();
            self.slot.leave();
            let answer = outlet.send(request).await;
            self.slot.retake(&self.invocation.stop).map_err(|_| call::stopped())?;
            answer
        };
        Ok((answer.map_err(|error| failed(&error))?, Blot::new(secret)))
    }

    /// A credential that may go with a request: declared, for this host, and connected.
    fn credential(&mut self, name: &str, request: &Request) -> Result<Found, Refused> {
        let Some(declared) = self.credentials.iter().find(|one| one.name.as_str() == name).cloned() else {
            return Err(Refused::new(Code::Invalid, format!("the manifest declares no credential `{name}`")));
        };
        let host = request.host();
        let hosts = self.rights.resolved(&declared.hosts);
        if !hosts.iter().any(|pattern| host::covers(pattern, &host)) {
            return Err(Refused::new(Code::Denied, format!("the credential `{name}` is not for {host}")));
        }
        if !request.is_secure() && !host::is_here(&host) {
            let message = format!("the credential `{name}` goes over https alone, and the address is another");
            return Err(Refused::new(Code::Denied, message));
        }
        let effect = UseCredential { credential: name.to_owned(), host: host.clone() };
        self.waiting(|call| call.rights.permit(effect).map(|permit| permit.redeem()))??;
        let store = self.invocation.services.credentials.clone();
        let plugin = self.plugin.clone();
        // a keyring may ask the person to unlock it
        let secret = self.waiting(|_| match store {
            Some(store) => store.get(&plugin, name, &host),
            None => Err(NoCredential::NotConnected),
        })?;
        let secret = secret.map_err(|why| super::credentials::missing(&plugin, name, &declared.title, &host, why))?;
        Ok(Found { header: declared.header, prefix: declared.prefix, secret })
    }

    fn answer(&self, download: &Resource<Download>) -> Option<&Answer> {
        self.table.get(download).ok()?.0.as_ref()
    }

    /// The next piece of an answer, without what is secret in it; empty at the end.
    async fn piece(&mut self, answer: &mut Answer) -> Result<Vec<u8>, Refused> {
        let _paused = self.meter.pause();
        self.slot.leave();
        let piece = loop {
            match answer.response.chunk().await {
                Ok(Some(piece)) => {
                    let shown = answer.blot.take(&piece);
                    if !shown.is_empty() {
                        break Ok(shown);
                    }
                }
                Ok(None) => break Ok(answer.blot.rest()),
                Err(error) => break Err(of_egress(&error, None)),
            }
        };
        self.slot.retake(&self.invocation.stop).map_err(|_| call::stopped())?;
        piece
    }
}

/// A credential, as it is sent.
struct Found {
    header: String,
    prefix: String,
    secret: Secret,
}

/// Asks the gate about each host.
pub(super) struct Gatekeeper {
    gate: Arc<Gate>,
    context: Context,
    /// Hosts that the person named in the plugin's configuration: they may be anywhere.
    configured: Arc<BTreeSet<String>>,
    /// How the gate refused, if it did.
    refused: Mutex<Option<Code>>,
}

impl Gatekeeper {
    /// For the plugin of a call.
    pub(super) fn of(call: &Call) -> Self {
        Self {
            gate: call.invocation.gate.clone(),
            context: call.rights.context.clone(),
            configured: call.rights.configured.clone(),
            refused: Mutex::default(),
        }
    }

    /// Decide on a host. A question about it is withdrawn once `until` is stopped.
    pub(super) fn decide(&self, host: &str, until: &Stop) -> Judgement {
        match self.gate.permit_until(&self.context, Connect::by(&self.context.principal, host), until) {
            Ok(permit) => {
                let host = permit.redeem();
                let local = self.configured.contains(host.host());
                Judgement::Allowed(if local { Reach::Local } else { Reach::Public })
            }
            Err(refused) => {
                let refused = crate::rights::of_gate(&refused);
                *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(refused.code);
                Judgement::Refused { reason: refused.message }
            }
        }
    }

    fn refused(&self) -> Option<Code> {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Judge for Gatekeeper {
    fn judge<'a>(&'a self, ask: &'a Ask) -> Judged<'a> {
        Box::pin(async move { self.decide(&ask.host, &Stop::default()) })
    }
}

/// What a plugin is told of a request that failed. `refused` says how the gate refused it, where it was the gate.
fn of_egress(error: &EgressError, refused: Option<Code>) -> Refused {
    let code = match error {
        EgressError::Refused { .. } => refused.unwrap_or(Code::Denied),
        EgressError::Waits { .. } => Code::Parked,
        EgressError::Beyond { .. } => Code::Exhausted,
        EgressError::NotPublic { .. } | EgressError::Nowhere { .. } => Code::Denied,
        EgressError::BadAddress { .. } | EgressError::BadHeader { .. } | EgressError::BadMethod { .. } => Code::Invalid,
        EgressError::TooLarge { .. } => Code::TooLarge,
        EgressError::Redirect { .. } => Code::Failed,
        EgressError::NotFound { .. }
        | EgressError::NotListening { .. }
        | EgressError::NoConnection { .. }
        | EgressError::Tls { .. }
        | EgressError::Proxy { .. }
        | EgressError::SlowConnect { .. }
        | EgressError::Silent { .. }
        | EgressError::Late { .. }
        | EgressError::Broken { .. } => Code::Unavailable,
    };
    Refused::new(code, error.to_string())
}

/// Takes a credential out of what a host sends back: some repeat in an answer what they were sent.
struct Blot {
    secret: Vec<u8>,
    /// The end of what came, as long as it may be the beginning of the credential.
    held: Vec<u8>,
}

/// What stands in place of a credential.
const BLOTTED: &[u8] = b"[key]";

impl Blot {
    fn new(secret: Option<Secret>) -> Self {
        // what is too short to be a credential would blot out half of an answer
        let secret = secret.map(|secret| secret.reveal().as_bytes().to_vec()).filter(|secret| secret.len() >= 4);
        Self { secret: secret.unwrap_or_default(), held: Vec::new() }
    }

    fn take(&mut self, piece: &[u8]) -> Vec<u8> {
        if self.secret.is_empty() {
            return piece.to_vec();
        }
        self.held.extend_from_slice(piece);
        let mut out = Vec::with_capacity(self.held.len());
        let mut at = 0;
        while at + self.secret.len() <= self.held.len() {
            if self.held[at..].starts_with(&self.secret) {
                out.extend_from_slice(BLOTTED);
                at += self.secret.len();
            } else {
                out.push(self.held[at]);
                at += 1;
            }
        }
        self.held.drain(..at);
        // what cannot begin the credential need not wait
        while !self.held.is_empty() && !self.secret.starts_with(&self.held) {
            out.push(self.held.remove(0));
        }
        out
    }

    fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    fn text(&self, text: &str) -> String {
        match std::str::from_utf8(&self.secret) {
            Ok(secret) if !secret.is_empty() => text.replace(secret, "[key]"),
            _ => text.to_owned(),
        }
    }
}

fn headers(response: &Response, blot: &Blot) -> Vec<(String, String)> {
    response.headers().map(|(name, value)| (name.to_owned(), blot.text(value))).collect()
}

impl http::Host for Call {
    async fn fetch(&mut self, request: http::Request) -> Result<http::Response, types::Error> {
        let (response, blot) = self.send(request, FETCHED).await?;
        let (status, headers) = (response.status(), headers(&response, &blot));
        let mut answer = Answer { response, blot };
        let mut body = Vec::new();
        loop {
            let piece = self.piece(&mut answer).await?;
            if piece.is_empty() {
                return Ok(http::Response { status, headers, body });
            }
            body.extend_from_slice(&piece);
        }
    }

    async fn open(&mut self, request: http::Request) -> Result<Resource<Download>, types::Error> {
        if self.open == OPEN {
            let message = format!("a call holds at most {OPEN} answers open; read one to its end and drop it");
            return Err(Refused::new(Code::Exhausted, message).into());
        }
        let (response, blot) = self.send(request, OPENED).await?;
        let full = |_| Refused::new(Code::Exhausted, "this call holds too many things open");
        let download = self.table.push(Download(Some(Answer { response, blot }))).map_err(full)?;
        self.open += 1;
        Ok(download)
    }
}

impl http::HostDownload for Call {
    fn status(&mut self, download: Resource<Download>) -> u16 {
        self.answer(&download).map_or(0, |answer| answer.response.status())
    }

    fn headers(&mut self, download: Resource<Download>) -> Vec<(String, String)> {
        self.answer(&download).map_or_else(Vec::new, |answer| headers(&answer.response, &answer.blot))
    }

    async fn next(&mut self, download: Resource<Download>) -> Result<Vec<u8>, types::Error> {
        let taken = self.table.get_mut(&download).ok().and_then(|download| download.0.take());
        let Some(mut taken) = taken else {
            return Err(Refused::new(Code::Invalid, "there is no such answer").into());
        };
        let piece = self.piece(&mut taken).await;
        if let Ok(download) = self.table.get_mut(&download) {
            download.0 = Some(taken);
        }
        Ok(piece?)
    }

    fn drop(&mut self, download: Resource<Download>) -> wasmtime::Result<()> {
        self.table.delete(download)?;
        self.open = self.open.saturating_sub(1);
        Ok(())
    }
}
