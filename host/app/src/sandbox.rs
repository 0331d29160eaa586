//! Whether programs that are not trusted can be confined on this computer, and where what they write is kept.

use crate::desk::Desk;
use deskhand_confine::{Helper, Kept, Unavailable};
use deskhand_vocabulary::{Home, TaskId};
use std::sync::OnceLock;

/// Whether there is a sandbox, once that was tried.
pub(crate) type Confines = OnceLock<Result<(), Unavailable>>;

/// Tried once in a process, since that takes a tenth of a second.
pub(crate) fn available(desk: &Desk) -> Result<(), Unavailable> {
    tried(&desk.home, &desk.confines)
}

/// The same, without the rest of a desk.
pub(crate) fn tried(home: &Home, known: &Confines) -> Result<(), Unavailable> {
    known.get_or_init(|| attempt(home)).clone()
}

/// What programs wrote in the sandboxes of a task and is pending.
pub(crate) fn kept(desk: &Desk, task: TaskId) -> Kept {
    Kept::in_folder(desk.home.written(task))
}

fn attempt(home: &Home) -> Result<(), Unavailable> {
    let failed = |error: std::io::Error| Unavailable::Failed { reason: error.to_string() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let helper = Helper::own(home).map_err(failed)?;
    runtime.block_on(deskhand_confine::available(&helper, &home.sandboxes()))
}
