//! Documents that are damaged, or made to harm: each comes to a text or to a message, soon and in little memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use deskhand_documents::DOCUMENTS;
use deskhand_sdk::{Code, Extracted, Result};
use std::{
    fs,
    io::{Cursor, Write as _},
    path::Path,
};
use zip::{ZipWriter, write::SimpleFileOptions};

const WORD: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
const SHEETS: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
const OPEN_SHEETS: &str = "application/vnd.oasis.opendocument.spreadsheet";

fn extract(kind: &str, document: Vec<u8>) -> Result<Extracted> {
    DOCUMENTS.extract(kind, document, r#"{"limit": 4096}"#)
}

/// An archive of these parts.
fn package(parts: &[(&str, &str)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in parts {
        writer.start_file(*name, SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn text(words: &str) -> Extracted {
    Extracted { text: words.to_owned(), cut: false }
}

#[test]
fn a_bomb_is_not_unpacked() {
    let bomb = package(&[("word/document.xml", &" ".repeat((64 << 20) + 1))]);
    assert!(bomb.len() < 100 << 10, "{}", bomb.len());
    let error = extract(WORD, bomb).unwrap_err();
    let message = "its part `word/document.xml` unpacks to more than 64 MiB, so the document is not read";
    assert_eq!((error.code, error.message.as_str()), (Code::TooLarge, message));
}

#[test]
fn entities_of_the_document_are_not_expanded() {
    let laughs = r#"<!DOCTYPE d [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c SYSTEM "file:///etc/passwd">]>
        <d><p><t>&b;&c;&lt;ok&#33;</t></p></d>"#;
    assert_eq!(extract(WORD, package(&[("word/document.xml", laughs)])).unwrap(), text("<ok!\n"));
}

#[test]
fn what_nests_without_end_is_read() {
    let deep = format!("{}<p><t>down here</t></p>{}", "<x>".repeat(200_000), "</x>".repeat(200_000));
    assert_eq!(extract(WORD, package(&[("word/document.xml", &deep)])).unwrap(), text("down here\n"));
}

#[test]
fn a_sheet_that_claims_to_be_huge_takes_no_room() {
    let sheet = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
        <row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData></worksheet>"#;
    let book = package(&[
        (
            "_rels/.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
                Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        (
            "xl/workbook.xml",
            r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"
                xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">
                <sheets><sheet name="One" sheetId="1" r:id="rId1"/></sheets></workbook>"#,
        ),
        (
            "xl/_rels/workbook.xml.rels",
            r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1"
                Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#,
        ),
        ("xl/worksheets/sheet1.xml", sheet),
    ]);
    assert_eq!(extract(SHEETS, book).unwrap(), text("[sheet One]\n1048576\t[XFD]\tfar\n"));
    let content = "<d><spreadsheet><table name=\"One\"><table-row number-rows-repeated=\"4294967295\">\
        <table-cell number-columns-repeated=\"4294967295\"><p>far</p></table-cell><table-cell><p>on</p></table-cell>\
        </table-row></table></spreadsheet></d>";
    let wanted = "[sheet One]\n1\tfar\t[MWLQKWV]\ton\t[and the same to row 4294967295]\n";
    assert_eq!(extract(OPEN_SHEETS, package(&[("content.xml", content)])).unwrap(), text(wanted));
}

#[test]
fn control_characters_stay_out() {
    let part = "<d><p><t>red \u{1b}[31m\u{7f}\u{9b}31m</t></p></d>";
    assert_eq!(extract(WORD, package(&[("word/document.xml", part)])).unwrap(), text("red [31m31m\n"));
}

#[test]
fn what_is_no_document_says_so() {
    let said = |kind: &str, document: Vec<u8>| {
        let error = extract(kind, document).unwrap_err();
        assert_eq!(error.code, Code::Invalid);
        error.message
    };
    assert_eq!(
        said(WORD, b"hello".to_vec()),
        "the document is damaged: it cannot be unpacked (invalid Zip archive: Could not find EOCD)"
    );
    assert_eq!(
        said(WORD, package(&[("other", "")])),
        "the document is damaged: its part `word/document.xml` is missing"
    );
    let broken = said(WORD, package(&[("word/document.xml", "<a></b>")]));
    assert!(broken.starts_with("the document is damaged: a part of it is no XML ("), "{broken}");
    assert_eq!(
        said("application/pdf", b"hello".to_vec()),
        "the PDF is damaged (couldn't parse input: invalid file header)"
    );
}

/// Cut off anywhere, a document is a text or a message. The readers of PDF and of old workbooks panic at some of these; in a
/// component that ends the call, and the host says so (`tests/agent/documents.rs`).
#[test]
fn what_is_cut_off_comes_to_an_end() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/documents");
    let open = "application/vnd.oasis.opendocument";
    let office = "application/vnd.openxmlformats-officedocument";
    let files = [
        ("invoice.docx", format!("{office}.wordprocessingml.document")),
        ("orders.xlsx", format!("{office}.spreadsheetml.sheet")),
        ("boats.pptx", format!("{office}.presentationml.presentation")),
        ("orders.ods", format!("{open}.spreadsheet")),
        ("boats.epub", "application/epub+zip".to_owned()),
        ("tides.html", "text/html".to_owned()),
        ("anchor.eml", "message/rfc822".to_owned()),
    ];
    for (name, kind) in files {
        let whole = fs::read(folder.join(name)).unwrap();
        for part in 0..40 {
            let _ = extract(&kind, whole[..whole.len() * part / 40].to_vec());
        }
        // and with a byte of it changed
        for at in (0..whole.len()).step_by(whole.len() / 100 + 1) {
            let mut changed = whole.clone();
            changed[at] ^= 0x55;
            let _ = extract(&kind, changed);
        }
    }
}
