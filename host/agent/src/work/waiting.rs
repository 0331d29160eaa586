//! What waited for the person when the task goes on: their questions are put again, and of all else the model is told.

use super::Work;
use crate::{
    agent::{Ended, Result},
    conversation::Waiting,
    prompt,
    tool::{Effect, Outcome},
};

impl Work<'_> {
    /// Take up what waited. How the task ends, where the person ends it instead of an answer.
    pub(super) async fn take_up(&mut self) -> Result<Option<Ended>> {
        let (mut answered, mut waited) = (Vec::new(), Vec::new());
        for Waiting { call, line } in self.conversation.waited().to_vec() {
            if self.effect(&call) != Effect::Ask {
                waited.push(line);
                self.doings.waited(&call);
                continue;
            }
            let output = self.ask_again(&call).await;
            match output.outcome {
                Outcome::Done => {
                    let asked = call.input.as_ref().ok().and_then(|asked| asked["question"].as_str());
                    answered.push(format!("You asked: {}\n{}", asked.unwrap_or(&line), output.text()));
                }
                Outcome::Stopped => return Ok(Some(Ended::Cancelled)),
                Outcome::Parked => {
                    self.doings.wait(output.gist());
                    answered.push(format!("Still nobody is there to answer: {line}"));
                }
                _ => answered.push(format!("{line}: {}", output.gist())),
            }
        }
        if !answered.is_empty() {
            self.tell_host("answers", &answered.join("\n"))?;
        }
        if !waited.is_empty() {
            self.tell_host("note", &prompt::waited(&waited))?;
        }
        Ok(None)
    }
}
