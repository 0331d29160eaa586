//! The skill `research`: from a question to a report in which every claim quotes what it rests on.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

use deskhand_sdk::Skill;

/// See the crate.
pub const RESEARCH: Skill = Skill {
    name: "research",
    description: "Research a question on the web or in documents, and write a report as Markdown in which every claim quotes a passage of its source. Use it whenever facts from outside are to be gathered, compared or verified.",
    triggers: &[
        "research the state of a topic and write a report",
        "compare what several sources say about it",
        "find out whether this is true, with sources",
        "write a cited summary of a topic",
        "recherchiere ein Thema und schreibe einen Bericht mit Quellen",
    ],
    instructions: include_str!("../skill/research.md"),
    references: &[
        ("report.md", include_str!("../skill/report.md")),
        ("sources.md", include_str!("../skill/sources.md")),
    ],
    tools: &["search", "web_fetch", "check_quotes"],
};

deskhand_sdk::plugin! { skill: RESEARCH }
