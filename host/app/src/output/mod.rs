//! Standard output and standard error. A reader that goes away (`deskhand log | head`) ends the output, not the work, and
//! is no error; output that cannot be written is one, told at the end.

use std::{
    io::{self, Write as _, stderr, stdout},
    sync::OnceLock,
};

/// Why standard output could not be written, if that was so.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// What was asked for, as it is.
pub(crate) fn text(text: &str) {
    let mut out = stdout().lock();
    // the work matters more than its report, so it goes on
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        lose(error);
    }
}

/// Put on record that output was lost, unless nobody wants it any more.
pub(crate) fn lose(error: io::Error) {
    if error.kind() != io::ErrorKind::BrokenPipe {
        let _ = LOST.set(error);
    }
}

/// What to say of output that was lost, if any was.
pub(crate) fn lost() -> Option<String> {
    LOST.get().map(|error| {
        format!(
            "Not all of the output could be written: {error}. What was done is on record; see it with: deskhand log"
        )
    })
}

/// A line beside what was asked for.
pub(crate) fn aside(line: &str) {
    let mut out = stderr().lock();
    let _ = writeln!(out, "{line}");
}
