//! The interface in Rust, generated from `wit/`. Imports are one world, `host`; each role that a plugin can have is a
//! world of its own with one export, bound to a component that exports it and refused by one that does not.

/// What the host offers.
pub(crate) mod host {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "host",
        imports: {
            "deskhand:plugin/toolbox.call": async,
            "deskhand:plugin/toolbox.call-all": async,
        },
    });
}

pub(crate) use host::deskhand::plugin as wit;

/// The role of a slash command.
pub(crate) mod command {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "with-command",
        exports: { default: async },
        with: { "deskhand:plugin/types": crate::bindings::wit::types },
    });
}

/// The role of tools.
pub(crate) mod tools {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "with-tools",
        exports: { default: async },
        with: { "deskhand:plugin/types": crate::bindings::wit::types },
    });
}
