//! What an agent has written, beside what stood there before.

use super::{Detail, bytes, count, counted, line};
use deskhand_vocabulary::{Change, ChangeKind, FilePath, Plan, Principal};
use serde_json::{Map, Value};
use similar::TextDiff;
use std::time::Duration;

/// The member of a plan's view that holds the differences: path → text.
const WRITTEN: &str = "written";
/// The member that holds how many bytes go of files that are emptied: path → number.
const EMPTIED: &str = "emptied";
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

/// A file that is to be written.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    /// The path that it is to have.
    pub(crate) path: FilePath,
    /// The file that is written over, if one is: where it lies now, and its size.
    pub(crate) over: Option<(FilePath, u64)>,
    /// What that holds; nothing where none is written over. None where it was not read.
    pub(crate) before: Option<Vec<u8>>,
    /// What it is to hold. None where it was not read.
    pub(crate) after: Option<Vec<u8>>,
    /// How much that is.
    pub(crate) bytes: u64,
}

impl Written {
    /// How many bytes go, where all of them do and none come.
    fn emptied(&self) -> Option<u64> {
        let (_, size) = self.over.as_ref()?;
        Some(*size).filter(|size| *size > 0 && self.bytes == 0)
    }
}

/// A plan's view with the differences of these files.
pub(crate) fn view(files: &[Written]) -> Value {
    let compared = |file: &Written| {
        let difference = difference(file.before.as_deref()?, file.after.as_deref()?)?;
        Some((file.path.to_string(), Value::from(difference)))
    };
    let emptied = |file: &Written| Some((file.path.to_string(), Value::from(file.emptied()?)));
    let members: [(&str, Map<String, Value>); 2] =
        [(WRITTEN, files.iter().filter_map(compared).collect()), (EMPTIED, files.iter().filter_map(emptied).collect())];
    let told = members.into_iter().filter(|(_, files)| !files.is_empty());
    Value::Object(told.map(|(name, files)| (name.to_owned(), Value::Object(files))).collect())
}

/// In the unified format, without a heading; nothing where either is no text, or too long.
pub(crate) fn difference(before: &[u8], after: &[u8]) -> Option<String> {
    let (before, after) = (text(before)?, text(after)?);
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
    for change in plan.feasible().filter(|change| change.kind == ChangeKind::Write && change.returned.is_none()) {
        let Some(target) = &change.target else { continue };
        let path = target.to_string();
        let mark = if change.replaces { "new content" } else { "new" };
        let (difference, emptied) = (plan.view[WRITTEN][&path].as_str(), plan.view[EMPTIED][&path].as_u64());
        if difference.is_none() && emptied.is_none() {
            out.push_str(&format!("\n{} ({mark}): {}, not shown here\n", line(&path), bytes(change.bytes)));
            continue;
        }
        out.push_str(&format!("\n{} ({mark}):\n", line(&path)));
        if let Some(gone) = emptied {
            out.push_str(&emptying(gone, plan.beyond.is_none()));
        }
        if let Some(difference) = difference {
            rows(difference, change, detail, &mut out);
        }
    }
    out
}

/// That a file loses all that it holds, and whether that comes back.
fn emptying(gone: u64, kept: bool) -> String {
    let go = if gone == 1 { "byte goes" } else { "bytes go" };
    let back = if kept { "; undo brings back what it held" } else { "" };
    format!("  Empties it: {} {go}{back}.\n", count(gone))
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
    use deskhand_vocabulary::{Sha256, plan::Beyond};
    use serde_json::json;
    use std::sync::Arc;

    /// A path, what is there, what is to be.
    type File<'a> = (&'a str, Option<&'a [u8]>, &'a [u8]);

    #[allow(clippy::unwrap_used, reason = "a test that finds something wrong ends")]
    fn held((path, before, after): &File<'_>) -> Written {
        let path: FilePath = path.parse().unwrap();
        Written {
            over: before.map(|before| (path.clone(), before.len() as u64)),
            path,
            before: Some(before.unwrap_or_default().to_vec()),
            after: Some(after.to_vec()),
            bytes: after.len() as u64,
        }
    }

    #[allow(clippy::unwrap_used, reason = "a test that finds something wrong ends")]
    fn plan(origin: Principal, files: &[File<'_>]) -> Plan {
        let changes = files.iter().enumerate().map(|(at, (path, before, after))| {
            let change = json!({
                "id": at, "kind": "write", "target": path, "bytes": after.len(), "files": 1, "replaces": before.is_some(),
            });
            Arc::new(serde_json::from_value(change).unwrap())
        });
        Plan {
            title: String::new(),
            origin,
            changes: changes.collect(),
            view: view(&files.iter().map(held).collect::<Vec<_>>()),
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
    fn that_a_file_is_emptied_is_said() {
        let files: [File<'_>; 4] = [
            ("Files/a.txt", Some(b"contract\n"), b""),
            ("Files/b.png", Some(b"\0"), b""),
            ("Files/c.txt", Some(b""), b""),
            ("Files/d.txt", Some(b"as it is"), b"as it is"),
        ];
        let mut plan = plan(Principal::Agent, &files);
        assert_eq!(
            plan.view,
            json!({
                "written": {"Files/a.txt": "@@ -1 +0,0 @@\n-contract\n", "Files/c.txt": "", "Files/d.txt": ""},
                "emptied": {"Files/a.txt": 9, "Files/b.png": 1},
            })
        );
        let expected = "\nFiles/a.txt (new content):\n  Empties it: 9 bytes go; undo brings back what it held.\n  @@ -1 +0,0 \
            @@\n  -contract\n\nFiles/b.png (new content):\n  Empties it: 1 byte goes; undo brings back what it held.\n\n\
            Files/c.txt (new content):\n  The same as now.\n\nFiles/d.txt (new content):\n  The same as now.\n";
        assert_eq!(differences(&plan, Detail::Short), expected);
        // what cannot be kept does not come back
        plan.beyond = Some(Beyond { bytes: 9, limit: 1 });
        assert_eq!(differences(&plan, Detail::Short), expected.replace("; undo brings back what it held", ""));
    }

    #[test]
    fn what_was_not_read_is_not_taken_for_the_same() {
        let file: File<'_> = ("Files/a.txt", Some(b"contract\n"), b"");
        let unread = |over| view(&[Written { over, before: None, ..held(&file) }]);
        let mut plan = plan(Principal::Agent, &[file]);
        plan.view = unread(held(&file).over);
        let emptied = "\nFiles/a.txt (new content):\n  Empties it: 9 bytes go; undo brings back what it held.\n";
        assert_eq!(differences(&plan, Detail::Short), emptied);
        plan.view = unread(None);
        assert_eq!(differences(&plan, Detail::Short), "\nFiles/a.txt (new content): 0 B, not shown here\n");
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
