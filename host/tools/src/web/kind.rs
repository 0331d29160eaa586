//! What was fetched: a page, plain text, or nothing that can be read.

use super::load::Loaded;

/// Where what a file is shows, in bytes (WHATWG MIME Sniffing, 4).
const HEAD: usize = 1445;
/// What files begin with that are no text, whatever their host says.
const MAGIC: [&[u8]; 7] = [b"%PDF-", b"\x89PNG", b"\xFF\xD8\xFF", b"GIF8", b"PK\x03\x04", b"\x1F\x8B", b"\x7FELF"];

/// Something that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Html,
    Plain,
}

/// What it is; none if it is no text.
pub(super) fn of(loaded: &Loaded) -> Option<Kind> {
    let name = loaded.media_type();
    if loaded.packed || is_binary(&name) || MAGIC.iter().any(|magic| loaded.body.starts_with(magic)) {
        return None;
    }
    let head = &loaded.body[..loaded.body.len().min(HEAD)];
    let marked = head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF");
    let wide = loaded.charset().is_some_and(|label| label.to_lowercase().starts_with("utf-16"));
    if head.contains(&0) && !marked && !wide {
        return None;
    }
    if matches!(name.as_str(), "text/html" | "application/xhtml+xml") {
        return Some(Kind::Html);
    }
    let start = String::from_utf8_lossy(head).trim_start_matches(['\u{FEFF}', ' ', '\t', '\r', '\n']).to_lowercase();
    let page = start.starts_with("<!doctype html") || start.starts_with("<html");
    Some(if page && !name.starts_with("text/") { Kind::Html } else { Kind::Plain })
}

/// True for types that are known to hold no text.
pub(super) fn is_binary(name: &str) -> bool {
    let (group, kind) = name.split_once('/').unwrap_or((name, ""));
    match group {
        "image" => kind != "svg+xml",
        "audio" | "video" | "font" | "model" => true,
        "application" => {
            let text = ["json", "xml", "javascript", "ecmascript", "yaml", "toml", "sql", "graphql", "x-sh"];
            let known =
                text.iter().any(|one| kind == *one || kind.ends_with(&format!("+{one}")) || kind == format!("x-{one}"));
            // servers that do not know say this; what it is then shows in the bytes
            !known && !matches!(kind, "octet-stream" | "x-ndjson" | "jsonl" | "x-www-form-urlencoded" | "rtf" | "x-tex")
        }
        _ => false,
    }
}
