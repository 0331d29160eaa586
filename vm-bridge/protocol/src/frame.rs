//! Frames: a length, a place in the order, and a message.
//!
//! ```text
//! 4 bytes  length of the message, little-endian, 1 to MOST
//! 4 bytes  number of the frame in its direction, little-endian, from 0, wrapping
//! n bytes  the message in postcard's encoding
//! ```
//! A port keeps order by itself. The number makes a frame that is lost, repeated or made up between two others plain.

use serde::{Serialize, de::DeserializeOwned};
use std::io::{self, Read, Write};

/// The most bytes that a message may have.
pub const MOST: usize = 256 << 10;

const HEADER: usize = 8;

/// Why nothing more can be had from the other end. None of these is worth another try.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The port itself.
    #[error("the port failed: {0}")]
    Port(#[from] io::Error),
    /// The port ended inside of a frame.
    #[error("a frame ends after {0} bytes")]
    CutShort(usize),
    /// A length that no message has.
    #[error("a frame claims {0} bytes; a message has 1 to {MOST}")]
    Length(u32),
    /// A frame is missing, repeated or made up.
    #[error("frame {found} came where frame {expected} belongs")]
    Order {
        /// The number that belongs here.
        expected: u32,
        /// The number that came.
        found: u32,
    },
    /// The bytes are no message, or are more than one.
    #[error("a frame holds no message of this protocol")]
    Malformed,
    /// A message of our own is too long, and was not sent.
    #[error("a message of {0} bytes is longer than {MOST}")]
    TooLong(usize),
}

/// Writes messages to one port.
#[derive(Debug)]
pub struct Sender<W> {
    port: W,
    next: u32,
}

impl<W: Write> Sender<W> {
    /// The first message sent has number 0.
    pub const fn new(port: W) -> Self {
        Self::after(port, 0)
    }

    /// Go on after `sent` messages, as on the port of a machine that was saved.
    pub const fn after(port: W, sent: u32) -> Self {
        Self { port, next: sent }
    }

    /// Send one message, and all that was posted before it.
    pub fn send(&mut self, message: &impl Serialize) -> Result<(), FrameError> {
        self.post(message)?;
        Ok(self.port.flush()?)
    }

    /// Send one message, which a port that buffers may keep back until the next [`Self::send`]. It is one write; a message that
    /// is too long leaves the order as it was.
    pub fn post(&mut self, message: &impl Serialize) -> Result<(), FrameError> {
        let mut frame = vec![0; HEADER];
        frame = postcard::to_extend(message, frame).map_err(|_| FrameError::Malformed)?;
        let length = frame.len() - HEADER;
        let claimed = u32::try_from(length).ok().filter(|_| (1..=MOST).contains(&length));
        let claimed = claimed.ok_or(FrameError::TooLong(length))?;
        frame[..4].copy_from_slice(&claimed.to_le_bytes());
        frame[4..HEADER].copy_from_slice(&self.next.to_le_bytes());
        self.port.write_all(&frame)?;
        self.next = self.next.wrapping_add(1);
        Ok(())
    }
}

/// Reads messages from one port.
#[derive(Debug)]
pub struct Receiver<R> {
    port: R,
    next: u32,
    message: Vec<u8>,
}

impl<R: Read> Receiver<R> {
    /// The first message has to have number 0.
    pub const fn new(port: R) -> Self {
        Self::after(port, 0)
    }

    /// Go on after `received` messages, as on the port of a machine that was saved.
    pub const fn after(port: R, received: u32) -> Self {
        Self { port, next: received, message: Vec::new() }
    }

    /// Wait for one message; `None` where the port ended between two. Memory is taken as bytes arrive, at most
    /// [`MOST`].
    pub fn receive<M: DeserializeOwned>(&mut self) -> Result<Option<M>, FrameError> {
        let mut header = [0; HEADER];
        match read_up_to(&mut self.port, &mut header)? {
            0 => return Ok(None),
            HEADER => {}
            short => return Err(FrameError::CutShort(short)),
        }
        let [l0, l1, l2, l3, n0, n1, n2, n3] = header;
        let (claimed, found) = (u32::from_le_bytes([l0, l1, l2, l3]), u32::from_le_bytes([n0, n1, n2, n3]));
        let length = usize::try_from(claimed).ok().filter(|length| (1..=MOST).contains(length));
        let length = length.ok_or(FrameError::Length(claimed))?;
        if found != self.next {
            return Err(FrameError::Order { expected: self.next, found });
        }
        self.message.clear();
        // at most MOST, which fits
        let read = self.port.by_ref().take(length as u64).read_to_end(&mut self.message)?;
        if read < length {
            return Err(FrameError::CutShort(HEADER + read));
        }
        self.next = self.next.wrapping_add(1);
        match postcard::take_from_bytes(&self.message) {
            Ok((message, [])) => Ok(Some(message)),
            Ok(_) | Err(_) => Err(FrameError::Malformed),
        }
    }
}

/// Fill `buffer`, or as much of it as comes before the end.
fn read_up_to(port: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match port.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
