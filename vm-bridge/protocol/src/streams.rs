//! Connections over one port: each is a stream of bytes in both directions, with a window of its own, so that one which nobody
//! reads holds up no other. The guest opens them, the host takes them; what is carried is the same on both sides.

use crate::{FrameError, Receiver, Sender};
use serde::{Deserialize, Serialize};
use std::{
    collections::{HashMap, hash_map::Entry},
    io::{self, Read, Write},
    net::{Shutdown, TcpStream},
    os::unix::net::UnixStream,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver as Queue, Sender as Enqueue},
    },
    thread,
};

/// Bytes that may be on their way in one direction of a stream and not yet read.
pub const WINDOW: u32 = 256 << 10;
/// The most streams at one time.
pub const MOST: usize = 256;
/// The most bytes of one message.
const PIECE: usize = 32 << 10;
/// The most threads that carry streams, or say that they are over. There are more than two for each that is open only where the
/// other end does not hear that streams are over, and opens new ones all the same.
const CARRIERS: usize = 4 * MOST;

/// What either end says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Word {
    /// The guest opens a stream, under a number that none has which is open.
    Open {
        /// The number.
        stream: u32,
    },
    /// Bytes, within the window.
    Data {
        /// Of which stream.
        stream: u32,
        /// At least one.
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
    },
    /// So many bytes were read: there is room for as many more.
    Room {
        /// Of which stream.
        stream: u32,
        /// How many.
        bytes: u32,
    },
    /// No more bytes come in this direction. Said once by each end; after both, the number is free.
    End {
        /// Of which stream.
        stream: u32,
    },
}

/// Why the port is given up.
#[derive(Debug, thiserror::Error)]
pub enum StreamsError {
    /// What came is no frame.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The other end broke a rule.
    #[error("{0}")]
    Rule(&'static str),
}

/// A connection of this machine that a stream is carried to.
pub trait Socket: Read + Write + Send + Sized + 'static {
    /// Another handle of it.
    ///
    /// # Errors
    /// The system's.
    fn other(&self) -> io::Result<Self>;

    /// Say that nothing more comes, or take nothing more.
    fn shut(&self, how: Shutdown);
}

impl Socket for TcpStream {
    fn other(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn shut(&self, how: Shutdown) {
        let _ = self.shutdown(how); // it may be over
    }
}

impl Socket for UnixStream {
    fn other(&self) -> io::Result<Self> {
        self.try_clone()
    }

    fn shut(&self, how: Shutdown) {
        let _ = self.shutdown(how); // it may be over
    }
}

/// One end of the port, for everybody who writes to it.
pub struct Streams<W> {
    out: Mutex<Sender<W>>,
    open: Mutex<HashMap<u32, Stream>>,
    /// Woken where there is more room, a stream is over, or all are.
    changed: Condvar,
}

/// A stream that is open.
struct Stream {
    /// Bytes for the socket, and none for their end.
    inbound: Enqueue<Option<Vec<u8>>>,
    /// Bytes that may be said.
    credit: u32,
    /// Bytes that may be heard.
    window: u32,
    /// Whether this end, and the other, have said that nothing more comes.
    ended: [bool; 2],
}

impl<W: Write + Send + 'static> Streams<W> {
    /// On a port.
    pub fn new(out: Sender<W>) -> Arc<Self> {
        Arc::new(Self { out: Mutex::new(out), open: Mutex::default(), changed: Condvar::new() })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<u32, Stream>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn say(&self, word: &Word) -> Result<(), FrameError> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner).send(word)
    }

    /// Open a stream for a connection, and carry it. Waits while there are as many as there may be.
    ///
    /// # Errors
    /// The port is gone, or the connection is.
    pub fn dial(self: &Arc<Self>, stream: u32, socket: impl Socket) -> Result<(), StreamsError> {
        let mut open = self.open();
        while open.len() >= MOST {
            open = self.changed.wait(open).unwrap_or_else(PoisonError::into_inner);
        }
        // under the same lock, as others wait for the same room
        let inbound = begin(&mut open, stream).ok_or(StreamsError::Rule("a number is used twice"))?;
        drop(open);
        self.say(&Word::Open { stream })?;
        self.carry(stream, socket, inbound).map_err(|error| {
            self.end(stream); // the other end has begun to carry it
            FrameError::Port(error).into()
        })
    }

    /// Carry a stream to a connection, on two threads.
    fn carry(self: &Arc<Self>, stream: u32, socket: impl Socket, inbound: Queue<Option<Vec<u8>>>) -> io::Result<()> {
        let read = socket.other()?;
        let (speaking, hearing) = (Arc::clone(self), Arc::clone(self));
        thread::Builder::new().spawn(move || speaking.speak(stream, read))?;
        thread::Builder::new().spawn(move || hearing.hear(stream, socket, &inbound))?;
        Ok(())
    }

    /// Say what the connection says, as far as there is room for it.
    fn speak(&self, stream: u32, mut socket: impl Socket) {
        let mut buffer = vec![0; PIECE];
        while let Some(room) = self.room(stream) {
            let most = PIECE.min(room as usize);
            let read = match socket.read(&mut buffer[..most]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Ok(read @ 1..) => read,
                Ok(0) | Err(_) => break,
            };
            if let Some(open) = self.open().get_mut(&stream) {
                // no more was read than there is room for
                open.credit -= u32::try_from(read).unwrap_or(open.credit);
            }
            if self.say(&Word::Data { stream, bytes: buffer[..read].to_vec() }).is_err() {
                break;
            }
        }
        self.end(stream);
    }

    /// Wait until something may be said. None where nobody hears it.
    fn room(&self, stream: u32) -> Option<u32> {
        let mut open = self.open();
        loop {
            match open.get(&stream)?.credit {
                0 => open = self.changed.wait(open).unwrap_or_else(PoisonError::into_inner),
                room => return Some(room),
            }
        }
    }

    /// Hand what comes to the connection. One that takes nothing more still lets the rest pass.
    fn hear(&self, stream: u32, mut socket: impl Socket, inbound: &Queue<Option<Vec<u8>>>) {
        let mut takes = true;
        while let Ok(Some(bytes)) = inbound.recv() {
            takes = takes && socket.write_all(&bytes).is_ok();
            if !takes {
                // who does not hear has nothing to say either
                socket.shut(Shutdown::Both);
            }
            let count = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
            if let Some(open) = self.open().get_mut(&stream) {
                open.window = open.window.saturating_add(count).min(WINDOW);
            }
            let _ = self.say(&Word::Room { stream, bytes: count }); // without a port all of it ends
        }
        socket.shut(Shutdown::Write);
        // where the port is gone, nothing more is said either
        if self.open().get(&stream).is_none() {
            socket.shut(Shutdown::Both);
        }
    }

    /// This end has said all.
    fn end(&self, stream: u32) {
        let mut open = self.open();
        if let Some(ended) = open.get_mut(&stream).map(|open| &mut open.ended)
            && !std::mem::replace(&mut ended[0], true)
        {
            let over = ended[1];
            if over {
                open.remove(&stream);
            }
            drop(open);
            let _ = self.say(&Word::End { stream }); // without a port all of it ends
            self.changed.notify_all();
        }
    }

    /// Hear the other end until the port is over. `taken` gives a connection for each stream that it opens; none where there
    /// is none, which ends the stream.
    ///
    /// # Errors
    /// Why the port is given up. All streams are over then, as they are where it just ends.
    pub fn listen<S: Socket>(
        self: &Arc<Self>,
        port: &mut Receiver<impl Read>,
        taken: impl FnMut() -> Option<S>,
    ) -> Result<(), StreamsError> {
        let heard = self.listen_until(port, taken);
        self.open().clear();
        self.changed.notify_all();
        heard
    }

    fn listen_until<S: Socket>(
        self: &Arc<Self>,
        port: &mut Receiver<impl Read>,
        mut taken: impl FnMut() -> Option<S>,
    ) -> Result<(), StreamsError> {
        while let Some(word) = port.receive()? {
            match word {
                Word::Open { stream } => {
                    if self.open().len() >= MOST {
                        return Err(StreamsError::Rule("it opens more streams than there may be"));
                    }
                    if Arc::strong_count(self) > CARRIERS {
                        return Err(StreamsError::Rule("it opens streams and does not hear that others are over"));
                    }
                    let inbound =
                        begin(&mut self.open(), stream).ok_or(StreamsError::Rule("it opens a stream that is open"))?;
                    let carried = taken().is_some_and(|socket| self.carry(stream, socket, inbound).is_ok());
                    if !carried {
                        // whoever listens never waits for the other end to listen
                        let own = Arc::clone(self);
                        thread::spawn(move || own.end(stream));
                    }
                }
                Word::Data { stream, bytes } => {
                    let mut open = self.open();
                    let Some(open) = open.get_mut(&stream).filter(|open| !open.ended[1]) else {
                        return Err(StreamsError::Rule("it speaks on a stream that is not open"));
                    };
                    let left = u32::try_from(bytes.len()).ok().filter(|count| *count > 0);
                    let left = left.and_then(|count| open.window.checked_sub(count));
                    open.window = left.ok_or(StreamsError::Rule("it says more on a stream than there is room for"))?;
                    let _ = open.inbound.send(Some(bytes)); // nobody may want it any more
                }
                Word::Room { stream, bytes } => {
                    // what is over may still have been read
                    if let Some(open) = self.open().get_mut(&stream) {
                        let credit = open.credit.checked_add(bytes).filter(|credit| *credit <= WINDOW);
                        open.credit = credit.ok_or(StreamsError::Rule("it makes more room than there is"))?;
                    }
                    self.changed.notify_all();
                }
                Word::End { stream } => {
                    let mut open = self.open();
                    let Some(ending) = open.get_mut(&stream).filter(|open| !open.ended[1]) else {
                        return Err(StreamsError::Rule("it ends a stream that is not open"));
                    };
                    ending.ended[1] = true;
                    let _ = ending.inbound.send(None); // nobody may want it any more
                    if ending.ended[0] {
                        open.remove(&stream);
                    }
                    drop(open);
                    self.changed.notify_all();
                }
            }
        }
        Ok(())
    }
}

/// Take note of a stream. None where the number is taken.
fn begin(open: &mut HashMap<u32, Stream>, stream: u32) -> Option<Queue<Option<Vec<u8>>>> {
    let (inbound, queue) = mpsc::channel();
    let new = Stream { inbound, credit: WINDOW, window: WINDOW, ended: [false; 2] };
    match open.entry(stream) {
        Entry::Occupied(_) => None,
        Entry::Vacant(place) => {
            place.insert(new);
            Some(queue)
        }
    }
}
