//! What an agent gets that takes the skill up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_research::RESEARCH;
use deskhand_sdk::Code;

#[test]
fn every_reference_that_the_text_names_can_be_read() {
    let guidance = RESEARCH.open();
    assert_eq!(guidance.references, ["report.md", "sources.md"]);
    for path in &guidance.references {
        assert!(guidance.instructions.contains(&format!("`{path}`")), "{path}");
        assert!(RESEARCH.read(path).unwrap().as_text().unwrap().starts_with("# "), "{path}");
    }
    assert_eq!(RESEARCH.read("other.md").map_err(|error| error.code), Err(Code::NotFound));
}

#[test]
fn it_is_short_enough_to_be_taken_up() {
    let guidance = RESEARCH.open();
    assert!(guidance.instructions.len() < 4000, "{}", guidance.instructions.len());
    assert!(RESEARCH.description.chars().count() <= 300);
}
