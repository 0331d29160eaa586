//! The requests of a login, through the one way out. Each host is decided on there; no redirect is followed by itself, and
//! how long and how large an answer may be is bounded.

use deskhand_egress::{EgressError, Outlet, Redirects, Request, Secret, request::Limits};
use http::{
    HeaderName, HeaderValue, StatusCode,
    header::{AUTHORIZATION, LOCATION},
};
use rmcp::transport::auth::{OAuthHttpClient, OAuthHttpClientFuture, OAuthHttpRequest};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How much there may be of an answer, and how long it may take. What is asked for has some kilobytes.
pub(super) const LIMITS: Limits =
    Limits { silence: Duration::from_secs(30), total: Some(Duration::from_secs(30)), body: 1 << 20 };

/// See the module. What became of the last request is kept as it was: the library makes texts of it.
pub(super) struct Wire {
    outlet: Outlet,
    last: Mutex<(String, Came)>,
}

/// What came of a request.
type Came = Result<Answered, EgressError>;

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Answered {
    pub(super) status: u16,
    /// Where it points to.
    pub(super) to: Option<String>,
    pub(super) body: Vec<u8>,
}

impl Wire {
    pub(super) fn new(outlet: Outlet) -> Self {
        Self { outlet, last: Mutex::new((String::new(), Ok(Answered::default()))) }
    }

    /// What came of the last request, and whom it went to.
    pub(super) fn last(&self) -> (String, Came) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, host: String, came: Came) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = (host, came);
    }

    async fn send(&self, request: http::Request<Vec<u8>>) -> Result<http::Response<Vec<u8>>, EgressError> {
        let (head, body) = request.into_parts();
        let mut request = Request::of(head.method.as_str(), &head.uri.to_string(), body)?;
        for (name, value) in &head.headers {
            let value = value.to_str().unwrap_or_default();
            request = match name == AUTHORIZATION {
                true => request.credential(name.as_str(), "", &Secret::new(value))?,
                false => request.header(name.as_str(), value)?,
            };
        }
        let mut response = self.outlet.send(request.redirects(Redirects::Return).limits(LIMITS)).await?;
        // a server that greets whoever comes with a stream never ends it
        let streams = response.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
        let body = if streams { Vec::new() } else { response.bytes().await?.to_vec() };
        let mut answer = http::Response::new(body);
        // both were read as such before
        *answer.status_mut() = StatusCode::from_u16(response.status()).unwrap_or_default();
        for (name, value) in response.headers() {
            if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
                answer.headers_mut().append(name, value);
            }
        }
        Ok(answer)
    }
}

impl OAuthHttpClient for Wire {
    fn execute(&self, request: OAuthHttpRequest) -> OAuthHttpClientFuture<'_> {
        let host = request.request.uri().host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        Box::pin(async move {
            match self.send(request.request).await {
                Ok(answer) => {
                    let to = answer.headers().get(LOCATION).and_then(|to| to.to_str().ok()).map(str::to_owned);
                    let answered = Answered { status: answer.status().as_u16(), to, body: answer.body().clone() };
                    self.keep(host, Ok(answered));
                    Ok(answer)
                }
                Err(error) => {
                    self.keep(host, Err(error.clone()));
                    Err(error.into())
                }
            }
        })
    }
}
