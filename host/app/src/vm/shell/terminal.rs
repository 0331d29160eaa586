//! A terminal for what is typed into: one of its own inside, and the person's, which hands on every key as long as that runs.

use crate::output;
use rustix::termios::{OptionalActions, Termios, isatty, tcgetattr, tcgetwinsize, tcsetattr};
use std::{
    env,
    ffi::OsString,
    io::{IsTerminal as _, Write as _, stdin, stdout},
};

/// The key that ends it whatever runs in it, as `telnet(1)` has it: Ctrl-].
pub(super) const ESCAPE: u8 = 0x1d;

/// What a program may have left a terminal in: the other screen, and modes of its own (ECMA-48, DECSTR).
const RESET: &str = "\x1b[?47l\x1b[!p\x1b[0m\x1b[?25h";

/// The person's terminal, as long as this lives.
pub(super) struct Terminal(Termios);

impl Terminal {
    /// Nothing where there is none.
    pub(super) fn take() -> Option<Self> {
        let before = tcgetattr(stdin()).ok().filter(|_| stdout().is_terminal())?;
        output::aside("Ctrl-] ends it, whatever runs in it.");
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin(), OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let mut out = stdout();
        let _ = out.write_all(RESET.as_bytes()).and_then(|()| out.flush()); // nobody may look at it any more
        // what was typed for it answers no question that comes now
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
    }
}

/// Whether the person is at one.
pub(super) fn is_there() -> bool {
    isatty(stdin()) && stdout().is_terminal()
}

/// A program in Python that gives a shell a terminal like the person's, and ends as that does. Its prompt says where it is.
pub(super) fn source(place: &str) -> OsString {
    let (rows, columns) = tcgetwinsize(stdout()).map_or((0, 0), |size| (size.ws_row, size.ws_col));
    // as terminals are that do not know
    let (rows, columns) = if rows == 0 || columns == 0 { (24, 80) } else { (rows, columns) };
    let known =
        |name: &String| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-+.".contains(c));
    let name = env::var("TERM").ok().filter(known).unwrap_or_else(|| "dumb".to_owned());
    format!(
        "import os, pty, sys\n\
         os.environ['TERM'] = '{name}'\n\
         shell = 'stty rows {rows} cols {columns}\\n'\\\n\
         'command -v bash > /dev/null && PS1=\"{place}:\\\\w$ \" exec bash --norc -i\\n'\\\n\
         'PS1=\"{place}$ \" exec sh -i'\n\
         sys.exit(os.waitstatus_to_exitcode(pty.spawn(['/bin/sh', '-c', shell])) & 255)\n"
    )
    .into()
}
