//! Lists: marketplaces, what they offer, what is installed.

use super::{
    Search,
    added::look_at_all,
    admin::{day, shown},
    quarantine,
};
use crate::{
    cli::Json,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    show::{columns, counted, line},
};
use deskhand_marketplace::{Catalogue, Publisher, Status};
use deskhand_runtime::Installed;
use deskhand_vocabulary::PluginId;
use serde_json::json;

/// Rows below a heading.
fn table(heading: &[&str], rows: Vec<Vec<String>>) -> String {
    let heading = heading.iter().map(|&cell| cell.to_owned()).collect();
    columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>())
}

pub(super) fn marketplaces(options: &Json) -> Result {
    let desk = Desk::open(options.json)?;
    let now = desk.clock.now();
    let mut rows = Vec::new();
    for marketplace in super::added::all(&desk)?.0 {
        let name = marketplace.name();
        let (catalogue, trouble) = match marketplace.open(now) {
            Ok(session) => (Some(session.catalogue().clone()), None),
            Err(error) => (marketplace.kept().ok(), Some(error)),
        };
        let state = catalogue.as_ref().map(|catalogue| catalogue.state);
        if desk.json {
            let trouble = trouble.as_ref().map(ToString::to_string);
            let folder = marketplace.location();
            output::text(&format!(
                "{}\n",
                json!({"added": name, "folder": folder, "fingerprint": marketplace.fingerprint(), "state": state, "days_left": state.map(|state| state.days_left(now)), "trouble": trouble})
            ));
            continue;
        }
        let until = match state {
            Some(state) if state.days_left(now) < 0 => format!("expired on {}", day(&desk, state.soonest().1)),
            Some(state) => {
                let days = u64::try_from(state.days_left(now)).unwrap_or(0);
                format!("{} ({})", day(&desk, state.soonest().1), counted(days, "day"))
            }
            None => "unknown".to_owned(),
        };
        let offers = catalogue.map_or_else(String::new, |catalogue| catalogue.plugins.len().to_string());
        rows.push(vec![name.to_string(), offers, until, line(marketplace.location())]);
        if let Some(trouble) = trouble {
            output::aside(&format!("{name}: {trouble}"));
        }
    }
    let ours = Publisher::all(&desk.home)?;
    if !desk.json {
        if rows.is_empty() {
            output::text("No marketplace is added. Add one with: deskhand market add NAME FOLDER --fingerprint HEX\n");
        } else {
            output::text(&table(&["ADDED", "PLUGINS", "VALID UNTIL", "FOLDER"], rows));
        }
    }
    for publisher in &ours {
        published(&desk, publisher);
    }
    Ok(Exit::Done)
}

fn published(desk: &Desk, publisher: &Publisher) {
    let now = desk.clock.now();
    let (name, folder) = (publisher.name(), publisher.folder());
    let catalogue = publisher.look();
    let state = catalogue.as_ref().ok().map(|catalogue| catalogue.state);
    if desk.json {
        let trouble = catalogue.as_ref().err().map(ToString::to_string);
        output::text(&format!(
            "{}\n",
            json!({"published": name, "folder": folder, "fingerprint": publisher.fingerprint(), "root_keys": publisher.root_keys(), "state": state, "days_left": state.map(|state| state.days_left(now)), "trouble": trouble})
        ));
        return;
    }
    output::text(&format!("\nYou publish {name} in {}\n  fingerprint  {}\n", shown(&folder), publisher.fingerprint()));
    for key in publisher.root_keys() {
        output::text(&format!("  root key     {}  {}\n", key.id.short(), shown(&key.path)));
    }
    let catalogue = match catalogue {
        Ok(catalogue) => catalogue,
        Err(error) => return output::aside(&format!("{name}: {error}")),
    };
    let (role, soonest) = catalogue.state.soonest();
    output::text(&format!("  valid until  {}\n", day(desk, soonest)));
    for version in catalogue.plugins.values().flat_map(std::collections::BTreeMap::values) {
        let status = if version.status == Status::Active { "" } else { version.status.word() };
        let text = format!("  offers       {} {} {status}", version.name(), version.version());
        output::text(&format!("{}\n", text.trim_end()));
    }
    if catalogue.state.days_left(now) <= 30 {
        let root = if role == deskhand_marketplace::Role::Root { " --root" } else { "" };
        output::aside(&format!("{name} has to be renewed soon: deskhand market renew {name}{root}"));
    }
}

pub(super) fn search(options: &Search) -> Result {
    let desk = Desk::open(options.json.json)?;
    let plugins = desk.plugins()?;
    let mut rows = Vec::new();
    let (sessions, refused) = look_at_all(&desk)?;
    for session in &sessions {
        let catalogue = session.catalogue();
        for version in catalogue.search(&options.words.join(" ")) {
            let id = PluginId { marketplace: catalogue.marketplace.clone(), name: version.name().clone() };
            let there = plugins.get(&id).and_then(|plugin| Some(plugin.release.listing().ok()?.plugin.version.clone()));
            if desk.json {
                output::text(&format!("{}\n", json!({"plugin": id, "offered": version, "installed": there})));
                continue;
            }
            let there = there.map(|version| version.to_string()).unwrap_or_default();
            let about = &version.manifest.plugin;
            rows.push(vec![
                id.to_string(),
                about.version.to_string(),
                there,
                line(&about.publisher),
                line(&about.summary),
            ]);
        }
    }
    if !desk.json {
        if sessions.is_empty() && refused > 0 {
            output::aside("No marketplace that you added can be used now, so nothing was searched.");
        } else if sessions.is_empty() {
            output::text(
                "There is no marketplace to search. Add one with: deskhand market add NAME FOLDER --fingerprint HEX\n",
            );
        } else if rows.is_empty() {
            output::text("Nothing was found.\n");
        } else {
            output::text(&table(&["PLUGIN", "VERSION", "INSTALLED", "PUBLISHER", "WHAT IT DOES"], rows));
        }
    }
    Ok(match refused {
        0 => Exit::Done,
        _ if sessions.is_empty() => Exit::Failed,
        _ => Exit::Partial,
    })
}

/// Why what is installed is not offered any more, as it was when its marketplace was looked at last; none if it is.
fn yanked(catalogue: &Catalogue, plugin: &Installed) -> Option<String> {
    let version = &plugin.release.listing().ok()?.plugin.version;
    let offered = catalogue.get(&plugin.id.name, version).filter(|_| catalogue.marketplace == plugin.id.marketplace)?;
    let same = offered.status == Status::Yanked && offered.component == plugin.release.component;
    same.then(|| offered.reason.clone().unwrap_or_default())
}

pub(super) fn plugins(options: &Json) -> Result {
    let desk = Desk::open(options.json)?;
    let plugins = desk.plugins()?;
    let kept: Vec<Catalogue> = super::added::all(&desk)?.0.iter().filter_map(|added| added.kept().ok()).collect();
    let mut rows = Vec::new();
    for plugin in plugins.iter() {
        let yanked = kept.iter().find_map(|catalogue| yanked(catalogue, plugin));
        let listing = plugin.release.listing()?;
        let staged = plugin.staged.as_ref().map(|staged| staged.listing()).transpose()?;
        let staged = staged.map(|listing| listing.plugin.version.to_string());
        if desk.json {
            output::text(&format!(
                "{}\n",
                json!({"plugin": plugin.id, "version": listing.plugin.version, "component": plugin.release.component, "publisher": listing.plugin.publisher, "permissions": listing.permissions, "waiting": staged, "yanked": yanked})
            ));
            continue;
        }
        let version = listing.plugin.version.to_string();
        let waiting = staged.map(|staged| format!("{staged} waits for you"));
        let yanked = yanked.map(|reason| match reason.is_empty() {
            true => "yanked".to_owned(),
            false => format!("yanked: {}", line(&reason)),
        });
        let waiting = [yanked, waiting].into_iter().flatten().collect::<Vec<_>>().join("; ");
        rows.push(vec![plugin.id.to_string(), version, waiting, line(&listing.plugin.summary)]);
    }
    for kept in quarantine::all(&desk)? {
        if desk.json {
            output::text(&format!("{}\n", json!({"revoked": kept})));
            continue;
        }
        let reason = kept.reason.as_deref().map(|reason| format!(": {}", line(reason))).unwrap_or_default();
        let about = format!("stopped{reason}. Remove what is kept with: deskhand plugin uninstall {}", kept.plugin);
        rows.push(vec![kept.plugin.to_string(), kept.version, "revoked".to_owned(), about]);
    }
    if !desk.json {
        if rows.is_empty() {
            output::text("No plugin is installed. Find one with: deskhand plugin search\n");
        } else {
            output::text(&table(&["PLUGIN", "VERSION", "UPDATE", "WHAT IT DOES"], rows));
        }
    }
    Ok(Exit::Done)
}
