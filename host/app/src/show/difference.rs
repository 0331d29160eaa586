//! What an agent has written, beside what stood there before.

use super::{Detail, bytes, counted, line};
use deskhand_vocabulary::{Change, ChangeKind, Plan, Principal};
use serde_json::{Value, json};
use similar::TextDiff;
use std::time::Duration;

/// The member of a plan's view that holds the differences: path → text.
const WRITTEN: &str = "written";
/// The longest file that is compared, in bytes.
pub(crate) const LONGEST: u32 = 256 << 10;
/// The most files that are compared.
pub(crate) const FILES: usize = 100;
/// So many unchanged lines around a change.
const AROUND: usize = 3;
/// So many lines of a file are shown at first.
const FIRST: usize = 12;
/// A comparison that takes longer is finished with less care.
const PATIENCE: Duration = Duration::from_millis(200);

/// A plan's view with the differences of these files: what each holds now, if it is there, and what it is to hold.
pub(crate) fn view(files: impl IntoIterator<Item = (String, Option<Vec<u8>>, Option<Vec<u8>>)>) -> Value {
    let one = |(path, before, after): (String, Option<Vec<u8>>, Option<Vec<u8>>)| {
        Some((path, Value::String(difference(before.as_deref(), after.as_deref()?)?)))
    };
    let written: serde_json::Map<String, Value> = files.into_iter().filter_map(one).collect();
    if written.is_empty() { json!({}) } else { json!({ WRITTEN: written }) }
}

/// In the unified format, without a heading; nothing where either is no text, or too long.
pub(crate) fn difference(before: Option<&[u8]>, after: &[u8]) -> Option<String> {
    let (before, after) = (text(before.unwrap_or_default())?, text(after)?);
    let compared = TextDiff::configure().timeout(PATIENCE).diff_lines(before, after);
    Some(compared.unified_diff().context_radius(AROUND).missing_newline_hint(false).to_string())
}

fn text(bytes: &[u8]) -> Option<&str> {
    let short = Some(bytes).filter(|bytes| bytes.len() <= LONGEST as usize);
    std::str::from_utf8(short?).ok().filter(|text| !text.contains('\0'))
}

/// The differences of a plan, a file after the other. Only where Deskhand made the view: what a plugin puts into its own is not
/// believed.
pub(super) fn differences(plan: &Plan, detail: Detail) -> String {
    let mut out = String::new();
    if matches!(plan.origin, Principal::Person | Principal::Plugin(_)) {
        return out;
    }
    for change in plan.changes().filter(|change| change.kind == ChangeKind::Write && change.returned.is_none()) {
        let Some(target) = &change.target else { continue };
        let path = target.to_string();
        let mark = if change.replaces { "new content" } else { "new" };
        match plan.view[WRITTEN][&path].as_str() {
            Some(difference) => {
                out.push_str(&format!("\n{} ({mark}):\n", line(&path)));
                rows(difference, change, detail, &mut out);
            }
            None => out.push_str(&format!("\n{} ({mark}): {}, not shown here\n", line(&path), bytes(change.bytes))),
        }
    }
    out
}

fn rows(difference: &str, change: &Change, detail: Detail, out: &mut String) {
    // where a new file lies in itself says nothing
    let rows: Vec<&str> = difference.lines().filter(|row| change.replaces || !row.starts_with("@@")).collect();
    if rows.is_empty() {
        out.push_str(if change.replaces { "  The same as now.\n" } else { "  Empty.\n" });
    }
    let shown = match detail {
        Detail::Short if rows.len() > FIRST + 1 => FIRST,
        Detail::Short | Detail::Full => rows.len(),
    };
    for row in &rows[..shown] {
        out.push_str(&format!("  {}\n", line(&row.replace('\t', "    "))));
    }
    if shown < rows.len() {
        out.push_str(&format!("  … and {}\n", counted((rows.len() - shown) as u64, "more line")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use deskhand_vocabulary::Sha256;
    use std::sync::Arc;

    /// A path, what is there, what is to be.
    type File<'a> = (&'a str, Option<&'a [u8]>, &'a [u8]);

    #[allow(clippy::unwrap_used, reason = "a test that finds something wrong ends")]
    fn plan(origin: Principal, files: &[File<'_>]) -> Plan {
        let changes = files.iter().enumerate().map(|(at, (path, before, after))| {
            let change = json!({
                "id": at, "kind": "write", "target": path, "bytes": after.len(), "files": 1, "replaces": before.is_some(),
            });
            Arc::new(serde_json::from_value(change).unwrap())
        });
        let held =
            |(path, before, after): &File<'_>| ((*path).to_owned(), before.map(<[u8]>::to_vec), Some(after.to_vec()));
        Plan {
            title: String::new(),
            origin,
            changes: changes.collect(),
            view: view(files.iter().map(held)),
            beyond: None,
            digest: Sha256::of(b""),
        }
    }

    #[test]
    fn what_changes_is_shown_with_what_is_around_it() {
        let before: String = (1..=9).map(|number| format!("{number}\n")).collect();
        let after = before.replace("5\n", "five\t\u{1b}[2J\n");
        let files: [File<'_>; 4] = [
            ("Files/a.txt", Some(before.as_bytes()), after.as_bytes()),
            ("Files/b.md", None, b"# B\n\nend"),
            ("Files/c.png", Some(b"\0\x01"), b"\0\xff\0"),
            ("Files/d.txt", None, b""),
        ];
        let expected = "\nFiles/a.txt (new content):\n  @@ -2,7 +2,7 @@\n   2\n   3\n   4\n  -5\n  +five    \\u{1b}[2J\n   6\n   \
            7\n   8\n\nFiles/b.md (new):\n  +# B\n  +\n  +end\n\nFiles/c.png (new content): 3 B, not shown here\n\nFiles/d.txt \
            (new):\n  Empty.\n";
        assert_eq!(differences(&plan(Principal::Agent, &files), Detail::Short), expected);
        assert_eq!(differences(&plan(Principal::Person, &files), Detail::Short), "");
    }

    #[test]
    fn of_a_long_file_the_beginning_is_shown_at_first() {
        let long: String = (1..=40).map(|number| format!("{number}\n")).collect();
        let plan = plan(Principal::Agent, &[("Files/a.txt", None, long.as_bytes())]);
        let short = differences(&plan, Detail::Short);
        assert!(short.ends_with("  +11\n  +12\n  … and 28 more lines\n"), "{short}");
        assert!(differences(&plan, Detail::Full).ends_with("  +39\n  +40\n"));
    }
}
