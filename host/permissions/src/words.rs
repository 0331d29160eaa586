//! Actions in words: what a person is shown, and what a person types after `deskhand why`. Made from the table of
//! [`crate::kind`].

use crate::{
    folder::true_place,
    kind::{Kind, Object, Row},
};
use deskhand_vocabulary::{
    Action, PluginId, ServerName, Sha256, host::is_here, id::NotAName, path::encode, text::safe,
};
use std::{os::unix::ffi::OsStrExt as _, path::Path};

/// An action in words: completes "It may …". Safe to show.
pub fn words(action: &Action) -> String {
    let row = Kind::of(action).row();
    row.words.replacen("{}", &safe(&object(action), false), 1)
}

/// What an action is about, as it is typed.
fn object(action: &Action) -> String {
    match action {
        Action::ReadFolder { folder }
        | Action::ChangeFolder { folder, .. }
        | Action::RemoveFiles { folder, .. }
        | Action::ChangeSensitive { folder, .. }
        | Action::FollowInstructions { folder, .. }
            if folder.is_empty() =>
        {
            "a folder whose name is forgotten".to_owned()
        }
        Action::ReadFolder { folder }
        | Action::ChangeFolder { folder, .. }
        | Action::RemoveFiles { folder, .. }
        | Action::ChangeSensitive { folder, .. }
        | Action::FollowInstructions { folder, .. } => folder.clone(),
        Action::RunCommand { plugin, command } => format!("{plugin}/{command}"),
        Action::CallTool { plugin, tool } => format!("{plugin}/{tool}"),
        Action::UseSkill { plugin, skill } => format!("{plugin}/{skill}"),
        Action::StartAgent { plugin, agent } => format!("{plugin}/{agent}"),
        Action::UseCredential { credential, host } if host.is_empty() => credential.clone(),
        Action::UseCredential { credential, host } => format!("{credential} to {host}"),
        Action::Connect { host, .. } | Action::SendToModel { host, .. } => host.clone(),
        Action::InstallPlugin { plugin, .. } | Action::ListTools { plugin } | Action::ExtractText { plugin } => {
            plugin.to_string()
        }
        Action::StartServer { server, .. } | Action::ConfineServer { server, .. } | Action::ReadServer { server } => {
            server.to_string()
        }
        Action::CallServerTool { server, tool, .. } => format!("{server}/{tool}"),
        Action::AddMarketplace { location, .. } => location.clone(),
        Action::RunInSandbox
        | Action::RunInGuest
        | Action::UseModel
        | Action::AskPerson
        | Action::KeepState
        | Action::Remember { .. }
        | Action::Recall
        | Action::ForgetNote { .. } => String::new(),
    }
}

/// Why words are not an action.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAnAction {
    /// No such verb.
    #[error("`{given}` is nothing that Deskhand decides about. It decides about: {known}")]
    Verb {
        /// What was given.
        given: String,
        /// The verbs that there are.
        known: String,
    },
    /// The verb stands alone, or too much follows it.
    #[error("`{verb}` takes {wanted}, such as `deskhand why {verb}{example}`")]
    Object {
        /// The verb.
        verb: &'static str,
        /// What follows it, in words.
        wanted: &'static str,
        /// An example, with the space before it.
        example: &'static str,
    },
    /// Not the name of a plugin.
    #[error("{0}. Write a plugin as MARKETPLACE:PLUGIN; `deskhand plugin list` lists those that are installed")]
    Name(#[from] NotAName),
    /// Not the name of an MCP server, or of a tool of one.
    #[error(
        "{0}. Write an MCP server by its name and a tool of it as SERVER/TOOL; `deskhand mcp list` lists the servers"
    )]
    Server(NotAName),
    /// A command or tool that nobody has.
    #[error(
        "no installed plugin has `{0}`. Write whose it is, as MARKETPLACE:PLUGIN/NAME; `deskhand plugin list` lists the plugins"
    )]
    Nobody(String),
    /// A command or tool that several have.
    #[error("several plugins have `{name}`. Say which one: {owners}")]
    Several {
        /// What was given.
        name: String,
        /// The plugins.
        owners: String,
    },
}

impl Object {
    const fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Folder => ("a folder", " ~/Downloads"),
            Self::Command => ("a command", " organize"),
            Self::Tool => ("a tool", " default:documents/read"),
            Self::Skill => ("a skill", " default:research/research"),
            Self::Agent => ("a sub-agent", " default:reader/reader"),
            Self::Credential => ("a credential", " api-key"),
            Self::Host => ("a host", " api.example.com"),
            Self::Plugin => ("a plugin", " default:organize"),
            Self::Server => ("an MCP server", " git"),
            Self::ServerTool => ("a tool of an MCP server", " git/git_status"),
            Self::Marketplace => ("the place of a marketplace", " /srv/marketplace"),
            Self::Nothing => ("nothing more", ""),
        }
    }
}

/// `SERVER/TOOL`, where a server that a plugin brings has a slash in its own name.
fn server_and_tool(object: &str) -> Option<(&str, &str)> {
    let of_plugin = object.match_indices('/').nth(1).map(|(at, _)| (&object[..at], &object[at + 1..]));
    of_plugin.filter(|(name, _)| name.parse::<ServerName>().is_ok()).or_else(|| object.split_once('/'))
}

/// The action that words name, such as `change ~/Downloads` or `install default:organize`: a verb or a name of the table,
/// then what it is about. A path that is not absolute is taken from `here`; `~` is the shell's to replace.
pub fn parse_action(words: &[String], here: &Path) -> Result<Action, NotAnAction> {
    parse_action_of(words, here, |_, _| Vec::new())
}

/// The same, where a command or tool may stand without its plugin: `owners` tells which installed plugins have one of that
/// name.
pub fn parse_action_of(
    words: &[String],
    here: &Path,
    owners: impl Fn(Object, &str) -> Vec<PluginId>,
) -> Result<Action, NotAnAction> {
    let given = words.first().map_or("", String::as_str);
    let known =
        Kind::ALL.iter().map(|kind| (*kind, kind.row())).find(|(_, row)| given == row.verb || given == row.name);
    let (kind, row) = known.ok_or_else(|| NotAnAction::Verb { given: safe(given, false), known: verbs() })?;
    let rest = words.get(1..).unwrap_or_default();
    let wrong = || {
        let (wanted, example) = row.object.words();
        NotAnAction::Object { verb: row.verb, wanted, example }
    };
    let object = match (row.object, rest) {
        (Object::Nothing, []) => "",
        (Object::Nothing, _) => return Err(wrong()),
        (_, [object]) if !object.is_empty() => object.as_str(),
        _ => return Err(wrong()),
    };
    let folder = || encode(true_place(&here.join(object)).as_os_str().as_bytes());
    let owned = || owned(row, object, &owners);
    let server = |name: &str| name.parse::<ServerName>().map_err(NotAnAction::Server);
    // what only a plan or a package can tell is left open: no rule looks at it
    let plan = Sha256([0; 32]);
    Ok(match kind {
        Kind::ReadFolder => Action::ReadFolder { folder: folder() },
        Kind::ChangeFolder => Action::ChangeFolder { folder: folder(), plan, changes: 1 },
        Kind::RemoveFiles => Action::RemoveFiles { folder: folder(), plan, count: 1 },
        Kind::ChangeSensitive => Action::ChangeSensitive { folder: folder(), plan, count: 1 },
        Kind::FollowInstructions => Action::FollowInstructions { folder: folder(), text: plan },
        Kind::RunCommand => owned().map(|(plugin, command)| Action::RunCommand { plugin, command })?,
        Kind::CallTool => owned().map(|(plugin, tool)| Action::CallTool { plugin, tool })?,
        Kind::ListTools => Action::ListTools { plugin: object.parse()? },
        Kind::UseSkill => owned().map(|(plugin, skill)| Action::UseSkill { plugin, skill })?,
        Kind::StartAgent => owned().map(|(plugin, agent)| Action::StartAgent { plugin, agent })?,
        Kind::ExtractText => Action::ExtractText { plugin: object.parse()? },
        Kind::StartServer => Action::StartServer { server: server(object)?, setup: plan },
        Kind::ConfineServer => Action::ConfineServer { server: server(object)?, setup: plan },
        Kind::CallServerTool => {
            let (name, tool) = server_and_tool(object).ok_or_else(wrong)?;
            Action::CallServerTool { server: server(name)?, tool: tool.to_owned(), offer: plan, arguments: plan }
        }
        Kind::ReadServer => Action::ReadServer { server: server(object)? },
        Kind::RunInSandbox => Action::RunInSandbox,
        Kind::RunInGuest => Action::RunInGuest,
        Kind::UseCredential => Action::UseCredential { credential: object.to_owned(), host: String::new() },
        Kind::UseModel => Action::UseModel,
        Kind::Connect => Action::Connect { host: object.to_lowercase(), local: is_here(object) },
        Kind::SendToModel => Action::SendToModel { host: object.to_lowercase(), local: is_here(object) },
        Kind::AskPerson => Action::AskPerson,
        Kind::KeepState => Action::KeepState,
        // an agent has read something sooner or later; what it remembers before that is not asked about
        Kind::Remember => Action::Remember { note: plan, untrusted: true },
        Kind::Recall => Action::Recall,
        Kind::ForgetNote => Action::ForgetNote { note: 0 },
        Kind::InstallPlugin => Action::InstallPlugin {
            plugin: object.parse()?,
            version: String::new(),
            component: plan,
            permissions: Vec::new(),
        },
        Kind::AddMarketplace => Action::AddMarketplace { location: object.to_owned(), fingerprint: plan },
    })
}

fn verbs() -> String {
    Kind::ALL.iter().map(|kind| kind.row().verb).collect::<Vec<_>>().join(", ")
}

/// `MARKETPLACE:PLUGIN/NAME`, or a name alone that one installed plugin has.
fn owned(
    row: &Row,
    object: &str,
    owners: impl Fn(Object, &str) -> Vec<PluginId>,
) -> Result<(PluginId, String), NotAnAction> {
    if let Some((plugin, name)) = object.split_once('/').filter(|(plugin, _)| !plugin.is_empty()) {
        return Ok((plugin.parse()?, name.to_owned()));
    }
    let name = object.trim_start_matches('/');
    match &owners(row.object, name)[..] {
        [] => Err(NotAnAction::Nobody(safe(name, false))),
        [plugin] => Ok((plugin.clone(), name.to_owned())),
        several => Err(NotAnAction::Several {
            name: safe(name, false),
            owners: several.iter().map(|plugin| format!("{plugin}/{name}")).collect::<Vec<_>>().join(", "),
        }),
    }
}
