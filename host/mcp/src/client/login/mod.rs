//! Logging in to a server at an address (Model Context Protocol 2025-11-25, authorization): an authorization code with PKCE
//! (RFC 7636), for a client that is set or registered (RFC 7591), at the authorization server that the server's own metadata
//! names (RFC 9728, RFC 8414, OpenID Connect Discovery), for this server alone (RFC 8707).
//!
//! Finding the authorization server, registering, the address to open and trading the code are `rmcp`'s: its state machine
//! sends nothing by itself but through what it is handed, which is [`wire::Wire`] on the one way out. Four things are ours:
//! what is refused though the library would put up with it ([`asking`]: no PKCE, no metadata, an endpoint that is not
//! secure); the page that the browser ends at ([`landing`]); renewing ([`session`]), because several tasks and processes
//! use one login and the token that renews it may hold only once; and ending it ([`revoke`]), which the library has not.
//!
//! Tokens are in nothing that is shown: not in errors, not in `Debug`. They are kept by whoever implements [`Logins`].

mod asking;
mod endpoint;
mod error;
mod kept;
mod landing;
mod revoke;
mod session;
mod store;
mod wire;

pub use asking::{Asking, Client, Wanted};
pub use error::LoginError;
pub use kept::Login;
pub use revoke::{Revoked, revoke};
pub use session::Session;
pub use store::{Held, Logins};
