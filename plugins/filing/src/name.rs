//! Names of files: their length, what is their extension, when two of them are the same to some file system.

use std::collections::HashMap;
use unicode_normalization::UnicodeNormalization as _;

/// The most bytes that a name may have (Linux, limits.h NAME_MAX; also APFS and NTFS in practice).
pub const MAX_BYTES: usize = 255;

const RAW: std::ops::RangeInclusive<u32> = 0xF700..=0xF7FF;

/// The length of a name on disk, in bytes: an escaped byte counts as one.
pub fn byte_len(name: &str) -> usize {
    name.chars().map(char_bytes).sum()
}

fn char_bytes(c: char) -> usize {
    if RAW.contains(&u32::from(c)) { 1 } else { c.len_utf8() }
}

/// The last name of a path.
pub fn last(path: &str) -> &str {
    path.rsplit_once('/').map_or(path, |(_, name)| name)
}

/// What a path lies in; empty for a single name.
pub fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(parent, _)| parent)
}

/// `parent/name`, or the name alone if the parent is empty.
pub fn join(parent: &str, name: &str) -> String {
    if parent.is_empty() { name.to_owned() } else { format!("{parent}/{name}") }
}

/// A key that is equal for two names that could be the same name to a file system: those that ignore case (NTFS, APFS,
/// exFAT, ext4 with casefold) or Unicode normalisation (HFS+, APFS). Folding goes through upper case, so that
/// `ß` = `ss`, `ſ` = `s` and `ς` = `σ`, as full case folding has it (Unicode 3.13, D145).
pub fn key(name: &str) -> String {
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let folded = |c: char| c.to_uppercase().flat_map(char::to_lowercase);
    name.nfd().flat_map(folded).nfc().collect()
}

/// [`key`] of the last name of a path, in the very folder that it lies in.
pub fn path_key(path: &str) -> String {
    join(parent(path), &key(last(path)))
}

/// Splits a name into stem and extension; the extension begins with its dot, or is empty. Extensions of two parts
/// (`.tar.gz`, `.part1.rar`, `.7z.001`, `.d.ts`) are kept whole.
pub fn split(name: &str) -> (&str, &str) {
    let Some(dot) = extension_dot(name) else { return (name, "") };
    let (stem, extension) = name.split_at(dot);
    let Some(inner) = extension_dot(stem) else { return (stem, extension) };
    let first = stem[inner + 1..].to_ascii_lowercase();
    let second = extension[1..].to_ascii_lowercase();
    let volume = |text: &str| text.len() >= 2 && text.bytes().all(|b| b.is_ascii_digit());
    let compound = match (first.as_str(), second.as_str()) {
        ("tar", "gz" | "bz2" | "xz" | "zst" | "lz" | "lz4" | "lzma" | "br" | "z") => true,
        ("d", "ts") => true,
        ("7z" | "zip" | "rar", second) => volume(second),
        (first, "rar") => {
            first.strip_prefix("part").is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
        }
        _ => false,
    };
    if compound { name.split_at(inner) } else { (stem, extension) }
}

/// Where the last extension of a name begins: a dot that is not the first character, with 1 to 16 characters and no
/// space after it. `Offer 1.2 final` has none.
fn extension_dot(name: &str) -> Option<usize> {
    let dot = name.rfind('.').filter(|dot| *dot > 0)?;
    let extension = &name[dot + 1..];
    let fits = !extension.is_empty() && extension.chars().count() <= 16 && !extension.contains(char::is_whitespace);
    fits.then_some(dot)
}

/// The extension without its dot, in lower case: `gz` of `a.tar.GZ`.
pub fn extension(name: &str) -> String {
    extension_dot(name).map_or_else(String::new, |dot| name[dot + 1..].to_lowercase())
}

/// As much of the front of `text` as fits into `bytes`, cut at a character and not before a combining mark.
pub fn cut(text: &str, bytes: usize) -> &str {
    let mut used = 0;
    let mut end = text.len();
    for (at, c) in text.char_indices() {
        used += char_bytes(c);
        if used > bytes {
            end = at;
            break;
        }
    }
    if end < text.len() {
        while end > 0 && text[end..].chars().next().is_some_and(unicode_normalization::char::is_combining_mark) {
            end = text[..end].char_indices().next_back().map_or(0, |(at, _)| at);
        }
    }
    &text[..end]
}

/// `stem` with ` (n)`, in place of such a number at its end if there is one, short enough for `extension` to follow.
pub fn numbered_stem(stem: &str, extension: &str, n: u32) -> String {
    let suffix = format!(" ({n})");
    let room = MAX_BYTES.saturating_sub(suffix.len() + byte_len(extension));
    format!("{}{suffix}", cut(without_number(stem), room))
}

/// `stem` without ` (n)` at its end. Only numbers below 100: `Report (2023)` is a year.
pub fn without_number(stem: &str) -> &str {
    let number = |stem: &str| {
        let inner = stem.strip_suffix(')')?;
        let (rest, digits) = inner.rsplit_once(" (")?;
        let number = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        (number && !rest.is_empty()).then_some(rest.len())
    };
    number(stem).map_or(stem, |len| &stem[..len])
}

/// The names that are taken in one folder, each with how it is written.
#[derive(Clone, Debug, Default)]
pub struct Taken(HashMap<String, String>);

impl Taken {
    /// Takes a name. False if it, or one that some file systems hold for the same, is taken already.
    pub fn take(&mut self, name: &str) -> bool {
        match self.0.entry(key(name)) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(name.to_owned());
                true
            }
        }
    }

    /// How the name that stands in the way of `name` is written, if one does.
    pub fn by(&self, name: &str) -> Option<&str> {
        self.0.get(&key(name)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn extensions() {
        for (name, expected) in [
            ("a.jpg", ("a", ".jpg")),
            ("backup.tar.gz", ("backup", ".tar.gz")),
            ("backup.TAR.XZ", ("backup", ".TAR.XZ")),
            ("film.part01.rar", ("film", ".part01.rar")),
            ("disk.7z.001", ("disk", ".7z.001")),
            ("types.d.ts", ("types", ".d.ts")),
            ("v1.2.pdf", ("v1.2", ".pdf")),
            (".bashrc", (".bashrc", "")),
            ("Offer 1.2 final", ("Offer 1.2 final", "")),
            ("dot.", ("dot.", "")),
            ("README", ("README", "")),
            ("tar.gz", ("tar", ".gz")),
        ] {
            assert_eq!(split(name), expected, "{name}");
        }
        assert_eq!(extension("a.tar.GZ"), "gz");
    }

    #[test]
    fn names_that_some_file_systems_hold_for_the_same() {
        assert_eq!(key("Übergröße.PDF"), key("u\u{308}bergro\u{308}SSE.pdf"));
        assert_eq!(key("ΟΔΟΣ"), key("οδος"));
        assert_ne!(key("a.pdf"), key("b.pdf"));
        let mut taken = Taken::default();
        assert!(taken.take("Café.txt"));
        assert!(!taken.take("CAFE\u{301}.TXT"));
        assert_eq!(taken.by("café.TXT"), Some("Café.txt"));
    }

    #[test]
    fn numbers_keep_the_limit_and_the_characters() {
        assert_eq!(numbered_stem("a", ".tar.gz", 2), "a (2)");
        assert_eq!(numbered_stem("a (2)", ".jpg", 3), "a (3)");
        assert_eq!(numbered_stem("Report (2023)", ".pdf", 2), "Report (2023) (2)");
        let long = "ä".repeat(125); // 250 bytes
        let name = numbered_stem(&long, ".jpeg", 12) + ".jpeg";
        assert_eq!((byte_len(&name), name.chars().filter(|c| *c == 'ä').count()), (254, 122));
        // an escaped byte is one byte on disk
        assert_eq!(byte_len(&"\u{f7ff}".repeat(255)), 255);
        assert_eq!(byte_len(&(numbered_stem(&"\u{f7ff}".repeat(251), ".jpg", 2) + ".jpg")), 255);
        // a mark stays with its letter
        assert_eq!(cut("xu\u{308}", 2), "x");
    }
}
