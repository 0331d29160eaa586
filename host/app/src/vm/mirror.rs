//! The Debian archive that this computer uses, and that of its security updates (sources.list(5)).

use deskhand_egress::Url;
use std::{fs, path::Path};

/// Where a computer says it, below `/etc/apt`.
const PLACES: [&str; 2] = ["sources.list", "sources.list.d"];

/// How the addresses of the two end.
const DEBIAN: &str = "/debian";
const SECURITY: &str = "/debian-security";

/// The address of the archive; none where the computer names none that is reached by HTTP.
pub(super) fn find() -> Option<String> {
    find_one(DEBIAN)
}

/// The address of the archive of security updates, likewise.
pub(super) fn find_security() -> Option<String> {
    find_one(SECURITY)
}

/// Where an archive has that of security updates beside it, if it has one.
pub(super) fn security_beside(archive: &Url) -> Option<Url> {
    archive.path().ends_with("/debian/").then(|| archive.join("../debian-security/").ok()).flatten()
}

fn find_one(end: &str) -> Option<String> {
    let apt = Path::new("/etc/apt");
    let files = PLACES.iter().flat_map(|name| {
        let path = apt.join(name);
        let within = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = within.collect();
        files.sort();
        if path.is_file() { vec![path] } else { files }
    });
    files.filter_map(|path| fs::read_to_string(path).ok()).find_map(|text| named(&text, end))
}

/// The first address of a file of either form that ends so.
fn named(text: &str, end: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let words =
        lines.filter(|line| line.starts_with("deb ") || line.starts_with("URIs:")).flat_map(str::split_whitespace);
    let mut archives = words.filter(|word| word.starts_with("http://") || word.starts_with("https://"));
    archives.find(|word| word.trim_end_matches('/').ends_with(end)).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{DEBIAN, SECURITY, Url, named, security_beside};

    #[test]
    fn both_forms_name_an_archive() {
        let line =
            "# deb http://old.example/debian trixie main\ndeb [signed-by=/k] https://one.example/debian trixie main\n";
        assert_eq!(named(line, DEBIAN).as_deref(), Some("https://one.example/debian"));
        let stanza =
            "Types: deb\nURIs: http://other.example/debian-security http://two.example/debian/\nSuites: trixie\n";
        assert_eq!(named(stanza, DEBIAN).as_deref(), Some("http://two.example/debian/"));
        assert_eq!(named(stanza, SECURITY).as_deref(), Some("http://other.example/debian-security"));
        assert_eq!(named("deb cdrom:[x]/ trixie main\n", DEBIAN), None);
    }

    #[test]
    fn security_updates_are_beside_an_archive() {
        let beside = |archive| security_beside(&Url::parse(archive).unwrap()).map(String::from);
        assert_eq!(beside("http://a.example/debian/").as_deref(), Some("http://a.example/debian-security/"));
        assert_eq!(
            beside("http://a.example:8080/x/debian/").as_deref(),
            Some("http://a.example:8080/x/debian-security/")
        );
        assert_eq!(beside("http://a.example/"), None);
    }
}
