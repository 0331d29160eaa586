//! What an agent gets that takes the skill up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use deskhand_file_keeper::FILE_KEEPER;
use deskhand_sdk::Code;

#[test]
fn the_reference_that_the_text_names_can_be_read() {
    let guidance = FILE_KEEPER.open();
    assert_eq!(guidance.references, ["names.md"]);
    assert!(guidance.instructions.contains("`names.md`"));
    assert!(FILE_KEEPER.read("names.md").unwrap().as_text().unwrap().starts_with("# Names"));
    assert_eq!(FILE_KEEPER.read("").map_err(|error| error.code), Err(Code::NotFound));
}

#[test]
fn it_is_short_enough_to_be_taken_up() {
    assert!(FILE_KEEPER.open().instructions.len() < 4000);
    assert!(FILE_KEEPER.description.chars().count() <= 300);
}
