//! What came of a plan: counted from what was done, never from what was planned.

use super::{counted, line, plan::made};
use deskhand_vocabulary::{CommitId, Tally};

/// How many of the changes that were not made are listed.
const LISTED: usize = 20;

/// What came of a plan.
#[derive(Clone, Debug, Default)]
pub(crate) struct Done {
    /// How many changes were made.
    pub(crate) applied: u64,
    pub(crate) made: Tally,
    /// What was left as it is: its path, and why.
    pub(crate) refused: Vec<(String, String)>,
    pub(crate) warnings: Vec<String>,
}

impl Done {
    /// Of a commit that was applied.
    pub(crate) fn text(&self, commit: CommitId) -> String {
        let made = made(&self.made);
        let mut out = match made.is_empty() {
            _ if self.applied == 0 => "Nothing was changed.\n".to_owned(),
            true => format!("Done: {}.\n", counted(self.applied, "change")),
            false => format!("Done: {made}.\n"),
        };
        for (path, reason) in self.refused.iter().take(LISTED) {
            out.push_str(&format!("Left as it is: {} ({}).\n", line(path), line(reason)));
        }
        if self.refused.len() > LISTED {
            let more = counted((self.refused.len() - LISTED) as u64, "more change");
            out.push_str(&format!("… and {more} not made. See them with: deskhand history {commit}\n"));
        }
        for warning in &self.warnings {
            out.push_str(&format!("{}\n", super::sentence(&line(warning))));
        }
        if self.applied > 0 {
            out.push_str(&format!("Undo with: deskhand undo {commit}\n"));
        }
        out
    }

    /// Of a commit that was taken back.
    pub(crate) fn taken_back(&self) -> String {
        let reasons: String = self.warnings.iter().map(|warning| format!("  {}\n", line(warning))).collect();
        format!("Everything is as it was before.\n{reasons}")
    }
}
