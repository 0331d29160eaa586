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
            "deskhand:plugin/http.fetch": async,
            "deskhand:plugin/http.open": async,
            "deskhand:plugin/http.[method]download.next": async,
            "deskhand:plugin/model.[constructor]conversation": trappable,
        },
        with: {
            "deskhand:plugin/http.download": crate::capability::http::Download,
            "deskhand:plugin/model.conversation": crate::capability::model::Talk,
            "deskhand:plugin/vm.process": crate::capability::vm::Process,
        },
    });
}

pub(crate) use host::deskhand::plugin as wit;

/// A world with one export.
macro_rules! role {
    ($(#[$doc:meta])* $name:ident, $world:literal) => {
        $(#[$doc])*
        pub(crate) mod $name {
            wasmtime::component::bindgen!({
                path: "../../wit",
                world: $world,
                exports: { default: async },
                with: { "deskhand:plugin/types": crate::bindings::wit::types },
            });
        }
    };
}

role!(
    /// The role of a slash command.
    command, "with-command"
);
role!(
    /// The role of tools.
    tools, "with-tools"
);
role!(
    /// The role of tools that depend on an account.
    tool_catalog, "with-tool-catalog"
);
role!(
    /// The role of a skill.
    skill, "with-skill"
);
role!(
    /// The role of what turns documents into text.
    extractor, "with-extractor"
);
role!(
    /// The role of a sub-agent that the host runs.
    agent, "with-agent"
);
role!(
    /// The role of a sub-agent that runs itself.
    agent_loop, "with-agent-loop"
);
