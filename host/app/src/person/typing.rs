//! A line while it is typed.

use super::keys::Key;
use unicode_width::UnicodeWidthChar as _;

/// The longest line, in bytes; what is typed beyond it is not taken.
const LONGEST: usize = 64 << 10;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Typing {
    text: String,
}

/// What ends a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entered {
    Line(String),
    /// The end of the input, on an empty line.
    End,
}

impl Typing {
    /// What was typed until now.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// One more key: what it enters, if it ends the line.
    pub(super) fn press(&mut self, key: &Key) -> Option<Entered> {
        match key {
            Key::Enter => return Some(Entered::Line(std::mem::take(&mut self.text))),
            Key::End if self.text.is_empty() => return Some(Entered::End),
            Key::End => {}
            Key::Char(c) => self.add(c.encode_utf8(&mut [0; 4])),
            Key::Pasted(text) => self.add(text),
            Key::Backspace => {
                // an accent goes with its letter
                while self.text.pop().is_some_and(|c| c.width().unwrap_or(0) == 0) {}
            }
            Key::EraseWord => {
                let kept = self.text.trim_end().trim_end_matches(|c: char| !c.is_whitespace()).len();
                self.text.truncate(kept);
            }
            Key::EraseLine => self.text.clear(),
        }
        None
    }

    fn add(&mut self, text: &str) {
        if self.text.len() + text.len() <= LONGEST {
            self.text.push_str(text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_typed_and_mended() {
        let mut typing = Typing::default();
        let mut type_ = |keys: &str| keys.chars().for_each(|c| assert_eq!(typing.press(&Key::Char(c)), None));
        type_("one two e\u{301}写");
        for (key, left) in [
            (Key::Backspace, "one two e\u{301}"),
            (Key::Backspace, "one two "),
            (Key::EraseWord, "one "),
            (Key::End, "one "),
            (Key::Pasted("a\nb".to_owned()), "one a\nb"),
        ] {
            assert_eq!(typing.press(&key), None);
            assert_eq!(typing.text(), left);
        }
        assert_eq!(typing.press(&Key::Enter), Some(Entered::Line("one a\nb".to_owned())));
        assert_eq!(typing.press(&Key::Backspace), None);
        assert_eq!(typing.press(&Key::End), Some(Entered::End));
        typing.press(&Key::Char('x'));
        typing.press(&Key::EraseLine);
        assert_eq!(typing.press(&Key::Enter), Some(Entered::Line(String::new())));
    }
}
