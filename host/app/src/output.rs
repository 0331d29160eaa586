//! Standard output and standard error. A reader that goes away (`deskhand log | head`) ends the output, not the work.

use std::io::{Write as _, stderr, stdout};

/// What was asked for, as it is.
pub(crate) fn text(text: &str) {
    let mut out = stdout().lock();
    // the work matters more than its report: what nobody reads is dropped
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// A line beside what was asked for.
pub(crate) fn aside(line: &str) {
    let mut out = stderr().lock();
    let _ = writeln!(out, "{line}");
}
