//! Updating what is installed, one plugin after the other: where one waits for the person, the others go on.

use super::{
    Update,
    added::{installed, look_at_all},
    install::{carry_out, named},
};
use crate::{desk::Desk, exit::Exit, failure::Result, output};
use deskhand_marketplace::{Session, Wanted, resolve::resolve};
use deskhand_permissions::Standing;
use deskhand_runtime::INTERFACE;
use deskhand_vocabulary::PluginId;
use semver::VersionReq;
use serde_json::json;

pub(super) fn update(options: &Update) -> Result {
    let desk = Desk::open(options.json.json)?;
    let chosen = options.plugins.iter().map(|name| named(&desk, name)).collect::<Result<Vec<PluginId>>>()?;
    let (mut sessions, _) = look_at_all(&desk)?;
    let standing = Standing { yes: options.yes, removals: 0 };
    let (mut updated, mut left) = (0, 0);
    for plugin in desk.plugins()?.iter().filter(|plugin| chosen.is_empty() || chosen.contains(&plugin.id)) {
        let id = &plugin.id;
        let Some(session) = sessions.iter_mut().find(|session| session.catalogue().marketplace == id.marketplace)
        else {
            left += 1;
            output::aside(&format!("{id} is not looked at: its marketplace is not added, or cannot be used now."));
            continue;
        };
        match one(&desk, session, id, standing) {
            Ok(steps) => updated += steps,
            Err(failure) if failure.exit == Exit::Stopped => return Err(failure),
            Err(failure) => {
                left += 1;
                output::aside(&format!("{id}: {}", failure.message));
            }
        }
    }
    if updated == 0 && left == 0 {
        desk.report("Everything is up to date.\n", &json!({"updated": 0}));
    }
    Ok(if left == 0 { Exit::Done } else { Exit::Partial })
}

/// Update one plugin and what it needs; how many came to a new version.
fn one(desk: &Desk, session: &mut Session, id: &PluginId, standing: Standing) -> Result<usize> {
    let there = installed(desk, &id.marketplace)?;
    // One that another update has just replaced is looked at as it is now; one that was revoked is gone.
    let Some(current) = there.get(&id.name) else { return Ok(0) };
    let unfinished = !current.manifest.plugin.version.pre.is_empty();
    let wanted = Wanted { plugin: id.name.clone(), range: VersionReq::STAR, unfinished };
    let steps = resolve(session.catalogue(), &INTERFACE, &there, &[wanted])?;
    if !steps.is_empty() {
        carry_out(desk, session, &steps, standing)?;
    }
    Ok(steps.len())
}
