//! An endpoint of an authorization server, asked as the client that Deskhand is there.

use super::{Login, LoginError, wire::LIMITS};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use deskhand_egress::{Outlet, Redirects, Request, Secret, Url};
use deskhand_vocabulary::{
    host::is_here,
    text::{safe, shortened},
};
use serde::Deserialize;

/// The most characters of somebody's own words, and of an address, in an error.
const WORDS: usize = 300;
const ADDRESS: usize = 200;

/// Why an endpoint says no (RFC 6749, 5.2).
#[derive(Deserialize)]
pub(super) struct Refusal {
    error: String,
    #[serde(default)]
    error_description: Option<String>,
}

impl Refusal {
    pub(super) fn new(error: &str, description: Option<&str>) -> Self {
        Self { error: error.to_owned(), error_description: description.map(str::to_owned) }
    }

    pub(super) fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    /// Whether what was sent will never be taken.
    pub(super) fn is_for_good(&self) -> bool {
        ["invalid_grant", "invalid_client", "unauthorized_client"].contains(&self.error.as_str())
    }

    pub(super) fn told(&self, host: String) -> LoginError {
        let said = match &self.error_description {
            Some(description) => format!("{description} ({})", self.error),
            None => self.error.clone(),
        };
        LoginError::Refused { host, reason: shortened(&safe(&said, false), WORDS) }
    }
}

/// An address that tokens and codes may go to: over https, or on this computer, and with nothing in it that is not an address.
pub(super) fn checked(what: &'static str, address: &str) -> Result<Url, LoginError> {
    let insecure = || LoginError::Insecure { what, address: shortened(&safe(address, false), ADDRESS) };
    let url = Url::parse(address).map_err(|_| insecure())?;
    let host = url.host_str().unwrap_or_default();
    let secure = url.scheme() == "https" || (url.scheme() == "http" && is_here(host));
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    if secure && plain && !host.is_empty() { Ok(url) } else { Err(insecure()) }
}

/// The host of an address that was checked, as the way out names it.
pub(super) fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned()
}

/// The same with its port.
pub(super) fn host_and_port(url: &Url) -> (String, u16) {
    // each scheme that is checked for has one of its own
    (host(url), url.port_or_known_default().unwrap_or_default())
}

/// Post a form as the client of this login: the status and the body of the answer.
pub(super) async fn post(
    outlet: &Outlet,
    login: &Login,
    address: &Url,
    fields: &[(&str, &str)],
) -> Result<(u16, Vec<u8>), LoginError> {
    let mut fields = fields.to_vec();
    // a client says who it is in one place only (RFC 6749, 2.3)
    match login.client_secret.as_deref() {
        Some(secret) if login.secret_in_body => {
            fields.extend([("client_id", login.client_id.as_str()), ("client_secret", secret)]);
        }
        Some(_) => {}
        None => fields.push(("client_id", &login.client_id)),
    }
    let mut request = Request::post(address.as_str(), form(&fields))?
        .header("content-type", "application/x-www-form-urlencoded")?
        .header("accept", "application/json")?;
    if let Some(secret) = login.client_secret.as_deref().filter(|_| !login.secret_in_body) {
        // each is written as in a form before they are put together (RFC 6749, 2.3.1)
        let both = format!("{}:{}", written(&login.client_id), written(secret));
        let both = Secret::new(&BASE64_STANDARD.encode(both));
        request = request.credential("authorization", "Basic ", &both)?;
    }
    let mut response = outlet.send(request.redirects(Redirects::Return).limits(LIMITS)).await?;
    let status = response.status();
    Ok((status, response.bytes().await?.to_vec()))
}

/// Fields as a form is written (`application/x-www-form-urlencoded`), which is how an address writes its query.
fn form(fields: &[(&str, &str)]) -> String {
    let mut url = BLANK.clone();
    url.query_pairs_mut().extend_pairs(fields);
    url.query().unwrap_or_default().to_owned()
}

fn written(text: &str) -> String {
    form(&[("", text)]).trim_start_matches('=').to_owned()
}

/// An address whose query is free.
static BLANK: std::sync::LazyLock<Url> = std::sync::LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the text is an address")]
    Url::parse("form:").expect("`form:` is an address")
});

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_what_nobody_else_can_read_is_an_endpoint() {
        for good in
            ["https://auth.example.com/token", "http://127.0.0.1:8080/t", "http://localhost/t", "http://[::1]/t"]
        {
            assert_eq!(checked("it", good).unwrap().as_str(), good);
        }
        for bad in [
            "http://auth.example.com/token",
            "http://127.0.0.1.example.com/",
            "https://me@auth.example.com/",
            "https://auth.example.com/#x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "/token",
            "",
        ] {
            let expected = LoginError::Insecure { what: "it", address: bad.to_owned() };
            assert_eq!(checked("it", bad).unwrap_err(), expected, "{bad}");
        }
        assert_eq!(host(&checked("it", "http://[::1]:80/t").unwrap()), "::1");
    }

    #[test]
    fn a_form_is_written_so_that_nothing_in_it_is_another_field() {
        assert_eq!(form(&[("a", "1 &2"), ("b", "ü=+")]), "a=1+%262&b=%C3%BC%3D%2B");
        assert_eq!(written("a:b =ü"), "a%3Ab+%3D%C3%BC");
    }

    #[test]
    fn a_refusal_is_told_in_its_own_words_and_without_their_tricks() {
        let refusal = Refusal::read(br#"{"error": "invalid_grant", "error_description": "gone\u001b[2J"}"#).unwrap();
        assert_eq!(
            refusal.told("auth.example.com".to_owned()).to_string(),
            r"auth.example.com says: gone\u{1b}[2J (invalid_grant)"
        );
        assert!(Refusal::read(b"<html>").is_none() && Refusal::read(br#"{"ok": true}"#).is_none());
    }
}
