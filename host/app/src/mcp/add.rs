//! `deskhand mcp add`

use super::{
    command::Add,
    forget::let_go,
    list::{Row, is_confined},
    login::{self, Ended},
    named::named,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{self, Given, Place, Stored, Whose},
    output,
    settings::Edit,
    show::line,
};
use deskhand_egress::Secret;
use deskhand_mcp::client::ServerConfig;
use deskhand_permissions::{Context, Refused, Standing, effect::StartServer};
use deskhand_vocabulary::{ServerName, Unanswered};

/// What is not done without a key.
const UNDONE: &str = "the server was not added";

pub(super) fn run(options: &Add) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let name: ServerName = options.name.parse().map_err(Failure::usage)?;
    if name.plugin().is_some() {
        return Err(Failure::usage(format!(
            "`{name}` would be the name of a server that a plugin brings. Give yours a name without a slash"
        )));
    }
    let had = desk.settings.mcp.get(name.as_str());
    let mut config = described(options, had)?;
    let other = had.filter(|had| reached(had) != reached(&config));
    if let Some(other) = other
        && let Some(exit) = may_replace(&desk, &name, (other, &config), options.yes)?
    {
        return Ok(exit);
    }
    let mut edit = Edit::of(desk.home.config_file())?;
    let mut keeping = Keeping { stored: Stored::of(&desk.home, Whose::Servers), new: Vec::new() };
    let saved = keeping.take(&desk, options, &name, &mut config).and_then(|()| {
        config.check().map_err(Failure::usage)?;
        edit.set_server(name.as_str(), &config)?;
        Ok(edit.save()?)
    });
    if let Err(failure) = saved {
        keeping.give_up();
        return Err(failure);
    }
    let over = other.map(|other| replaced(&desk, &name, other, &config)).transpose()?;
    consent(&desk, &name, &config)?;
    let desk = Desk::open(options.json.json)?;
    let row = Row::of(&desk, &named(&desk, name.as_str())?)?;
    if options.json.json {
        row.print();
    } else {
        let done = match (had, &over) {
            (_, Some(_)) => "replaced",
            (Some(_), None) => "changed",
            (None, None) => "added",
        };
        output::text(&format!("The MCP server `{name}` is {done}: {}\n{}", line(&config.line()), row.consent_said()));
        output::text(&over.unwrap_or_default());
        output::text(&format!("Try it with: deskhand mcp test {name}\n"));
    }
    Ok(Exit::Done)
}

/// What is reached under the name of a server. Another program or address is another server.
fn reached(config: &ServerConfig) -> (Option<&str>, &[String], Option<&str>) {
    (config.command.as_deref(), config.args.as_slice(), config.url.as_deref())
}

/// Have the person agree that a server makes room for another.
fn may_replace(
    desk: &Desk,
    name: &ServerName,
    (there, next): (&ServerConfig, &ServerConfig),
    yes: bool,
) -> Result<Option<Exit>> {
    let (there, next) = (line(&there.line()), line(&next.line()));
    let question = format!(
        "There is an MCP server `{name}` already: {there}. Put this in its place: {next}? What you gave for it and allowed of it is \
         forgotten, its login too."
    );
    desk.confirm(question, &format!("the MCP server `{name}` stays as it is ({there})"), yes)
}

/// Forget what was another server's. What the person should know of that.
fn replaced(desk: &Desk, name: &ServerName, other: &ServerConfig, config: &ServerConfig) -> Result<String> {
    let ended = login::end(desk, name)?;
    let kept = let_go(desk, name, other, Some(config), "replaced")?;
    let mut said = String::new();
    if let Ended::Here(why) = ended {
        said.push_str(&format!("The login to the one before is forgotten here. {why}\n"));
    }
    if let Some(kept) = kept {
        let kept = line(&kept.display().to_string());
        said.push_str(&format!("What the program before kept is yours, and lies in {kept}\n"));
    }
    Ok(said)
}

/// The server without its keys. Nothing that was given for one goes to another.
fn described(options: &Add, had: Option<&ServerConfig>) -> Result<ServerConfig> {
    let mut config = had.cloned().unwrap_or_default();
    if let Some(url) = &options.url
        && config.url.as_ref() != Some(url)
    {
        config = ServerConfig { url: Some(url.clone()), ..times(&config) };
    }
    if let Some((program, arguments)) = options.program.split_first()
        && (config.command.as_ref(), config.args.as_slice()) != (Some(program), arguments)
    {
        config = ServerConfig { command: Some(program.clone()), args: arguments.to_vec(), ..times(&config) };
    }
    if config.command.is_none() && config.url.is_none() {
        return Err(Failure::usage(
            "say what the server is: its program after `--`, or its address with --url, such as: deskhand mcp add git -- uvx mcp-server-git",
        ));
    }
    if options.no_sandbox || options.sandbox {
        config.sandbox = options.sandbox;
    }
    if options.no_folders || options.folders {
        config.folders = options.folders;
    }
    for path in &options.see {
        let whole =
            std::path::absolute(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
        if !config.sees.contains(&whole) {
            config.sees.push(whole);
        }
    }
    for given in &options.env {
        let (name, value) = variable(given)?;
        config.secrets.remove(&name);
        config.env.insert(name, value);
    }
    Ok(config)
}

/// Only what holds for any server.
fn times(config: &ServerConfig) -> ServerConfig {
    let ServerConfig { start_seconds, call_seconds, idle_seconds, .. } = *config;
    ServerConfig { start_seconds, call_seconds, idle_seconds, ..ServerConfig::default() }
}

/// `NAME=VALUE`, or a name that has a value here.
fn variable(given: &str) -> Result<(String, String)> {
    if let Some((name, value)) = given.split_once('=') {
        return Ok((name.to_owned(), value.to_owned()));
    }
    match std::env::var(given) {
        Ok(value) => Ok((given.to_owned(), value)),
        Err(_) => Err(Failure::usage(format!(
            "the variable {name} has no value here. Give it one, such as: --env {name}=VALUE",
            name = line(given)
        ))),
    }
}

/// Keys on their way to where they are kept.
struct Keeping {
    stored: Stored,
    /// Those that were not there before.
    new: Vec<Place>,
}

impl Keeping {
    /// Take the keys that the options speak of, and write their places into the settings of the server.
    fn take(&mut self, desk: &Desk, options: &Add, name: &ServerName, config: &mut ServerConfig) -> Result<()> {
        for variable in &options.secret_env {
            config.env.remove(variable);
            config.secrets.insert(variable.clone(), Place::Environment(variable.clone()).to_string());
        }
        for variable in &options.secret {
            let secret = typed(desk, &format!("Value of {variable}, which is not shown: "))?;
            let place = self.keep(&format!("{name}/{variable}"), &secret, options)?;
            config.env.remove(variable);
            config.secrets.insert(variable.clone(), place);
        }
        if let Some(id) = &options.client_id {
            (config.key, config.client_id) = (None, Some(id.clone()));
            config.client_secret = self.client_secret(desk, options, name)?;
        }
        let given = match options.source.given(UNDONE)? {
            None if options.key => Some(Given::Secret(typed(desk, "Key of the server, which is not shown: ")?)),
            given => given,
        };
        match given {
            None => {}
            Some(_) if config.client_id.is_some() => {
                return Err(Failure::usage(format!(
                    "the MCP server `{name}` is set to be logged in to. To give it a key instead, remove it and add it anew"
                )));
            }
            Some(Given::Place(place)) => config.key = Some(place.to_string()),
            Some(Given::Secret(secret)) => {
                let host = config.host().unwrap_or_default();
                config.key = Some(self.keep(&format!("{name}@{host}"), &secret, options)?);
            }
        }
        Ok(())
    }

    /// Where the secret of the client lies that the person registered.
    fn client_secret(&mut self, desk: &Desk, options: &Add, name: &ServerName) -> Result<Option<String>> {
        if options.client_secret {
            let secret = typed(desk, "Secret of the client, which is not shown: ")?;
            return self.keep(&format!("{name}/client"), &secret, options).map(Some);
        }
        Ok(options.client_secret_env.clone().map(|variable| Place::Environment(variable).to_string()))
    }

    fn keep(&mut self, name: &str, secret: &Secret, options: &Add) -> Result<String> {
        let place = self.stored.keep(name, secret, options.source.key_in_file).map_err(Failure::failed)?;
        self.new.push(place.clone());
        Ok(place.to_string())
    }

    /// Nothing came of it.
    fn give_up(&self) {
        for place in &self.new {
            // what failed is told; that a key could not be taken back either is the same trouble
            let _ = self.stored.remove(place);
        }
    }
}

fn typed(desk: &Desk, prompt: &str) -> Result<Secret> {
    let instead = "--secret-env NAME, or --key-env NAME for a server at an address";
    keys::needed(desk, prompt, "a key", UNDONE, instead)
}

/// Have the person agree that the program runs as they do, where it does. Without a yes the server stays off.
fn consent(desk: &Desk, name: &ServerName, config: &ServerConfig) -> Result<()> {
    if config.command.is_none() || is_confined(desk, config) {
        return Ok(());
    }
    let start = StartServer::of(name, config.setup(), &config.line());
    match desk.gate()?.permit(&Context::person(None, Standing::default()), start) {
        Ok(permit) => {
            permit.redeem();
            Ok(())
        }
        Err(Refused::Declined | Refused::Unanswered(Unanswered::Absent)) => Ok(()),
        Err(refused) => Err(refused.into()),
    }
}
