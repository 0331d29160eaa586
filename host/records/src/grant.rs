//! What the person has granted: kept beside the log, each change of it an event.

use crate::{Records, RecordsError, locked};
use deskhand_vocabulary::{Access, Entry, Event, PluginId, ServerName, Sha256, TaskId};
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{fmt, sync::Arc};

/// What is granted. A kind is added as an effect comes that needs it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Scope {
    /// A folder and all that lies below it.
    Folder {
        /// Canonical and absolute, as [`deskhand_vocabulary::path::encode`] writes it.
        folder: String,
        /// How far.
        access: Access,
    },
    /// A folder that the person trusts: what they have read of its instructions, and of those below it, instructs the model.
    Instructions {
        /// Canonical and absolute, as [`deskhand_vocabulary::path::encode`] writes it.
        folder: String,
    },
    /// Instructions that the person has read and agreed to, to the letter.
    InstructionText {
        /// The folder that they lie in, as [`Scope::Instructions`] writes it.
        folder: String,
        /// The text.
        text: Sha256,
    },
    /// A slash command that a plugin may run.
    Command {
        /// Whose command.
        plugin: PluginId,
        /// Which.
        command: String,
    },
    /// A host that what is worked on may be sent to.
    Host {
        /// Its name or address, in lower case.
        host: String,
    },
    /// A host whose model may read what is worked on.
    Model {
        /// Its name or address, in lower case.
        host: String,
    },
    /// A tool that a plugin of another marketplace may call.
    Tool {
        /// Whose tool.
        plugin: PluginId,
        /// Which.
        tool: String,
    },
    /// A sub-agent that a plugin of another marketplace may give work to.
    Agent {
        /// Whose sub-agent.
        plugin: PluginId,
        /// Which.
        agent: String,
    },
    /// An MCP server whose program may run with the rights of the person, as it was shown to them.
    Server {
        /// The server.
        server: ServerName,
        /// Its program, what it is given, and what is in its environment.
        setup: Sha256,
    },
    /// What an MCP server has beside its tools, which the agent may read.
    ServerReading {
        /// The server.
        server: ServerName,
    },
    /// A tool of an MCP server that the agent may call, as the server described it to the person.
    ServerTool {
        /// The server.
        server: ServerName,
        /// The tool.
        tool: String,
        /// What the server said of it.
        offer: Sha256,
    },
    /// Commands and code, in a sandbox of this computer.
    Sandbox,
    /// Programs of a plugin, in a place of its own.
    Programs {
        /// Whose.
        plugin: PluginId,
    },
    /// A tool of an MCP server that is never called, whatever the server says of it: not a grant but the refusal of one.
    NoServerTool {
        /// The server.
        server: ServerName,
        /// The tool.
        tool: String,
    },
}

/// For how long something is granted. In JSON: `"once"`, `{"task":7}` or `"always"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Duration {
    /// For one use: a command or tool for one call, a folder for the first task that opens it.
    Once,
    /// For one task.
    Task(TaskId),
    /// Until it is revoked.
    Always,
}

impl Duration {
    /// The name in events and lists.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Once => "once",
            Self::Task(_) => "task",
            Self::Always => "always",
        }
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Once => f.write_str("one use"),
            Self::Task(task) => write!(f, "task {task}"),
            Self::Always => f.write_str("always"),
        }
    }
}

/// What is granted, in words. A folder's name is not made safe to show here.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Folder { folder, access: Access::Read } => write!(f, "read {folder}"),
            Self::Folder { folder, access: Access::Write } => write!(f, "read and change {folder}"),
            Self::Instructions { folder } => write!(f, "trust {folder} for instructions"),
            Self::InstructionText { folder, text } => {
                write!(f, "follow the instructions in {folder} as you read them ({:.12})", text.to_string())
            }
            Self::Host { host } => write!(f, "send to {host}"),
            Self::Model { host } => write!(f, "send what tasks work on to the model at {host}"),
            Self::Command { plugin, command } => write!(f, "run the command {plugin}/{command}"),
            Self::Tool { plugin, tool } => write!(f, "call the tool {plugin}/{tool}"),
            Self::Agent { plugin, agent } => write!(f, "give work to the sub-agent {plugin}/{agent}"),
            Self::Server { server, .. } => write!(f, "run the MCP server {server} as you"),
            Self::ServerReading { server } => write!(f, "read what the MCP server {server} has"),
            Self::ServerTool { server, tool, .. } => write!(f, "call the MCP tool {server}/{tool} as it is described"),
            Self::Sandbox => f.write_str("run commands in a sandbox of this computer"),
            Self::Programs { plugin } => write!(f, "let {plugin} run programs in a place of its own"),
            Self::NoServerTool { server, tool } => write!(f, "never call the MCP tool {server}/{tool}"),
        }
    }
}

/// A grant that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Grant {
    /// What `deskhand revoke` takes. Counted from 1 in one Deskhand home, never used again.
    pub id: u64,
    /// What.
    pub scope: Scope,
    /// For how long.
    pub duration: Duration,
    /// Since when.
    pub since: Timestamp,
}

/// The grants as they were last read, and what tells that they may have changed.
#[derive(Debug)]
pub(crate) struct Known {
    /// SQLite's count of changes by other connections, ours for writing included.
    data_version: i64,
    /// Our own count of changes to grants, in the file.
    changes: i64,
    grants: Arc<[Grant]>,
}

/// A folder's path in an event; a command or tool, by its own key.
fn named(scope: &Scope) -> (Access, Value) {
    match scope {
        Scope::Folder { folder, access } => (*access, json!({ "folder": folder })),
        Scope::Instructions { folder } | Scope::InstructionText { folder, .. } => {
            (Access::Read, json!({ "folder": folder }))
        }
        Scope::Host { host } => (Access::Write, json!({ "host": host })),
        Scope::Model { host } => (Access::Read, json!({ "model": host })),
        Scope::Command { plugin, command } => (Access::Read, json!({ "command": format!("{plugin}/{command}") })),
        Scope::Tool { plugin, tool } => (Access::Read, json!({ "tool": format!("{plugin}/{tool}") })),
        Scope::Agent { plugin, agent } => (Access::Read, json!({ "agent": format!("{plugin}/{agent}") })),
        Scope::Server { server, .. } | Scope::ServerReading { server } => (Access::Read, json!({ "server": server })),
        Scope::Sandbox => (Access::Write, json!({})),
        Scope::Programs { plugin } => (Access::Write, json!({ "programs": plugin })),
        Scope::ServerTool { server, tool, .. } | Scope::NoServerTool { server, tool } => {
            (Access::Read, json!({ "tool": format!("{server}/{tool}") }))
        }
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<Grant> {
    let scope = row.get_ref(1)?.as_str()?;
    let task = row.get::<_, Option<i64>>(3)?;
    let duration = match (row.get_ref(2)?.as_str()?, task) {
        ("once", _) => Duration::Once,
        ("always", _) => Duration::Always,
        (_, Some(task)) => Duration::Task(TaskId(task.cast_unsigned())),
        // the table's own checks leave no other case; if it is there all the same, it grants nothing that lasts
        (_, None) => Duration::Once,
    };
    let unreadable = |error| rusqlite::Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error));
    Ok(Grant {
        id: row.get::<_, i64>(0)?.cast_unsigned(),
        scope: serde_json::from_str(scope).map_err(unreadable)?,
        duration,
        since: Timestamp::from_microsecond(row.get(4)?).unwrap_or(Timestamp::MIN),
    })
}

const COLUMNS: &str = "SELECT id, scope, duration, task, since FROM grants";

fn one(connection: &Connection, id: i64) -> rusqlite::Result<Option<Grant>> {
    connection.prepare_cached(&format!("{COLUMNS} WHERE id = ?1"))?.query_row([id], read).optional()
}

impl Records {
    /// All grants that hold, the oldest first. Fast when nothing has changed: they are kept in memory and read anew once
    /// any process has changed them.
    pub fn grants(&self) -> Result<Arc<[Grant]>, RecordsError> {
        let mut known = locked(&self.grants);
        let fresh = self.read(|connection| {
            let number = |sql| connection.prepare_cached(sql)?.query_row([], |row| row.get::<_, i64>(0));
            // read first: what changes while the rest is read makes it old again
            let data_version = number("PRAGMA data_version")?;
            if let Some(known) = known.as_ref()
                && known.data_version == data_version
            {
                return Ok(None);
            }
            let changes = number("SELECT coalesce((SELECT value FROM numbers WHERE name = 'grants'), 0)")?;
            let grants = match known.as_ref() {
                Some(known) if known.changes == changes => Arc::clone(&known.grants),
                _ => {
                    let mut statement = connection.prepare_cached(&format!("{COLUMNS} ORDER BY id"))?;
                    let grants = statement.query_map([], read)?;
                    grants.collect::<rusqlite::Result<Vec<_>>>()?.into()
                }
            };
            Ok(Some(Known { data_version, changes, grants }))
        })?;
        Ok(match fresh {
            Some(fresh) => Arc::clone(&known.insert(fresh).grants),
            None => known.as_ref().map(|known| Arc::clone(&known.grants)).unwrap_or_default(),
        })
    }

    /// Grant something, for the event's record in `task`. What is granted already, with the same scope and duration, is
    /// returned as it is.
    pub fn grant(&self, task: Option<TaskId>, scope: Scope, duration: Duration) -> Result<Grant, RecordsError> {
        self.write(move |writing| {
            let failed = |error| rusqlite::Error::ToSqlConversionFailure(Box::new(error));
            let text = serde_json::to_string(&scope).map_err(failed)?;
            let bound = match duration {
                Duration::Task(task) => Some(task.0.cast_signed()),
                Duration::Once | Duration::Always => None,
            };
            let same = writing
                .connection
                .prepare_cached(&format!("{COLUMNS} WHERE scope = ?1 AND duration = ?2 AND task IS ?3"))?
                .query_row(params![text, duration.name(), bound], read)
                .optional()?;
            if let Some(same) = same {
                return Ok(same);
            }
            let (id, since) = (writing.raise("grant")?, writing.now());
            writing.connection.prepare_cached("INSERT INTO grants VALUES (?1, ?2, ?3, ?4, ?5)")?.execute(params![
                id,
                text,
                duration.name(),
                bound,
                since
            ])?;
            writing.raise("grants")?;
            let (access, content) = named(&scope);
            let event = Event::Granted { grant: id.cast_unsigned(), access, duration: duration.name().to_owned() };
            writing.append(Entry { task, event, content: task.map(|_| content) })?;
            let since = Timestamp::from_microsecond(since).unwrap_or(Timestamp::MIN);
            Ok(Grant { id: id.cast_unsigned(), scope, duration, since })
        })
    }

    /// Use up a grant for one use, for good: a folder becomes the task's, all else is gone. False if another use was first.
    pub fn use_grant(&self, id: u64, task: Option<TaskId>) -> Result<bool, RecordsError> {
        self.write(move |writing| {
            let id = id.cast_signed();
            let Some(grant) = one(writing.connection, id)? else { return Ok(false) };
            if grant.duration != Duration::Once {
                return Ok(false);
            }
            match (&grant.scope, task) {
                (Scope::Folder { .. }, Some(task)) => writing
                    .connection
                    .prepare_cached("UPDATE grants SET duration = 'task', task = ?2 WHERE id = ?1")?
                    .execute([id, task.0.cast_signed()])?,
                _ => writing.connection.prepare_cached("DELETE FROM grants WHERE id = ?1")?.execute([id])?,
            };
            writing.raise("grants")?;
            Ok(true)
        })
    }

    /// Take a grant back. Returns what it was.
    pub fn revoke(&self, id: u64) -> Result<Grant, RecordsError> {
        let revoked = self.write(move |writing| {
            let Some(grant) = one(writing.connection, id.cast_signed())? else { return Ok(None) };
            writing.connection.prepare_cached("DELETE FROM grants WHERE id = ?1")?.execute([id.cast_signed()])?;
            writing.raise("grants")?;
            writing.append(Entry { task: None, event: Event::Revoked { grant: id }, content: None })?;
            Ok(Some(grant))
        })?;
        revoked.ok_or(RecordsError::Unknown { what: "grant", id, list: "grants" })
    }
}
