//! Text in the encodings that people's files have: UTF-8, UTF-16 with its mark, and those of older systems, found by
//! their bytes.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// A text, and how it was written.
pub(crate) struct Decoded {
    pub(crate) text: String,
    encoding: &'static Encoding,
    marked: bool,
}

/// Why a text is not written.
pub(crate) enum NotEncoded {
    /// It has characters that the encoding has not; the first of them.
    Lacks(char),
}

impl Decoded {
    /// The text that these bytes are; none if they are none.
    pub(crate) fn of(bytes: &[u8]) -> Option<Self> {
        let (encoding, marked) = match Encoding::for_bom(bytes) {
            Some((encoding, _)) => (encoding, true),
            None if is_binary(bytes) => return None,
            None => {
                let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
                detector.feed(bytes, true);
                (detector.guess(None, Utf8Detection::Allow), false)
            }
        };
        let (text, malformed) = encoding.decode_with_bom_removal(bytes);
        if malformed || is_binary(text.as_bytes()) {
            return None;
        }
        Some(Self { text: text.into_owned(), encoding, marked })
    }

    /// What people call the encoding; none for plain UTF-8.
    pub(crate) fn encoding(&self) -> Option<&'static str> {
        (self.encoding != UTF_8).then(|| self.encoding.name())
    }

    /// Another text, written as this one was.
    pub(crate) fn written_as(&self, text: &str) -> Result<Vec<u8>, NotEncoded> {
        let mut bytes = match self.encoding {
            encoding if encoding == UTF_16LE => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            encoding if encoding == UTF_16BE => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            encoding => {
                let (bytes, _, unmappable) = encoding.encode(text);
                if unmappable {
                    let lacks = |c: &char| encoding.encode(c.encode_utf8(&mut [0; 4])).2;
                    return Err(NotEncoded::Lacks(text.chars().find(lacks).unwrap_or_default()));
                }
                bytes.into_owned()
            }
        };
        if self.marked {
            let mark: &[u8] = match self.encoding {
                encoding if encoding == UTF_16LE => &[0xff, 0xfe],
                encoding if encoding == UTF_16BE => &[0xfe, 0xff],
                _ => &[0xef, 0xbb, 0xbf],
            };
            bytes.splice(0..0, mark.iter().copied());
        }
        Ok(bytes)
    }
}

/// True for bytes that no text has: zeros, and control characters that nothing shows.
fn is_binary(bytes: &[u8]) -> bool {
    bytes.iter().any(|byte| matches!(byte, 0..=0x08 | 0x0e..=0x1a | 0x1c..=0x1f | 0x7f))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::{Decoded, NotEncoded};

    #[test]
    fn text_is_read_and_written_as_it_was() {
        for (bytes, text, encoding) in [
            (
                &b"Br\xf6tchen, K\xe4se und M\xfcsli f\xfcr Sonntag\n"[..],
                "Brötchen, Käse und Müsli für Sonntag\n",
                Some("windows-1252"),
            ),
            (b"\xff\xfeK\0\xe4\0s\0e\0", "Käse", Some("UTF-16LE")),
            (b"\xfe\xff\0K\0\xe4", "Kä", Some("UTF-16BE")),
            (b"\xef\xbb\xbfK\xc3\xa4se", "Käse", None),
            ("Käse".as_bytes(), "Käse", None),
        ] {
            let decoded = Decoded::of(bytes).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.encoding()), (text, encoding));
            let Ok(written) = decoded.written_as(text) else { panic!("{text}") };
            assert_eq!(written, bytes);
        }
    }

    #[test]
    fn what_is_no_text_is_none() {
        for bytes in [&b"\x89PNG\r\n\x1a\n\0\0"[..], b"a\0b", b"\xff\xfe\0\xd8", b"\x01\x02\xff"] {
            assert!(Decoded::of(bytes).is_none(), "{bytes:?}");
        }
    }

    #[test]
    fn what_an_encoding_has_not_is_not_written_in_it() {
        let decoded = Decoded::of(b"K\xe4se und M\xfcsli f\xfcr Sonntag").unwrap();
        assert!(matches!(decoded.written_as("Käse → Müsli"), Err(NotEncoded::Lacks('→'))));
    }
}
