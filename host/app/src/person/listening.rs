//! What the person types to a task that runs, while no question stands.

use super::{
    editor,
    keyboard::{self, Came, Question, Single},
    prompt::shown,
    typing::{Entered, Typing},
};
use crate::{output, show};
use deskhand_agent::steering::{Steer, Steering};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

/// True while a line is being typed.
static IN_A_LINE: AtomicBool = AtomicBool::new(false);

/// Whether the person is in the middle of a line to the task.
pub(super) fn is_in_a_line() -> bool {
    IN_A_LINE.load(Ordering::SeqCst)
}

/// Hands on what is typed until it is dropped.
#[derive(Debug)]
pub(crate) struct Listening {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// The line is edited at the foot of the screen, where the terminal can do it; else in the terminal's own way.
    pub(super) fn begin(steering: Arc<Steering>) -> std::io::Result<Self> {
        let over = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&over);
        let single = output::is_painted_anew().then(Single::begin).flatten();
        let thread = thread::Builder::new().name("keyboard".to_owned()).spawn(move || {
            listen(&steering, &ended, single.is_some());
            drop(single);
        })?;
        Ok(Self { over, thread: Some(thread) })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
        if let Some(thread) = self.thread.take() {
            // it ends within a moment, and has nothing to say
            let _ = thread.join();
        }
    }
}

fn listen(steering: &Steering, over: &AtomicBool, live: bool) {
    let mut typing = Typing::default();
    let row = |typing: &Typing| {
        if live {
            output::typed(Some(foot(typing.text(), output::size().columns)));
        }
    };
    row(&typing);
    while !over.load(Ordering::SeqCst) {
        let keys = match keyboard::keys_between_questions() {
            Came::Nothing => continue,
            Came::End | Came::Gone => break,
            Came::Keys(keys) => keys,
        };
        for key in &keys {
            let Some(Entered::Line(line)) = typing.press(key) else { continue };
            row(&typing);
            if live && !line.trim().is_empty() {
                output::later(&format!("› {}\n", shown(line.trim())));
            }
            take(&line, steering);
        }
        IN_A_LINE.store(!typing.text().is_empty(), Ordering::SeqCst);
        row(&typing);
    }
    IN_A_LINE.store(false, Ordering::SeqCst);
    output::typed(None);
    if !typing.text().trim().is_empty() {
        output::later(&format!(
            "Not said, for the task was over before you pressed Enter: {}\n",
            shown(typing.text().trim())
        ));
    }
}

/// Say what becomes of a line, and let it take effect.
fn take(line: &str, steering: &Steering) {
    let said = if line.trim().eq_ignore_ascii_case("edit") {
        edited(steering)
    } else {
        match Steer::typed(line) {
            Some(steer) => Ok((taken(&steer), steer)),
            None => return,
        }
    };
    match said {
        // said before it takes effect, so that what comes of it stands below it
        Ok((said, steer)) => {
            output::later(&format!("{said}\n"));
            steering.steer(steer);
        }
        Err(why) => output::later(&format!("{why}\n")),
    }
}

/// What becomes of what was said.
fn taken(steer: &Steer) -> &'static str {
    match steer {
        Steer::Say(_) => "The model is told at its next step. To have it heard at once, begin with: stop",
        Steer::Stop(words) if words.is_empty() => "The reply is given up. Say what to do instead, or: cancel",
        Steer::Stop(_) => "The reply is given up, and the model is told.",
        Steer::Pause => "Paused before the next step. To go on: resume",
        Steer::Resume => "It goes on.",
        Steer::Plan(_) => "The model is told at its next step to keep to the plan as it is now.",
        Steer::Cancel => "The task is ended; nothing more is changed.",
    }
}

/// The plan in the person's editor, and what they made of it; or why there is nothing to say to the model.
fn edited(steering: &Steering) -> Result<(&'static str, Steer), String> {
    let text = steering.plan().text();
    if text.is_empty() {
        return Err("There is no plan yet that could be edited.".to_owned());
    }
    let _keyboard = Question::begin();
    let _held = output::hold();
    let left = editor::edit(&text).map_err(|error| show::sentence(&error.to_string()))?;
    if left == text {
        return Err("Nothing was changed in the plan.".to_owned());
    }
    // the plan may have gone on meanwhile; the person's word counts
    let plan = steering.plan().edited(&left);
    let plan = plan.map_err(|error| format!("Nothing of the edit was taken: {error}."))?;
    let steer = Steer::Plan(plan);
    Ok((taken(&steer), steer))
}

/// The row in which something is typed: its end, if it is long.
fn foot(typed: &str, columns: usize) -> String {
    if typed.is_empty() {
        return "› (type to say something; or: stop, pause, edit, cancel)".to_owned();
    }
    let typed = shown(typed);
    let most = columns.saturating_sub(4);
    let mut from = 0;
    while console::measure_text_width(&typed[from..]) > most {
        from += typed[from..].chars().next().map_or(1, char::len_utf8);
    }
    format!("› {}{}", if from > 0 { "…" } else { "" }, &typed[from..])
}

#[cfg(test)]
mod tests {
    use super::foot;

    #[test]
    fn the_end_of_a_long_line_is_seen() {
        assert_eq!(foot("leave 写真", 80), "› leave 写真");
        assert_eq!(foot("leave 写真", 10), "› …e 写真");
    }
}
