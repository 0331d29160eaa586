//! A request up to its body, read so that there is one way to read it (RFC 9112). Where programs are known to differ, it is
//! refused.

use super::answer::Answer;
use crate::request;
use reqwest::Url;

/// The most headers.
const HEADERS: usize = 100;

/// Where a request is to go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Through a tunnel to this host and port (RFC 9110, section 9.3.6).
    Tunnel(Url),
    /// To this address, whose content this proxy sees.
    Address(Url),
}

/// How long the body is (RFC 9112, section 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    Bytes(u64),
    Chunked,
}

/// See the module.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) method: String,
    pub(super) target: Target,
    /// True for HTTP/1.1, false for 1.0.
    pub(super) current: bool,
    /// What goes on to the host: without what is between the program and this proxy (RFC 9110, section 7.6.1).
    pub(super) headers: Vec<(String, String)>,
    pub(super) length: Length,
    /// Whether the program waits for a word before it sends the body (RFC 9110, section 10.1.1).
    pub(super) expects: bool,
}

/// Whether all lines end as they have to. Some take a lone line feed for an end, and others do not.
pub(super) fn plain_lines(bytes: &[u8]) -> Result<(), Answer> {
    let bare = |at: usize, byte: u8| match byte {
        b'\n' => at == 0 || bytes[at - 1] != b'\r',
        b'\r' => bytes.get(at + 1).is_some_and(|next| *next != b'\n'),
        _ => byte == 0,
    };
    match bytes.iter().enumerate().any(|(at, byte)| bare(at, *byte)) {
        true => Err(Answer::bad("its lines do not end as they have to")),
        false => Ok(()),
    }
}

impl Head {
    /// Reads a request that ends in an empty line.
    pub(super) fn of(bytes: &[u8]) -> Result<Self, Answer> {
        plain_lines(bytes)?;
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut parsed = httparse::Request::new(&mut headers);
        match parsed.parse(bytes) {
            Ok(httparse::Status::Complete(length)) if length == bytes.len() => {}
            Ok(_) => return Err(Answer::bad("it has no end")),
            Err(error) => return Err(Answer::bad(&error.to_string())),
        }
        let (Some(method), Some(target), Some(version)) = (parsed.method, parsed.path, parsed.version) else {
            return Err(Answer::bad("it has no first line"));
        };
        let headers = texts(parsed.headers)?;
        let current = version == 1;
        if current && values(&headers, "host").count() != 1 {
            return Err(Answer::bad("it names its host not once"));
        }
        let length = length(&headers, current)?;
        let expects = match values(&headers, "expect").next() {
            None => false,
            Some(word) if word.eq_ignore_ascii_case("100-continue") => true,
            Some(_) => return Err(Answer::bad("it expects something unknown")),
        };
        let target = to(method, target)?;
        if matches!(target, Target::Tunnel(_)) && length != Length::Bytes(0) {
            return Err(Answer::bad("a tunnel has no body"));
        }
        let headers = onward(headers);
        Ok(Self { method: method.to_owned(), target, current, headers, length, expects })
    }
}

fn texts(headers: &[httparse::Header<'_>]) -> Result<Vec<(String, String)>, Answer> {
    let text = |header: &httparse::Header<'_>| {
        let value = std::str::from_utf8(header.value).map_err(|_| Answer::bad("a header is no text"))?;
        Ok((header.name.to_ascii_lowercase(), value.to_owned()))
    };
    headers.iter().map(text).collect()
}

fn values<'a>(headers: &'a [(String, String)], name: &'a str) -> impl Iterator<Item = &'a str> {
    headers.iter().filter(move |(other, _)| other == name).map(|(_, value)| value.as_str())
}

fn length(headers: &[(String, String)], current: bool) -> Result<Length, Answer> {
    let lengths: Vec<_> = values(headers, "content-length").collect();
    let codings: Vec<_> = values(headers, "transfer-encoding").collect();
    match (lengths.as_slice(), codings.as_slice()) {
        ([], []) => Ok(Length::Bytes(0)),
        ([length], []) if !length.is_empty() && length.bytes().all(|digit| digit.is_ascii_digit()) => {
            length.parse().map(Length::Bytes).map_err(|_| Answer::too_large())
        }
        ([], [coding]) if current && coding.eq_ignore_ascii_case("chunked") => Ok(Length::Chunked),
        _ => Err(Answer::bad("it does not say in one way how long it is")),
    }
}

fn to(method: &str, target: &str) -> Result<Target, Answer> {
    let address = |text: &str| {
        let url = Url::parse(text).map_err(|_| Answer::bad("its address cannot be read"))?;
        request::checked(url).map_err(|error| Answer::why(&error))
    };
    if method == "CONNECT" {
        // a host and a port, and nothing that a URL could have besides (RFC 9112, section 3.2.3)
        let plain = |sign: u8| sign.is_ascii_alphanumeric() || b".-_:[]".contains(&sign);
        let (_, port) = target.rsplit_once(':').ok_or_else(|| Answer::bad("a tunnel names a host and a port"))?;
        if !target.bytes().all(plain) || port.is_empty() || !port.bytes().all(|digit| digit.is_ascii_digit()) {
            return Err(Answer::bad("a tunnel names a host and a port"));
        }
        return address(&format!("https://{target}/")).map(Target::Tunnel);
    }
    if !target.get(..7).is_some_and(|scheme| scheme.eq_ignore_ascii_case("http://")) {
        return Err(Answer::bad(
            "it names no whole address that begins with http. This is a proxy, and https goes through a tunnel",
        ));
    }
    address(target).map(Target::Address)
}

/// Without what is between the program and this proxy, and what that says is.
fn onward(headers: Vec<(String, String)>) -> Vec<(String, String)> {
    let named: Vec<String> = values(&headers, "connection")
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    let between = |name: &String| request::TRANSPORT.contains(&name.as_str()) || named.contains(name);
    headers.into_iter().filter(|(name, _)| !between(name)).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Head, Length, Target};

    fn read(text: &str) -> Result<Head, String> {
        Head::of(text.as_bytes()).map_err(|answer| format!("{answer:?}"))
    }

    #[test]
    fn a_request_is_read() {
        let head = read(
            "POST http://Example.COM./a?b=c HTTP/1.1\r\nHost: other.example\r\nConnection: keep-alive, X-Own\r\nX-Own: 1\r\n\
             Proxy-Connection: keep-alive\r\nAccept: */*\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n",
        );
        assert_eq!(
            head.unwrap(),
            Head {
                method: "POST".to_owned(),
                target: Target::Address("http://example.com/a?b=c".parse().unwrap()),
                current: true,
                headers: vec![("accept".to_owned(), "*/*".to_owned())],
                length: Length::Bytes(5),
                expects: true,
            }
        );
        let tunnel = |to: &str| match read(&format!("CONNECT {to} HTTP/1.1\r\nHost: x\r\n\r\n")).unwrap().target {
            Target::Tunnel(url) => (request_host(&url), url.port_or_known_default().unwrap()),
            Target::Address(url) => (url.to_string(), 0),
        };
        assert_eq!(tunnel("pypi.org:443"), ("pypi.org".to_owned(), 443));
        assert_eq!(tunnel("[::1]:8443"), ("::1".to_owned(), 8443));
        assert_eq!(tunnel("0x7f.1:443"), ("127.0.0.1".to_owned(), 443));
    }

    fn request_host(url: &reqwest::Url) -> String {
        crate::request::host(url)
    }

    /// Each is read by some program in another way than by another, or is no request to a proxy.
    #[test]
    fn what_can_be_read_in_two_ways_is_refused() {
        let get = "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n";
        let line = |line: &str| format!("{get}{line}\r\n\r\n");
        for text in [
            line("Content-Length: 3\r\nContent-Length: 4"),
            line("Content-Length: 3\r\nContent-Length: 3"),
            line("Content-Length: 3, 3"),
            line("Content-Length: +3"),
            line("Content-Length: 0x3"),
            line("Content-Length:"),
            line("Content-Length: 3\r\nTransfer-Encoding: chunked"),
            line("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
            line("Transfer-Encoding: gzip, chunked"),
            line("Transfer-Encoding: xchunked"),
            line("Transfer-Encoding : chunked"),
            line("Transfer-Encoding:\u{b}chunked"),
            line("X: a\r\n folded"),
            line("X: a\n\r\nY: b"),
            line("X: a\rY: b"),
            line("X: a\0b"),
            line("Host: b.example"),
            line("Expect: miracles"),
            line(": no name"),
            line(" Leading: space"),
            line("no colon"),
            get.replace("\r\n", "\n") + "\n",
            "GET http://a.example/ HTTP/1.1\r\n\r\n".to_owned(),
            "GET http://a.example/ HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned(),
            "GET http://a.example/ HTTP/2.0\r\nHost: a\r\n\r\n".to_owned(),
            "GET  http://a.example/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "GET http://a.example/ b HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n".to_owned(),
            "GET https://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n".to_owned(),
            "GET file:///etc/passwd HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "GET http://me:pw@a.example/ HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "CONNECT a.example HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "CONNECT a.example: HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "CONNECT a.example:99999 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "CONNECT me@a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "CONNECT a.example:443/x HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "CONNECT http://a.example:443 HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
            "CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n".to_owned(),
        ] {
            let refused = read(&text);
            assert!(refused.as_ref().is_err_and(|answer| answer.contains("400 ")), "{text:?} {refused:?}");
        }
        let many: String = (0..101).map(|n| format!("X-{n}: x\r\n")).collect();
        assert!(read(&line(&many)).is_err());
    }
}
