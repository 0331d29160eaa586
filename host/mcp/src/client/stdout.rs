//! What a program writes to its standard output, as far as it may: so much for each thing that it is asked. What is beyond
//! ends the connection, for a message without an end would fill the memory, and a flood of them the time.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, ReadBuf};

/// How much a program may write for one thing that it is asked, in bytes.
pub(crate) const MOST: u64 = 32 << 20;

/// How much may still come. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Allowance(Arc<AtomicU64>);

impl Default for Allowance {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(MOST)))
    }
}

impl Allowance {
    /// Something new is asked.
    pub(crate) fn renew(&self) {
        self.0.store(MOST, Ordering::Relaxed);
    }

    /// Whether anything came since something was asked.
    pub(crate) fn is_touched(&self) -> bool {
        self.0.load(Ordering::Relaxed) < MOST
    }

    /// Whether more came than may.
    pub(crate) fn is_used_up(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }

    fn take(&self, count: u64) -> bool {
        let left = self.0.load(Ordering::Relaxed).saturating_sub(count);
        self.0.store(left, Ordering::Relaxed);
        left > 0
    }
}

/// A reader that ends once it has used up what it may.
#[derive(Debug)]
pub(crate) struct Bounded<R> {
    inner: R,
    allowance: Allowance,
}

impl<R> Bounded<R> {
    pub(crate) const fn new(inner: R, allowance: Allowance) -> Self {
        Self { inner, allowance }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Bounded<R> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        let count = (buffer.filled().len() - before) as u64;
        if count > 0 && !self.allowance.take(count) {
            return Poll::Ready(Err(io::Error::other("it wrote more than it may")));
        }
        polled
    }
}
