//! What a program writes to its standard error: read for ever, so that it is never held up, and of it only the end is kept.

use deskhand_vocabulary::text::safe;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncReadExt as _};

/// How much of the end is kept, in bytes.
const KEPT: usize = 2000;
/// How much is read before a program that writes on and on is read slowly, in bytes, and the pause between two reads then.
const PATIENCE: usize = 1 << 20;
const PAUSE: Duration = Duration::from_millis(20);

/// The end of what was written. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tail(Arc<Mutex<Vec<u8>>>);

impl Tail {
    /// Read to the end.
    pub(crate) async fn read(self, mut from: impl AsyncRead + Unpin) {
        let (mut buffer, mut all) = (vec![0; 16 << 10], 0_usize);
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            self.keep(buffer.get(..count).unwrap_or_default());
            all = all.saturating_add(count);
            if all > PATIENCE {
                tokio::time::sleep(PAUSE).await;
            }
        }
    }

    fn keep(&self, more: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(more);
        let over = kept.len().saturating_sub(KEPT);
        kept.drain(..over);
    }

    /// The last lines, safe to show, on one line; nothing where nothing was written.
    pub(crate) fn last_lines(&self) -> Option<String> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&kept);
        let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let last = lines.iter().skip(lines.len().saturating_sub(LINES)).copied().collect::<Vec<_>>().join(" / ");
        (!last.is_empty()).then(|| safe(&last, false))
    }
}

/// So many lines are shown.
const LINES: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_end_is_kept_and_shown() {
        let tail = Tail::default();
        assert_eq!(tail.last_lines(), None);
        for number in 0..10_000 {
            tail.keep(format!("line {number}\r\n\n").as_bytes());
        }
        tail.keep(b"\x1b[2Jno such module\n");
        assert_eq!(tail.last_lines().as_deref(), Some("line 9997 / line 9998 / line 9999 / \\u{1b}[2Jno such module"));
        assert!(tail.0.lock().is_ok_and(|kept| kept.len() == KEPT));
    }
}
