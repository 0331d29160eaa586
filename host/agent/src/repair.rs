//! What is done about a model that errs: it is told what is wrong, a bounded number of times, then the person is asked.

use deskhand_vocabulary::Sha256;
use serde_json::Value;
use sha2::Digest as _;
use std::collections::HashMap;

/// What went wrong with a reply or a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Slip {
    /// A reply that says nothing and calls nothing.
    EmptyReply,
    /// Arguments that are no JSON, or do not fit the tool's schema.
    BadArguments,
    /// A tool that there is not.
    UnknownTool,
    /// A reply that was cut off within a tool call.
    CutOff,
}

impl Slip {
    /// So often in a row the model is told; then the person is asked.
    const fn tries(self) -> u32 {
        match self {
            Self::EmptyReply | Self::CutOff => 2,
            Self::BadArguments | Self::UnknownTool => 4,
        }
    }
}

/// The same call that fails in the same way is made so often before the model is told that it repeats itself.
const SAME: u32 = 3;
/// And so often before the person is asked.
const STUCK: u32 = 5;

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing but to hand the failure to the model.
    Tell,
    /// Tell the model as well that it repeats itself and must try something else.
    TellRepeats,
    /// Ask the person how to go on.
    Ask,
}

/// The slips of one task. A step that does something sets the counts of slips back; what was repeated is counted until
/// it succeeds.
#[derive(Debug, Default)]
pub struct Repairs {
    slips: HashMap<Slip, u32>,
    failed: HashMap<Sha256, u32>,
}

impl Repairs {
    /// A slip. What is to be done about it.
    pub fn slip(&mut self, slip: Slip) -> Remedy {
        let count = self.slips.entry(slip).or_default();
        *count += 1;
        if *count > slip.tries() { Remedy::Ask } else { Remedy::Tell }
    }

    /// A call failed, with this message. What is to be done about it.
    pub fn failed(&mut self, tool: &str, arguments: &Value, message: &str) -> Remedy {
        let count = self.failed.entry(fingerprint(tool, arguments, message)).or_default();
        *count += 1;
        match *count {
            count if count >= STUCK => Remedy::Ask,
            count if count >= SAME => Remedy::TellRepeats,
            _ => Remedy::Tell,
        }
    }

    /// A call did what it should.
    pub fn succeeded(&mut self) {
        self.slips.clear();
        self.failed.clear();
    }

    /// The person said how to go on: what was counted until now is over.
    pub fn answered(&mut self) {
        self.succeeded();
    }
}

/// The order of the names in an object makes no other call.
fn fingerprint(tool: &str, arguments: &Value, message: &str) -> Sha256 {
    let mut hash = sha2::Sha256::new();
    let mut part = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    part(tool);
    part(&sorted(arguments).to_string());
    part(message);
    Sha256(hash.finalize().into())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| name.as_str());
            Value::Object(members.into_iter().map(|(name, value)| (name.clone(), sorted(value))).collect())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        plain => plain.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn slips_in_a_row_end_with_a_question() {
        let mut repairs = Repairs::default();
        let twice = [repairs.slip(Slip::EmptyReply), repairs.slip(Slip::EmptyReply)];
        assert_eq!(twice, [Remedy::Tell, Remedy::Tell]);
        assert_eq!(repairs.slip(Slip::CutOff), Remedy::Tell);
        assert_eq!(repairs.slip(Slip::EmptyReply), Remedy::Ask);
        repairs.succeeded();
        assert_eq!(repairs.slip(Slip::EmptyReply), Remedy::Tell);
    }

    #[test]
    fn the_same_failure_over_and_over_is_noticed() {
        let mut repairs = Repairs::default();
        let remedies: Vec<Remedy> = (0..5)
            .map(|at| {
                let arguments = if at % 2 == 0 { json!({"a": 1, "b": [2]}) } else { json!({"b": [2], "a": 1}) };
                repairs.failed("read", &arguments, "no such file")
            })
            .collect();
        assert_eq!(remedies, [Remedy::Tell, Remedy::Tell, Remedy::TellRepeats, Remedy::TellRepeats, Remedy::Ask]);
        assert_eq!(repairs.failed("read", &json!({"a": 2}), "no such file"), Remedy::Tell);
        assert_eq!(repairs.failed("read", &json!({"a": 1, "b": [2]}), "is a folder"), Remedy::Tell);
    }
}
