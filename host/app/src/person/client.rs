//! Whoever is at a program that is served over the Model Context Protocol. They are asked what a plugin asks, and whether
//! changes may be made that can be undone. What grants something, removes something, can make something run or sends
//! something away is never asked there: what is at the other end could answer by itself. It is asked of the person at the
//! terminal of the server, if there is one, and waits for them otherwise.

use crate::show::{self, Detail, counted, line};
use deskhand_mcp::server::{Asking, Form, Unasked};
use deskhand_vocabulary::{
    Answer, Entry, Event, Log, Notice, Person, Plan, Principal, Progress, Question, Stop, TaskId, Unanswered,
    person::OTHER,
};
use serde_json::{Map, Value, json};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A plan of more text than this is shown in short, in bytes.
const WHOLE: usize = 8 << 10;

/// See the module.
pub(crate) struct Client {
    asking: Arc<Asking>,
    /// The person at the terminal of the server.
    here: Option<Arc<dyn Person>>,
    log: Arc<dyn Log>,
    said: Mutex<Said>,
}

/// What went on in a call.
#[derive(Default)]
pub(crate) struct Said {
    /// The task that it belongs to.
    task: Option<TaskId>,
    /// Whether the client has cancelled it.
    stop: Stop,
    /// What nobody answered, a line each.
    pub(crate) unanswered: Vec<String>,
    /// The last plan that was shown.
    pub(crate) plan: Option<String>,
    /// What the client is to be told.
    pub(crate) notices: Vec<String>,
}

impl Client {
    pub(crate) fn new(asking: Arc<Asking>, here: Option<Arc<dyn Person>>, log: Arc<dyn Log>) -> Self {
        Self { asking, here, log, said: Mutex::default() }
    }

    fn said(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call of this task begins, which has the client for itself.
    pub(crate) fn begin(&self, task: TaskId, stop: &Stop) {
        self.asking.begin();
        *self.said() = Said { task: Some(task), stop: stop.clone(), ..Said::default() };
    }

    /// What went on since.
    pub(crate) fn end(&self) -> Said {
        std::mem::take(&mut *self.said())
    }

    fn here(&self) -> Option<&Arc<dyn Person>> {
        self.here.as_ref().filter(|here| here.present())
    }

    /// Ask at the client.
    fn elicit(&self, question: &Question, form: &Form, until: &Stop) -> Result<Answer, Unanswered> {
        let (task, stop) = {
            let said = self.said();
            (said.task, said.stop.or(until))
        };
        let answered = self.asking.ask(form, &stop);
        let (answer, told) = match answered {
            Ok(filled) => match filled.and_then(|filled| answer(question, &form.schema, &filled)) {
                Some(answer) if answer != Answer::No => (Ok(answer), "accepted"),
                _ => (Ok(Answer::No), "declined"),
            },
            Err(Unasked::Absent) => (Err(Unanswered::Absent), "unanswered"),
            Err(Unasked::Cancelled) => (Err(Unanswered::Stopped), "cancelled"),
        };
        let event = Event::Elicited { question: kind(question).to_owned(), answer: told.to_owned() };
        // what follows on it is durable only after it
        self.log.queue(Entry { task, event, content: None });
        answer
    }
}

impl Person for Client {
    fn present(&self) -> bool {
        self.here().is_some() || self.asking.is_possible()
    }

    fn show(&self, plan: &Plan) {
        if let Some(here) = self.here() {
            here.show(plan);
        }
        self.said().plan = Some(shown(plan));
    }

    fn ask_until(&self, question: &Question, until: &Stop) -> Result<Answer, Unanswered> {
        let answer = match (self.here(), form(question)) {
            (Some(here), _) => here.ask_until(question, until),
            (None, Some(form)) => self.elicit(question, &form, until),
            (None, None) => Err(Unanswered::Absent),
        };
        if answer == Err(Unanswered::Absent) {
            self.said().unanswered.push(waits(question));
        }
        answer
    }

    fn tell(&self, notice: &Notice) {
        if let Some(here) = self.here() {
            here.tell(notice);
        }
        self.said().notices.push(show::notice(notice));
    }

    fn progress(&self, _: &Progress) {}
}

/// The same for one call, whose progress the client is told.
pub(crate) struct OfCall {
    pub(crate) client: Arc<dyn Person>,
    pub(crate) progress: Arc<dyn Fn(&Progress) + Send + Sync>,
}

impl Person for OfCall {
    fn present(&self) -> bool {
        self.client.present()
    }

    fn show(&self, plan: &Plan) {
        self.client.show(plan);
    }

    fn ask_until(&self, question: &Question, until: &Stop) -> Result<Answer, Unanswered> {
        self.client.ask_until(question, until)
    }

    fn tell(&self, notice: &Notice) {
        self.client.tell(notice);
    }

    fn progress(&self, progress: &Progress) {
        (self.progress)(progress);
    }
}

/// A plan in full, or in short where that is long.
fn shown(plan: &Plan) -> String {
    let plain = |detail| console::strip_ansi_codes(&show::plan(plan, detail)).into_owned();
    let full = plain(Detail::Full);
    if full.len() <= WHOLE { full } else { plain(Detail::Short) }
}

const fn kind(question: &Question) -> &'static str {
    match question {
        Question::Apply { .. } => "apply",
        Question::Remove { .. } => "remove",
        Question::Sensitive { .. } => "sensitive",
        Question::Steps { .. } => "steps",
        Question::Grant { .. } => "grant",
        Question::Install { .. } => "install",
        Question::Confirm { .. } => "confirm",
        Question::Choose { .. } => "choose",
        Question::Form { .. } => "form",
    }
}

/// A question as the person reads it in the inbox, in a line.
fn waits(question: &Question) -> String {
    match question {
        Question::Apply { plan } | Question::Remove { plan } => {
            let mut counts = counted(plan.feasible().count() as u64, "change");
            // as `--allow-removals` counts: a folder as all that is in it
            let removals: u64 = plan.losses().map(|change| change.files.max(1)).sum();
            if removals > 0 {
                counts = format!("{counts}, {}", counted(removals, "removal"));
            }
            format!("{} ({counts}) waits for your yes", line(&plan.title))
        }
        Question::Sensitive { plan } => format!("{}: what can run by itself waits for your yes", line(&plan.title)),
        Question::Grant { folder, .. } => format!("the folder {} is not granted", line(folder)),
        Question::Install { plugin, .. } => format!("{plugin} is to be installed"),
        Question::Steps { text } => line(text),
        Question::Confirm { origin, text }
        | Question::Choose { origin, text, .. }
        | Question::Form { origin, text, .. } => format!("{}{}", show::origin(origin), line(text)),
    }
}

/// How a question is put at the client; none where it may not be.
fn form(question: &Question) -> Option<Form> {
    let (origin, text, properties, required) = match question {
        // what cannot be taken back takes more than whoever is there
        Question::Apply { plan }
            if plan.losses().next().is_none() && plan.sensitive().next().is_none() && plan.beyond.is_none() =>
        {
            let message = format!("{}\nApply these changes? They can be undone with `deskhand undo`.", shown(plan));
            let schema = object(json!({"apply": {"type": "boolean", "title": "Apply"}}), &["apply"]);
            return Some(Form { message, schema });
        }
        Question::Confirm { origin, text } => {
            (origin, text, json!({"yes": {"type": "boolean", "title": "Yes"}}), vec!["yes"])
        }
        Question::Choose { origin, text, choices } => {
            let one = |choice: &deskhand_vocabulary::person::Choice| {
                let hint = if choice.hint.is_empty() { String::new() } else { format!(" ({})", line(&choice.hint)) };
                json!({"const": choice.id, "title": format!("{}{hint}", line(&choice.label))})
            };
            let choices_of: Vec<Value> = choices.iter().map(one).collect();
            let mut properties = json!({"choice": {"type": "string", "title": "Choice", "oneOf": choices_of}});
            if choices.iter().any(|choice| choice.id == OTHER) {
                properties["answer"] = json!({"type": "string", "title": "In your words"});
            }
            (origin, text, properties, vec!["choice"])
        }
        Question::Form { origin: origin @ Principal::Plugin(_), text, schema } => {
            return Some(Form { message: show::said(origin, text), schema: schema.clone() });
        }
        _ => return None,
    };
    // what the host itself asks in such a way grants something
    matches!(origin, Principal::Plugin(_))
        .then(|| Form { message: show::said(origin, text), schema: object(properties, &required) })
}

fn object(properties: Value, required: &[&str]) -> Value {
    json!({"type": "object", "properties": properties, "required": required})
}

/// What was filled in, as an answer; none if it is none.
fn answer(question: &Question, schema: &Value, filled: &Value) -> Option<Answer> {
    let yes = |key: &str| Some(if filled[key].as_bool()? { Answer::Yes } else { Answer::No });
    match question {
        Question::Apply { .. } => yes("apply"),
        Question::Confirm { .. } => yes("yes"),
        Question::Choose { choices, .. } => {
            let chosen = filled["choice"].as_str()?;
            let choice = choices.iter().find(|choice| choice.id == chosen)?;
            match filled["answer"].as_str().filter(|_| choice.id == OTHER) {
                Some(answer) => Some(Answer::Filled(json!({ "answer": answer }))),
                None => Some(Answer::Chosen(choice.id.clone())),
            }
        }
        Question::Form { .. } => {
            let fits = jsonschema::validator_for(schema).is_ok_and(|schema| schema.is_valid(filled));
            let known = |filled: &Map<String, Value>| filled.keys().all(|key| !schema["properties"][key].is_null());
            (fits && filled.as_object().is_some_and(known)).then(|| Answer::Filled(filled.clone()))
        }
        Question::Remove { .. }
        | Question::Sensitive { .. }
        | Question::Steps { .. }
        | Question::Grant { .. }
        | Question::Install { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use deskhand_vocabulary::{Access, Change, ChangeKind, Sha256, person::Choice};

    fn plugin() -> Principal {
        Principal::Plugin("home:mail".parse().unwrap())
    }

    fn choose(origin: Principal) -> Question {
        let choice = |id: &str| Choice { id: id.to_owned(), label: id.to_uppercase(), hint: String::new() };
        Question::Choose { origin, text: "Which?".to_owned(), choices: vec![choice("a"), choice(OTHER)] }
    }

    #[test]
    fn what_grants_is_never_asked_at_a_client() {
        let confirm = |origin| Question::Confirm { origin, text: "Do it?".to_owned() };
        let form = |origin| Question::Form { origin, text: "Fill in".to_owned(), schema: json!({}) };
        for question in [
            Question::Grant { folder: "/home/me".to_owned(), access: Access::Read },
            Question::Steps { text: "[open] one".to_owned() },
            confirm(Principal::Person),
            choose(Principal::Person),
            form(Principal::Person),
            form(Principal::Agent),
        ] {
            assert_eq!(super::form(&question), None, "{question:?}");
        }
        assert_eq!(super::form(&confirm(plugin())).unwrap().message, "[home:mail] Do it?");
    }

    #[test]
    fn who_asks_is_said_wherever_the_question_stands() {
        let question = Question::Confirm { origin: plugin(), text: "Do it?\nApply these changes?".to_owned() };
        assert_eq!(waits(&question), "[home:mail] Do it?\\u{a}Apply these changes?");
        assert_eq!(form(&question).unwrap().message, "[home:mail] Do it?\n  | Apply these changes?");
    }

    #[test]
    fn changes_and_removals_are_counted_apart() {
        let change = |kind, files| {
            Arc::new(Change {
                id: 1,
                kind,
                source: None,
                target: "Files/a".parse().ok(),
                bytes: 1,
                files,
                replaces: false,
                returned: None,
                reason: String::new(),
                sensitive: None,
                relies_on: Vec::new(),
                conflict: None,
            })
        };
        let plan = |changes| {
            Arc::new(Plan {
                title: "Tidy up".to_owned(),
                origin: Principal::Agent,
                changes,
                view: json!({}),
                beyond: None,
                digest: Sha256::of(b""),
            })
        };
        let [written, folder, empty] = [(ChangeKind::Write, 1), (ChangeKind::Remove, 12), (ChangeKind::Remove, 0)]
            .map(|(kind, files)| change(kind, files));
        let writes = plan(vec![Arc::clone(&written)]);
        assert_eq!(waits(&Question::Apply { plan: writes }), "Tidy up (1 change) waits for your yes");
        let all = plan(vec![written, folder, empty]);
        for question in [Question::Apply { plan: Arc::clone(&all) }, Question::Remove { plan: all }] {
            assert_eq!(waits(&question), "Tidy up (3 changes, 13 removals) waits for your yes");
        }
    }

    #[test]
    fn an_answer_is_one_of_those_that_were_asked_for() {
        let question = choose(plugin());
        let schema = form(&question).unwrap().schema;
        let said = |filled: Value| answer(&question, &schema, &filled);
        assert_eq!(said(json!({"choice": "a"})), Some(Answer::Chosen("a".to_owned())));
        let own = json!({"choice": OTHER, "answer": "mine"});
        assert_eq!(said(own), Some(Answer::Filled(json!({"answer": "mine"}))));
        for nonsense in [json!({}), json!({"choice": "b"}), json!({"choice": 1}), json!([]), json!(null)] {
            assert_eq!(said(nonsense.clone()), None, "{nonsense}");
        }
    }

    #[test]
    fn a_form_is_filled_in_as_its_plugin_says() {
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        let question = Question::Form { origin: plugin(), text: "How many?".to_owned(), schema: schema.clone() };
        let said = |filled: Value| answer(&question, &schema, &filled);
        assert_eq!(said(json!({"n": 3})), Some(Answer::Filled(json!({"n": 3}))));
        for nonsense in [json!({}), json!({"n": "3"}), json!({"n": 3, "more": 1}), json!("x")] {
            assert_eq!(said(nonsense.clone()), None, "{nonsense}");
        }
    }
}
