//! An answer, read piece by piece within its limits.

use crate::{
    egress::{Hop, cause},
    error::EgressError,
    record::Ended,
    request::{self, Limits},
    timer::Timer,
};
use bytes::{Bytes, BytesMut};
use reqwest::Url;
use std::{sync::Arc, time::Duration};

/// When all of it must be over: the moment, and how long that is from the start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deadline {
    pub(crate) at: Duration,
    pub(crate) after: Duration,
}

/// An answer. Read it to its end, so that its connection can be used again; dropped before, the connection is closed.
pub struct Response {
    pub(crate) inner: reqwest::Response,
    pub(crate) hop: Hop,
    pub(crate) limits: Limits,
    pub(crate) deadline: Option<Deadline>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) read: u64,
}

impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Response").field("host", &self.host()).field("status", &self.status()).finish_non_exhaustive()
    }
}

impl Response {
    /// The status (RFC 9110, 15).
    pub fn status(&self) -> u16 {
        self.inner.status().as_u16()
    }

    /// Whether the status is one of success.
    pub fn is_success(&self) -> bool {
        self.inner.status().is_success()
    }

    /// A header, where it is there and text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    /// All headers that are text, in the order in which they came, by their names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.inner.headers().iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)))
    }

    /// The address that answered, after redirects.
    pub fn url(&self) -> &Url {
        self.inner.url()
    }

    /// The host that answered.
    pub fn host(&self) -> String {
        request::host(self.inner.url())
    }

    /// The next piece of the body; nothing at its end.
    ///
    /// # Errors
    /// Where it breaks off, is silent for too long, late, or larger than allowed.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, EgressError> {
        let timer = Arc::clone(&self.timer);
        let read = tokio::select! {
            biased;
            piece = self.inner.chunk() => piece.map_err(|error| Stop::Broken(cause(&error))),
            stop = overdue(&*timer, self.limits.silence, self.deadline) => Err(stop),
        };
        let piece = match read {
            Ok(piece) => piece,
            Err(stop) => {
                self.hop.end(Ended::Broken);
                return Err(stop.error(self.host()));
            }
        };
        let Some(piece) = piece else {
            self.hop.end(Ended::Whole);
            return Ok(None);
        };
        let length = piece.len() as u64;
        self.read += length;
        self.hop.received(length);
        if self.read > self.limits.body {
            self.hop.end(Ended::Broken);
            return Err(EgressError::TooLarge { host: self.host(), limit: self.limits.body });
        }
        Ok(Some(piece))
    }

    /// Read on to the end, at most this long and this far, and throw away what comes: after it the connection can be
    /// used again.
    pub async fn finish(mut self, within: Duration, most: u64) {
        self.limits = Limits { silence: within, total: None, body: self.read.saturating_add(most) };
        self.deadline = Some(Deadline { at: self.timer.elapsed() + within, after: within });
        while let Ok(Some(_)) = self.chunk().await {}
    }

    /// The rest of the body.
    ///
    /// # Errors
    /// As [`Self::chunk`].
    pub async fn bytes(&mut self) -> Result<Bytes, EgressError> {
        let mut whole = BytesMut::new();
        while let Some(piece) = self.chunk().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }
}

/// Why waiting ends.
pub(crate) enum Stop {
    Broken(String),
    Silent(Duration),
    Late(Duration),
}

impl Stop {
    pub(crate) fn error(self, host: String) -> EgressError {
        match self {
            Self::Broken(reason) => EgressError::Broken { host, reason },
            Self::Silent(after) => EgressError::Silent { host, after },
            Self::Late(after) => EgressError::Late { host, after },
        }
    }
}

/// Ends when nothing has come for too long, or all of it takes too long.
pub(crate) async fn overdue(timer: &dyn Timer, silence: Duration, deadline: Option<Deadline>) -> Stop {
    let left = deadline.map(|deadline| (deadline.at.saturating_sub(timer.elapsed()), deadline.after));
    match left {
        Some((left, after)) if left < silence => {
            timer.sleep(left).await;
            Stop::Late(after)
        }
        _ => {
            timer.sleep(silence).await;
            Stop::Silent(silence)
        }
    }
}
