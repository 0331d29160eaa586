//! The steps of a task: in words, and as a list at a terminal.

use super::style::{Style, Styles};
use crate::show::line;
use deskhand_agent::plan::{Plan, State, Step};

/// The whole plan, in words.
pub(super) fn whole(plan: &Plan) -> String {
    let over = plan.steps.iter().filter(|step| step.state.is_over()).count();
    let head = format!("Plan, {over} of {} steps over:", plan.steps.len());
    let rows = (1..).zip(&plan.steps).map(|(number, one)| format!("\n  {}", step(number, one)));
    rows.fold(head, |all, row| all + &row)
}

/// One step in words, with its number from 1.
pub(super) fn step(number: usize, step: &Step) -> String {
    format!("{number}. {}: {}{}", state(step.state), line(&step.text), note(step))
}

const fn state(state: State) -> &'static str {
    match state {
        State::Open => "open",
        State::Doing => "under way",
        State::Done => "done",
        State::Skipped => "left out",
        State::Failed => "failed",
    }
}

fn note(step: &Step) -> String {
    if step.note.is_empty() { String::new() } else { format!(" ({})", line(&step.note)) }
}

/// The steps that are otherwise than before, with their numbers; nothing where the plan has other steps.
pub(super) fn changed<'a>(before: &Plan, now: &'a Plan) -> Option<Vec<(usize, &'a Step)>> {
    let same = before.steps.len() == now.steps.len()
        && before.steps.iter().zip(&now.steps).all(|(before, now)| before.text == now.text);
    same.then(|| (1..).zip(&now.steps).filter(|(number, now)| before.steps[number - 1] != **now).collect())
}

/// The plan as a list, a row each, of at most so many rows: those around what is under way.
pub(super) fn rows(plan: &Plan, styles: Styles, most: usize) -> Vec<String> {
    let rows: Vec<String> = plan.steps.iter().map(|step| row(step, styles)).collect();
    if rows.len() <= most {
        return rows;
    }
    if most < 3 {
        return Vec::new();
    }
    let now = plan.steps.iter().position(|step| !step.state.is_over()).unwrap_or(rows.len());
    // two rows say how many there are before and after
    let shown = most - 2;
    let from = now.saturating_sub(shown / 2).min(rows.len() - shown);
    let more = |count: usize, where_: &str| styles.of(Style::Faint, &format!("  … {count} {where_}"));
    let before = more(from, "before");
    let after = more(rows.len() - shown - from, "to follow");
    std::iter::once(before).chain(rows.into_iter().skip(from).take(shown)).chain([after]).collect()
}

fn row(step: &Step, styles: Styles) -> String {
    let (mark, marked, text) = match step.state {
        State::Open => ("·", Style::Faint, Style::Plain),
        State::Doing => ("▸", Style::Busy, Style::Strong),
        State::Done => ("✓", Style::Good, Style::Faint),
        State::Skipped => ("–", Style::Busy, Style::Faint),
        State::Failed => ("✗", Style::Bad, Style::Plain),
    };
    format!("  {} {}{}", styles.of(marked, mark), styles.of(text, &line(&step.text)), note(step))
}
