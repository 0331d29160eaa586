//! A home with a runtime and a gate in this process, as `deskhand` puts them together, and a person who agrees.

use crate::{components, place::Place};
use anyhow::{Context as _, Result};
use deskhand_permissions::{
    Context, Gate, Permit, Standing,
    effect::{InstallPlugin, RunCommand},
};
use deskhand_records::Records;
use deskhand_runtime::{CallError, Compiler, Config, Invocation, Reply, Runtime, read_manifest};
use deskhand_vocabulary::{
    Answer, Clock, Home, Notice, Person, Plan, PluginId, Progress, Question, Sha256, Stop, SystemClock, TaskId,
    Unanswered,
};
use deskhand_workspace::Workspace;
use serde_json::{Value, json};
use std::{fs, path::Path, sync::Arc};

struct Agrees;

impl Person for Agrees {
    fn present(&self) -> bool {
        true
    }

    fn ask_until(&self, _: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        Ok(Answer::Yes)
    }

    fn tell(&self, _: &Notice) {}

    fn show(&self, _: &Plan) {}

    fn progress(&self, _: &Progress) {}
}

/// See the module.
pub(crate) struct House {
    pub(crate) home: Home,
    pub(crate) runtime: Runtime,
    pub(crate) records: Arc<Records>,
    gate: Arc<Gate>,
    person: Arc<dyn Person>,
    clock: Arc<dyn Clock>,
    workspace: Workspace,
    task: TaskId,
}

/// Settings as `deskhand` has them; `deskhand` is also the compiler.
pub(crate) fn config(place: &Place) -> Config {
    let compiler = Compiler { program: Some(place.deskhand.clone()), ..Compiler::default() };
    Config { compiler, ..Config::default() }
}

impl House {
    pub(crate) fn open(root: &Path, config: Config) -> Result<Self> {
        let home = Home::within(root);
        for folder in home.folders() {
            fs::create_dir_all(folder)?;
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let person: Arc<dyn Person> = Arc::new(Agrees);
        let records = Arc::new(Records::open(&home.log_file(), Arc::clone(&clock))?);
        let task = records.start_task(json!({}))?;
        let gate = Arc::new(Gate::new(Arc::<Records>::clone(&records), Arc::clone(&person), &home));
        let workspace = Workspace::for_task(&home, Arc::clone(&clock), Arc::<Records>::clone(&records), task)?;
        let runtime = Runtime::new(&home, config);
        Ok(Self { home, runtime, records, gate, person, clock, workspace, task })
    }

    fn context(&self) -> Context {
        Context::person(Some(self.task), Standing::default())
    }

    /// Agreement to install a component as it is.
    pub(crate) fn agreed(&self, id: &PluginId, component: &[u8]) -> Result<Permit<InstallPlugin>> {
        let manifest = read_manifest(component)?;
        let version = manifest.plugin.version.to_string();
        let effect = InstallPlugin::new(id.clone(), version, Sha256::of(component), manifest.asks());
        Ok(self.gate.permit(&self.context(), effect)?)
    }

    pub(crate) fn install(&self, id: &PluginId, component: &[u8]) -> Result<()> {
        let permit = self.agreed(id, component)?;
        self.runtime.install(permit, component, None)?;
        Ok(())
    }

    /// What a call is made with.
    pub(crate) fn invocation(&self) -> Invocation {
        Invocation {
            task: self.task,
            workspace: self.workspace.clone(),
            gate: Arc::clone(&self.gate),
            standing: Standing::default(),
            person: Arc::clone(&self.person),
            log: Arc::<Records>::clone(&self.records),
            records: Arc::clone(&self.records),
            clock: Arc::clone(&self.clock),
            stop: Stop::default(),
            locale: "en".to_owned(),
            services: deskhand_runtime::Services::default(),
            configurations: Arc::default(),
        }
    }

    /// The gate's decision that a command may be run, for one call.
    pub(crate) fn permit(&self, plugin: &PluginId, command: &str) -> Result<Permit<RunCommand>> {
        let effect = RunCommand { plugin: plugin.clone(), command: command.to_owned() };
        Ok(self.gate.permit(&self.context(), effect)?)
    }

    /// A call as `deskhand` makes it.
    pub(crate) fn call(&self, permit: Permit<RunCommand>, arguments: &Value) -> Result<Reply, CallError> {
        self.runtime.call_command(self.invocation(), permit, arguments)
    }

    /// Install `component` under many names, all of them callable. Compiled once, by the runtime's own install: a
    /// manifest is not code, so components that differ in it alone have the same code. The rows of the index, the
    /// component and the code of each are put where an install would put them.
    pub(crate) fn multiply(&self, component: &[u8], manifests: &[Value]) -> Result<Vec<PluginId>> {
        let named = |manifest: &Value| -> Result<PluginId> {
            let name = manifest["plugin"]["name"].as_str().context("a manifest without a name")?;
            Ok(format!("home:{name}").parse()?)
        };
        let Some((first, others)) = manifests.split_first() else { return Ok(Vec::new()) };
        let mut ids = vec![named(first)?];
        let whole = components::with_manifest(component.to_vec(), first);
        self.install(&ids[0], &whole)?;

        let path = self.home.plugins().join("index.json");
        let mut index: Value = serde_json::from_slice(&fs::read(&path)?)?;
        let rows = index["plugins"].as_array_mut().context("an index without plugins")?;
        let model = rows.iter().find(|row| row["id"] == json!(ids[0])).context("it was not installed")?.clone();
        let key = model["current"]["compiled"]["key"].as_str().context("it was not compiled")?;
        let code = |component: &Sha256| self.home.compiled().join(format!("{component}-{key}.cwasm"));
        for manifest in others {
            let id = named(manifest)?;
            let whole = components::with_manifest(component.to_vec(), manifest);
            let digest = Sha256::of(&whole);
            fs::write(self.home.plugins().join(format!("components/{digest}.wasm")), &whole)?;
            fs::hard_link(code(&Sha256::of(components::with_manifest(component.to_vec(), first))), code(&digest))?;
            let mut row = model.clone();
            row["id"] = json!(id);
            row["current"]["component"] = json!(digest);
            row["current"]["bytes"] = json!(whole.len());
            row["current"]["manifest"] = manifest.clone();
            rows.push(row);
            ids.push(id);
        }
        rows.sort_by(|a, b| a["id"].as_str().cmp(&b["id"].as_str()));
        fs::write(&path, serde_json::to_vec(&index)?)?;
        Ok(ids)
    }
}
