//! Rows of a table as lines: the number of the row, then its cells from column A on, with a tab before each.

use crate::text::{Text, one_line};

/// So many empty cells in a row are written as tabs; after more, the next cell says its column.
const GAP: u32 = 8;

/// See the module.
pub(crate) struct Cells<'a> {
    text: &'a mut Text,
    /// The row under way, from 0.
    row: Option<u32>,
    /// The column of its next cell, from 0.
    column: u32,
}

impl<'a> Cells<'a> {
    pub(crate) const fn of(text: &'a mut Text) -> Self {
        Self { text, row: None, column: 0 }
    }

    /// A cell with something in it, behind and below those before. Rows and columns count from 0.
    pub(crate) fn cell(&mut self, row: u32, column: u32, content: &str) {
        let content = one_line(content);
        if content.is_empty() {
            return;
        }
        if self.row != Some(row) {
            self.text.end_line();
            self.text.push(&(u64::from(row) + 1).to_string());
            (self.row, self.column) = (Some(row), 0);
        }
        let gap = column.saturating_sub(self.column);
        if gap > GAP {
            self.text.push(&format!("\t[{}]", letters(column)));
        } else {
            (0..gap).for_each(|_| self.text.push("\t"));
        }
        self.text.push("\t");
        self.text.push(&content);
        self.column = column.saturating_add(1);
    }

    pub(crate) const fn is_full(&self) -> bool {
        self.text.is_full()
    }

    /// The rows below are as this one, to the row `last`, which counts from 1.
    pub(crate) fn same_to(&mut self, last: u64) {
        self.text.push(&format!("\t[and the same to row {last}]"));
    }

    pub(crate) fn end(self) {
        self.text.end_line();
    }
}

/// The name of a column: A to Z, AA, AB, and so on.
fn letters(column: u32) -> String {
    let mut left = u64::from(column) + 1;
    let mut letters = Vec::new();
    while left > 0 {
        letters.push(b'A' + u8::try_from((left - 1) % 26).unwrap_or_default());
        left = (left - 1) / 26;
    }
    letters.iter().rev().map(|letter| char::from(*letter)).collect()
}
