//! The command line. Help, completions and the man page are all made from these definitions.

use crate::exit::Exit;
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use std::path::PathBuf;

/// Let plugins work on your files, see every change before it is made, and undo it.
#[derive(Debug, Parser)]
#[command(name = "deskhand", version, about, after_help = exit_codes(), propagate_version = false, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The whole definition, for completions and the man page.
pub(crate) fn definition() -> clap::Command {
    Cli::command()
}

fn exit_codes() -> String {
    let rows = Exit::TABLE.iter().map(|(exit, meaning)| format!("  {:>3}  {meaning}\n", *exit as u8));
    format!("Exit codes:\n{}", rows.collect::<String>())
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Do something with the files of a folder
    Run(Run),
    /// Go on with a task that was broken off, that waits for you, or whose budget was used up
    Resume(Resume),
    /// Say something to a task that runs in another terminal, or change its plan
    Steer(Steer),
    /// Hold a running task before its next step
    Pause(OneTask),
    /// End a running task; what is pending is not applied
    Cancel(OneTask),
    /// List the tasks that wait for you
    Inbox(Json),
    /// List the last tasks of agents and how they stand, or follow one
    Tasks(Tasks),
    /// Show, export, import and delete single tasks
    Task(crate::transcript::TaskCommand),
    /// Undo what was applied, wholly or in part; also undoes an undo
    Undo(Undo),
    /// List what was applied, or show one of them
    History(History),
    /// Get one file back as it was before a commit
    Restore(Restore),
    /// Give up old versions and removed files to free space
    Purge(Purge),
    /// Show the record of everything that was done
    Log(Log),
    /// List what is granted
    Grants(Json),
    /// Take a grant back
    Revoke(Revoke),
    /// List the files that instruct the model here, trust those of a folder, or edit your own
    Instructions(crate::instructions::InstructionsCommand),
    /// Keep, find, edit and forget the notes that later tasks are told
    Memory(crate::memory::MemoryCommand),
    /// Explain whether something is allowed, and why
    Why(Why),
    /// List the installed commands, or say which one serves a request
    Commands(Commands),
    /// Find, install, write and check plugins
    Plugin(Plugin),
    /// Add and choose the models that work on your requests
    Model(Model),
    /// Add MCP servers, whose tools your agent can use, and serve other programs
    Mcp(Mcp),
    /// Say where commands of your agent run, and use that place by hand
    Vm(Vm),
    /// Use, make and govern marketplaces
    Market(Market),
    /// Say what works on this computer, and what to do about what does not
    Doctor(Json),
    /// Show every setting as it holds and where that comes from, or where the settings file is
    Config(Config),
    /// Print shell completions
    Completions(Completions),
    /// Print the manual page, or write one page a command into a folder
    Man(Man),
    #[command(name = crate::background::SUPERVISE, hide = true)]
    Supervise {
        /// End after so many seconds without work
        #[arg(long, value_name = "SECONDS", value_parser = number::<u64>)]
        idle: Option<u64>,
    },
    #[command(name = deskhand_runtime::COMPILE_SUBCOMMAND, hide = true, disable_help_flag = true)]
    CompileComponent {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    #[command(name = deskhand_confine::SUBCOMMAND, hide = true, disable_help_flag = true)]
    SandboxHelper {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<std::ffi::OsString>,
    },
    #[command(name = deskhand_mcp::client::WATCH_SUBCOMMAND, hide = true, disable_help_flag = true)]
    WatchProgram {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    #[command(name = "tuf-conformance", hide = true, disable_help_flag = true)]
    TufConformance {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

/// A whole number.
fn number<T: std::str::FromStr>(text: &str) -> Result<T, deskhand_vocabulary::id::NotANumber> {
    text.parse().map_err(|_| deskhand_vocabulary::id::NotANumber)
}

/// How many there are to be at most; 0 stands for all.
pub(crate) fn most(text: &str) -> Result<u64, deskhand_vocabulary::id::NotANumber> {
    number(text).map(|most: u64| if most == 0 { u64::from(u32::MAX) } else { most })
}

#[derive(Debug, Args)]
pub(crate) struct Json {
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Answers {
    /// Apply without asking; never covers a removal
    #[arg(long, short)]
    pub(crate) yes: bool,
    /// Agree in advance to the removal of at most N files
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = number::<u64>)]
    pub(crate) allow_removals: u64,
}

impl Answers {
    pub(crate) fn standing(&self) -> deskhand_permissions::Standing {
        deskhand_permissions::Standing { yes: self.yes, removals: self.allow_removals }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// A folder to work on, granted for this task; without it, the folder that you are in, once you agree. Can be given
    /// several times
    #[arg(long, short, value_name = "FOLDER")]
    pub(crate) folder: Vec<PathBuf>,
    /// Keep the grants of these folders for later tasks
    #[arg(long, requires = "folder")]
    pub(crate) always: bool,
    /// Grant the folders for reading only
    #[arg(long, requires = "folder")]
    pub(crate) read_only: bool,
    /// A host that may be reached for this task without asking, such as example.org or localhost. Can be given several times
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Vec<String>,
    #[command(flatten)]
    pub(crate) answers: Answers,
    #[command(flatten)]
    pub(crate) agent: Agent,
    /// Which model works on it, instead of the one that the settings choose
    #[arg(long, value_name = "NAME")]
    pub(crate) model: Option<String>,
    /// How much you are asked about
    #[arg(long, value_enum, value_name = "MODE")]
    pub(crate) mode: Option<crate::agent::Mode>,
    /// Be shown the plan before anything is done; the same as --mode plan
    #[arg(long, conflicts_with = "mode")]
    pub(crate) plan: bool,
    /// Do it in the background, when its turn comes: it goes on without this terminal. See `deskhand tasks`
    #[arg(long)]
    pub(crate) background: bool,
    /// How soon it has its turn in the background: high, normal or low
    #[arg(long, value_name = "PRIORITY", default_value_t, requires = "background")]
    pub(crate) priority: deskhand_tasks::Priority,
    /// Follow up on a task that is over, by its number
    #[arg(long = "continue", value_name = "TASK", conflicts_with_all = ["folder", "model", "mode", "plan", "read_only"])]
    pub(crate) follow: Option<deskhand_vocabulary::TaskId>,
    /// Print events as JSON lines; nobody is asked
    #[arg(long)]
    pub(crate) json: bool,
    /// What to do: a command such as "/organize by type", or a request in plain words. What is piped in goes along with a
    /// request to a model
    #[arg(required = true, value_name = "REQUEST")]
    pub(crate) request: Vec<String>,
}

/// What an agent's task takes, whether it begins or goes on.
#[derive(Debug, Args)]
pub(crate) struct Agent {
    /// What a task of a model may use up, such as steps=50, time=10m, money=2.50, tokens=100000, bytes-out=5MB, removals=0. Can
    /// be given several times
    #[arg(long, value_name = "MEASURE=AMOUNT", value_delimiter = ',')]
    pub(crate) budget: Vec<crate::agent::Limit>,
    /// Say everything in words, a line each, for a screen reader
    #[arg(long)]
    pub(crate) plain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    /// The task; without it, the last one that can go on
    pub(crate) task: Option<deskhand_vocabulary::TaskId>,
    /// Something to say to the model first
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) answers: Answers,
    #[command(flatten)]
    pub(crate) agent: Agent,
    #[arg(long, help = "Print events as JSON lines; nobody is asked")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct OneTask {
    /// The task
    pub(crate) task: deskhand_vocabulary::TaskId,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Steer {
    /// The task
    pub(crate) task: deskhand_vocabulary::TaskId,
    /// Edit its plan in your editor
    #[arg(long, conflicts_with = "words")]
    pub(crate) edit_plan: bool,
    /// What to say. Words that begin with "stop" break off what the model is saying
    #[arg(required_unless_present = "edit_plan")]
    pub(crate) words: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Tasks {
    #[command(subcommand)]
    pub(crate) command: Option<TasksCommand>,
    /// How many; 0 for all
    #[arg(long, default_value_t = 20, value_parser = most)]
    pub(crate) limit: u64,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TasksCommand {
    /// Show what a task does, from its beginning; at a terminal you answer its questions. Ctrl-C leaves it at work
    #[command(visible_alias = "attach")]
    Follow(Follow),
}

#[derive(Debug, Args)]
pub(crate) struct Follow {
    /// The task
    pub(crate) task: deskhand_vocabulary::TaskId,
    /// Say everything in words, a line each, for a screen reader
    #[arg(long)]
    pub(crate) plain: bool,
    /// Print events as JSON lines; nobody is asked
    #[arg(long)]
    pub(crate) json: bool,
}

impl Run {
    /// How the folders are opened for a task. Named on the command line, they are granted by that.
    pub(crate) fn opening(&self, task: deskhand_vocabulary::TaskId) -> crate::task::Opening {
        use deskhand_permissions::Duration;
        let named = !self.folder.is_empty();
        crate::task::Opening {
            access: if self.read_only { deskhand_vocabulary::Access::Read } else { deskhand_vocabulary::Access::Write },
            granted: named.then_some(if self.always { Duration::Always } else { Duration::Task(task) }),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Undo {
    /// The number of a commit, as `deskhand history` lists it; without it, the last one
    pub(crate) commit: Option<deskhand_vocabulary::CommitId>,
    /// Only this file or folder, by its path before or after the commit. Can be given several times
    #[arg(long, short, value_name = "PATH")]
    pub(crate) file: Vec<PathBuf>,
    /// Where you changed a file since, put its old version beside it
    #[arg(long)]
    pub(crate) beside: bool,
    /// Show what it would do, and do nothing
    #[arg(long)]
    pub(crate) preview: bool,
    #[command(flatten)]
    pub(crate) answers: Answers,
    #[arg(long, help = "Print JSON lines; nobody is asked")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// The number of a commit, to see each of its changes
    pub(crate) commit: Option<deskhand_vocabulary::CommitId>,
    /// How many commits to list
    #[arg(long, default_value_t = 20, value_parser = number::<usize>)]
    pub(crate) limit: usize,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Restore {
    /// The number of a commit that changed or removed the file
    pub(crate) commit: deskhand_vocabulary::CommitId,
    /// The file, by its path before the commit; without it, what is kept is listed
    pub(crate) file: Option<PathBuf>,
    /// Put it into this folder instead of its own place
    #[arg(long, value_name = "FOLDER")]
    pub(crate) to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) answers: Answers,
    #[arg(long, help = "Print JSON lines; nobody is asked")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Purge {
    /// What is older than so many days; without it, what the settings no longer keep
    #[arg(long, value_name = "DAYS", value_parser = number::<u64>)]
    pub(crate) older_than: Option<u64>,
    /// Only these commits. Can be given several times
    #[arg(long, value_name = "COMMIT")]
    pub(crate) commit: Vec<deskhand_vocabulary::CommitId>,
    /// Of these, give up also what they were for and the names of what they changed: they cannot be undone at all then
    #[arg(long, requires = "commit")]
    pub(crate) names: bool,
    /// Say what it would free, and free nothing
    #[arg(long)]
    pub(crate) preview: bool,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Log {
    /// Only this task
    #[arg(long, value_name = "TASK")]
    pub(crate) task: Option<deskhand_vocabulary::TaskId>,
    /// Only events after this one
    #[arg(long, value_name = "EVENT", value_parser = number::<u64>)]
    pub(crate) after: Option<u64>,
    /// How many events, the newest of them; 0 for all
    #[arg(long, default_value_t = 100, value_parser = number::<u64>)]
    pub(crate) limit: u64,
    /// Check that no event was changed, removed or put in between
    #[arg(long, conflicts_with_all = ["task", "forget"])]
    pub(crate) verify: bool,
    /// Destroy the names and contents that were kept of a task; that it happened stays on record
    #[arg(long, value_name = "TASK")]
    pub(crate) forget: Option<deskhand_vocabulary::TaskId>,
    /// Do not ask
    #[arg(long, short, requires = "forget")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The number of a grant, as `deskhand grants` lists it
    #[arg(value_parser = number::<u64>)]
    pub(crate) grant: u64,
}

#[derive(Debug, Args)]
pub(crate) struct Why {
    /// What, such as: read ~/Downloads
    #[arg(required = true, value_name = "ACTION")]
    pub(crate) action: Vec<String>,
    /// Ask it for a plugin instead of yourself
    #[arg(long, value_name = "PLUGIN")]
    pub(crate) plugin: Option<String>,
    /// Ask it for the agent, which works on your requests with a model, instead of yourself
    #[arg(long, conflicts_with = "plugin")]
    pub(crate) agent: bool,
    /// Ask it for a client that `deskhand mcp serve` serves, by the name that you gave it
    #[arg(long, value_name = "CLIENT", conflicts_with_all = ["plugin", "agent"])]
    pub(crate) client: Option<deskhand_vocabulary::ClientName>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Commands {
    /// A request, to see which command serves it
    pub(crate) request: Vec<String>,
    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    /// Print where the settings file is
    #[arg(long, conflicts_with = "json")]
    pub(crate) path: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// For which shell
    pub(crate) shell: clap_complete::Shell,
}

#[derive(Debug, Args)]
pub(crate) struct Man {
    /// Write one page a command into this folder
    pub(crate) folder: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Plugin {
    #[command(subcommand)]
    pub(crate) command: PluginCommand,
}

/// Those who use plugins and those who write them meet here.
#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    #[command(flatten)]
    Author(crate::author::Command),
    #[command(flatten)]
    Use(crate::market::PluginCommand),
    #[command(flatten)]
    SignIn(crate::credentials::Command),
}

#[derive(Debug, Args)]
pub(crate) struct Model {
    #[command(subcommand)]
    pub(crate) command: crate::model::ModelCommand,
}

#[derive(Debug, Args)]
pub(crate) struct Mcp {
    #[command(subcommand)]
    pub(crate) command: crate::mcp::McpCommand,
}

#[derive(Debug, Args)]
pub(crate) struct Vm {
    #[command(subcommand)]
    pub(crate) command: crate::vm::VmCommand,
}

#[derive(Debug, Args)]
pub(crate) struct Market {
    #[command(subcommand)]
    pub(crate) command: crate::market::MarketCommand,
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_definition_is_sound() {
        super::definition().debug_assert();
    }
}
