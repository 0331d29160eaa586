//! Web pages: their text, without what draws them.

use crate::text::Text;
use deskhand_sdk::{Error, Result};

/// Lines are as long as the page makes them.
const WIDTH: usize = 10_000;

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    text.lines(&shown(document)?);
    Ok(())
}

/// A page as text: headings with `#`, items of lists with `*`.
pub(crate) fn shown(page: &[u8]) -> Result<String> {
    html2text::config::plain()
        .no_table_borders()
        .link_footnotes(false)
        .string_from_read(page, WIDTH)
        .map_err(|error| Error::invalid(format!("the page cannot be read ({error})")))
}
