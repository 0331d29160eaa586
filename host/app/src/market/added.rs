//! The marketplaces that the person added, and what becomes of what is installed when one is looked at.

use super::{
    Add, Named,
    admin::{day, shown},
    quarantine,
};
use crate::{
    commands::doctor::Check,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{counted, line, sentence},
};
use deskhand_marketplace::{
    Catalogue, Installed, MarketError, Marketplace, Marketplaces, Published, Session, State, Status, Trouble,
    resolve::revoked,
};
use deskhand_permissions::{Context, Standing, effect::AddMarketplace};
use deskhand_vocabulary::{MarketplaceName, PluginId, PluginName};
use serde_json::json;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// From how many days before its end on a marketplace is said to expire.
const WARN_DAYS: i64 = 30;

pub(super) fn add(options: &Add) -> Result {
    let desk = Desk::open(options.json.json)?;
    let name = &options.name;
    let Some(fingerprint) = options.fingerprint else {
        return Err(Failure::usage(format!(
            "A marketplace is added by its fingerprint, which tells it from an imitation. Its admin sees it with \
             `deskhand market list`; have it told to you by another way than the folder itself, then run: deskhand \
             market add {name} {} --fingerprint HEX",
            shown(&options.folder)
        )));
    };
    let effect = AddMarketplace { location: options.folder.display().to_string(), fingerprint };
    let permit = desk.gate()?.permit(&Context::person(None, Standing::default()), effect)?;
    let AddMarketplace { fingerprint, .. } = permit.redeem();
    let added = Marketplaces::of(&desk.home).add(name, &options.folder, fingerprint, desk.clock.now());
    let (marketplace, catalogue) = added?;
    desk.record_marketplace(name, "added", catalogue.state.root.version)?;
    let text = format!(
        "The marketplace {name} is added. It offers {}.\nFind something with: deskhand plugin search\n",
        counted(catalogue.plugins.len() as u64, "plugin")
    );
    desk.report(
        &text,
        &json!({"added": name, "folder": marketplace.location(), "fingerprint": fingerprint, "state": catalogue.state}),
    );
    warn(&desk, name, catalogue.state);
    Ok(Exit::Done)
}

pub(super) fn remove(options: &Named) -> Result {
    let desk = Desk::open(options.json.json)?;
    let marketplaces = Marketplaces::of(&desk.home);
    let known = marketplaces.get(&options.name).and_then(|known| known.kept());
    let root = known.map_or(0, |kept| kept.state.root.version);
    marketplaces.remove(&options.name)?;
    desk.record_marketplace(&options.name, "removed", root)?;
    let text = format!("The marketplace {} is removed. What was installed from it stays.\n", options.name);
    desk.report(&text, &json!({"removed": options.name}));
    Ok(Exit::Done)
}

/// Say in time that a marketplace expires.
pub(super) fn warn(desk: &Desk, name: &MarketplaceName, state: State) {
    let days = state.days_left(desk.clock.now());
    if (0..=WARN_DAYS).contains(&days) {
        output::aside(&format!(
            "The marketplace {name} expires on {}. After that nothing new is installed from it; ask its admin to renew \
             it (`deskhand market renew`).",
            day(desk, state.soonest().1)
        ));
    }
}

/// What is installed from one marketplace, as resolving sees it.
pub(super) fn installed(desk: &Desk, marketplace: &MarketplaceName) -> Result<BTreeMap<PluginName, Installed>> {
    let mut found = BTreeMap::new();
    for plugin in desk.plugins()?.iter().filter(|plugin| plugin.id.marketplace == *marketplace) {
        let release = &plugin.release;
        let installed = Installed { manifest: release.manifest()?.clone(), component: release.component };
        found.insert(plugin.id.name.clone(), installed);
    }
    Ok(found)
}

/// Look at a marketplace: verify its present state, and stop what it has revoked.
pub(super) fn look(desk: &Desk, marketplace: &Marketplace) -> Result<Session> {
    let before = marketplace.kept().ok().map(|kept| kept.state);
    let session = marketplace.open(desk.clock.now())?;
    let (name, state) = (marketplace.name(), session.catalogue().state);
    if before != Some(state) {
        desk.record_marketplace(name, "refreshed", state.root.version)?;
    }
    warn(desk, name, state);
    for unreadable in &session.catalogue().unreadable {
        output::aside(&format!(
            "An entry of the marketplace {name} is passed over: {} ({}).",
            line(&unreadable.path),
            line(&unreadable.reason)
        ));
    }
    stop_revoked(desk, session.catalogue())?;
    say_yanked(desk, session.catalogue())?;
    Ok(session)
}

/// Say what is installed and not offered any more. It keeps running.
fn say_yanked(desk: &Desk, catalogue: &Catalogue) -> Result<()> {
    let marketplace = &catalogue.marketplace;
    for (name, there) in installed(desk, marketplace)? {
        let version = &there.manifest.plugin.version;
        let yanked = |version: &&Published| version.status == Status::Yanked && version.component == there.component;
        if let Some(offered) = catalogue.get(&name, version).filter(yanked) {
            let reason = offered.reason.as_deref().map(|reason| format!(": {}", line(reason))).unwrap_or_default();
            output::aside(&format!(
                "{marketplace}:{name} {version} is not offered any more{reason}. It keeps running; an update may be there."
            ));
        }
    }
    Ok(())
}

/// Stop every installed version that its marketplace has revoked, say why, and keep what was installed aside.
fn stop_revoked(desk: &Desk, catalogue: &Catalogue) -> Result<()> {
    for version in revoked(catalogue, &installed(desk, &catalogue.marketplace)?) {
        let id = PluginId { marketplace: catalogue.marketplace.clone(), name: version.name().clone() };
        // The record comes first: what stops is on record even if the machine stops with it.
        desk.record_plugin(&id, "revoked", version.version().to_string(), version.component)?;
        quarantine::keep(desk, &id, version)?;
        desk.runtime()?.uninstall(&id).map_err(Failure::failed)?;
        let reason = version.reason.as_deref().map(|reason| format!(": {}", line(reason))).unwrap_or_default();
        output::aside(&format!(
            "{id} {} was revoked by its marketplace{reason}. It runs no more. What was installed is \
             kept aside until you remove it: deskhand plugin uninstall {id}. Another version may be there: deskhand \
             plugin install {id}",
            version.version()
        ));
    }
    Ok(())
}

/// All marketplaces that can be looked at; of the others it is said what is wrong with them, and how many they are.
pub(super) fn look_at_all(desk: &Desk) -> Result<(Vec<Session>, usize)> {
    let mut sessions = Vec::new();
    let (marketplaces, mut refused) = all(desk)?;
    for marketplace in marketplaces {
        match look(desk, &marketplace) {
            Ok(session) => sessions.push(session),
            Err(failure) => {
                refused += 1;
                output::aside(&format!("{}: {}", marketplace.name(), sentence(&failure.message)));
            }
        }
    }
    Ok((sessions, refused))
}

/// The marketplaces that were added; of those that are damaged it is said, and how many they are.
pub(super) fn all(desk: &Desk) -> Result<(Vec<Marketplace>, usize)> {
    let listed = Marketplaces::of(&desk.home).list()?;
    for (name, error) in &listed.damaged {
        output::aside(&format!("{name}: {}", sentence(&error.to_string())));
    }
    Ok((listed.whole, listed.damaged.len()))
}

/// How long all marketplaces together may take when nobody asked for them: a folder on a network may never answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// What a marketplace says now, if it says it in time. A look that hangs is left behind; it ends with the program.
fn look_in_time(
    marketplace: &Marketplace,
    desk: &Desk,
    until: Instant,
) -> Option<std::result::Result<Catalogue, MarketError>> {
    let (said, heard) = std::sync::mpsc::sync_channel(1);
    let (asked, now) = (marketplace.clone(), desk.clock.now());
    let look = move || {
        // nobody listens any more if it was too slow
        let _ = said.send(asked.open(now).map(|session| session.catalogue().clone()));
    };
    match std::thread::Builder::new().name("deskhand-market".into()).spawn(look) {
        Ok(_) => heard.recv_timeout(until.saturating_duration_since(Instant::now())).ok(),
        Err(_) => None,
    }
}

fn silent(marketplace: &Marketplace) -> String {
    format!(
        "The marketplace {} does not answer ({}), so it cannot say what it has revoked since it was looked at last. What is \
         installed from it keeps running. See that its folder can be read, then run: deskhand plugin update",
        marketplace.name(),
        line(marketplace.location())
    )
}

/// Look at all marketplaces that are within reach, so that what was revoked stops. Says nothing of those that are not
/// there, and goes on without those that do not answer.
pub(crate) fn refresh(desk: &Desk) -> Result<()> {
    let until = Instant::now() + PATIENCE;
    for marketplace in all(desk)?.0 {
        match look_in_time(&marketplace, desk, until) {
            None => output::aside(&silent(&marketplace)),
            Some(Ok(catalogue)) => stop_revoked(desk, &catalogue)?,
            Some(Err(error)) if error.is_unreachable() => {}
            Some(Err(error)) if matches!(error.trouble(), Some(Trouble::Expired { .. })) => output::aside(&format!(
                "The marketplace {} has expired, so it cannot say what it has revoked since: deskhand market list",
                marketplace.name()
            )),
            Some(Err(error)) => {
                output::aside(&format!("{}: {}", marketplace.name(), sentence(&error.to_string())));
            }
        }
    }
    Ok(())
}

/// What `deskhand doctor` says of marketplaces.
pub(crate) fn doctor(desk: &Desk) -> Check {
    const WHAT: &str = "marketplaces";
    let listed = match Marketplaces::of(&desk.home).list() {
        Ok(listed) => listed,
        Err(error) => return Check::broken(WHAT, error.to_string(), "see the message"),
    };
    if listed.whole.is_empty() && listed.damaged.is_empty() {
        return Check::note(WHAT, "none is added", "deskhand market add NAME FOLDER --fingerprint HEX");
    }
    let mut found = Vec::new();
    let mut remedy = String::new();
    for (name, error) in &listed.damaged {
        found.push(format!("{name} (damaged)"));
        remedy = sentence(&error_line(error));
    }
    for marketplace in &listed.whole {
        match look_in_time(marketplace, desk, Instant::now() + PATIENCE) {
            None => {
                found.push(format!("{} (does not answer)", marketplace.name()));
                remedy = silent(marketplace);
            }
            Some(Ok(catalogue)) => {
                let days = catalogue.state.days_left(desk.clock.now());
                found.push(format!("{} (valid for {days} days)", marketplace.name()));
                if days <= WARN_DAYS {
                    remedy = format!("ask the admin of {} to renew it", marketplace.name());
                }
            }
            Some(Err(error)) => {
                found.push(format!("{} (cannot be used)", marketplace.name()));
                remedy = sentence(&error_line(&error));
            }
        }
    }
    let found = found.join(", ");
    if remedy.is_empty() { Check::works(WHAT, found) } else { Check::note(WHAT, found, remedy) }
}

fn error_line(error: &MarketError) -> String {
    error.to_string().replace('\n', " ")
}
