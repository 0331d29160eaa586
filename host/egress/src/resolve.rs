//! Names to addresses. What is handed to the connection is what was checked, so a second look-up cannot change it.

use crate::{
    address::{self, Kind},
    error::EgressError,
    judge::Reach,
    proxy::Proxy,
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

/// Whether a host may be spoken to before its name is looked up: an address by what it is; behind a proxy, which looks up the
/// name itself, only what is no name of this machine, of its networks or of the proxy.
pub(crate) fn admit(host: &str, reach: Reach, proxy: Option<&Proxy>) -> Result<(), EgressError> {
    if let Ok(address) = host.parse::<IpAddr>() {
        check(address, reach).map_err(|forbidden| forbidden.error(host.to_owned()))?;
    }
    match proxy {
        Some(proxy) if reach == Reach::Public && (proxy.host() == host || is_local_name(host)) => {
            Err(EgressError::Refused {
                host: host.to_owned(),
                reason: "it is not on the internet. If it is meant, allow it as a local host".to_owned(),
            })
        }
        _ => Ok(()),
    }
}

/// True for names that no public server answers for: those without a dot, and those under which local networks keep theirs
/// (RFC 6761, RFC 6762, RFC 8375, and `internal`, reserved by ICANN in 2024).
pub fn is_local_name(host: &str) -> bool {
    let under = |top: &&str| host.strip_suffix(*top).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    let named = host.parse::<IpAddr>().is_err();
    named && (!host.contains('.') || ["localhost", "local", "internal", "home.arpa", "lan"].iter().any(under))
}

/// The addresses of a name that may be connected to.
pub(crate) async fn allowed(
    lookup: &dyn Lookup,
    name: &str,
    reach: Reach,
) -> Result<Vec<IpAddr>, Box<dyn Error + Send + Sync>> {
    let mut allowed = Vec::new();
    let mut refused = None;
    for address in lookup.lookup(name).await? {
        match check(address, reach) {
            Ok(()) => allowed.push(address),
            Err(forbidden) => refused = Some(forbidden),
        }
    }
    match (allowed.is_empty(), refused) {
        (true, Some(forbidden)) => Err(forbidden.into()),
        (true, None) => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address").into()),
        (false, _) => Ok(allowed),
    }
}

/// A resolver that keeps back addresses that may not be connected to.
pub(crate) struct Guarded {
    pub(crate) lookup: Arc<dyn Lookup>,
    pub(crate) reach: Reach,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (lookup, reach) = (Arc::clone(&self.lookup), self.reach);
        Box::pin(async move {
            let allowed = allowed(&*lookup, name.as_str(), reach).await?;
            Ok(Box::new(allowed.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}
