//! A line to the supervisor, for who asks it something.

use crate::{
    frame::{self, MOST_ASKED, MOST_TOLD, PATIENCE},
    message::{Asked, Greeting, SPEAKS, Told},
    place::Place,
};
use std::{
    io::{self, ErrorKind},
    os::unix::net::UnixStream,
    thread,
    time::{Duration, Instant},
};

/// How long a supervisor may take to answer that was just started.
const START: Duration = Duration::from_secs(20);
/// How often it is looked whether it is there.
const LOOK: Duration = Duration::from_millis(20);

/// Why there is no line.
#[derive(Debug, thiserror::Error)]
pub enum LineError {
    /// There is no supervisor.
    #[error("no supervisor is there")]
    Nobody,
    /// It is of another version, and speaks another language.
    #[error(
        "the supervisor that runs now (process {}) is of another version of Deskhand, {}, and cannot be spoken to. It ends by itself when its tasks are over. To end it now, so that they go on with this version: kill {}",
        .0.process, .0.deskhand, .0.process
    )]
    Other(Greeting),
    /// What answers does not greet as a supervisor does.
    #[error("what answers in the place of the supervisor is none: {0}. End that program, and try again")]
    Strange(io::Error),
    /// The supervisor did not start.
    #[error("the supervisor did not start: {reason}")]
    NotStarted {
        /// Why.
        reason: String,
    },
    /// Something broke.
    #[error("the supervisor cannot be spoken to: {0}. Try again in a moment")]
    Io(#[from] io::Error),
}

/// True if the other side hung up.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof)
}

/// See the module.
#[derive(Debug)]
pub struct Line {
    stream: UnixStream,
}

impl Line {
    /// To the supervisor, if it is there.
    pub fn open(place: &Place) -> Result<Self, LineError> {
        let mut stream = match place.connect() {
            Ok(stream) => stream,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::ConnectionRefused) => {
                return Err(LineError::Nobody);
            }
            Err(error) => return Err(error.into()),
        };
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let greeting: Greeting = match frame::receive(&mut stream, MOST_ASKED) {
            Ok(Some(greeting)) => greeting,
            // it ends just now
            Ok(None) => return Err(LineError::Nobody),
            Err(error) if is_gone(&error) => return Err(LineError::Nobody),
            Err(error) => return Err(LineError::Strange(error)),
        };
        if greeting.speaks == SPEAKS { Ok(Self { stream }) } else { Err(LineError::Other(greeting)) }
    }

    /// The same, starting a supervisor with `start` where there is none. Several that are started at once become one.
    pub fn open_or_start(place: &Place, start: impl FnOnce() -> io::Result<()>) -> Result<Self, LineError> {
        let mut start = Some(start);
        let end = Instant::now() + START;
        loop {
            match Self::open(place) {
                Err(LineError::Nobody) => {}
                other => return other,
            }
            if let Some(start) = start.take() {
                start().map_err(|error| LineError::NotStarted { reason: error.to_string() })?;
            }
            if Instant::now() > end {
                let reason = format!("it does not answer. See {}", place.log().display());
                return Err(LineError::NotStarted { reason });
            }
            thread::sleep(LOOK);
        }
    }

    /// Have it look into the queue.
    pub fn look(&self) -> Result<(), LineError> {
        match self.ask(&Asked::Look).and_then(|()| self.next()) {
            Ok(Some(Told::Heard)) => Ok(()),
            Ok(_) => Err(LineError::Nobody),
            Err(error) if is_gone(&error) => Err(LineError::Nobody),
            Err(error) => Err(error.into()),
        }
    }

    /// Ask something whose answers come over time.
    pub fn ask(&self, asked: &Asked) -> io::Result<()> {
        frame::send(&mut &self.stream, asked, MOST_ASKED)
    }

    /// The next that it says, however long that takes; none once it has gone.
    pub fn next(&self) -> io::Result<Option<Told>> {
        frame::receive(&mut &self.stream, MOST_TOLD)
    }

    /// Take this line in two: one to ask with, one to hear with, which waits as long as it takes.
    pub fn split(self) -> io::Result<(Self, Self)> {
        let other = self.stream.try_clone()?;
        other.set_read_timeout(None)?;
        Ok((self, Self { stream: other }))
    }

    /// Hang up, for who still hears as well.
    pub fn close(&self) {
        // one that has gone is closed
        let _ = self.stream.shutdown(std::net::Shutdown::Both);
    }
}
