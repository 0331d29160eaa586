//! The effects that exist. Each holds exactly what is judged, shown and then done.

use crate::folder::{CannotOpen, Opened};
use deskhand_records::Scope;
use deskhand_vocabulary::{
    Access, Action, ChangeKind, FolderName, Home, Plan, PluginId, Principal, Sha256, manifest::Permission,
    person::Question, plan::Change, rights::widened,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
};

mod host;
mod instructions;
mod memory;
mod plugin;
mod programs;
mod server;

pub use deskhand_vocabulary::host::is_here;
pub use host::{ALWAYS, Connect, ONCE, SendToModel, THIS_TASK};
pub use instructions::FollowInstructions;
pub use memory::{ForgetNote, Recall, Remember};
pub use plugin::{ExtractText, ListTools, StartAgent, UseCredential, UseModel, UseSkill};
pub use programs::{RunInGuest, RunInSandbox};
pub use server::{CallServerTool, ConfineServer, Described, ReadServer, StartServer};

mod sealed {
    pub trait Sealed {}
}

/// Something that is done to the outside. Sealed: all effects are on this page and those below it.
pub trait Effect: sealed::Sealed {
    /// What is judged: each of these, and the strictest judgement holds. An effect without any is refused.
    fn actions(&self) -> Vec<Action>;

    /// What the person is asked where the rules say so. Where there is nothing to ask, "ask" means no.
    fn question(&self) -> Option<Question> {
        None
    }

    /// How far it opens a folder for a task, if it does.
    fn opens(&self) -> Option<Access> {
        None
    }

    /// What a yes grants for the rest of the task, or a choice of [`ALWAYS`] until it is revoked.
    fn granted_by_yes(&self) -> Option<Scope> {
        None
    }

    /// True for an update that asks for nothing that the person has not agreed to.
    fn asks_nothing_new(&self) -> bool {
        false
    }
}

/// Open a folder for a task. The handle is taken first and its path after it, so what is judged is what is used.
#[derive(Debug)]
pub struct OpenFolder {
    opened: Opened,
    access: Access,
}

impl OpenFolder {
    /// Open `path` without any right to its content yet (`O_PATH`), and find out what it truly is.
    pub fn at(path: &Path, access: Access, home: &Home) -> Result<Self, CannotOpen> {
        Ok(Self { opened: Opened::at(path, home)?, access })
    }

    /// Canonical and absolute.
    pub fn path(&self) -> &Path {
        &self.opened.path
    }

    /// As [`deskhand_vocabulary::path::encode`] writes it.
    pub fn folder(&self) -> &str {
        &self.opened.folder
    }

    /// How far it is opened.
    pub const fn access(&self) -> Access {
        self.access
    }

    /// Deskhand's own folders that lie below it and must be in no view of it, wherever they are met.
    pub fn hidden(&self) -> &[Hidden] {
        &self.opened.hidden
    }

    /// The folder, opened with `O_PATH | O_DIRECTORY`.
    pub fn into_handle(self) -> OwnedFd {
        self.opened.handle
    }
}

/// A folder of Deskhand's own within an opened one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hidden {
    /// Canonical and absolute.
    pub path: PathBuf,
    /// Its device and inode, if it exists: it is the same folder under any name.
    pub identity: Option<(u64, u64)>,
}

impl sealed::Sealed for OpenFolder {}
impl Effect for OpenFolder {
    fn actions(&self) -> Vec<Action> {
        vec![Action::ReadFolder { folder: self.opened.folder.clone() }]
    }

    fn question(&self) -> Option<Question> {
        Some(Question::Grant { folder: self.opened.folder.clone(), access: self.access })
    }

    fn opens(&self) -> Option<Access> {
        Some(self.access)
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Folder { folder: self.opened.folder.clone(), access: self.access })
    }
}

/// A plan whose folders could not be told.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotAPlan {
    /// A change names a folder that the task has not.
    #[error("the plan names the folder `{0}`, which this task has not opened. Nothing was changed")]
    Folder(FolderName),
    /// No change of the kind that is asked for.
    #[error("the plan holds nothing of that kind to decide. Nothing was changed")]
    Empty,
}

/// The folders of a task: their names in it, and where they are (absolute, as [`deskhand_vocabulary::path::encode`]
/// writes it).
pub type Folders = BTreeMap<FolderName, String>;

/// A plan, and how much of it is decided in each folder.
#[derive(Clone, Debug)]
struct Decided {
    plan: Arc<Plan>,
    counts: BTreeMap<String, u64>,
}

impl Decided {
    /// Each change counts as `weight` in every folder that it touches; none is not part of the decision.
    fn of(plan: Arc<Plan>, folders: &Folders, weight: impl Fn(&Change) -> Option<u64>) -> Result<Self, NotAPlan> {
        let mut counts = BTreeMap::new();
        for change in plan.changes() {
            let Some(weight) = weight(change) else { continue };
            let names: BTreeSet<_> =
                [&change.source, &change.target].into_iter().flatten().map(|at| &at.folder).collect();
            for name in names {
                let folder = folders.get(name).ok_or_else(|| NotAPlan::Folder(name.clone()))?;
                let count: &mut u64 = counts.entry(folder.clone()).or_default();
                *count = count.saturating_add(weight);
            }
        }
        if counts.is_empty() { Err(NotAPlan::Empty) } else { Ok(Self { plan, counts }) }
    }

    fn actions(&self, action: impl Fn(String, Sha256, u64) -> Action) -> Vec<Action> {
        self.counts.iter().map(|(folder, count)| action(folder.clone(), self.plan.digest, *count)).collect()
    }
}

/// Apply a plan. Its removals and its sensitive changes are shown with it and are decided apart, by [`RemoveFiles`] and
/// [`ChangeSensitive`].
#[derive(Clone, Debug)]
pub struct ApplyPlan(Decided);

impl ApplyPlan {
    /// For this plan, in these folders of the task.
    pub fn of(plan: Arc<Plan>, folders: &Folders) -> Result<Self, NotAPlan> {
        Decided::of(plan, folders, |change| Some(u64::from(change.kind != ChangeKind::Remove))).map(Self)
    }

    /// The plan.
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.0.plan
    }

    /// The folders that it changes.
    pub fn folders(&self) -> impl Iterator<Item = &str> {
        self.0.counts.keys().map(String::as_str)
    }
}

impl sealed::Sealed for ApplyPlan {}
impl Effect for ApplyPlan {
    fn actions(&self) -> Vec<Action> {
        self.0.actions(|folder, plan, changes| Action::ChangeFolder { folder, plan, changes })
    }

    fn question(&self) -> Option<Question> {
        Some(Question::Apply { plan: Arc::clone(&self.0.plan) })
    }
}

/// Make the removals of a plan. Always the person's own approval.
#[derive(Clone, Debug)]
pub struct RemoveFiles(Decided);

impl RemoveFiles {
    /// For this plan, in these folders of the task. A removed folder counts as all that is in it. What is replaced and
    /// cannot be kept counts as removed.
    pub fn of(plan: Arc<Plan>, folders: &Folders) -> Result<Self, NotAPlan> {
        let lost = plan.beyond.is_some();
        let weight = |change: &Change| {
            let removed = change.kind == ChangeKind::Remove || (lost && change.replaces);
            removed.then(|| change.files.max(1))
        };
        Decided::of(plan, folders, weight).map(Self)
    }

    /// The plan.
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.0.plan
    }

    /// How many files and folders are removed, in all.
    pub fn count(&self) -> u64 {
        self.0.counts.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

impl sealed::Sealed for RemoveFiles {}
impl Effect for RemoveFiles {
    fn actions(&self) -> Vec<Action> {
        self.0.actions(|folder, plan, count| Action::RemoveFiles { folder, plan, count })
    }

    fn question(&self) -> Option<Question> {
        Some(Question::Remove { plan: Arc::clone(&self.0.plan) })
    }
}

/// Make the changes of a plan that can make something run. Always asked, whatever was granted or said in advance.
#[derive(Clone, Debug)]
pub struct ChangeSensitive(Decided);

impl ChangeSensitive {
    /// For this plan, in these folders of the task.
    pub fn of(plan: Arc<Plan>, folders: &Folders) -> Result<Self, NotAPlan> {
        Decided::of(plan, folders, |change| change.sensitive.as_ref().map(|_| 1)).map(Self)
    }

    /// The plan.
    pub const fn plan(&self) -> &Arc<Plan> {
        &self.0.plan
    }
}

impl sealed::Sealed for ChangeSensitive {}
impl Effect for ChangeSensitive {
    fn actions(&self) -> Vec<Action> {
        self.0.actions(|folder, plan, count| Action::ChangeSensitive { folder, plan, count })
    }

    fn question(&self) -> Option<Question> {
        Some(Question::Sensitive { plan: Arc::clone(&self.0.plan) })
    }
}

/// Look at a folder of the task, for a plugin. Cheap: it is asked at every call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadFolder {
    /// Absolute, as [`deskhand_vocabulary::path::encode`] writes it.
    pub folder: String,
}

impl sealed::Sealed for ReadFolder {}
impl Effect for ReadFolder {
    fn actions(&self) -> Vec<Action> {
        vec![Action::ReadFolder { folder: self.folder.clone() }]
    }
}

/// Run a slash command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunCommand {
    /// Whose.
    pub plugin: PluginId,
    /// Which.
    pub command: String,
}

impl sealed::Sealed for RunCommand {}
impl Effect for RunCommand {
    fn actions(&self) -> Vec<Action> {
        vec![Action::RunCommand { plugin: self.plugin.clone(), command: self.command.clone() }]
    }

    fn question(&self) -> Option<Question> {
        let text = format!("Run the command `/{}` of {}?", self.command, self.plugin);
        Some(Question::Confirm { origin: Principal::Person, text })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Command { plugin: self.plugin.clone(), command: self.command.clone() })
    }
}

/// Call a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallTool {
    /// Whose.
    pub plugin: PluginId,
    /// Which.
    pub tool: String,
}

impl sealed::Sealed for CallTool {}
impl Effect for CallTool {
    fn actions(&self) -> Vec<Action> {
        vec![Action::CallTool { plugin: self.plugin.clone(), tool: self.tool.clone() }]
    }

    fn question(&self) -> Option<Question> {
        let text = format!("Let a plugin of another marketplace call the tool `{}` of {}?", self.tool, self.plugin);
        Some(Question::Confirm { origin: Principal::Person, text })
    }

    fn granted_by_yes(&self) -> Option<Scope> {
        Some(Scope::Tool { plugin: self.plugin.clone(), tool: self.tool.clone() })
    }
}

/// Put a question or a notice of a plugin to the person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskPerson;

impl sealed::Sealed for AskPerson {}
impl Effect for AskPerson {
    fn actions(&self) -> Vec<Action> {
        vec![Action::AskPerson]
    }
}

/// Read or write a plugin's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeepState;

impl sealed::Sealed for KeepState {}
impl Effect for KeepState {
    fn actions(&self) -> Vec<Action> {
        vec![Action::KeepState]
    }
}

/// Install a plugin, or a new version of it.
#[derive(Clone, Debug)]
pub struct InstallPlugin {
    plugin: PluginId,
    version: String,
    component: Sha256,
    permissions: Vec<Permission>,
    installed: Option<String>,
    widened: Vec<Permission>,
}

impl InstallPlugin {
    /// A plugin that is not installed yet.
    pub const fn new(plugin: PluginId, version: String, component: Sha256, permissions: Vec<Permission>) -> Self {
        Self { plugin, version, component, permissions, installed: None, widened: Vec::new() }
    }

    /// Another version of a plugin that is installed as version `installed`, whose rights `had` the person has agreed to.
    pub fn update(self, installed: String, had: &[Permission]) -> Self {
        Self { widened: widened(had, &self.permissions), installed: Some(installed), ..self }
    }

    /// The plugin.
    pub const fn plugin(&self) -> &PluginId {
        &self.plugin
    }

    /// The version to be installed.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The component to be installed.
    pub const fn component(&self) -> Sha256 {
        self.component
    }

    /// What it asks for that the installed version did not.
    pub fn widened(&self) -> &[Permission] {
        &self.widened
    }
}

impl sealed::Sealed for InstallPlugin {}
impl Effect for InstallPlugin {
    fn actions(&self) -> Vec<Action> {
        vec![Action::InstallPlugin {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            component: self.component,
            permissions: self.permissions.iter().map(|right| right.kind.name().to_owned()).collect(),
        }]
    }

    fn question(&self) -> Option<Question> {
        Some(Question::Install {
            plugin: self.plugin.clone(),
            version: self.version.clone(),
            installed: self.installed.clone(),
            component: self.component,
            permissions: self.permissions.clone(),
            widened: self.widened.clone(),
        })
    }

    fn asks_nothing_new(&self) -> bool {
        self.installed.is_some() && self.widened.is_empty()
    }
}

/// Trust a marketplace whose fingerprint the person gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddMarketplace {
    /// Where it is.
    pub location: String,
    /// The SHA-256 of its root metadata, as the person gave it.
    pub fingerprint: Sha256,
}

impl sealed::Sealed for AddMarketplace {}
impl Effect for AddMarketplace {
    fn actions(&self) -> Vec<Action> {
        vec![Action::AddMarketplace { location: self.location.clone(), fingerprint: self.fingerprint }]
    }
}
