//! `deskhand plugin build`

use super::{Build, show};
use crate::{exit::Exit, failure::Result, output};
use deskhand_build::{Built, Source, build, make_toolchain};
use serde_json::json;
use std::path::Path;

pub(super) fn run(options: &Build) -> Result {
    let built = made(&options.folder)?;
    if options.json {
        output::text(&show::json(&json!(built)));
        return Ok(Exit::Done);
    }
    let file = show::near(&built.file);
    let mut out = show::heading(&built.manifest, built.bytes, built.component);
    out.push_str(&show::rights(&built.manifest.asks()));
    out.push_str(&show::imports(&built.outline));
    out.push_str(&show::findings(&built.findings));
    out.push_str(&format!(
        "It is in {}\nCheck it with: deskhand plugin check {}\n",
        show::path(&file),
        show::argument(&file)
    ));
    output::text(&out);
    Ok(Exit::Done)
}

/// Build the plugin in a folder, with the toolchain set up first, and say so before. A folder that holds no plugin is told
/// before that.
pub(super) fn made(folder: &Path) -> Result<Built> {
    Source::read(folder)?;
    output::aside(&format!("Building the plugin in {}. What its build runs, runs as you.", show::path(folder)));
    let toolchain = make_toolchain()?;
    Ok(build(folder, &toolchain)?)
}
