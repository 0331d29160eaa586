//! One request, bounded in time and size.

use deskhand_egress::{EgressError, Outlet, Request, Response, Url, request::Limits};
use std::time::Duration;

/// The most that is read of an answer, in bytes.
const MOST: u64 = 8 << 20;
/// The longest silence, and the longest time for all of it.
const SILENCE: Duration = Duration::from_secs(20);
const TOTAL: Duration = Duration::from_secs(60);
/// What is wanted first.
const ACCEPT: &str = "text/html, text/markdown, text/plain, application/json, */*;q=0.5";

/// What a host answered.
pub(super) struct Loaded {
    /// Where from, after redirects.
    pub(super) url: Url,
    pub(super) status: u16,
    /// The whole `Content-Type`; empty if there is none.
    pub(super) content_type: String,
    /// How its bytes are packed, if they are (`Content-Encoding`).
    pub(super) packed: bool,
    /// What `Content-Length` says.
    length: Option<u64>,
    pub(super) body: Vec<u8>,
    /// True if there is more than is read.
    pub(super) cut: bool,
}

impl Loaded {
    fn of(response: &Response) -> Self {
        let header = |name| response.header(name).map(str::trim).unwrap_or_default().to_owned();
        Self {
            url: response.url().clone(),
            status: response.status(),
            content_type: header("content-type"),
            packed: !matches!(header("content-encoding").to_lowercase().as_str(), "" | "identity"),
            length: header("content-length").parse().ok(),
            body: Vec::new(),
            cut: false,
        }
    }

    /// The type without parameters, in lower case (RFC 9110, 8.3.1).
    pub(super) fn media_type(&self) -> String {
        let name = self.content_type.split(';').next().unwrap_or_default().trim().to_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || "/+-._".contains(c);
        if name.is_empty() || name.len() > 100 || !name.chars().all(plain) {
            "of no known type".to_owned()
        } else {
            name
        }
    }

    /// The character set that the host names.
    pub(super) fn charset(&self) -> Option<String> {
        let mut parameters = self.content_type.split(';').skip(1).filter_map(|one| one.split_once('='));
        let (_, label) = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("charset"))?;
        Some(label.trim().trim_matches(['"', '\'']).to_owned())
    }

    /// How large it is, as far as that is known.
    pub(super) fn size(&self) -> Option<u64> {
        let read = (!self.body.is_empty() && !self.cut).then_some(self.body.len() as u64);
        self.length.or(read)
    }
}

/// Get what is at an address. Of what is known to be no text only the head is read.
pub(super) async fn load(outlet: &Outlet, address: &str) -> Result<Loaded, EgressError> {
    let limits = Limits { silence: SILENCE, total: Some(TOTAL), body: MOST };
    let request = Request::get(address)?.header("accept", ACCEPT)?.limits(limits);
    let mut response = outlet.send(request).await?;
    let mut loaded = Loaded::of(&response);
    if !response.is_success() || super::kind::is_binary(&loaded.media_type()) {
        return Ok(loaded);
    }
    loop {
        match response.chunk().await {
            Ok(Some(piece)) => loaded.body.extend_from_slice(&piece),
            Ok(None) => return Ok(loaded),
            Err(EgressError::TooLarge { .. }) => {
                loaded.cut = true;
                return Ok(loaded);
            }
            Err(error) => return Err(error),
        }
    }
}
