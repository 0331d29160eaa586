//! What is on record of a task, shown as it was shown when it happened.

use crate::{
    desk::Desk, exit::Exit, failure::Result, output, person, person::print_json, screen, show, task::Seen as Came,
};
use deskhand_agent::{
    plan::Plan,
    screen::{Screen, Seen},
    tool::Output,
};
use deskhand_models::{Call, Happening, Piece};
use deskhand_permissions::Standing;
use deskhand_records::Recorded;
use deskhand_tasks::message::Live;
use deskhand_vocabulary::{Event, Person, TaskId};
use serde_json::{Value, json};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// The most changes of a plan that are shown of those on record.
const CHANGES: usize = 20;

/// See the module.
pub(super) struct Replay {
    screen: Arc<dyn Screen>,
    json: bool,
    came: Came,
    /// The calls that have begun, by their ids.
    calls: HashMap<String, Call>,
    /// The last reply on record.
    replied: u64,
    /// How much was seen of the reply that is under way, in bytes.
    seen: usize,
    /// True once the plan that is on record next was seen.
    planned: bool,
    /// True once the person's first words, which are the request, were passed.
    asked: bool,
    over: Option<Over>,
}

/// How a task ended.
#[derive(Clone, Debug)]
pub(super) struct Over {
    outcome: Option<String>,
    /// What the person was told then.
    said: Vec<String>,
}

impl Over {
    fn exit(&self) -> Exit {
        match self.outcome.as_deref() {
            None => Exit::Unanswered,
            Some("done") => Exit::Done,
            Some("cancelled") => Exit::Declined,
            Some("stopped") => Exit::Stopped,
            Some("used-up") => Exit::UsedUp,
            Some(_) => Exit::Failed,
        }
    }
}

impl Replay {
    pub(super) fn on(screen: Arc<dyn Screen>, json: bool) -> Self {
        Self {
            screen,
            json,
            came: Came::default(),
            calls: HashMap::new(),
            replied: 0,
            seen: 0,
            planned: false,
            asked: false,
            over: None,
        }
    }

    /// How it ended, if it is over as far as it was read.
    pub(super) fn over(&mut self) -> Option<Over> {
        self.over.take()
    }

    /// Take in an event of its record.
    pub(super) fn take(&mut self, recorded: &Recorded) {
        self.came.take(recorded);
        self.over = None;
        let content = recorded.content.as_ref().unwrap_or(&Value::Null);
        match &recorded.event {
            Event::TaskEnded { outcome } => {
                self.over = Some(Over { outcome: Some(outcome.clone()), said: lines(&content["said"]) });
            }
            Event::TaskParked => self.over = Some(Over { outcome: None, said: lines(&content["said"]) }),
            // what came of it before was said then
            Event::TaskQueued { .. } | Event::TaskResumed => self.came = Came::default(),
            _ => {}
        }
        if !self.json {
            self.show(recorded, content);
        }
    }

    fn show(&mut self, recorded: &Recorded, content: &Value) {
        match &recorded.event {
            Event::Told { by } if by == "person" => {
                let words = words(&content["pieces"]);
                // the first is the request
                let is_request = !std::mem::replace(&mut self.asked, true);
                if !is_request && !words.is_empty() {
                    self.screen.show(Seen::Told(&words));
                }
            }
            Event::ModelReplied { .. } => {
                self.replied = recorded.id.0;
                let text = content["text"].as_str().unwrap_or_default();
                let rest = text.get(std::mem::take(&mut self.seen)..).unwrap_or_default();
                if !rest.is_empty() {
                    self.screen.show(Seen::Reply(&Happening::Text(rest)));
                }
                self.screen.show(Seen::Replied);
            }
            Event::ToolCalled { tool } => {
                let id = content["id"].as_str().unwrap_or_default().to_owned();
                let call = Call { id: id.clone(), name: tool.clone(), input: Ok(content["arguments"].clone()) };
                self.screen.show(Seen::Calling(&call));
                self.calls.insert(id, call);
            }
            Event::ToolAnswered { micros, .. } => {
                let call = self.calls.remove(content["id"].as_str().unwrap_or_default());
                let output = serde_json::from_value::<Output>(content["output"].clone()).ok();
                if let (Some(call), Some(output)) = (call, output) {
                    let took = Duration::from_micros(*micros);
                    self.screen.show(Seen::Called(&call, output.outcome, took, &output.gist()));
                }
            }
            Event::StepsSet { .. } => {
                let steps = serde_json::from_value(content["steps"].clone()).unwrap_or_default();
                self.screen.show(Seen::Plan(&Plan { steps }));
            }
            Event::Proposed { .. } if !std::mem::take(&mut self.planned) => output::later(&planned(&content["plan"])),
            Event::Shortened { turns } => {
                self.screen.show(Seen::Shorter(usize::try_from(*turns).unwrap_or(usize::MAX)));
            }
            _ => {}
        }
    }

    /// What is seen beside the record.
    pub(super) fn live(&mut self, live: Live, person: &dyn Person) {
        if self.json {
            return self.live_json(&live);
        }
        let reply = |happening: Happening<'_>| self.screen.show(Seen::Reply(&happening));
        match live {
            Live::Began => {
                self.seen = 0;
                reply(Happening::Began { attempt: 1, request_id: None });
            }
            Live::Text { after, from, text } => {
                if let Some(more) = self.more(after, from, &text) {
                    self.screen.show(Seen::Reply(&Happening::Text(more)));
                }
            }
            Live::Thinking { text } => reply(Happening::Thinking(&text)),
            Live::Call { tool } => reply(Happening::Call { name: &tool }),
            Live::Void { why } => {
                self.screen.show(Seen::Replied);
                if std::mem::take(&mut self.seen) > 0 {
                    output::later(&format!("{}\n", screen::VOID));
                }
                output::later(&format!("{why}\n"));
            }
            Live::Paused { paused } => self.screen.show(Seen::Paused(paused)),
            Live::Line { line } => output::later(&format!("{}\n", show::lines(&line))),
            Live::Plan { plan } => {
                self.planned = true;
                person.show(&plan);
            }
            Live::Notice { notice } => person.tell(&notice),
            Live::Progress { progress } => person.progress(&progress),
        }
    }

    /// What of this text was not seen: nothing of a reply that is on record already, and nothing after a gap, which the record
    /// closes.
    fn more<'t>(&mut self, after: u64, from: u64, text: &'t str) -> Option<&'t str> {
        if self.replied > after {
            return None;
        }
        let known = self.seen.checked_sub(usize::try_from(from).ok()?)?;
        let more = text.get(known..).filter(|more| !more.is_empty())?;
        self.seen += more.len();
        Some(more)
    }

    fn live_json(&mut self, live: &Live) {
        match live {
            Live::Began => self.seen = 0,
            Live::Text { after, from, text } => {
                if let Some(more) = self.more(*after, *from, text) {
                    print_json("text", &json!({ "text": more }));
                }
            }
            Live::Thinking { text } => print_json("thinking", &json!({ "text": text })),
            Live::Paused { paused } => print_json("paused", &json!({ "paused": paused })),
            Live::Void { why } => {
                self.seen = 0;
                print_json("retrying", &json!({ "reason": why }));
            }
            Live::Notice { notice } => print_json("notice", notice),
            Live::Progress { progress } => print_json("progress", progress),
            Live::Call { .. } | Live::Line { .. } | Live::Plan { .. } => {}
        }
    }

    /// Say what came of it, as its own terminal does.
    pub(super) fn finish(self, desk: &Desk, task: TaskId, over: Over) -> Result {
        let Self { screen, came, .. } = self;
        // what was painted goes first
        drop(screen);
        let seen = came.finish(desk, None, Standing::default())?;
        person::ring(desk.settings.tasks.notify);
        let exit = over.exit();
        if desk.json {
            let outcome = over.outcome.as_deref().unwrap_or("parked");
            print_json("ended", &json!({"task": task, "outcome": outcome, "notes": over.said}));
        } else {
            over.said.iter().for_each(|line| output::aside(&show::lines(line)));
        }
        Ok(if exit == Exit::Done { seen } else { exit })
    }
}

/// A plan as it is on record: a line a change.
fn planned(plan: &Value) -> String {
    let lines = lines(&plan["changes"]);
    let shown = lines.iter().take(CHANGES).map(|line| format!("  {}\n", show::line(line))).collect::<String>();
    let more = match lines.len().checked_sub(CHANGES) {
        Some(more @ 1..) => format!("  … and {} more\n", show::counted(more as u64, "change")),
        _ => String::new(),
    };
    format!("[agent] {}\n{shown}{more}", show::line(plan["title"].as_str().unwrap_or_default()))
}

fn lines(said: &Value) -> Vec<String> {
    said.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What was said in words.
fn words(pieces: &Value) -> String {
    let pieces: Vec<Piece> = serde_json::from_value(pieces.clone()).unwrap_or_default();
    let texts = pieces.iter().filter_map(|piece| match piece {
        Piece::Text { text } => Some(text.as_str()),
        Piece::Image { .. } => None,
    });
    texts.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskhand_agent::screen::Dark;

    #[test]
    fn a_reply_is_seen_once_from_wherever_it_is_heard() {
        let mut replay = Replay::on(Arc::new(Dark), false);
        assert_eq!(replay.more(0, 0, "one "), Some("one "));
        assert_eq!(replay.more(0, 4, "two "), Some("two "));
        // who comes again hears it from the beginning
        assert_eq!(replay.more(0, 0, "one two three"), Some("three"));
        assert_eq!(replay.more(0, 0, "one two three"), None);
        // a gap is closed by the record
        assert_eq!(replay.more(0, 20, "five"), None);
        replay.replied = 7;
        assert_eq!(replay.more(3, 0, "one two three"), None);
    }
}
