//! What this proxy answers itself.

use super::{Shared, write};
use crate::error::EgressError;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixStream,
};

/// How long, and how far in pieces of 1 KiB, what is not wanted any more is read on.
const LEAVE: (Duration, usize) = (Duration::from_secs(2), 256);

/// An answer with a text for whoever reads the program's messages. Without one, the connection is closed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The status line after the version (RFC 9110, section 15).
    status: &'static str,
    text: String,
}

impl Answer {
    fn of(status: &'static str, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// Nobody is there to be answered.
    pub(super) fn none() -> Self {
        Self::of("", "")
    }

    pub(super) fn is_none(&self) -> bool {
        self.status.is_empty()
    }

    pub(super) fn bad(what: &str) -> Self {
        Self::of("400 Bad Request", format!("the request was not taken: {what}"))
    }

    pub(super) fn forbidden(what: impl Into<String>) -> Self {
        Self::of("403 Forbidden", what)
    }

    pub(super) fn too_large() -> Self {
        Self::of(
            "413 Content Too Large",
            "the request is larger than this proxy takes. Use https, which is not read here",
        )
    }

    pub(super) fn busy() -> Self {
        Self::of("503 Service Unavailable", "too many connections are open at once. Close some, then try again")
    }

    /// Why nothing went out, or nothing came back.
    pub(super) fn why(error: &EgressError) -> Self {
        let status = match error {
            EgressError::BadAddress { .. } | EgressError::BadMethod { .. } | EgressError::BadHeader { .. } => {
                "400 Bad Request"
            }
            EgressError::Refused { .. }
            | EgressError::Waits { .. }
            | EgressError::Beyond { .. }
            | EgressError::NotPublic { .. }
            | EgressError::Nowhere { .. } => "403 Forbidden",
            EgressError::SlowConnect { .. } | EgressError::Silent { .. } | EgressError::Late { .. } => {
                "504 Gateway Timeout"
            }
            EgressError::NotFound { .. }
            | EgressError::NotListening { .. }
            | EgressError::NoConnection { .. }
            | EgressError::Tls { .. }
            | EgressError::Proxy { .. }
            | EgressError::Broken { .. }
            | EgressError::TooLarge { .. }
            | EgressError::Redirect { .. } => "502 Bad Gateway",
        };
        Self::of(status, error.to_string())
    }

    pub(super) async fn send(self, stream: &mut UnixStream, shared: &Shared) {
        if self.is_none() {
            return;
        }
        let Self { status, text } = self;
        let text = format!("Deskhand: {text}\n");
        let head = format!(
            "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            text.len()
        );
        // whoever asked may be gone
        if write(stream, (head + &text).as_bytes(), shared).await.is_ok() && stream.shutdown().await.is_ok() {
            hear_out(stream, shared).await;
        }
    }
}

/// Read on until the other side has ended too: closed before, a socket takes back the answer that was not read yet.
async fn hear_out(stream: &mut UnixStream, shared: &Shared) {
    let (time, most) = LEAVE;
    let listening = async {
        let mut piece = [0; 1024];
        for _ in 0..most {
            if !matches!(stream.read(&mut piece).await, Ok(1..)) {
                return;
            }
        }
    };
    tokio::select! {
        biased;
        () = listening => {}
        () = shared.outlet.timer().sleep(time) => {}
    }
}
