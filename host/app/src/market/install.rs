//! Installing and uninstalling.

use super::{
    Install, Uninstall,
    added::{installed, look, look_at_all},
    quarantine,
};
use crate::{
    credentials,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    mcp, output,
    show::counted,
};
use deskhand_marketplace::{
    MarketError, Marketplaces, Session, Step, Wanted,
    naming::{self, Meaning},
    resolve::resolve,
};
use deskhand_permissions::{Context, Permit, Standing, effect::InstallPlugin};
use deskhand_runtime::INTERFACE;
use deskhand_vocabulary::{
    Answer, MarketplaceName, PluginId, Principal, Question, ServerName, Unanswered, person::Choice,
};
use serde_json::json;

pub(super) fn install(options: &Install) -> Result {
    let desk = Desk::open(options.json.json)?;
    let spec = &options.plugin;
    let mut session = match &spec.marketplace {
        Some(name) => look(&desk, &Marketplaces::of(&desk.home).get(name)?)?,
        None => offering(&desk, spec.plugin.as_str())?,
    };
    let marketplace = session.catalogue().marketplace.clone();
    let wanted = Wanted { plugin: spec.plugin.clone(), range: spec.range.clone(), unfinished: options.pre };
    let steps = resolve(session.catalogue(), &INTERFACE, &installed(&desk, &marketplace)?, &[wanted])?;
    if steps.is_empty() {
        let id = PluginId { marketplace, name: spec.plugin.clone() };
        desk.report(&format!("{id} is installed already.\n"), &json!({"installed": id, "changed": false}));
        return Ok(Exit::Done);
    }
    carry_out(&desk, &mut session, &steps, Standing { yes: options.yes, removals: 0 })
}

/// The marketplace that offers a plugin; with several, the person says which.
fn offering(desk: &Desk, plugin: &str) -> Result<Session> {
    let (mut sessions, refused) = look_at_all(desk)?;
    if sessions.is_empty() && refused > 0 {
        return Err(Failure::failed("No marketplace that you added can be used now, so nothing was installed."));
    }
    if sessions.is_empty() {
        return Err(Failure::failed(
            "No marketplace is added that something could be installed from. Add one: deskhand market add NAME FOLDER --fingerprint HEX",
        ));
    }
    let offered: Vec<PluginId> = sessions
        .iter()
        .flat_map(|session| {
            let catalogue = session.catalogue();
            catalogue
                .plugins
                .keys()
                .map(|name| PluginId { marketplace: catalogue.marketplace.clone(), name: name.clone() })
        })
        .collect();
    let id = match naming::plugin(plugin, &offered) {
        Meaning::One(id) => id,
        Meaning::Several(several) => ask_which(desk, plugin, &several)?,
        Meaning::Nothing => return Err(nothing(plugin, &sessions).into()),
    };
    let at = sessions.iter().position(|session| session.catalogue().marketplace == id.marketplace);
    Ok(sessions.swap_remove(at.unwrap_or(0)))
}

fn nothing(plugin: &str, sessions: &[Session]) -> MarketError {
    let names: Vec<String> = sessions.iter().map(|session| session.catalogue().marketplace.to_string()).collect();
    let name = plugin.parse();
    let near = sessions.iter().filter_map(|session| match session.catalogue().versions(name.as_ref().ok()?) {
        Err(MarketError::NoSuchPlugin { nearest, .. }) => Some(nearest),
        _ => None,
    });
    let nearest = near.flatten().collect();
    MarketError::NoSuchPlugin { marketplace: names.join("`, `"), plugin: plugin.to_owned(), nearest }
}

fn ask_which(desk: &Desk, plugin: &str, several: &[PluginId]) -> Result<PluginId> {
    let choice = |id: &PluginId| Choice { id: id.to_string(), label: id.to_string(), hint: String::new() };
    let question = Question::Choose {
        origin: Principal::Person,
        text: format!("Several marketplaces offer {plugin}. Which one do you mean?"),
        choices: several.iter().map(choice).collect(),
    };
    let names = || several.iter().map(PluginId::to_string).collect::<Vec<_>>().join(" or ");
    match desk.person.ask(&question) {
        Ok(Answer::Chosen(chosen)) => {
            let found = several.iter().find(|id| id.to_string() == chosen).cloned();
            found.ok_or_else(|| Failure::failed(format!("{chosen} was not among the choices")))
        }
        Ok(_) => Err(Failure::new(Exit::Declined, "Nothing was installed.")),
        Err(Unanswered::Stopped) => Err(Failure::new(Exit::Stopped, "Stopped. Nothing was installed.")),
        Err(Unanswered::Absent) => Err(Failure::new(
            Exit::Unanswered,
            format!("Several marketplaces offer {plugin}. Say which one you mean: {}", names()),
        )),
    }
}

/// A step that was allowed.
struct Allowed<'a> {
    step: &'a Step,
    id: PluginId,
    component: Vec<u8>,
    permit: Permit<InstallPlugin>,
    staged: bool,
}

/// Install all of these or none: first everything is fetched, verified and agreed to, then it is put in place. A version
/// that asks for more than the one that runs is kept ready beside it until the person agrees, now or later.
pub(super) fn carry_out(desk: &Desk, session: &mut Session, steps: &[Step], standing: Standing) -> Result {
    let marketplace = session.catalogue().marketplace.clone();
    let context = Context::person(None, standing);
    let mut allowed = Vec::new();
    for step in steps {
        allowed.push(allow(desk, session, &marketplace, step, &context)?);
    }
    for Allowed { step, id, component, permit, staged } in allowed {
        let change = if step.from.is_some() { "updated" } else { "installed" };
        let runtime = desk.runtime()?;
        if staged {
            runtime.agree(permit).map_err(Failure::failed)?;
        } else {
            let done = runtime.install(permit, &component, Some(&step.to.manifest)).map_err(Failure::failed)?;
            for warning in &done.warnings {
                output::aside(&format!("{id}: {warning}"));
            }
        }
        desk.record_plugin(&id, change, step.to.version().to_string(), step.to.component)?;
        let text = match &step.from {
            Some(from) => format!("{id} is updated from {from} to {}.\n", step.to.version()),
            None => format!("{id} {} is installed.\n{}", step.to.version(), next(&id, step)),
        };
        desk.report(&text, &json!({change: id, "version": step.to.version(), "from": step.from}));
    }
    desk.catalogue()?; // worked out now, so that the next request only looks it up
    Ok(Exit::Done)
}

/// What the person can do with it next.
fn next(id: &PluginId, step: &Step) -> String {
    let manifest = &step.to.manifest;
    let keys = manifest.credentials.iter();
    let keys =
        keys.map(|key| format!("If you want it to use the key `{0}`: deskhand plugin connect {id} {0}\n", key.name));
    let command = manifest.commands.first().filter(|_| step.wanted);
    let command = command.map(|command| format!("Try it: deskhand run --folder FOLDER \"/{}\"\n", command.name));
    let servers = manifest.servers.iter();
    let servers = servers.map(|server| {
        let name = ServerName::brought(&id.name, &server.name);
        format!("If you want its MCP server to be used: deskhand mcp allow {name}\n")
    });
    keys.chain(servers).chain(command).collect()
}

fn allow<'a>(
    desk: &Desk,
    session: &mut Session,
    marketplace: &MarketplaceName,
    step: &'a Step,
    context: &Context,
) -> Result<Allowed<'a>> {
    let id = PluginId { marketplace: marketplace.clone(), name: step.to.name().clone() };
    let component = session.download(&step.to)?;
    let version = step.to.version().to_string();
    let effect = InstallPlugin::new(id.clone(), version.clone(), step.to.component, step.to.manifest.asks());
    let Some(from) = &step.from else {
        let permit = desk.gate()?.permit(context, effect)?;
        return Ok(Allowed { step, id, component, permit, staged: false });
    };
    let had = installed(desk, marketplace)?.remove(&id.name).map(|there| there.manifest.asks());
    let effect = effect.update(from.to_string(), &had.unwrap_or_default());
    let staged = !effect.widened().is_empty() || !step.widened.is_empty();
    if staged {
        let signed = Some(&step.to.manifest);
        desk.runtime()?.stage(&id, &component, step.to.component, signed).map_err(Failure::failed)?;
        desk.record_plugin(&id, "staged", version.clone(), step.to.component)?;
    }
    match desk.gate()?.permit(context, effect) {
        Ok(permit) => Ok(Allowed { step, id, component, permit, staged }),
        Err(refused) if staged => {
            let failure = Failure::from(refused);
            let message = format!(
                "{}\n{id} keeps running as {from}. Version {version}, which may do more, waits for you: deskhand plugin \
                 update {id}",
                failure.message
            );
            Err(Failure::new(failure.exit, message))
        }
        Err(refused) => Err(refused.into()),
    }
}

/// The installed plugin that a name means.
pub(crate) fn named(desk: &Desk, name: &str) -> Result<PluginId> {
    let plugins = desk.plugins()?;
    match naming::plugin(name, plugins.iter().map(|plugin| &plugin.id)) {
        Meaning::One(id) => Ok(id),
        Meaning::Several(several) => {
            let names: Vec<String> = several.iter().map(PluginId::to_string).collect();
            Err(Failure::usage(format!("Several plugins are called {name}. Say which one: {}", names.join(" or "))))
        }
        Meaning::Nothing => {
            Err(Failure::failed(format!("{name} is not installed. `deskhand plugin list` shows what is")))
        }
    }
}

pub(super) fn uninstall(options: &Uninstall) -> Result {
    let desk = Desk::open(options.json.json)?;
    let id = match named(&desk, &options.plugin) {
        Ok(id) => id,
        Err(failure) => {
            let revoked = quarantine::named(&desk, &options.plugin)?;
            for kept in &revoked {
                quarantine::remove(&desk, kept)?;
                let text =
                    format!("What was kept of {} {}, which was revoked, is removed.\n", kept.plugin, kept.version);
                desk.report(&text, &json!({"removed": kept}));
            }
            return if revoked.is_empty() { Err(failure) } else { Ok(Exit::Done) };
        }
    };
    let plugins = desk.plugins()?;
    let mut needed_by = Vec::new();
    for other in plugins.iter().filter(|other| other.id.marketplace == id.marketplace && other.id != id) {
        if other.release.manifest()?.dependencies.contains_key(&id.name) {
            needed_by.push(other.id.to_string());
        }
    }
    if !needed_by.is_empty() && !options.force {
        return Err(Failure::failed(format!(
            "{id} is needed by {}. Uninstall that first, or use --force and do without",
            needed_by.join(", ")
        )));
    }
    let release = plugins.get(&id).map(|plugin| plugin.release.clone());
    desk.runtime()?.uninstall(&id).map_err(Failure::failed)?;
    if let Some(release) = release {
        desk.record_plugin(&id, "uninstalled", release.listing()?.plugin.version.to_string(), release.component)?;
    }
    desk.catalogue()?;
    // an update keeps it; whoever uninstalls is done with it
    let forgotten = desk.records()?.state().clear(&id).map_err(Failure::failed)?;
    let keys = credentials::forget(&desk, &id)?;
    let values = mcp::forget(&desk, &id)?;
    let mut text = format!("{id} is uninstalled.\n");
    if forgotten > 0 {
        text.push_str(&format!("What it kept on this computer ({}) is gone.\n", counted(forgotten, "note")));
    }
    for key in &keys {
        text.push_str(&format!("The key `{key}` that you had connected is forgotten.\n"));
    }
    if values > 0 {
        let count = counted(values as u64, "value");
        text.push_str(&format!("What you had given for its MCP servers ({count}) is forgotten.\n"));
    }
    desk.report(&text, &json!({"uninstalled": id, "forgotten_notes": forgotten, "forgotten_keys": keys}));
    Ok(Exit::Done)
}
