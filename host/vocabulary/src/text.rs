//! Text from plugins, files and models, made safe to show to a person.

/// `text` without anything that could steer a terminal, reorder a line or hide in one: control characters (C0, C1, DEL), the
/// bidirectional controls, what is not seen and letters that look like a space become `\u{…}` escapes. Line feeds stay only
/// where `lines` is true; a tab becomes a space. What words and pictures are joined and varied with stays: the joiners
/// U+200C and U+200D and the variation selectors.
///
/// The set of bidirectional controls is that of Unicode UAX #9, section 2; what is not seen is `Default_Ignorable_Code_Point`
/// of Unicode 16.0, `DerivedCoreProperties.txt`.
pub fn safe(text: &str, lines: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' if lines => out.push('\n'),
            '\t' => out.push(' '),
            c if c.is_control() || is_deceptive(c) || is_blank(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// `text` as a person sees it: without a byte order mark, and without all that [`safe`] escapes and the variation selectors,
/// in which text can be hidden that nobody sees; a letter that looks like a space is one. Lines end in a line feed. Line feeds
/// and tabs stay.
pub fn plain(text: &str) -> String {
    let hidden = |c: char| (c.is_control() && !matches!(c, '\n' | '\t')) || is_deceptive(c) || is_variation(c);
    let seen = |c: char| if is_blank(c) { ' ' } else { c };
    text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| !hidden(*c)).map(seen).collect()
}

fn is_variation(c: char) -> bool {
    matches!(c, '\u{180B}'..='\u{180D}' | '\u{180F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0100}'..='\u{E01EF}')
}

/// Letters and signs that take room and show nothing: two fillers of Hangul, the Braille pattern without a dot, a note head.
fn is_blank(c: char) -> bool {
    matches!(c, '\u{3164}' | '\u{FFA0}' | '\u{2800}' | '\u{1D159}')
}

fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' // bidirectional
        | '\u{200B}' | '\u{2060}'..='\u{2065}' | '\u{206A}'..='\u{206F}' | '\u{FEFF}' | '\u{00AD}' | '\u{034F}' // without width
        | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180E}' // of scripts that have something unseen
        | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}' // of shorthand and of music
        | '\u{2028}' | '\u{2029}' // line and paragraph separators
        | '\u{FFF0}'..='\u{FFFB}' | '\u{E0000}'..='\u{E00FF}' | '\u{E01F0}'..='\u{E0FFF}') // annotation, tags
}

/// The words of `text` in one line, a space between them.
pub fn in_a_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
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
    fn what_is_not_seen_is_shown() {
        assert_eq!(
            safe("invoice.pdf\u{3164}\u{ffa0}\u{2800}\u{1d159}.py", false),
            "invoice.pdf\\u{3164}\\u{ffa0}\\u{2800}\\u{1d159}.py"
        );
        let unseen = "\u{ad}\u{34f}\u{61c}\u{115f}\u{1160}\u{17b4}\u{17b5}\u{180e}\u{200b}\u{200e}\u{202a}\u{2060}\u{2065}\
                      \u{2066}\u{206a}\u{206f}\u{feff}\u{fff0}\u{1bca0}\u{1d173}\u{e0001}\u{e0fff}";
        let escaped: String = unseen.chars().map(|c| c.escape_unicode().to_string()).collect();
        assert_eq!(safe(unseen, true), escaped);
        assert_eq!(plain(unseen), "");
        // a Persian word, one in Devanagari, a family, a heart, a name in Mongolian and one with a variant of a letter
        for written in [
            "می\u{200c}خواهم",
            "क्\u{200d}ष",
            "👨\u{200d}👩\u{200d}👧",
            "❤\u{fe0f}",
            "ᠮᠣᠩ\u{180b}ᠭᠣᠯ",
            "葛\u{e0100}城",
            "한글 ㅎ",
        ] {
            assert_eq!(safe(written, false), written);
        }
    }

    #[test]
    fn plain_text_is_what_is_seen() {
        assert_eq!(plain("\u{feff}a\r\nb\rc\td\u{1b}[2J\0"), "a\nb\nc\td[2J");
        assert_eq!(plain("ob\u{200b}ey\u{202e}\u{e0041}\u{e0101}\u{fe0f}"), "obey");
        assert_eq!(plain("Übergröße 写真"), "Übergröße 写真");
        assert_eq!(plain("⠕⠃⠑⠽\u{2800}⠝⠕⠺ a\u{3164}b"), "⠕⠃⠑⠽ ⠝⠕⠺ a b");
    }

    #[test]
    fn long_text_is_cut_at_a_character() {
        assert_eq!(shortened("äöüß", 4), "äöüß");
        assert_eq!(shortened("äöüßx", 4), "äöü…");
    }
}
