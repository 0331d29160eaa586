//! Who is let in: who names this very server, comes from no foreign page, and has the token. A page of the web can make a browser
//! send requests to this computer, also under a name of its own (DNS rebinding); it cannot choose `Host` and `Origin`.

use http::{HeaderMap, StatusCode, Uri, header};
use std::{fmt, sync::Arc};
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

    pub(super) fn admits(&self, headers: &HeaderMap) -> Result<(), Refused> {
        let host = only(headers, header::HOST).ok_or(Refused::Host)?;
        let is_here = |name: &str| host.eq_ignore_ascii_case(&format!("{name}:{}", self.port));
        if !HERE.iter().any(|name| is_here(name)) {
            return Err(Refused::Host);
        }
        if headers.contains_key(header::ORIGIN) && !only(headers, header::ORIGIN).is_some_and(is_local) {
            return Err(Refused::Origin);
        }
        let given = only(headers, header::AUTHORIZATION).and_then(|given| given.split_once(' '));
        let (scheme, given) = given.ok_or(Refused::Token)?;
        let held = (self.token)().ok_or(Refused::Token)?;
        let same: bool = given.trim().as_bytes().ct_eq(held.0.as_bytes()).into();
        if same && scheme.eq_ignore_ascii_case("bearer") { Ok(()) } else { Err(Refused::Token) }
    }
}

/// A header that is there once.
fn only(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Whether an origin (RFC 6454) is a page of this very computer.
fn is_local(origin: &str) -> bool {
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let plain = matches!(uri.scheme_str(), Some("http" | "https")) && uri.path() == "/" && uri.query().is_none();
    let host = uri.host().unwrap_or_default();
    let whole = uri.authority().is_some_and(|authority| !authority.as_str().contains('@'));
    plain && whole && HERE.iter().any(|name| host.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::sync::Mutex;

    const TOKEN: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    fn admits(headers: &[(&'static str, &str)]) -> Result<(), Refused> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Guard::new(8123, Arc::new(|| Token::of(TOKEN))).admits(&map)
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
            guard.admits(&map)
        };
        let other = "f".repeat(64);
        assert_eq!((with(TOKEN), with(&other)), (Ok(()), Err(Refused::Token)));
        *held.lock().unwrap() = Token::of(&other);
        assert_eq!((with(TOKEN), with(&other)), (Err(Refused::Token), Ok(())));
        *held.lock().unwrap() = None;
        assert_eq!((with(TOKEN), with(&other)), (Err(Refused::Token), Err(Refused::Token)));
    }
}
