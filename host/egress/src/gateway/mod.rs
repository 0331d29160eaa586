//! The way out for programs in a sandbox: a proxy (RFC 9110, section 7.7) on a socket of this machine that only its owner may
//! use. Each request and each tunnel is judged by its host, and goes the way of everything that leaves: to an address that
//! was looked up and checked here, counted and on record.
//!
//! A connection carries one request. What is not a request of exactly one reading is refused, so that nobody behind this
//! proxy can take its end for another place than it did.

mod answer;
mod body;
mod head;
mod plain;
mod tunnel;
mod upstream;

use crate::egress::Outlet;
use answer::Answer;
use head::{Head, Target};
use rustix::event::{PollFd, PollFlags, Timespec};
use std::{
    future::Future,
    io,
    os::{fd::AsRawFd as _, unix::fs::PermissionsExt as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{UnixListener, UnixStream},
    sync::Semaphore,
    task::{JoinHandle, JoinSet},
};

/// How many connections are served at once. One more is told to come again.
pub const STREAMS: usize = 256;
/// The most bytes of a request before its body.
const HEAD: usize = 32 << 10;
/// How long that may take to come.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often it is looked whether somebody still waits for an answer.
const LOOK: Duration = Duration::from_millis(100);
/// How long nothing may move on a connection.
const IDLE: Duration = Duration::from_secs(600);
/// The most bytes of the body of a request that is no tunnel.
const BODY: u64 = 64 << 20;

/// The port of HTTPS, to which tunnels may lead where nothing else is said.
pub const HTTPS: u16 = 443;

/// A proxy that is open as long as this is held.
#[derive(Debug)]
pub struct Gateway {
    socket: PathBuf,
    serving: JoinHandle<()>,
}

/// What all connections of a gateway share.
struct Shared {
    outlet: Outlet,
    /// The ports to which tunnels may lead.
    ports: Vec<u16>,
    slots: Arc<Semaphore>,
}

impl Gateway {
    /// Opens a proxy on a new socket under this name in a folder that is its owner's alone. Tunnels lead only to `ports`. To be
    /// called in a runtime of tokio.
    ///
    /// # Errors
    /// Where others may enter the folder, or the socket cannot be made.
    pub fn open(outlet: Outlet, folder: &Path, name: &str, ports: &[u16]) -> io::Result<Self> {
        let handle = std::fs::File::open(folder)?;
        if handle.metadata()?.permissions().mode() & 0o077 != 0 {
            let reason = format!("others may enter {}. Take that from them with: chmod 700", folder.display());
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, reason));
        }
        let socket = folder.join(name);
        // a socket's path is short (unix(7)), and a home's may be long
        let listener = UnixListener::bind(format!("/proc/self/fd/{}/{name}", handle.as_raw_fd()))?;
        std::fs::set_permissions(&socket, std::fs::Permissions::from_mode(0o600))?;
        let shared = Shared { outlet, ports: ports.to_vec(), slots: Arc::new(Semaphore::new(STREAMS)) };
        let serving = tokio::spawn(listen(listener, Arc::new(shared)));
        Ok(Self { socket, serving })
    }

    /// Where it listens.
    pub fn socket(&self) -> &Path {
        &self.socket
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // with it go all connections
        self.serving.abort();
        let _ = std::fs::remove_file(&self.socket); // it may be gone with its folder
    }
}

async fn listen(listener: UnixListener, shared: Arc<Shared>) {
    let mut open = JoinSet::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = open.join_next() => continue,
        };
        match stream {
            Ok((stream, _)) => drop(open.spawn(serve(stream, Arc::clone(&shared)))),
            // too many handles are open; some of them close
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(mut stream: UnixStream, shared: Arc<Shared>) {
    let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
        return Answer::busy().send(&mut stream, &shared).await;
    };
    let read = tokio::select! {
        biased;
        read = read_head(&mut stream) => read,
        () = shared.outlet.timer().sleep(PATIENCE) => Err(Answer::bad("it did not come in time")),
    };
    let answered = match read {
        Ok((head, rest)) => respond(&mut stream, &shared, head, rest).await,
        Err(answer) => Err(answer),
    };
    if let Err(answer) = answered {
        answer.send(&mut stream, &shared).await;
    }
    drop(slot);
}

async fn respond(stream: &mut UnixStream, shared: &Shared, head: Head, rest: Vec<u8>) -> Result<(), Answer> {
    match &head.target {
        Target::Tunnel(url) => tunnel::serve(stream, shared, url, &rest).await,
        Target::Address(url) => plain::serve(stream, shared, url.clone(), &head, rest).await,
    }
}

/// A request up to its body, and what came of that.
async fn read_head(stream: &mut UnixStream) -> Result<(Head, Vec<u8>), Answer> {
    let mut read = Vec::with_capacity(1024);
    loop {
        let from = read.len().saturating_sub(3);
        if stream.read_buf(&mut read).await.map_err(|_| Answer::none())? == 0 {
            return Err(if read.is_empty() { Answer::none() } else { Answer::bad("it broke off") });
        }
        if let Some(end) = read[from..].windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = read.split_off(from + end + 4);
            if read.len() <= HEAD {
                return Ok((Head::of(&read)?, rest));
            }
        }
        if read.len() > HEAD {
            return Err(Answer::too_large());
        }
        // what will never be a request is not waited for
        head::plain_lines(&read)?;
    }
}

/// Do this for whoever is at the other end, and leave off once they are gone: then nobody is asked about it any more either.
async fn while_there<T>(stream: &UnixStream, work: impl Future<Output = T>) -> Result<T, Answer> {
    tokio::select! {
        biased;
        done = work => Ok(done),
        () = gone(stream) => Err(Answer::none()),
    }
}

/// Once whoever is at the other end has nothing more to say. What they said and is not read yet tells nothing of that, so the
/// socket is looked at again and again.
async fn gone(stream: &UnixStream) {
    loop {
        tokio::time::sleep(LOOK).await;
        let mut at = [PollFd::new(stream, PollFlags::RDHUP)];
        if rustix::event::poll(&mut at, Some(&Timespec::default())).is_ok_and(|found| found > 0) {
            return;
        }
    }
}

/// Write within the time in which something has to move.
async fn write(stream: &mut UnixStream, bytes: &[u8], shared: &Shared) -> io::Result<()> {
    tokio::select! {
        biased;
        written = stream.write_all(bytes) => written,
        () = shared.outlet.timer().sleep(IDLE) => Err(io::ErrorKind::TimedOut.into()),
    }
}
