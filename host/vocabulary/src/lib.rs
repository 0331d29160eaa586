//! The words that every room of the host shares: ids, digests, paths, manifests, actions, plans, events,
//! and the traits through which a lower room reaches what a higher one owns.
//!
//! This room imports no other. It does no input or output; it says what things are called and what they hold.

pub mod action;
pub mod clock;
pub mod digest;
pub mod event;
pub mod home;
pub mod host;
pub mod id;
pub mod label;
pub mod manifest;
pub mod path;
pub mod person;
pub mod plan;
pub mod rights;
pub mod text;

pub use action::{Access, Action, Principal};
pub use clock::{Clock, SystemClock};
pub use digest::{Blake3, Sha256};
pub use event::{Entry, Event, EventId, Log, LogError};
pub use home::Home;
pub use id::{ClientName, CommitId, MarketplaceName, PluginId, PluginName, ServerName, TaskId};
pub use label::{Label, Labels};
pub use manifest::Manifest;
pub use path::{FilePath, FolderName, RelativePath};
pub use person::{Answer, Notice, Person, Progress, Question, Stop, Unanswered};
pub use plan::{Change, ChangeKind, Plan, Returned, Tally};
