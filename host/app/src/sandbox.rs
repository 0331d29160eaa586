//! Whether programs that are not trusted can be confined on this computer, and where what they write is kept.

use crate::desk::Desk;
use deskhand_confine::{Helper, Kept, Unavailable};
use deskhand_vocabulary::TaskId;

/// Tried once in a process, since that takes a tenth of a second.
pub(crate) fn available(desk: &Desk) -> Result<(), Unavailable> {
    desk.confines.get_or_init(|| tried(desk)).clone()
}

/// What programs wrote in the sandboxes of a task and is pending.
pub(crate) fn kept(desk: &Desk, task: TaskId) -> Kept {
    Kept::in_folder(desk.home.written(task))
}

fn tried(desk: &Desk) -> Result<(), Unavailable> {
    let failed = |error: std::io::Error| Unavailable::Failed { reason: error.to_string() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
    let helper = Helper::own(&desk.home).map_err(failed)?;
    runtime.block_on(deskhand_confine::available(&helper, &desk.home.sandboxes()))
}
