//! A terminal: what is over is printed for good, and what is under way stands below it and is painted anew in place.

use super::{board::Board, style::Styles};
use crate::output;
use deskhand_agent::screen::{Screen, Seen};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How often what is under way is painted anew.
const OFTEN: Duration = Duration::from_millis(125);
/// How soon after it was painted it is painted again. A model can write faster than a terminal paints, and who works does not
/// wait for either.
const SOON: Duration = Duration::from_millis(30);

/// See the module.
#[derive(Debug)]
pub(super) struct Terminal {
    inner: Arc<Inner>,
    painting: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Inner {
    begun: Instant,
    state: Mutex<State>,
    /// The painter waits here for something new.
    news: Condvar,
}

#[derive(Debug)]
struct State {
    board: Board,
    /// True if the board is another than what is painted.
    new: bool,
    /// True once nothing more is to be painted.
    over: bool,
}

impl Terminal {
    pub(super) fn new(styles: Styles) -> Self {
        let state = Mutex::new(State { board: Board::new(styles), new: true, over: false });
        let inner = Arc::new(Inner { begun: Instant::now(), state, news: Condvar::new() });
        let painter = Arc::clone(&inner);
        // without this thread it is painted only at the end, and all else goes on
        let painting = thread::Builder::new().name("screen".to_owned()).spawn(move || painter.paint()).ok();
        Self { inner, painting }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Paint until it is over.
    fn paint(&self) {
        let mut state = self.state();
        loop {
            let news = self.news.wait_timeout_while(state, OFTEN, |state| !state.new && !state.over);
            state = news.unwrap_or_else(PoisonError::into_inner).0;
            if state.over {
                return;
            }
            state.new = false;
            output::paint("", state.board.rows(self.begun.elapsed(), output::size()));
            let ended = self.news.wait_timeout_while(state, SOON, |state| !state.over);
            state = ended.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Screen for Terminal {
    fn show(&self, seen: Seen<'_>) {
        let mut state = self.inner.state();
        let above = state.board.take(seen, self.inner.begun.elapsed(), output::size().columns);
        if !above.is_empty() {
            output::soon(&above);
        }
        if !std::mem::replace(&mut state.new, true) {
            self.inner.news.notify_one();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut state = self.inner.state();
        let above = state.board.end(output::size().columns);
        state.over = true;
        output::paint(&above, Vec::new());
        drop(state);
        self.inner.news.notify_one();
        if let Some(painting) = self.painting.take() {
            let _ = painting.join();
        }
    }
}
