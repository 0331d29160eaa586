//! Serving a client: what is offered, over the standard streams or over HTTP on this computer.

mod asking;
mod handler;
pub mod http;
mod offer;
mod page;
mod stdio;

pub use asking::{Asking, Form, Unasked};
pub use offer::{Content, Hello, NotServed, Offer, Page, Prompt, PromptArgument, Resource, Telling, Template};
pub use stdio::serve as serve_stdio;

use std::sync::Arc;

/// Makes what is offered to one session of a client; questions of it go through what it is given. Where it cannot be made, why, in
/// words for the person.
pub type Open = Arc<dyn Fn(Arc<Asking>) -> Result<Arc<dyn Offer>, NotServed> + Send + Sync>;
