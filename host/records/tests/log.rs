//! Appending, reading, two writers.
#![allow(clippy::unwrap_used)]

mod common;

use common::{Home, all, at, numbered, open};
use deskhand_records::{Filter, Recorded, Verification};
use deskhand_vocabulary::{Access, Action, Entry, Event, EventId, Log as _, Principal, Sha256, TaskId};
use serde_json::json;
use std::{
    os::unix::fs::PermissionsExt as _,
    sync::{Arc, Barrier, mpsc},
};

#[test]
fn what_is_appended_is_read_back_whole_and_in_order() {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({"request": "/organize", "folders": ["/home/ada"]})).unwrap();
    let change = Action::ChangeFolder { folder: "/home/ada".into(), plan: Sha256([7; 32]), changes: 3 };
    let decided =
        Event::Decided { principal: Principal::Person, action: change, allowed: true, rule: "person.approved".into() };
    records.queue(numbered(Some(task), 1));
    let last = records.append(Entry { task: Some(task), event: decided.clone(), content: None }).unwrap();
    drop(records);

    let records = home.open();
    let expected = vec![
        Recorded {
            id: EventId(1),
            at: at(1),
            task: Some(TaskId(1)),
            event: Event::TaskStarted,
            content: Some(json!({"request": "/organize", "folders": ["/home/ada"]})),
        },
        Recorded {
            id: EventId(2),
            at: at(2),
            task: Some(TaskId(1)),
            event: numbered(Some(task), 1).event,
            content: Some(json!({"message": "secret 1"})),
        },
        Recorded {
            id: EventId(3),
            at: at(3),
            task: Some(TaskId(1)),
            event: decided,
            content: Some(json!({"folder": "/home/ada"})),
        },
    ];
    assert_eq!(all(&records), expected);
    assert_eq!(last, EventId(3));
    assert_eq!(records.verify().unwrap(), Verification::Whole { events: 3 });

    let some = |filter| records.events(filter).map(|event| event.unwrap().id.0).collect::<Vec<_>>();
    assert_eq!(some(Filter { after: Some(EventId(1)), limit: Some(1), ..Filter::default() }), [2]);
    assert_eq!(some(Filter { backwards: true, limit: Some(2), ..Filter::default() }), [3, 2]);
    assert_eq!(some(Filter { kinds: vec!["decided".into(), "undone".into()], ..Filter::default() }), [3]);
    assert_eq!(some(Filter { task: Some(TaskId(2)), ..Filter::default() }), [0; 0]);
}

#[test]
fn pages_join_without_a_gap() {
    let home = Home::new();
    let records = home.open();
    for number in 0..700 {
        records.queue(numbered(None, number));
    }
    records.flush().unwrap();
    let ids = |filter| records.events(filter).map(|event| event.unwrap().id.0).collect::<Vec<_>>();
    assert_eq!(ids(Filter::default()), (1..=700).collect::<Vec<_>>());
    assert_eq!(ids(Filter { backwards: true, ..Filter::default() }), (1..=700).rev().collect::<Vec<_>>());
    assert_eq!(ids(Filter { limit: Some(512), ..Filter::default() }), (1..=512).collect::<Vec<_>>());
}

#[test]
fn tasks_are_numbered_listed_and_ended() {
    let home = Home::new();
    let records = home.open();
    let first = records.start_task(json!({"request": "one"})).unwrap();
    let second = records.start_task(json!({"request": "two"})).unwrap();
    records
        .append(Entry { task: Some(first), event: Event::TaskEnded { outcome: "done".into() }, content: None })
        .unwrap();
    let tasks = records.tasks(10).unwrap();
    let seen: Vec<_> = tasks.iter().map(|task| (task.id, task.outcome.as_deref(), task.content.clone())).collect();
    assert_eq!(
        seen,
        [(second, None, Some(json!({"request": "two"}))), (first, Some("done"), Some(json!({"request": "one"})))]
    );
    assert_eq!(records.task(first).unwrap().as_ref(), Some(&tasks[1]));
    assert_eq!(records.task(TaskId(3)).unwrap(), None);
    assert_eq!(records.tasks(1).unwrap(), tasks[..1]);
}

#[test]
fn the_file_is_for_its_owner_alone() {
    let home = Home::new();
    let records = home.open();
    records.append(numbered(None, 1)).unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let folder = home.file().parent().unwrap().to_owned();
    assert_eq!(mode(&folder), 0o700);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_listener_hears_what_is_durable_in_order() {
    let home = Home::new();
    let records = home.open();
    let (heard, hearing) = mpsc::channel();
    let path = home.file();
    let _subscription = records.subscribe(move |event| {
        let there = open(&path).events(Filter::default()).any(|known| known.as_ref() == Ok(event));
        heard.send((event.id.0, there)).unwrap();
    });
    for number in 0..5 {
        records.queue(numbered(None, number));
    }
    let task = records.start_task(json!({"request": "x"})).unwrap();
    records.append(numbered(Some(task), 9)).unwrap();
    drop(records);
    assert_eq!(hearing.iter().collect::<Vec<_>>(), (1..=7).map(|id| (id, true)).collect::<Vec<_>>());
}

#[test]
fn who_hears_no_more_is_told_no_more() {
    let home = Home::new();
    let records = home.open();
    let (heard, hearing) = mpsc::channel();
    let subscribe = |name: &'static str| {
        let heard = heard.clone();
        records.subscribe(move |event| heard.send((name, event.id.0)).unwrap())
    };
    let (first, second) = (subscribe("first"), subscribe("second"));
    records.append(numbered(None, 1)).unwrap();
    drop(first);
    records.append(numbered(None, 2)).unwrap();
    drop(second);
    records.append(numbered(None, 3)).unwrap();
    drop(heard);
    assert_eq!(hearing.iter().collect::<Vec<_>>(), [("first", 1), ("second", 1), ("second", 2)]);
}

#[test]
fn many_threads_on_two_openings_lose_nothing_and_keep_one_chain() {
    let home = Home::new();
    let openings = [Arc::new(home.open()), Arc::new(home.open())];
    let start = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8_usize)
        .map(|thread| {
            let (records, start) = (Arc::clone(&openings[thread % 2]), Arc::clone(&start));
            std::thread::spawn(move || {
                start.wait();
                let task = records.start_task(json!({"request": thread})).unwrap();
                let number = |nth: usize| u64::try_from(thread * 100 + nth).unwrap();
                let ids: Vec<_> =
                    (0..20).map(|nth| records.append(numbered(Some(task), number(nth))).unwrap()).collect();
                (task, thread, ids)
            })
        })
        .collect();
    let written: Vec<_> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(openings[0].verify().unwrap(), Verification::Whole { events: 8 * 21 });
    for (task, thread, ids) in written {
        let of_task = Filter { task: Some(task), after: Some(EventId(ids[0].0 - 1)), ..Filter::default() };
        let read: Vec<_> = openings[1].events(of_task).map(Result::unwrap).collect();
        assert_eq!(read.iter().map(|event| event.id).collect::<Vec<_>>(), ids);
        let content = json!({ "message": format!("secret {}", thread * 100 + 19) });
        assert_eq!(read.last().unwrap().content.as_ref(), Some(&content));
    }
}

#[test]
fn a_large_content_is_read_back_whole_and_forgotten_whole() {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({"request": "/organize"})).unwrap();
    // sealed it is 24 + 11 + text + 16 bytes: just below a mebibyte, at it, and well beyond
    let texts = [1_048_524, 1_048_525, 5_000_000].map(|long| "0123456789".repeat(long / 10 + 1)[..long].to_owned());
    for text in &texts {
        let content = Some(json!({ "text": text }));
        records.append(Entry { content, ..numbered(Some(task), 1) }).unwrap();
    }
    drop(records);

    let records = home.open();
    let read: Vec<_> = all(&records)[1..].iter().map(|event| event.content.clone().unwrap()).collect();
    assert!(read == texts.each_ref().map(|text| json!({ "text": text })), "what was read is not what was written");
    assert_eq!(records.verify().unwrap(), Verification::Whole { events: 4 });
    records.forget_task(task).unwrap();
    assert_eq!(records.verify().unwrap(), Verification::Whole { events: 4 });
    assert!(all(&records).iter().all(|event| event.content.is_none()));
}

#[test]
fn numbers_rise_over_all_openings() {
    let home = Home::new();
    let (one, two) = (home.open(), home.open());
    assert_eq!([&one, &two, &one].map(|records| records.next_number("commit").unwrap()), [1, 2, 3]);
    assert_eq!(one.next_number("other").unwrap(), 1);
    drop((one, two));
    assert_eq!(home.open().next_number("commit").unwrap(), 4);
}

#[test]
fn the_access_of_a_grant_is_in_its_event() {
    let home = Home::new();
    let records = home.open();
    let task = records.start_task(json!({})).unwrap();
    let scope = deskhand_records::Scope::Folder { folder: "/a".into(), access: Access::Write };
    records.grant(Some(task), scope, deskhand_records::Duration::Always).unwrap();
    let granted = all(&records).pop().unwrap();
    assert_eq!(granted.event, Event::Granted { grant: 1, access: Access::Write, duration: "always".into() });
    assert_eq!(granted.content, Some(json!({"folder": "/a"})));
}

#[test]
fn the_documentation_lists_every_kind_of_event() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    let page = std::fs::read_to_string(format!("{root}/docs/log.md")).unwrap();
    let source = std::fs::read_to_string(format!("{root}/host/vocabulary/src/event.rs")).unwrap();
    let body = source.split("pub enum Event {").nth(1).unwrap().split("\n}").next().unwrap();
    let variants = body.lines().filter(|line| line.starts_with("    ") && line[4..].starts_with(char::is_uppercase));
    let names: Vec<_> = variants.map(|line| kebab(line.trim().trim_end_matches([' ', '{', ',']))).collect();
    let listed: Vec<_> = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next()).collect();
    assert_eq!(listed, names);
    assert!(names.contains(&"commit-ended".to_owned()), "{names:?}");
}

fn kebab(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !out.is_empty() {
            out.push('-');
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}
