//! The proxies that the environment names. There is no standard; this follows what `curl` and Go agree on:
//! `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, the lower-case spelling first. What leads to this very machine
//! never goes through a proxy.

use crate::{request, secret::Secret};
use reqwest::Url;
use std::{fmt, net::IpAddr};

/// A setting that names no proxy that can be used. Nothing is sent past it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{variable} does not name a proxy that can be used: {reason}. Write it like http://proxy.example.com:3128, or unset it"
)]
pub struct BadProxy {
    /// The variable.
    pub variable: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// A proxy.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Proxy {
    url: Url,
}

impl Proxy {
    fn of(variable: &str, value: &str) -> Result<Self, BadProxy> {
        let bad = |reason| BadProxy { variable: variable.to_owned(), reason };
        let spelled = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
        // With `socks5` and `socks4` the name would be resolved here, and the address could be another than the one that
        // was looked at. The proxy resolves it.
        let spelled = match spelled.split_once("://") {
            Some(("socks5", rest)) => format!("socks5h://{rest}"),
            Some(("socks4", rest)) => format!("socks4a://{rest}"),
            _ => spelled,
        };
        let url = Url::parse(&spelled).map_err(|_| bad("it is not a URL"))?;
        if !matches!(url.scheme(), "http" | "https" | "socks5h" | "socks4a") {
            return Err(bad("its kind is not known; http, https, socks4 and socks5 are"));
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(bad("it has no host"));
        }
        Ok(Self { url })
    }

    /// Where it is, with its name and password if it has one.
    pub(crate) const fn url(&self) -> &Url {
        &self.url
    }

    pub(crate) fn host(&self) -> String {
        request::host(&self.url)
    }

    /// Its password, to be kept out of messages.
    pub(crate) fn password(&self) -> Option<Secret> {
        self.url.password().map(Secret::new)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&request::shown(&self.url))
    }
}

/// What goes past the proxies.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exempt {
    All,
    /// The name and all below it, at this port or at any.
    Name(String, Option<u16>),
    Network(IpAddr, u8, Option<u16>),
}

impl Exempt {
    fn of(entry: &str) -> Option<Self> {
        let entry = entry.trim().to_ascii_lowercase();
        if entry == "*" {
            return Some(Self::All);
        }
        if let Some((network, bits)) = entry.split_once('/') {
            let address: IpAddr = network.trim_matches(['[', ']']).parse().ok()?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            return bits.parse().ok().filter(|bits| *bits <= most).map(|bits| Self::Network(address, bits, None));
        }
        let whole = |address: IpAddr| if address.is_ipv4() { 32 } else { 128 };
        if let Ok(address) = entry.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Self::Network(address, whole(address), None));
        }
        let (name, port) = match entry.rsplit_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok()?)),
            None => (entry.as_str(), None),
        };
        if let Ok(address) = name.trim_matches(['[', ']']).parse::<IpAddr>() {
            return Some(Self::Network(address, whole(address), port));
        }
        let name = name.trim_start_matches('*').trim_start_matches('.').trim_end_matches('.');
        (!name.is_empty()).then(|| Self::Name(name.to_owned(), port))
    }

    fn holds(&self, host: &str, port: u16) -> bool {
        match self {
            Self::All => true,
            Self::Name(name, only) => {
                only.is_none_or(|only| only == port)
                    && host.strip_suffix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Self::Network(network, bits, only) => {
                only.is_none_or(|only| only == port)
                    && host.parse().is_ok_and(|address| same_network(address, *network, *bits))
            }
        }
    }
}

fn same_network(one: IpAddr, other: IpAddr, bits: u8) -> bool {
    let (one, other, width) = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => (u128::from(one.to_bits()), u128::from(other.to_bits()), 32),
        (IpAddr::V6(one), IpAddr::V6(other)) => (one.to_bits(), other.to_bits(), 128),
        _ => return false,
    };
    (one ^ other).checked_shr(width - u32::from(bits)).unwrap_or(0) == 0
}

/// Which proxy serves which address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    http: Option<Proxy>,
    https: Option<Proxy>,
    exempt: Vec<Exempt>,
}

impl Proxies {
    /// No proxy.
    pub fn none() -> Self {
        Self::default()
    }

    /// Those that the environment names; `variable` reads one.
    ///
    /// # Errors
    /// [`BadProxy`] where a variable is set and cannot be used: what was meant to go through a proxy does not go past it.
    pub fn from_environment(variable: impl Fn(&str) -> Option<String>) -> Result<Self, BadProxy> {
        let read = |names: &[&str]| {
            let set =
                names.iter().find_map(|name| Some((*name, variable(name).filter(|value| !value.trim().is_empty())?)));
            set.map(|(name, value)| Proxy::of(name, value.trim())).transpose()
        };
        let all = read(&["all_proxy", "ALL_PROXY"])?;
        // A web server hands the header `Proxy` of a stranger to a CGI program as `HTTP_PROXY` (CVE-2016-5385).
        let names: &[&str] =
            if variable("REQUEST_METHOD").is_some() { &["http_proxy"] } else { &["http_proxy", "HTTP_PROXY"] };
        let http = read(names)?.or_else(|| all.clone());
        let https = read(&["https_proxy", "HTTPS_PROXY"])?.or(all);
        let exempt = variable("no_proxy").or_else(|| variable("NO_PROXY")).unwrap_or_default();
        let exempt = exempt.split([',', ' ']).filter_map(Exempt::of).collect();
        Ok(Self { http, https, exempt })
    }

    /// The one that serves a checked address.
    pub(crate) fn of(&self, url: &Url) -> Option<&Proxy> {
        let proxy = if url.scheme() == "https" { self.https.as_ref() } else { self.http.as_ref() }?;
        let host = request::host(url);
        let here = host == "localhost"
            || host.ends_with(".localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        let port = url.port_or_known_default().unwrap_or_default();
        (!here && !self.exempt.iter().any(|exempt| exempt.holds(&host, port))).then_some(proxy)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{BadProxy, Proxies};
    use reqwest::Url;

    fn proxies(set: &[(&str, &str)]) -> Result<Proxies, BadProxy> {
        Proxies::from_environment(|name| {
            set.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
        })
    }

    fn through(set: &[(&str, &str)], url: &str) -> Option<String> {
        proxies(set).unwrap().of(&Url::parse(url).unwrap()).map(|proxy| proxy.url().to_string())
    }

    #[test]
    fn the_environment_names_the_proxies() {
        let set =
            [("HTTPS_PROXY", "http://one:3128"), ("http_proxy", "two:80"), ("ALL_PROXY", "socks5://me:pw@three:9")];
        assert_eq!(through(&set, "https://example.com"), Some("http://one:3128/".into()));
        assert_eq!(through(&set, "http://example.com"), Some("http://two/".into()));
        assert_eq!(through(&set[2..], "http://example.com"), Some("socks5h://me:pw@three:9".into()));
        assert_eq!(through(&[("HTTPS_PROXY", " ")], "https://example.com"), None);
        assert_eq!(
            through(&[("https_proxy", "a:1"), ("HTTPS_PROXY", "b:2")], "https://x.y"),
            Some("http://a:1/".into())
        );
        // of a CGI program's environment, only what a stranger cannot set
        assert_eq!(through(&[("HTTP_PROXY", "a:1"), ("REQUEST_METHOD", "GET")], "http://x.y"), None);
        assert!(!format!("{:?}", proxies(&set).unwrap()).contains("pw"));
    }

    #[test]
    fn a_setting_that_cannot_be_used_is_an_error() {
        let bad = |value: &str| proxies(&[("ALL_PROXY", value)]).unwrap_err().reason;
        assert_eq!(bad("ftp://a"), "its kind is not known; http, https, socks4 and socks5 are");
        assert_eq!(bad("http://"), "it is not a URL");
        assert_eq!(bad("http://a b"), "it is not a URL");
    }

    #[test]
    fn some_hosts_go_past_them() {
        let no_proxy = "internal.example, .corp:8080,10.0.0.0/8 ,fd00::/8,192.0.1.7,*.any.org,bad/99";
        let set = [("ALL_PROXY", "p:1"), ("NO_PROXY", no_proxy)];
        let past = |url: &str| through(&set, url).is_none();
        for url in [
            "https://internal.example",
            "https://a.internal.example",
            "http://x.corp:8080",
            "http://10.9.9.9",
            "http://[fd00::1]/",
            "http://192.0.1.7:5",
            "http://b.any.org",
            "http://localhost:11434",
            "http://a.localhost",
            "http://127.0.0.1:8080",
            "http://[::1]:1",
        ] {
            assert!(past(url), "{url}");
        }
        for url in
            ["https://notinternal.example", "http://x.corp", "http://11.0.0.1", "http://192.0.1.8", "http://[fe00::1]"]
        {
            assert!(!past(url), "{url}");
        }
        assert_eq!(through(&[("ALL_PROXY", "p:1"), ("no_proxy", "*")], "https://example.com"), None);
    }
}
