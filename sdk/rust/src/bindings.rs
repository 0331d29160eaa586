//! The interface's own bindings. Imports are generated once, for the whole host; each role that a plugin can have is a
//! module of its own, so that a component exports only the roles that it has.
#![allow(missing_docs, unsafe_code, unreachable_pub, clippy::all, reason = "generated from the interface")]

wit_bindgen::generate!({
    path: "../../wit",
    world: "deskhand:plugin/host",
    generate_all,
});

/// The role `command`.
pub mod command {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package deskhand:role-command; world command { export deskhand:plugin/command@0.1.0; }",
        world: "deskhand:role-command/command",
        with: { "deskhand:plugin/types@0.1.0": crate::bindings::deskhand::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "deskhand_sdk::bindings::command",
    });
}

/// The role `skill`.
pub mod skill {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package deskhand:role-skill; world skill { export deskhand:plugin/skill@0.1.0; }",
        world: "deskhand:role-skill/skill",
        with: { "deskhand:plugin/types@0.1.0": crate::bindings::deskhand::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "deskhand_sdk::bindings::skill",
    });
}

/// The role `extractor`.
pub mod extractor {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package deskhand:role-extractor; world extractor { export deskhand:plugin/extractor@0.1.0; }",
        world: "deskhand:role-extractor/extractor",
        with: { "deskhand:plugin/types@0.1.0": crate::bindings::deskhand::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "deskhand_sdk::bindings::extractor",
    });
}

/// The role `agent`.
pub mod agent {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package deskhand:role-agent; world agent { export deskhand:plugin/agent@0.1.0; }",
        world: "deskhand:role-agent/agent",
        with: { "deskhand:plugin/types@0.1.0": crate::bindings::deskhand::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "deskhand_sdk::bindings::agent",
    });
}

/// The role `agent-loop`.
pub mod agent_loop {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package deskhand:role-agent-loop; world agent-loop { export deskhand:plugin/agent-loop@0.1.0; }",
        world: "deskhand:role-agent-loop/agent-loop",
        with: { "deskhand:plugin/types@0.1.0": crate::bindings::deskhand::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "deskhand_sdk::bindings::agent_loop",
    });
}

/// The role `tools`.
pub mod tools {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package deskhand:role-tools; world tools { export deskhand:plugin/tools@0.1.0; }",
        world: "deskhand:role-tools/tools",
        with: { "deskhand:plugin/types@0.1.0": crate::bindings::deskhand::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "deskhand_sdk::bindings::tools",
    });
}
