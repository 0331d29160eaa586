//! The document as one page of HTML: without a script, without anything that is loaded from elsewhere, every character of
//! others escaped. A policy in its head has a browser hold to that as well.

use super::{Part, Transcript, What, text};
use crate::show::{self, counted, line, lines};
use html_escape::encode_safe;
use jiff::tz::TimeZone;
use std::fmt::Write as _;

const HEAD: &str = r#"<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
"#;

const STYLE: &str = "<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem; color: #1b1b1b; background: #fff; }
pre { font: 13px/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; margin: .3rem 0; }
section { border-left: 3px solid #ccc; padding: .1rem .8rem; margin: .8rem 0; }
section.person { border-color: #2563eb; } section.model { border-color: #15803d; } section.proposed { border-color: #b45309; }
h2 { font-size: 1.1rem; } h3 { font-size: .85rem; margin: .3rem 0; color: #555; font-weight: 600; }
.notice { background: #fef3c7; padding: .5rem .8rem; } ul { padding-left: 1.2rem; }
.add { color: #15803d; } .del { color: #b91c1c; }
@media (prefers-color-scheme: dark) { body { color: #e5e5e5; background: #171717; } h3 { color: #aaa; } .notice { color: #171717; } }
</style>
";

/// A line of others.
fn safe(text: &str) -> String {
    encode_safe(&line(text)).into_owned()
}

/// Lines of others.
fn block(text: &str) -> String {
    format!("<pre>{}</pre>\n", encode_safe(&lines(text.trim_end())))
}

/// All of it. `notice` is said first.
pub(super) fn html(transcript: &Transcript, notice: Option<&str>, zone: &TimeZone) -> String {
    let mut out = String::from(HEAD);
    let _ = writeln!(out, "<title>Task {}</title>", transcript.task);
    out.push_str(STYLE);
    out.push_str("</head>\n<body>\n");
    if let Some(notice) = notice {
        let _ = writeln!(out, "<p class=\"notice\">{}</p>", safe(notice));
    }
    whole(transcript, 1, zone, &mut out);
    if transcript.redacted > 0 {
        let _ = writeln!(out, "<p class=\"notice\">{} left out.</p>", counted(transcript.redacted, "secret"));
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn whole(transcript: &Transcript, level: usize, zone: &TimeZone, out: &mut String) {
    let when = transcript.started.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M");
    let _ = writeln!(out, "<h{level}>Task {}, {when}</h{level}>\n{}", transcript.task, block(&transcript.request));
    let _ = writeln!(
        out,
        "<p>{}; {}</p>",
        safe(show::sentence(text::outcome(transcript)).trim_end_matches('.')),
        text::costs(transcript)
    );
    list(transcript.folders.iter().map(String::as_str), out);
    let steps: Vec<String> = transcript
        .plan
        .iter()
        .map(|step| {
            let note = if step.note.is_empty() { String::new() } else { format!(" ({})", step.note) };
            format!("[{}] {}{note}", text::mark(step), step.text)
        })
        .collect();
    list(steps.iter().map(String::as_str), out);
    transcript.parts.iter().for_each(|part| one(part, zone, out));
    for agent in &transcript.agents {
        let _ = writeln!(out, "<h2>A sub-agent of task {}</h2>", transcript.task);
        whole(agent, 3, zone, out);
    }
}

fn list<'a>(items: impl Iterator<Item = &'a str>, out: &mut String) {
    let items: String = items.map(|item| format!("<li>{}</li>\n", safe(item))).collect();
    if !items.is_empty() {
        let _ = writeln!(out, "<ul>\n{items}</ul>");
    }
}

fn one(part: &Part, zone: &TimeZone, out: &mut String) {
    let at = part.at.to_zoned(zone.clone()).strftime("%H:%M:%S");
    let mut section = |class: &str, head: &str, body: String| {
        let _ = writeln!(out, "<section class=\"{class}\">\n<h3>{at} {}</h3>\n{body}</section>", safe(head));
    };
    match &part.what {
        What::Said { by, text } => section(if by == "person" { "person" } else { "host" }, by, block(text)),
        What::Replied { model, text } => section("model", model, block(text)),
        What::Called { tool, arguments, outcome, output } => {
            section("call", &format!("{tool}: {outcome}"), block(&arguments.to_string()) + &block(output));
        }
        What::Proposed { title, changes, written } => {
            let differences =
                written.iter().map(|one| format!("<h3>{}</h3>\n{}", safe(&one.path), rows(&one.difference)));
            section("proposed", title, block(&changes.join("\n")) + &differences.collect::<String>());
        }
        What::Event { text } => section("event", text, String::new()),
    }
}

/// A difference, what comes and what goes in colours.
fn rows(difference: &str) -> String {
    let row = |row: &str| {
        let class = match row.as_bytes().first() {
            Some(b'+') => "add",
            Some(b'-') => "del",
            _ => "same",
        };
        format!("<span class=\"{class}\">{}</span>\n", safe(&row.replace('\t', "    ")))
    };
    format!("<pre>{}</pre>\n", difference.lines().map(row).collect::<String>())
}
