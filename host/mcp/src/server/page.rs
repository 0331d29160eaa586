//! Long lists, a page at a time. A cursor is where the page begins, opaque to the client.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// So many tools or prompts a page.
const PAGE: usize = 100;

/// The page that `cursor` asks for, and the cursor of the next; none for a cursor that no page gave.
pub(crate) fn of<T>(all: Vec<T>, cursor: Option<&str>) -> Option<(Vec<T>, Option<String>)> {
    let start = match cursor {
        None => 0,
        Some(cursor) => place(cursor).filter(|start| *start > 0 && *start < all.len())?,
    };
    let end = start.saturating_add(PAGE);
    let next = (end < all.len()).then(|| URL_SAFE_NO_PAD.encode(end.to_string()));
    Some((all.into_iter().skip(start).take(PAGE).collect(), next))
}

fn place(cursor: &str) -> Option<usize> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
    String::from_utf8(bytes).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn pages_hold_everything_once() {
        let all: Vec<usize> = (0..250).collect();
        let mut seen = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let (items, next) = of(all.clone(), cursor.as_deref()).unwrap();
            seen.extend(items);
            cursor = next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, all);
    }

    #[test]
    fn a_cursor_that_no_page_gave_is_refused() {
        for cursor in ["", "x", "MA", "OTk5", "LTE", "💥"] {
            assert_eq!(of((0..250).collect::<Vec<usize>>(), Some(cursor)), None, "{cursor}");
        }
    }
}
