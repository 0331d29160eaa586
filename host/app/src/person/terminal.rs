//! A person at a terminal: plans are shown, questions are asked one at a time, progress is a bar.

use super::{
    editor,
    prompt::{Input, Prompt},
};
use crate::{
    output,
    show::{self, Asker, Detail},
};
use deskhand_vocabulary::{
    Access, Answer, Change, ChangeKind, Notice, Person, Plan, Principal, Progress, Question, Sha256, Stop, Unanswered,
    manifest::Permission,
    person::{Choice, OTHER},
    text,
};
use serde_json::{Map, Value, json};
use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// How often a bar is painted anew at most.
const OFTEN: Duration = Duration::from_millis(50);
/// The most columns of a bar.
const BAR: usize = 40;

/// See the module.
pub(crate) struct Terminal {
    stop: Stop,
    /// When a bar was painted last, if one stands there.
    bar: Mutex<Option<Instant>>,
    /// The text that the person left of a plan, if it was found wanting. Held while a question stands, so that there is one
    /// at a time.
    left: Mutex<Option<(Sha256, String)>>,
}

impl Terminal {
    pub(crate) fn new(stop: Stop) -> Self {
        Self { stop, bar: Mutex::default(), left: Mutex::default() }
    }

    fn clear(&self) {
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = None;
        output::progress(None);
    }
}

/// One question, until it is answered.
struct Asking<'a> {
    prompt: Prompt<'a>,
    left: &'a mut Option<(Sha256, String)>,
}

impl Asking<'_> {
    /// Ask until the answer is one of `choices`: a word each, known by its first letter.
    fn choose(&mut self, prompt: &str, choices: &[&str]) -> Result<usize, Unanswered> {
        let names: Vec<String> = choices.iter().map(|choice| format!("[{}]{}", &choice[..1], &choice[1..])).collect();
        let begins = |key: char| {
            let key = key.to_ascii_lowercase();
            let chosen = choices.iter().find(|choice| choice.to_lowercase().starts_with(key));
            chosen.map(|choice| &choice[1..]).or((key == 'n').then_some("o"))
        };
        loop {
            let line = match self.prompt.ask(&format!("{prompt} {}: ", names.join(", ")), begins) {
                Input::Line(line) => line.to_lowercase(),
                // the last choice is always the one that does nothing
                Input::End => return Ok(choices.len() - 1),
                Input::Not(why) => return Err(why),
            };
            // who types no means the last choice, whatever it is called
            if matches!(line.as_str(), "n" | "no") {
                return Ok(choices.len() - 1);
            }
            if !line.is_empty()
                && let Some(index) = choices.iter().position(|choice| choice.to_lowercase().starts_with(&line))
            {
                return Ok(index);
            }
            output::text("Please type one of these letters and press Enter.\n");
        }
    }

    fn question(&mut self, question: &Question) -> Result<Answer, Unanswered> {
        match question {
            Question::Apply { plan } => self.apply(plan),
            Question::Remove { plan } => self.remove(plan),
            Question::Sensitive { plan } => {
                output::text(&format!(
                    "\nThese changes can make something run:\n{}",
                    show::sensitive(plan, show::Detail::Short)
                ));
                self.these(plan, "Make them?", |change| change.sensitive.is_some(), None)
            }
            Question::Steps { text } => self.steps(text),
            Question::Grant { folder, access } => {
                let what = match access {
                    Access::Read => "read",
                    Access::Write => "read and propose changes to",
                };
                self.yes_or_no(&format!("Let this task {what} {}?", show::line(folder)))
            }
            Question::Install { plugin, version, installed, permissions, widened, .. } => {
                let verb = match installed {
                    Some(installed) => format!("Update {plugin} from {} to", show::line(installed)),
                    None => format!("Install {plugin}"),
                };
                output::text(&format!("{verb} {}:\n{}", show::line(version), rights(permissions, widened)));
                self.yes_or_no("Agree?")
            }
            Question::Confirm { origin, text } => self.yes_or_no(&match asker(origin) {
                Some(asker) => asker.confirmation(text),
                None => show::lines(&text::shortened(text, 2000)),
            }),
            Question::Choose { origin, text, choices } => self.choices(origin, text, choices),
            Question::Form { origin, text, schema } => self.form(origin, text, schema),
        }
    }

    fn yes_or_no(&mut self, prompt: &str) -> Result<Answer, Unanswered> {
        Ok(if self.choose(prompt, &["Yes", "No"])? == 0 { Answer::Yes } else { Answer::No })
    }

    fn line(&mut self, prompt: &str) -> Result<String, Unanswered> {
        match self.prompt.line(prompt) {
            Input::Line(line) => Ok(line),
            Input::End => Ok(String::new()),
            Input::Not(why) => Err(why),
        }
    }

    fn apply(&mut self, plan: &Plan) -> Result<Answer, Unanswered> {
        loop {
            match self.choose("Apply this?", &["Apply", "Edit", "List all", "Cancel"])? {
                0 => return Ok(Answer::Yes),
                1 => {
                    let text = match self.left.as_ref().filter(|(digest, _)| *digest == plan.digest) {
                        Some((_, text)) => text.clone(),
                        None => deskhand_workspace::edit_text(plan),
                    };
                    match editor::edit(&text) {
                        Ok(edited) if edited == text => output::text("Nothing was changed in the plan.\n"),
                        Ok(edited) => {
                            *self.left = Some((plan.digest, edited.clone()));
                            return Ok(Answer::Edited(edited));
                        }
                        Err(error) => output::text(&format!("{}\n", show::sentence(&error.to_string()))),
                    }
                }
                2 => output::text(&show::plan(plan, Detail::Full)),
                _ => return Ok(Answer::No),
            }
        }
    }

    fn steps(&mut self, text: &str) -> Result<Answer, Unanswered> {
        output::text(&format!("The plan:\n{}", show::lines(text)));
        loop {
            match self.choose("Go on with this?", &["Apply", "Edit", "Cancel"])? {
                0 => return Ok(Answer::Yes),
                1 => match editor::edit(text) {
                    Ok(edited) if edited == text => output::text("Nothing was changed in the plan.\n"),
                    Ok(edited) => return Ok(Answer::Edited(edited)),
                    Err(error) => output::text(&format!("{}\n", show::sentence(&error.to_string()))),
                },
                _ => return Ok(Answer::No),
            }
        }
    }

    fn remove(&mut self, plan: &Plan) -> Result<Answer, Unanswered> {
        let kept = match &plan.beyond {
            None => "They are kept and `deskhand undo` brings them back.".to_owned(),
            Some(beyond) => show::too_much(beyond),
        };
        output::text(&format!("\n{}. {kept}\n{}", show::removed(plan), show::removals(plan, Detail::Short)));
        let question = if plan.beyond.is_some() { "Remove them for good?" } else { "Remove them?" };
        let lost: HashSet<u64> = plan.losses().map(|change| change.id).collect();
        let all = || show::removals(plan, Detail::Full);
        self.these(plan, question, |change| lost.contains(&change.id), Some(&all))
    }

    /// Whether some changes of a plan are to be made as well, all of which can be listed. Without them the rest is another plan,
    /// if there is a rest.
    fn these(
        &mut self,
        plan: &Plan,
        question: &str,
        is_one: impl Fn(&Change) -> bool,
        all: Option<&dyn Fn() -> String>,
    ) -> Result<Answer, Unanswered> {
        let rest = plan.feasible().any(|change| !is_one(change) && change.kind != ChangeKind::MakeFolder);
        let no = if rest { "No, change nothing" } else { "No" };
        let choices: Vec<&str> = [Some("Yes"), all.map(|_| "List all"), rest.then_some("Only the rest"), Some(no)]
            .into_iter()
            .flatten()
            .collect();
        loop {
            match (&choices[self.choose(question, &choices)?][..1], all) {
                ("Y", _) => return Ok(Answer::Yes),
                ("O", _) => return Ok(Answer::Edited(deskhand_workspace::edit_text_without(plan, &is_one))),
                ("L", Some(all)) => output::text(&all()),
                _ => return Ok(Answer::No),
            }
        }
    }

    fn choices(&mut self, origin: &Principal, question: &str, choices: &[Choice]) -> Result<Answer, Unanswered> {
        let asker = asker(origin);
        print_question(asker.as_ref(), question);
        for (number, choice) in (1..).zip(choices) {
            let row = match &asker {
                Some(asker) => asker.choice(number, choice),
                None => format!("  {number}  {}", show::choice(choice)),
            };
            output::text(&format!("{row}\n"));
        }
        let prompt = match &asker {
            Some(asker) => asker.input("number (nothing for none)"),
            None => "Number (n for no): ".to_owned(),
        };
        // a second digit may follow where there are that many
        let number = |key: char| {
            let number = key.to_digit(10).filter(|number| (1..=choices.len()).contains(&(*number as usize)));
            number.filter(|_| choices.len() < 10).map(|_| "")
        };
        loop {
            let line = match self.prompt.ask(&prompt, number) {
                Input::Line(line) => line,
                Input::End => String::new(),
                Input::Not(why) => return Err(why),
            };
            if line.is_empty() || matches!(line.to_lowercase().as_str(), "n" | "no" | "none") {
                return Ok(Answer::No);
            }
            let chosen = line.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            if let Some(choice) = chosen.and_then(|index| choices.get(index)) {
                return Ok(Answer::Chosen(choice.id.clone()));
            }
            if chosen.is_none() && choices.iter().any(|choice| choice.id == OTHER) {
                return Ok(Answer::Filled(json!({ "answer": line })));
            }
            output::text(&format!("Please type a number from 1 to {}.\n", choices.len()));
        }
    }

    fn form(&mut self, origin: &Principal, question: &str, schema: &Value) -> Result<Answer, Unanswered> {
        let asker = asker(origin);
        print_question(asker.as_ref(), question);
        let mut filled = Map::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let label = field["description"].as_str().or(field["title"].as_str()).unwrap_or(name);
            let line = self.line(&match &asker {
                Some(asker) => asker.field(label),
                None => format!("  {}: ", show::line(label)),
            })?;
            if line.is_empty() {
                continue;
            }
            let value = match field["type"].as_str() {
                Some("integer" | "number") => {
                    line.parse::<serde_json::Number>().map_or(Value::from(line), Value::Number)
                }
                Some("boolean") => Value::Bool(matches!(line.to_lowercase().as_str(), "y" | "yes" | "true")),
                _ => Value::from(line),
            };
            filled.insert(name.clone(), value);
        }
        Ok(if filled.is_empty() { Answer::No } else { Answer::Filled(Value::Object(filled)) })
    }
}

/// Who asks, if that is not Deskhand itself.
fn asker(origin: &Principal) -> Option<Asker> {
    Asker::of(origin, output::size().columns)
}

fn print_question(asker: Option<&Asker>, text: &str) {
    let text = asker.map_or_else(|| show::lines(text), |asker| asker.question(text));
    output::text(&format!("{text}\n"));
}

fn rights(permissions: &[Permission], widened: &[Permission]) -> String {
    if permissions.is_empty() {
        return "  It asks for nothing.\n".to_owned();
    }
    let row = |permission: &Permission| {
        let scope =
            if permission.scope.is_empty() { String::new() } else { format!(" ({})", permission.scope.join(", ")) };
        let mark = if widened.contains(permission) { "new: " } else { "" };
        format!(
            "  {mark}It may {}{}.\n      It says: {}\n",
            permission.kind.words(),
            show::line(&scope),
            show::line(&text::shortened(&permission.reason, 200))
        )
    };
    permissions.iter().map(row).collect()
}

impl Person for Terminal {
    fn present(&self) -> bool {
        true
    }

    fn show(&self, plan: &Plan) {
        self.clear();
        output::text(&show::plan(plan, Detail::Short));
    }

    fn ask_until(&self, question: &Question, until: &Stop) -> Result<Answer, Unanswered> {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        // while another one stood
        if until.is_stopped() {
            return Err(Unanswered::Stopped);
        }
        self.clear();
        let stop = self.stop.or(until);
        let answer = Asking { prompt: Prompt::begin(&stop), left: &mut left }.question(question);
        if answer == Err(Unanswered::Stopped) && !self.stop.is_stopped() {
            output::text("No answer is needed any more.\n");
        }
        answer
    }

    fn tell(&self, notice: &Notice) {
        self.clear();
        output::later(&format!("{}\n", show::notice(notice)));
    }

    fn progress(&self, progress: &Progress) {
        let mut bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner);
        if !output::is_painted_anew() {
            return;
        }
        if progress.total.is_some() && progress.done >= progress.total {
            *bar = None;
            output::progress(None);
        } else if bar.is_none_or(|painted| painted.elapsed() >= OFTEN) {
            *bar = Some(Instant::now());
            output::progress(Some(row(progress, output::size().columns)));
        }
    }
}

/// How far something is, in a row: `Reading  ████░░░░ 1,200 of 4,000`.
fn row(progress: &Progress, columns: usize) -> String {
    let what = format!("{}{}", show::origin(&progress.origin), show::line(&text::shortened(&progress.text, 60)));
    let Some(total) = progress.total.filter(|total| *total > 0) else { return what };
    let done = progress.done.unwrap_or(0).min(total);
    let count = format!("{} of {}", show::count(done), show::count(total));
    let room = columns.saturating_sub(console::measure_text_width(&what) + count.len() + 3).min(BAR);
    let full = usize::try_from(u128::from(done) * room as u128 / u128::from(total)).unwrap_or(room);
    format!("{what} {}{} {count}", "█".repeat(full), "░".repeat(room - full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_takes_what_room_there_is() {
        let progress = |done, total| Progress { origin: Principal::Person, text: "Reading".to_owned(), done, total };
        assert_eq!(row(&progress(Some(1000), Some(4000)), 32), "Reading ██░░░░░░ 1,000 of 4,000");
        assert_eq!(row(&progress(Some(9), Some(4)), 10), "Reading  4 of 4");
        assert_eq!(row(&progress(None, None), 80), "Reading");
    }
}
