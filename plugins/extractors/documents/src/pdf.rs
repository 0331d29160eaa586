//! PDF: the text of its pages, in the order in which it is drawn.

use crate::text::Text;
use deskhand_sdk::{Error, Result};
use pdf_extract::{Document, PlainTextOutput, output_doc_page};

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    let damaged = |error: &dyn std::fmt::Display| Error::invalid(format!("the PDF is damaged ({error})"));
    let mut pdf = Document::load_mem(document).map_err(|error| damaged(&error))?;
    // many are locked against changes alone, and open without a password
    if pdf.is_encrypted() && pdf.decrypt("").is_err() {
        return Err(Error::unsupported("the PDF is locked with a password; open it, and save it without one"));
    }
    let pages: Vec<u32> = pdf.get_pages().into_keys().collect();
    if pages.is_empty() {
        return Err(Error::invalid("the PDF is damaged: it has no pages"));
    }
    let (mut empty, mut failed) = (0, None);
    for page in &pages {
        let mut drawn = String::new();
        let result = output_doc_page(&pdf, &mut PlainTextOutput::new(&mut drawn), *page);
        text.mark(&format!("page {page} of {}", pages.len()));
        if drawn.trim().is_empty() {
            empty += 1;
        }
        text.lines(&drawn);
        if let Err(error) = result {
            text.mark(&format!("the rest of page {page} cannot be read: {error}"));
            failed = Some(error);
        }
        if text.is_full() {
            return Ok(());
        }
    }
    match failed {
        Some(error) if empty == pages.len() => Err(damaged(&error)),
        None if empty == pages.len() => Err(Error::unsupported(
            "the PDF holds pictures of pages and no text, as scans do; it would have to be read by text recognition first",
        )),
        _ => Ok(()),
    }
}
