//! What the targets share: how the bytes of a fuzzer become what an end of the channel is told.
//!
//! Bytes that must first be a frame by chance would seldom get past the frames, so most pieces are put into one that is in its
//! place; the rest go as they are.

/// Takes pieces from the front of what the fuzzer gave.
#[derive(Clone, Copy, Debug)]
pub struct Script<'a>(pub &'a [u8]);

impl<'a> Script<'a> {
    /// The next byte, 0 after the last.
    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// At most so many bytes.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (piece, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        piece
    }

    /// A part of all that is left: as much as the next byte says.
    pub fn part(&mut self) -> Self {
        let share = usize::from(self.byte());
        Self(self.bytes(self.0.len() * share / 255))
    }

    /// Whether nothing is left.
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    /// All that is left as an end would put it on a port that has carried `sent` messages.
    pub fn framed(mut self, sent: u32) -> Vec<u8> {
        let (mut said, mut number) = (Vec::new(), sent);
        while !self.is_over() {
            let (kind, length) = (self.byte(), usize::from(self.byte()));
            // long ones are rare, and must be there
            let piece = self.bytes(if kind < 8 { length << 8 } else { length });
            if kind < 240 {
                said.extend(u32::try_from(piece.len()).unwrap_or(u32::MAX).to_le_bytes());
                said.extend(number.to_le_bytes());
                number = number.wrapping_add(1);
            }
            said.extend(piece);
        }
        said
    }
}
