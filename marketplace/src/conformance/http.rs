//! A client for HTTP/1.1 (RFC 9112) that speaks with this computer alone, one request a connection, and bounded in
//! time and length.

use crate::verify::folder::{LastAsked, ReadError, carried};
use sigstore_tuf::transport::{FetchFuture, Repository};
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, SocketAddr, TcpStream},
    time::Duration,
};

/// How long the server may keep us waiting.
const PATIENCE: Duration = Duration::from_secs(20);
/// The most that the head of an answer may hold, in bytes.
const HEAD: usize = 64 * 1024;

#[derive(Debug)]
struct Base {
    address: SocketAddr,
    host: String,
    path: String,
}

impl Base {
    fn read(url: &str) -> Result<Self, String> {
        let refuse = || format!("{url} is not an http:// address of this computer");
        let rest = url.strip_prefix("http://").ok_or_else(refuse)?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (name, port) = host.split_once(':').unwrap_or((host, "80"));
        if !matches!(name, "127.0.0.1" | "localhost") {
            return Err(refuse());
        }
        let port = port.parse().map_err(|_| refuse())?;
        let path = format!("/{}", path.trim_end_matches('/'));
        let path = if path == "/" { String::new() } else { path };
        Ok(Self { address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)), host: host.to_owned(), path })
    }
}

/// A repository that a program on this computer serves.
#[derive(Debug)]
pub(super) struct Loopback {
    metadata: Base,
    targets: Option<Base>,
    pub(super) last: LastAsked,
}

impl Loopback {
    pub(super) fn new(metadata: &str, targets: Option<&str>) -> Result<Self, String> {
        Ok(Self {
            metadata: Base::read(metadata)?,
            targets: targets.map(Base::read).transpose()?,
            last: LastAsked::default(),
        })
    }

    fn get(&self, base: &Base, name: &str, limit: u64) -> Result<Option<Vec<u8>>, ReadError> {
        self.last.set(name);
        let io = |source| ReadError::Io { name: name.to_owned(), source };
        let unreachable = |source| ReadError::Unreachable { place: base.host.clone(), source };
        let mut stream = TcpStream::connect_timeout(&base.address, PATIENCE).map_err(unreachable)?;
        stream.set_read_timeout(Some(PATIENCE)).map_err(io)?;
        stream.set_write_timeout(Some(PATIENCE)).map_err(io)?;
        let request = format!(
            "GET {}/{} HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: identity\r\nConnection: close\r\n\r\n",
            base.path,
            encoded(name),
            base.host
        );
        stream.write_all(request.as_bytes()).map_err(io)?;

        let most = (HEAD as u64).saturating_add(limit).saturating_add(1);
        let mut answer = Vec::new();
        stream.take(most).read_to_end(&mut answer).map_err(io)?;
        let wrong = |what: &str| io(io::Error::new(io::ErrorKind::InvalidData, what));
        let end = answer.windows(4).take(HEAD).position(|four| four == b"\r\n\r\n");
        let end = end.ok_or_else(|| wrong("the answer is not one of HTTP"))?;
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).unwrap_or_default();
        match status {
            "200" => {}
            "404" => return Ok(None),
            other => return Err(wrong(&format!("the server answered {other}"))),
        }
        let header = |wanted: &str| {
            let mut headers = head.split("\r\n").skip(1).filter_map(|line| line.split_once(':'));
            headers.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim().to_owned())
        };
        if header("transfer-encoding").is_some() {
            return Err(wrong("the answer comes in pieces, which is not asked for"));
        }
        let body = answer.split_off(end + 4);
        let length = header("content-length").and_then(|length| length.parse::<u64>().ok());
        if body.len() as u64 > limit || length.is_some_and(|length| length > limit) {
            return Err(ReadError::TooLong { name: name.to_owned(), limit });
        }
        if length.is_some_and(|length| length != body.len() as u64) {
            return Err(wrong("the answer was cut"));
        }
        Ok(Some(body))
    }
}

/// A path with what a request line cannot hold escaped (RFC 3986, section 2.1). An escape that is there stays as it
/// is: names of delegated roles come with theirs.
fn encoded(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => out.push(char::from(byte)),
            b'-' | b'.' | b'_' | b'~' | b'/' | b'%' | b'+' | b':' | b'@' | b'!' | b'$' | b'&' | b'\'' | b'(' | b')'
            | b'*' | b',' | b';' | b'=' => out.push(char::from(byte)),
            other => out.push_str(&format!("%{other:02X}")),
        }
    }
    out
}

impl Repository for Loopback {
    fn fetch_metadata<'a>(&'a self, name: &'a str, max_length: u64) -> FetchFuture<'a> {
        let got = self.get(&self.metadata, name, max_length).map_err(carried);
        Box::pin(std::future::ready(got))
    }

    fn fetch_target<'a>(&'a self, path: &'a str, max_length: u64) -> FetchFuture<'a> {
        let base = self.targets.as_ref().ok_or_else(|| ReadError::Name { name: path.to_owned() });
        let got = base.and_then(|base| self.get(base, path, max_length)).map_err(carried);
        Box::pin(std::future::ready(got))
    }
}
