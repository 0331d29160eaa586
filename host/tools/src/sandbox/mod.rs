//! What a sandbox of this computer has of a task: its folders, each under a layer of its own, and a proxy by which it reaches
//! the hosts that the task may send to. For whatever runs programs that are not trusted on a task's folders.

mod way;

pub use way::Way;

use deskhand_confine::{ConfineError, Confined, Extent, Helper, Layers, overlay::OverlayError};
use deskhand_egress::Outlet;
use deskhand_workspace::Workspace;
use std::{io, path::PathBuf};

/// The sandboxes of one task.
#[derive(Clone)]
pub struct Sandboxes {
    /// The folders of the task, and what is pending in them.
    pub workspace: Workspace,
    /// How far those are in them.
    pub extent: Extent,
    /// What makes sandboxes.
    pub helper: Helper,
    /// Where what is written in them lies, on a disk of this computer and in Deskhand's own home.
    pub place: PathBuf,
    /// What decides on each host, and brings there what is sent.
    pub outlet: Outlet,
}

/// Why there is no sandbox for a task.
#[derive(Debug, thiserror::Error)]
pub enum NoSandbox {
    /// It could not be made.
    #[error(transparent)]
    Confine(#[from] ConfineError),
    /// A folder cannot be in it, or what was written cannot be taken.
    #[error(transparent)]
    Folder(#[from] OverlayError),
    /// Its proxy could not be opened.
    #[error(
        "the proxy of the sandbox could not be opened: {0}. Check that Deskhand's cache folder is yours and its disk has room"
    )]
    Way(#[from] io::Error),
}

impl Sandboxes {
    /// A sandbox that has the folders of the task and a way out; what runs in it, and within what, is still to be said. Both
    /// are to be held as long as it runs. To be called in a runtime of tokio.
    ///
    /// # Errors
    /// [`NoSandbox`].
    pub fn make(&self, program: &str) -> Result<(Confined, Layers, Way), NoSandbox> {
        let layers = Layers::over(&self.workspace, self.extent, &self.place)?;
        let way = Way::open(self.outlet.clone(), &self.place)?;
        let mut confined = Confined::new(program);
        confined.folders = layers.mounts();
        confined.network = Some(way.socket().to_owned());
        Ok((confined, layers, way))
    }
}
