//! A terminal: what is over is printed for good, and what is under way stands below it and is painted anew in place.

use super::{board::Board, style::Styles};
use crate::output;
use deskhand_agent::screen::{Screen, Seen};
use deskhand_models::Happening;
use std::{
    sync::{
        Arc, Mutex, PoisonError, Weak,
        mpsc::{self, RecvTimeoutError, Sender},
    },
    thread,
    time::{Duration, Instant},
};

/// How often what is under way is painted anew.
const OFTEN: Duration = Duration::from_millis(125);
/// How soon a text that comes is painted.
const SOON: Duration = Duration::from_millis(30);

/// See the module.
#[derive(Debug)]
pub(super) struct Terminal {
    inner: Arc<Inner>,
    /// Ends the painting when it is dropped.
    _painting: Sender<()>,
}

#[derive(Debug)]
struct Inner {
    begun: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    board: Board,
    /// When it was painted last.
    painted: Duration,
    /// True once nothing more is to be painted.
    over: bool,
}

impl Terminal {
    pub(super) fn new(styles: Styles) -> Self {
        let board = Board::new(styles);
        let state = Mutex::new(State { board, painted: Duration::ZERO, over: false });
        let inner = Arc::new(Inner { begun: Instant::now(), state });
        let (painting, ended) = mpsc::channel();
        let weak = Arc::downgrade(&inner);
        // without this thread what is under way stands still, and all else goes on
        let _ = thread::Builder::new().name("screen".to_owned()).spawn(move || {
            while ended.recv_timeout(OFTEN) == Err(RecvTimeoutError::Timeout) {
                let Some(inner) = Weak::upgrade(&weak) else { return };
                inner.paint();
            }
        });
        inner.paint();
        Self { inner, _painting: painting }
    }
}

impl Inner {
    fn paint(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.paint("", self.begun.elapsed());
    }
}

impl State {
    fn paint(&mut self, above: &str, now: Duration) {
        if self.over {
            return;
        }
        self.painted = now;
        output::paint(above, self.board.rows(now, output::size()));
    }
}

impl Screen for Terminal {
    fn show(&self, seen: Seen<'_>) {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.inner.begun.elapsed();
        let more = matches!(seen, Seen::Reply(Happening::Text(_) | Happening::Thinking(_) | Happening::Input(_)));
        let above = state.board.take(seen, now, output::size().columns);
        // a model can write faster than a terminal paints
        if !more || !above.is_empty() || now.saturating_sub(state.painted) >= SOON {
            state.paint(&above, now);
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut state = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let above = state.board.end(output::size().columns);
        state.over = true;
        output::paint(&above, Vec::new());
    }
}
