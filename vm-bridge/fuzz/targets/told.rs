//! What a guest tells of its layers: whatever it is, the person's folder stays as it is until it is agreed to, and nothing beside
//! it ever changes.
#![no_main]

use deskhand_confine::{Extent, Layers, Thing};
use deskhand_permissions::{Context, Gate, Standing, effect::OpenFolder};
use deskhand_records::Records;
use deskhand_vm_fuzz::Script;
use deskhand_vocabulary::{
    Access, Answer, Clock, Home, Log, Notice, Person, Plan, Progress, Question, Stop, Unanswered,
};
use deskhand_workspace::Workspace;
use jiff::{Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;
use std::{fs, os::unix::fs::symlink, path::Path, sync::Arc};

/// What paths are made of, beside what the fuzzer makes up.
const NAMES: [&[u8]; 12] =
    [b"a", b"b", b"in", b"A", b"out", b"..", b".", b"", "\u{e9}".as_bytes(), "e\u{301}".as_bytes(), b"\0", b"deep"];

fuzz_target!(|data: &[u8]| {
    let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let top = place.path().canonicalize().unwrap();
    let home = Home::within(&top.join("home"));
    home.folders().iter().for_each(|folder| fs::create_dir_all(folder).unwrap());
    let (folder, outside) = (top.join("photos"), top.join("outside"));
    fs::create_dir_all(folder.join("in/deep")).unwrap();
    fs::create_dir(&outside).unwrap();
    [folder.join("a"), folder.join("in/b"), folder.join("in/deep/a"), outside.join("a")]
        .iter()
        .for_each(|file| fs::write(file, "kept").unwrap());
    symlink(&outside, folder.join("out")).unwrap();

    let records = Arc::new(Records::open(&home.log_file(), Arc::new(Standstill)).unwrap());
    let person: Arc<dyn Person> = Arc::new(Agreeing);
    let gate = Gate::new(Arc::clone(&records), Arc::clone(&person), &home);
    let task = records.start_task(serde_json::json!({})).unwrap();
    let context = Context::person(Some(task), Standing::default());
    let workspace =
        Workspace::for_task(&home, Arc::new(Standstill), Arc::clone(&records) as Arc<dyn Log>, task).unwrap();
    let effect = OpenFolder::at(&folder, Access::Write, &home).unwrap();
    workspace.add_folder(gate.permit(&context, effect).unwrap()).unwrap();
    let mut layers = Layers::in_machine(&workspace, Extent::Remove, &top.join("home/layers")).unwrap();

    let (before, beside) = (disk(&folder), disk(&outside));
    let mut script = Script(data);
    let mut times = 0;
    while !script.is_over() && times < 4 {
        times += 1;
        if tell(&mut layers, &mut script).is_err() {
            break;
        }
        layers.take(&workspace, "told").unwrap();
        assert_eq!(disk(&folder), before);
    }
    let view = serde_json::json!({"arrange": "tree"});
    let agreed = deskhand_workspace::propose(&workspace, &gate, &context, &*person, "Told", view, &Stop::default());
    assert!(agreed.is_ok() || workspace.pending(None, 1).is_empty(), "{agreed:?}");
    assert_eq!(disk(&outside), beside);
    assert!(fs::read_link(folder.join("out")).ok().is_none_or(|to| to == outside));
    assert_eq!(links(&folder).iter().filter(|link| **link != folder.join("out")).count(), 0);
});

/// One time that something is told.
fn tell(layers: &mut Layers, script: &mut Script<'_>) -> Result<(), String> {
    let mut telling = layers.told();
    while !script.is_over() {
        let kind = script.byte();
        let layer = usize::from(kind == 255);
        match kind % 9 {
            0 | 1 => {
                let (path, sizes, mode) = (path(script), script.byte(), u16::from(script.byte()));
                let size = if sizes == 255 { 1 << 40 } else { u64::from(sizes % 16) };
                telling.file(layer, &path, (size, mode << 4), (i64::from(sizes) - 1, 5))?;
                let content = script.bytes(usize::try_from(size).unwrap().min(16));
                if !content.is_empty() {
                    telling.content(content);
                }
                telling.end(content.len() as u64 == size);
            }
            2 => telling.thing(layer, &path(script), Thing::Folder { opaque: script.byte() % 2 == 1 })?,
            3 => telling.thing(layer, &path(script), Thing::Link)?,
            4 => telling.thing(layer, &path(script), Thing::Nothing)?,
            5 => telling.thing(layer, &path(script), Thing::Special)?,
            6 => telling.lost(layer, &path(script))?,
            7 => telling.end(script.byte() % 2 == 1),
            _ => break,
        }
    }
    Ok(())
}

fn path(script: &mut Script<'_>) -> Vec<u8> {
    let count = script.byte();
    if count > 200 {
        return script.bytes(usize::from(count - 200)).to_vec();
    }
    let names: Vec<&[u8]> = (0..=count % 5).map(|_| NAMES[usize::from(script.byte()) % NAMES.len()]).collect();
    names.join(&b'/')
}

/// All that lies in a folder, links as where they lead.
fn disk(folder: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    each(folder, &mut |path| {
        let what = match fs::read_link(path) {
            Ok(to) => format!("-> {}", to.display()),
            Err(_) => fs::read_to_string(path).unwrap_or_default(),
        };
        lines.push(format!("{} {what}", path.display()));
    });
    lines.sort();
    lines
}

fn links(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut links = Vec::new();
    each(folder, &mut |path| {
        if path.is_symlink() {
            links.push(path.to_owned());
        }
    });
    links
}

fn each(folder: &Path, see: &mut dyn FnMut(&Path)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        see(&path);
        if !path.is_symlink() && path.is_dir() {
            each(&path, see);
        }
    }
}

#[derive(Debug)]
struct Standstill;

impl Clock for Standstill {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn zone(&self) -> TimeZone {
        TimeZone::UTC
    }
}

/// Agrees to all.
struct Agreeing;

impl Person for Agreeing {
    fn present(&self) -> bool {
        true
    }

    fn show(&self, _: &Plan) {}

    fn ask_until(&self, _: &Question, _: &Stop) -> Result<Answer, Unanswered> {
        Ok(Answer::Yes)
    }

    fn tell(&self, _: &Notice) {}

    fn progress(&self, _: &Progress) {}
}
