//! The one owner of standard input where that is a terminal: questions read from it, and between them what the person says
//! to a task that runs.

use super::keys::{Decoder, Key};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags, open},
    process::getpgrp,
    termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr},
};
use std::{
    fs::File,
    io::stdin,
    os::fd::{AsFd, BorrowedFd},
    sync::{
        Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// How long is waited for a key before somebody looks whether the task was stopped.
const LOOK: Duration = Duration::from_millis(50);

/// There is one standard input.
static READING: Mutex<Option<Reader>> = Mutex::new(None);
/// How many questions stand or wait to be put.
static QUESTIONS: AtomicUsize = AtomicUsize::new(0);
/// How often keys are wanted one by one, and how the terminal was before.
static SINGLE: Mutex<(usize, Option<Termios>)> = Mutex::new((0, None));

/// How long after a key that was an answer the rest of its word is still passed over.
const SOON: Duration = Duration::from_secs(1);

/// What is kept from one look to the next.
#[derive(Default)]
struct Reader {
    decoder: Decoder,
    /// What is passed over if it comes, until when.
    passed_over: Option<(Vec<char>, Instant)>,
}

impl Reader {
    fn keys(&mut self, bytes: &[u8], now: Instant) -> Vec<Key> {
        let mut keys = self.decoder.push(bytes);
        if let Some((rest, until)) = self.passed_over.take()
            && now < until
        {
            let same = |(key, c): &(&Key, &char)| **key == Key::Char(**c);
            let count = keys.iter().zip(&rest).take_while(same).count();
            keys.drain(..count);
            if keys.is_empty() {
                self.passed_over = Some((rest[count..].to_vec(), until));
            } else if keys[0] == Key::Enter {
                keys.remove(0);
            }
        }
        keys
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What came of looking for keys.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Came {
    /// Pressed together, as far as it can be known.
    Keys(Vec<Key>),
    /// Nothing, for a moment.
    Nothing,
    /// There is no input any more (Ctrl-D).
    End,
    /// The terminal has gone, and the person with it.
    Gone,
}

/// The keyboard, for one question, which nobody else reads from meanwhile.
pub(super) struct Question {
    reading: MutexGuard<'static, Option<Reader>>,
}

impl Question {
    pub(super) fn begin() -> Self {
        QUESTIONS.fetch_add(1, Ordering::SeqCst);
        Self { reading: locked(&READING) }
    }

    /// Do not take `rest`, nor an Enter after it, for an answer to anything if it comes next, and soon.
    pub(super) fn pass_over(&mut self, rest: &str) {
        let reader = self.reading.get_or_insert_default();
        reader.passed_over = Some((rest.chars().collect(), Instant::now() + SOON));
    }

    /// Whether the terminal has gone. That stops the task as well, and either may be noticed first.
    pub(super) fn is_gone(&self) -> bool {
        let terminal = terminal();
        let mut polled = [PollFd::new(&terminal, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec::default())).is_ok() && polled[0].revents().intersects(PollFlags::HUP)
    }

    /// The next keys.
    pub(super) fn keys(&mut self) -> Came {
        read(&mut self.reading)
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        QUESTIONS.fetch_sub(1, Ordering::SeqCst);
    }
}

/// The next keys, for who reads between questions.
pub(super) fn keys_between_questions() -> Came {
    // who reads in the background is stopped
    if QUESTIONS.load(Ordering::SeqCst) > 0 || !is_in_front() {
        std::thread::sleep(LOOK);
        return Came::Nothing;
    }
    read(&mut locked(&READING))
}

/// Whether the terminal is this program's now, and no other's that the shell runs.
pub(super) fn is_in_front() -> bool {
    tcgetpgrp(stdin()).is_ok_and(|group| group == getpgrp())
}

/// Where keys are read from: the terminal, opened anew so that a read never waits. Ctrl-C throws away what was typed before it,
/// maybe just when that had been announced. Standard input itself stays as it is, for it is shared with the shell.
fn terminal() -> BorrowedFd<'static> {
    static TERMINAL: OnceLock<Option<File>> = OnceLock::new();
    static STDIN: OnceLock<std::io::Stdin> = OnceLock::new();
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match TERMINAL.get_or_init(|| open("/proc/self/fd/0", flags, Mode::empty()).ok().map(File::from)) {
        Some(terminal) => terminal.as_fd(),
        None => STDIN.get_or_init(stdin).as_fd(),
    }
}

fn read(reader: &mut Option<Reader>) -> Came {
    let reader = reader.get_or_insert_default();
    let terminal = terminal();
    let wait = Timespec::try_from(LOOK).unwrap_or_default();
    let mut polled = [PollFd::new(&terminal, PollFlags::IN)];
    match poll(&mut polled, Some(&wait)) {
        Ok(0) | Err(rustix::io::Errno::INTR) => {
            keep_single();
            return Came::Nothing;
        }
        Ok(_) => {}
        Err(_) => return Came::End,
    }
    let gone = polled[0].revents().intersects(PollFlags::HUP);
    let mut bytes = [0; 4096];
    match rustix::io::read(terminal, &mut bytes) {
        Ok(count @ 1..) => Came::Keys(reader.keys(&bytes[..count], Instant::now())),
        Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => Came::Nothing,
        Ok(0) | Err(_) => {
            if gone {
                Came::Gone
            } else {
                Came::End
            }
        }
    }
}

/// Keys come one by one and are not echoed, until this is dropped. Ctrl-C stays what it is.
#[derive(Debug)]
pub(super) struct Single(());

impl Single {
    /// Nothing where the terminal cannot do it.
    pub(super) fn begin() -> Option<Self> {
        let mut single = locked(&SINGLE);
        if single.0 == 0 {
            let before = tcgetattr(stdin()).ok()?;
            set_single(&before)?;
            single.1 = Some(before);
        }
        single.0 += 1;
        Some(Self(()))
    }
}

impl Drop for Single {
    fn drop(&mut self) {
        let mut single = locked(&SINGLE);
        single.0 -= 1;
        if single.0 == 0 {
            give_back(&mut single);
        }
    }
}

/// As it was before, for as long as `work` takes, such as another program at this terminal.
pub(super) fn lend<T>(work: impl FnOnce() -> T) -> T {
    let wanted = {
        let mut single = locked(&SINGLE);
        give_back(&mut single);
        std::mem::take(&mut single.0)
    };
    let done = work();
    let mut single = locked(&SINGLE);
    single.0 += wanted;
    if single.0 > 0
        && let Ok(before) = tcgetattr(stdin())
        && set_single(&before).is_some()
    {
        single.1 = Some(before);
    }
    done
}

/// Leave the terminal as it was, whatever goes on. For the end of the program.
pub(crate) fn restore() {
    give_back(&mut locked(&SINGLE));
}

fn give_back(single: &mut (usize, Option<Termios>)) {
    if let Some(before) = single.1.take() {
        // a terminal that is gone needs nothing
        let _ = tcsetattr(stdin(), OptionalActions::Now, &before);
        crate::output::control(PASTE_OFF);
    }
}

/// That what is pasted is marked as such (bracketed paste, DEC private mode 2004), and that it is not.
const PASTE_ON: &str = "\u{1b}[?2004h";
const PASTE_OFF: &str = "\u{1b}[?2004l";

fn set_single(before: &Termios) -> Option<()> {
    let mut wanted = before.clone();
    wanted.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO | LocalModes::IEXTEN);
    wanted.special_codes[SpecialCodeIndex::VMIN] = 1;
    wanted.special_codes[SpecialCodeIndex::VTIME] = 0;
    // who quits with Ctrl-\ would leave the terminal like this
    wanted.special_codes[SpecialCodeIndex::VQUIT] = 0;
    tcsetattr(stdin(), OptionalActions::Now, &wanted).ok()?;
    crate::output::control(PASTE_ON);
    Some(())
}

/// A shell that had this program suspended gives the terminal back as it likes it.
fn keep_single() {
    let single = locked(&SINGLE);
    if single.1.is_some()
        && is_in_front()
        && let Ok(now) = tcgetattr(stdin())
        && now.local_modes.contains(LocalModes::ICANON)
    {
        set_single(&now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_writes_the_whole_word_answers_once() {
        let now = Instant::now();
        let mut reader = Reader::default();
        let mut after = |rest: &str, typed: &[&str], later: Duration| {
            reader.passed_over = Some((rest.chars().collect(), now + SOON));
            typed.iter().flat_map(|typed| reader.keys(typed.as_bytes(), now + later)).collect::<Vec<_>>()
        };
        assert_eq!(after("ancel", &["a", "nc", "el", "\r", "a"], Duration::ZERO), [Key::Char('a')]);
        assert_eq!(after("ancel", &["ancel\ra"], Duration::ZERO), [Key::Char('a')]);
        assert_eq!(after("", &["\r\r"], Duration::ZERO), [Key::Enter]);
        assert_eq!(after("es", &["n", "e"], Duration::ZERO), [Key::Char('n'), Key::Char('e')]);
        assert_eq!(after("es", &["es"], SOON), [Key::Char('e'), Key::Char('s')]);
    }
}
