//! A line, or a key, that a question waits for. Where the terminal allows it, the line is edited at the foot of the screen,
//! and a key that is an answer needs no Enter.

use super::{
    keyboard::{Came, Question, Single},
    keys::Key,
    listening,
    typing::{Entered, Typing},
};
use crate::{
    output::{self, Held},
    show,
};
use deskhand_vocabulary::{Stop, Unanswered};

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// A line without white space around it, or a key that is an answer.
    Line(String),
    /// The input has ended (Ctrl-D).
    End,
    /// None will.
    Not(Unanswered),
}

/// The place where questions are put: all else waits meanwhile.
pub(super) struct Prompt<'a> {
    stop: &'a Stop,
    // dropped in this order: the next question waits for the keyboard until this one has gone
    held: Held,
    /// Nothing where keys do not come one by one.
    single: Option<Single>,
    keyboard: Question,
    /// True where a key can be an answer.
    at_once: bool,
}

impl<'a> Prompt<'a> {
    pub(super) fn begin(stop: &'a Stop) -> Self {
        Self::with(stop, output::is_painted_anew())
    }

    /// Of whole lines, as the terminal itself lets them be typed.
    pub(super) fn of_lines(stop: &'a Stop) -> Self {
        Self::with(stop, false)
    }

    fn with(stop: &'a Stop, single: bool) -> Self {
        let keyboard = Question::begin();
        let held = output::hold();
        let single = single.then(Single::begin).flatten();
        // who is in the middle of a line does not mean the question with the next letter
        let at_once = single.is_some() && !listening::is_in_a_line();
        Self { stop, held, single, keyboard, at_once }
    }

    /// Ask for a line.
    pub(super) fn line(&mut self, prompt: &str) -> Input {
        self.ask(prompt, |_| None)
    }

    /// Ask for a line, or for a key that needs no Enter: one for which `answers` has something, namely what else the person
    /// may type because they write the whole word. That is not taken for anything else.
    pub(super) fn ask<'w>(&mut self, prompt: &str, answers: impl Fn(char) -> Option<&'w str>) -> Input {
        let (above, last) = prompt.rsplit_once('\n').map_or(("", prompt), |(above, last)| (above, last));
        if !above.is_empty() {
            output::text(&format!("{above}\n"));
        }
        if self.single.is_none() {
            output::text(last);
        }
        let mut typing = Typing::default();
        loop {
            if self.single.is_some() {
                self.held.paint(&format!("{last}{}", shown(typing.text())));
            }
            let keys = match self.keyboard.keys() {
                _ if self.stop.is_stopped() => {
                    let why = if self.keyboard.is_gone() { Unanswered::Absent } else { Unanswered::Stopped };
                    return self.done(last, Input::Not(why));
                }
                Came::Nothing => continue,
                // a line that does not end counts
                Came::End if !typing.text().is_empty() => vec![Key::Enter],
                Came::End => return self.done(last, Input::End),
                Came::Gone => return self.done(last, Input::Not(Unanswered::Absent)),
                Came::Keys(keys) => keys,
            };
            // several keys at once are a line in pieces, not a key
            if let [Key::Char(c)] = keys[..]
                && self.at_once
                && typing.text().is_empty()
                && let Some(rest) = answers(c)
            {
                self.keyboard.pass_over(rest);
                return self.done(last, Input::Line(c.to_string()));
            }
            for key in &keys {
                match typing.press(key) {
                    Some(Entered::Line(line)) => return self.done(last, Input::Line(line.trim().to_owned())),
                    Some(Entered::End) => return self.done(last, Input::End),
                    None => {}
                }
            }
        }
    }

    /// The question and its answer stay on the screen.
    fn done(&self, prompt: &str, input: Input) -> Input {
        match (&self.single, &input) {
            (Some(_), Input::Line(answer)) => self.held.keep(&format!("{prompt}{}\n", shown(answer))),
            (Some(_), Input::End | Input::Not(_)) => self.held.keep(&format!("{prompt}\n")),
            // the terminal has shown the end of the line
            (None, Input::Line(_)) => {}
            (None, Input::End | Input::Not(_)) => output::text("\n"),
        }
        input
    }
}

/// What was typed, in one row.
pub(super) fn shown(typed: &str) -> String {
    show::line(&typed.replace('\n', " ⏎ "))
}
