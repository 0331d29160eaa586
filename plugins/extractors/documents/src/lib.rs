//! The extractor `documents`: files that people keep their texts in, as text. It is given one document and may reach nothing
//! else; what bounds its time and memory for a document that was made to harm is the host.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used, clippy::panic))]

mod book;
mod cells;
mod mail;
mod open_document;
mod package;
mod page;
mod pdf;
mod slides;
mod text;
mod word;
mod workbook;
mod xml;

use deskhand_sdk::prelude::*;
use text::Text;

const PDF: &str = "application/pdf";
const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const WORD_TEMPLATE: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.template";
const WORD_MACROS: &str = "application/vnd.ms-word.document.macroenabled.12";
const WORKBOOK: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const WORKBOOK_MACROS: &str = "application/vnd.ms-excel.sheet.macroenabled.12";
const OLD_WORKBOOK: &str = "application/vnd.ms-excel";
const SLIDES: &str = "application/vnd.openxmlformats-officedocument.presentationml.presentation";
const SLIDE_SHOW: &str = "application/vnd.openxmlformats-officedocument.presentationml.slideshow";
const OPEN_TEXT: &str = "application/vnd.oasis.opendocument.text";
const OPEN_SHEETS: &str = "application/vnd.oasis.opendocument.spreadsheet";
const OPEN_SLIDES: &str = "application/vnd.oasis.opendocument.presentation";
const BOOK: &str = "application/epub+zip";
const PAGE: &str = "text/html";
const XML_PAGE: &str = "application/xhtml+xml";
const MAIL: &str = "message/rfc822";

/// What this plugin reads.
pub const DOCUMENTS: Extractor = Extractor::new(
    &[
        PDF,
        WORD,
        WORD_TEMPLATE,
        WORD_MACROS,
        WORKBOOK,
        WORKBOOK_MACROS,
        OLD_WORKBOOK,
        SLIDES,
        SLIDE_SHOW,
        OPEN_TEXT,
        OPEN_SHEETS,
        OPEN_SLIDES,
        BOOK,
        PAGE,
        XML_PAGE,
        MAIL,
    ],
    extract,
);

fn extract(media_type: &str, document: Vec<u8>, limit: usize) -> Result<Extracted> {
    let mut text = Text::new(limit);
    match media_type {
        PDF => pdf::read(&document, &mut text),
        WORD | WORD_TEMPLATE | WORD_MACROS => word::read(&document, &mut text),
        WORKBOOK | WORKBOOK_MACROS => workbook::read(&document, &mut text),
        OLD_WORKBOOK => workbook::read_old(&document, &mut text),
        SLIDES | SLIDE_SHOW => slides::read(&document, &mut text),
        OPEN_TEXT | OPEN_SHEETS | OPEN_SLIDES => open_document::read(&document, &mut text),
        BOOK => book::read(&document, &mut text),
        MAIL => mail::read(&document, &mut text),
        _ => page::read(&document, &mut text),
    }?;
    Ok(text.into_extracted())
}

deskhand_sdk::plugin! { extractor: DOCUMENTS }
