//! The table of kinds as the documentation shows it.

use crate::kind::{Asked, Kind, Needs, Recorded, Right};
use deskhand_vocabulary::Access;
use std::fmt::Write as _;

/// All kinds of action, as a table in Markdown.
pub fn markdown() -> String {
    let mut out = String::from(
        "| action | `deskhand why` | what it is | a plugin must declare | and be granted | you are asked | recorded |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for kind in Kind::ALL {
        let row = kind.row();
        let declared = match row.right {
            Right::Declared(kind) => format!("`{}`", kind.name()),
            Right::PersonOnly => "no plugin may".to_owned(),
        };
        let granted = match row.needs {
            Needs::Nothing => "",
            Needs::Folder(Access::Read) => "the folder",
            Needs::Folder(Access::Write) => "the folder, for changes",
            Needs::Trust => "trust in the folder, and the text as it is",
            Needs::Command => "the command",
            Needs::Tool => "a tool of another marketplace",
            Needs::Agent => "a sub-agent of another marketplace",
            Needs::Host => "the host; a plugin none for this computer",
            Needs::Consent => "your consent, unless it is this computer",
            Needs::Program => "your yes to its program as it is",
            Needs::Described => "your yes to the tool as it is described",
            Needs::Server => "your yes to the server",
            Needs::Sandbox => "your yes to the sandbox; a plugin a yes to its programs as well",
            Needs::Programs => "a plugin your yes to its programs",
        };
        let asked = match row.asked {
            Asked::Never => "",
            Asked::OrYes => "each time, or `--yes`",
            Asked::OrRemovals => "each time, or `--allow-removals N`",
            Asked::Always => "each time",
            Asked::Untrusted => "where others may have written it",
        };
        let recorded = match row.recorded {
            Recorded::EachTime => "each time",
            Recorded::OncePerTask => "once per task",
            Recorded::Meanwhile => "once per task, meanwhile",
        };
        let what = row.words.replace("{}", "…");
        // writing to a String does not fail
        let _ = writeln!(
            out,
            "| `{}` | `{}` | {what} | {declared} | {granted} | {asked} | {recorded} |",
            row.name, row.verb
        );
    }
    out
}
