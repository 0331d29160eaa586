//! The questions of a task that is followed, put at this terminal.

use crate::{desk::Desk, person};
use deskhand_tasks::{Line, message::Asked};
use deskhand_vocabulary::{Person as _, Question, Stop};
use person::Terminal;
use std::{
    io,
    sync::Arc,
    thread::{self, JoinHandle},
};

/// See the module.
pub(super) struct Asking {
    /// None where nobody is there to answer.
    terminal: Option<Arc<Terminal>>,
    stop: Stop,
    now: Option<Now>,
}

/// A question that stands.
struct Now {
    number: u64,
    /// Ends it.
    stop: Stop,
    thread: JoinHandle<()>,
}

impl Asking {
    pub(super) fn new(desk: &Desk, json: bool) -> Self {
        let there = !json && person::is_at_terminal();
        Self {
            terminal: there.then(|| Arc::new(Terminal::new(desk.asking.clone()))),
            stop: desk.stop.clone(),
            now: None,
        }
    }

    /// True if somebody is there to answer.
    pub(super) const fn is_possible(&self) -> bool {
        self.terminal.is_some()
    }

    /// Put a question. The answer goes over the line.
    pub(super) fn ask(&mut self, number: u64, question: Question, line: Arc<Line>) -> io::Result<()> {
        self.end();
        let Some(terminal) = self.terminal.clone() else { return Ok(()) };
        let stop = self.stop.part();
        let until = stop.clone();
        let thread = thread::Builder::new().name("question".to_owned()).spawn(move || {
            if let Ok(answer) = terminal.ask_until(&question, &until) {
                // where the line broke, the question is put again once there is another
                let _ = line.ask(&Asked::Answer { question: number, answer });
            }
        })?;
        self.now = Some(Now { number, stop, thread });
        Ok(())
    }

    /// This question needs no answer any more.
    pub(super) fn settle(&mut self, number: u64) {
        if self.now.as_ref().is_some_and(|now| now.number == number) {
            self.end();
        }
    }

    /// No question stands from now on.
    pub(super) fn end(&mut self) {
        if let Some(now) = self.now.take() {
            now.stop.stop();
            // it ends within a moment, and has nothing to say
            let _ = now.thread.join();
        }
    }
}
