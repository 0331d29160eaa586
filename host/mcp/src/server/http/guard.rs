//! Who is let in: who names this very server, comes from no foreign page, and has the token. A page of the web can make a browser
//! send requests to this computer, also under a name of its own (DNS rebinding); it cannot choose `Host` and `Origin`.

use http::{HeaderMap, StatusCode, Uri, header};
use std::{fmt, num::NonZeroU16, sync::Arc};
use subtle::ConstantTimeEq as _;

/// What a client proves itself with: 256 bits, as 64 hexadecimal digits.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// None if it is no such token.
    pub fn of(text: &str) -> Option<Self> {
        let digits = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| Self(text.to_owned()))
    }

    fn is(&self, given: &str) -> bool {
        given.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// The token that holds at this moment; none where nobody is let in. Asked for each request, since another may have been made.
pub type Holds = Arc<dyn Fn() -> Option<Token> + Send + Sync>;

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    #[error("this server is asked for under the name of this computer and its own port alone")]
    Host,
    #[error("no page from elsewhere is served")]
    Origin,
    #[error("the token is missing or wrong: send `Authorization: Bearer TOKEN`")]
    Token,
}

impl Refused {
    pub(super) const fn status(self) -> StatusCode {
        match self {
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
            Self::Token => StatusCode::UNAUTHORIZED,
        }
    }
}

/// See the module.
pub(super) struct Guard {
    port: u16,
    token: Holds,
}

/// The names of this computer for itself.
const HERE: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

impl Guard {
    pub(super) fn new(port: u16, token: Holds) -> Self {
        Self { port, token }
    }

    /// Whether a request with this address and these headers is answered; and the token that it is let in with.
    pub(super) fn admits(&self, address: &Uri, headers: &HeaderMap) -> Result<Token, Refused> {
        let host = only(headers, header::HOST).ok_or(Refused::Host)?;
        let is_here = |name: &str| host.eq_ignore_ascii_case(&format!("{name}:{}", self.port));
        // one that is asked for by its whole address is asked for as that host (RFC 9112, 3.2.2)
        let same = address.authority().is_none_or(|asked| asked.as_str().eq_ignore_ascii_case(host));
        if !same || !HERE.iter().any(|name| is_here(name)) {
            return Err(Refused::Host);
        }
        if headers.contains_key(header::ORIGIN) && !only(headers, header::ORIGIN).is_some_and(is_local) {
            return Err(Refused::Origin);
        }
        let given = only(headers, header::AUTHORIZATION).and_then(|given| given.split_once(' '));
        let (scheme, given) = given.ok_or(Refused::Token)?;
        let held = (self.token)().ok_or(Refused::Token)?;
        match held.is(given.trim()) && scheme.eq_ignore_ascii_case("bearer") {
            true => Ok(held),
            false => Err(Refused::Token),
        }
    }

    /// Whether this is still the token that holds.
    pub(super) fn holds(&self, token: &Token) -> bool {
        (self.token)().is_some_and(|held| held.is(&token.0))
    }
}

/// A header that is there once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether an origin (RFC 6454, 6.2) is a page of this very computer: a scheme, one of its names, and nothing else but a port.
fn is_local(origin: &str) -> bool {
    let Some(host) = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://")) else { return false };
    let host = host.to_ascii_lowercase();
    let number = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<NonZeroU16>().is_ok();
    let port = |rest: &str| rest.is_empty() || rest.strip_prefix(':').is_some_and(number);
    HERE.iter().any(|name| host.strip_prefix(name).is_some_and(port))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Mutex;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn admits(headers: &[(&'static str, &str)]) -> Result<(), Refused> {
        at("/mcp", headers)
    }

    fn at(address: &str, headers: &[(&'static str, &str)]) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Guard::new(8123, Arc::new(|| Token::of(TOKEN))).admits(&address.parse().unwrap(), &map).map(drop)
    }

    #[test]
    fn the_very_server_is_asked_for() {
        let bearer = format!("Bearer {TOKEN}");
        for host in ["127.0.0.1:8123", "localhost:8123", "LOCALHOST:8123", "[::1]:8123"] {
            assert_eq!(admits(&[("host", host), ("authorization", &bearer)]), Ok(()), "{host}");
        }
        for host in
            ["127.0.0.1", "localhost:80", "evil.example:8123", "127.0.0.1:8123.evil.example", "0.0.0.0:8123", ""]
        {
            assert_eq!(admits(&[("host", host), ("authorization", &bearer)]), Err(Refused::Host), "{host}");
        }
        let twice = [("host", "localhost:8123"), ("host", "evil.example"), ("authorization", bearer.as_str())];
        assert_eq!(admits(&twice), Err(Refused::Host));
        assert_eq!(admits(&[("authorization", &bearer)]), Err(Refused::Host));
        let named = [("host", "localhost:8123"), ("authorization", bearer.as_str())];
        assert_eq!(at("http://localhost:8123/mcp", &named), Ok(()));
        for address in ["http://evil.example:8123/mcp", "http://localhost/mcp", "http://127.0.0.1:8123/mcp"] {
            assert_eq!(at(address, &named), Err(Refused::Host), "{address}");
        }
    }

    #[test]
    fn no_foreign_page_is_served() {
        let bearer = format!("Bearer {TOKEN}");
        let from = |origin: &str| admits(&[("host", "localhost:8123"), ("origin", origin), ("authorization", &bearer)]);
        for origin in ["http://localhost:6274", "http://127.0.0.1", "https://[::1]:1"] {
            assert_eq!(from(origin), Ok(()), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://evil.example",
            "http://localhost.evil.example",
            "http://localhost@evil.example",
            "http://evil.example@localhost",
            "file://localhost",
            "localhost",
            "http://localhost:evil",
            "http://localhost:99999",
            "http://localhost:",
            "http://localhost:+80",
            "http://localhost/",
            "http://localhost#@evil.example",
            "http://[::1]evil.example",
        ] {
            assert_eq!(from(origin), Err(Refused::Origin), "{origin}");
        }
    }

    #[test]
    fn the_token_is_needed_whole() {
        let with = |given: &str| admits(&[("host", "localhost:8123"), ("authorization", given)]);
        assert_eq!(with(&format!("bearer {TOKEN}")), Ok(()));
        for given in
            ["", "Bearer", "Bearer ", &TOKEN[1..], &format!("Bearer {}", &TOKEN[1..]), &format!("Basic {TOKEN}")]
        {
            assert_eq!(with(given), Err(Refused::Token), "{given}");
        }
        assert_eq!(admits(&[("host", "localhost:8123")]), Err(Refused::Token));
        assert!(Token::of("short").is_none());
    }

    #[test]
    fn the_token_that_holds_is_looked_up_each_time() {
        let held = Arc::new(Mutex::new(Token::of(TOKEN)));
        let now = Arc::clone(&held);
        let guard = Guard::new(8123, Arc::new(move || now.lock().unwrap().clone()));
        let with = |token: &str| {
            let mut map = HeaderMap::new();
            map.append("host", "localhost:8123".parse().unwrap());
            map.append("authorization", format!("Bearer {token}").parse().unwrap());
            guard.admits(&Uri::from_static("/mcp"), &map).map(drop)
        };
        let other = "f".repeat(64);
        assert_eq!((with(TOKEN), with(&other)), (Ok(()), Err(Refused::Token)));
        assert!(guard.holds(&Token::of(TOKEN).unwrap()));
        *held.lock().unwrap() = Token::of(&other);
        assert_eq!((with(TOKEN), with(&other)), (Err(Refused::Token), Ok(())));
        assert!(!guard.holds(&Token::of(TOKEN).unwrap()));
        *held.lock().unwrap() = None;
        assert_eq!((with(TOKEN), with(&other)), (Err(Refused::Token), Err(Refused::Token)));
    }
}
