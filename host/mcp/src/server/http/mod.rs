//! Over HTTP on this computer (MCP 2025-11-25, streamable HTTP): only for who has the token, and for no page of a browser that
//! came from elsewhere.

mod guard;
mod held;
mod room;

pub use guard::{Holds, Token};

use super::{
    Open,
    asking::{Asking, Bounds},
    handler::Session,
};
use guard::Guard;
use held::WhileHeld;
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full, combinators::BoxBody};
use hyper::{body::Bytes, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::{
    StreamableHttpServerConfig, StreamableHttpService,
    session::local::{LocalSessionManager, SessionConfig},
};
use room::{Guest, Room};
use std::{
    convert::Infallible,
    io,
    net::{SocketAddr, TcpListener},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{net::TcpStream, runtime::Handle, sync::Notify};
use tokio_util::sync::CancellationToken;

/// Where the protocol is spoken.
pub const PATH: &str = "/mcp";
/// The most sessions at once.
const SESSIONS: usize = 64;
/// The largest message, in bytes.
const LONGEST: usize = 8 << 20;
/// The most bytes of headers, and the most of them.
const HEADER_BYTES: usize = 32 << 10;
const HEADERS: usize = 64;
/// How long headers may take to come.
const HEADERS_WITHIN: Duration = Duration::from_secs(10);
/// A session that nobody uses for so long is over. Longer than a question may stand.
const IDLE: Duration = Duration::from_secs(15 * 60);

type Service = StreamableHttpService<Session, LocalSessionManager>;
type Body = BoxBody<Bytes, Infallible>;

/// Serve whoever has the token that holds at that moment, until `stopped` is told.
///
/// # Errors
/// The listener cannot be used.
pub async fn serve(listener: TcpListener, token: Holds, open: Open, stopped: &Notify) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let over = CancellationToken::new();
    let guard = Arc::new(Guard::new(address.port(), token));
    let service = service(open, &over);
    let room = Room::new();
    loop {
        let (stream, from) = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                // such as too many open files: it may be better in a while
                Err(_) => {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    continue;
                }
            },
            () = stopped.notified() => break,
        };
        let (guard, service, over, guest) = (Arc::clone(&guard), service.clone(), over.clone(), room.enter());
        tokio::spawn(async move { connection(stream, from, (&guard, &guest), &service, &over).await });
    }
    over.cancel();
    Ok(())
}

fn service(open: Open, over: &CancellationToken) -> Service {
    let sessions = Arc::new(AtomicUsize::new(0));
    let handle = Handle::current();
    let factory = move || {
        let place = Place::take(&sessions)?;
        let asking = Asking::new(handle.clone(), Bounds::default());
        let offer = open(Arc::clone(&asking)).map_err(io::Error::other)?;
        Ok(Session::new(offer, asking).holding(place))
    };
    let mut manager = LocalSessionManager::default();
    manager.session_config = SessionConfig::default();
    manager.session_config.keep_alive = Some(IDLE);
    let config = StreamableHttpServerConfig::default()
        .with_max_request_body_bytes(LONGEST)
        .with_cancellation_token(over.clone());
    StreamableHttpService::new(factory, Arc::new(manager), config)
}

/// A place among the sessions.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(sessions: &Arc<AtomicUsize>) -> io::Result<Self> {
        let place = Self(Arc::clone(sessions));
        match sessions.fetch_add(1, Ordering::SeqCst) {
            SESSIONS.. => Err(io::Error::other(format!("more than {SESSIONS} sessions at once"))),
            _ => Ok(place),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn connection(
    stream: TcpStream,
    from: SocketAddr,
    (guard, guest): (&Arc<Guard>, &Guest),
    service: &Service,
    over: &CancellationToken,
) {
    if !from.ip().is_loopback() {
        return;
    }
    // an answer is small, and whoever asked waits for it
    let _ = stream.set_nodelay(true);
    let answer =
        |request: Request<Incoming>| async move { Ok::<_, Infallible>(answer(request, guard, guest, service).await) };
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_buf_size(HEADER_BYTES)
        .max_headers(HEADERS)
        .serve_connection(TokioIo::new(stream), service_fn(answer));
    tokio::select! {
        // a connection that breaks concerns nobody but its client
        _ = serving => {}
        () = guest.turned_out() => {}
        () = over.cancelled() => {}
    }
}

async fn answer(request: Request<Incoming>, guard: &Arc<Guard>, guest: &Guest, service: &Service) -> Response<Body> {
    let token = match guard.admits(request.uri(), request.headers()) {
        Ok(token) => token,
        Err(refused) => return last(say(refused.status(), &refused.to_string())),
    };
    if !guest.let_in() {
        return last(say(StatusCode::SERVICE_UNAVAILABLE, "there are too many connections already"));
    }
    if request.uri().path() != PATH {
        return say(StatusCode::NOT_FOUND, "the protocol is spoken at /mcp");
    }
    let guard = Arc::clone(guard);
    service.handle(request).await.map(|inner| WhileHeld { inner, guard, token }.boxed())
}

/// The same answer, after which the connection is closed.
fn last(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().insert(header::CONNECTION, header::HeaderValue::from_static("close"));
    response
}

fn say(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::new(Bytes::from(format!("{text}\n"))).boxed();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/plain; charset=utf-8"));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
    }
    response
}
