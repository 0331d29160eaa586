//! How messages go over the socket: their length in bytes (32 bits, the highest byte first), then JSON.

use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, Read, Write},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

/// The most bytes of a message to the supervisor: an edited plan is the longest.
pub const MOST_ASKED: u32 = 4 << 20;
/// The most bytes of a message of the supervisor: a plan of many changes is the longest.
pub const MOST_TOLD: u32 = 64 << 20;
/// How long a message may take that has begun.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A message, ready to be sent. One that is longer than it may be is an error.
pub fn bytes<T: Serialize>(message: &T, most: u32) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; 4];
    serde_json::to_writer(&mut bytes, message)?;
    let length = u32::try_from(bytes.len() - 4).ok().filter(|length| *length <= most).ok_or_else(|| too_long(most))?;
    bytes[..4].copy_from_slice(&length.to_be_bytes());
    Ok(bytes)
}

fn too_long(most: u32) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("a message of more than the {most} bytes that one may have"))
}

fn parsed<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    serde_json::from_slice(body).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// Send a message.
pub fn send<T: Serialize>(to: &mut impl Write, message: &T, most: u32) -> io::Result<()> {
    to.write_all(&bytes(message, most)?)
}

/// The next message; none at the end.
pub fn receive<T: DeserializeOwned>(from: &mut impl Read, most: u32) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length[..1]) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    }
    from.read_exact(&mut length[1..])?;
    let length = checked(length, most)?;
    // no room is made for what does not come
    let mut body = Vec::new();
    if from.take(length.into()).read_to_end(&mut body)? < length as usize {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    parsed(&body).map(Some)
}

fn checked(length: [u8; 4], most: u32) -> io::Result<u32> {
    let length = u32::from_be_bytes(length);
    if length <= most { Ok(length) } else { Err(too_long(most)) }
}

/// Send a message. Whoever does not take it for a while is not waited for.
pub(crate) async fn send_all(to: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> io::Result<()> {
    tokio::time::timeout(PATIENCE, to.write_all(bytes)).await?
}

/// The next message, however long it takes to begin; none at the end.
pub(crate) async fn next<T: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    match from.read_exact(&mut length[..1]).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        read => read?,
    };
    let rest = async {
        from.read_exact(&mut length[1..]).await?;
        let length = checked(length, MOST_ASKED)?;
        let mut body = Vec::new();
        if from.take(length.into()).read_to_end(&mut body).await? < length as usize {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        parsed(&body).map(Some)
    };
    tokio::time::timeout(PATIENCE, rest).await?
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_sent_is_received() {
        let mut line = Vec::new();
        send(&mut line, &"one", 100).unwrap();
        send(&mut line, &"two", 100).unwrap();
        let mut from = line.as_slice();
        let mut next = || receive::<String>(&mut from, 100).unwrap();
        assert_eq!([next(), next(), next()], [Some("one".to_owned()), Some("two".to_owned()), None]);
    }

    #[test]
    fn what_is_too_long_or_broken_or_no_message_is_refused() {
        let kind = |bytes: &[u8]| receive::<String>(&mut &*bytes, 100).map_err(|error| error.kind());
        assert_eq!(kind(b"\0\0\0\x65"), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(kind(b"\xff\xff\xff\xff\"x\""), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(kind(b"\0\0"), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(kind(b"\0\0\0\x05\"on"), Err(io::ErrorKind::UnexpectedEof));
        assert_eq!(kind(b"\0\0\0\x03one"), Err(io::ErrorKind::InvalidData));
        assert_eq!(kind(b"GET / HTTP/1.1\r\n"), Err(io::ErrorKind::FileTooLarge));
        let long = "x".repeat(100);
        assert_eq!(bytes(&long, 100).map_err(|error| error.kind()), Err(io::ErrorKind::FileTooLarge));
    }
}
