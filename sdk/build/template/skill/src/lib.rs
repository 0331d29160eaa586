//! How minutes of a meeting are written.

use deskhand_sdk::Skill;

/// What the agent sees before it takes the skill up is the name and the description.
pub const MINUTES: Skill = Skill {
    name: "{{name}}",
    description: "Write the minutes of a meeting from notes. Use it whenever decisions and tasks of a meeting are to be written down.",
    triggers: &["write the minutes of this meeting", "turn my meeting notes into minutes"],
    instructions: include_str!("../skill/minutes.md"),
    // what is needed now and then; the text names it, and the agent reads it then
    references: &[("form.md", include_str!("../skill/form.md"))],
    tools: &["list", "read", "write"],
};

deskhand_sdk::plugin! { skill: MINUTES }

#[cfg(test)]
mod tests {
    use super::MINUTES;
    use deskhand_sdk::Code;

    #[test]
    fn the_references_that_the_text_names_can_be_read() {
        let guidance = MINUTES.open();
        assert_eq!(guidance.references, ["form.md"]);
        assert!(guidance.instructions.contains("`form.md`"));
        assert!(MINUTES.read("form.md").is_ok());
        assert_eq!(MINUTES.read("other.md").map_err(|error| error.code), Err(Code::NotFound));
    }

    #[test]
    fn it_is_short_enough_to_be_taken_up() {
        assert!(MINUTES.instructions.len() < 4000);
        assert!(MINUTES.description.chars().count() <= 300);
    }
}
