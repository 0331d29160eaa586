//! `deskhand tasks follow`: what a task does, as the terminal would show it that it runs in. What is on record is read from the
//! log, so nothing is missed and nothing is seen twice; the supervisor says when there is more, and what comes before it is on
//! record. Where the task asks, whoever follows it at a terminal answers.

mod asking;
mod replay;

use super::start;
use crate::{
    agent::{self, Spec},
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output, person, screen, show,
};
use asking::Asking;
use deskhand_records::{Filter, to_json_line};
use deskhand_tasks::{Line, LineError, Place, message, queue};
use deskhand_vocabulary::{EventId, TaskId, text::shortened};
use message::{Asked, Told};
use replay::Replay;
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

/// How long is waited for news before the log is looked at all the same.
const LOOK: Duration = Duration::from_millis(100);
/// So much of the request is shown, in characters.
const REQUEST: usize = 60;

pub(crate) fn run(options: &cli::Follow) -> Result {
    let desk = Desk::open(options.json)?;
    let spec = Spec::of(desk.records()?, options.task)?;
    desk.stop_on_interrupt();
    if !desk.json {
        output::aside(&format!("Task {}: {}", options.task, show::line(&shortened(&spec.request, REQUEST))));
    }
    let screen = screen::find(desk.json, options.plain);
    Following {
        desk: &desk,
        task: options.task,
        replay: Replay::on(screen, desk.json),
        after: None,
        news: channel(),
        line: None,
        asking: Asking::new(&desk, options.json),
    }
    .run()
}

/// What the supervisor says, or that it says nothing more.
enum News {
    Told(Box<Told>),
    Gone,
}

/// A line that is hung up when this is dropped, for who hears as well.
struct Connected(Arc<Line>);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.close();
    }
}

struct Following<'a> {
    desk: &'a Desk,
    task: TaskId,
    replay: Replay,
    /// The last event that was seen.
    after: Option<EventId>,
    news: (Sender<News>, Receiver<News>),
    line: Option<Connected>,
    asking: Asking,
}

impl Following<'_> {
    fn run(mut self) -> Result {
        while !self.desk.stop.is_stopped() {
            if self.line.is_none() {
                self.connect()?;
            }
            let at_work = self.is_at_work()?;
            self.read()?;
            if let Some(over) = self.replay.over() {
                self.asking.end();
                return self.replay.finish(self.desk, self.task, over);
            }
            if !at_work && !self.is_at_work()? {
                return Err(Failure::failed(format!(
                    "task {0} was broken off, and nobody works on it. Go on with it: deskhand resume {0}",
                    self.task
                )));
            }
            self.hear()?;
        }
        self.asking.end();
        drop(self.replay);
        if !self.desk.json {
            output::aside(&format!(
                "You follow task {0} no more; it goes on. See it again with: deskhand tasks follow {0}",
                self.task
            ));
        }
        Ok(Exit::Done)
    }

    /// True if somebody works on the task, or will.
    fn is_at_work(&self) -> Result<bool> {
        let at_work = agent::is_at_work(&self.desk.home, self.task);
        Ok(at_work || queue::of(self.desk.records()?, self.task)?.is_some())
    }

    /// What is new on record.
    fn read(&mut self) -> Result<()> {
        let filter = Filter { task: Some(self.task), after: self.after, ..Filter::default() };
        for recorded in self.desk.records()?.events(filter) {
            let recorded = recorded?;
            self.after = Some(recorded.id);
            if self.desk.json {
                output::text(&format!("{}\n", to_json_line(&recorded)));
            }
            self.replay.take(&recorded);
        }
        Ok(())
    }

    /// Have the supervisor say what is new, where the task is in its queue. Without it, the log is looked at.
    fn connect(&mut self) -> Result<()> {
        let queued = queue::of(self.desk.records()?, self.task)?.is_some();
        let opened = if queued { start::open(self.desk) } else { Line::open(&Place::of(&self.desk.home)) };
        let line = match opened {
            Ok(line) => line,
            Err(LineError::Nobody) => return Ok(()),
            Err(_) if !queued => return Ok(()),
            Err(error) => return Err(Failure::failed(error)),
        };
        let follow = Asked::Follow { task: self.task, answers: self.asking.is_possible() };
        let Ok((line, hearing)) = line.split() else { return Ok(()) };
        if line.ask(&follow).is_err() {
            return Ok(());
        }
        let news = self.news.0.clone();
        let heard = thread::Builder::new().name("news".to_owned()).spawn(move || {
            while let Ok(Some(told)) = hearing.next() {
                if news.send(News::Told(Box::new(told))).is_err() {
                    return;
                }
            }
            // nobody wants to know any more
            let _ = news.send(News::Gone);
        });
        heard.map_err(Failure::no_thread)?;
        self.line = Some(Connected(Arc::new(line)));
        Ok(())
    }

    /// Wait for news, for a moment.
    fn hear(&mut self) -> Result<()> {
        match self.news.1.recv_timeout(LOOK) {
            Ok(News::Told(told)) => self.told(*told),
            Ok(News::Gone) => {
                self.line = None;
                self.asking.end();
                Ok(())
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => Ok(()),
        }
    }

    fn told(&mut self, told: Told) -> Result<()> {
        match told {
            Told::Heard | Told::More => Ok(()),
            Told::Live { live } => {
                self.replay.live(live, self.desk.person.as_ref());
                Ok(())
            }
            Told::Question { number, question } => {
                // what led to it is seen before it
                self.read()?;
                if let Some(line) = &self.line {
                    person::ring(self.desk.settings.tasks.notify);
                    self.asking.ask(number, *question, Arc::clone(&line.0)).map_err(Failure::no_thread)?;
                }
                Ok(())
            }
            Told::Settled { number } => {
                self.asking.settle(number);
                Ok(())
            }
        }
    }
}
