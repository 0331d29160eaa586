//! The body of a request, read to its end.

use super::{BODY, IDLE, Shared, answer::Answer, head::Length};
use tokio::{io::AsyncReadExt as _, net::UnixStream};

/// The most bytes of the line before a chunk.
const LINE: usize = 32;
/// How much is read at a time, in bytes.
const PIECE: usize = 16 << 10;

/// What comes of the body, and what has come of it already.
pub(super) struct Reader<'a> {
    pub(super) stream: &'a mut UnixStream,
    pub(super) shared: &'a Shared,
    pub(super) read: Vec<u8>,
}

impl Reader<'_> {
    pub(super) async fn body(mut self, length: Length) -> Result<Vec<u8>, Answer> {
        match length {
            Length::Bytes(length) if length > BODY => Err(Answer::too_large()),
            Length::Bytes(length) => self.take(usize::try_from(length).map_err(|_| Answer::too_large())?).await,
            Length::Chunked => self.chunks().await,
        }
    }

    /// Chunks up to the last, without extensions and trailers: those that mean something are for the next server alone (RFC
    /// 9112, section 7.1).
    async fn chunks(&mut self) -> Result<Vec<u8>, Answer> {
        let mut body = Vec::new();
        loop {
            let line = self.line().await?;
            let size =
                std::str::from_utf8(&line).ok().filter(|line| line.bytes().all(|digit| digit.is_ascii_hexdigit()));
            let size = size.and_then(|size| u64::from_str_radix(size, 16).ok());
            let size = size.ok_or_else(|| Answer::bad("a part of it does not say how long it is"))?;
            if body.len() as u64 + size > BODY {
                return Err(Answer::too_large());
            }
            body.extend(self.take(usize::try_from(size).map_err(|_| Answer::too_large())?).await?);
            if !self.line().await?.is_empty() {
                return Err(Answer::bad("a part of it is longer than it says"));
            }
            if size == 0 {
                return Ok(body);
            }
        }
    }

    /// A line without its end.
    async fn line(&mut self) -> Result<Vec<u8>, Answer> {
        loop {
            if let Some(end) = self.read.windows(2).position(|two| two == b"\r\n") {
                let line = self.take(end).await?;
                self.take(2).await?;
                return Ok(line);
            }
            if self.read.len() > LINE {
                return Err(Answer::bad("a part of it does not say how long it is"));
            }
            self.more().await?;
        }
    }

    async fn take(&mut self, count: usize) -> Result<Vec<u8>, Answer> {
        while self.read.len() < count {
            self.more().await?;
        }
        let rest = self.read.split_off(count);
        Ok(std::mem::replace(&mut self.read, rest))
    }

    async fn more(&mut self) -> Result<(), Answer> {
        self.read.reserve(PIECE);
        let count = tokio::select! {
            biased;
            count = self.stream.read_buf(&mut self.read) => count.map_err(|_| Answer::none())?,
            () = self.shared.outlet.timer().sleep(IDLE) => return Err(Answer::bad("it did not come in time")),
        };
        if count == 0 { Err(Answer::bad("it broke off")) } else { Ok(()) }
    }
}
