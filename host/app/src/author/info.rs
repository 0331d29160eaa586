//! `deskhand plugin info`

use super::{Info, read, show};
use crate::{exit::Exit, failure::Result, output, show::line};
use deskhand_build::Outline;
use deskhand_runtime::inspect;
use serde_json::json;

pub(super) fn run(options: &Info) -> Result {
    let inspection = inspect(&read(&options.file)?)?;
    if options.json {
        output::text(&show::json(&json!(inspection)));
        return Ok(Exit::Done);
    }
    let manifest = &inspection.manifest;
    let mut out = show::heading(manifest, inspection.bytes, inspection.component);
    out.push('\n');
    out.push_str(&show::rights(&manifest.permissions));
    out.push_str(&format!(
        "In one call, {} MiB of memory and {} s of its own time at most.\n",
        manifest.limits.memory_mib, manifest.limits.seconds
    ));
    for (name, range) in &manifest.dependencies {
        out.push_str(&format!("It needs the plugin {} {range}.\n", name.as_str()));
    }
    if manifest.config.is_some() {
        out.push_str("It can be configured.\n");
    }
    out.push('\n');
    out.push_str(&show::abilities(manifest));
    out.push('\n');
    out.push_str(&show::imports(&Outline { imports: inspection.imports.clone(), exports: inspection.exports.clone() }));
    out.push_str(&format!("It exports {}.\n", line(&inspection.exports.join(", "))));
    output::text(&out);
    Ok(Exit::Done)
}
