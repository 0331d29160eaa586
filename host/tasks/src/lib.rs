//! Many tasks: which of them wait for their turn, who is next, and the supervisor that works on them while no terminal does.
//! The queue is in the log: the supervisor has nothing in its memory that is lost with it. What a task is worked on with it
//! does not know; that is the [`Workshop`] that the application hands in.
//!
//! This room imports the records, the files and the vocabulary. Its main type is [`Supervisor`]; who speaks to one begins
//! with [`Line`].

pub mod frame;
pub mod line;
pub mod message;
pub mod place;
pub mod priority;
pub mod queue;
mod service;
pub mod stage;
pub mod supervisor;
pub mod turn;

pub use line::{Line, LineError};
pub use place::{Holding, Place};
pub use priority::Priority;
pub use queue::{Standing, Waiting};
pub use stage::Stage;
pub use supervisor::{Supervisor, Workshop};
