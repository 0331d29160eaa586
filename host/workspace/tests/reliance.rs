//! Changes that stand on a file which they do not touch: they are made only while it is as it was read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_vocabulary::{Answer, Notice, Person, Plan, Progress, Question, Stop, Unanswered};
use deskhand_workspace::{
    Code, Decision, State, Workspace,
    disk::{Disk, System},
    edit_text,
};
use std::{
    fs,
    sync::{Arc, Mutex},
};
use support::{Desk, age_all, differences, faults::Hooked, mv, outline, path, put, rm, version};

/// Does something when a plan is shown: between the reading and the answer.
struct Meanwhile<F>(Mutex<Option<F>>);

impl<F: FnOnce() + Send> Person for Meanwhile<F> {
    fn present(&self) -> bool {
        true
    }

    fn show(&self, _: &Plan) {
        if let Some(act) = self.0.lock().unwrap().take() {
            act();
        }
    }

    fn ask_until(&self, _: &Question, _: &deskhand_vocabulary::Stop) -> Result<Answer, Unanswered> {
        Ok(Answer::Yes)
    }

    fn tell(&self, _: &Notice) {}

    fn progress(&self, _: &Progress) {}
}

fn propose(desk: &Desk, task: &Workspace, act: impl FnOnce() + Send) -> Decision {
    let person = Meanwhile(Mutex::new(Some(act)));
    let view = serde_json::json!({"arrange": "groups"});
    deskhand_workspace::propose(task, &desk.gate, &desk.context, &person, "Test", view, &Stop::default()).unwrap()
}

/// `a` with two copies, `d` with one; the copies are to be removed because of what is kept.
fn copies(desk: &Desk) -> Workspace {
    copies_on(desk, Arc::new(System))
}

fn copies_on(desk: &Desk, disk: Arc<dyn Disk>) -> Workspace {
    for (name, content) in [("a", "same"), ("b", "same"), ("c", "same"), ("d", "twin"), ("e", "twin")] {
        desk.file(name, content);
    }
    age_all(&desk.folder);
    let task = desk.open_with(disk);
    for (removed, kept) in [("b", "a"), ("c", "a"), ("e", "d")] {
        let change = rm(&task, removed).unwrap();
        task.expect(change, &path(kept), &version(&task, &path(kept))).unwrap();
    }
    task
}

#[test]
fn the_last_copy_is_never_removed() {
    let changed = "has changed meanwhile";
    let gone = "is not there any more";
    type Act = fn(&Desk);
    let cases: [(&str, Act, &str, &[&str]); 5] = [
        ("changed", |desk| desk.file("a", "mine"), changed, &["a=mine", "b=same", "c=same", "d=twin"]),
        (
            "changed to the same length and time",
            |desk| {
                let old = fs::metadata(desk.folder.join("a")).unwrap().modified().unwrap();
                let file = fs::OpenOptions::new().write(true).open(desk.folder.join("a")).unwrap();
                std::io::Write::write_all(&mut &file, b"some").unwrap();
                file.set_modified(old).unwrap();
            },
            changed,
            &["a=some", "b=same", "c=same", "d=twin"],
        ),
        (
            "replaced",
            |desk| {
                desk.file("new", "same");
                fs::rename(desk.folder.join("new"), desk.folder.join("a")).unwrap();
            },
            changed,
            &["a=same", "b=same", "c=same", "d=twin"],
        ),
        (
            "moved",
            |desk| fs::rename(desk.folder.join("a"), desk.place().join("a")).unwrap(),
            gone,
            &["b=same", "c=same", "d=twin"],
        ),
        ("removed", |desk| fs::remove_file(desk.folder.join("a")).unwrap(), gone, &["b=same", "c=same", "d=twin"]),
    ];
    for (name, act, what, left) in cases {
        let desk = Desk::new();
        let task = copies(&desk);
        let decision = propose(&desk, &task, || act(&desk));
        assert_eq!(decision.state, State::Applied, "{name}");
        let done = decision.done.unwrap();
        assert_eq!(done.applied, 1, "{name}");
        let refused: Vec<String> =
            done.refused.iter().map(|(change, why)| format!("{}: {why}", change.source.as_ref().unwrap())).collect();
        let why = format!("`Files/a`, because of which it was proposed, {what}");
        assert_eq!(refused, [format!("Files/b: {why}"), format!("Files/c: {why}")], "{name}");
        assert_eq!(outline(&desk.tree()), left, "{name}");
        let listed = desk.history().show(done.id).unwrap().1;
        assert_eq!(listed[0].change.relies_on, [path("a")], "it is in the record");
    }
}

/// Two tasks that each remove what the other keeps have both looked before: one of them sees it after.
#[test]
fn what_goes_in_the_moment_of_the_effect_is_seen() {
    let desk = Desk::new();
    let kept = desk.folder.join("a");
    let hook = move |call: &support::faults::Call| {
        if call.name == "rename" && call.paths[0].ends_with("Files/b") {
            fs::remove_file(&kept).unwrap();
        }
        Ok(())
    };
    let task = copies_on(&desk, Arc::new(Hooked::new(hook)));
    let done = propose(&desk, &task, || ()).done.unwrap();
    assert_eq!((done.applied, done.refused.len()), (1, 2));
    assert_eq!(outline(&desk.tree()), ["b=same", "c=same", "d=twin"]);
}

#[test]
fn what_stands_on_an_untouched_file_is_made_and_undone() {
    let desk = Desk::new();
    let task = copies(&desk);
    let before = desk.tree();
    let done = propose(&desk, &task, || ()).done.unwrap();
    assert_eq!((done.applied, done.refused.len()), (3, 0));
    assert_eq!(outline(&desk.tree()), ["a=same", "d=twin"]);
    desk.undo(1);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}

#[test]
fn the_plan_may_move_what_is_relied_on_and_nothing_else() {
    let desk = Desk::new();
    let task = copies(&desk);
    task.make_folder(&path("kept")).unwrap();
    mv(&task, "a", "kept/a").unwrap();
    mv(&task, "d", "a").unwrap();
    for refused in [rm(&task, "kept/a"), rm(&task, "kept"), put(&task, "kept/a", "mine")] {
        let error = refused.unwrap_err();
        assert_eq!(error.code, Code::Conflict);
        assert!(error.message.contains("is pending only because `Files/kept"), "{}", error.message);
    }
    let done = propose(&desk, &task, || ()).done.unwrap();
    assert_eq!(done.refused, []);
    assert_eq!(outline(&desk.tree()), ["a=twin", "kept/", "kept/a=same"]);
}

#[test]
fn no_two_changes_take_away_what_each_other_stands_on() {
    let desk = Desk::new();
    let task = copies(&desk);
    // the set of an invocation that began with the same ground
    let change = rm(&task, "a");
    assert_eq!(change.unwrap_err().code, Code::Conflict);
    // once nothing stands on it any more, it may go
    for id in task.pending(None, 10).iter().map(|pending| pending.id).take(2).collect::<Vec<_>>() {
        task.withdraw(deskhand_workspace::ChangeId(id)).unwrap();
    }
    let a = rm(&task, "a").unwrap();
    task.expect(a, &path("b"), &version(&task, &path("b"))).unwrap();
    assert_eq!(rm(&task, "b").unwrap_err().code, Code::Conflict);
    assert_eq!(outline(&desk.tree()).len(), 5);
}

#[test]
fn only_what_is_there_can_be_stood_on() {
    let desk = Desk::new();
    let task = copies(&desk);
    put(&task, "new", "same").unwrap();
    let change = rm(&task, "a").unwrap_err();
    assert_eq!(change.code, Code::Conflict);
    desk.file("f", "x");
    let change = rm(&task, "f").unwrap();
    let expect = |at: &str, version: &str| task.expect(change, &path(at), version).unwrap_err().code;
    assert_eq!(expect("new", &version(&task, &path("new"))), Code::Unsupported);
    assert_eq!(expect("", &version(&task, &path(""))), Code::Unsupported);
    assert_eq!(expect("a", "another"), Code::Conflict);
    assert_eq!(expect("b", "removed"), Code::NotFound);
    let unknown = deskhand_workspace::ChangeId(9999);
    assert_eq!(task.expect(unknown, &path("a"), &version(&task, &path("a"))).unwrap_err().code, Code::NotFound);
}

#[test]
fn an_edit_that_takes_it_away_is_refused() {
    let desk = Desk::new();
    desk.file("in/a", "same");
    desk.file("b", "same");
    let task = desk.open();
    mv(&task, "in/a", "a").unwrap();
    let change = rm(&task, "b").unwrap();
    task.expect(change, &path("a"), &version(&task, &path("a"))).unwrap();
    rm(&task, "in").unwrap();
    let view = serde_json::json!({"arrange": "tree"});
    let plan = task.plan("Test", support::principal(), view).unwrap();
    // without its move, what is kept would go with its folder
    let text: String = edit_text(&plan)
        .lines()
        .filter(|line| !line.contains(" move "))
        .fold(String::new(), |all, line| all + line + "\n");
    let problems = task.edit(&plan, &text).unwrap_err();
    assert_eq!(problems.len(), 1, "{problems:?}");
    // put elsewhere by the person, it is still what is kept
    let text = edit_text(&plan).replace("-> Files/a", "-> Files/kept/a");
    task.edit(&plan, &text).unwrap();
    let done = propose(&desk, &task, || ()).done.unwrap();
    assert_eq!(done.refused, []);
    assert_eq!(outline(&desk.tree()), ["kept/", "kept/a=same"]);
}
