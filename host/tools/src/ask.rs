//! `ask_user`: a question of the agent to the person, with choices, in words of their own, or both.

use crate::{arguments, own::NotDone};
use deskhand_agent::tool::{Call, Effect, Outcome, Output, Tool, Tools};
use deskhand_permissions::{Context, Gate, effect::AskPerson};
use deskhand_vocabulary::{
    Answer, Person, Principal, Question, Stop, Unanswered,
    person::{Choice, OTHER},
    text::{safe, shortened},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;
use std::{collections::BTreeSet, fmt, sync::Arc};

const ASK: &str = "ask_user";
/// The most choices.
const CHOICES: usize = 8;
/// The most characters of a question, and of a choice.
const TEXT: usize = 2000;
const CHOICE: usize = 200;
/// The field of the form for words of the person's own.
const WORDS: &str = "answer";

/// See the module.
pub struct AskUser {
    gate: Arc<Gate>,
    context: Context,
    person: Arc<dyn Person>,
}

impl fmt::Debug for AskUser {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AskUser").field("context", &self.context).finish_non_exhaustive()
    }
}

/// What the tool takes.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Arguments {
    question: String,
    /// At most 8 answers to choose from.
    #[serde(default)]
    choices: Vec<String>,
    /// Whether they may answer in words of their own instead.
    #[serde(default)]
    other: bool,
}

impl AskUser {
    /// In the name of `context`, to `person`.
    pub fn new(gate: Arc<Gate>, context: Context, person: Arc<dyn Person>) -> Self {
        Self { gate, context, person }
    }

    fn put(&self, Arguments { question, choices, other }: Arguments) -> Result<Output, NotDone> {
        let question = shortened(question.trim(), TEXT);
        let choices: Vec<String> = choices.iter().map(|choice| shortened(choice.trim(), CHOICE)).collect();
        if question.is_empty() {
            return Err(NotDone::failed("`question` is empty. Ask something"));
        }
        if choices.len() > CHOICES {
            return Err(NotDone::failed(format!("a question has at most {CHOICES} choices, not {}", choices.len())));
        }
        let different: BTreeSet<&String> = choices.iter().filter(|choice| !choice.is_empty()).collect();
        if different.len() != choices.len() {
            return Err(NotDone::failed("a choice is empty or there twice. Make them different"));
        }
        self.gate.permit(&self.context, AskPerson)?.redeem();
        let answer = if choices.is_empty() { self.words(&question) } else { self.choice(&question, &choices, other) };
        match answer {
            Ok(output) => Ok(output),
            Err(Unanswered::Absent) => {
                Ok(Output { gist: Some(waits(&question, &choices)), ..Output::not_done(Outcome::Parked, NOBODY) })
            }
            Err(Unanswered::Stopped) => Err(NotDone::stopped()),
        }
    }

    fn choice(&self, question: &str, choices: &[String], other: bool) -> Result<Output, Unanswered> {
        let choice =
            |id: String, label: &str, hint: &str| Choice { id, label: label.to_owned(), hint: hint.to_owned() };
        let mut all: Vec<Choice> =
            choices.iter().enumerate().map(|(at, label)| choice((at + 1).to_string(), label, "")).collect();
        if other {
            all.push(choice(OTHER.to_owned(), "Other", "in your own words"));
        }
        let asked = Question::Choose { origin: Principal::Agent, text: question.to_owned(), choices: all };
        match self.person.ask(&asked)? {
            Answer::Chosen(id) if other && id == OTHER => self.words(question),
            // in words at once
            Answer::Filled(filled) if other => Ok(answered(&filled)),
            Answer::Chosen(id) => {
                let chosen = id.parse::<usize>().ok().and_then(|number| choices.get(number.checked_sub(1)?));
                Ok(Output::done(chosen.map_or_else(none, |chosen| format!("The person chose: {chosen}"))))
            }
            _ => Ok(Output::done(none())),
        }
    }

    fn words(&self, question: &str) -> Result<Output, Unanswered> {
        let schema = json!({
            "type": "object",
            "properties": {WORDS: {"type": "string", "description": "Your answer"}},
        });
        let asked = Question::Form { origin: Principal::Agent, text: question.to_owned(), schema };
        Ok(match self.person.ask(&asked)? {
            Answer::Filled(filled) => answered(&filled),
            _ => Output::done(none()),
        })
    }
}

fn answered(filled: &serde_json::Value) -> Output {
    Output::done(match filled[WORDS].as_str().map(str::trim) {
        Some(words) if !words.is_empty() => format!("The person answered: {words}"),
        _ => none(),
    })
}

/// What the model is told where nobody is there.
const NOBODY: &str = "Nobody is there to answer now. The question is put to the person when they are, and you are told; go on \
    with what does not need the answer.";

fn none() -> String {
    "The person gave no answer. Decide well yourself, or do without.".to_owned()
}

/// A question that nobody answered, in a line for who comes later.
fn waits(question: &str, choices: &[String]) -> String {
    let choices = if choices.is_empty() { String::new() } else { format!(" ({})", choices.join(" / ")) };
    safe(&format!("the agent asks: {question}{choices}"), false)
}

impl Tools for AskUser {
    fn tools(&self) -> Vec<Tool> {
        let description = "Ask the person something that only they can decide: with choices, in their own words, or both. Do not ask what \
             you can find out, nor whether changes may be made: they are asked that anyway.";
        vec![Tool::new(ASK, description, arguments::schema::<Arguments>(), Effect::Ask)]
    }

    fn call(&self, call: &Call, _: &Stop) -> Output {
        let put =
            arguments::read::<Arguments>(&call.arguments).map_err(NotDone::failed).and_then(|given| self.put(given));
        put.unwrap_or_else(NotDone::output)
    }
}
