//! A task as the loop tells of it, with the time of each thing in milliseconds.

use deskhand_agent::{
    budget::{Alert, Measure},
    plan::{Plan, State, Step},
    screen::Seen,
    tool::Outcome,
};
use deskhand_models::{BadInput, Call, Happening, ModelError, Usage};
use serde_json::{Value, json};
use std::time::Duration;

pub(super) fn call(id: &str, tool: &str, input: Value) -> Call {
    Call { id: id.to_owned(), name: tool.to_owned(), input: Ok(input) }
}

pub(super) fn plan(states: &[State]) -> Plan {
    let texts =
        ["Look through the folder", "Read each bill", "Sort the bills by year", "Write 概要.md", "Say what was done"];
    let steps = texts.iter().zip(states).map(|(text, state)| Step {
        text: (*text).to_owned(),
        state: *state,
        note: if *state == State::Failed { "one is locked".to_owned() } else { String::new() },
    });
    Plan { steps: steps.collect() }
}

fn text(text: &str) -> Happening<'_> {
    Happening::Text(text)
}

/// The first half: what was seen until something is under way.
pub(super) fn begins(show: &mut dyn FnMut(u64, Seen<'_>)) {
    let mut reply = |at, happening: Happening<'_>| show(at, Seen::Reply(&happening));
    reply(10, Happening::Began { attempt: 1, request_id: None });
    reply(20, Happening::Thinking("The person wants bills sorted."));
    reply(500, text("I will look"));
    let error = ModelError::Overloaded { said: "Overloaded".to_owned(), retry_after: None };
    let wait = Duration::from_millis(2900);
    reply(600, Happening::Retrying { attempt: 1, tries: 8, error: &error, wait, used: Usage::default() });
    reply(3600, Happening::Began { attempt: 2, request_id: None });
    reply(3700, text("I will **look** through the fol"));
    reply(
        3800,
        text(
            "der first:\n\n- `Inbox` has bills, see [the rules](https://example.org/rules) and ![a](http://t.example/p.png)\n",
        ),
    );
    reply(3900, text("- 写真のフォルダには請求書が入っていますので、後で確認してから年ごとに分けて整理します\n"));
    reply(4000, text("- \u{1b}[31mred\u{202e}\n"));
    show(4100, Seen::Replied);
    let list = call("1", "list", json!({"path": "Inbox"}));
    let read = call("2", "read", json!({"path": "Inbox/a.pdf"}));
    let locked = call(
        "3",
        "read",
        json!({"path": "Inbox/Rechnungen und Belege/2021/Rechnung Nummer 4711 von der Werkstatt.pdf"}),
    );
    for call in [&list, &read, &locked] {
        show(4100, Seen::Calling(call));
    }
    show(4300, Seen::Called(&list, Outcome::Done, Duration::from_millis(12), "a.pdf"));
    show(4310, Seen::Called(&read, Outcome::Done, Duration::from_millis(210), "text"));
    show(4320, Seen::Called(&locked, Outcome::Failed, Duration::from_millis(130), "it is locked with a password"));
    let bad =
        Call { id: "4".to_owned(), name: "read".to_owned(), input: Err(BadInput::CutOff { raw: "{".to_owned() }) };
    show(4330, Seen::Called(&bad, Outcome::Failed, Duration::ZERO, "the arguments do not fit"));
    use State::{Doing, Done, Open};
    show(4400, Seen::Plan(&plan(&[Done, Doing, Open, Open, Open])));
    let slow = call("5", "extract__text", json!({"path": "Inbox/b.pdf"}));
    show(5000, Seen::Calling(&slow));
}

/// The second half.
pub(super) fn ends(show: &mut dyn FnMut(u64, Seen<'_>)) {
    let slow = call("5", "extract__text", json!({"path": "Inbox/b.pdf"}));
    show(8000, Seen::Called(&slow, Outcome::Denied, Duration::from_millis(3000), "you said no"));
    show(8100, Seen::Budget(Alert::Near(Measure::Tokens)));
    show(8200, Seen::Shorter(24));
    use State::{Done, Failed, Skipped};
    show(8300, Seen::Plan(&plan(&[Done, Failed, Done, Done, Skipped])));
    let found = ["Step 2 failed: Read each bill", "`extract__text` came to nothing: you said no\nbecause\nof it"];
    show(8400, Seen::Reflected(&found.map(str::to_owned)));
    show(
        8500,
        Seen::Reply(&text(
            "# Done\n\n1. Two bills are in *2021*.\n2. One is\n   locked.\n\n```sh\nls\t-l  'a  b'\n```\nThat is all",
        )),
    );
    show(8600, Seen::Replied);
    show(8700, Seen::Budget(Alert::Over(Measure::Money)));
}
