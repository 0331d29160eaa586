//! Rows in columns.

use unicode_width::UnicodeWidthStr as _;

/// Rows with their columns in line, two spaces apart, without space at a line's end. The first row is the heading.
pub(crate) fn columns(rows: &[Vec<String>]) -> String {
    let count = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count)
        .map(|column| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.width()).max().unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width()) + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_take_their_room() {
        let rows = [vec!["a".into(), "b".into()], vec!["日本".into(), "c".into()]];
        assert_eq!(columns(&rows), "a     b\n日本  c\n");
    }
}
