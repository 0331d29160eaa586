//! The document as text, for a terminal.

use super::{Part, Transcript, What};
use crate::show::{self, bytes, count, counted, line, lines};
use deskhand_agent::plan::{State, Step};
use jiff::tz::TimeZone;
use std::fmt::Write as _;

/// How it ended, in words.
pub(super) fn outcome(transcript: &Transcript) -> &str {
    transcript.outcome.as_deref().unwrap_or("not over")
}

/// What it took, in words.
pub(super) fn costs(transcript: &Transcript) -> String {
    let costs = &transcript.costs;
    let mut words = format!("{}, {} tokens, {} of money", replies(costs.replies), count(costs.tokens), costs.money);
    if costs.sent + costs.received > 0 {
        let _ = write!(words, "; {} sent, {} received", bytes(costs.sent), bytes(costs.received));
    }
    words
}

fn replies(number: u64) -> String {
    format!("{} {}", count(number), if number == 1 { "reply" } else { "replies" })
}

/// The mark of a step.
pub(super) const fn mark(step: &Step) -> &'static str {
    match step.state {
        State::Open => " ",
        State::Doing => ">",
        State::Done => "x",
        State::Skipped => "-",
        State::Failed => "!",
    }
}

/// All of it.
pub(super) fn text(transcript: &Transcript, zone: &TimeZone) -> String {
    let mut out = String::new();
    whole(transcript, zone, &mut out);
    if transcript.redacted > 0 {
        let _ = writeln!(out, "\n{} left out.", counted(transcript.redacted, "secret"));
    }
    out
}

fn whole(transcript: &Transcript, zone: &TimeZone, out: &mut String) {
    let when = transcript.started.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let _ = writeln!(out, "Task {}, {when}: {}", transcript.task, lines(&transcript.request));
    for folder in &transcript.folders {
        let _ = writeln!(out, "in {}", line(folder));
    }
    let _ =
        writeln!(out, "{}; {}", show::sentence(&line(outcome(transcript))).trim_end_matches('.'), costs(transcript));
    for step in &transcript.plan {
        let note = if step.note.is_empty() { String::new() } else { format!(" ({})", line(&step.note)) };
        let _ = writeln!(out, "  [{}] {}{note}", mark(step), line(&step.text));
    }
    for part in &transcript.parts {
        out.push('\n');
        one(part, zone, out);
    }
    for agent in &transcript.agents {
        let _ = writeln!(out, "\n--- A sub-agent of task {} ---", transcript.task);
        whole(agent, zone, out);
    }
}

fn one(part: &Part, zone: &TimeZone, out: &mut String) {
    let at = part.at.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string();
    let mut head = |words: &str| {
        let _ = writeln!(out, "{at}  {}", line(words));
    };
    let body = match &part.what {
        What::Said { by, text } => {
            head(&format!("{by}:"));
            text.clone()
        }
        What::Replied { model, text } => {
            head(&format!("{model}:"));
            text.clone()
        }
        What::Called { tool, arguments, outcome, output } => {
            head(&format!("{tool} {arguments}: {outcome}"));
            output.clone()
        }
        What::Proposed { title, changes, written } => {
            head(&format!("proposed: {title}"));
            let written = written.iter().map(|one| format!("{}:\n{}", one.path, one.difference));
            changes.iter().cloned().chain(written).collect::<Vec<_>>().join("\n")
        }
        What::Event { text } => {
            head(text);
            String::new()
        }
    };
    for row in lines(body.trim_end()).lines() {
        let _ = writeln!(out, "    {row}");
    }
}
