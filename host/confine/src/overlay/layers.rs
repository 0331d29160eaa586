//! All folders of a task in a sandbox.

use super::{Extent, Mount, Overlay, OverlayError, Step, Taken};
use deskhand_vocabulary::FolderName;
use deskhand_workspace::Workspace;
use std::path::Path;

/// A layer over each folder of a task.
#[derive(Debug)]
pub struct Layers(pub(super) Vec<Overlay>);

impl Layers {
    /// Over all folders of a task, so far, with what is pending in it; they lie below `place`.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn over(workspace: &Workspace, extent: Extent, place: &Path) -> Result<Self, OverlayError> {
        Self::each(workspace, extent, |folder| Overlay::over(workspace, folder, place))
    }

    /// The same for layers that are in a machine.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn in_machine(workspace: &Workspace, extent: Extent, place: &Path) -> Result<Self, OverlayError> {
        Self::each(workspace, extent, |folder| Overlay::in_machine(workspace, folder, place))
    }

    fn each(
        workspace: &Workspace,
        extent: Extent,
        over: impl Fn(&FolderName) -> Result<Overlay, OverlayError>,
    ) -> Result<Self, OverlayError> {
        let folders = if extent == Extent::Nothing { Vec::new() } else { workspace.folders() };
        folders.iter().map(|folder| Ok(over(&folder.name)?.limited(extent))).collect::<Result<_, _>>().map(Self)
    }

    /// Each of them, in the order of its number for a machine.
    pub fn iter(&self) -> impl Iterator<Item = &Overlay> {
        self.0.iter()
    }

    /// To be mounted in a sandbox.
    pub fn mounts(&self) -> Vec<Mount> {
        self.0.iter().map(Overlay::mount).collect()
    }

    /// The same, each also where it lies on this machine, for a program that was told of that path; but for those that lie in
    /// another one, where what is pending says where a path leads.
    pub fn mounts_at_home(&self) -> Vec<Mount> {
        let mounts = self.mounts();
        let is_inner = |mount: &Mount| mounts.iter().any(|other| mount.lies_in(other));
        mounts.iter().map(|mount| if is_inner(mount) { mount.clone() } else { mount.clone().at_home() }).collect()
    }

    /// What has to be done in the sandbox, for it to see the folders as the task does now. None where new layers are better.
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn behind(&mut self, workspace: &Workspace) -> Result<Option<Vec<Step>>, OverlayError> {
        let mut steps = Vec::new();
        for overlay in &mut self.0 {
            match overlay.behind(workspace)? {
                Some(more) => steps.extend(more),
                None => return Ok(None),
            }
        }
        Ok(Some(steps))
    }

    /// The sandbox sees the folders as the task did when it was asked what is [behind](Self::behind).
    ///
    /// # Errors
    /// [`OverlayError`].
    pub fn caught_up(&mut self) -> Result<(), OverlayError> {
        self.0.iter_mut().try_for_each(Overlay::caught_up)
    }

    /// Let what was written since the last time join what is pending, all of it or nothing. To be called while nothing in the
    /// sandbox writes.
    ///
    /// # Errors
    /// [`OverlayError`]. The sandbox is to be ended then: nothing of it is taken any more.
    pub fn take(&mut self, workspace: &Workspace, reason: &str) -> Result<Taken, OverlayError> {
        let nested = workspace.nested();
        let mut taken = Taken::default();
        for overlay in &mut self.0 {
            taken.add(overlay.take(&nested, reason)?);
        }
        nested.join()?;
        Ok(taken)
    }
}
