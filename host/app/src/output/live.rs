//! Rows at the foot of a terminal that are painted anew in place, below all that is printed.

use unicode_width::UnicodeWidthChar as _;

/// The size of a terminal, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
}

/// What stands there now.
#[derive(Debug)]
pub(crate) struct Live {
    /// The rows, without their styles.
    painted: Vec<String>,
    /// True if what was printed last did not end its line; nothing is painted behind it.
    open: bool,
}

/// What is between these two appears at once, on terminals that know them (synchronized output, DEC private mode 2026).
const TOGETHER: (&str, &str) = ("\u{1b}[?2026h", "\u{1b}[?2026l");
/// To the beginning of the row, and nothing behind it.
const CLEAR: &str = "\r\u{1b}[J";

impl Live {
    /// Nothing stands there.
    pub(crate) const fn new() -> Self {
        Self { painted: Vec::new(), open: false }
    }

    /// True if something stands there.
    pub(crate) fn is_painted(&self) -> bool {
        !self.painted.is_empty()
    }

    /// What is to be written so that `above` is printed for good and `rows` stand below it. A row may carry styles; what is
    /// longer than the terminal is wide is cut.
    pub(crate) fn frame(&mut self, above: &str, rows: &[String], size: Size) -> String {
        let first = rows.len().saturating_sub(size.rows.saturating_sub(1).max(1));
        // behind a full row terminals differ
        let rows: Vec<_> = rows[first..].iter().map(|row| cut(row, size.columns.saturating_sub(1))).collect();
        self.frame_whole(above, &rows, size)
    }

    /// The same with rows that the terminal breaks where they are too long.
    pub(crate) fn frame_whole(&mut self, above: &str, rows: &[String], size: Size) -> String {
        let erased = self.erased(size);
        if !above.is_empty() {
            self.open = !above.ends_with('\n');
        }
        let rows = if self.open { &[] } else { rows };
        self.painted = rows.iter().map(|row| console::strip_ansi_codes(row).into_owned()).collect();
        if erased.is_empty() && rows.is_empty() {
            return above.to_owned();
        }
        format!("{}{erased}{above}{}{}", TOGETHER.0, rows.join("\r\n"), TOGETHER.1)
    }

    /// What was printed last has ended its line: the person pressed Enter.
    pub(crate) fn close(&mut self) {
        self.open = false;
    }

    /// What is to be written so that nothing stands there.
    fn erased(&mut self, size: Size) -> String {
        // a terminal that has become narrower has broken the rows
        let high: usize = self.painted.drain(..).map(|row| height(&row, size.columns)).sum();
        match high {
            0 => String::new(),
            1 => CLEAR.to_owned(),
            more => format!("\u{1b}[{}A{CLEAR}", more - 1),
        }
    }
}

/// How many rows a text takes that is broken at the edge.
fn height(text: &str, columns: usize) -> usize {
    let (mut high, mut width) = (1, 0);
    for c in text.chars() {
        let more = c.width().unwrap_or(0);
        if width + more > columns {
            high += 1;
            width = 0;
        }
        width += more;
    }
    high
}

/// A row that takes at most so many columns.
pub(crate) fn cut(row: &str, columns: usize) -> String {
    console::truncate_str(row, columns, if columns > 1 { "…" } else { "" }).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::num::NonZero;

    const SIZE: Size = Size { rows: 6, columns: 10 };

    fn rows(rows: &[&str]) -> Vec<String> {
        rows.iter().map(|row| (*row).to_owned()).collect()
    }

    fn terminal(rows: u16, columns: u16) -> vt100::Parser {
        let least_one = |number| NonZero::<u16>::new(number).unwrap_or(NonZero::<u16>::MIN);
        vt100::Parser::new(least_one(rows), least_one(columns), 0)
    }

    fn seen(terminal: &vt100::Parser) -> String {
        terminal.screen().contents()
    }

    #[test]
    fn what_is_printed_stays_above_what_is_painted() {
        let mut terminal = terminal(6, 10);
        let mut live = Live::new();
        for (above, below, expected) in [
            ("one\r\n", &["a", "b"][..], "one\na\nb"),
            ("", &["日本語日本語"], "one\n日本語日…"),
            ("two\r\n", &["c"], "one\ntwo\nc"),
            ("open", &["d"], "one\ntwo\nopen"),
            ("ed\r\n", &["d"], "one\ntwo\nopened\nd"),
            ("", &[], "one\ntwo\nopened"),
        ] {
            terminal.process(live.frame(above, &rows(below), SIZE).as_bytes());
            assert_eq!(seen(&terminal), expected);
        }
    }

    #[test]
    fn a_terminal_that_becomes_narrower_is_repainted_whole() {
        let mut live = Live::new();
        live.frame("", &rows(&["123456789", "1234"]), SIZE);
        // the first row takes three rows now, the second one
        let narrow = Size { rows: 6, columns: 4 };
        assert_eq!(live.frame("", &[], narrow), "\u{1b}[?2026h\u{1b}[3A\r\u{1b}[J\u{1b}[?2026l");
    }

    #[test]
    fn a_question_is_broken_at_the_edge_and_painted_anew_in_place() {
        let mut terminal = terminal(6, 10);
        let mut live = Live::new();
        for (row, expected) in [
            ("Go on? [Y]es: ", "Go on? [Y]es:"),
            ("Go on? [Y]es: 写真", "Go on? [Y]es: 写真"),
            ("123456789写", "123456789\n写"),
            ("1234567890", "1234567890"),
            ("", ""),
        ] {
            terminal.process(live.frame_whole("", &rows(&[row]), SIZE).as_bytes());
            // what goes on in the next row is one line to the terminal
            assert_eq!(seen(&terminal).trim_end().replace('\n', ""), expected.replace('\n', ""));
        }
        assert_eq!(terminal.screen().cursor_position(), (0, 0));
    }

    #[test]
    fn more_rows_than_there_are_leave_the_last() {
        let mut terminal = terminal(3, 10);
        let mut live = Live::new();
        let small = Size { rows: 3, columns: 10 };
        for _ in 0..2 {
            terminal.process(live.frame("x\r\n", &rows(&["a", "b", "c"]), small).as_bytes());
        }
        assert_eq!(seen(&terminal), "x\nb\nc");
    }
}
