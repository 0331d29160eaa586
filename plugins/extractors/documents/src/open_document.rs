//! OpenDocument 1.3: texts, spreadsheets and presentations, whose content is one part of the same elements.

use crate::{
    cells::Cells,
    package::Package,
    text::Text,
    xml::{self, Element, Met, Then},
};
use deskhand_sdk::{Error, Result};

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    let mut package = Package::open(document)?;
    if package.part("META-INF/manifest.xml")?.is_some_and(|manifest| manifest.contains("encryption-data")) {
        return Err(Error::unsupported("the document is locked with a password; open it, and save it without one"));
    }
    let content = package.needed("content.xml")?;
    let mut reading = Reading::default();
    xml::walk(&content, |met| {
        reading.meet(met, text);
        Then::unless(text.is_full())
    })
}

/// What is left out: what a recorded change took away, what no reader sees, and numbers that the program fills in.
const LEFT_OUT: [&str; 4] = ["tracked-changes", "forms", "scripts", "page-number"];

/// A repetition of more cells or rows than this is no content but the end of a sheet.
const REPEATED: u32 = 64;

#[derive(Default)]
struct Reading {
    left_out: u32,
    /// Within a paragraph or heading, how deep.
    paragraph: u32,
    /// The body of a spreadsheet, whose tables are sheets.
    sheets: bool,
    slide: u32,
    /// The notes of a slide have begun, and nothing of them was met yet.
    notes: bool,
    row: u32,
    row_repeated: u32,
    column: u32,
    /// Within a cell, how deep, and what it holds so far.
    cell: u32,
    held: String,
    cell_repeated: u32,
    line: Vec<(u32, String)>,
}

impl Reading {
    fn meet(&mut self, met: Met<'_>, text: &mut Text) {
        match met {
            Met::Open(name, _) if LEFT_OUT.contains(&name) => self.left_out += 1,
            Met::Close(name) if LEFT_OUT.contains(&name) => self.left_out = self.left_out.saturating_sub(1),
            _ if self.left_out > 0 => {}
            Met::Open(name, element) => self.open(name, element, text),
            Met::Close(name) => self.close(name, text),
            Met::Text(words) if self.paragraph > 0 => self.say(words, text),
            Met::Text(_) => {}
        }
    }

    /// Into the cell that is open, or else into the text.
    fn say(&mut self, words: &str, text: &mut Text) {
        if std::mem::take(&mut self.notes) {
            text.mark("notes");
        }
        if self.cell > 0 { self.held.push_str(words) } else { text.push(words) }
    }

    fn open(&mut self, name: &str, element: &Element<'_>, text: &mut Text) {
        match name {
            "spreadsheet" => self.sheets = true,
            "page" => {
                self.slide += 1;
                self.notes = false;
                text.mark(&format!("slide {}", self.slide));
            }
            "notes" => self.notes = true,
            "table" if self.sheets && self.cell == 0 => {
                text.mark(&format!("sheet {}", element.get("name").unwrap_or_default()));
                self.row = 0;
            }
            "table" if self.cell == 0 => self.row = 0,
            "table-row" if self.cell == 0 => {
                self.column = 0;
                self.row_repeated = element.number("number-rows-repeated").unwrap_or(1);
            }
            "table-cell" | "covered-table-cell" => {
                if self.cell == 0 {
                    self.held.clear();
                    self.cell_repeated = element.number("number-columns-repeated").unwrap_or(1);
                }
                self.cell += 1;
            }
            "p" | "h" => {
                self.paragraph += 1;
                if name == "h" && self.cell == 0 {
                    let level = element.number("outline-level").unwrap_or(1).clamp(1, 9);
                    text.push(&format!("{} ", "#".repeat(level as usize)));
                }
            }
            "list-item" if self.cell == 0 => text.push("- "),
            "s" => {
                let spaces = element.number("c").unwrap_or(1).min(REPEATED);
                self.say(&" ".repeat(spaces as usize), text);
            }
            "tab" => self.say("\t", text),
            "line-break" => self.say("\n", text),
            _ => {}
        }
    }

    fn close(&mut self, name: &str, text: &mut Text) {
        match name {
            "p" | "h" => {
                self.paragraph = self.paragraph.saturating_sub(1);
                if self.cell > 0 {
                    self.held.push(' ');
                } else if self.paragraph == 0 {
                    text.end_line();
                }
            }
            "table-cell" | "covered-table-cell" => {
                self.cell = self.cell.saturating_sub(1);
                if self.cell == 0 {
                    self.end_cell();
                }
            }
            "table-row" if self.cell == 0 => self.end_row(text),
            _ => {}
        }
    }

    fn end_cell(&mut self) {
        let held = std::mem::take(&mut self.held);
        if !held.trim().is_empty() {
            let times = if self.cell_repeated > REPEATED { 1 } else { self.cell_repeated };
            self.line.extend((0..times).map(|at| (self.column.saturating_add(at), held.clone())));
        }
        self.column = self.column.saturating_add(self.cell_repeated);
    }

    fn end_row(&mut self, text: &mut Text) {
        let line = std::mem::take(&mut self.line);
        if self.sheets && !line.is_empty() {
            let mut cells = Cells::of(text);
            for (column, content) in &line {
                cells.cell(self.row, *column, content);
            }
            if self.row_repeated > 1 {
                cells.same_to(u64::from(self.row) + u64::from(self.row_repeated));
            }
            cells.end();
        } else if !line.is_empty() {
            let line: Vec<String> = line.iter().map(|(_, content)| crate::text::one_line(content)).collect();
            text.push(&line.join("\t"));
            text.end_line();
        }
        self.row = self.row.saturating_add(self.row_repeated);
    }
}
