//! Bytes to text, by the character set that they are in (WHATWG Encoding; HTML, 13.2.3.2).

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};

/// Where a page names its character set, in bytes.
const HEAD: usize = 1024;

/// The text: by its byte order mark, else by what the host says, else by what a page says of itself; without any of these
/// it is UTF-8, and what is not even that is Windows-1252, as in browsers.
pub(super) fn decode(bytes: &[u8], declared: Option<&str>, page: bool) -> String {
    if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    let label = |label: &str| Encoding::for_label_no_replacement(label.as_bytes());
    let of_page = || named_by_page(bytes).and_then(|name| label(&name));
    let encoding = declared.and_then(label).or_else(|| of_page().filter(|_| page));
    let encoding = encoding.unwrap_or(if is_utf8(bytes) { UTF_8 } else { WINDOWS_1252 });
    encoding.decode_without_bom_handling(bytes).0.into_owned()
}

/// Whether it is UTF-8, but for a character that the end has cut.
fn is_utf8(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).map_or_else(|error| error.error_len().is_none(), |_| true)
}

/// What the `meta` of a page says. UTF-16 cannot be true there, as it was read to be found.
fn named_by_page(bytes: &[u8]) -> Option<String> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).to_ascii_lowercase();
    let mut rest = head.as_str();
    while let Some(at) = rest.find("<meta") {
        let tag = &rest[at..];
        let end = tag.find('>').unwrap_or(tag.len());
        if let Some((_, label)) = tag[..end].split_once("charset") {
            let label = label.trim_start().strip_prefix('=').unwrap_or_default().trim_start_matches([' ', '"', '\'']);
            let label = label.split([' ', '"', '\'', ';', '/']).next().unwrap_or_default();
            let found = Encoding::for_label(label.as_bytes())?;
            let wide = found == UTF_16LE || found == UTF_16BE;
            return Some(if wide { UTF_8 } else { found }.name().to_owned());
        }
        rest = &tag[end..];
    }
    None
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn the_mark_goes_before_the_host_and_the_host_before_the_page() {
        for (bytes, declared, page, expected) in [
            (&b"\xEF\xBB\xBFGr\xC3\xBC\xC3\x9Fe"[..], Some("latin1"), false, "Gr\u{fc}\u{df}e"),
            (b"\xFF\xFEG\0r\0", None, false, "Gr"),
            (b"\0G\0r", Some("UTF-16BE"), false, "Gr"),
            (b"\x93\xFA\x96\x7B", Some("Shift_JIS"), true, "\u{65e5}\u{672c}"),
            (b"<meta charset=Shift_JIS>\x93\xFA", None, true, "<meta charset=Shift_JIS>\u{65e5}"),
            (b"<meta charset=koi8-r>\xC1", Some("iso-8859-1"), true, "<meta charset=koi8-r>\u{c1}"),
            (
                b"<meta http-equiv=x content='text/html; charset=KOI8-R'>\xC1",
                None,
                true,
                "<meta http-equiv=x content='text/html; charset=KOI8-R'>\u{430}",
            ),
            (b"<meta charset=utf-16>\xC3\xBC", None, true, "<meta charset=utf-16>\u{fc}"),
            (b"Gr\xFC\xDFe", None, false, "Gr\u{fc}\u{df}e"),
            (b"Gr\xFC\xDFe", Some("none-such"), false, "Gr\u{fc}\u{df}e"),
            (b"Gr\xC3\xBC\xC3", None, false, "Gr\u{fc}\u{fffd}"),
        ] {
            assert_eq!(decode(bytes, declared, page), expected);
        }
    }
}
