//! `deskhand mcp …`

use super::{add, allow, list, login, remove, serve, test, tools};
use crate::{cli::Json, failure::Result, keys::Source};
use std::path::PathBuf;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum McpCommand {
    /// Add an MCP server, or change one that is there
    Add(Add),
    /// List the MCP servers, and whether they may be used
    List(Json),
    /// Start a server, and say what it is, what it has and how long it took
    Test(Named),
    /// List the tools of a server, and what you said of each
    Tools(Named),
    /// Let a server be used, or say what holds for one of its tools
    Allow(Allow),
    /// Log in to a server at an address, in your browser
    Login(login::Options),
    /// End the login to a server, and forget it
    Logout(Named),
    /// Forget a server, and all that you allowed of it
    Remove(Named),
    /// Serve a program of yours with the installed plugins and with folders: their tools, skills and commands
    Serve(serve::Options),
}

impl McpCommand {
    pub(crate) fn run(&self) -> Result {
        match self {
            Self::Add(options) => add::run(options),
            Self::List(options) => list::run(options),
            Self::Test(options) => test::run(options),
            Self::Tools(options) => tools::run(options),
            Self::Allow(options) => allow::run(options),
            Self::Login(options) => login::run(options),
            Self::Logout(options) => login::logout(options),
            Self::Remove(options) => remove::run(options),
            Self::Serve(options) => serve::run(options),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct Named {
    /// What you call it
    pub(super) name: String,
    #[command(flatten)]
    pub(super) json: Json,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "What you do not give of a server that is there stays as it is. Another program or argument, or another address, is another server: you are asked first, and nothing that you gave for the one before goes to it."
)]
pub(crate) struct Add {
    /// What you want to call it
    pub(super) name: String,
    /// The address of a server that is reached over HTTP
    #[arg(long, conflicts_with_all = ["program", "env", "secret", "secret_env", "see", "sandbox", "no_sandbox", "folders", "no_folders"])]
    pub(super) url: Option<String>,
    /// What Deskhand is called where you log in to the server, where it does not register itself
    #[arg(long, value_name = "ID", conflicts_with_all = ["program", "env", "secret", "secret_env", "from"])]
    pub(super) client_id: Option<String>,
    /// Be asked for the secret that belongs to it
    #[arg(long, requires = "client_id")]
    pub(super) client_secret: bool,
    /// Take that secret from this variable of the environment each time, and keep it nowhere
    #[arg(long, value_name = "VARIABLE", requires = "client_id", conflicts_with = "client_secret")]
    pub(super) client_secret_env: Option<String>,
    /// A variable of its environment; without a value, the one that it has here and now. Nothing else is in its environment.
    /// Can be given several times
    #[arg(long, value_name = "NAME[=VALUE]")]
    pub(super) env: Vec<String>,
    /// A variable of its environment whose value you are asked for, and that is kept like a key. Can be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) secret: Vec<String>,
    /// A variable of its environment whose value is taken from yours each time, and kept nowhere. Can be given several times
    #[arg(long, value_name = "NAME")]
    pub(super) secret_env: Vec<String>,
    /// A file or folder of this computer that its program sees in the sandbox and cannot change. Can be given several times
    #[arg(long, value_name = "PATH")]
    pub(super) see: Vec<PathBuf>,
    /// Do not let its program see the folders of a task
    #[arg(long, overrides_with = "folders")]
    pub(super) no_folders: bool,
    /// Let its program see the folders of a task, as it does unless you say otherwise
    #[arg(long)]
    pub(super) folders: bool,
    /// Run its program as you, in no sandbox. It is off until you agree to that
    #[arg(long, overrides_with = "sandbox")]
    pub(super) no_sandbox: bool,
    /// Run its program in a sandbox, as it does unless you say otherwise
    #[arg(long)]
    pub(super) sandbox: bool,
    /// Be asked for the key of the server at the address
    #[arg(long, group = "from")]
    pub(super) key: bool,
    #[command(flatten)]
    pub(super) source: Source,
    /// Do not ask before it takes the place of another program or address of this name
    #[arg(long, short)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) json: Json,
    /// The program of the server, and what it is given, after `--`
    #[arg(last = true, value_name = "PROGRAM")]
    pub(super) program: Vec<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Allow {
    /// What you call the server
    pub(super) name: String,
    /// A tool of it; without one, the server itself
    pub(super) tool: Option<String>,
    /// What holds for the tool
    #[arg(default_value = "always")]
    pub(super) permission: Permission,
    /// Be asked anew for the value of a variable of a server that a plugin brings. Can be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "tool")]
    pub(super) secret: Vec<String>,
    /// Take the value of such a variable from your own environment each time, and keep it nowhere. Can be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "tool")]
    pub(super) secret_env: Vec<String>,
    /// Keep such values in a file that only you can read instead of the system's keyring
    #[arg(long, conflicts_with = "tool")]
    pub(super) key_in_file: bool,
    #[command(flatten)]
    pub(super) json: Json,
}

/// What the person says of a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Permission {
    /// It is called without a question, as long as the server describes it as it does now
    Always,
    /// You are asked each time
    Ask,
    /// It is not called
    Never,
}
