//! The loop, with a scripted model server that checks the protocol, and tools that count.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_agent::{
    Agent, Conversation, Effects, Ended, Settled, Task,
    budget::{Limits, Measure},
    offered,
    reflect::SettledState,
    screen::{Screen, Seen},
    steering::{Steer, Steering},
    tool::{Call, Effect, Outcome, Output, Tool, Tools},
};
use deskhand_egress::{
    Ask, Egress, Judge, Judged, Judgement, Parts, Proxies, Reach, Recorder, Secret, SystemLookup, SystemTimer, Traffic,
};
use deskhand_model_server::{ModelServer, Reply, Step, Stop as End, Stream, Wire as Spoken, error};
use deskhand_models::{Chance, Client, Keys, ModelConfig, NoKey, Wire};
use deskhand_vocabulary::{Entry, Event, EventId, Log, LogError, Stop, SystemClock, TaskId};
use serde_json::{Value, json};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Allows the server of the test.
struct Loopback;

impl Judge for Loopback {
    fn judge<'a>(&'a self, _: &'a Ask) -> Judged<'a> {
        Box::pin(async { Judgement::Allowed(Reach::Local) })
    }
}

/// Counts what goes out.
#[derive(Default)]
struct Out(AtomicU64);

impl Recorder for Out {
    fn record(&self, traffic: &Traffic) {
        self.0.fetch_add(traffic.sent, Ordering::SeqCst);
    }
}

struct NoKeys;

impl Keys for NoKeys {
    fn key(&self, name: &str) -> Result<Secret, NoKey> {
        Err(NoKey { name: name.to_owned(), reason: "there are none".to_owned() })
    }
}

fn said(text: &str) -> Reply {
    Reply::new().text(text)
}

fn calls(calls: &[(&str, Value)]) -> Reply {
    let named = calls.iter().enumerate();
    named.fold(Reply::new(), |reply, (at, (tool, arguments))| {
        let arguments = arguments.as_str().map_or_else(|| arguments.to_string(), str::to_owned);
        reply.call(&format!("call_{at}_{}", unique()), tool, &arguments)
    })
}

/// Ids of calls are unique in a conversation.
fn unique() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::SeqCst)
}

/// `look` and `touch`; both say what their `say` is, and fail if there is none.
#[derive(Default)]
struct Counted(Mutex<Vec<String>>);

impl Tools for Counted {
    fn tools(&self) -> Vec<Tool> {
        let tool = |name: &str, effect| Tool::new(name, "For tests.", json!({"type": "object"}), effect);
        vec![tool("look", Effect::Read), tool("touch", Effect::Change)]
    }

    fn call(&self, call: &Call, _: &Stop) -> Output {
        self.0.lock().unwrap().push(format!("{} {}", call.tool, call.arguments));
        match call.arguments["say"].as_str() {
            Some(text) => Output::done(text),
            None => Output::not_done(Outcome::Failed, "it says nothing"),
        }
    }
}

#[derive(Default)]
struct Kept(Mutex<Vec<Entry>>);

impl Log for Kept {
    fn append(&self, entry: Entry) -> Result<EventId, LogError> {
        self.queue(entry);
        Ok(EventId(1))
    }

    fn queue(&self, entry: Entry) {
        self.0.lock().unwrap().push(entry);
    }

    fn flush(&self) -> Result<(), LogError> {
        Ok(())
    }
}

#[derive(Default)]
struct World {
    settled: Mutex<VecDeque<Settled>>,
    out: Arc<Out>,
}

impl Effects for World {
    fn settle(&self) -> Settled {
        self.settled.lock().unwrap().pop_front().unwrap_or_default()
    }

    fn withdraw(&self) {}

    fn bytes_out(&self) -> u64 {
        self.out.0.load(Ordering::SeqCst)
    }

    fn waited(&self) -> Duration {
        Duration::ZERO
    }
}

#[derive(Default)]
struct Watched(Mutex<Vec<String>>);

impl Screen for Watched {
    fn show(&self, seen: Seen<'_>) {
        let line = match seen {
            Seen::Calling(..) | Seen::Replied | Seen::Reply(_) => return,
            Seen::Called(call, outcome, _, text) => format!("{}: {} ({text})", call.name, outcome.name()),
            Seen::Plan(plan) => plan.text(),
            other => format!("{other:?}"),
        };
        self.0.lock().unwrap().push(line);
    }
}

struct Desk {
    server: ModelServer,
    agent: Agent,
    tools: Arc<Counted>,
    log: Arc<Kept>,
    world: Arc<World>,
    screen: Arc<Watched>,
    task: Task,
}

impl Desk {
    fn new<S: Into<Step>>(script: impl IntoIterator<Item = S>) -> Self {
        Self::with(script, |_| (), Limits::default())
    }

    fn with<S: Into<Step>>(
        script: impl IntoIterator<Item = S>,
        set: impl FnOnce(&mut ModelConfig),
        limits: Limits,
    ) -> Self {
        let server = ModelServer::start();
        script.into_iter().for_each(|step| server.then(step));
        let mut config = ModelConfig::new(Wire::Anthropic, &server.url(), "scripted");
        set(&mut config);
        if config.wire == Wire::Chat {
            config.url = format!("{}/v1", server.url());
        }
        let egress = Egress::new(Parts {
            proxies: Proxies::none(),
            lookup: Arc::new(SystemLookup),
            timer: Arc::new(SystemTimer::default()),
            user_agent: "deskhand/test".to_owned(),
        });
        let (tools, log, world) = (Arc::<Counted>::default(), Arc::<Kept>::default(), Arc::<World>::default());
        let screen = Arc::<Watched>::default();
        let outlet = egress.outlet(Arc::new(Loopback), Arc::clone(&world.out) as _);
        let model = Client::new(config, outlet, Arc::new(NoKeys), Arc::new(SystemClock), Arc::new(Chance)).unwrap();
        let agent = Agent {
            model: Arc::new(model),
            tools: Arc::clone(&tools) as _,
            effects: Arc::clone(&world) as _,
            log: Arc::clone(&log) as _,
            screen: Arc::clone(&screen) as _,
            steering: Arc::new(Steering::default()),
            approval: None,
            stop: Stop::default(),
        };
        let conversation = Conversation::new("be", &offered(tools.as_ref())).unwrap();
        let mut task = Task { id: TaskId(1), limits, conversation, lost: Vec::new() };
        agent.tell(&mut task, "do it").unwrap();
        Self { server, agent, tools, log, world, screen, task }
    }

    async fn run(&mut self) -> Ended {
        let ended = self.agent.run(&mut self.task).await.unwrap();
        self.server.finish();
        // what the log holds is the same conversation
        let again = self.read_again(usize::MAX);
        assert!(again.turns().turns().eq(self.task.conversation.turns().turns()));
        let rest = |all: &Conversation| (all.plan().clone(), *all.spent(), all.ledger().clone(), all.open());
        assert_eq!(rest(&again), rest(&self.task.conversation));
        ended
    }

    /// The conversation as the first entries of the log have it.
    fn read_again(&self, entries: usize) -> Conversation {
        let mut conversation = Conversation::new("be", &offered(self.tools.as_ref())).unwrap();
        for entry in self.log.0.lock().unwrap().iter().take(entries) {
            conversation.apply(&entry.event, entry.content.as_ref()).unwrap();
        }
        conversation
    }

    fn seen(&self) -> Vec<String> {
        self.screen.0.lock().unwrap().clone()
    }

    fn called(&self) -> Vec<String> {
        self.tools.0.lock().unwrap().clone()
    }

    /// What the model was last sent, a line a block: `user: text`, `assistant: text`, `call: tool`, `result: text`.
    fn last_heard(&self) -> Vec<String> {
        let exchanges = self.server.exchanges();
        let Some(last) = exchanges.last() else { return Vec::new() };
        let body = last.json();
        let mut lines = Vec::new();
        for message in body["messages"].as_array().unwrap() {
            let role = message["role"].as_str().unwrap();
            let text = |block: &Value| {
                let nested = block["content"].as_array().into_iter().flatten();
                let nested = nested.filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("|");
                block["content"].as_str().map_or(nested, str::to_owned)
            };
            match message["content"].as_array() {
                None => lines.push(format!("{role}: {}", message["content"].as_str().unwrap())),
                Some(blocks) => lines.extend(blocks.iter().map(|block| match block["type"].as_str().unwrap() {
                    "text" => format!("{role}: {}", block["text"].as_str().unwrap()),
                    "tool_use" => format!("call: {}", block["name"].as_str().unwrap()),
                    "tool_result" => format!("result: {}", text(block)),
                    other => other.to_owned(),
                })),
            }
        }
        lines
    }
}

fn done(text: &str) -> Ended {
    Ended::Done { text: text.to_owned(), amiss: Vec::new() }
}

#[tokio::test]
async fn calls_are_made_and_answered_in_their_order() {
    for wire in [Wire::Anthropic, Wire::Chat] {
        let (look, touch) = (("look", json!({"say": "a"})), ("touch", json!({"say": "b"})));
        let script = [calls(&[look, touch, ("look", json!({"say": "c"}))]), said("done")];
        let mut desk = Desk::with(script, |config| config.wire = wire, Limits::default());
        assert_eq!(desk.run().await, done("done"));
        assert_eq!(desk.called(), [r#"look {"say":"a"}"#, r#"touch {"say":"b"}"#, r#"look {"say":"c"}"#]);
        if wire == Wire::Anthropic {
            let results = ["result: a", "result: b", "result: c"];
            let heard = [&["user: do it", "call: look", "call: touch", "call: look"][..], &results].concat();
            assert_eq!(desk.last_heard(), heard);
        }
        let spent = desk.task.conversation.spent();
        assert_eq!([Measure::Tokens, Measure::Steps].map(|measure| spent.get(measure)), [240, 2]);
        assert_eq!(desk.server.connections(), 1);
    }
}

#[tokio::test]
async fn a_model_that_errs_is_told_and_then_the_person_is() {
    let mut desk = Desk::new([said(" "), said("here")]);
    assert_eq!(desk.run().await, done("here"));
    assert!(desk.last_heard()[1].contains("Your reply was empty"));
    let mut desk = Desk::new([said(" "), said(" "), said(" ")]);
    assert_eq!(desk.run().await, Ended::Stuck("The model replies with nothing, again and again.".to_owned()));

    let wrong = [("look", json!("{\"say")), ("loop", json!({})), ("lo", json!({}))];
    let mut desk = Desk::new([calls(&wrong), calls(&[("look", json!({"say": "x"}))]), said("done")]);
    assert_eq!(desk.run().await, done("done"));
    let heard = desk.last_heard();
    let results: Vec<&String> = heard.iter().filter(|line| line.starts_with("result")).collect();
    let begins = [
        "result: The arguments do not fit the tool. Call it again with arguments that do. Now the arguments are not JSON",
        "result: There is no such tool. Use those that you were told of. `loop` is none.",
        "result: There is no such tool. Use those that you were told of. `lo` is none; `look` is one.",
        "result: x",
    ];
    for (result, begin) in results.iter().zip(begins) {
        assert!(result.starts_with(begin), "{result}");
    }
    assert_eq!((results.len(), desk.called()), (4, vec![r#"look {"say":"x"}"#.to_owned()]));
}

#[tokio::test]
async fn the_same_failure_again_and_again_ends_with_the_person() {
    let fails = || calls(&[("look", json!({}))]);
    let mut desk = Desk::new([fails(), fails(), fails(), fails(), fails()]);
    let why = "The model makes the same call of `look` over and over, and it fails: it says nothing";
    assert_eq!(desk.run().await, Ended::Stuck(why.to_owned()));
    assert!(desk.last_heard().last().unwrap().contains("has failed in the same way before"));
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_not_made() {
    let half = Reply::new().call("call_half", "touch", "{\"say\": \"ha").stop(End::MaxTokens);
    let mut desk = Desk::new([half, calls(&[("touch", json!({"say": "whole"}))]), said("done")]);
    assert_eq!(desk.run().await, done("done"));
    assert_eq!(desk.called(), [r#"touch {"say":"whole"}"#]);
}

#[tokio::test]
async fn a_model_that_refuses_ends_the_task() {
    let mut desk = Desk::new([said("I will not.").stop(End::Refusal)]);
    assert!(matches!(desk.run().await, Ended::Refused(_)));
}

#[tokio::test]
async fn what_is_amiss_is_handed_back_and_then_told() {
    let plan = |state: &str| ("plan", json!({"steps": [{"text": "sort", "state": state}]}));
    let mut desk = Desk::new([calls(&[plan("open")]), said("all done"), calls(&[plan("done")]), said("now it is")]);
    assert_eq!(desk.run().await, done("now it is"));
    assert_eq!(desk.seen()[0], "[ ] sort\n");
    let told = desk.last_heard().into_iter().find(|turn| turn.contains("what was done")).unwrap();
    assert!(told.contains("Step 1 is not done: sort"), "{told}");

    let mut desk = Desk::new([said("moved all"), said("moved all, really")]);
    let refused = || Settled {
        state: SettledState::Applied,
        applied: 1,
        refused: vec![("Files/a".to_owned(), "it has changed".to_owned())],
    };
    desk.world.settled.lock().unwrap().extend([refused(), refused()]);
    let amiss = vec!["Not changed: Files/a (it has changed)".to_owned()];
    assert_eq!(desk.run().await, Ended::Done { text: "moved all, really".to_owned(), amiss });
}

#[tokio::test]
async fn a_person_is_heard_at_once_where_it_stops_something() {
    let (slow, mut gate) = Stream::of(Spoken::Anthropic, &said("I will move everything.")).gated(3);
    let mut desk = Desk::new([Step::from(slow), Step::from(said("done"))]);
    let steering = Arc::clone(&desk.agent.steering);
    let person = tokio::spawn(async move {
        gate.reached().await;
        steering.steer(Steer::Stop("only the PDFs".to_owned()));
        gate
    });
    let ended = desk.agent.run(&mut desk.task).await.unwrap();
    drop(person.await.unwrap());
    assert_eq!(ended, done("done"));
    let last = desk.last_heard();
    assert_eq!((last.len(), last[2].as_str()), (3, "user: only the PDFs"), "{last:?}");
    assert!(last[1].contains("stopped your last reply"), "{last:?}");
}

#[tokio::test]
async fn a_person_ends_it_in_the_middle_of_a_reply() {
    let (slow, mut gate) = Stream::of(Spoken::Anthropic, &said("I will move everything.")).gated(3);
    let mut desk = Desk::new([slow]);
    let steering = Arc::clone(&desk.agent.steering);
    let person = tokio::spawn(async move {
        gate.reached().await;
        steering.steer(Steer::Cancel);
        gate
    });
    assert_eq!(desk.agent.run(&mut desk.task).await.unwrap(), Ended::Cancelled);
    drop(person.await.unwrap());
}

#[tokio::test]
async fn a_budget_is_a_hard_stop() {
    let look = || calls(&[("look", json!({"say": "a"}))]);
    let limits = Limits::default().with(Measure::Steps, 5);
    let mut desk = Desk::with([look(), look(), look(), look(), look()], |_| (), limits);
    assert_eq!(desk.run().await, Ended::UsedUp(Measure::Steps, 5));
    let budget: Vec<String> = desk.seen().into_iter().filter(|line| line.starts_with("Budget")).collect();
    assert_eq!(budget, ["Budget(Near(Steps))", "Budget(Over(Steps))"]);
    assert_eq!(desk.called().len(), 5);

    let mut desk = Desk::with([look()], |_| (), Limits::default().with(Measure::BytesOut, 500));
    assert_eq!(desk.run().await, Ended::UsedUp(Measure::BytesOut, desk.agent.effects.bytes_out()));
}

#[tokio::test]
async fn the_time_is_a_hard_stop_in_the_middle_of_a_reply() {
    let (endless, mut gate) = Stream::of(Spoken::Anthropic, &said("Let me think about that.")).gated(3);
    let mut desk = Desk::with([endless], |_| (), Limits::default().with(Measure::Time, 50));
    let held = tokio::spawn(async move {
        gate.reached().await;
        gate
    });
    let ended = desk.run().await;
    assert!(matches!(ended, Ended::UsedUp(Measure::Time, spent) if spent >= 50), "{ended:?}");
    drop(held.await.unwrap());
}

#[tokio::test]
async fn a_long_result_is_read_on() {
    let long = format!("{}end", "ä".repeat(40_000));
    let more = calls(&[("more", json!({"result": 1, "offset": 65_536}))]);
    let mut desk = Desk::new([calls(&[("look", json!({"say": long}))]), more, said("done")]);
    assert_eq!(desk.run().await, done("done"));
    let heard = desk.last_heard();
    assert!(heard[2].ends_with("\n[14467 bytes more: `more` with result 1, offset 65536]"), "{}", &heard[2][65_536..]);
    assert_eq!(heard[4], format!("result: {}end", "ä".repeat(7232)));
}

#[tokio::test]
async fn a_conversation_that_is_too_long_becomes_a_summary_once() {
    let look = || Step::from(calls(&[("look", json!({"say": "a"}))]));
    let too_long = || Step::from(error(400, "invalid_request_error", "prompt is too long: 9 tokens > 8 maximum"));
    let mut desk = Desk::new([look(), too_long(), Step::from(said("done")).fresh()]);
    assert_eq!(desk.run().await, done("done"));
    let heard = desk.last_heard();
    assert_eq!((heard.len(), heard[0].as_str()), (2, "user: do it"));
    assert!(heard[1].starts_with("user: [deskhand: what went before]"), "{heard:?}");
    assert!(heard[1].contains(r#"called look {"say":"a"}: done (a)"#), "{heard:?}");

    // without progress in between it is not done again
    let mut desk = Desk::new([too_long(), too_long().fresh()]);
    let Ended::Failed(failure) = desk.run().await else { panic!("it went on") };
    assert!(failure.to_string().contains("too long"), "{failure}");
}

#[tokio::test]
async fn where_little_room_is_left_the_model_sums_up() {
    let look = Step::from(calls(&[("look", json!({"say": "a"}))]));
    let script = [look, said("I looked.").into(), Step::from(said("done")).fresh()];
    let mut desk = Desk::with(script, |config| config.context = Some(110), Limits::default());
    assert_eq!(desk.run().await, done("done"));
    let heard = desk.last_heard();
    assert_eq!(heard.len(), 2);
    assert!(heard[1].contains("Your own summary of what went before:\nI looked."), "{heard:?}");
}

#[tokio::test]
async fn after_a_crash_nothing_is_lost_and_nothing_is_done_twice() {
    let script = [
        calls(&[("look", json!({"say": "a"})), ("touch", json!({"say": "b"}))]),
        calls(&[("touch", json!({"say": "c"}))]),
        said("done"),
    ];
    let mut whole = Desk::new(script.clone());
    whole.run().await;
    let entries: Vec<Entry> = whole.log.0.lock().unwrap().clone();
    for end in 1..=entries.len() {
        // what is known after the crash is the first so many entries; what the tools did is what they had begun
        let kept = &entries[..end];
        let replies = kept.iter().filter(|entry| matches!(entry.event, Event::ModelReplied { .. })).count();
        let touches = |entry: &&Entry| matches!(&entry.event, Event::ToolCalled { tool } if tool == "touch");
        let begun = kept.iter().filter(touches).count();
        let mut after = Desk::new(script.iter().skip(replies).cloned().chain([said("done"), said("done")]));
        *after.log.0.lock().unwrap() = kept.to_vec();
        after.task.conversation = whole.read_again(end);
        let ended = after.agent.run(&mut after.task).await.unwrap();
        assert!(matches!(ended, Ended::Done { .. }), "{end}: {ended:?}");
        assert_eq!(after.server.violations(), Vec::<String>::new(), "{end}");
        let heard = after.last_heard();
        let count = |text: &str| heard.iter().filter(|line| line.contains(text)).count();
        let touched = after.called().iter().filter(|call| call.starts_with("touch")).count();
        assert!(touched + begun <= 2, "{end}: {touched} + {begun}");
        // `look` changes nothing, so it is said to be undone whether it had begun or not
        let looked =
            kept.iter().any(|entry| matches!(&entry.event, Event::ToolAnswered { tool, .. } if tool == "look"));
        let undone = count("ended before this ran: it was not done") - usize::from(replies > 0 && !looked);
        assert_eq!(touched + begun + undone, 2, "{end}: {heard:?}");
    }
}
