//! The folders of a task in a sandbox.

use super::NoSandbox;
use deskhand_confine::{
    Overlay, Taken,
    overlay::{Mount, Step},
};
use deskhand_workspace::Workspace;
use std::path::Path;

/// A layer over each folder of a task.
#[derive(Debug)]
pub struct Layers(Vec<Overlay>);

impl Layers {
    /// Over all folders of a task, with what is pending in it; they lie below `place`.
    ///
    /// # Errors
    /// [`NoSandbox::Folder`].
    pub fn over(workspace: &Workspace, place: &Path) -> Result<Self, NoSandbox> {
        let folders = workspace.folders();
        let overlays = folders.iter().map(|folder| Overlay::over(workspace, &folder.name, place));
        Ok(Self(overlays.collect::<Result<_, _>>()?))
    }

    /// To be mounted in a sandbox.
    pub fn mounts(&self) -> Vec<Mount> {
        self.0.iter().map(Overlay::mount).collect()
    }

    /// What has to be done in the sandbox, for it to see the folders as the task does now. None where new layers are better.
    ///
    /// # Errors
    /// [`NoSandbox::Folder`].
    pub fn behind(&self, workspace: &Workspace) -> Result<Option<Vec<Step>>, NoSandbox> {
        let mut steps = Vec::new();
        for overlay in &self.0 {
            match overlay.behind(workspace)? {
                Some(more) => steps.extend(more),
                None => return Ok(None),
            }
        }
        Ok(Some(steps))
    }

    /// The sandbox sees the folders as the task does now.
    ///
    /// # Errors
    /// [`NoSandbox::Folder`].
    pub fn caught_up(&mut self, workspace: &Workspace) -> Result<(), NoSandbox> {
        Ok(self.0.iter_mut().try_for_each(|overlay| overlay.caught_up(workspace))?)
    }

    /// Let what was written since the last time join what is pending, all of it or nothing. To be called while nothing in the
    /// sandbox writes.
    ///
    /// # Errors
    /// [`NoSandbox`].
    pub fn take(&mut self, workspace: &Workspace, reason: &str) -> Result<Taken, NoSandbox> {
        let nested = workspace.nested();
        let mut taken = Taken::default();
        for overlay in &mut self.0 {
            taken.add(overlay.take(&nested, reason, None)?);
        }
        nested.join()?;
        Ok(taken)
    }
}
