//! The text that is made of a document: no longer than is wanted, without what no reader needs.

use deskhand_sdk::Extracted;

/// See the module.
pub(crate) struct Text {
    text: String,
    limit: usize,
    cut: bool,
}

impl Text {
    pub(crate) const fn new(limit: usize) -> Self {
        Self { text: String::new(), limit, cut: false }
    }

    /// True if no more is wanted: who reads on for more reads for nothing.
    pub(crate) const fn is_full(&self) -> bool {
        self.cut
    }

    /// As it is, but for control characters, which are left out.
    pub(crate) fn push(&mut self, text: &str) {
        for character in text.chars() {
            if self.cut {
                return;
            }
            if character.is_control() && !matches!(character, '\n' | '\t') {
                continue;
            }
            if self.text.len() + character.len_utf8() > self.limit {
                self.cut = true;
                return;
            }
            self.text.push(character);
        }
    }

    /// A line feed, unless a line was just begun.
    pub(crate) fn end_line(&mut self) {
        let end = self.text.trim_end_matches([' ', '\t']).len();
        self.text.truncate(end);
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.push("\n");
        }
    }

    /// A tab, with nothing between it and the last word.
    pub(crate) fn end_cell(&mut self) {
        let end = self.text.trim_end_matches(' ').len();
        self.text.truncate(end);
        self.push("\t");
    }

    /// A line that says what follows, such as `[page 3]`.
    pub(crate) fn mark(&mut self, what: &str) {
        self.end_line();
        self.push(&format!("[{}]\n", one_line(what)));
    }

    /// Lines without spaces at their ends, and never more than one empty line in a row.
    pub(crate) fn lines(&mut self, text: &str) {
        let mut empty = true;
        for line in text.lines().map(str::trim_end) {
            if line.is_empty() {
                if !empty {
                    self.push("\n");
                }
                empty = true;
            } else {
                self.push(line);
                self.push("\n");
                empty = false;
            }
        }
    }

    pub(crate) fn into_extracted(mut self) -> Extracted {
        if !self.cut {
            let end = self.text.trim_end().len();
            self.text.truncate(end);
            if end > 0 {
                self.text.push('\n');
            }
        }
        Extracted { text: self.text, cut: self.cut }
    }
}

/// A name on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
