//! What stands at a terminal: what is printed for good, and what stands below it for now. Pure: what is seen and the time
//! go in, text and rows come out.

use super::{
    call,
    flow::Flow,
    markdown::{Markdown, Row},
    notice, steps,
    style::{Style, Styles},
};
use crate::{
    output::Size,
    show::{self, lines},
};
use deskhand_agent::{plan::Plan, screen::Seen, tool::Outcome};
use deskhand_models::{Call, Happening};
use deskhand_vocabulary::text::in_a_line;
use std::time::Duration;

/// The longest that is kept of what the model thinks, in bytes: a row shows its end.
const THOUGHT: usize = 1000;

/// What turns while something is under way; one turn takes a second.
const TURNING: [char; 8] = ['⠇', '⠋', '⠙', '⠸', '⠴', '⠦', '⠇', '⠋'];

/// See the module.
#[derive(Debug)]
pub(super) struct Board {
    styles: Styles,
    text: Flow,
    markdown: Markdown,
    plan: Plan,
    running: Vec<Running>,
    under_way: UnderWay,
    /// Since when.
    since: Duration,
    /// What was printed last.
    last: Last,
    /// True once the reply that comes has said something.
    spoken: bool,
}

#[derive(Debug)]
struct Running {
    id: String,
    title: String,
    since: Duration,
}

/// What the model is at.
#[derive(Debug)]
enum UnderWay {
    /// Nothing has come of its reply.
    Waiting,
    Thinking(String),
    /// It writes what is seen.
    Writing,
    /// It writes a call of a tool: which, and how much of it is there, in bytes.
    Calling(String, u64),
    /// It is tried again at this time.
    Trying(Duration),
    /// Nothing: the person holds the task.
    Paused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Last {
    /// Nothing, or an empty line.
    Nothing,
    Text,
    Other,
}

impl Board {
    pub(super) fn new(styles: Styles) -> Self {
        Self {
            styles,
            text: Flow::default(),
            markdown: Markdown::new(styles),
            plan: Plan::default(),
            running: Vec::new(),
            under_way: UnderWay::Waiting,
            since: Duration::ZERO,
            last: Last::Nothing,
            spoken: false,
        }
    }

    /// Take in what is seen `now`. What is to be printed for good.
    pub(super) fn take(&mut self, seen: Seen<'_>, now: Duration, columns: usize) -> String {
        let mut out = String::new();
        match seen {
            Seen::Reply(happening) => self.happening(happening, now, columns, &mut out),
            Seen::Replied => {
                self.end_text(columns, &mut out);
                self.gap(&mut out);
                self.spoken = false;
                self.turn(UnderWay::Waiting, now);
            }
            Seen::Calling(wanted) => {
                let title = call::title(wanted);
                self.running.push(Running { id: wanted.id.clone(), title, since: now });
            }
            Seen::Called(wanted, outcome, took, says) => {
                self.running.retain(|running| running.id != wanted.id);
                if outcome != Outcome::Done || !call::is_quiet(wanted) {
                    self.other(&self.call(wanted, outcome, took, says), columns, &mut out);
                }
                self.turn(UnderWay::Waiting, now);
            }
            Seen::Plan(plan) => self.plan = plan.clone(),
            Seen::Paused(true) => self.turn(UnderWay::Paused, now),
            Seen::Paused(false) => self.turn(UnderWay::Waiting, now),
            Seen::Budget(alert) => self.other(&self.styles.of(Style::Busy, &notice::budget(alert)), columns, &mut out),
            Seen::Shorter(turns) => self.other(&notice::shorter(turns), columns, &mut out),
            Seen::Told(words) => self.other(&notice::told(words), columns, &mut out),
            Seen::Reflected(found) => self.other(&notice::reflected(found), columns, &mut out),
        }
        out
    }

    fn happening(&mut self, happening: &Happening<'_>, now: Duration, columns: usize, out: &mut String) {
        match happening {
            Happening::Began { .. } => self.turn(UnderWay::Waiting, now),
            Happening::Text(text) => {
                self.spoken = true;
                for line in self.text.push(text) {
                    self.print_line(&line, columns, out);
                }
                self.turn(UnderWay::Writing, now);
            }
            Happening::Thinking(text) => match &mut self.under_way {
                UnderWay::Thinking(thought) => {
                    thought.push_str(text);
                    let mut from = thought.len().saturating_sub(THOUGHT);
                    while !thought.is_char_boundary(from) {
                        from += 1;
                    }
                    thought.drain(..from);
                }
                _ => self.turn(UnderWay::Thinking((*text).to_owned()), now),
            },
            Happening::Call { name } => self.turn(UnderWay::Calling(show::line(name), 0), now),
            Happening::Input(more) => {
                if let UnderWay::Calling(_, bytes) = &mut self.under_way {
                    *bytes += more.len() as u64;
                }
            }
            Happening::Retrying { attempt, tries, error, wait, .. } => {
                self.end_text(columns, out);
                if std::mem::take(&mut self.spoken) {
                    self.other(notice::VOID, columns, out);
                }
                let said = format!("{}.", notice::retrying(error, *wait, attempt + 1, *tries));
                self.other(&self.styles.of(Style::Busy, &said), columns, out);
                self.turn(UnderWay::Trying(now + *wait), now);
            }
            Happening::Unknown { .. } | Happening::Renamed { .. } => {}
        }
    }

    fn turn(&mut self, under_way: UnderWay, now: Duration) {
        if std::mem::discriminant(&self.under_way) != std::mem::discriminant(&under_way) {
            self.since = now;
        }
        self.under_way = under_way;
    }

    fn print_line(&mut self, line: &str, columns: usize, out: &mut String) {
        if self.last == Last::Other {
            out.push('\n');
        }
        self.last = Last::Text;
        let row = self.markdown.line(line);
        let rows = if row.code { vec![row.whole()] } else { row.wrapped(columns) };
        rows.iter().for_each(|row| out.extend([row, "\n"]));
    }

    fn end_text(&mut self, columns: usize, out: &mut String) {
        if let Some(line) = self.text.end() {
            self.print_line(&line, columns, out);
        }
        self.markdown.begin();
    }

    /// What the model says stands apart.
    fn gap(&mut self, out: &mut String) {
        if self.last == Last::Text {
            out.push('\n');
            self.last = Last::Nothing;
        }
    }

    /// Print what the model does not say. What is too long goes on further right.
    fn other(&mut self, text: &str, columns: usize, out: &mut String) {
        self.gap(out);
        self.last = Last::Other;
        for line in text.lines() {
            let (lead, line) = line.split_at(line.len() - line.trim_start().len());
            let row = Row { lead: lead.to_owned(), text: line.to_owned(), code: false };
            row.hanging(columns, 2).iter().for_each(|row| out.extend([row, "\n"]));
        }
    }

    fn call(&self, wanted: &Call, outcome: Outcome, took: Duration, says: &str) -> String {
        let (mark, style) = match outcome {
            Outcome::Done => ("✓", Style::Good),
            Outcome::Parked => ("·", Style::Busy),
            Outcome::Failed | Outcome::NotFound | Outcome::Denied | Outcome::Stopped | Outcome::Unknown => {
                ("✗", Style::Bad)
            }
        };
        let how = call::outcome(outcome, took, says);
        let how = self.styles.of(if outcome == Outcome::Done { Style::Faint } else { style }, &how);
        format!("{} {}  {how}", self.styles.of(style, mark), call::title(wanted))
    }

    /// What stands below what is printed.
    pub(super) fn rows(&self, now: Duration, size: Size) -> Vec<String> {
        let busy = self.busy(now, size);
        // what comes now matters more than the plan, and some rows of what was printed are to stay
        let room = size.rows.saturating_sub(busy.len() + 3);
        let mut tail = self.tail(size);
        let plan = steps::rows(&self.plan, self.styles, room.saturating_sub(tail.len().min(room / 2)));
        tail.drain(..tail.len().saturating_sub(room.saturating_sub(plan.len()).max(1)));
        let gap = !plan.is_empty() && (self.last != Last::Nothing || !tail.is_empty());
        tail.into_iter().chain(gap.then(String::new)).chain(plan).chain(busy).collect()
    }

    /// What has come of a line that goes on.
    fn tail(&self, size: Size) -> Vec<String> {
        let Some(line) = self.text.rest() else { return Vec::new() };
        let gap = (self.last == Last::Other).then(String::new);
        gap.into_iter().chain(self.markdown.unfinished(line).wrapped(size.columns.saturating_sub(1))).collect()
    }

    /// What is under way.
    fn busy(&self, now: Duration, size: Size) -> Vec<String> {
        let turn = TURNING[usize::try_from(now.as_millis() / 125).unwrap_or(0) % TURNING.len()];
        let row = |what: &str, since: Duration| {
            // the time stays where what it is about is cut
            let took = now.saturating_sub(since).as_secs();
            let took =
                if took > 0 { format!("  {}", show::duration(Duration::from_secs(took))) } else { String::new() };
            let what = crate::output::cut(what, size.columns.saturating_sub(3 + took.len()));
            format!("{} {what}{}", self.styles.of(Style::Busy, &turn.to_string()), self.styles.of(Style::Faint, &took))
        };
        if !self.running.is_empty() {
            return self.running.iter().map(|running| row(&running.title, running.since)).collect();
        }
        match &self.under_way {
            UnderWay::Waiting => vec![row("Waiting for the model", self.since)],
            UnderWay::Thinking(thought) => {
                let thought = in_a_line(&lines(thought));
                let most = size.columns.saturating_sub(24);
                let skipped = console::measure_text_width(&thought).saturating_sub(most);
                let end: String = thought.chars().skip(skipped).collect();
                vec![row(&format!("Thinking: {}", self.styles.of(Style::Faint, end.trim())), self.since)]
            }
            UnderWay::Writing => Vec::new(),
            UnderWay::Calling(tool, 0) => vec![row(&format!("Preparing {tool}"), self.since)],
            UnderWay::Calling(tool, bytes) => {
                vec![row(&format!("Preparing {tool} ({})", show::bytes(*bytes)), self.since)]
            }
            UnderWay::Trying(at) if *at > now => {
                let left = (*at - now).as_secs() + 1;
                vec![row(&format!("Trying again in {left} s"), now)]
            }
            UnderWay::Trying(at) => vec![row("Waiting for the model", *at)],
            UnderWay::Paused => vec![row("Paused: type resume to go on", self.since)],
        }
    }

    /// What is printed at the end: the plan, as far as it came.
    pub(super) fn end(&mut self, columns: usize) -> String {
        let mut out = String::new();
        self.end_text(columns, &mut out);
        self.gap(&mut out);
        if !self.plan.steps.is_empty() {
            if self.last == Last::Other {
                out.push('\n');
            }
            let rows = steps::rows(&self.plan, self.styles, usize::MAX);
            rows.iter().for_each(|row| out.extend([row, "\n"]));
            out.push('\n');
        }
        out
    }
}
