//! How long a warm decision takes: a plugin that reads a granted folder, and one that calls a tool, while the log is written.
//! `cargo run --release -p deskhand-permissions --example warm`
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use deskhand_permissions::{
    Context, Duration, Gate, Scope, Standing,
    effect::{CallTool, Effect, ReadFolder},
};
use deskhand_records::Records;
use deskhand_vocabulary::{
    Access, Answer, Entry, Event, Home, Log as _, Notice, Person, Plan, Progress, Question, SystemClock, Unanswered,
    manifest::{Permission, PermissionKind},
};
use std::{sync::Arc, time::Instant};

struct Nobody;

impl Person for Nobody {
    fn present(&self) -> bool {
        false
    }
    fn show(&self, _: &Plan) {}
    fn ask_until(&self, _: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        Err(Unanswered::Absent)
    }
    fn tell(&self, _: &Notice) {}
    fn progress(&self, _: &Progress) {}
}

fn measure(name: &str, mut call: impl FnMut()) {
    let mut times: Vec<_> = (0..20_000)
        .map(|_| {
            let start = Instant::now();
            call();
            start.elapsed()
        })
        .collect();
    times.sort_unstable();
    println!("{name:32} p50 {:?}  p99 {:?}", times[times.len() / 2], times[times.len() * 99 / 100]);
}

fn main() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::within(&folder.path().join("home"));
    let start = Instant::now();
    let records = Arc::new(Records::open(&home.log_file(), Arc::new(SystemClock)).unwrap());
    println!("make                             {:?}", start.elapsed());
    let start = Instant::now();
    drop(Records::open(&home.log_file(), Arc::new(SystemClock)).unwrap());
    println!("open                             {:?}", start.elapsed());
    let gate = Gate::new(Arc::clone(&records), Arc::new(Nobody), &home);
    let task = records.start_task(serde_json::json!({})).unwrap();
    let right = |kind, scope: &[&str]| Permission {
        kind,
        scope: scope.iter().map(|name| (*name).to_owned()).collect(),
        reason: String::new(),
    };
    let rights = [right(PermissionKind::FilesRead, &[]), right(PermissionKind::ToolsCall, &["other/tidy"])];
    let plugin = "default:organize".parse().unwrap();
    let context = Context::plugin(task, plugin, rights.into(), Standing::default());
    for nth in 0..50 {
        let scope = Scope::Folder { folder: format!("/srv/{nth}"), access: Access::Write };
        gate.grant(Some(task), scope, Duration::Always).unwrap();
    }
    let read = || ReadFolder { folder: "/srv/49/inbox".into() };
    let call = || CallTool { plugin: "default:other".parse().unwrap(), tool: "tidy".into() };
    fn permit<E: Effect>(gate: &Gate, context: &Context, effect: E) {
        gate.permit(context, effect).unwrap().redeem();
    }
    measure("read, 50 grants", || permit(&gate, &context, read()));
    measure("call a tool", || permit(&gate, &context, call()));
    let entry = || Entry {
        task: Some(task),
        event: Event::CallEnded { plugin: "default:organize".parse().unwrap(), outcome: "ok".into(), micros: 1 },
        content: None,
    };
    measure("call a tool, two events queued", || {
        records.queue(entry());
        permit(&gate, &context, call());
        records.queue(entry());
    });
    let start = Instant::now();
    for _ in 0..200 {
        records.append(entry()).unwrap();
    }
    println!("append, durable                  {:?} each", start.elapsed() / 200);
}
