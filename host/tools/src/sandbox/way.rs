//! The way out of a sandbox.

use super::NoSandbox;
use deskhand_confine::Nook;
use deskhand_egress::{
    Outlet,
    gateway::{Gateway, HTTPS},
};
use std::path::Path;

/// The name of the socket.
const SOCKET: &str = "proxy";

/// A proxy that is open as long as this is held.
#[derive(Debug)]
pub struct Way {
    // the socket goes before the folder that it is in
    gateway: Gateway,
    _nook: Nook,
}

impl Way {
    /// To the hosts that `outlet` lets through, with tunnels to the port of HTTPS alone. Its socket lies below `place`. To be
    /// called in a runtime of tokio.
    ///
    /// # Errors
    /// [`NoSandbox`].
    pub fn open(outlet: Outlet, place: &Path) -> Result<Self, NoSandbox> {
        let nook = Nook::new(place)?;
        let gateway = Gateway::open(outlet, nook.path(), SOCKET, &[HTTPS])?;
        Ok(Self { gateway, _nook: nook })
    }

    /// For [`deskhand_confine::Confined::network`].
    pub fn socket(&self) -> &Path {
        self.gateway.socket()
    }
}
