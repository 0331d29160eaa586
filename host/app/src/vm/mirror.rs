//! The Debian archive that this computer uses (sources.list(5)).

use std::{fs, path::Path};

/// Where a computer says it, below `/etc/apt`.
const PLACES: [&str; 2] = ["sources.list", "sources.list.d"];

/// The address of the archive; none where it names none that is reached by HTTP.
pub(super) fn find() -> Option<String> {
    let apt = Path::new("/etc/apt");
    let files = PLACES.iter().flat_map(|name| {
        let path = apt.join(name);
        let within = fs::read_dir(&path).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = within.collect();
        files.sort();
        if path.is_file() { vec![path] } else { files }
    });
    files.filter_map(|path| fs::read_to_string(path).ok()).find_map(|text| named(&text))
}

/// The first address of a file of either form that holds packages of Debian itself.
fn named(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let words =
        lines.filter(|line| line.starts_with("deb ") || line.starts_with("URIs:")).flat_map(str::split_whitespace);
    let mut archives = words.filter(|word| word.starts_with("http://") || word.starts_with("https://"));
    archives.find(|word| word.trim_end_matches('/').ends_with("/debian")).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn both_forms_name_an_archive() {
        let line =
            "# deb http://old.example/debian trixie main\ndeb [signed-by=/k] https://one.example/debian trixie main\n";
        assert_eq!(named(line).as_deref(), Some("https://one.example/debian"));
        let stanza =
            "Types: deb\nURIs: http://other.example/debian-security http://two.example/debian/\nSuites: trixie\n";
        assert_eq!(named(stanza).as_deref(), Some("http://two.example/debian/"));
        assert_eq!(named("deb cdrom:[x]/ trixie main\n"), None);
    }
}
