//! `deskhand plugin new`

use super::{Build, New, build, show};
use crate::{exit::Exit, failure::Result, output};
use deskhand_build::scaffold;
use serde_json::json;
use std::{
    path::PathBuf,
    process::{Command, Stdio},
};

pub(super) fn run(options: &New) -> Result {
    let folder = options.folder.clone().unwrap_or_else(|| PathBuf::from(options.name.as_str()));
    let publisher = options.publisher.clone().or_else(known_to_git).unwrap_or_else(|| "Unknown".to_owned());
    let made = scaffold(&folder, &options.name, &publisher, options.kind.into())?;
    if options.json {
        let built = options.build.then(|| build::made(&folder)).transpose()?;
        output::text(&show::json(&json!({ "folder": made.folder, "files": made.files, "built": built })));
        return Ok(Exit::Done);
    }
    let mut out = format!("{} holds a new plugin:\n", show::path(&made.folder));
    out.extend(made.files.iter().map(|file| format!("  {file}\n")));
    if !options.build {
        out.push_str(&format!("Build it with: deskhand plugin build {}\n", show::argument(&made.folder)));
    }
    output::text(&out);
    if options.build { build::run(&Build { folder, json: false }) } else { Ok(Exit::Done) }
}

/// The author's name, as they gave it to git.
fn known_to_git() -> Option<String> {
    let said =
        Command::new("git").args(["config", "user.name"]).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    let name = String::from_utf8(said.stdout).ok()?.trim().to_owned();
    (said.status.success() && !name.is_empty()).then_some(name)
}
