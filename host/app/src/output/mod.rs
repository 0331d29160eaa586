//! Standard output and standard error. A reader that goes away (`deskhand log | head`) ends the output, not the work, and
//! is no error; output that cannot be written is one, told at the end.
//!
//! At a terminal there may be rows at the foot that are painted anew in place ([`paint`]); all that is printed comes above
//! them.

mod live;

pub(crate) use live::{Live, Size, cut};

use std::{
    io::{self, Write as _, stderr, stdout},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
};

/// Why standard output could not be written, if that was so.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// The foot of the terminal. Held while anything is written, so that nothing comes between.
static FOOT: Mutex<Foot> = Mutex::new(Foot::new());

struct Foot {
    live: Live,
    /// What is to stand there, and below it what the person types.
    rows: Vec<String>,
    typed: Option<String>,
    /// How many [`Held`] there are.
    held: usize,
    /// What is to be printed once there is none.
    waiting: String,
}

impl Foot {
    const fn new() -> Self {
        Self { live: Live::new(), rows: Vec::new(), typed: None, held: 0, waiting: String::new() }
    }

    /// Print `above`, with the rows below it.
    fn write(&mut self, above: &str) {
        let rows: Vec<String> = match self.held {
            0 => self.rows.iter().chain(&self.typed).cloned().collect(),
            _ => Vec::new(),
        };
        self.write_with(above, &rows);
    }

    fn write_with(&mut self, above: &str, rows: &[String]) {
        put(&self.live.frame(above, rows, size()));
    }
}

fn put(text: &str) {
    let mut out = stdout().lock();
    // the work matters more than its report, so it goes on
    if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        lose(error);
    }
}

fn foot() -> MutexGuard<'static, Foot> {
    FOOT.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The size of the terminal now; that of the first terminals where it is not known.
pub(crate) fn size() -> Size {
    let (rows, columns) = match console::Term::stdout().size_checked() {
        Some((rows, columns)) if rows > 0 && columns > 0 => (rows, columns),
        _ => (24, 80),
    };
    Size { rows: rows.into(), columns: columns.into() }
}

/// What was asked for, as it is.
pub(crate) fn text(text: &str) {
    foot().write(text);
}

/// Something that is not seen, such as a mode of the terminal.
pub(crate) fn control(sequence: &str) {
    let _foot = foot();
    put(sequence);
}

/// Text that waits while a question stands.
pub(crate) fn later(text: &str) {
    let mut foot = foot();
    if foot.held > 0 {
        foot.waiting.push_str(text);
    } else {
        foot.write(text);
    }
}

/// What the person types, in a row below all others.
pub(crate) fn typed(row: Option<String>) {
    let mut foot = foot();
    foot.typed = row;
    if foot.held == 0 {
        foot.write("");
    }
}

/// Print `above`, and let these rows stand at the foot of the terminal from now on. While a question stands, both wait.
pub(crate) fn paint(above: &str, rows: Vec<String>) {
    let mut foot = foot();
    foot.rows = rows;
    if foot.held > 0 {
        foot.waiting.push_str(above);
    } else {
        foot.write(above);
    }
}

/// Keep the foot of the terminal free, for a question, until this is dropped.
pub(crate) fn hold() -> Held {
    let mut foot = foot();
    foot.held += 1;
    foot.write("");
    Held(())
}

/// See [`hold`].
#[derive(Debug)]
pub(crate) struct Held(());

impl Held {
    /// Print `above`, with these rows at the foot: the question itself.
    pub(crate) fn paint(&self, above: &str, rows: &[String]) {
        foot().write_with(above, rows);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut foot = foot();
        foot.held -= 1;
        if foot.held == 0 {
            foot.live.close();
            let waiting = std::mem::take(&mut foot.waiting);
            foot.write(&waiting);
        }
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
    let mut foot = foot();
    // both may be the same terminal
    let painted = foot.live.is_painted();
    if painted {
        let rows = std::mem::take(&mut foot.rows);
        foot.write("");
        foot.rows = rows;
    }
    let _ = writeln!(stderr().lock(), "{line}");
    if painted {
        foot.write("");
    }
}
