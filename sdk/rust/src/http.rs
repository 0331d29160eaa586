//! Requests to hosts, through Deskhand. Takes `hosts.connect` with the hosts as its scope; credentials take
//! `credentials.use`, and are added by Deskhand, so that no plugin sees one.

use crate::{Code, Error, Result, door};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// A request, to be sent.
#[derive(Clone, Debug, PartialEq)]
#[must_use = "nothing is sent before `send`"]
pub struct Request {
    /// `GET`, `POST` and so on.
    pub method: String,
    /// The whole address.
    pub url: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
    /// The credential of the manifest that Deskhand adds.
    pub credential: Option<String>,
    /// What else is wished.
    pub options: Map<String, Value>,
}

/// Get an address.
pub fn get(url: impl Into<String>) -> Request {
    request("GET", url)
}

/// Post to an address.
pub fn post(url: impl Into<String>) -> Request {
    request("POST", url)
}

/// A request with a method.
pub fn request(method: &str, url: impl Into<String>) -> Request {
    Request {
        method: method.to_owned(),
        url: url.into(),
        headers: Vec::new(),
        body: None,
        credential: None,
        options: Map::new(),
    }
}

impl Request {
    /// With a header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With names and values in the query of its address, after what is there.
    pub fn query<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        for (name, value) in pairs {
            self.url.push(if self.url.contains('?') { '&' } else { '?' });
            self.url.push_str(&format!("{}={}", encoded(name), encoded(value)));
        }
        self
    }

    /// With a value as its body, as JSON.
    ///
    /// # Errors
    /// The value is no JSON.
    pub fn json(mut self, value: &impl Serialize) -> Result<Self> {
        self.body = Some(serde_json::to_vec(value)?);
        Ok(self.header("content-type", "application/json"))
    }

    /// With bytes as its body.
    pub fn body(mut self, bytes: Vec<u8>) -> Self {
        self.body = Some(bytes);
        self
    }

    /// With a credential of the manifest, added by Deskhand.
    pub fn credential(mut self, name: &str) -> Self {
        self.credential = Some(name.to_owned());
        self
    }

    /// At most so many seconds for all of it; 60 if not said.
    pub fn seconds(mut self, seconds: u64) -> Self {
        self.options.insert("seconds".into(), seconds.into());
        self
    }

    /// At most so many bytes of an answer; 16 MiB if not said, which is the most that [`Self::send`] takes.
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.options.insert("bytes".into(), bytes.into());
        self
    }

    /// Send it. An answer with a status that is no success is an answer: see [`Response::success`].
    ///
    /// # Errors
    /// It may not be sent, or no answer came.
    pub fn send(self) -> Result<Response> {
        door::fetch(self)
    }

    /// Send it, and read the answer in pieces: for one that is too large to hold.
    ///
    /// ```
    /// use deskhand_sdk::prelude::*;
    ///
    /// fn count(url: &str) -> Result<usize> {
    ///     let mut lines = 0;
    ///     for piece in http::get(url).open()?.success()? {
    ///         lines += piece?.iter().filter(|byte| **byte == b'\n').count();
    ///     }
    ///     Ok(lines)
    /// }
    ///
    /// // in a #[test]:
    /// let host = testing::Host::new().server("https://example.com/", |_| Ok(http::Response::new(200, "a\nb\n")));
    /// assert_eq!(host.run(|| count("https://example.com/list")), Ok(2));
    /// ```
    ///
    /// # Errors
    /// As [`Self::send`].
    pub fn open(self) -> Result<Download> {
        door::Download::open(self).map(Download)
    }
}

/// An answer that is read in pieces, in order, as an iterator; an error is the last.
pub struct Download(door::Download);

impl Download {
    /// RFC 9110, section 15.
    pub fn status(&self) -> u16 {
        self.0.status()
    }

    /// Headers, by their names in lower case.
    pub fn headers(&self) -> Vec<(String, String)> {
        self.0.headers()
    }

    /// The answer, if its status is one of success; else as [`Response::success`].
    ///
    /// # Errors
    /// See there.
    pub fn success(self) -> Result<Self> {
        Response { status: self.status(), headers: self.headers(), body: Vec::new() }.success()?;
        Ok(self)
    }
}

impl Iterator for Download {
    type Item = Result<Vec<u8>>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|piece| Some(piece).filter(|piece| !piece.is_empty())).transpose()
    }
}

/// An answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Response {
    /// RFC 9110, section 15.
    pub status: u16,
    /// Headers, by their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

impl Response {
    /// An answer, for tests.
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    /// With a header, for tests.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_lowercase(), value.to_owned()));
        self
    }

    /// A header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The answer, if its status is one of success; else an error that says which status it was, of a kind that says
    /// whether trying again later can help. `retry-after` in seconds is taken up.
    ///
    /// # Errors
    /// See above.
    pub fn success(self) -> Result<Self> {
        let code = match self.status {
            200..=299 => return Ok(self),
            401 | 403 => Code::Denied,
            404 | 410 => Code::NotFound,
            429 => Code::Exhausted,
            400..=499 => Code::Invalid,
            500..=599 => Code::Unavailable,
            _ => Code::Failed,
        };
        let mut error = Error::new(code, format!("the server answered with status {}", self.status));
        let seconds = self.header("retry-after").and_then(|text| text.trim().parse::<u32>().ok());
        error.retry_after_ms = seconds.map(|seconds| seconds.saturating_mul(1000));
        Err(error)
    }

    /// The body as JSON.
    ///
    /// # Errors
    /// It is none, or does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_slice(&self.body)
            .map_err(|error| Error::failed(format!("what the server answered does not fit: {error}")))
    }

    /// The body as text, with what is not UTF-8 replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A text as a part of an address (RFC 3986, section 2.1): all but unreserved characters are escaped.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// True if the person has connected a credential of the manifest.
pub fn is_connected(credential: &str) -> bool {
    door::connected(credential)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_escaped() {
        let request = get("https://example.com/s?a=1").query([("q", "grün & blau"), ("n", "5")]);
        assert_eq!(request.url, "https://example.com/s?a=1&q=gr%C3%BCn%20%26%20blau&n=5");
    }

    #[test]
    fn a_status_says_whether_it_helps_to_try_again() {
        let code = |status| Response::new(status, "").success().map_err(|error| error.code);
        assert_eq!(code(204), Ok(Response::new(204, "")));
        for (status, expected) in [
            (401, Code::Denied),
            (404, Code::NotFound),
            (422, Code::Invalid),
            (429, Code::Exhausted),
            (503, Code::Unavailable),
            (302, Code::Failed),
        ] {
            assert_eq!(code(status), Err(expected), "{status}");
        }
        let limited = Response::new(429, "").with_header("Retry-After", "3").success();
        assert_eq!(limited.map_err(|error| error.retry_after_ms), Err(Some(3000)));
    }
}
