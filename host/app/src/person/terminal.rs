//! A person at a terminal: plans are shown, questions are asked one at a time, progress is a bar.

use super::{
    editor,
    input::{self, Input},
};
use crate::{
    output,
    show::{self, Detail},
};
use deskhand_vocabulary::{
    Access, Answer, Notice, Person, Plan, Principal, Progress, Question, Sha256, Stop, Unanswered,
    manifest::Permission, person::Choice, text,
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// See the module.
pub(crate) struct Terminal {
    stop: Stop,
    bar: Mutex<Option<ProgressBar>>,
    /// One question at a time; and the text that the person left of a plan, if it was found wanting.
    asking: Mutex<Option<(Sha256, String)>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Terminal {
    pub(crate) fn new(stop: Stop) -> Self {
        Self { stop, bar: Mutex::default(), asking: Mutex::default() }
    }

    fn clear(&self) {
        if let Some(bar) = locked(&self.bar).take() {
            bar.finish_and_clear();
        }
    }

    /// Ask until the answer is one of `choices`: a word each, known by its first letter.
    fn choose(&self, prompt: &str, choices: &[&str]) -> Result<usize, Unanswered> {
        let names: Vec<String> = choices.iter().map(|choice| format!("[{}]{}", &choice[..1], &choice[1..])).collect();
        loop {
            output::text(&format!("{prompt} {}: ", names.join(", ")));
            let line = match input::line(&self.stop) {
                Input::Line(line) => line.to_lowercase(),
                // the last choice is always the one that does nothing
                Input::End => {
                    output::text("\n");
                    return Ok(choices.len() - 1);
                }
                Input::Stopped => {
                    output::text("\n");
                    return Err(Unanswered::Stopped);
                }
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

    fn yes_or_no(&self, prompt: &str) -> Result<Answer, Unanswered> {
        Ok(if self.choose(prompt, &["Yes", "No"])? == 0 { Answer::Yes } else { Answer::No })
    }

    fn line(&self, prompt: &str) -> Result<String, Unanswered> {
        output::text(prompt);
        match input::line(&self.stop) {
            Input::Line(line) => Ok(line),
            Input::End => Ok(String::new()),
            Input::Stopped => Err(Unanswered::Stopped),
        }
    }

    fn apply(&self, plan: &Plan, left: &mut Option<(Sha256, String)>) -> Result<Answer, Unanswered> {
        loop {
            match self.choose("Apply this?", &["Apply", "Edit", "List all", "Cancel"])? {
                0 => return Ok(Answer::Yes),
                1 => {
                    let text = match left.as_ref().filter(|(digest, _)| *digest == plan.digest) {
                        Some((_, text)) => text.clone(),
                        None => deskhand_workspace::edit_text(plan),
                    };
                    match editor::edit(&text) {
                        Ok(edited) if edited == text => output::text("Nothing was changed in the plan.\n"),
                        Ok(edited) => {
                            *left = Some((plan.digest, edited.clone()));
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

    fn steps(&self, text: &str) -> Result<Answer, Unanswered> {
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

    fn remove(&self, plan: &Plan) -> Result<Answer, Unanswered> {
        let (files, bytes) =
            plan.losses().fold((0, 0), |(files, bytes), change| (files + change.files.max(1), bytes + change.bytes));
        let kept = match &plan.beyond {
            None => "They are kept and `deskhand undo` brings them back.".to_owned(),
            Some(beyond) => show::too_much(beyond),
        };
        output::text(&format!(
            "\n{} will be removed ({}). {kept}\n{}",
            show::counted(files, "file"),
            show::bytes(bytes),
            show::removals(plan, Detail::Short)
        ));
        let question = if plan.beyond.is_some() { "Remove them for good?" } else { "Remove them?" };
        loop {
            match self.choose(question, &["Yes", "List all", "No"])? {
                0 => return Ok(Answer::Yes),
                1 => output::text(&show::removals(plan, Detail::Full)),
                _ => return Ok(Answer::No),
            }
        }
    }

    fn choices(&self, origin: &Principal, question: &str, choices: &[Choice]) -> Result<Answer, Unanswered> {
        output::text(&format!("{}{}\n", show::origin(origin), show::lines(question)));
        for (number, choice) in choices.iter().enumerate() {
            let hint = if choice.hint.is_empty() { String::new() } else { format!("  ({})", show::line(&choice.hint)) };
            output::text(&format!("  {}  {}{hint}\n", number + 1, show::line(&choice.label)));
        }
        loop {
            let line = self.line("Number (nothing for none): ")?;
            if line.is_empty() {
                return Ok(Answer::No);
            }
            let chosen = line.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            if let Some(choice) = chosen.and_then(|index| choices.get(index)) {
                return Ok(Answer::Chosen(choice.id.clone()));
            }
            output::text(&format!("Please type a number from 1 to {}.\n", choices.len()));
        }
    }

    fn form(&self, origin: &Principal, question: &str, schema: &Value) -> Result<Answer, Unanswered> {
        output::text(&format!("{}{}\n", show::origin(origin), show::lines(question)));
        let mut filled = Map::new();
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            let label = field["description"].as_str().or(field["title"].as_str()).unwrap_or(name);
            let line = self.line(&format!("  {}: ", show::line(label)))?;
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

    fn ask(&self, question: &Question) -> Result<Answer, Unanswered> {
        let mut left = locked(&self.asking);
        self.clear();
        match question {
            Question::Apply { plan } => self.apply(plan, &mut left),
            Question::Remove { plan } => self.remove(plan),
            Question::Sensitive { plan } => {
                output::text(&format!("\nThese changes can make something run:\n{}", show::sensitive(plan)));
                self.yes_or_no("Make them?")
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
            Question::Confirm { origin, text } => {
                self.yes_or_no(&format!("{}{}", show::origin(origin), show::lines(&text::shortened(text, 2000))))
            }
            Question::Choose { origin, text, choices } => self.choices(origin, text, choices),
            Question::Form { origin, text, schema } => self.form(origin, text, schema),
        }
    }

    fn tell(&self, notice: &Notice) {
        self.clear();
        output::text(&format!("{}\n", show::notice(notice)));
    }

    fn progress(&self, progress: &Progress) {
        let mut bar = locked(&self.bar);
        // a bar shows one piece of work: what has another length is another
        if bar.as_ref().is_some_and(|bar| bar.length() != progress.total) {
            bar.take().into_iter().for_each(|bar| bar.finish_and_clear());
        }
        let ended = progress.total.is_some() && progress.done >= progress.total;
        if ended {
            bar.take().into_iter().for_each(|bar| bar.finish_and_clear());
            return;
        }
        let bar = bar.get_or_insert_with(ProgressBar::new_spinner);
        match progress.total {
            Some(total) => {
                if bar.length() != Some(total) {
                    bar.set_length(total);
                    bar.set_style(
                        ProgressStyle::with_template("{msg} {wide_bar} {human_pos} of {human_len}")
                            .unwrap_or_else(|_| ProgressStyle::default_bar()),
                    );
                }
                bar.set_position(progress.done.unwrap_or(0));
            }
            None => bar.tick(),
        }
        bar.set_message(format!(
            "{}{}",
            show::origin(&progress.origin),
            show::line(&text::shortened(&progress.text, 60))
        ));
    }
}
