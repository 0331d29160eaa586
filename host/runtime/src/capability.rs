//! What a plugin can ask for, a file each. Every function checks the right, then the arguments, then does it.

pub(crate) mod changes;
pub(crate) mod credentials;
pub(crate) mod files;
pub(crate) mod http;
pub(crate) mod invocation;
pub(crate) mod log;
pub(crate) mod memory;
pub(crate) mod model;
pub(crate) mod store;
pub(crate) mod toolbox;
pub(crate) mod user;
pub(crate) mod vm;

use crate::{bindings::wit::types, call::Call};

impl types::Host for Call {}
