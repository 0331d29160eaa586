//! Objects as a PDF writes them (ISO 32000-2, 7.2 and 7.3).

use std::collections::BTreeMap;

/// Dictionaries and lists within one another.
const NESTING: u8 = 16;

/// Names and what they stand for.
pub(super) type Dictionary = BTreeMap<Vec<u8>, Value>;

/// One object, as far as dates need it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(u64),
    Name(Vec<u8>),
    Text(Vec<u8>),
    /// The number of another object.
    Reference(u64),
    List(Vec<Self>),
    Dictionary(Dictionary),
    /// Null, true, false, and numbers that are no count or place.
    Other,
}

impl Value {
    pub(super) fn number(&self) -> Option<u64> {
        if let Self::Number(number) = self { Some(*number) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }

    pub(super) fn dictionary(self) -> Option<Dictionary> {
        if let Self::Dictionary(dictionary) = self { Some(dictionary) } else { None }
    }

    /// A text string (7.9.2.2) whose letters are all in ASCII, as those of a date are.
    pub(super) fn text(&self) -> Option<Vec<u8>> {
        let Self::Text(bytes) = self else { return None };
        Some(match bytes.as_slice() {
            [0xFE, 0xFF, rest @ ..] => {
                rest.as_chunks::<2>().0.iter().map(|pair| if pair[0] == 0 { pair[1] } else { b'?' }).collect()
            }
            [0xEF, 0xBB, 0xBF, rest @ ..] => rest.to_vec(),
            plain => plain.to_vec(),
        })
    }
}

/// True for the blanks between tokens (7.2.3, table 1).
pub(super) fn is_blank(byte: u8) -> bool {
    matches!(byte, 0 | b'\t' | b'\n' | 0x0C | b'\r' | b' ')
}

fn is_regular(byte: u8) -> bool {
    !is_blank(byte) && !b"()<>[]{}/%".contains(&byte)
}

/// Reads objects from bytes that may be cut off anywhere.
pub(super) struct Parser<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Bytes consumed.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    /// Skips blanks and comments.
    pub(super) fn blanks(&mut self) {
        while let Some(byte) = self.peek() {
            if byte == b'%' {
                while self.peek().is_some_and(|byte| byte != b'\n' && byte != b'\r') {
                    self.at += 1;
                }
            } else if is_blank(byte) {
                self.at += 1;
            } else {
                break;
            }
        }
    }

    fn regular(&mut self) -> &'a [u8] {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().take_while(|byte| is_regular(**byte)).count();
        self.at += length;
        &rest[..length]
    }

    /// A count or a place.
    pub(super) fn number(&mut self) -> Option<u64> {
        self.blanks();
        let start = self.at;
        let number = std::str::from_utf8(self.regular()).ok().and_then(|digits| digits.parse().ok());
        if number.is_none() {
            self.at = start;
        }
        number
    }

    /// True, and past it, if this word comes next.
    pub(super) fn keyword(&mut self, word: &[u8]) -> bool {
        self.blanks();
        let found = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word));
        if found {
            self.at += word.len();
        }
        found
    }

    /// Where the bytes of a stream begin, if one comes next (7.3.8.1).
    pub(super) fn stream(&mut self) -> Option<usize> {
        if !self.keyword(b"stream") {
            return None;
        }
        if self.peek() == Some(b'\r') {
            self.at += 1;
        }
        if self.peek() == Some(b'\n') {
            self.at += 1;
        }
        Some(self.at)
    }

    /// The next object, `depth` deep in others. A dictionary or list that is cut off ends there.
    pub(super) fn value(&mut self, depth: u8) -> Option<Value> {
        if depth > NESTING {
            return None;
        }
        self.blanks();
        match self.peek()? {
            b'/' => self.name().map(Value::Name),
            b'(' => Some(Value::Text(self.literal())),
            b'[' => {
                self.at += 1;
                let mut list = Vec::new();
                while !self.keyword(b"]") {
                    let Some(value) = self.value(depth + 1) else { break };
                    list.push(value);
                }
                Some(Value::List(list))
            }
            b'<' if self.bytes.get(self.at + 1) == Some(&b'<') => {
                self.at += 2;
                let mut dictionary = Dictionary::new();
                while !self.keyword(b">>") {
                    let Some(name) = self.name() else { break };
                    let Some(value) = self.value(depth + 1) else { break };
                    dictionary.insert(name, value);
                }
                Some(Value::Dictionary(dictionary))
            }
            b'<' => Some(Value::Text(self.hexadecimal())),
            byte if is_regular(byte) => Some(self.number_or_reference()),
            _ => None,
        }
    }

    fn number_or_reference(&mut self) -> Value {
        let Some(number) = self.number() else {
            self.regular();
            return Value::Other;
        };
        let after = self.at;
        if self.number().is_some() {
            self.blanks();
            if self.regular() == b"R" {
                return Value::Reference(number);
            }
        }
        self.at = after;
        Value::Number(number)
    }

    fn name(&mut self) -> Option<Vec<u8>> {
        self.blanks();
        if self.peek()? != b'/' {
            return None;
        }
        self.at += 1;
        let raw = self.regular();
        let (mut name, mut at) = (Vec::with_capacity(raw.len()), 0);
        while let Some(byte) = raw.get(at) {
            let escaped = raw.get(at + 1..at + 3).filter(|_| *byte == b'#');
            let escaped = escaped.and_then(|digits| Some(hexit(digits[0])? << 4 | hexit(digits[1])?));
            name.push(escaped.unwrap_or(*byte));
            at += if escaped.is_some() { 3 } else { 1 };
        }
        Some(name)
    }

    /// 7.3.4.2.
    fn literal(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        let mut open = 0_u32;
        while let Some(byte) = self.next() {
            match byte {
                b'(' => {
                    open += 1;
                    if open == 1 {
                        continue;
                    }
                }
                b')' => {
                    open -= 1;
                    if open == 0 {
                        break;
                    }
                }
                b'\\' => {
                    out.extend(self.escape());
                    continue;
                }
                _ => {}
            }
            out.push(byte);
        }
        out
    }

    /// What follows a backslash: a letter's byte, up to three octal digits, nothing for a line's end, or itself.
    fn escape(&mut self) -> Option<u8> {
        let byte = self.next()?;
        Some(match byte {
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'b' => 0x08,
            b'f' => 0x0C,
            b'\n' => return None,
            b'\r' => {
                if self.peek() == Some(b'\n') {
                    self.at += 1;
                }
                return None;
            }
            b'0'..=b'7' => {
                let mut number = byte - b'0';
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.peek() else { break };
                    self.at += 1;
                    number = number.wrapping_mul(8).wrapping_add(digit - b'0');
                }
                number
            }
            other => other,
        })
    }

    /// 7.3.4.3.
    fn hexadecimal(&mut self) -> Vec<u8> {
        self.at += 1;
        let mut digits = Vec::new();
        while let Some(byte) = self.next() {
            match byte {
                b'>' => break,
                byte => digits.extend(hexit(byte)),
            }
        }
        digits.chunks(2).map(|pair| pair[0] << 4 | pair.get(1).unwrap_or(&0)).collect()
    }
}

fn hexit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn text(bytes: &str) -> Value {
        Value::Text(bytes.as_bytes().to_vec())
    }

    #[test]
    fn objects() {
        let bytes = b"<</A 1/B(a\\(b\\)\\101(c)\\\r\nd)/C<44 3A3>/D[1 0 R -5 /N#41me]/E<</F true>>>> tail";
        let mut parser = Parser::new(bytes);
        let expected = [
            (&b"A"[..], Value::Number(1)),
            (b"B", text("a(b)A(c)d")),
            (b"C", text("D:0")),
            (b"D", Value::List(vec![Value::Reference(1), Value::Other, Value::Name(b"NAme".to_vec())])),
            (b"E", Value::Dictionary([(b"F".to_vec(), Value::Other)].into())),
        ];
        let expected = expected.into_iter().map(|(name, value)| (name.to_vec(), value)).collect();
        assert_eq!(parser.value(0), Some(Value::Dictionary(expected)));
        assert!(parser.keyword(b"tail"));
    }

    #[test]
    fn utf_16_text() {
        let value = Parser::new(b"<FEFF0044003A0032>").value(0).unwrap();
        assert_eq!(value.text().unwrap(), b"D:2");
    }

    #[test]
    fn what_is_cut_off_ends_there() {
        assert_eq!(
            Parser::new(b"<</A 1/B(open").value(0),
            Some(Value::Dictionary([(b"A".to_vec(), Value::Number(1)), (b"B".to_vec(), text("open"))].into()))
        );
        assert_eq!(Parser::new(b"[1 2").value(0), Some(Value::List(vec![Value::Number(1), Value::Number(2)])));
    }

    #[test]
    fn nesting_has_an_end() {
        let deep = b"[".repeat(100_000);
        assert!(Parser::new(&deep).value(0).is_some());
    }
}
