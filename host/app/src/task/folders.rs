//! The folders of a task, opened through the gate.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    output,
    show::line,
};
use deskhand_permissions::{Context, Duration, Scope, Standing, effect::OpenFolder};
use deskhand_records::Records;
use deskhand_vocabulary::{Access, TaskId, path};
use deskhand_workspace::Workspace;
use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

/// How the folders of a task are opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Opening {
    /// How far.
    pub(crate) access: Access,
    /// Set where the person named them, which grants them; for how long. Else they are asked about.
    pub(crate) granted: Option<Duration>,
}

/// The workspace of a task, with these folders.
pub(crate) fn open(desk: &Desk, task: TaskId, folders: &[PathBuf], opening: Opening) -> Result<Workspace> {
    let log = Arc::<Records>::clone(desk.records()?);
    let workspace = Workspace::for_task(&desk.home, Arc::clone(&desk.clock), log, task).map_err(Failure::failed)?;
    desk.limit_kept(&workspace);
    for folder in folders {
        add(desk, task, &workspace, folder, opening)?;
    }
    Ok(workspace)
}

fn add(desk: &Desk, task: TaskId, workspace: &Workspace, folder: &Path, opening: Opening) -> Result<()> {
    let Opening { access, granted } = opening;
    let open = OpenFolder::at(folder, access, &desk.home).map_err(Failure::failed)?;
    let hidden: Vec<PathBuf> = open.hidden().iter().map(|own| own.path.clone()).collect();
    let gate = desk.gate()?;
    if let Some(duration) = granted {
        let before = gate.grants()?;
        let grant = gate.grant(Some(task), Scope::Folder { folder: open.folder().to_owned(), access }, duration)?;
        // it stays whatever becomes of the task
        if duration == Duration::Always && before.iter().all(|known| known.id != grant.id) {
            output::aside(&format!(
                "Granted always: {}. Take it back with: deskhand revoke {}",
                line(&grant.scope.to_string()),
                grant.id
            ));
        }
    }
    // a folder that is not named is asked about, whatever was said in advance about changes
    let permit = gate.permit(&Context::person(Some(task), Standing::default()), open)?;
    workspace.add_folder(permit).map_err(Failure::failed)?;
    for own in hidden {
        output::aside(&format!(
            "{} is left out: Deskhand keeps its own things there.",
            line(&path::encode(own.as_os_str().as_bytes()))
        ));
    }
    Ok(())
}
