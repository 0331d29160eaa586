//! Text from plugins, files and models, made safe to show to a person.

/// `text` without anything that could steer a terminal or reorder a line: control characters (C0, C1, DEL), the
/// bidirectional controls and invisible format characters that imitate others become `\u{…}` escapes. Line feeds stay
/// only where `lines` is true; a tab becomes a space.
///
/// The set of bidirectional controls is that of Unicode UAX #9, section 2.
pub fn safe(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if lines => out.push('\n'),
            '\t' => out.push(' '),
            c if c.is_control() || is_deceptive(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// `text` as a person sees it: without a byte order mark, and without all that [`safe`] escapes and the variation selectors,
/// in which text can be hidden that nobody sees. Lines end in a line feed. Line feeds and tabs stay.
pub fn plain(text: &str) -> String {
    let hidden = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_deceptive(c) || is_variation(c);
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| !hidden(*c)).collect()
}

fn is_variation(c: char) -> bool {
    matches!(c, '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' // bidirectional
        | '\u{200B}' | '\u{2060}'..='\u{2064}' | '\u{FEFF}' | '\u{00AD}' // without width
        | '\u{2028}' | '\u{2029}' // line and paragraph separators
        | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}') // annotation, tags
}

/// At most `limit` characters of `text`, with `…` in place of what was cut.
pub fn shortened(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// A word as a shell takes it.
pub fn word(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"@%+=:,./_-".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_cannot_act() {
        assert_eq!(safe("a\u{1b}[2Jb\u{202e}c\td\ne", false), "a\\u{1b}[2Jb\\u{202e}c d\\u{a}e");
        assert_eq!(safe("a\nb", true), "a\nb");
        assert_eq!(safe("Übergröße 写真", false), "Übergröße 写真");
    }

    #[test]
    fn plain_text_is_what_is_seen() {
        assert_eq!(plain("\u{feff}a\r\nb\rc\td\u{1b}[2J\0"), "a\nb\nc\td[2J");
        assert_eq!(plain("ob\u{200b}ey\u{202e}\u{e0041}\u{e0101}\u{fe0f}"), "obey");
        assert_eq!(plain("Übergröße 写真"), "Übergröße 写真");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(shortened("äöüß", 4), "äöüß");
        assert_eq!(shortened("äöüßx", 4), "äöü…");
    }
}
