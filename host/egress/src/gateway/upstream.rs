//! A connection to a host: to an address that was checked, or through the proxy that the environment names.

use crate::{
    egress::{CONNECT, Outlet},
    error::EgressError,
    judge::Reach,
    proxy::Proxy,
    request,
    resolve::{self, Forbidden},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use reqwest::Url;
use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// The most bytes of a proxy's answer.
const ANSWER: usize = 8 << 10;

pub(super) async fn connect(
    outlet: &Outlet,
    url: &Url,
    proxy: Option<&Proxy>,
    reach: Reach,
) -> Result<TcpStream, EgressError> {
    let host = request::host(url);
    resolve::admit(&host, reach, proxy)?;
    let connecting = async {
        match proxy {
            None => direct(outlet, url, reach).await,
            Some(proxy) => through(outlet, url, proxy).await,
        }
    };
    tokio::select! {
        biased;
        connected = connecting => connected,
        () = outlet.timer().sleep(CONNECT) => Err(EgressError::SlowConnect { host, after: CONNECT }),
    }
}

/// To one of the addresses that a name has now and that it may lead to. What is connected to is what was checked.
async fn direct(outlet: &Outlet, url: &Url, reach: Reach) -> Result<TcpStream, EgressError> {
    let host = request::host(url);
    let port = url.port_or_known_default().unwrap_or_default();
    let addresses = match host.parse::<IpAddr>() {
        Ok(address) => vec![address],
        Err(_) => resolve::allowed(outlet.lookup(), &host, reach).await.map_err(|error| unresolved(&host, &*error))?,
    };
    let mut failed = io::Error::from(io::ErrorKind::NotFound);
    for address in addresses {
        match TcpStream::connect(SocketAddr::new(address, port)).await {
            Ok(stream) => {
                let _ = stream.set_nodelay(true); // slower without, and no less right
                return Ok(stream);
            }
            Err(error) => failed = error,
        }
    }
    Err(EgressError::NoConnection { host, reason: failed.to_string() })
}

fn unresolved(host: &str, error: &(dyn Error + Send + Sync + 'static)) -> EgressError {
    match error.downcast_ref::<Forbidden>() {
        Some(Forbidden(address, kind)) => Forbidden(*address, *kind).error(host.to_owned()),
        None => EgressError::NotFound { host: host.to_owned(), reason: error.to_string() },
    }
}

/// Through a tunnel of the environment's own proxy, which looks up the name itself.
async fn through(outlet: &Outlet, url: &Url, proxy: &Proxy) -> Result<TcpStream, EgressError> {
    let failed = |reason: String| EgressError::Proxy { host: request::host(url), proxy: proxy.host(), reason };
    if proxy.url().scheme() != "http" {
        let kind = proxy.url().scheme();
        return Err(failed(format!("programs in a sandbox use proxies of the kind http, and this is one of {kind}")));
    }
    // proxies stand in private networks
    let mut stream = direct(outlet, proxy.url(), Reach::Local).await.map_err(|error| failed(error.to_string()))?;
    let port = url.port_or_known_default().unwrap_or_default();
    let to = format!("{}:{port}", url.host_str().unwrap_or_default());
    let account = match (proxy.url().username(), proxy.password()) {
        ("", None) => String::new(),
        (name, password) => {
            let password = password.as_ref().map(crate::secret::Secret::reveal).unwrap_or_default();
            format!("Proxy-Authorization: Basic {}\r\n", BASE64_STANDARD.encode(format!("{name}:{password}")))
        }
    };
    let asked = format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n{account}\r\n");
    stream.write_all(asked.as_bytes()).await.map_err(|error| failed(error.to_string()))?;
    match answer(&mut stream).await {
        Ok(200..=299) => Ok(stream),
        Ok(status) => Err(failed(format!("it answered with the status {status}"))),
        Err(error) => Err(failed(error.to_string())),
    }
}

/// The status of an answer, which is read to the end of its head and no further.
async fn answer(stream: &mut TcpStream) -> io::Result<u16> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        if read.len() >= ANSWER {
            return Err(io::Error::other("its answer is too long"));
        }
        read.push(stream.read_u8().await?);
    }
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut parsed = httparse::Response::new(&mut headers);
    parsed.parse(&read).map_err(io::Error::other)?;
    parsed.code.ok_or_else(|| io::Error::other("its answer has no status"))
}
