//! A secret, typed without being shown. It never becomes a question, because questions can be printed and recorded.

use super::{
    keyboard,
    prompt::{Input, Prompt},
};
use deskhand_egress::Secret;
use deskhand_vocabulary::{Stop, Unanswered};
use rustix::termios::{LocalModes, OptionalActions, Termios, isatty, tcgetattr, tcsetattr};
use std::io::stdin;

/// The terminal does not show what is typed as long as this lives.
struct Hidden(Termios);

impl Hidden {
    fn now() -> rustix::io::Result<Self> {
        let before = tcgetattr(stdin())?;
        let mut hidden = before.clone();
        hidden.local_modes.remove(LocalModes::ECHO);
        hidden.local_modes.insert(LocalModes::ECHONL);
        tcsetattr(stdin(), OptionalActions::Flush, &hidden)?;
        Ok(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        // a terminal that is gone shows nothing either
        let _ = tcsetattr(stdin(), OptionalActions::Flush, &self.0);
    }
}

/// Ask for a secret at the terminal; none if the person only presses Enter. Nobody is there where input is no terminal.
pub(crate) fn secret(prompt: &str, stop: &Stop) -> Result<Option<Secret>, Unanswered> {
    if !isatty(stdin()) {
        return Err(Unanswered::Absent);
    }
    let mut asking = Prompt::of_lines(stop);
    let line = keyboard::lend(|| {
        let hidden = Hidden::now().map_err(|_| Unanswered::Absent)?;
        let line = asking.line(prompt);
        drop(hidden);
        Ok(line)
    })?;
    match line {
        Input::Line(line) => Ok(Some(line).filter(|line| !line.is_empty()).map(|line| Secret::new(&line))),
        Input::End => Ok(None),
        Input::Not(why) => Err(why),
    }
}
