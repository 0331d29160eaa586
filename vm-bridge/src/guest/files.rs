//! The folders of a guest, on the host's side: what is asked of them, and the rules for what a guest may tell.

use super::{Shared, watch};
use crate::{Lost, VmError};
use deskhand_vm_protocol::{
    FrameError, Receiver, Sender,
    files::{Ask, Folder, MOST, Step, Tell, What},
};
use std::{
    io::{self, BufReader},
    os::unix::net::UnixStream,
    time::{Duration, Instant},
};

/// Bytes that are taken in at once.
const BUFFER: usize = 64 << 10;

/// Whoever is told what lies in the layers of a guest. An error says which rule the guest broke.
pub trait Collector {
    /// This lies in the layer of a folder, at a path that is as the guest gave it. Of a file all bytes of its size follow, or
    /// as many as can be had.
    fn found(&mut self, folder: usize, path: &[u8], what: &What) -> Result<(), String>;

    /// The next bytes of the file that was found last; never more than its size.
    fn content(&mut self, bytes: &[u8]);

    /// The next bytes of the file that was found last are so many zeros; never more than its size.
    fn hole(&mut self, bytes: u64);

    /// The file that was found last has all of its bytes, or no more can be had.
    fn end(&mut self, whole: bool);

    /// Whether nobody wants to wait for the rest. Asked at each thing that is told.
    fn is_given_up(&mut self) -> bool {
        false
    }

    /// What was found once is not there any more.
    fn lost(&mut self, folder: usize, path: &[u8]) -> Result<(), String>;
}

/// The host's end of the files port.
pub(super) struct Files {
    stream: UnixStream,
    asks: Sender<UnixStream>,
    tells: Receiver<BufReader<UnixStream>>,
    folders: Vec<Folder>,
}

/// Why an answer is not one.
enum Wrong {
    Frame(FrameError),
    Rule(String),
    /// The guest says that it could not.
    Failed(i32),
    Ended,
    GivenUp,
    /// It tells so little in so much time that it means to tell for ever.
    Slow,
}

/// How long it may take to tell, whatever it is, and a message more. An emulated guest takes a fiftieth of that.
const AT_LEAST: Duration = Duration::from_secs(300);
const EACH: Duration = Duration::from_millis(50);

/// How long it has taken to tell so many messages.
struct Pace {
    begun: Instant,
    messages: u32,
}

impl Pace {
    fn holds(&mut self) -> bool {
        self.messages = self.messages.saturating_add(1);
        // of bytes that come one by one, as of any
        self.begun.elapsed() < AT_LEAST + EACH * self.messages.min(1 << 20)
    }
}

/// What of a file, and of all files, may still be told.
struct Owed {
    file: Option<u64>,
    all: u64,
}

impl Owed {
    /// Take note of so many bytes of the file that was told last: whether it has all of them now.
    fn content(&mut self, bytes: u64) -> Result<bool, Wrong> {
        let rest = self.file.unwrap_or(0).checked_sub(bytes).filter(|_| bytes > 0);
        let rest = rest.ok_or_else(|| Wrong::Rule("it tells more of a file than there is".to_owned()))?;
        let all = self.all.checked_sub(bytes);
        self.all = all.ok_or_else(|| Wrong::Rule("it tells more than may be told".to_owned()))?;
        self.file = Some(rest).filter(|rest| *rest > 0);
        Ok(self.file.is_none())
    }
}

impl From<FrameError> for Wrong {
    fn from(error: FrameError) -> Self {
        Self::Frame(error)
    }
}

impl Files {
    pub(super) fn new(stream: UnixStream, folders: Vec<Folder>) -> io::Result<Self> {
        let tells = BufReader::with_capacity(BUFFER, stream.try_clone()?);
        let (asks, tells) = (Sender::new(stream.try_clone()?), Receiver::new(tells));
        Ok(Self { stream, asks, tells, folders })
    }

    fn lay(&mut self) -> Result<(), Wrong> {
        self.asks.send(&Ask::Lay { folders: self.folders.clone() })?;
        self.done()
    }

    fn make(&mut self, folder: u16, path: &[u8], step: Step) -> Result<(), Wrong> {
        self.asks.send(&Ask::Make { folder, path: path.to_vec(), step })?;
        self.done()
    }

    fn done(&mut self) -> Result<(), Wrong> {
        match self.told()? {
            Tell::Done => Ok(()),
            Tell::Failed { code } => Err(Wrong::Failed(code)),
            Tell::Found { .. } | Tell::Content { .. } | Tell::Hole { .. } | Tell::CutShort | Tell::Lost { .. } => {
                Err(Wrong::Rule("it tells of files without being asked".to_owned()))
            }
        }
    }

    fn told(&mut self) -> Result<Tell, Wrong> {
        self.tells.receive()?.ok_or(Wrong::Ended)
    }

    fn collect(&mut self, to: &mut dyn Collector) -> Result<(), Wrong> {
        self.asks.send(&Ask::Collect)?;
        let folders = self.folders.len();
        let known = |folder: u16| {
            let folder = usize::from(folder);
            if folder < folders {
                Ok(folder)
            } else {
                Err(Wrong::Rule("it tells of a folder that it has not".to_owned()))
            }
        };
        let mut owed = Owed { file: None, all: MOST };
        let mut pace = Pace { begun: Instant::now(), messages: 0 };
        loop {
            let told = self.told()?;
            if to.is_given_up() && told != Tell::Done {
                return Err(Wrong::GivenUp);
            }
            if !pace.holds() {
                return Err(Wrong::Slow);
            }
            let is_of_file = matches!(told, Tell::Content { .. } | Tell::Hole { .. } | Tell::CutShort);
            if is_of_file != owed.file.is_some() {
                return Err(Wrong::Rule("it tells of a file out of order".to_owned()));
            }
            match told {
                Tell::Done => return Ok(()),
                Tell::Failed { code } => return Err(Wrong::Failed(code)),
                Tell::Lost { folder, path } => to.lost(known(folder)?, &path).map_err(Wrong::Rule)?,
                Tell::Found { folder, path, what } => {
                    to.found(known(folder)?, &path, &what).map_err(Wrong::Rule)?;
                    match what {
                        What::File { size: 0, .. } => to.end(true),
                        What::File { size, .. } => owed.file = Some(size),
                        What::Folder { .. } | What::Link | What::Whiteout | What::Other => {}
                    }
                }
                Tell::Content { bytes } => {
                    let whole = owed.content(bytes.len() as u64)?;
                    to.content(&bytes);
                    if whole {
                        to.end(true);
                    }
                }
                Tell::Hole { bytes } => {
                    let whole = owed.content(bytes)?;
                    to.hole(bytes);
                    if whole {
                        to.end(true);
                    }
                }
                Tell::CutShort => {
                    owed.file = None;
                    to.end(false);
                }
            }
        }
    }
}

impl Shared {
    /// Lay the folders that the machine was started with into the sandbox.
    pub(super) fn lay(&self) -> Result<(), VmError> {
        self.ask_files(|files| if files.folders.is_empty() { Ok(()) } else { files.lay() })
    }

    /// Hear what was written since the last time.
    pub(super) fn collect(&self, to: &mut dyn Collector) -> Result<(), VmError> {
        self.ask_files(|files| files.collect(to))
    }

    pub(super) fn make(&self, folder: u16, path: &[u8], step: Step) -> Result<(), VmError> {
        self.ask_files(|files| files.make(folder, path, step))
    }

    /// Ask on the files port. A guest that does not keep to its rules is ended; one that could not do it says so.
    fn ask_files(&self, ask: impl FnOnce(&mut Files) -> Result<(), Wrong>) -> Result<(), VmError> {
        let mut files = self.files.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        files.stream.set_read_timeout(Some(self.patience.answer))?;
        let lost = match ask(&mut files) {
            Ok(()) => return Ok(()),
            Err(Wrong::Failed(code)) => return Err(VmError::Folders(io::Error::from_raw_os_error(code))),
            Err(Wrong::Rule(broken)) => Lost::Hostile(broken),
            Err(Wrong::Frame(error)) => watch::lost(&error, &self.console),
            Err(Wrong::Ended) => self.console.verdict(Lost::Gone),
            Err(Wrong::Slow) => Lost::Silent,
            Err(Wrong::GivenUp) => Lost::GivenUp,
        };
        self.end(lost.clone());
        Err(self.lost.get().cloned().unwrap_or(lost).into())
    }
}

#[cfg(test)]
#[path = "files_tests.rs"]
mod tests;
