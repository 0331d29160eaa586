//! Programs that are not trusted, confined on this very machine: servers of tools, and a shell where there is no virtual
//! machine. Linux only; it stands on bubblewrap, user namespaces, overlays and seccomp.
//!
//! A [`Confined`] program sees a read-only system, an empty home, a network of its own with nothing in it but the way to
//! a proxy, and the granted folders of its task, each an [`Overlay`]: what it writes lies apart from the person's folder, and
//! becomes a part of the task's pending set by [`Overlay::take`], and is [`Kept`] for when the task goes on elsewhere. It inherits nothing, and its whole tree ends with
//! whoever started it.
//!
//! Three processes make it. The *host* ([`start`]) sets limits and watches. The *outer helper* ([`helper_main`]) makes
//! the namespace in which the overlays are mounted, and becomes bubblewrap. The *inner helper* is the first program in the
//! sandbox: it says that all is there, carries connections to the proxy, and starts the program. Both helpers are this
//! program itself under a hidden name.
//!
//! This room imports the vocabulary, the files and the workspace.

mod available;
mod confined;
mod error;
mod group;
mod helper;
mod hold;
mod inside;
mod layout;
mod nook;
mod order;
mod outside;
pub mod overlay;
mod running;
mod seccomp;
mod session;
mod start;
mod tree;
mod watch;

pub use available::{Unavailable, available};
pub use confined::{Confined, HOME, Limits, MOUNTS, PROXY_PORT};
pub use error::ConfineError;
pub use helper::{Helper, SUBCOMMAND, helper_main};
pub use hold::Held;
pub use layout::proxies;
pub use nook::Nook;
pub use overlay::{Extent, Kept, Layers, Made, Overlay, Refused, Taken, Telling, Thing};
pub use running::{Ended, Excess, Running};
pub use session::{Came, Input, Job, Outcome, PIECE, Session, Stream};
pub use start::start;
