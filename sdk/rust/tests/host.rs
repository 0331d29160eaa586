//! The test host behaves as the real one does: what is pending is seen, what does not fit is refused, and nothing is touched
//! before the person agrees.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_sdk::{
    changes::{ChangeKind, State},
    prelude::*,
    testing::{Answer, File, Host},
    user::Choice,
};

fn path(text: &str) -> FilePath {
    FilePath::new(text).unwrap()
}

fn code<T: std::fmt::Debug>(result: Result<T>) -> Code {
    result.unwrap_err().code
}

fn home() -> Host {
    Host::new().folder("F").file("F/a.txt", "aaa").file("F/sub/b.txt", "bb").file("F/.hidden/c.txt", "c")
}

#[test]
fn a_walk_gives_names_in_order_a_page_at_a_time() {
    let host = home().link("F/link", "a.txt").special("F/pipe", "fifo");
    let names = |walk: files::Walk| {
        host.run(|| Ok(walk.all()?.iter().map(|entry| entry.path.relative().to_owned()).collect::<Vec<_>>())).unwrap()
    };
    let all = [".hidden", ".hidden/c.txt", "a.txt", "link", "pipe", "sub", "sub/b.txt"];
    assert_eq!(names(files::walk(&path("F"))), all);
    assert_eq!(names(files::walk(&path("F")).page(2)), all);
    assert_eq!(host.calls("files.walk"), 1 + 4);
    assert_eq!(names(files::walk(&path("F")).depth(1)), [".hidden", "a.txt", "link", "pipe", "sub"]);
    assert_eq!(names(files::walk(&path("F")).depth(2).visible()), ["a.txt", "link", "pipe", "sub", "sub/b.txt"]);
    assert_eq!(names(files::walk(&path("F")).depth(0)), [""; 0]);
    assert_eq!(names(files::walk(&path("F")).glob("*.txt")), [".hidden/c.txt", "a.txt", "sub/b.txt"]);
    assert_eq!(names(files::walk(&path("F/sub"))), ["sub/b.txt"]);
    let kinds = host.run(|| Ok([files::stat(&path("F/link"))?.kind, files::stat(&path("F/pipe"))?.kind]));
    assert_eq!(kinds, Ok([files::Kind::Link, files::Kind::Other("fifo".into())]));
}

#[test]
fn what_is_not_there_or_not_given_is_told_apart() {
    let host = home().read_only_folder("R").file("R/x", "x").file("F/secret", File::new("s").unreadable());
    host.run(|| {
        assert_eq!(code(files::stat(&path("F/none"))), Code::NotFound);
        assert_eq!(code(files::stat(&path("G/none"))), Code::NotFound);
        assert_eq!(code(files::walk(&path("F/a.txt")).all()), Code::Invalid);
        assert_eq!(code(files::read(&path("F/secret"), 10)), Code::Denied);
        assert_eq!(code(files::read(&path("F/a.txt"), 2)), Code::TooLarge);
        assert_eq!(code(files::folder()), Code::Invalid);
        let entry = files::stat(&path("R/x"))?;
        assert_eq!(code(changes::remove(&entry)), Code::Denied);
        assert_eq!(code(changes::move_file(&entry, &path("F/x"))), Code::Denied);
        changes::copy(&entry, &path("F/x")).map(|_| ())
    })
    .unwrap();
}

#[test]
fn reads_see_what_is_pending_and_the_disk_does_not_change() {
    let host = home();
    let before = host.tree();
    host.run(|| {
        let entry = files::stat(&path("F/a.txt"))?;
        changes::make_folders(&path("F/x/y"))?;
        changes::move_file(&entry, &path("F/x/y/a.txt"))?;
        changes::write(&path("F/new.txt"), b"new")?;
        assert!(!files::exists(&path("F/a.txt"))?);
        assert_eq!(files::read_text(&path("F/x/y/a.txt"), 100)?, "aaa");
        assert_eq!(files::read_text(&path("F/new.txt"), 100)?, "new");
        Ok(())
    })
    .unwrap();
    assert_eq!(host.tree(), before);
    assert_eq!(host.pending().len(), 4);
}

#[test]
fn what_does_not_fit_is_refused_when_it_is_proposed() {
    let host = home().special("F/pipe", "fifo");
    host.run(|| {
        let a = files::stat(&path("F/a.txt"))?;
        let b = files::stat(&path("F/sub/b.txt"))?;
        let sub = files::stat(&path("F/sub"))?;
        assert_eq!(code(changes::move_file(&a, &b.path)), Code::Conflict);
        assert_eq!(code(changes::move_file(&a, &path("F/none/a.txt"))), Code::NotFound);
        assert_eq!(code(changes::move_file(&a, &a.path)), Code::Conflict);
        assert_eq!(code(changes::move_over(&a, &a)), Code::Invalid);
        assert_eq!(code(changes::move_over(&sub, &a)), Code::Unsupported);
        assert_eq!(code(changes::move_over(&a, &sub)), Code::Unsupported);
        assert_eq!(code(changes::move_file(&sub, &path("F/sub/sub"))), Code::Invalid);
        assert_eq!(code(changes::make_folder(&path("F/sub"))), Code::Conflict);
        assert_eq!(code(changes::make_folders(&path("F/a.txt/x"))), Code::Conflict);
        assert_eq!(code(changes::write(&path("F/a.txt"), b"")), Code::Conflict);
        assert_eq!(code(changes::copy(&sub, &path("F/copy"))), Code::Unsupported);
        assert_eq!(code(changes::remove(&files::stat(&path("F/pipe"))?)), Code::Unsupported);
        changes::overwrite(&a, b"changed")?;
        assert_eq!(code(changes::overwrite(&a, b"again")), Code::Conflict);
        assert_eq!(code(files::read_at(&a.path, Some(&a.version), 0, 1)), Code::Conflict);
        assert_eq!(code(changes::remove(&a)), Code::Conflict);
        changes::move_over(&files::stat(&a.path)?, &b).map(|_| ())
    })
    .unwrap();
}

#[test]
fn of_many_moves_each_is_made_or_refused_by_itself() {
    let host = home();
    host.run(|| {
        let (a, sub) = (files::stat(&path("F/a.txt"))?, files::stat(&path("F/sub"))?);
        let moved = |file, target: &str, reason| changes::Move { file, target: path(target), reason };
        let made = changes::move_all(&[
            moved(&a, "F/none/a.txt", ""),
            moved(&sub, "F/sub/sub", ""),
            moved(&a, "F/sub/c.txt", "because"),
        ]);
        let codes: Vec<Option<Code>> = made.iter().map(|made| made.as_ref().err().map(|error| error.code)).collect();
        assert_eq!(codes, [Some(Code::NotFound), Some(Code::Invalid), None]);
        let pending = changes::pending()?;
        assert_eq!(pending.len(), 1);
        assert_eq!((&pending[0].target, pending[0].reason.as_str()), (&Some(path("F/sub/c.txt")), "because"));
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_set_holds_what_is_to_be_and_not_the_way_there() {
    let host = home();
    host.run(|| {
        let a = files::stat(&path("F/a.txt"))?;
        let first = changes::move_file(&a, &path("F/b.txt"))?.explain("because")?;
        let again = changes::move_file(&files::stat(&path("F/b.txt"))?, &path("F/sub/c.txt"))?;
        assert_eq!(first, again);
        let pending = changes::pending()?;
        assert_eq!(pending.len(), 1);
        assert_eq!((pending[0].kind, &pending[0].source), (ChangeKind::Move, &Some(a.path.clone())));
        assert_eq!((&pending[0].target, pending[0].reason.as_str()), (&Some(path("F/sub/c.txt")), "because"));
        changes::move_file(&files::stat(&path("F/sub/c.txt"))?, &a.path)?;
        assert_eq!(changes::pending()?, []);

        changes::write(&path("F/new"), b"1")?;
        changes::overwrite(&files::stat(&path("F/new"))?, b"2")?;
        assert_eq!(changes::pending()?.len(), 1);
        changes::remove(&files::stat(&path("F/new"))?)?;
        assert_eq!(changes::pending()?, []);
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_folder_that_something_is_to_come_into_stays() {
    let host = home();
    host.run(|| {
        changes::move_file(&files::stat(&path("F/a.txt"))?, &path("F/sub/a.txt"))?;
        assert_eq!(code(changes::remove(&files::stat(&path("F/sub"))?)), Code::Conflict);
        changes::remove(&files::stat(&path("F/.hidden"))?)?;
        assert_eq!(host.proposals(), []);
        changes::propose("Remove", View::Tree)
    })
    .unwrap();
    assert_eq!(host.tree(), ["F/sub/a.txt", "F/sub/b.txt"]);
}

#[test]
fn a_change_that_another_needs_cannot_be_withdrawn() {
    let host = home();
    host.run(|| {
        let folder = changes::make_folder(&path("F/x"))?;
        let moved = changes::move_file(&files::stat(&path("F/a.txt"))?, &path("F/x/a.txt"))?;
        assert_eq!(code(folder.withdraw()), Code::Conflict);
        moved.withdraw()?;
        folder.withdraw()?;
        assert_eq!(code(folder.withdraw()), Code::NotFound);
        assert_eq!(changes::pending()?, []);
        assert!(files::exists(&path("F/a.txt"))?);
        Ok(())
    })
    .unwrap();
}

/// Propose to move `a.txt` and `sub/b.txt` into a new folder.
fn gather() -> Result<changes::Decision> {
    changes::make_folder(&path("F/all"))?;
    for file in ["F/a.txt", "F/sub/b.txt"] {
        let entry = files::stat(&path(file))?;
        changes::move_file(&entry, &path("F/all").join(entry.path.name())?)?;
    }
    changes::propose("Gather", View::Tree)
}

#[test]
fn the_person_applies() {
    let host = home();
    let decision = host.run(gather).unwrap();
    assert_eq!((decision.state, decision.commit.as_deref()), (State::Applied, Some("1")));
    assert_eq!(decision.outcome["applied"], 3);
    assert_eq!(host.tree(), ["F/.hidden/c.txt", "F/all/a.txt", "F/all/b.txt", "F/sub/"]);
    assert_eq!(host.content("F/all/a.txt"), Some(b"aaa".to_vec()));
    assert_eq!(host.pending(), []);
    assert_eq!(
        host.proposal().lines(),
        ["make-folder F/all", "move F/a.txt -> F/all/a.txt", "move F/sub/b.txt -> F/all/b.txt"]
    );
    assert_eq!((host.proposal().title.as_str(), &host.proposal().view["arrange"]), ("Gather", &"tree".into()));
}

#[test]
fn the_person_declines_or_is_not_there() {
    let host = home().cancels();
    let before = host.tree();
    assert_eq!(host.run(gather).unwrap().state, State::Cancelled);
    assert_eq!((host.tree(), host.pending().len()), (before.clone(), 0));

    let host = home().answer(Answer::Absent);
    assert_eq!(host.run(gather).unwrap().state, State::Parked);
    assert_eq!((host.tree(), host.pending().len()), (before, 3));
}

#[test]
fn the_person_edits() {
    let host = home().answer(Answer::Keep(Box::new(|change| change.source != Some(path("F/a.txt")))));
    assert_eq!(host.run(gather).unwrap().state, State::Applied);
    assert_eq!(host.tree(), ["F/.hidden/c.txt", "F/a.txt", "F/all/b.txt", "F/sub/"]);
}

#[test]
fn what_changed_meanwhile_is_refused_and_the_rest_goes_on() {
    let host = home().meanwhile_written("F/a.txt", b"by the person");
    let decision = host.run(gather).unwrap();
    assert_eq!(decision.outcome["applied"], 2);
    assert_eq!(decision.outcome["refused"][0]["source"], "F/a.txt");
    assert_eq!(decision.outcome["refused"][0]["reason"], "`F/a.txt` has changed since it was looked at");
    assert_eq!(host.content("F/a.txt"), Some(b"by the person".to_vec()));
    assert_eq!(host.tree(), ["F/.hidden/c.txt", "F/a.txt", "F/all/b.txt", "F/sub/"]);
}

#[test]
fn nothing_is_no_proposal_and_a_failure_leaves_nothing_pending() {
    let host = home();
    assert_eq!(code(host.run(|| changes::propose("Nothing", View::Tree))), Code::Invalid);
    let failed: Result<()> = host.run(|| {
        changes::make_folder(&path("F/x"))?;
        Err(Error::failed("no"))
    });
    assert_eq!((failed, host.pending().len()), (Err(Error::failed("no")), 0));
}

#[test]
fn facts_are_those_of_the_file_or_its_name() {
    let taken: DateTime = "2019-08-07T10:11:12".parse().unwrap();
    let host = Host::new()
        .folder("F")
        .time_zone("Asia/Tokyo", 9 * 3600)
        .file("F/a.jpg", File::new("").taken(taken).modified(Moment::at(1_700_000_000)).mode(0o600))
        .file("F/b", File::new("").media_type("application/pdf").placeholder());
    host.run(|| {
        let all = [Fact::MediaType, Fact::Taken, Fact::Created, Fact::Modified, Fact::Mode, Fact::Placeholder];
        let a = files::attributes(&path("F/a.jpg"), &all)?;
        assert_eq!((a.media_type(), a.taken(), a.created()), (Some("image/jpeg"), Some(taken), None));
        assert_eq!(a.modified().unwrap().to_string(), "2023-11-15T07:13:20");
        assert_eq!((a.date_of_content(), a.mode(), a.is_placeholder()), (Some(taken), Some(0o600), false));
        let b = files::attributes(&path("F/b"), &[Fact::MediaType, Fact::Placeholder])?;
        assert_eq!((b.media_type(), b.is_placeholder(), b.modified()), (Some("application/pdf"), true, None));
        assert_eq!(invocation::context()?.time_zone, "Asia/Tokyo");
        Ok(())
    })
    .unwrap();
}

#[test]
fn two_names_of_one_file_are_one_file() {
    let host = home().hard_link("F/a.txt", "F/again.txt").file("F/big", File::new("x").size(5000));
    host.run(|| {
        let (a, again) = (files::stat(&path("F/a.txt"))?, files::stat(&path("F/again.txt"))?);
        assert_eq!((a.file_id == again.file_id, a.links, again.links), (true, 2, 2));
        assert_eq!(files::stat(&path("F/big"))?.size, 5000);
        let bytes = files::read(&path("F/big"), 5000)?;
        assert_eq!((bytes.len(), bytes[0], bytes[4999]), (5000, b'x', 0));
        // printf x | dd conv=sync bs=5000 | sha256sum
        let digest = files::digest(&path("F/big"))?;
        assert_eq!(digest, files::digests(&[path("F/big")]).remove(0)?);
        assert_eq!(
            files::digest(&path("F/a.txt"))?,
            "9834876dcfb05cb167a5c24953eba58c4ac89b1adf57f28f2f9d09af107ee8f0"
        );
        Ok(())
    })
    .unwrap();
}

#[test]
fn the_person_answers_questions() {
    #[derive(Debug, PartialEq, Deserialize, JsonSchema)]
    struct Form {
        name: String,
    }
    let choices = [Choice::new("a", "The first"), Choice::new("b", "The second").hint("better")];
    let host = Host::new().says(true).says("b").says(serde_json::json!({ "name": "Ada" })).says("c");
    host.run(|| {
        user::notify("Beginning")?;
        assert!(user::confirm("Really?")?);
        assert_eq!(user::choose("Which?", &choices)?, "b");
        assert_eq!(user::ask::<Form>("Who?")?, Form { name: "Ada".into() });
        assert_eq!(code(user::choose("Which now?", &choices)), Code::Invalid);
        assert_eq!(code(user::confirm("Anybody?")), Code::Parked);
        Ok(())
    })
    .unwrap();
    assert_eq!(host.notices(), ["Beginning"]);
    assert_eq!(host.questions(), ["Really?", "Which?", "Who?", "Which now?", "Anybody?"]);
}

#[test]
fn state_is_kept_and_guarded_by_versions() {
    let host = Host::new();
    host.run(|| {
        assert_eq!(store::get::<u32>("count")?, None);
        assert_eq!(store::put_if("count", &1, 0)?, 1);
        assert_eq!(code(store::put_if("count", &1, 0)), Code::Conflict);
        assert_eq!(store::put("count", &2)?, 2);
        store::put("other", &"x")?;
        Ok(())
    })
    .unwrap();
    host.run(|| {
        let item = store::get::<u32>("count")?.unwrap();
        assert_eq!((item.value, item.version), (2, 2));
        assert_eq!(store::keys("")?, ["count", "other"]);
        assert_eq!(store::keys("co")?, ["count"]);
        store::delete("count")?;
        assert_eq!(store::keys("")?, ["other"]);
        Ok(())
    })
    .unwrap();
}

#[test]
fn notes_are_kept_with_a_yes_and_found_again() {
    let host = Host::new().folder("Bills").says(true).says(false);
    host.run(|| {
        let scope = memory::Scope::Folder("Bills".into());
        let note = memory::remember(" Ada pays. ", &scope)?;
        assert_eq!((note.text.as_str(), &note.scope), ("Ada pays.", &scope));
        assert_eq!(code(memory::remember("No.", &memory::Scope::All)), Code::Denied);
        assert_eq!(code(memory::remember("Nobody.", &memory::Scope::All)), Code::Parked);
        assert_eq!(code(memory::remember("x", &memory::Scope::Folder("Other".into()))), Code::Invalid);
        assert_eq!(memory::recall("ada", 10)?, std::slice::from_ref(&note));
        memory::forget(&note.id)?;
        assert_eq!(code(memory::forget(&note.id)), Code::NotFound);
        assert_eq!(memory::recall("", 10)?, []);
        Ok(())
    })
    .unwrap();
    let asked = ["remember for folder:Bills: Ada pays.", "remember for all: No.", "remember for all: Nobody."];
    assert_eq!(host.questions(), asked);
}

#[test]
fn tools_of_others_can_be_called() {
    let host = Host::new().folder("F").file("F/x", "x").tool("counter/count", |arguments| {
        let files = files::walk(&files::folder()?).all()?.len();
        Ok(ToolOutput::from_value(serde_json::json!({ "files": files, "of": arguments["of"] })))
    });
    host.run(|| {
        let output = toolbox::call("counter/count", &serde_json::json!({ "of": "F" }))?;
        assert_eq!(output.structured::<serde_json::Value>()?, serde_json::json!({ "files": 1, "of": "F" }));
        assert_eq!(code(toolbox::call("none", &())), Code::NotFound);
        assert_eq!(toolbox::catalog(Some("count"), 10)?, serde_json::json!({ "tools": [{ "name": "counter/count" }] }));
        Ok(())
    })
    .unwrap();
}

#[test]
fn a_call_can_be_stopped_and_says_how_far_it_is() {
    let host = Host::new().stops_after(2);
    let stopped = host.run(|| {
        for done in 0.. {
            invocation::progress("Counting", done, 4);
            invocation::check()?;
        }
        Ok(())
    });
    assert_eq!(code(stopped), Code::Cancelled);
    let shares: Vec<Option<f32>> = host.progress().into_iter().map(|(_, share)| share).collect();
    assert_eq!(shares, [Some(0.0), Some(0.25), Some(0.5)]);
}

#[test]
fn names_that_are_not_utf8_are_files_like_others() {
    let name = deskhand_sdk::path::encode(b"caf\xe9.txt");
    let host = Host::new().folder("F").file(&format!("F/{name}"), "x");
    host.run(|| {
        let entry = files::walk(&path("F")).all()?.remove(0);
        assert_eq!(entry.path.name_bytes(), b"caf\xe9.txt");
        assert_eq!((entry.path.extension(), entry.path.display().as_str()), (Some("txt"), "F/caf\u{fffd}.txt"));
        changes::make_folder(&path("F/txt"))?;
        changes::move_file(&entry, &path("F/txt").join(entry.path.name())?)?;
        changes::propose("Move", View::Tree)
    })
    .unwrap();
    assert_eq!(host.tree(), [format!("F/txt/{name}")]);
}

#[test]
#[should_panic(expected = "call it inside `testing::Host::run`")]
fn a_plugin_outside_a_host_is_told() {
    let _ = files::folders();
}
