//! Documents of real programs, as text. Their texts are written down by hand beside `tests/fixtures/make-documents`, which
//! made them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use deskhand_documents::DOCUMENTS;
use deskhand_sdk::{Code, Error, Extracted};
use std::{fs, path::Path};

const OFFICE: &str = "application/vnd.openxmlformats-officedocument";
const OPEN: &str = "application/vnd.oasis.opendocument";

fn extract(name: &str, kind: &str, limit: usize) -> Result<Extracted, Error> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/fixtures/documents");
    DOCUMENTS.extract(kind, fs::read(folder.join(name)).unwrap(), &format!(r#"{{"limit": {limit}}}"#))
}

#[track_caller]
fn reads(name: &str, kind: &str, wanted: &str) {
    let Extracted { text, cut } = extract(name, kind, 1 << 20).unwrap();
    assert_eq!((text.as_str(), cut), (wanted, false), "{name}");
}

#[test]
fn pdf() {
    let kind = "application/pdf";
    let pages = "[page 1 of 2]\nInvoice 2024-117\n\nAnchor 1,240.00\n[page 2 of 2]\nPay by 31 May 2024.\n";
    reads("invoice-pages.pdf", kind, pages);
    // locked against changes alone
    reads("open-locked.pdf", kind, pages);
    // by another program, with fonts of its own
    let Extracted { text, .. } = extract("invoice.pdf", kind, 1 << 20).unwrap();
    assert!(
        text.starts_with("[page 1 of 1]\nHarbour Supplies, Quay 4\n\nInvoice 2024-117\n\nDear Ms Öztürk & Sons,\n")
    );
    assert!(text.contains("Rope, 20 m 18.50 €"), "{text}");
}

#[test]
fn what_cannot_be_read_says_why() {
    let why = |name: &str| extract(name, "application/pdf", 1 << 20).unwrap_err();
    let locked = "the PDF is locked with a password; open it, and save it without one";
    assert_eq!(why("locked.pdf"), Error::new(Code::Unsupported, locked));
    let scan =
        "the PDF holds pictures of pages and no text, as scans do; it would have to be read by text recognition first";
    assert_eq!(why("scan.pdf"), Error::new(Code::Unsupported, scan));
    let other = extract("tides.html", "text/markdown", 10).unwrap_err();
    assert_eq!(other.message, "this plugin reads no documents of the type text/markdown");
}

#[test]
fn text_documents() {
    let invoice = "# Invoice 2024-117\nDear Ms Öztürk & Sons,\n# What you ordered\nItem\tPrice\nRope, 20 m\t18.50 €\n\
                   Anchor\t1,240.00 €\nPay by 31 May 2024.\nThe total is 1,258.50 €.\n[header]\nHarbour Supplies, Quay 4\n";
    reads("invoice.docx", &format!("{OFFICE}.wordprocessingml.document"), invoice);
    let invoice = "Invoice 2024-117\nDear Ms Öztürk & Sons,\n# What you ordered\nItem\tPrice\nRope, 20 m\t18.50 €\n\
                   Anchor\t1,240.00 €\n- Pay by 31 May 2024.\nThe total is 1,258.50 €.\n";
    reads("invoice.odt", &format!("{OPEN}.text"), invoice);
}

#[test]
fn spreadsheets() {
    let rest = "5\t\t\t\t1258.5\n7\t[Z]\tfar away\n[sheet Notes]\n2\t\tTwo lines\n";
    let orders = format!(
        "[sheet Orders 2024]\n1\tItem\tOrdered\tAt\tPrice\tPaid\n2\tRope, 20 m\t2024-05-02\t09:30:00\t18.5\ttrue\n\
         3\tAnchor\t2024-05-03 14:15:00\t\t1240\tfalse\n{rest}[sheet Rates, hidden]\n1\t0.19\n"
    );
    reads("orders.xlsx", &format!("{OFFICE}.spreadsheetml.sheet"), &orders);
    reads("orders.xls", "application/vnd.ms-excel", &orders);
    // as it shows them
    let shown = format!(
        "[sheet Orders 2024]\n1\tItem\tOrdered\tAt\tPrice\tPaid\n2\tRope, 20 m\t2024-05-02\t9:30:00\t18.5\tTRUE\n\
         3\tAnchor\t2024-05-03 14:15:00\t\t1240\tFALSE\n{rest}[sheet Rates]\n1\t0.19\n"
    );
    reads("orders.ods", &format!("{OPEN}.spreadsheet"), &shown);
}

#[test]
fn presentations() {
    let first = "The twelfth boat\nHarbour office\n[notes]\nWait until all sit.\n";
    let second = "Counts\nMorning\tEvening\n11\t12\n";
    let boats = format!("[slide 1 of 2]\n{first}[slide 2 of 2]\n{second}");
    reads("boats.pptx", &format!("{OFFICE}.presentationml.presentation"), &boats);
    let boats = format!("[slide 1]\n{first}[slide 2]\n{second}");
    reads("boats.odp", &format!("{OPEN}.presentation"), &boats);
}

#[test]
fn books_pages_and_mails() {
    let boats = "[chapter 1 of 2]\n# Part 1\n\nNobody saw it arrive.\n[chapter 2 of 2]\n# Part 2\n\nIt was *grey*.\n";
    reads("boats.epub", "application/epub+zip", boats);
    let tides = "# Tides\n\nThey follow the [moon] & the sun.\n* High\n* Low\n\n06:10 2.4 m\n";
    reads("tides.html", "text/html", tides);
    let anchor = "From: Ada Öztürk <ada@example.org>\nTo: harbour@example.org, Ben <ben@example.org>\n\
                  Date: 2024-05-02T09:30:00+02:00\nSubject: The anchor, Größe 3\n\nWhere is it?\n\nAda\n\
                  [attached: order.pdf, application/pdf, 8 bytes]\n";
    reads("anchor.eml", "message/rfc822", anchor);
}

#[test]
fn no_more_is_read_than_is_wanted() {
    let cut = |text: &str| Extracted { text: text.to_owned(), cut: true };
    assert_eq!(extract("invoice.odt", &format!("{OPEN}.text"), 26).unwrap(), cut("Invoice 2024-117\nDear Ms "));
    // never within a character
    assert_eq!(extract("invoice.odt", &format!("{OPEN}.text"), 26).unwrap().text.len(), 25);
    assert_eq!(extract("invoice-pages.pdf", "application/pdf", 20).unwrap(), cut("[page 1 of 2]\nInvoic"));
}
