//! How long a large change set takes, beside a plain program that makes the same folders and renames and syncs once.
//!
//!     speed [FILES [FOLDER]]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, unreachable_pub)]

#[path = "../tests/support/mod.rs"]
mod support;

use deskhand_workspace::WalkOptions;
use std::{fs, path::Path, time::Instant};
use support::{Desk, path};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let files: usize = arguments.next().map_or(10_000, |text| text.parse().unwrap());
    let place = arguments.next().unwrap_or_else(|| std::env::temp_dir().display().to_string());
    let desk = Desk::at(tempfile::tempdir_in(&place).unwrap());
    let plain = desk.place().join("Plain");
    for folder in [&desk.folder, &plain] {
        fs::create_dir_all(folder).unwrap();
        for index in 0..files {
            fs::write(folder.join(format!("file {index:06}.txt")), index.to_string()).unwrap();
        }
    }
    rustix::fs::sync();

    let start = Instant::now();
    let mut names: Vec<_> = fs::read_dir(&plain).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    let sizes: u64 = names.iter().map(|name| plain.join(name).symlink_metadata().unwrap().len()).sum();
    let plain_read = start.elapsed();
    let start = Instant::now();
    for group in 0..100 {
        fs::create_dir(plain.join(format!("group {group:02}"))).unwrap();
    }
    for index in 0..files {
        let name = format!("file {index:06}.txt");
        fs::rename(plain.join(&name), plain.join(format!("group {:02}/{name}", index % 100))).unwrap();
    }
    rustix::fs::syncfs(fs::File::open(&plain).unwrap()).unwrap();
    let plain_apply = start.elapsed();

    let task = desk.open();
    let start = Instant::now();
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let page = task.walk(&path(""), &WalkOptions::default(), cursor.as_deref(), 1000).unwrap();
        found.extend(page.entries);
        match page.next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    let read = start.elapsed();
    let start = Instant::now();
    for group in 0..100 {
        task.make_folder(&path(&format!("group {group:02}"))).unwrap();
    }
    for (index, entry) in found.iter().enumerate() {
        let to = path(&format!("group {:02}/{}", index % 100, entry.path.path));
        task.move_(&entry.path, &entry.version, &to, None).unwrap();
    }
    let pending = start.elapsed();
    let start = Instant::now();
    let plan = task.plan("Group", support::principal(), serde_json::json!({"arrange": "tree"})).unwrap();
    let planned = start.elapsed();
    let start = Instant::now();
    let done = desk.propose(&task).done.unwrap();
    let proposed = start.elapsed();
    assert_eq!((done.applied as usize, plan.changes.len()), (files + 100, files + 100));
    drop((task, plan, found));
    let start = Instant::now();
    let (task, preview) = desk.preview(1, &Default::default()).unwrap();
    let previewed = start.elapsed();
    let start = Instant::now();
    let person = desk.person.as_ref();
    let undone = desk.history().undo(&task, &desk.gate, &desk.context, person, &preview, &Default::default()).unwrap();
    let undo = start.elapsed();
    assert_eq!(undone.done.unwrap().undone as usize, files + 100);
    let peak = fs::read_to_string("/proc/self/status").unwrap();
    let peak = peak.lines().find(|line| line.starts_with("VmHWM")).unwrap().to_owned();
    println!("{files} files in {} ({sizes} bytes)", Path::new(&place).display());
    println!("read: {read:?} (plain {plain_read:?})");
    println!("pending: {pending:?}, plan: {planned:?}");
    println!(
        "plan, decide and apply: {proposed:?} (plain {plain_apply:?}, x{:.2})",
        proposed.as_secs_f64() / plain_apply.as_secs_f64()
    );
    println!("preview: {previewed:?}, decide and undo: {undo:?}");
    println!("{peak}");
}
