//! A sandbox that stays for a while: commands run in it one after the other, and an interpreter keeps what it knows from one
//! piece of work to the next. One program of ours, the *runner*, is the first in it; it starts what it is told to, passes on
//! what that says, and sees to it that nothing writes once a job is over: whatever a job started ends with it, and the
//! interpreter is held until its next work.
//!
//! The runner is at the mercy of what it starts, which is the same user as it. So nothing that it says is believed: it can end
//! a job wrongly, and nothing else.

mod following;
mod message;
mod processes;
mod runner;

use crate::{
    confined::Confined,
    error::ConfineError,
    helper::Helper,
    layout,
    overlay::Step,
    running::{Ended, Running},
    start,
};
use message::{Ask, Told};
pub use message::{Came, Job, Outcome, Stream};
pub(crate) use runner::run;
use serde::Serialize;
use std::{
    io,
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    process::{ChildStdin, ChildStdout},
    sync::mpsc,
};

/// What a [`Job::Program`] is given to read, piece by piece, each of at most [`PIECE`] bytes; it ends with its senders.
pub type Input = mpsc::UnboundedReceiver<Vec<u8>>;

/// The most bytes of a piece of [`Input`].
pub const PIECE: usize = 64 << 10;

/// How long a job has to end by itself that was asked to.
const GRACE: Duration = Duration::from_secs(3);
/// How long the runner has to end one that did not.
const KILLED: Duration = Duration::from_secs(10);
/// Of how many jobs what they said can be read in the sandbox.
const LOGS: u64 = 4;
/// The most bytes of a message of the runner.
const MOST: usize = 1 << 20;

/// See the module. Dropped, it and all in it is ended.
#[derive(Debug)]
pub struct Session {
    running: Running,
    stdin: ChildStdin,
    told: Frames,
    jobs: u64,
}

impl Session {
    /// A session in a sandbox like this one, whose program and arguments do not matter. To be called in a runtime of tokio.
    ///
    /// # Errors
    /// As for [`start`].
    pub async fn open(helper: &Helper, confined: Confined) -> Result<Self, ConfineError> {
        let (program, arguments) = Helper::runner(layout::HELPER);
        let mut running = start(helper, Confined { program, arguments, ..confined }).await?;
        let piped = running.stdin.take().zip(running.stdout.take());
        let (stdin, stdout) = piped.ok_or_else(|| ConfineError::sandbox("it has no pipes"))?;
        Ok(Self { running, stdin, told: Frames { stdout, buffer: Vec::new() }, jobs: 0 })
    }

    /// Do one job to its end. `input` is what a [`Job::Program`] reads, without which it reads nothing; `heard` is given what it
    /// says as it says it. When `enough` comes first, the job is asked to end, and ended if it does not.
    ///
    /// # Errors
    /// How the session ended, with all that was in it.
    pub async fn run(
        &mut self,
        job: &Job,
        mut input: Option<Input>,
        enough: impl Future<Output = ()>,
        heard: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Came, Ended> {
        self.jobs += 1;
        let ask = Ask::Do { job: job.clone(), log: log(self.jobs), old: log(self.jobs.saturating_sub(LOGS)) };
        // it is heard while it is told: it may not take in more before what it says is taken in
        let mut telling = Telling(Vec::new());
        let mut told = telling.add(&ask);
        if matches!(job, Job::Program { .. }) && input.is_none() {
            told = told.and(telling.add(&Ask::InputEnd));
        }
        tokio::pin!(enough);
        let mut patience = None;
        let mut asked = 0_u8;
        while told.is_ok() {
            let waits = async {
                match patience {
                    Some(patience) => tokio::time::sleep(patience).await,
                    None => enough.as_mut().await,
                }
            };
            tokio::select! {
                written = self.stdin.write(&telling.0), if !telling.0.is_empty() => {
                    told = written.map(|count| drop(telling.0.drain(..count)));
                }
                given = next(&mut input), if telling.0.is_empty() => {
                    told = match given {
                        Some(piece) => telling.add(&Ask::Input(piece)),
                        None => {
                            input = None;
                            telling.add(&Ask::InputEnd)
                        }
                    };
                }
                heard_now = self.told.next() => match heard_now {
                    Ok(Told::Output(stream, bytes)) => heard(stream, &bytes),
                    Ok(Told::Ended { outcome, fresh }) => return Ok(Came { outcome, fresh, cut_short: asked > 0 }),
                    Ok(Told::Followed(_)) | Err(_) => break,
                },
                () = waits => {
                    asked += 1;
                    let (ask, time) = match asked {
                        1 => (Ask::Interrupt, GRACE),
                        2 => (Ask::Kill, KILLED),
                        _ => break,
                    };
                    patience = Some(time);
                    told = telling.add(&ask);
                }
            }
        }
        Err(self.over().await)
    }

    /// Let the sandbox see what has changed in its task, between two jobs. False where it could not be made.
    pub async fn follow(&mut self, step: Step) -> bool {
        self.ask(&Ask::Follow(step)).await.is_ok() && matches!(self.told.next().await, Ok(Told::Followed(true)))
    }

    /// End it, and wait until nothing of it runs.
    pub async fn close(mut self) {
        self.over().await;
    }

    /// Where in the sandbox all that the last job said can be read.
    pub fn log(&self) -> PathBuf {
        log(self.jobs)
    }

    async fn ask(&mut self, ask: &Ask) -> io::Result<()> {
        self.stdin.write_all(&framed(ask)?).await?;
        self.stdin.flush().await
    }

    async fn over(&mut self) -> Ended {
        // what ended by itself has said how, and is not ended once more
        self.running.stop();
        self.running.wait().await
    }
}

/// What is being told to the runner, and is not written to it yet.
struct Telling(Vec<u8>);

impl Telling {
    fn add(&mut self, ask: &Ask) -> io::Result<()> {
        self.0.extend(framed(ask)?);
        Ok(())
    }
}

/// The next piece of an input; waits for ever where there is none.
async fn next(input: &mut Option<Input>) -> Option<Vec<u8>> {
    match input {
        Some(input) => input.recv().await,
        None => std::future::pending().await,
    }
}

fn log(job: u64) -> PathBuf {
    Path::new("/tmp").join(format!("output-{job}.txt"))
}

fn framed(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    crate::order::send(&mut bytes, value)?;
    Ok(bytes)
}

/// The messages of the runner.
#[derive(Debug)]
struct Frames {
    stdout: ChildStdout,
    /// What came and was not a whole message yet.
    buffer: Vec<u8>,
}

impl Frames {
    /// The next one. Nothing is lost where it is not waited for to the end.
    async fn next(&mut self) -> io::Result<Told> {
        loop {
            if let Some(told) = self.whole()? {
                return Ok(told);
            }
            if self.stdout.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn whole(&mut self) -> io::Result<Option<Told>> {
        let Some((length, rest)) = self.buffer.split_first_chunk::<4>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > MOST {
            return Err(io::ErrorKind::InvalidData.into());
        }
        let Some(message) = rest.get(..length) else { return Ok(None) };
        let told = postcard::from_bytes(message).map_err(io::Error::other)?;
        self.buffer.drain(..4 + length);
        Ok(Some(told))
    }
}
