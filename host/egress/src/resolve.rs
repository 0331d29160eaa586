//! Names to addresses. What is handed to the connection is what was checked, so a second look-up cannot change it.

use crate::{
    address::{self, Kind},
    judge::Reach,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    error::Error,
    fmt,
    future::Future,
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

/// The addresses of a name, on their way.
pub type Found = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Who knows the addresses of names.
pub trait Lookup: Send + Sync {
    /// The addresses of a name.
    fn lookup(&self, name: &str) -> Found;
}

/// The system's resolver.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> Found {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name, 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// An address that may not be connected to, with its kind.
#[derive(Debug)]
pub(crate) struct Forbidden(pub(crate) IpAddr, pub(crate) Kind);

impl fmt::Display for Forbidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} may not be connected to", self.0)
    }
}

impl Error for Forbidden {}

/// Whether an address may be connected to.
pub(crate) const fn check(address: IpAddr, reach: Reach) -> Result<(), Forbidden> {
    match (address::kind(address), reach) {
        (Kind::Public, _) | (Kind::Local, Reach::Local) => Ok(()),
        (kind, _) => Err(Forbidden(address, kind)),
    }
}

/// A resolver that keeps back addresses that may not be connected to.
pub(crate) struct Guarded {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) reach: Reach,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.lookup.lookup(name.as_str());
        let reach = self.reach;
        Box::pin(async move {
            let mut allowed = Vec::new();
            let mut refused = None;
            for address in found.await? {
                match check(address, reach) {
                    Ok(()) => allowed.push(SocketAddr::new(address, 0)),
                    Err(forbidden) => refused = Some(forbidden),
                }
            }
            match (allowed.is_empty(), refused) {
                (true, Some(forbidden)) => Err(forbidden.into()),
                (true, None) => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into()),
                (false, _) => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}
