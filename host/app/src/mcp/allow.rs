//! `deskhand mcp allow`

use super::{
    command::{Allow, Permission},
    list::{self, scope},
    named::named,
    reach::try_out,
    test::no_tool,
    tools::Row,
};
use crate::{desk::Desk, exit::Exit, failure::Result, output, show::line};
use deskhand_mcp::client::{ServerConfig, Tool};
use deskhand_permissions::{Duration, Grant, Scope};
use deskhand_vocabulary::ServerName;
use serde_json::json;

pub(super) fn run(options: &Allow) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let (name, config) = named(&desk, &options.name)?;
    match &options.tool {
        None => server(&desk, &name, config),
        Some(tool) if options.permission == Permission::Always => always(&desk, &name, config, tool),
        Some(tool) => otherwise(&desk, &name, tool, options.permission),
    }
}

fn server(desk: &Desk, name: &ServerName, config: &ServerConfig) -> Result {
    let row = list::Row::of(desk, name, config)?;
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
        list::Row::of(desk, name, config)?.print();
        return Ok(Exit::Done);
    }
    let may = match config.host() {
        Some(host) => format!("What the agent asks of `{name}` may go to {host} from now on."),
        None => format!("The MCP server `{name}` may run as you from now on: {}", line(&config.line())),
    };
    output::text(&format!("{may}\nTake it back with: deskhand revoke {}\n", grant.id));
    Ok(Exit::Done)
}

/// What is allowed is the tool as the server describes it now, so it is asked.
fn always(desk: &Desk, name: &ServerName, config: &ServerConfig, tool: &str) -> Result {
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
