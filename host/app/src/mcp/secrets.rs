//! The secrets that are kept for the protocol, so that they can be left out of what is taken elsewhere.

use super::{declared::all, forget::keys, login::LoginStore, serve::tokens};
use crate::{
    desk::Desk,
    keys::{Stored, Whose},
};
use deskhand_egress::Secret;
use deskhand_models::Keys as _;

/// The keys and logins to all servers and the tokens of all clients, as far as they can be read now.
pub(crate) fn secrets(desk: &Desk) -> Vec<Secret> {
    let stored = Stored::of(&desk.home, Whose::Servers);
    let servers = all(desk).unwrap_or_default();
    let given = servers.values().flat_map(|server| keys(&server.config)).filter_map(|place| stored.key(place).ok());
    given.chain(LoginStore::of(&desk.home).secrets()).chain(tokens(&desk.home)).collect()
}
