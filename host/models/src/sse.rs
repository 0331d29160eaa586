//! Server-sent events, read from bytes (WHATWG HTML, 9.2.6): lines end with CR, LF or both, a field's value loses one
//! leading space, `data` lines are joined by a line feed, what begins with a colon is a comment. Bytes, not text: a piece
//! may end within a character.

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its `event` field; empty where there is none.
    pub kind: String,
    /// Its `data`.
    pub data: String,
}

/// The stream cannot be read on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// An event is larger than [`LARGEST`].
    TooLarge,
    /// An event is not UTF-8.
    NotText,
}

/// The largest event, in bytes. A whole picture fits.
pub const LARGEST: usize = 32 << 20;

/// Reads a stream piece by piece.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    kind: Vec<u8>,
    data: Option<Vec<u8>>,
    /// The last byte was a CR, so that a LF belongs to it.
    after_cr: bool,
    begun: bool,
}

impl Reader {
    /// Read a piece; whole events are handed to `each`. What stands behind the last empty line waits for the next piece.
    ///
    /// # Errors
    /// [`Unreadable`]; the reader is of no use then.
    pub fn read(&mut self, piece: &[u8], mut each: impl FnMut(Event)) -> Result<(), Unreadable> {
        let mut rest = piece;
        if self.after_cr && !rest.is_empty() {
            self.after_cr = false;
            rest = rest.strip_prefix(b"\n").unwrap_or(rest);
        }
        while let Some(end) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, tail) = rest.split_at(end);
            self.line.extend_from_slice(line);
            if let Some(event) = self.end_of_line()? {
                each(event);
            }
            rest = match tail {
                [b'\r', b'\n', tail @ ..] => tail,
                [b'\r'] => {
                    self.after_cr = true;
                    &[]
                }
                tail => tail.get(1..).unwrap_or_default(),
            };
        }
        self.line.extend_from_slice(rest);
        if self.line.len() > LARGEST { Err(Unreadable::TooLarge) } else { Ok(()) }
    }

    fn end_of_line(&mut self) -> Result<Option<Event>, Unreadable> {
        let mut line = std::mem::take(&mut self.line);
        if !self.begun {
            self.begun = true;
            if line.starts_with(b"\xef\xbb\xbf") {
                line.drain(..3);
            }
        }
        if line.is_empty() {
            let kind = std::mem::take(&mut self.kind);
            let Some(data) = self.data.take() else { return Ok(None) };
            let text = |bytes| String::from_utf8(bytes).map_err(|_| Unreadable::NotText);
            return Ok(Some(Event { kind: text(kind)?, data: text(data)? }));
        }
        let (name, value) = match line.iter().position(|byte| *byte == b':') {
            Some(colon) => (&line[..colon], &line[colon + 1..]),
            None => (&line[..], &[][..]),
        };
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match name {
            b"data" => {
                let data = match &mut self.data {
                    Some(data) => {
                        data.push(b'\n');
                        data
                    }
                    none => none.insert(Vec::new()),
                };
                data.extend_from_slice(value);
                if data.len() > LARGEST {
                    return Err(Unreadable::TooLarge);
                }
            }
            b"event" => self.kind = value.to_vec(),
            // a comment, an id, the time to reconnect, or something to come
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Event, Reader, Unreadable};
    use proptest::prelude::*;

    fn read(pieces: &[&[u8]]) -> Vec<(String, String)> {
        let (mut reader, mut events) = (Reader::default(), Vec::new());
        for piece in pieces {
            reader.read(piece, |Event { kind, data }| events.push((kind, data))).unwrap();
        }
        events
    }

    const STREAM: &str = "\u{feff}: hello\n\nevent: a\ndata: one\ndata:two\nid: 7\n\nretry: 3\ndata\n\n:\ndata:  größer 🙂\n\n\
                          event: b\n\ndata: last\n\ndata: not ended";

    fn events() -> Vec<(String, String)> {
        [("a", "one\ntwo"), ("", ""), ("", " größer 🙂"), ("", "last")]
            .map(|(kind, data)| (kind.to_owned(), data.to_owned()))
            .to_vec()
    }

    #[test]
    fn events_are_read_whichever_way_lines_end() {
        assert_eq!(read(&[STREAM.as_bytes()]), events());
        for end in ["\r\n", "\r"] {
            assert_eq!(read(&[STREAM.replace('\n', end).as_bytes()]), events(), "{end:?}");
        }
    }

    #[test]
    fn what_is_not_text_is_an_error() {
        assert_eq!(Reader::default().read(b"data: \xff\n\n", |_| ()), Err(Unreadable::NotText));
    }

    proptest! {
        #[test]
        fn the_borders_of_pieces_do_not_matter(cuts in prop::collection::vec(1..9_usize, 1..60), end in 0..3_usize) {
            let text = STREAM.replace('\n', ["\n", "\r\n", "\r"][end]);
            let (mut rest, mut pieces) = (text.as_bytes(), Vec::new());
            for cut in cuts.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, tail) = rest.split_at((*cut).min(rest.len()));
                pieces.push(piece);
                rest = tail;
            }
            prop_assert_eq!(read(&pieces), events());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            // an error is as good as an event
            let _ = Reader::default().read(&bytes, |_| ());
        }
    }
}
