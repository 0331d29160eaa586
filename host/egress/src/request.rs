//! What is to be sent, and how far it may go.

use crate::{error::EgressError, secret::Secret};
use bytes::Bytes;
use reqwest::{
    Method, Url,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use std::time::Duration;

/// Headers that say how the message itself is framed and routed: the transport's own, between the two ends of one connection.
pub(crate) const TRANSPORT: [&str; 11] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Headers that go along to another host. Any other might be a credential.
pub(crate) const HARMLESS: [&str; 6] =
    ["accept", "accept-language", "anthropic-version", "content-type", "range", "user-agent"];

/// What happens when a host answers with a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// The redirect is the answer.
    Return,
    /// It is followed this many times, but only where the same request goes to the new place (RFC 9110, 15.4.8, 15.4.9).
    SameRequest(u8),
    /// It is followed this many times, a `POST` becoming a `GET` where it says so (RFC 9110, 15.4).
    Follow(u8),
}

/// How long and how large an answer may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest time in which nothing comes, before the answer and within it.
    pub silence: Duration,
    /// The longest time for all of it, redirects included; waiting for the judge is not counted.
    pub total: Option<Duration>,
    /// The most bytes of an answer's body.
    pub body: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { silence: Duration::from_secs(60), total: Some(Duration::from_secs(300)), body: 64 << 20 }
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) credentials: Vec<(HeaderName, Secret, HeaderValue)>,
    pub(crate) body: Bytes,
    pub(crate) limits: Limits,
    pub(crate) redirects: Redirects,
}

impl Request {
    /// Get an address. Redirects are followed up to five times.
    ///
    /// # Errors
    /// [`EgressError::BadAddress`].
    pub fn get(address: &str) -> Result<Self, EgressError> {
        Self::new(Method::GET, address)
    }

    /// Post a body to an address. A redirect is followed only where it asks for the very same request.
    ///
    /// # Errors
    /// [`EgressError::BadAddress`].
    pub fn post(address: &str, body: impl Into<Bytes>) -> Result<Self, EgressError> {
        let post = Self::new(Method::POST, address)?;
        Ok(Self { body: body.into(), redirects: Redirects::SameRequest(5), ..post })
    }

    /// A request with this method, such as `PUT`, and body. Redirects are treated as for [`Self::post`].
    ///
    /// # Errors
    /// [`EgressError::BadMethod`], [`EgressError::BadAddress`].
    pub fn of(method: &str, address: &str, body: impl Into<Bytes>) -> Result<Self, EgressError> {
        let known = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
        let found = known.into_iter().find(|known| known.eq_ignore_ascii_case(method));
        let method = found.and_then(|name| Method::from_bytes(name.as_bytes()).ok());
        let method = method.ok_or_else(|| EgressError::BadMethod { known: known.join(", ") })?;
        let new = Self::new(method, address)?;
        Ok(Self { body: body.into(), redirects: Redirects::SameRequest(5), ..new })
    }

    fn new(method: Method, address: &str) -> Result<Self, EgressError> {
        let url = Url::parse(address).map_err(|_| bad(address, "it is not a URL"))?;
        Ok(Self {
            method,
            url: checked(url)?,
            headers: HeaderMap::new(),
            credentials: Vec::new(),
            body: Bytes::new(),
            limits: Limits::default(),
            redirects: Redirects::Follow(5),
        })
    }

    /// With a header, which goes along to another host only if it is one of the few that cannot hold a credential.
    ///
    /// # Errors
    /// [`EgressError::BadHeader`] where it is not a header, or one of the transport's own.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, EgressError> {
        let (name, value) = header(name, value)?;
        self.headers.append(name, value);
        Ok(self)
    }

    /// With a header that carries a credential: `prefix` and the secret. It goes only to the host of this request.
    ///
    /// # Errors
    /// [`EgressError::BadHeader`] where it is not a header, or one of the transport's own.
    pub fn credential(mut self, name: &str, prefix: &str, secret: &Secret) -> Result<Self, EgressError> {
        let (name, mut value) = header(name, &format!("{prefix}{}", secret.reveal()))?;
        value.set_sensitive(true);
        self.credentials.push((name, secret.clone(), value));
        Ok(self)
    }

    /// With these limits.
    pub const fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// With redirects treated so.
    pub const fn redirects(mut self, redirects: Redirects) -> Self {
        self.redirects = redirects;
        self
    }

    /// Whether it goes over a secure connection.
    pub fn is_secure(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// The host that it is for.
    pub fn host(&self) -> String {
        host(&self.url)
    }

    /// The port there.
    pub fn port(&self) -> u16 {
        // both schemes that there are have one of their own
        self.url.port_or_known_default().unwrap_or_default()
    }
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), EgressError> {
    let refuse = |reason| EgressError::BadHeader { name: name.escape_debug().to_string(), reason };
    let parsed = HeaderName::try_from(name).map_err(|_| refuse("it is not the name of a header"))?;
    if TRANSPORT.contains(&parsed.as_str()) {
        return Err(refuse("it belongs to the connection"));
    }
    let value =
        HeaderValue::try_from(value).map_err(|_| refuse("its value has characters that a header cannot hold"))?;
    Ok((parsed, value))
}

/// An address that can be used: `http` or `https` with a host and no name or password in it.
pub(crate) fn checked(mut url: Url) -> Result<Url, EgressError> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(bad(&shown(&url), "only http and https can be used"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(&shown(&url), "it has a name or password in it, which belong into the settings"));
    }
    url.set_fragment(None);
    // `example.com.` and `example.com` are the same host, so they must be judged as one.
    if let Some(name) = url.domain().and_then(|name| name.strip_suffix('.')).map(str::to_owned)
        && (name.is_empty() || url.set_host(Some(&name)).is_err())
    {
        return Err(bad(&shown(&url), "it has no host"));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(bad(&shown(&url), "it has no host"));
    }
    Ok(url)
}

/// The host of a checked address.
pub(crate) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

/// What may be shown of an address: scheme, host and port.
pub(crate) fn shown(url: &Url) -> String {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}://{}{port}", url.scheme(), url.host_str().unwrap_or_default())
}

fn bad(address: &str, reason: &'static str) -> EgressError {
    let plain: String = address.chars().filter(|letter| !letter.is_control()).take(200).collect();
    // what stands before an @ or after a ? may be secret
    let plain = plain.split('?').next().unwrap_or_default();
    let plain = plain.rsplit('@').next().unwrap_or_default();
    EgressError::BadAddress { address: plain.to_owned(), reason }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::{EgressError, Request, Secret};

    #[test]
    fn only_plain_web_addresses_can_be_used() {
        let bad = |address: &str| match Request::get(address).unwrap_err() {
            EgressError::BadAddress { address, reason } => (address, reason),
            other => panic!("{other:?}"),
        };
        assert_eq!(bad("ftp://example.com/x"), ("ftp://example.com".into(), "only http and https can be used"));
        assert_eq!(bad("file:///etc/passwd"), ("file://".into(), "only http and https can be used"));
        assert_eq!(
            bad("https://me:pass@example.com/"),
            ("https://example.com".into(), "it has a name or password in it, which belong into the settings")
        );
        assert_eq!(bad("//me:pass@\u{1b}[2Jhost?key=1"), ("[2Jhost".into(), "it is not a URL"));
        assert_eq!(bad("https://./"), ("https://.".into(), "it has no host"));
        assert_eq!(Request::get("https://EXAMPLE.com./a").unwrap().host(), "example.com");
        // spellings of one address are one address
        for spelling in ["http://127.1/", "http://0x7f000001/", "http://2130706433/", "http://0177.0.0.1/"] {
            assert_eq!(Request::get(spelling).unwrap().host(), "127.0.0.1", "{spelling}");
        }
        assert_eq!(Request::get("http://[::1]:80/").unwrap().host(), "::1");
    }

    #[test]
    fn headers_of_the_transport_and_broken_ones_are_refused() {
        for (name, value) in [("Host", "a"), ("content-length", "3"), ("a b", "c"), ("x", "a\r\nb: c")] {
            let refused = Request::get("https://example.com").unwrap().header(name, value);
            assert!(matches!(refused, Err(EgressError::BadHeader { .. })), "{name}");
        }
        let request = Request::get("https://example.com").unwrap();
        let request = request.credential("x-api-key", "", &Secret::new("sk-12345")).unwrap();
        assert!(!format!("{request:?}").contains("sk-12345"), "{request:?}");
    }
}
