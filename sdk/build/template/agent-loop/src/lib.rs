//! A sub-agent that runs itself: a draft, what is wrong with it, and the text.

use deskhand_sdk::prelude::*;

/// Writes a short text and looks it through once. Give it what the text is to say.
#[agent_loop(name = "{{name}}", tier = "balanced")]
pub fn writer(task: &str) -> Result<String> {
    let mut talk = Conversation::new(Tier::Balanced, "You write short, plain texts. Answer with the text alone.");
    talk.say(task)?;
    let draft = talk.reply()?.text();
    // another conversation, which has not seen how the draft came about
    let mut critic = Conversation::new(Tier::Fast, "You name what is unclear in a text, or say: nothing.");
    critic.say(draft.as_str())?;
    let unclear = critic.reply()?.text();
    if unclear.trim().eq_ignore_ascii_case("nothing") {
        return Ok(draft);
    }
    talk.say(format!("A reader finds this unclear: {unclear}\nWrite the text anew."))?;
    Ok(talk.reply()?.text())
}

deskhand_sdk::plugin! { agent_loop: writer }

#[cfg(test)]
mod tests {
    use super::*;

    fn model(unclear: &'static str) -> testing::Host {
        testing::Host::new().model(move |heard| {
            Ok(model::Reply::text_of(match heard.tier {
                Tier::Fast => unclear.to_owned(),
                _ => format!("draft {}", heard.said.len()),
            }))
        })
    }

    #[test]
    fn a_draft_that_is_clear_is_the_text() {
        assert_eq!(model("Nothing").run(|| writer("say hello")), Ok("draft 1".to_owned()));
    }

    #[test]
    fn one_that_is_not_is_written_anew() {
        assert_eq!(model("who").run(|| writer("say hello")), Ok("draft 2".to_owned()));
    }
}
