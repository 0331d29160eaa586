//! The granted folders of a task: reading them, the one pending set of changes, and the one place where it becomes real,
//! with a journal before the first effect and everything kept that undo needs.
//!
//! This room imports the vocabulary, the records and the permissions. Its main type is [`Workspace`]. A folder enters it
//! only by a permit; every read sees the disk with the pending set applied; nothing is touched until
//! [`Workspace::commit`], which takes the permits for exactly the plan that was shown.
//!
//! What holds throughout:
//! - Below a granted folder everything is reached from its open handle, with `openat2` that follows no link and crosses no
//!   mount. Names are bytes. Deskhand's own folders are in no view.
//! - Whatever is done to a granted folder is a rename of a known file to a free name, or an exchange of two known files.
//!   Nothing is ever overwritten or deleted there; what goes, goes into a store on the same file system.
//! - Every effect is in the journal, durably, before the first is made. An apply that dies is taken back at the next
//!   start, or found complete.
//!
//! The pending set holds what is to be and not the way there: changing a thing again changes its one pending change, and
//! moving it home takes that away. A call refuses a target that is taken in the view, so chains are proposed from their free
//! end and swaps through a third name; on the disk, they are ordered and untangled by the commit.

mod changes;
mod commit;
mod conflict;
mod damage;
pub mod disk;

mod edit;
mod engine;
mod entry;
mod error;
pub mod facts;
mod folder;
mod glob;
mod ground;
mod history;
mod journal;
mod layer;
mod meta;
mod places;
mod planning;
mod proposal;
mod purge;
mod reading;
mod recovery;
mod reliance;
mod repository;
mod reversal;
mod sensitive;
pub use sensitive::HIDDEN;
mod settle;
mod staging;
mod store;
mod view;
mod walk;
mod workers;
mod workspace;

pub use changes::Moving;
pub use commit::Commit;
pub use damage::{Damaged, Kept, Missing};
pub use edit::{EditProblem, edit_text, edit_text_without};
pub use entry::{Entry, Kind, holds_the_same};
pub use error::{Code, CommitError, FileError, WorkspaceError};
pub use folder::Folder;
pub use glob::Glob;
pub use ground::Ground;
pub use history::{History, Left, Listed, Preview, Shown, Standing, UndoOptions};
pub use journal::Outcome;
pub use proposal::{Decision, ProposeError, State, propose};
pub use purge::{PurgeOptions, Purged, QUOTA, RETENTION};
pub use recovery::{Recovered, interrupted, recover, recover_with};
pub use store::kept_elsewhere;
pub use walk::{Page, WalkOptions};
pub use workspace::{ChangeId, Moment, Nested, Pending, Permits, Workspace};
