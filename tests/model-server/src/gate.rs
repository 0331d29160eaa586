//! A place in an answer where the server waits for the test.

use std::{
    thread,
    time::{Duration, Instant},
};
use tokio::sync::oneshot::{self, error::TryRecvError};

/// A client that has not come by then has ended or hangs, and a test that waits for it would never say so.
const PATIENCE: Duration = Duration::from_secs(120);

/// The server's side.
#[derive(Debug)]
pub struct Gate {
    reached: Option<oneshot::Sender<()>>,
    open: oneshot::Receiver<()>,
}

/// The test's side. Dropped without being opened, it makes the server hang up.
#[derive(Debug)]
pub struct Opener {
    reached: Option<oneshot::Receiver<()>>,
    open: oneshot::Sender<()>,
}

/// A gate that is shut.
pub fn gate() -> (Gate, Opener) {
    let (reached, has_reached) = oneshot::channel();
    let (open, opened) = oneshot::channel();
    (Gate { reached: Some(reached), open: opened }, Opener { reached: Some(has_reached), open })
}

impl Gate {
    /// Whether it was opened, rather than given up.
    pub(crate) fn wait(mut self) -> bool {
        if let Some(reached) = self.reached.take() {
            // a test need not care when it is reached
            let _ = reached.send(());
        }
        self.open.blocking_recv().is_ok()
    }
}

impl Opener {
    /// Until the server stands before it: everything before it is sent.
    pub async fn reached(&mut self) {
        if let Some(reached) = self.reached.take() {
            reached.await.expect("the server is there");
        }
    }

    /// The same, for a test without a runtime.
    pub fn wait_reached(&mut self) {
        let Some(mut reached) = self.reached.take() else { return };
        let end = Instant::now() + PATIENCE;
        while let Err(why) = reached.try_recv() {
            assert!(why == TryRecvError::Empty, "the server is there");
            assert!(Instant::now() < end, "nobody came to the gate");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Let the server go on.
    pub fn open(self) {
        // the client may have gone away
        let _ = self.open.send(());
    }
}
