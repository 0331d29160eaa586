//! The agent: a loop that observes, plans, acts and reflects until what a person asked for is done, and that the person
//! can see and steer all the while. It knows only traits: who answers as the model, what the tools do, where the record
//! is and who looks on, it is told. Its main type is [`Agent`].
//!
//! This room imports the vocabulary, and the models for what is said to them and by them.

pub mod agent;
pub mod approval;
pub mod budget;
pub mod conversation;
pub mod instructions;
mod marks;
pub mod memory;
mod meter;
mod own;
pub mod plan;
pub mod prompt;
pub mod reflect;
pub mod repair;
mod resume;
pub mod screen;
mod shorter;
pub mod steering;
pub mod tool;
mod work;

pub use agent::{Agent, AgentError, Ended, Task};
pub use approval::{Approval, Approved};
pub use conversation::{Conversation, Scribe, is_over};
pub use instructions::Instruction;
pub use memory::Reminder;
pub use meter::Meter;
pub use own::offered;
pub use reflect::{Effects, Settled};
