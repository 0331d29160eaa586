//! Where the browser comes back to: a page on this computer, at an address of the loopback interface and a port that was free
//! (RFC 8252, 7.3). Only an answer to what was asked counts; whatever else comes is turned away, and the wait goes on.

use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::{
    body::{Bytes, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, io, net::SocketAddr, sync::Arc, time::Duration};
use subtle::ConstantTimeEq as _;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
    task::JoinSet,
};

const PATH: &str = "/callback";
/// The most connections at once. A browser opens some in advance.
const CONNECTIONS: usize = 16;
/// The most bytes of a request's head, and how long it may take to come.
const HEAD: usize = 32 << 10;
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// How long the last page may take to get to the browser.
const LAST_PAGE: Duration = Duration::from_secs(1);

/// See the module.
pub(super) struct Landing {
    listener: TcpListener,
    address: SocketAddr,
}

/// What the browser brought (RFC 6749, 4.1.2), with the issuer that it names (RFC 9207).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Came {
    pub(super) answer: Answer,
    pub(super) issuer: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Code(String),
    Error { error: String, description: Option<String> },
}

impl Landing {
    pub(super) async fn open() -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// The address that the browser is to be sent to.
    pub(super) fn address(&self) -> String {
        format!("http://{}{PATH}", self.address)
    }

    /// Wait for the answer to what was asked with this `state`, without end.
    pub(super) async fn wait(self, state: &str) -> Came {
        let (tell, mut came) = channel(1);
        let door = Arc::new(Door { host: self.address.to_string(), state: state.to_owned(), tell });
        let mut connections = JoinSet::new();
        let answer = loop {
            tokio::select! {
                biased;
                Some(answer) = next(&mut came) => break answer,
                Some(_) = connections.join_next() => {}
                accepted = self.listener.accept(), if connections.len() < CONNECTIONS => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(serve(stream, Arc::clone(&door)));
                    }
                    // such as too many open files: it may be better in a while
                    Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
                },
            }
        };
        // who never reads the page does not hold up the login
        let _ = tokio::time::timeout(LAST_PAGE, async { while connections.join_next().await.is_some() {} }).await;
        answer
    }
}

async fn next(came: &mut Receiver<Came>) -> Option<Came> {
    came.recv().await
}

/// Who looks at what comes.
struct Door {
    host: String,
    state: String,
    tell: Sender<Came>,
}

async fn serve(stream: TcpStream, door: Arc<Door>) {
    let answer = |request: Request<Incoming>| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(door.answer(&request)) }
    };
    // a connection that breaks concerns nobody but its browser
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service_fn(answer))
        .await;
}

impl Door {
    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
        // a name of somebody else that was turned to this computer
        if host != Some(self.host.as_str()) {
            return page(StatusCode::FORBIDDEN, "This page is for this computer alone.");
        }
        if request.uri().path() != PATH || request.method() != Method::GET {
            return page(StatusCode::NOT_FOUND, "There is nothing here.");
        }
        let Some(came) = read(request.uri().query().unwrap_or_default(), &self.state) else {
            return page(StatusCode::BAD_REQUEST, "This is no answer to the login that Deskhand waits for.");
        };
        // of two answers the first counts
        let _ = self.tell.try_send(came);
        page(StatusCode::OK, "Deskhand has the answer. You can close this page.")
    }
}

/// What a query says, if it answers what was asked with this `state`. No field may stand there twice (RFC 6749, 3.1).
fn read(query: &str, state: &str) -> Option<Came> {
    let url = deskhand_egress::Url::parse(&format!("http://127.0.0.1{PATH}?{query}")).ok()?;
    let field = |name: &str| {
        let mut values = url.query_pairs().filter(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        match (values.next(), values.next()) {
            (value, None) => Ok(value),
            _ => Err(()),
        }
    };
    let fields = ["state", "code", "error", "error_description", "iss"].map(field);
    let [Ok(Some(given)), Ok(code), Ok(error), Ok(description), Ok(issuer)] = fields else { return None };
    if !bool::from(given.as_bytes().ct_eq(state.as_bytes())) {
        return None;
    }
    let answer = match (code, error) {
        (Some(code), None) if !code.is_empty() => Answer::Code(code),
        (None, Some(error)) => Answer::Error { error, description },
        _ => return None,
    };
    Some(Came { answer, issuer })
}

/// A page that takes nothing from elsewhere, and tells nobody where it was come from.
fn page(status: StatusCode, text: &str) -> Response<Full<Bytes>> {
    let body = format!("<!doctype html><meta charset=\"utf-8\"><title>Deskhand</title><p>{text}</p>\n");
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    for (name, value) in [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CACHE_CONTROL, "no-store"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn code(code: &str, issuer: Option<&str>) -> Option<Came> {
        Some(Came { answer: Answer::Code(code.to_owned()), issuer: issuer.map(str::to_owned) })
    }

    #[test]
    fn an_answer_is_one_to_what_was_asked() {
        assert_eq!(read("code=a%2Bb&state=s1", "s1"), code("a+b", None));
        assert_eq!(
            read("state=s1&code=c&iss=https%3A%2F%2Fauth.example.com", "s1"),
            code("c", Some("https://auth.example.com"))
        );
        let error = Answer::Error { error: "access_denied".to_owned(), description: Some("no".to_owned()) };
        assert_eq!(
            read("error=access_denied&error_description=no&state=s1", "s1"),
            Some(Came { answer: error, issuer: None })
        );
        for bad in [
            "",
            "code=c",
            "code=c&state=s2",
            "code=c&state=",
            "code=c&state=s1&state=s1",
            "code=c&code=d&state=s1",
            "code=c&error=e&state=s1",
            "code=&state=s1",
            "state=s1",
            "code=c&state=s1&iss=a&iss=b",
        ] {
            assert_eq!(read(bad, "s1"), None, "{bad}");
        }
    }

    #[test]
    fn only_this_computer_is_answered() {
        let (tell, mut came) = channel(1);
        let door = Door { host: "127.0.0.1:1".to_owned(), state: "s1".to_owned(), tell };
        let ask = |method: &str, host: &str, path: &str| {
            let request = Request::builder().method(method).uri(path).header("host", host).body(()).unwrap();
            door.answer(&request).status().as_u16()
        };
        assert_eq!(ask("GET", "evil.example:1", "/callback?code=c&state=s1"), 403);
        assert_eq!(ask("POST", "127.0.0.1:1", "/callback?code=c&state=s1"), 404);
        assert_eq!(ask("GET", "127.0.0.1:1", "/favicon.ico"), 404);
        assert_eq!(ask("GET", "127.0.0.1:1", "/callback?code=c&state=s2"), 400);
        assert!(came.try_recv().is_err());
        assert_eq!(ask("GET", "127.0.0.1:1", "/callback?code=c&state=s1"), 200);
        // what comes later does not take its place
        assert_eq!(ask("GET", "127.0.0.1:1", "/callback?code=d&state=s1"), 200);
        assert_eq!((came.try_recv().ok(), came.try_recv().is_err()), (code("c", None), true));
    }
}
