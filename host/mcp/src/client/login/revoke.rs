//! Ending a login where it was made (RFC 7009).

use super::{
    Login, LoginError,
    endpoint::{Refusal, checked, host, post},
};
use deskhand_egress::Outlet;

/// What became of it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revoked {
    /// It holds no more.
    Ended,
    /// Nothing is there to end it with: it holds until it is over.
    NotOffered,
}

/// End a login at its authorization server: what renews it, and the token.
///
/// # Errors
/// It could not be ended, and may hold until it is over.
pub async fn revoke(login: &Login, outlet: &Outlet) -> Result<Revoked, LoginError> {
    let Some(address) = &login.revocation_endpoint else { return Ok(Revoked::NotOffered) };
    let address = checked("where logins are ended", address)?;
    let renewing = login.refresh_token.as_deref().map(|token| (token, "refresh_token"));
    for (token, hint) in renewing.into_iter().chain([(login.access_token.as_str(), "access_token")]) {
        let (status, body) = post(outlet, login, &address, &[("token", token), ("token_type_hint", hint)]).await?;
        if !(200..=299).contains(&status) {
            let host = host(&address);
            return Err(match Refusal::read(&body) {
                Some(refusal) => refusal.told(host),
                None => LoginError::Refused { host, reason: format!("status {status}") },
            });
        }
    }
    Ok(Revoked::Ended)
}
