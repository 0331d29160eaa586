//! Standard output and standard error. A reader that goes away (`deskhand log | head`) ends the output, not the work, and
//! is no error; output that cannot be written is one, told at the end.
//!
//! At a terminal there may be rows at the foot that are painted anew in place ([`paint`]); all that is printed comes above
//! them.

mod live;

pub(crate) use live::{Live, Size, cut};

use std::{
    env,
    io::{self, IsTerminal as _, Write as _, stderr, stdout},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

/// Why standard output could not be written, if that was so.
static LOST: OnceLock<io::Error> = OnceLock::new();

/// True for a screen reader.
static LINES: AtomicBool = AtomicBool::new(false);

/// True where nobody is at this process.
static SILENT: AtomicBool = AtomicBool::new(false);

/// The foot of the terminal. Held while anything is written, so that nothing comes between.
static FOOT: Mutex<Foot> = Mutex::new(Foot::new());

struct Foot {
    live: Live,
    /// What is to be printed before anything else is.
    unwritten: String,
    /// What is to stand there: how a task goes on, how far a piece of work is, and what the person types.
    rows: Vec<String>,
    progress: Option<String>,
    typed: Option<String>,
    /// How many [`Held`] there are, and what one of them lets stand there.
    held: usize,
    question: Option<String>,
    /// What is to be printed once there is none.
    waiting: String,
}

impl Foot {
    const fn new() -> Self {
        Self {
            live: Live::new(),
            unwritten: String::new(),
            rows: Vec::new(),
            progress: None,
            typed: None,
            held: 0,
            question: None,
            waiting: String::new(),
        }
    }

    /// Print `above`, with what is to stand below it.
    fn write(&mut self, above: &str) {
        put(&match (self.held, &self.question) {
            (0, _) => {
                let rows: Vec<String> = self.rows.iter().chain(&self.progress).chain(&self.typed).cloned().collect();
                let mut all = std::mem::take(&mut self.unwritten);
                all.push_str(above);
                self.live.frame(&all, &rows, size())
            }
            (_, question) => self.live.frame_whole(above, question.as_slice(), size()),
        });
    }

    fn write_when_free(&mut self, above: &str) {
        if self.held > 0 {
            self.waiting.push_str(&std::mem::take(&mut self.unwritten));
            self.waiting.push_str(above);
        } else {
            self.write(above);
        }
    }
}

fn put(text: &str) {
    if SILENT.load(Ordering::SeqCst) {
        return;
    }
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
    foot().write_when_free(text);
}

/// Text that is printed with whatever is written next, at the latest with the next [`paint`].
pub(crate) fn soon(text: &str) {
    foot().unwritten.push_str(text);
}

/// How far a piece of work is, in a row.
pub(crate) fn progress(row: Option<String>) {
    let mut foot = foot();
    if foot.progress != row {
        foot.progress = row;
        foot.write_when_free("");
    }
}

/// What the person types, in a row below all others.
pub(crate) fn typed(row: Option<String>) {
    let mut foot = foot();
    if foot.typed != row {
        foot.typed = row;
        foot.write_when_free("");
    }
}

/// Print `above`, and let these rows stand at the foot of the terminal from now on. While a question stands, both wait.
pub(crate) fn paint(above: &str, rows: Vec<String>) {
    let mut foot = foot();
    foot.rows = rows;
    foot.write_when_free(above);
}

/// Keep the foot of the terminal free, for a question, until this is dropped.
pub(crate) fn hold() -> Held {
    let mut foot = foot();
    if !foot.unwritten.is_empty() {
        foot.write_when_free("");
    }
    foot.held += 1;
    foot.write("");
    Held(())
}

/// See [`hold`].
#[derive(Debug)]
pub(crate) struct Held(());

impl Held {
    /// Let this stand at the foot: the question itself, and what is typed.
    pub(crate) fn paint(&self, text: &str) {
        let mut foot = foot();
        if foot.question.as_deref() != Some(text) {
            foot.question = Some(text.to_owned());
            foot.write("");
        }
    }

    /// What stands there is printed for good.
    pub(crate) fn keep(&self, text: &str) {
        let mut foot = foot();
        foot.question = None;
        foot.write(text);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut foot = foot();
        foot.held -= 1;
        foot.question = None;
        if foot.held == 0 {
            foot.live.close();
            let waiting = std::mem::take(&mut foot.waiting);
            foot.unwritten.insert_str(0, &waiting);
            foot.write("");
        }
    }
}

/// Say nothing from now on, for a process that nobody is at: what it works on has other ways to be seen.
pub(crate) fn silence() {
    SILENT.store(true, Ordering::SeqCst);
}

/// Say all in lines that are never painted anew, for a screen reader.
pub(crate) fn keep_to_lines() {
    LINES.store(true, Ordering::SeqCst);
}

/// Whether rows can be painted anew in place.
pub(crate) fn is_painted_anew() -> bool {
    let dumb = env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    !dumb && !LINES.load(Ordering::SeqCst) && stdout().is_terminal()
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
        put(&foot.live.frame("", &[], size()));
    }
    if !SILENT.load(Ordering::SeqCst) {
        let _ = writeln!(stderr().lock(), "{line}");
    }
    if painted {
        foot.write("");
    }
}
