//! A login, as it is kept.

use super::endpoint::host;
use deskhand_egress::{Secret, Url};
use serde::{Deserialize, Serialize};
use std::fmt;

/// A token is renewed when less than this is left of it, in seconds, or less than half of its life.
const MARGIN: i64 = 30;

/// What it takes to be somebody at a server, and to stay it. `Debug` shows none of what is secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Login {
    /// The address of the server that it is for. It goes nowhere else.
    pub url: String,
    /// What the server is called at the authorization server (RFC 8707).
    pub(crate) resource: String,
    /// The authorization server (RFC 8414).
    pub issuer: String,
    /// Its endpoints, and how a client proves there who it is.
    pub(crate) token_endpoint: String,
    pub(crate) revocation_endpoint: Option<String>,
    pub(crate) secret_in_body: bool,
    /// Who Deskhand is there.
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    /// What it may.
    pub scopes: Vec<String>,
    pub(crate) access_token: String,
    pub(crate) refresh_token: Option<String>,
    /// When the token came, in seconds since 1970, and for how many it holds, where that is known.
    pub(crate) since: i64,
    pub(crate) lasts: Option<i64>,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("url", &self.url).field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Login {
    /// The host of the authorization server.
    pub fn at(&self) -> String {
        Url::parse(&self.issuer).map(|url| host(&url)).unwrap_or_default()
    }

    /// All that is secret of it, for whoever leaves secrets out of a text.
    pub fn secrets(&self) -> Vec<Secret> {
        let tokens = std::iter::once(&self.access_token).chain(&self.refresh_token).chain(&self.client_secret);
        tokens.map(|token| Secret::new(token)).collect()
    }

    /// Whether the token can be sent at this second; one whose end is not known can.
    pub(crate) fn is_fresh(&self, now: i64) -> bool {
        self.lasts.is_none_or(|lasts| self.left(now, lasts) > MARGIN.min(lasts / 2))
    }

    /// Whether the token is past its end.
    pub(crate) fn is_over(&self, now: i64) -> bool {
        self.lasts.is_some_and(|lasts| self.left(now, lasts) <= 0)
    }

    /// A clock that was set back makes no token last longer than it was given for.
    fn left(&self, now: i64, lasts: i64) -> i64 {
        self.since.saturating_add(lasts).saturating_sub(now).min(lasts)
    }

    /// With what a renewal brought (RFC 6749, 6): what is not said stays as it was.
    pub(crate) fn renewed(self, tokens: Tokens, now: i64) -> Self {
        Self {
            access_token: tokens.access_token,
            refresh_token: tokens.refresh_token.or(self.refresh_token),
            since: now,
            lasts: tokens.expires_in,
            ..self
        }
    }
}

/// What a token endpoint answers (RFC 6749, 5.1).
#[derive(Deserialize)]
pub(crate) struct Tokens {
    pub(crate) access_token: String,
    token_type: String,
    #[serde(default)]
    pub(crate) refresh_token: Option<String>,
    #[serde(default)]
    pub(crate) expires_in: Option<i64>,
}

impl Tokens {
    /// Whether it can be sent as a bearer token (RFC 6750).
    pub(crate) fn can_be_sent(&self) -> bool {
        let fits = |token: &String| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
        self.token_type.eq_ignore_ascii_case("bearer")
            && fits(&self.access_token)
            && self.refresh_token.as_ref().is_none_or(fits)
            && self.expires_in.is_none_or(|seconds| seconds >= 0)
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    pub(in super::super) fn login(lasts: Option<i64>) -> Login {
        Login {
            url: "https://mcp.example.com/mcp".to_owned(),
            resource: "https://mcp.example.com/mcp".to_owned(),
            issuer: "https://auth.example.com".to_owned(),
            token_endpoint: "https://auth.example.com/token".to_owned(),
            revocation_endpoint: None,
            secret_in_body: false,
            client_id: "desk".to_owned(),
            client_secret: Some("client-secret".to_owned()),
            scopes: vec!["read".to_owned()],
            access_token: "access-one".to_owned(),
            refresh_token: Some("refresh-one".to_owned()),
            since: 1000,
            lasts,
        }
    }

    #[test]
    fn a_token_is_renewed_shortly_before_its_end() {
        let hour = login(Some(3600));
        assert_eq!([1000, 4569, 4570, 4600].map(|now| hour.is_fresh(now)), [true, true, false, false]);
        assert_eq!([4599, 4600].map(|now| hour.is_over(now)), [false, true]);
        // one of some seconds is not renewed all the time
        let short = login(Some(10));
        assert_eq!([1000, 1004, 1005].map(|now| short.is_fresh(now)), [true, true, false]);
        assert!(login(None).is_fresh(i64::MAX) && !login(None).is_over(i64::MAX));
        assert!(!login(Some(0)).is_fresh(1000));
    }

    #[test]
    fn what_a_renewal_does_not_say_stays() {
        let tokens: Tokens =
            serde_json::from_str(r#"{"access_token": "access-two", "token_type": "Bearer", "expires_in": 60}"#)
                .unwrap();
        assert!(tokens.can_be_sent());
        let renewed = login(Some(3600)).renewed(tokens, 2000);
        let expected = Login { access_token: "access-two".to_owned(), since: 2000, lasts: Some(60), ..login(None) };
        assert_eq!(renewed, expected);
    }

    #[test]
    fn what_cannot_be_sent_is_no_token() {
        for bad in [
            r#"{"access_token": "", "token_type": "bearer"}"#,
            r#"{"access_token": "a b", "token_type": "bearer"}"#,
            r#"{"access_token": "a", "token_type": "mac"}"#,
            r#"{"access_token": "a", "token_type": "bearer", "refresh_token": "\n"}"#,
            r#"{"access_token": "a", "token_type": "bearer", "expires_in": -1}"#,
        ] {
            assert!(!serde_json::from_str::<Tokens>(bad).unwrap().can_be_sent(), "{bad}");
        }
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?}", login(None));
        assert_eq!(shown, r#"Login { url: "https://mcp.example.com/mcp", issuer: "https://auth.example.com", .. }"#);
        assert_eq!(login(None).secrets(), ["access-one", "refresh-one", "client-secret"].map(Secret::new));
    }
}
