//! Hosts that the person names in advance.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    show::line,
};
use deskhand_egress::Url;
use deskhand_permissions::{Duration, Scope};
use deskhand_vocabulary::TaskId;

/// Let a task reach these without asking.
pub(crate) fn grant(desk: &Desk, task: TaskId, hosts: &[String]) -> Result<()> {
    let hosts: Vec<String> = hosts.iter().map(|host| named(host)).collect::<Result<_>>()?;
    for host in hosts {
        desk.gate()?.grant(Some(task), Scope::Host { host }, Duration::Task(task))?;
    }
    Ok(())
}

/// A host as requests name it.
fn named(given: &str) -> Result<String> {
    // a port would be left out where it is the usual one
    let text = if given.starts_with('[') || !given.contains(':') { given } else { "" };
    let url = Url::parse(&format!("http://{text}/")).ok();
    let host = url.filter(|url| url.port().is_none() && url.username().is_empty() && url.path() == "/");
    let host = host.as_ref().and_then(Url::host_str).map(|host| host.trim_matches(['[', ']']).to_owned());
    host.ok_or_else(|| {
        Failure::usage(format!("`{}` is no host. Name it alone, such as: --host example.org", line(given)))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::named;

    #[test]
    fn a_host_is_named_as_requests_name_it() {
        for (text, host) in [
            ("Example.ORG", "example.org"),
            ("127.1", "127.0.0.1"),
            ("[::1]", "::1"),
            ("bücher.example", "xn--bcher-kva.example"),
        ] {
            assert_eq!(named(text).unwrap(), host);
        }
        for text in ["", "https://example.org", "example.org:80", "a/b", "me@example.org", "a b"] {
            assert!(named(text).is_err(), "{text}");
        }
    }
}
