//! From the bytes that a terminal sends to what was pressed.

/// What was pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Char(char),
    Enter,
    /// Take the last character back.
    Backspace,
    /// Take the last word back (Ctrl-W).
    EraseWord,
    /// Take all back (Ctrl-U).
    EraseLine,
    /// The input has ended (Ctrl-D).
    End,
    /// A text was pasted.
    Pasted(String),
}

/// What ends a pasted text (bracketed paste of xterm).
const PASTED: &[u8] = b"\x1b[201~";

/// Keeps what is not whole yet: a character of several bytes, a control sequence, a pasted text.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    pasting: bool,
}

/// What stands at the beginning of some bytes.
enum Found {
    Key(Key),
    /// Something that has no meaning here.
    Other,
    PasteBegins,
    /// More bytes are needed.
    Part,
}

impl Decoder {
    /// More bytes: what was pressed.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<Key> {
        self.bytes.extend_from_slice(bytes);
        let mut keys = Vec::new();
        while !self.bytes.is_empty() {
            let (found, length) = if self.pasting { pasted(&self.bytes) } else { first(&self.bytes) };
            match found {
                Found::Part => break,
                Found::Key(key) => keys.push(key),
                Found::Other => {}
                Found::PasteBegins => self.pasting = true,
            }
            if matches!(keys.last(), Some(Key::Pasted(_))) {
                self.pasting = false;
            }
            self.bytes.drain(..length);
        }
        keys
    }
}

fn pasted(bytes: &[u8]) -> (Found, usize) {
    let Some(end) = bytes.windows(PASTED.len()).position(|window| window == PASTED) else { return (Found::Part, 0) };
    let text = String::from_utf8_lossy(&bytes[..end]).replace("\r\n", "\n").replace(['\r'], "\n").replace('\t', " ");
    let text = text.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    (Found::Key(Key::Pasted(text)), end + PASTED.len())
}

fn first(bytes: &[u8]) -> (Found, usize) {
    let key = |key| (Found::Key(key), 1);
    match bytes {
        [b'\r' | b'\n', ..] => key(Key::Enter),
        [0x7f | 0x08, ..] => key(Key::Backspace),
        [0x17, ..] => key(Key::EraseWord),
        [0x15, ..] => key(Key::EraseLine),
        [0x04, ..] => key(Key::End),
        [0x1b, rest @ ..] => sequence(rest),
        [0..0x20, ..] => (Found::Other, 1),
        _ => character(bytes),
    }
}

/// What follows an escape (ECMA-48, 5.4): a control sequence, or a key with another.
fn sequence(rest: &[u8]) -> (Found, usize) {
    match rest {
        [] => (Found::Part, 0),
        [b'[', rest @ ..] => match rest.iter().position(|byte| !(0x20..0x40).contains(byte)) {
            None => (Found::Part, 0),
            Some(at) if rest[..=at] == *b"200~" => (Found::PasteBegins, 3 + at),
            Some(at) => (Found::Other, 3 + at),
        },
        [b'O'] => (Found::Part, 0),
        [b'O', _, ..] => (Found::Other, 3),
        // the escape key, and then another
        _ => (Found::Other, 1),
    }
}

fn character(bytes: &[u8]) -> (Found, usize) {
    let length = match bytes[0] {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    };
    if bytes.len() < length && bytes[1..].iter().all(|byte| (0x80..0xc0).contains(byte)) {
        return (Found::Part, 0);
    }
    let text = bytes.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    match text.and_then(|text| text.chars().next()) {
        Some(c) if !c.is_control() => (Found::Key(Key::Char(c)), length),
        Some(_) => (Found::Other, length),
        None => (Found::Other, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::{Decoder, Key};

    fn keys(pieces: &[&[u8]]) -> Vec<Key> {
        let mut decoder = Decoder::default();
        pieces.iter().flat_map(|piece| decoder.push(piece)).collect()
    }

    #[test]
    fn characters_may_come_in_pieces() {
        let expected = ['a', 'ä', '写', '🎆'].map(Key::Char);
        assert_eq!(keys(&["aä写🎆".as_bytes()]), expected);
        let bytes: Vec<[u8; 1]> = "aä写🎆".bytes().map(|byte| [byte]).collect();
        assert_eq!(keys(&bytes.iter().map(|byte| &byte[..]).collect::<Vec<_>>()), expected);
        assert_eq!(keys(&[b"\xffa\xc3(\xc2\x9bb"]), ['a', '(', 'b'].map(Key::Char));
    }

    #[test]
    fn keys_without_a_character() {
        use Key::{Backspace, Char, End, Enter, EraseLine, EraseWord};
        assert_eq!(
            keys(&[b"\r\n\x7f\x08\x17\x15\x04\x01"]),
            [Enter, Enter, Backspace, Backspace, EraseWord, EraseLine, End]
        );
        // arrows, function keys, the escape key
        assert_eq!(keys(&[b"\x1b[A\x1b[1;5C\x1bOPa", b"\x1b", b"b"]), [Char('a'), Char('b')]);
    }

    #[test]
    fn what_is_pasted_is_one_thing() {
        let pasted = |text: &str| Key::Pasted(text.to_owned());
        assert_eq!(keys(&[b"\x1b[200~y\r\nb\x1b[31m\x1b[201~c"]), [pasted("y\nb[31m"), Key::Char('c')]);
        assert_eq!(keys(&[b"\x1b[20", b"0~y\xc3", b"\xa4\x1b[2", b"01~"]), [pasted("yä")]);
    }
}
