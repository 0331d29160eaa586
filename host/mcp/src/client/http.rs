//! Streamable HTTP (Model Context Protocol, transports) through the one way out. Each request is decided on there, redirects
//! are not followed, and how much may come back is bounded. Who asks is said by a key or by a login.

use super::login::{LoginError, Session};
use deskhand_egress::{EgressError, Outlet, Redirects, Request, Response, Secret, request::Limits};
use futures_util::{Stream, StreamExt as _, stream, stream::BoxStream};
use http::{HeaderName, HeaderValue};
use rmcp::{
    model::{ClientJsonRpcMessage, ServerJsonRpcMessage},
    transport::streamable_http_client::{
        AuthRequiredError, InsufficientScopeError, SseError, StreamableHttpClient, StreamableHttpError,
        StreamableHttpPostResponse,
    },
};
use sse_stream::{Sse, SseStream};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// The most that one answer may bring, a stream of events included, in bytes.
const MOST: u64 = 32 << 20;
/// The longest silence in an answer to something that was asked, and in the stream of what a server says by itself.
const SILENCE: Duration = Duration::from_secs(3600);
const SILENCE_OF_ITSELF: Duration = Duration::from_secs(24 * 3600);
/// The most of an error's text that is shown, in bytes.
const SHOWN: usize = 300;

const SESSION: &str = "mcp-session-id";
const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

type Error = StreamableHttpError<NoAnswer>;

/// Why there was no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoAnswer {
    #[error(transparent)]
    Egress(#[from] EgressError),
    #[error(transparent)]
    Login(#[from] LoginError),
}

/// How it is said who asks.
#[derive(Clone)]
pub(crate) enum Proof {
    /// By the key that the person gave.
    Key(Secret),
    /// By a login, as far as there is one.
    Login(Session),
}

/// The way to one server.
#[derive(Clone)]
pub(crate) struct Way {
    outlet: Outlet,
    proof: Option<Proof>,
}

impl Way {
    pub(crate) const fn new(outlet: Outlet, proof: Option<Proof>) -> Self {
        Self { outlet, proof }
    }

    async fn send(
        &self,
        request: Result<Request, EgressError>,
        session: Option<&str>,
        headers: &HashMap<HeaderName, HeaderValue>,
        silence: Duration,
    ) -> Result<Response, Error> {
        let request = dressed(request, session, headers).map_err(no_answer)?;
        let limits = Limits { silence, total: None, body: MOST };
        let request = request.redirects(Redirects::Return).limits(limits);
        let response = self.proven(request).await.map_err(StreamableHttpError::Client)?;
        let challenge = || response.header("www-authenticate").unwrap_or_default().to_owned();
        match response.status() {
            401 => Err(StreamableHttpError::AuthRequired(AuthRequiredError::new(challenge()))),
            403 if parameter(&challenge(), "error").as_deref() == Some("insufficient_scope") => {
                let scope = parameter(&challenge(), "scope");
                Err(StreamableHttpError::InsufficientScope(InsufficientScopeError::new(challenge(), scope)))
            }
            _ => Ok(response),
        }
    }

    /// Send it, with who asks. What was refused because the login is over was not done (RFC 9110, 15.5.2), so it is sent once
    /// more with the login renewed.
    async fn proven(&self, request: Request) -> Result<Response, NoAnswer> {
        let session = match &self.proof {
            None => return Ok(self.outlet.send(request).await?),
            Some(Proof::Key(key)) => return Ok(self.outlet.send(bearing(request, key)?).await?),
            Some(Proof::Login(session)) => session,
        };
        let Some(token) = session.token().await? else {
            let response = self.outlet.send(request).await?;
            if response.status() == 401 {
                session.wanted(None).await?;
            }
            return Ok(response);
        };
        let response = self.outlet.send(bearing(request.clone(), &token)?).await?;
        if response.status() != 401 {
            return Ok(response);
        }
        match session.renewed(&token).await? {
            Some(token) => Ok(self.outlet.send(bearing(request, &token)?).await?),
            None => Ok(response),
        }
    }
}

fn bearing(request: Request, token: &Secret) -> Result<Request, EgressError> {
    request.credential("authorization", "Bearer ", token)
}

fn no_answer(error: EgressError) -> Error {
    StreamableHttpError::Client(error.into())
}

/// A request with what the protocol says beside the message.
fn dressed(
    request: Result<Request, EgressError>,
    session: Option<&str>,
    headers: &HashMap<HeaderName, HeaderValue>,
) -> Result<Request, EgressError> {
    let mut request = request?.header("accept", &format!("{JSON}, {EVENTS}"))?;
    for (name, value) in headers {
        request = request.header(name.as_str(), value.to_str().unwrap_or_default())?;
    }
    match session {
        Some(session) => request.header(SESSION, session),
        None => Ok(request),
    }
}

impl StreamableHttpClient for Way {
    type Error = NoAnswer;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session_id: Option<Arc<str>>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Error> {
        let body = serde_json::to_vec(&message)?;
        let request = Request::post(&uri, body).and_then(|request| request.header("content-type", JSON));
        let mut response = self.send(request, session_id.as_deref(), &headers, SILENCE).await?;
        let session = response.header(SESSION).map(str::to_owned);
        match response.status() {
            202 | 204 => return Ok(StreamableHttpPostResponse::Accepted),
            404 if session_id.is_some() => return Err(StreamableHttpError::SessionExpired),
            _ => {}
        }
        if response.is_success() && media_type(&response) == EVENTS {
            return Ok(StreamableHttpPostResponse::Sse(events(response), session));
        }
        let (status, is_success) = (response.status(), response.is_success());
        let body = response.bytes().await.map_err(no_answer)?;
        match serde_json::from_slice::<ServerJsonRpcMessage>(&body) {
            Ok(message @ ServerJsonRpcMessage::Error(_)) => Ok(StreamableHttpPostResponse::Json(message, session)),
            Ok(message) if is_success => Ok(StreamableHttpPostResponse::Json(message, session)),
            _ if is_success && body.is_empty() => Ok(StreamableHttpPostResponse::Accepted),
            _ => Err(unexpected(status, &body)),
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session_id: Arc<str>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Error> {
        let request = Request::of("DELETE", &uri, Vec::new());
        self.send(request, Some(&session_id), &headers, Duration::from_secs(5)).await.map(drop)
    }

    async fn get_stream(
        &self,
        uri: Arc<str>,
        session_id: Option<Arc<str>>,
        last_event_id: Option<String>,
        _: Option<String>,
        headers: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Error> {
        let mut request = Request::get(&uri);
        if let Some(id) = last_event_id {
            request = request.and_then(|request| request.header("last-event-id", &id));
        }
        let response = self.send(request, session_id.as_deref(), &headers, SILENCE_OF_ITSELF).await?;
        match response.status() {
            405 => Err(StreamableHttpError::ServerDoesNotSupportSse),
            _ if response.is_success() && media_type(&response) == EVENTS => Ok(events(response)),
            status => Err(unexpected(status, &[])),
        }
    }
}

/// A parameter of a challenge (RFC 9110, 11.6.1): a token, or text in quotes.
fn parameter(challenge: &str, name: &str) -> Option<String> {
    let (mut quoted, mut escaped) = (false, false);
    let mut pieces = challenge.split(|letter| {
        quoted ^= letter == '"' && !escaped;
        escaped = quoted && letter == '\\' && !escaped;
        letter == ',' && !quoted
    });
    pieces.find_map(|piece| {
        let (before, value) = piece.split_once('=')?;
        // the first stands behind the name of the scheme
        let is_it = before.split_whitespace().next_back()?.eq_ignore_ascii_case(name);
        is_it.then(|| value.trim().trim_matches('"').to_owned())
    })
}

/// The type of an answer without parameters, in lower case (RFC 9110, 8.3.1).
fn media_type(response: &Response) -> String {
    let whole = response.header("content-type").unwrap_or_default();
    whole.split(';').next().unwrap_or_default().trim().to_lowercase()
}

fn unexpected(status: u16, body: &[u8]) -> Error {
    let text = String::from_utf8_lossy(body.get(..SHOWN).unwrap_or(body)).trim().to_owned();
    let said = if text.is_empty() { String::new() } else { format!(": {text}") };
    StreamableHttpError::UnexpectedServerResponse(format!("status {status}{said}").into())
}

fn events(response: Response) -> BoxStream<'static, Result<Sse, SseError>> {
    SseStream::from_bytes_stream(pieces(response)).boxed()
}

/// The body, piece by piece; it ends after the first error.
fn pieces(response: Response) -> impl Stream<Item = Result<deskhand_egress::Bytes, EgressError>> + Send {
    stream::unfold(Some(response), |response| async {
        let mut response = response?;
        match response.chunk().await {
            Ok(piece) => piece.map(|piece| (Ok(piece), Some(response))),
            Err(error) => Some((Err(error), None)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::parameter;

    #[test]
    fn a_parameter_of_a_challenge_is_not_looked_for_in_texts() {
        let challenge =
            r#"Bearer error_description="no, \", scope=evil", error="insufficient_scope", Scope="read write""#;
        assert_eq!(parameter(challenge, "error").as_deref(), Some("insufficient_scope"));
        assert_eq!(parameter(challenge, "scope").as_deref(), Some("read write"));
        assert_eq!(parameter("Bearer scope=read, error=invalid_token", "scope").as_deref(), Some("read"));
        assert_eq!(parameter("Bearer", "scope"), None);
    }
}
