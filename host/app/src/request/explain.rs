//! Why a command was chosen, or none, in words.

use super::{
    Candidate, Catalogue,
    schema::properties,
    slash::{typed, usage_as},
    words::{fold, split},
};
use crate::show::line;
use deskhand_runtime::PluginFault;
use serde_json::Value;
use std::collections::BTreeSet;

/// Which command is used for `request`, with which arguments, and why.
pub(crate) fn using(
    candidate: &Candidate,
    request: &str,
    arguments: &Value,
    trigger: &str,
    uncounted: &[String],
) -> String {
    let note =
        if uncounted.is_empty() { String::new() } else { format!("{} Look at the plan.\n", passed_over(uncounted)) };
    format!("Using {}.\n{note}", reason(candidate, request, arguments, trigger))
}

/// The same for who only wants to know.
pub(crate) fn would_use(
    candidate: &Candidate,
    request: &str,
    arguments: &Value,
    trigger: &str,
    uncounted: &[String],
) -> String {
    let note = if uncounted.is_empty() { String::new() } else { format!("{}\n", passed_over(uncounted)) };
    format!("This would use {}. Nothing was done.\n{note}", reason(candidate, request, arguments, trigger))
}

fn passed_over(uncounted: &[String]) -> String {
    format!("Not taken into account: {}.", line(&uncounted.join(", ")))
}

fn reason(candidate: &Candidate, request: &str, arguments: &Value, trigger: &str) -> String {
    let name = &candidate.command.name;
    let because = if trigger == "typed" {
        format!("/{name} of {}", candidate.plugin)
    } else {
        format!("/{name} of {}, because it serves “{}”", candidate.plugin, line(closest(candidate, request, trigger)))
    };
    format!("{because}{}", given(candidate, arguments))
}

/// The trigger that has most of the person's own words, so that an English request is not explained in German; what was
/// matched itself, where no other has more of them.
fn closest<'a>(candidate: &'a Candidate, request: &str, matched: &'a str) -> &'a str {
    let words = |text: &str| split(text).iter().map(|word| fold(word)).collect::<BTreeSet<_>>();
    let said = words(request);
    let shared = |trigger: &str| words(trigger).intersection(&said).count();
    let mut best = (shared(matched), matched);
    for trigger in &candidate.command.triggers {
        let shared = shared(trigger);
        if shared > best.0 {
            best = (shared, trigger);
        }
    }
    best.1
}

fn given(candidate: &Candidate, arguments: &Value) -> String {
    let parts: Vec<String> = properties(&candidate.command.arguments)
        .iter()
        .filter_map(|property| Some((property, arguments.get(&property.name)?)))
        .map(|(property, value)| match value {
            Value::Bool(true) => property.name.clone(),
            Value::Array(values) => {
                let values: Vec<String> = values.iter().map(text).collect();
                format!("{} {}", property.name, values.join(", "))
            }
            value => format!("{} {}", property.name, text(value)),
        })
        .collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", line(&parts.join("; "))) }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// That a command serves the request, and that it lacks what it would need to do it.
pub(crate) fn lacking(catalogue: &Catalogue, candidate: &Candidate, request: &str, trigger: &str) -> String {
    let command = typed(candidate, catalogue);
    format!(
        "{command} of {} serves “{}”, but the request does not say what it needs, so nothing was done. A text is taken \
         only in quotation marks. {}",
        candidate.plugin,
        line(closest(candidate, request, trigger)),
        usage_as(candidate, &command)
    )
}

/// That no command is sure, and which are nearest.
pub(crate) fn unsure(catalogue: &Catalogue, nearest: &[usize]) -> Result<String, PluginFault> {
    if catalogue.names().is_empty() {
        return Ok("No command is installed, so nothing was done. Find plugins with: deskhand plugin search".to_owned());
    }
    let nearest: Vec<Candidate> = nearest.iter().map(|index| catalogue.candidate(*index)).collect::<Result<_, _>>()?;
    let Some(first) = nearest.first() else {
        return Ok(
            "No installed command serves this request, so nothing was done. See what there is with: deskhand commands. With a \
             model, Deskhand works on any request: deskhand model add"
                .to_owned(),
        );
    };
    let rows: Vec<String> = nearest
        .iter()
        .map(|candidate| {
            let summary = line(&candidate.command.summary);
            let called = typed(candidate, catalogue);
            format!("  {called}  {summary}\n      {}", usage_as(candidate, &called))
        })
        .collect();
    Ok(format!(
        "It is not sure which command serves this request, so nothing was done. The nearest:\n{}\nType one of them, such as: deskhand run --folder FOLDER \"{}\"",
        rows.join("\n"),
        typed(first, catalogue)
    ))
}
