//! `deskhand plugin info`

use super::{Info, read, show};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::line,
};
use deskhand_build::Outline;
use deskhand_runtime::inspect;
use deskhand_vocabulary::Manifest;
use serde_json::json;
use std::path::Path;

pub(super) fn run(options: &Info) -> Result {
    let file = Path::new(&options.what);
    // the name of a plugin may also be that of a folder here
    let named = !options.what.contains('/') && !options.what.ends_with(".wasm");
    let text =
        if named && !file.is_file() { installed(&options.what, options.json)? } else { in_file(file, options.json)? };
    output::text(&text);
    Ok(Exit::Done)
}

fn in_file(file: &Path, as_json: bool) -> Result<String> {
    let inspection = inspect(&read(file)?)?;
    if as_json {
        return Ok(show::json(&json!(inspection)));
    }
    let mut out = show::heading(&inspection.manifest, inspection.bytes, inspection.component);
    out.push_str(&described(&inspection.manifest));
    out.push('\n');
    out.push_str(&show::imports(&Outline { imports: inspection.imports.clone(), exports: inspection.exports.clone() }));
    out.push_str(&format!("It exports {}.\n", line(&inspection.exports.join(", "))));
    Ok(out)
}

/// An installed plugin, by its whole id or by its name where only one is called so.
fn installed(name: &str, as_json: bool) -> Result<String> {
    let plugins = Desk::open(as_json)?.plugins()?;
    let called: Vec<_> =
        plugins.iter().filter(|plugin| plugin.id.to_string() == name || plugin.id.name.as_str() == name).collect();
    let plugin = match called.as_slice() {
        [one] => one,
        [] => {
            return Err(Failure::failed(format!(
                "`{}` is neither a file nor an installed plugin; `deskhand plugin list` lists those that are installed",
                line(name)
            )));
        }
        several => {
            let ids: Vec<String> = several.iter().map(|plugin| plugin.id.to_string()).collect();
            return Err(Failure::usage(format!("several plugins are called so; name one of {}", ids.join(", "))));
        }
    };
    let manifest = plugin.release.manifest()?;
    if as_json {
        let release = &plugin.release;
        return Ok(show::json(&json!({
            "plugin": plugin.id,
            "component": release.component,
            "bytes": release.bytes,
            "manifest": manifest,
        })));
    }
    let heading = show::heading(manifest, plugin.release.bytes, plugin.release.component);
    Ok(format!("{heading}  {:<10} {}\n{}", "installed", plugin.id, described(manifest)))
}

/// What it may do and what it can do.
fn described(manifest: &Manifest) -> String {
    let mut out = format!("\n{}", show::rights(&manifest.asks()));
    out.push_str(&format!(
        "In one call, {} MiB of memory and {} s of its own time at most.\n",
        manifest.limits.memory_mib, manifest.limits.seconds
    ));
    for (name, range) in &manifest.dependencies {
        out.push_str(&format!("It needs the plugin {} {range}.\n", name.as_str()));
    }
    for credential in &manifest.credentials {
        let hosts: Vec<String> = credential.hosts.iter().map(|host| line(host)).collect();
        out.push_str(&format!(
            "It uses the credential {} for {}: {}\n",
            credential.name,
            hosts.join(", "),
            line(&credential.title)
        ));
    }
    if let Some(schema) = &manifest.config {
        let keys = schema["properties"].as_object().into_iter().flat_map(|keys| keys.keys());
        let keys: Vec<String> = keys.map(|key| line(key)).collect();
        out.push_str(&format!(
            "It can be configured: in the settings (`deskhand config --path`), under [plugins.{}], it takes {}.\n",
            manifest.plugin.name,
            if keys.is_empty() { "any key".to_owned() } else { keys.join(", ") }
        ));
    }
    format!("{out}\n{}", show::abilities(manifest))
}
