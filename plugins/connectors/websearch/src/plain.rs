//! Text of search engines as plain text: they mark what was searched for, and escape what HTML would take for its own.

/// `text` without tags, with the entities that search engines write replaced, on one line.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (shown, length) = if rest.starts_with('<') { tag(rest) } else { entity(rest) };
        match shown {
            Some(c) => out.push(c),
            None if length == 0 => out.push_str(&rest[..1]),
            None => {}
        }
        rest = &rest[length.max(1)..];
    }
    out.push_str(rest);
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How long the tag is that a text begins with; 0 if it begins with none.
fn tag(text: &str) -> (Option<char>, usize) {
    let is_tag = text[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
    match text.find('>').filter(|_| is_tag) {
        Some(end) => (None, end + 1),
        None => (None, 0),
    }
}

/// What the entity stands for that a text begins with, and how long it is; 0 if it begins with none.
fn entity(text: &str) -> (Option<char>, usize) {
    // the longest that is known is `&#x10FFFF;`
    let Some(end) = text.bytes().take(10).position(|byte| byte == b';') else { return (None, 0) };
    let name = &text[1..end];
    let number = |digits: &str, radix| u32::from_str_radix(digits, radix).ok().and_then(char::from_u32);
    let found = match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        "nbsp" => Some(' '),
        "hellip" => Some('…'),
        "ndash" => Some('–'),
        "mdash" => Some('—'),
        _ => match name.strip_prefix('#') {
            Some(digits) => match digits.strip_prefix(['x', 'X']) {
                Some(digits) => number(digits, 16),
                None => number(digits, 10),
            },
            None => None,
        },
    };
    if found.is_some() { (found, end + 1) } else { (None, 0) }
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn marks_and_entities_are_taken_out() {
        for (given, expected) in [
            ("The <strong>tide</strong> of <b class=\"x\">Hamburg</b>", "The tide of Hamburg"),
            ("a &amp; b &lt;c&gt; &#39;d&#x27; &hellip;", "a & b <c> 'd' …"),
            ("1 < 2 && x > y", "1 < 2 && x > y"),
            ("two\n lines\t ", "two lines"),
            ("&unknown; &#xD800; & ende &", "&unknown; &#xD800; & ende &"),
            ("ä<", "ä<"),
            ("&ääää;", "&ääää;"),
        ] {
            assert_eq!(plain(given), expected, "{given}");
        }
    }
}
