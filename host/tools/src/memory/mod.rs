//! `remember` and `recall`: notes that later tasks are told, and the labels that decide whether the person is asked first.

mod gathered;
mod recall;
mod remember;

pub use gathered::{Gathered, Labelled};
pub use recall::{Recall, told};
pub use remember::Remember;
