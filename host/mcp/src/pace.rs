//! The other side is read only as fast as it takes its answers: one that asks without end, or that does not read, waits, and
//! what it asked does not pile up here.

use rmcp::{
    RoleClient, RoleServer,
    model::{JsonRpcMessage, RequestId},
    service::{RxJsonRpcMessage, ServiceRole, TxJsonRpcMessage},
    transport::Transport,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::sync::Notify;

/// So many of its requests may be without an answer that it has taken.
const MOST: usize = 256;

/// A transport at that pace.
pub(crate) struct Paced<T> {
    inner: T,
    open: Arc<Open>,
}

/// The requests of the other side that are not answered yet.
#[derive(Default)]
struct Open {
    ids: Mutex<HashSet<RequestId>>,
    fewer: Notify,
}

impl Open {
    async fn room(&self) {
        loop {
            let fewer = self.fewer.notified();
            if self.ids.lock().unwrap_or_else(PoisonError::into_inner).len() < MOST {
                return;
            }
            fewer.await;
        }
    }

    /// False where one of this name is open already: its answer could not be told from the other's.
    fn asked(&self, id: &RequestId) -> bool {
        self.ids.lock().unwrap_or_else(PoisonError::into_inner).insert(id.clone())
    }

    fn answered(&self, id: &RequestId) {
        if self.ids.lock().unwrap_or_else(PoisonError::into_inner).remove(id) {
            self.fewer.notify_one();
        }
    }
}

impl<T> Paced<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, open: Arc::default() }
    }
}

/// What a notice of the other side cancels.
trait Cancels: ServiceRole {
    fn cancelled(notice: &Self::PeerNot) -> Option<&RequestId>;
}

impl Cancels for RoleClient {
    fn cancelled(notice: &Self::PeerNot) -> Option<&RequestId> {
        match notice {
            rmcp::model::ServerNotification::CancelledNotification(notice) => notice.params.request_id.as_ref(),
            _ => None,
        }
    }
}

impl Cancels for RoleServer {
    fn cancelled(notice: &Self::PeerNot) -> Option<&RequestId> {
        match notice {
            rmcp::model::ClientNotification::CancelledNotification(notice) => notice.params.request_id.as_ref(),
            _ => None,
        }
    }
}

impl<R: Cancels, T: Transport<R>> Transport<R> for Paced<T> {
    type Error = T::Error;

    fn send(&mut self, item: TxJsonRpcMessage<R>) -> impl Future<Output = Result<(), Self::Error>> + Send + 'static {
        let answers = match &item {
            JsonRpcMessage::Response(response) => Some(response.id.clone()),
            JsonRpcMessage::Error(error) => error.id.clone(),
            JsonRpcMessage::Request(_) | JsonRpcMessage::Notification(_) => None,
        };
        let (sending, open) = (self.inner.send(item), Arc::clone(&self.open));
        async move {
            let sent = sending.await;
            answers.iter().for_each(|id| open.answered(id));
            sent
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<R>> {
        loop {
            // before it is read, for whoever waits here may be told to do something else
            self.open.room().await;
            let message = self.inner.receive().await?;
            match &message {
                JsonRpcMessage::Request(request) if !self.open.asked(&request.id) => continue,
                // one that is taken back gets no answer
                JsonRpcMessage::Notification(notice) => {
                    R::cancelled(&notice.notification).into_iter().for_each(|id| self.open.answered(id));
                }
                _ => {}
            }
            return Some(message);
        }
    }

    async fn close(&mut self) -> Result<(), Self::Error> {
        self.inner.close().await
    }
}
