//! All that a command works with, made when it is first needed: a command that needs no log opens none.

use crate::{
    exit::Exit,
    failure::{Failure, Result},
    person::{self, Waiting},
    request::Catalogue,
    sandbox::Confines,
    settings::{Settings, SettingsError},
};
use deskhand_permissions::Gate;
use deskhand_records::Records;
use deskhand_runtime::{Plugins, Runtime};
use deskhand_vocabulary::{Clock, Home, Person, Stop, SystemClock};
use std::{
    fs::DirBuilder,
    os::unix::fs::{DirBuilderExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

/// See the module.
pub(crate) struct Desk {
    pub(crate) home: Home,
    pub(crate) settings: Settings,
    /// What is wrong with the settings, if they could not be taken.
    pub(crate) slip: Option<SettingsError>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) person: Arc<dyn Person>,
    /// How long they were waited for.
    pub(crate) waiting: Arc<Waiting>,
    pub(crate) stop: Stop,
    /// Ends the questions to the person; stopped with all else, and by itself where a task is ended from elsewhere.
    pub(crate) asking: Stop,
    pub(crate) json: bool,
    records: OnceLock<Arc<Records>>,
    gate: OnceLock<Arc<Gate>>,
    runtime: OnceLock<Arc<Runtime>>,
    /// Whether programs can be confined: [`crate::sandbox::available`].
    pub(crate) confines: Arc<Confines>,
}

impl Desk {
    /// The desk of this user. `json` is for a program at the other end.
    pub(crate) fn open(json: bool) -> Result<Self> {
        let desk = Self::open_anyway(json)?;
        match desk.slip {
            Some(slip) => Err(slip.into()),
            None => Ok(desk),
        }
    }

    /// The desk for what must be possible whatever stands in the settings: to see what was done, and to take it back. With
    /// a slip in them the defaults hold, which is said, and nothing is given up that they might keep.
    pub(crate) fn open_whatever(json: bool) -> Result<Self> {
        let desk = Self::open_anyway(json)?;
        if let Some(slip) = &desk.slip {
            crate::output::aside(&crate::show::sentence(&slip.to_string()));
            crate::output::aside("Until then the defaults hold.");
        }
        Ok(desk)
    }

    /// The same, where the caller tells of the slip.
    pub(crate) fn open_anyway(json: bool) -> Result<Self> {
        let home = home()?;
        for folder in home.folders() {
            private(folder)?;
        }
        let (settings, slip) = match Settings::read(home.config_file()) {
            Ok(settings) => (settings, None),
            Err(slip) => (Settings::default(), Some(slip)),
        };
        let stop = Stop::default();
        let asking = stop.part();
        let waiting = Arc::new(Waiting::new(person::find(json, &asking)));
        Ok(Self {
            person: Arc::<Waiting>::clone(&waiting),
            waiting,
            home,
            settings,
            slip,
            clock: Arc::new(SystemClock),
            stop,
            asking,
            json,
            records: OnceLock::new(),
            gate: OnceLock::new(),
            runtime: OnceLock::new(),
            confines: Arc::default(),
        })
    }

    /// A desk for one more task of this process, on the same log, ended by `stop`, with somebody else to be asked: `person` makes
    /// them, given what ends their questions.
    pub(crate) fn beside(
        &self,
        settings: Settings,
        stop: Stop,
        person: impl FnOnce(Stop) -> Arc<dyn Person>,
    ) -> Result<Self> {
        let asking = stop.part();
        let waiting = Arc::new(Waiting::new(person(asking.clone())));
        Ok(Self {
            person: Arc::<Waiting>::clone(&waiting),
            waiting,
            home: self.home.clone(),
            settings,
            slip: None,
            clock: Arc::clone(&self.clock),
            stop,
            asking,
            json: false,
            records: OnceLock::from(Arc::clone(self.records()?)),
            gate: OnceLock::new(),
            runtime: OnceLock::from(Arc::clone(self.runtime()?)),
            confines: Arc::clone(&self.confines),
        })
    }

    /// Let Ctrl-C stop the work at a whole state. A third one ends the program at once; the next start makes it whole.
    pub(crate) fn stop_on_interrupt(&self) {
        let stop = self.stop.clone();
        let mut times = 0;
        let set = ctrlc::set_handler(move || {
            times += 1;
            stop.stop();
            if times > 2 {
                crate::person::restore();
                std::process::exit(i32::from(Exit::Stopped as u8));
            }
        });
        if set.is_err() {
            crate::output::aside(
                "Ctrl-C cannot be caught here: it ends the program at once, and the next start mends.",
            );
        }
    }

    /// The log and what is read from it.
    pub(crate) fn records(&self) -> Result<&Arc<Records>> {
        if let Some(records) = self.records.get() {
            return Ok(records);
        }
        let records = Records::open(&self.home.log_file(), Arc::clone(&self.clock))?;
        Ok(self.records.get_or_init(|| Arc::new(records)))
    }

    /// What decides.
    pub(crate) fn gate(&self) -> Result<&Arc<Gate>> {
        let records = Arc::clone(self.records()?);
        Ok(self.gate.get_or_init(|| Arc::new(Gate::new(records, Arc::clone(&self.person), &self.home))))
    }

    /// What runs plugins.
    pub(crate) fn runtime(&self) -> Result<&Arc<Runtime>> {
        if let Some(runtime) = self.runtime.get() {
            return Ok(runtime);
        }
        let config = deskhand_runtime::Config {
            memory_mib: self.settings.plugins.memory_mib,
            time: Duration::from_secs(self.settings.plugins.seconds.into()),
            ..deskhand_runtime::Config::default()
        };
        let runtime = Runtime::new(&self.home, config);
        Ok(self.runtime.get_or_init(|| Arc::new(runtime)))
    }

    /// What is installed.
    pub(crate) fn plugins(&self) -> Result<Arc<Plugins>> {
        Ok(self.runtime()?.plugins()?)
    }

    /// The installed commands, for a request.
    pub(crate) fn catalogue(&self) -> Result<Catalogue> {
        Ok(Catalogue::open(self.plugins()?, &self.home)?)
    }
}

/// Where Deskhand keeps its own things.
pub(crate) fn home() -> Result<Home> {
    Home::find(|name| std::env::var_os(name).map(PathBuf::from)).ok_or_else(|| {
        Failure::failed("there is no folder to keep things in: DESKHAND_HOME, if it is set, and else HOME must be a whole path. Set one of them, such as: export DESKHAND_HOME=$HOME/.deskhand")
    })
}

/// Make a folder that only its owner can look into.
fn private(folder: &Path) -> Result<()> {
    let not_made = |error: std::io::Error| {
        if deskhand_records::is_full(folder) {
            let folder = folder.display();
            return Failure::failed(format!(
                "the disk that holds {folder} is full. Delete or move something on that disk, or set DESKHAND_HOME to another folder"
            ));
        }
        Failure::failed(format!(
            "the folder {} could not be made ready: {error}. Deskhand keeps its own things there; make it writable, or set DESKHAND_HOME to another folder",
            folder.display()
        ))
    };
    if !folder.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(not_made)?;
    }
    let mode = folder.metadata().map_err(not_made)?.permissions().mode();
    if mode & 0o077 != 0 {
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700)).map_err(not_made)?;
    }
    Ok(())
}
