//! An answer lasts no longer than the token that it is given to.

use super::{
    Body,
    guard::{Guard, Token},
};
use hyper::body::{Bytes, Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

/// A body that ends once its token is no longer the one that holds.
pub(super) struct WhileHeld {
    pub(super) inner: Body,
    pub(super) guard: Arc<Guard>,
    pub(super) token: Token,
}

impl hyper::body::Body for WhileHeld {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let this = self.get_mut();
        let frame = ready!(Pin::new(&mut this.inner).poll_frame(context));
        Poll::Ready(frame.filter(|_| this.guard.holds(&this.token)))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
