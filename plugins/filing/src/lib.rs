//! What the file commands know of files: how names are read, compared and kept apart, which date a file has, which
//! files belong together, and what nobody's files should be sorted without being asked.
//!
//! Planning works on plain data and is pure; `reading` and `proposal` are the only modules that call the host. Paths are
//! the lossless texts of `deskhand:plugin` (a byte that is not UTF-8 is the code point U+F700 + byte).

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]
pub mod companions;
pub mod date;
pub mod entry;
pub mod name;
pub mod natural;
pub mod placing;
pub mod proposal;
pub mod reading;
pub mod survey;
pub mod words;
