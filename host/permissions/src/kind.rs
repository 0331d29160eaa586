//! The one table of the kinds of action: the gate, the words of prompts, `deskhand why` and the page of the
//! documentation are made from it. An action without a row does not compile.

use deskhand_vocabulary::{Access, Action, manifest::PermissionKind};

/// What a plugin must have declared, at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    /// This kind of right.
    Declared(PermissionKind),
    /// Nothing helps: only the person may do it.
    PersonOnly,
}

/// What the person must have granted before a plugin may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing beyond the rights that were agreed to at install.
    Nothing,
    /// The folder, this far.
    Folder(Access),
    /// That the folder is trusted, and the text in it agreed to.
    Trust,
    /// The command.
    Command,
    /// The tool, where it belongs to a plugin of another marketplace.
    Tool,
    /// The sub-agent, where it belongs to a plugin of another marketplace.
    Agent,
    /// The host; a plugin needs none for this very computer.
    Host,
    /// That what a task works on goes to the model there, unless it is this very computer.
    Consent,
    /// The program of the MCP server, as it is.
    Program,
    /// The tool of the MCP server, as it is described.
    Described,
    /// The MCP server.
    Server,
    /// That commands run in a sandbox of this computer; a plugin that its own do as well.
    Sandbox,
    /// Of a plugin, that its programs run.
    Programs,
}

/// Whether the person is asked each time, whoever acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// No.
    Never,
    /// Yes; `--yes` is an answer given in advance.
    OrYes,
    /// Yes; only `--allow-removals N` is an answer given in advance, for at most N files in a run.
    OrRemovals,
    /// Yes, always.
    Always,
    /// Yes, where others may have written what it is made from; nothing answers it in advance.
    Untrusted,
}

/// How often the decision is put on the record, and how soon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// Each time. It is durable before the effect.
    EachTime,
    /// The first time in a task, and whenever the decision turns out differently. It is durable before the effect.
    OncePerTask,
    /// As often, for what by itself only looks or computes: it may begin while the decision is on its way to the record.
    /// No effect of any other kind begins before all that was decided is durable.
    Meanwhile,
}

/// What follows the verb in `deskhand why`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// A folder.
    Folder,
    /// A command, as `command` or `marketplace:plugin/command`.
    Command,
    /// A tool, as `marketplace:plugin/tool`.
    Tool,
    /// A skill, as `skill` or `marketplace:plugin/skill`.
    Skill,
    /// A sub-agent, as `agent` or `marketplace:plugin/agent`.
    Agent,
    /// A credential.
    Credential,
    /// A host.
    Host,
    /// A plugin, as `marketplace:plugin`.
    Plugin,
    /// An MCP server, by its name.
    Server,
    /// A tool of an MCP server, as `server/tool`.
    ServerTool,
    /// The place of a marketplace.
    Marketplace,
    /// Nothing.
    Nothing,
}

/// A row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The name in lists, such as `folder.read`.
    pub name: &'static str,
    /// What a person types in `deskhand why`.
    pub verb: &'static str,
    /// What follows it.
    pub object: Object,
    /// Completes "It may …", in the words of the person; `{}` is the object.
    pub words: &'static str,
    /// What a plugin must have declared.
    pub right: Right,
    /// What must have been granted to it.
    pub needs: Needs,
    /// Whether the person is asked each time.
    pub asked: Asked,
    /// How often it is recorded.
    pub recorded: Recorded,
}

macro_rules! table {
    ($($(#[$doc:meta])* $kind:ident: $row:expr;)*) => {
        /// The kinds of action.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            /// All kinds, in the order in which they are listed.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The kind of an action.
            pub const fn of(action: &Action) -> Self {
                match action {
                    $(Action::$kind { .. } => Self::$kind,)*
                }
            }

            /// Its row.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$kind => {
                        const ROW: Row = $row;
                        &ROW
                    })*
                }
            }
        }
    };
}

use PermissionKind::{
    CredentialsUse, FilesChange, FilesRead, FilesRemove, HostsConnect, MemoryKeep, MemoryRead, ModelUse, PersonAsk,
    ProgramsRun, StateKeep, ToolsCall,
};
use Right::{Declared, PersonOnly};

table! {
    /// See names, facts and contents below a folder.
    ReadFolder: Row {
        name: "folder.read", verb: "read", object: Object::Folder, words: "read {}",
        right: Declared(FilesRead), needs: Needs::Folder(Access::Read),
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Apply a plan of changes.
    ChangeFolder: Row {
        name: "folder.change", verb: "change", object: Object::Folder, words: "change {}",
        right: Declared(FilesChange), needs: Needs::Folder(Access::Write),
        asked: Asked::OrYes, recorded: Recorded::EachTime,
    };
    /// Apply the removals of a plan.
    RemoveFiles: Row {
        name: "folder.remove", verb: "remove", object: Object::Folder, words: "remove files from {}",
        right: Declared(FilesRemove), needs: Needs::Folder(Access::Write),
        asked: Asked::OrRemovals, recorded: Recorded::EachTime,
    };
    /// Apply the changes of a plan that can make something run.
    ChangeSensitive: Row {
        name: "folder.sensitive", verb: "arm", object: Object::Folder, words: "put something that can run by itself into {}",
        right: Declared(FilesChange), needs: Needs::Folder(Access::Write),
        asked: Asked::Always, recorded: Recorded::EachTime,
    };
    /// Let a text in a folder instruct the model.
    FollowInstructions: Row {
        name: "instructions.follow", verb: "follow", object: Object::Folder, words: "follow the instructions in {}",
        right: PersonOnly, needs: Needs::Trust,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Run a slash command.
    RunCommand: Row {
        name: "command.run", verb: "run", object: Object::Command, words: "run the command {}",
        right: Declared(ToolsCall), needs: Needs::Command,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Call a tool.
    CallTool: Row {
        name: "tool.call", verb: "call", object: Object::Tool, words: "call the tool {}",
        right: Declared(ToolsCall), needs: Needs::Tool,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Ask a plugin for the tools that depend on its account.
    ListTools: Row {
        name: "tools.list", verb: "list", object: Object::Plugin, words: "ask {} which tools it has",
        right: PersonOnly, needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Take up what a plugin knows.
    UseSkill: Row {
        name: "skill.use", verb: "use", object: Object::Skill, words: "take up the skill {}",
        right: PersonOnly, needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Give work to a sub-agent.
    StartAgent: Row {
        name: "agent.start", verb: "delegate", object: Object::Agent, words: "give work to the sub-agent {}",
        right: Declared(ToolsCall), needs: Needs::Agent,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Have a plugin turn a document into text.
    ExtractText: Row {
        name: "document.extract", verb: "extract", object: Object::Plugin, words: "have {} turn documents into text",
        right: PersonOnly, needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Run the program of an MCP server.
    StartServer: Row {
        name: "mcp.start", verb: "start", object: Object::Server, words: "run the MCP server {}",
        right: PersonOnly, needs: Needs::Program,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Run the program of an MCP server in a sandbox.
    ConfineServer: Row {
        name: "mcp.confine", verb: "confine", object: Object::Server, words: "run the MCP server {} in a sandbox",
        right: PersonOnly, needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Call a tool of an MCP server.
    CallServerTool: Row {
        name: "mcp.call", verb: "invoke", object: Object::ServerTool, words: "call the MCP tool {}",
        right: PersonOnly, needs: Needs::Described,
        asked: Asked::Never, recorded: Recorded::EachTime,
    };
    /// Read what an MCP server has beside its tools.
    ReadServer: Row {
        name: "mcp.read", verb: "consult", object: Object::Server, words: "read what the MCP server {} has",
        right: PersonOnly, needs: Needs::Server,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Run commands and code in a sandbox of this computer.
    RunInSandbox: Row {
        name: "sandbox.run", verb: "execute", object: Object::Nothing, words: "run commands and code in a sandbox of this computer",
        right: Declared(ProgramsRun), needs: Needs::Sandbox,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Run commands and code in a virtual machine of the task.
    RunInGuest: Row {
        name: "guest.run", verb: "compute", object: Object::Nothing, words: "run commands and code in a virtual machine of the task",
        right: Declared(ProgramsRun), needs: Needs::Programs,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Send a credential with a request.
    UseCredential: Row {
        name: "credential.use", verb: "sign-in", object: Object::Credential, words: "send the credential {}",
        right: Declared(CredentialsUse), needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Have the model of the task work for it.
    UseModel: Row {
        name: "model.use", verb: "think", object: Object::Nothing, words: "let your model work for it",
        right: Declared(ModelUse), needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Send something to a host.
    Connect: Row {
        name: "host.connect", verb: "connect", object: Object::Host, words: "send data to {}",
        right: Declared(HostsConnect), needs: Needs::Host,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Send what a task works on to a model.
    SendToModel: Row {
        name: "model.send", verb: "send", object: Object::Host, words: "send what a task works on to the model at {}",
        right: PersonOnly, needs: Needs::Consent,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Ask the person something.
    AskPerson: Row {
        name: "person.ask", verb: "ask", object: Object::Nothing, words: "ask you questions",
        right: Declared(PersonAsk), needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Keep state from one call to the next.
    KeepState: Row {
        name: "state.keep", verb: "keep", object: Object::Nothing, words: "keep notes of its own on this computer",
        right: Declared(StateKeep), needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::OncePerTask,
    };
    /// Keep a note that later tasks are told.
    Remember: Row {
        name: "memory.keep", verb: "remember", object: Object::Nothing, words: "keep a note that later tasks are told",
        right: Declared(MemoryKeep), needs: Needs::Nothing,
        asked: Asked::Untrusted, recorded: Recorded::EachTime,
    };
    /// Look for notes that are kept.
    Recall: Row {
        name: "memory.read", verb: "recall", object: Object::Nothing, words: "look for notes that are kept",
        right: Declared(MemoryRead), needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::Meanwhile,
    };
    /// Take out a note of a plugin's own.
    ForgetNote: Row {
        name: "memory.forget", verb: "forget", object: Object::Nothing, words: "forget a note of its own",
        right: Declared(MemoryKeep), needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::EachTime,
    };
    /// Install a plugin or a new version of it.
    InstallPlugin: Row {
        name: "plugin.install", verb: "install", object: Object::Plugin, words: "install {}",
        right: PersonOnly, needs: Needs::Nothing,
        asked: Asked::OrYes, recorded: Recorded::EachTime,
    };
    /// Trust a marketplace.
    AddMarketplace: Row {
        name: "marketplace.add", verb: "trust", object: Object::Marketplace, words: "trust the marketplace {}",
        right: PersonOnly, needs: Needs::Nothing,
        asked: Asked::Never, recorded: Recorded::EachTime,
    };
}
