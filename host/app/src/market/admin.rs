//! The commands of an admin.

use super::{Init, Publish, Renew, Revoke, Rotate, VersionSpec, Which, Yank};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{counted, line},
};
use deskhand_marketplace::{NewMarketplace, Publisher, Release, Replace, State, Status};
use deskhand_runtime::{MAX_COMPONENT, inspect};
use deskhand_vocabulary::MarketplaceName;
use jiff::Timestamp;
use serde_json::json;
use std::{
    fmt::Write as _,
    io::Read as _,
    path::{Path, PathBuf},
};

/// A path, on one line and harmless.
pub(super) fn shown(path: &Path) -> String {
    line(&path.display().to_string())
}

/// A day, as the person writes it.
pub(super) fn day(desk: &Desk, time: Timestamp) -> String {
    time.to_zoned(desk.clock.zone()).strftime("%Y-%m-%d").to_string()
}

pub(super) fn init(options: &Init) -> Result {
    let desk = Desk::open(options.json.json)?;
    let new = NewMarketplace { name: &options.name, folder: &options.folder, root_keys: &options.root_key_out };
    let (_, made) = Publisher::create(&desk.home, &new, desk.clock.now())?;
    let name = &options.name;
    let mut text = format!("The marketplace {name} is in {}.\n\n", shown(&made.folder));
    let _ = writeln!(text, "Its three root keys, of which any two can replace every other key, went to:");
    for place in &made.root_keys {
        let _ = writeln!(text, "  {}  {}", place.id.short(), shown(&place.path));
    }
    if made.together {
        text.push_str(
            "Some of them are on one disk. Move them apart now: a stick in the safe, a colleague's computer, a printout.\n",
        );
    }
    let _ = writeln!(text, "The keys that publishing uses stay here:");
    for (place, use_) in [(&made.targets_key, "signs what is offered"), (&made.online_key, "signs what is newest")] {
        let _ = writeln!(text, "  {}  {} ({use_})", place.id.short(), shown(&place.path));
    }
    let _ = write!(
        text,
        "\nWho wants to add it needs its fingerprint, by another way than the folder itself:\n  {}\n\
         They run: deskhand market add {name} FOLDER --fingerprint {}\n\
         Next, publish to it: deskhand market publish {name} COMPONENT\n",
        made.fingerprint, made.fingerprint
    );
    desk.report(&text, &json!({"made": made}));
    Ok(Exit::Done)
}

pub(super) fn publish(options: &Publish) -> Result {
    let desk = Desk::open(options.json.json)?;
    let publisher = Publisher::open(&desk.home, &options.name)?;
    let mut read = Vec::new();
    for path in &options.components {
        let component = component(path)?;
        let inspection = inspect(&component).map_err(|fault| Failure::failed(format!("{}: {fault}", shown(path))))?;
        if let Some(refused) = inspection.refused.first() {
            return Err(Failure::failed(format!("{} was not published: {refused}", shown(path))));
        }
        for warning in &inspection.warnings {
            output::aside(&format!("{}: {warning}", shown(path)));
        }
        read.push((inspection.manifest, component));
    }
    let releases: Vec<Release<'_>> = read.iter().map(|(manifest, component)| Release { manifest, component }).collect();
    for outcome in publisher.publish(&releases, desk.clock.now())? {
        let (plugin, version) = (&outcome.plugin, &outcome.version);
        let text = if outcome.new {
            format!("{plugin} {version} is published.\n")
        } else {
            format!("{plugin} {version} was published before, the same file; nothing was changed.\n")
        };
        desk.report(&text, &json!({"published": outcome}));
    }
    expiry(&desk, &options.name, publisher.look()?.state);
    Ok(Exit::Done)
}

fn component(path: &Path) -> Result<Vec<u8>> {
    let unread = |error: std::io::Error| Failure::failed(format!("{} could not be read: {error}", shown(path)));
    let mut bytes = Vec::new();
    let limit = MAX_COMPONENT as u64 + 1;
    deskhand_files::open(path, deskhand_files::Origin::Person)
        .map_err(unread)?
        .take(limit)
        .read_to_end(&mut bytes)
        .map_err(unread)?;
    Ok(bytes)
}

/// Say it when something expires within 30 days in spite of a renewal: then it is the root.
fn expiry(desk: &Desk, name: &MarketplaceName, state: State) {
    let days = state.days_left(desk.clock.now());
    if days <= 30 {
        output::aside(&format!(
            "The marketplace {name} is valid for {} only, until {}. Renew it: deskhand market renew {name} --root",
            counted(u64::try_from(days).unwrap_or(0), "more day"),
            day(desk, state.soonest().1)
        ));
    }
}

pub(super) fn renew(options: &Renew) -> Result {
    let desk = Desk::open(options.json.json)?;
    let publisher = Publisher::open(&desk.home, &options.name)?;
    let now = desk.clock.now();
    let keys = &options.keys.root_key;
    let state =
        if options.root || !keys.is_empty() { publisher.renew_root(keys, now)? } else { publisher.renew(now)? };
    let text = format!("The marketplace {} is valid until {}.\n", options.name, day(&desk, state.soonest().1));
    desk.report(&text, &json!({"renewed": options.name, "state": state}));
    expiry(&desk, &options.name, state);
    Ok(Exit::Done)
}

pub(super) fn rotate(options: &Rotate) -> Result {
    let desk = Desk::open(options.json.json)?;
    let publisher = Publisher::open(&desk.home, &options.name)?;
    let (lost, new) = (options.lost.as_deref().unwrap_or_default(), options.new_key_out.clone().unwrap_or_default());
    let replace = match options.which {
        Which::Root => Replace::Root { lost, new: &new },
        Which::Targets => Replace::Targets,
        Which::Online => Replace::Online,
        Which::Publishing => Replace::Publishing,
    };
    let keys: &[PathBuf] = &options.keys.root_key;
    let rotated = publisher.rotate(&replace, keys, desk.clock.now())?;
    let mut text = String::new();
    for (old, new) in rotated.retired.iter().zip(&rotated.new) {
        let _ = writeln!(text, "Key {} signs nothing any more; {} takes its place.", old.short(), new.id.short());
        let _ = writeln!(text, "The new key is in {}.", shown(&new.path));
    }
    text.push_str("Everybody who added the marketplace follows by themselves.\n");
    if options.which != Which::Root {
        text.push_str(
            "If the old key was stolen, look at what is offered, and revoke what you did not publish: deskhand market list\n",
        );
    }
    desk.report(&text, &json!({"rotated": rotated}));
    Ok(Exit::Done)
}

pub(super) fn yank(options: &Yank) -> Result {
    let status = if options.undo { Status::Active } else { Status::Yanked };
    let VersionSpec { plugin, version } = &options.version;
    let text = if options.undo {
        format!("{plugin} {version} is offered again.\n")
    } else {
        format!("{plugin} {version} is yanked: nobody gets it anew, and where it is installed it keeps running.\n")
    };
    set(&options.name, &options.version, status, options.reason.clone(), options.json.json, &text)
}

pub(super) fn revoke(options: &Revoke) -> Result {
    let VersionSpec { plugin, version } = &options.version;
    let question = format!("Revoke {plugin} {version}? It stops wherever it is installed, and that is final.");
    let desk = Desk::open(options.json.json)?;
    if let Some(exit) = desk.confirm(question, "nothing was revoked", options.yes)? {
        return Ok(exit);
    }
    let text = format!(
        "{plugin} {version} is revoked: it stops wherever it is installed, as soon as Deskhand there looks at the \
         marketplace.\n"
    );
    set(&options.name, &options.version, Status::Revoked, Some(options.reason.clone()), options.json.json, &text)
}

fn set(
    name: &MarketplaceName,
    spec: &VersionSpec,
    status: Status,
    reason: Option<String>,
    json: bool,
    text: &str,
) -> Result {
    let desk = Desk::open(json)?;
    let publisher = Publisher::open(&desk.home, name)?;
    publisher.set_status(&spec.plugin, &spec.version, status, reason, desk.clock.now())?;
    desk.report(text, &json!({"plugin": spec.plugin, "version": spec.version, "status": status}));
    expiry(&desk, name, publisher.look()?.state);
    Ok(Exit::Done)
}
