//! Hosts, and the patterns by which manifests name several of them.

/// What begins a pattern that stands for the host of an address of the plugin's configuration.
pub const CONFIGURED: &str = "config.";

/// True if a pattern names a host: itself, `*.example.com` for all names that end so (and not `example.com` itself), or
/// `*` for any but this very computer. Hosts are names in lower case without a closing dot, or addresses. A pattern of the configuration names
/// none: what it stands for takes its place first.
pub fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(parent) => {
            host.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.')) && !is_address(host)
        }
        None if pattern == "*" => !is_here(host),
        None => !pattern.starts_with(CONFIGURED) && pattern.eq_ignore_ascii_case(host),
    }
}

/// True for a host on this very computer (RFC 6761, section 6.3; RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3).
pub fn is_here(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']').to_lowercase();
    name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn is_address(host: &str) -> bool {
    host.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_names_itself_its_subdomains_or_all() {
        for (pattern, host, fits) in [
            ("api.example.com", "api.example.com", true),
            ("API.example.com", "api.example.com", true),
            ("api.example.com", "evil-api.example.com", false),
            ("*.example.com", "api.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "evilexample.com", false),
            ("*.0.0.1", "127.0.0.1", false),
            ("*", "example.com", true),
            ("*", "127.0.0.1", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("config.url", "config.url", false),
        ] {
            assert_eq!(covers(pattern, host), fits, "{pattern} {host}");
        }
    }

    #[test]
    fn this_computer_has_several_names() {
        for host in ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "[::1]"] {
            assert!(is_here(host), "{host}");
        }
        assert!(!is_here("localhost.example.com") && !is_here("10.0.0.1"));
    }
}
