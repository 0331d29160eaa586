//! Making a conversation shorter than what a model can read, without losing the thread: what the person said, and what
//! instructs or reminds beside it, stays whole, so does the plan, and what was read is named, so that it is not read again without need.

use crate::{conversation::Ledger, plan::Plan, prompt};
use deskhand_models::Piece;
use std::fmt::Write as _;

/// What the model is asked for before its conversation is made shorter.
pub(crate) const ASK: &str = "There is little room left in this conversation: what was said until now will be replaced by what \
you write now. Call no tool. Write down, for yourself: what was found out, what was decided and why, what was done, what is \
still open and what you would do next. Name files by their paths and keep figures exact.";

/// The host's own notes hold at most so much of what the model said and did, in bytes; the older goes first.
const NOTES: usize = 16 << 10;
/// And so many names of what was read.
const NAMES: usize = 300;

/// What a conversation begins with instead of all that was said.
pub(crate) fn pieces(ledger: &Ledger, plan: &Plan, summary: Option<&str>) -> Vec<Piece> {
    let instructions = ledger.instructions.iter().flat_map(|(_, pieces)| pieces.iter().cloned());
    let before = instructions.chain(ledger.notes.iter().cloned());
    let mut pieces: Vec<Piece> = before.chain(ledger.said.iter().map(Piece::text)).collect();
    let mut text = String::new();
    match summary {
        Some(summary) => {
            let _ = writeln!(text, "Your own summary of what went before:\n{}", summary.trim());
        }
        None => {
            let mut kept = 0;
            let lines = ledger.done.iter().rev().take_while(|line| {
                kept += line.len() + 1;
                kept <= NOTES
            });
            let mut lines: Vec<&str> = lines.map(String::as_str).collect();
            let left_out = ledger.done.len() - lines.len();
            lines.reverse();
            let _ = writeln!(text, "What you said and did before, from the host's notes:");
            if left_out > 0 {
                let _ = writeln!(text, "({left_out} older lines are left out)");
            }
            let _ = writeln!(text, "{}", lines.join("\n"));
        }
    }
    if !plan.steps.is_empty() {
        let _ = write!(text, "The plan as it stands:\n{}", plan.text());
    }
    if !ledger.read.is_empty() {
        let names: Vec<&str> = ledger.read.iter().take(NAMES).map(String::as_str).collect();
        let more = ledger.read.len() - names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let _ = writeln!(text, "Read until now: {}{more}", names.join(", "));
    }
    pieces.push(prompt::host("what went before", text.trim_end()));
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{State, Step};

    #[test]
    fn the_request_the_plan_and_what_was_read_stay() {
        let held = prompt::instructions("/a/DESKHAND.md", "Be brief.");
        let ledger = Ledger {
            instructions: vec![("/a/DESKHAND.md".to_owned(), vec![held])],
            notes: vec![Piece::text("1. Ada pays.")],
            said: vec!["Sort my invoices".to_owned(), "by year".to_owned()],
            done: (0..400).map(|number| format!("called read {number} {}", "x".repeat(80))).collect(),
            read: ["a.pdf".to_owned(), "b.pdf".to_owned()].into(),
        };
        let plan = Plan { steps: vec![Step { text: "Read".to_owned(), state: State::Doing, note: String::new() }] };
        let summary = "[deskhand: what went before]\nYour own summary of what went before:\nTwo files.\n\
            The plan as it stands:\n[>] Read\nRead until now: a.pdf, b.pdf\n[deskhand: end]";
        let held = "[deskhand: instructions from /a/DESKHAND.md]\nBe brief.\n[deskhand: end]";
        let expected = [held, "1. Ada pays.", "Sort my invoices", "by year", summary].map(Piece::text);
        assert_eq!(pieces(&ledger, &plan, Some("Two files.\n")), expected);

        let Some(Piece::Text { text: notes }) = pieces(&ledger, &plan, None).pop() else { unreachable!("a text") };
        assert!(notes.contains("older lines are left out"), "{notes}");
        assert!(notes.contains("called read 399 ") && !notes.contains("called read 3 "), "{notes}");
        assert!(notes.len() < NOTES + 300, "{}", notes.len());
    }
}
