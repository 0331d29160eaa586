//! What a job says, as a model is given it: its beginning and its end, and a line a time for the person who looks on.

use deskhand_vocabulary::text;
use std::{
    collections::VecDeque,
    path::Path,
    time::{Duration, Instant},
};

/// So much of it is given from its beginning, and as much from its end, in bytes.
const PART: usize = 12 << 10;
/// How often somebody who looks on is shown where it is.
const OFTEN: Duration = Duration::from_millis(250);
/// The most characters that they are shown.
const SHOWN: usize = 200;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Heard {
    head: Vec<u8>,
    tail: VecDeque<u8>,
    /// Bytes that are in neither.
    dropped: u64,
    shown: Option<Instant>,
}

impl Heard {
    pub(super) fn hear(&mut self, bytes: &[u8]) {
        let (head, rest) = bytes.split_at(bytes.len().min(PART - self.head.len()));
        self.head.extend_from_slice(head);
        self.tail.extend(rest);
        let more = self.tail.len().saturating_sub(PART);
        self.tail.drain(..more);
        self.dropped += more as u64;
    }

    /// The last line, where it is time to show one.
    pub(super) fn line(&mut self, now: Instant) -> Option<String> {
        if self.shown.is_some_and(|shown| now.duration_since(shown) < OFTEN) {
            return None;
        }
        let last = if self.tail.is_empty() { self.head.as_slice() } else { self.tail.as_slices().1 };
        let last = if last.is_empty() { self.tail.as_slices().0 } else { last };
        let line = String::from_utf8_lossy(last).trim_end().rsplit(['\n', '\r']).next().map(str::to_owned)?;
        self.shown = Some(now);
        Some(text::shortened(&text::safe(&line, false), SHOWN)).filter(|line| !line.is_empty())
    }

    /// Whether somebody who looks on was shown a line.
    pub(super) const fn was_shown(&self) -> bool {
        self.shown.is_some()
    }

    /// All of it, or its beginning and its end; `log` is where all of it is.
    pub(super) fn text(&self, log: Option<&Path>) -> String {
        let mut bytes = self.head.clone();
        let (first, second) = self.tail.as_slices();
        let tail = [first, second].concat();
        if self.dropped == 0 {
            bytes.extend(tail);
            return readable(&bytes);
        }
        let rest = log.map_or_else(String::new, |log| format!("; read on in {}", log.display()));
        format!("{}\n[{} bytes are left out{rest}]\n{}", readable(&bytes), self.dropped, readable(&tail))
    }
}

/// As text, with what was written over on the way left out.
fn readable(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let line = |line: &str| line.trim_end_matches('\r').rsplit('\r').next().unwrap_or_default().to_owned();
    let lines: Vec<String> = text.split('\n').map(line).collect();
    text::plain(&lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_short_is_given_whole() {
        let mut heard = Heard::default();
        heard.hear(b"one\ntwo");
        heard.hear(b" and\tth\x07ree\n");
        assert_eq!(heard.text(None), "one\ntwo and\tthree\n");
    }

    #[test]
    fn of_what_is_long_the_beginning_and_the_end_are_given() {
        let mut heard = Heard::default();
        heard.hear(&[b'a'; PART]);
        heard.hear(&[b'b'; 1000]);
        heard.hear(&[b'c'; PART]);
        let (head, tail) = ("a".repeat(PART), "c".repeat(PART));
        let log = Path::new("/tmp/output-1.txt");
        assert_eq!(
            heard.text(Some(log)),
            format!("{head}\n[1000 bytes are left out; read on in /tmp/output-1.txt]\n{tail}")
        );
        assert_eq!(heard.text(None), format!("{head}\n[1000 bytes are left out]\n{tail}"));
    }

    #[test]
    fn a_bar_of_progress_is_its_last_state() {
        let mut heard = Heard::default();
        heard.hear(b"  1%\r 50%\r100%\r\ndone\n");
        assert_eq!(heard.text(None), "100%\ndone\n");
    }

    #[test]
    fn whoever_looks_on_sees_the_last_line_now_and_then() {
        let mut heard = Heard::default();
        let begun = Instant::now();
        heard.hear(b"one\ntwo\n");
        assert_eq!(heard.line(begun).as_deref(), Some("two"));
        heard.hear(b"three\n");
        assert_eq!(heard.line(begun + OFTEN / 2), None);
        assert_eq!(heard.line(begun + OFTEN).as_deref(), Some("three"));
    }
}
