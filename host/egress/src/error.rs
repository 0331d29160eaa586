//! Why something did not get out, or no answer came in.

use std::{net::IpAddr, time::Duration};

/// Why. The texts are for a person and hold neither credentials nor queries.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// The address cannot be used.
    #[error("{address} is not an address that can be used: {reason}")]
    BadAddress {
        /// The address, without what could be secret in it.
        address: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The method cannot be used.
    #[error("a request has one of these methods: {known}")]
    BadMethod {
        /// Those that can.
        known: String,
    },
    /// A header cannot be sent.
    #[error("the header {name} cannot be sent: {reason}")]
    BadHeader {
        /// The header.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// The judge said no.
    #[error("nothing was sent to {host}: {reason}")]
    Refused {
        /// The host.
        host: String,
        /// The judge's reason.
        reason: String,
    },
    /// The judge has nobody to ask.
    #[error("nothing was sent to {host}: {reason}")]
    Waits {
        /// The host.
        host: String,
        /// The judge's reason.
        reason: String,
    },
    /// More would be sent than may be.
    #[error("nothing was sent to {host}: {bytes} bytes would go out, and {left} of those that may are left")]
    Beyond {
        /// The host.
        host: String,
        /// What would be sent.
        bytes: u64,
        /// What may be.
        left: u64,
    },
    /// A host that is not granted as a local one leads to this machine or its networks.
    #[error(
        "nothing was sent to {host}: it leads to {address}, which is in this computer's own network and not on the \
         internet. If it is meant to be there, allow it as a local host"
    )]
    NotPublic {
        /// The host.
        host: String,
        /// An address of it.
        address: IpAddr,
    },
    /// The address is no host's.
    #[error("nothing was sent to {host}: it leads to {address}, which is not the address of a host")]
    Nowhere {
        /// The host.
        host: String,
        /// An address of it.
        address: IpAddr,
    },
    /// The name could not be resolved.
    #[error("{host} was not found: {reason}. Check the name and the network connection")]
    NotFound {
        /// The host.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// The host is there, and nothing listens at the port.
    #[error(
        "{host} refused the connection: nothing is listening there. Start what should, or check the address and its port"
    )]
    NotListening {
        /// The host.
        host: String,
    },
    /// No connection came about.
    #[error("{host} could not be reached: {reason}. Check that it is running and the network connection")]
    NoConnection {
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The connection could not be secured.
    #[error(
        "{host} could not prove who it is: {reason}. Nothing was sent. If a proxy or your organisation inspects \
         connections, add its certificate to the system's"
    )]
    Tls {
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The proxy could not be used.
    #[error(
        "{host} could not be reached through the proxy {proxy}: {reason}. Check HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY"
    )]
    Proxy {
        /// The host.
        host: String,
        /// The proxy's host.
        proxy: String,
        /// What went wrong.
        reason: String,
    },
    /// Connecting took too long.
    #[error("{host} could not be reached within {} s. Check the network connection", after.as_secs())]
    SlowConnect {
        /// The host.
        host: String,
        /// How long was waited.
        after: Duration,
    },
    /// Nothing came for too long.
    #[error("{host} sent nothing for {} s", after.as_secs())]
    Silent {
        /// The host.
        host: String,
        /// How long.
        after: Duration,
    },
    /// All of it took too long.
    #[error("{host} did not finish its answer within {} s", after.as_secs())]
    Late {
        /// The host.
        host: String,
        /// How long.
        after: Duration,
    },
    /// The connection broke.
    #[error("the connection to {host} broke off: {reason}")]
    Broken {
        /// The host.
        host: String,
        /// What went wrong.
        reason: String,
    },
    /// The answer is larger than allowed.
    #[error("the answer of {host} is larger than the {limit} bytes that are allowed")]
    TooLarge {
        /// The host.
        host: String,
        /// The limit, in bytes.
        limit: u64,
    },
    /// A redirect is not followed.
    #[error("{host} points to {to}, which is not followed: {reason}")]
    Redirect {
        /// The host that redirects.
        host: String,
        /// Where to: scheme, host and port.
        to: String,
        /// Why not.
        reason: &'static str,
    },
}
