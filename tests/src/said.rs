//! What a run said, with that masked which differs from run to run.

use crate::{Place, Ran};

/// Exit code, output and errors of a run.
pub fn said(place: &Place, ran: &Ran) -> String {
    let mut whole = format!("exit code {}\n", ran.code);
    for (name, text) in [("output", &ran.stdout), ("errors", &ran.stderr)] {
        if !text.is_empty() {
            whole.push_str(&format!("--- {name}\n{text}"));
        }
    }
    masked(place, &whole)
}

/// A text without the test's own folder, the time now, durations and digests.
pub fn masked(place: &Place, text: &str) -> String {
    let text = text.replace(&place.dir.path().display().to_string(), "PLACE");
    let text = replaced(&text, "dddd-dd-dd dd:dd:dd", "TIME");
    let text = replaced(&text, "dddd-dd-dd dd:dd", "TIME");
    let text = replaced(&text, "dddd-dd-ddTdd:dd:dd.ddddddZ", "TIME");
    let text = replaced(&text, &"x".repeat(64), "DIGEST");
    ["d", "dd", "ddd", "dddd"].iter().fold(text, |text, digits| replaced(&text, &format!(", {digits} ms"), ", N ms"))
}

/// `pattern`, in which `d` stands for a decimal and `x` for a hexadecimal digit, replaced wherever it is found.
fn replaced(text: &str, pattern: &str, with: &str) -> String {
    let fits = |window: &str| {
        let mut characters = window.chars();
        pattern.chars().all(|wanted| {
            characters.next().is_some_and(|found| match wanted {
                'd' => found.is_ascii_digit(),
                'x' => found.is_ascii_hexdigit(),
                _ => found == wanted,
            })
        })
    };
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if fits(rest) {
            out.push_str(with);
            rest = &rest[pattern.len()..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}
