//! The skill `file-keeper`: how to keep the folders of a person in order.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use deskhand_sdk::Skill;

/// See the crate.
pub const FILE_KEEPER: Skill = Skill {
    name: "file-keeper",
    description: "Bring order into folders: sort, rename, merge and archive files as their owner would. Use it whenever files are to be tidied, filed, named or found a place.",
    triggers: &[
        "tidy up this folder the way I would",
        "file these documents where they belong",
        "give these files names that say what they are",
        "clean up my downloads and keep what matters",
        "räume diesen Ordner auf und lege die Dateien ab",
    ],
    instructions: include_str!("../skill/file-keeper.md"),
    references: &[("names.md", include_str!("../skill/names.md"))],
    tools: &["list", "find", "read", "move", "make_folder", "remove"],
};

deskhand_sdk::plugin! { skill: FILE_KEEPER }
