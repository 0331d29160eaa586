//! `deskhand mcp allow`

use super::{
    command::{Allow, Permission},
    declared::Declared,
    given::Given,
    list::{self, scope},
    named::{named, usable},
    reach::try_out,
    test::no_tool,
    tools::Row,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{self, Place},
    output,
    show::line,
};
use deskhand_mcp::client::Tool;
use deskhand_permissions::{Duration, Grant, Scope};
use deskhand_vocabulary::ServerName;
use serde_json::json;

/// What is not done without what it needs.
const UNDONE: &str = "the server is not allowed";

pub(super) fn run(options: &Allow) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    match &options.tool {
        None => server(&desk, options),
        Some(tool) if options.permission == Permission::Always => always(&desk, &usable(&desk, &options.name)?, tool),
        Some(tool) => otherwise(&desk, &named(&desk, &options.name)?.name, tool, options.permission),
    }
}

fn server(desk: &Desk, options: &Allow) -> Result {
    let server = named(desk, &options.name)?;
    give(desk, &server, options)?;
    // what was given is a part of what is agreed to
    let server = usable(desk, &options.name)?;
    let Declared { name, config, .. } = &server;
    let row = list::Row::of(desk, &server)?;
    if row.is_confined() {
        if desk.json {
            row.print();
        } else {
            output::text(&row.consent_said());
        }
        return Ok(Exit::Done);
    }
    let grant = desk.gate()?.grant(None, scope(name, config), Duration::Always)?;
    if desk.json {
        list::Row::of(desk, &server)?.print();
        return Ok(Exit::Done);
    }
    let may = match config.host() {
        Some(host) => format!("What the agent asks of `{name}` may go to {host} from now on."),
        None if list::is_confined(desk, config) => {
            format!("The MCP server `{name}` may run in its sandbox from now on: {}", line(&config.line()))
        }
        None => format!("The MCP server `{name}` may run as you from now on: {}", line(&config.line())),
    };
    output::text(&format!("{may}\nTake it back with: deskhand revoke {}\n", grant.id));
    Ok(Exit::Done)
}

/// Have the person give what a server needs that a plugin brings.
fn give(desk: &Desk, server: &Declared, options: &Allow) -> Result<()> {
    let named = || options.secret.iter().chain(&options.secret_env);
    if let Some(other) = named().find(|variable| !server.secrets.contains(variable)) {
        return Err(Failure::usage(match server.plugin() {
            Some(plugin) => format!("the plugin {plugin} does not say that `{}` needs {}", server.name, line(other)),
            None => format!("`{0}` is a server of your own. Change it with: deskhand mcp add {0}", server.name),
        }));
    }
    let Some(plugin) = server.plugin() else { return Ok(()) };
    let whose = (plugin, server.name.as_str().rsplit('/').next().unwrap_or_default());
    let given = Given::of(&desk.home);
    for variable in &options.secret_env {
        given.put(whose, variable, &Place::Environment(variable.clone()))?;
    }
    let asked = server.lacks.iter().filter(|variable| !options.secret_env.contains(variable));
    let again = options.secret.iter().filter(|variable| !server.lacks.contains(variable));
    for variable in asked.chain(again) {
        let prompt = format!("Value of {variable} for {}, which is not shown: ", server.name);
        let secret = keys::needed(desk, &prompt, "a value", UNDONE, "--secret-env NAME")?;
        given.keep(whose, variable, &secret, options.key_in_file)?;
    }
    Ok(())
}

/// What is allowed is the tool as the server describes it now, so it is asked.
fn always(desk: &Desk, Declared { name, config, .. }: &Declared, tool: &str) -> Result {
    let tried = try_out(desk, name, config)?;
    let tool: &Tool = tried.offer.tools.iter().find(|one| one.name == tool).ok_or_else(|| no_tool(name, tool))?;
    forget(desk, name, &tool.name)?;
    let scope = Scope::ServerTool { server: name.clone(), tool: tool.name.clone(), offer: tool.digest };
    desk.gate()?.grant(None, scope, Duration::Always)?;
    if desk.json {
        Row::of(name, tool, &desk.gate()?.grants()?).print();
    } else {
        output::text(&format!(
            "`{}` is called without a question as long as the server says this of it:\n  | {}\n",
            line(&tool.name),
            line(&tool.description)
        ));
    }
    Ok(Exit::Done)
}

fn otherwise(desk: &Desk, name: &ServerName, tool: &str, permission: Permission) -> Result {
    forget(desk, name, tool)?;
    if permission == Permission::Never {
        let scope = Scope::NoServerTool { server: name.clone(), tool: tool.to_owned() };
        desk.gate()?.grant(None, scope, Duration::Always)?;
    }
    if desk.json {
        output::text(&format!("{}\n", json!({"tool": tool, "permission": permission})));
    } else if permission == Permission::Never {
        output::text(&format!("`{}` of `{name}` is never called.\n", line(tool)));
    } else {
        output::text(&format!("You are asked each time before `{}` of `{name}` is called.\n", line(tool)));
    }
    Ok(Exit::Done)
}

/// Take back what was said of the tool before.
fn forget(desk: &Desk, name: &ServerName, tool: &str) -> Result<()> {
    let is_about = |grant: &&Grant| match &grant.scope {
        Scope::ServerTool { server, tool: t, .. } | Scope::NoServerTool { server, tool: t } => {
            server == name && t == tool
        }
        _ => false,
    };
    for grant in desk.gate()?.grants()?.iter().filter(is_about) {
        desk.gate()?.revoke(grant.id)?;
    }
    Ok(())
}
