//! HTTP/1.1 on loopback (RFC 9112), as far as a scripted server needs it: keep-alive, bodies by length or in chunks, and
//! every way to break off.

use crate::gate::Gate;
use serde_json::Value;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// A request that was heard.
#[derive(Clone, Debug)]
pub struct Heard {
    /// The connection that it came on, from 0.
    pub connection: usize,
    /// The method.
    pub method: String,
    /// What stands after it: the path and query, or the whole address for a proxy.
    pub target: String,
    /// The headers in order, their names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
    /// When its last byte was there, since the server's start.
    pub at: Duration,
}

impl Heard {
    /// The first header of a name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// A piece of an answer's body.
#[derive(Debug)]
pub enum Piece {
    /// Bytes, written at once and as a chunk of their own.
    Bytes(Vec<u8>),
    /// Wait for the test.
    Gate(Gate),
    /// Send nothing more, and keep the connection until the client goes.
    Stall,
    /// Break the connection with a reset.
    Reset,
    /// Close the connection where the body is not at its end.
    HangUp,
    /// End the body, and close the connection without having said that it would be.
    Close,
}

/// What a client may take for said after an answer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Said {
    /// The test knows.
    Anything,
    /// Nothing: the answer was an error, or broke off.
    Nothing,
    /// This, in the form of the wire's assistant message.
    This(Value),
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    /// 0 is no answer at all: the pieces come instead of a head.
    status: u16,
    headers: Vec<(String, String)>,
    pieces: Vec<Piece>,
    pub(crate) said: Said,
}

impl Answer {
    /// With a body in one piece.
    pub fn new(status: u16, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        Self::of(status, kind, vec![Piece::Bytes(body.into())], Said::Nothing)
    }

    /// With a body in these pieces, sent in chunks. Its end is said unless a piece breaks off.
    pub fn pieces(status: u16, kind: &str, pieces: Vec<Piece>) -> Self {
        Self::of(status, kind, pieces, Said::Anything)
    }

    pub(crate) fn of(status: u16, kind: &str, pieces: Vec<Piece>, said: Said) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), kind.to_owned())], pieces, said }
    }

    /// No answer, but this.
    pub fn instead(piece: Piece) -> Self {
        Self { status: 0, headers: Vec::new(), pieces: vec![piece], said: Said::Nothing }
    }

    /// With another header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

type Handler = dyn Fn(Heard) -> (Answer, Box<dyn FnOnce(Duration) + Send>) + Send + Sync;

struct Shared {
    start: Instant,
    over: AtomicBool,
    connections: AtomicUsize,
    open: Mutex<Vec<(usize, TcpStream)>>,
    handler: Box<Handler>,
}

/// A server on a free port of loopback. It ends when it is dropped.
pub struct HttpServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    accepting: Option<thread::JoinHandle<()>>,
}

impl std::fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HttpServer({})", self.address)
    }
}

impl HttpServer {
    /// Answer each request by `answer`.
    pub fn start(answer: impl Fn(&Heard) -> Answer + Send + Sync + 'static) -> Self {
        Self::with(Box::new(move |heard| (answer(&heard), Box::new(|_| ()))))
    }

    /// Answer each request, and tell when its last piece is written.
    pub(crate) fn with(handler: Box<Handler>) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            start: Instant::now(),
            over: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            open: Mutex::default(),
            handler,
        });
        let serving = Arc::clone(&shared);
        let accepting = thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.over.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                let connection = serving.connections.fetch_add(1, Ordering::SeqCst);
                if let Ok(other) = stream.try_clone() {
                    serving.open.lock().unwrap_or_else(PoisonError::into_inner).push((connection, other));
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || serving.serve(stream, connection));
            }
        });
        Self { address, shared, accepting: Some(accepting) }
    }

    /// Where it listens.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// When it was started: what it notes is counted from here.
    pub fn started(&self) -> Instant {
        self.shared.start
    }

    /// How many connections there have been.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        // the listener wakes up and sees that it is over
        drop(TcpStream::connect(self.address));
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        for (_, stream) in self.shared.open.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

/// What becomes of a connection after an answer.
#[derive(PartialEq, Eq)]
enum After {
    Keep,
    Close,
    Reset,
}

impl Shared {
    fn serve(&self, stream: TcpStream, connection: usize) {
        let _ = stream.set_nodelay(true);
        let Ok(reading) = stream.try_clone() else { return };
        let mut reader = BufReader::new(reading);
        let mut reset = false;
        while let Some(mut heard) = read(&mut reader, connection) {
            heard.at = self.start.elapsed();
            let (answer, done) = (self.handler)(heard);
            let (after, ended) = write(&stream, answer);
            done(ended.saturating_duration_since(self.start));
            if after == After::Keep {
                continue;
            }
            reset = after == After::Reset;
            break;
        }
        self.open.lock().unwrap_or_else(PoisonError::into_inner).retain(|(other, _)| *other != connection);
        if !reset {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn read(reader: &mut BufReader<TcpStream>, connection: usize) -> Option<Heard> {
    let line = |reader: &mut BufReader<TcpStream>| {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        Some(line.trim_end().to_owned())
    };
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut heard = Heard { connection, method, target, headers, body: Vec::new(), at: Duration::ZERO };
    if let Some(length) = heard.header("content-length") {
        heard.body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut heard.body).ok()?;
    } else if heard.header("transfer-encoding").is_some() {
        loop {
            let size = usize::from_str_radix(line(reader)?.split(';').next()?, 16).ok()?;
            let from = heard.body.len();
            heard.body.resize(from + size, 0);
            reader.read_exact(&mut heard.body[from..]).ok()?;
            line(reader);
            if size == 0 {
                break;
            }
        }
    }
    Some(heard)
}

/// Write an answer; what becomes of the connection, and when its end was sent. The clock is read before the last write: a
/// client that is quick has answered to it before this thread runs again.
fn write(stream: &TcpStream, answer: Answer) -> (After, Instant) {
    let has_head = answer.status > 0;
    if let Err(after) = write_pieces(stream, answer) {
        return (after, Instant::now());
    }
    let ended = Instant::now();
    let mut stream = stream;
    match has_head && stream.write_all(b"0\r\n\r\n").is_ok() {
        true => (After::Keep, ended),
        false => (After::Close, ended),
    }
}

/// All but the end of the body; or, where the answer breaks off, what becomes of the connection.
fn write_pieces(mut stream: &TcpStream, answer: Answer) -> Result<(), After> {
    if answer.status > 0 {
        let mut head = format!("HTTP/1.1 {} x\r\ntransfer-encoding: chunked\r\n", answer.status);
        for (name, value) in &answer.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        if stream.write_all(head.as_bytes()).is_err() {
            return Err(After::Close);
        }
    }
    for piece in answer.pieces {
        let sent = match piece {
            Piece::Bytes(bytes) if bytes.is_empty() => Ok(()),
            Piece::Bytes(bytes) => {
                let mut chunk = format!("{:x}\r\n", bytes.len()).into_bytes();
                chunk.extend_from_slice(&bytes);
                chunk.extend_from_slice(b"\r\n");
                stream.write_all(&chunk)
            }
            Piece::Gate(gate) => match gate.wait() {
                true => Ok(()),
                false => return Err(After::Close),
            },
            Piece::HangUp => return Err(After::Close),
            Piece::Close => {
                let _ = stream.write_all(b"0\r\n\r\n");
                return Err(After::Close);
            }
            Piece::Stall => {
                let mut gone = [0; 64];
                while stream.read(&mut gone).is_ok_and(|read| read > 0) {}
                return Err(After::Close);
            }
            Piece::Reset => {
                // closing it then sends a reset
                let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
                return Err(After::Reset);
            }
        };
        if sent.is_err() {
            return Err(After::Close);
        }
    }
    Ok(())
}
