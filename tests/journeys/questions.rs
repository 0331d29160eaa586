//! Questions to a person, and what comes of each answer.

use crate::terminal::Terminal;
use deskhand_tests::{Place, snapshot};
use insta::assert_snapshot;
use std::{collections::BTreeMap, fs, path::PathBuf};

const APPLY: &str = "Apply this? [A]pply, [E]dit, [L]ist all, [C]ancel: ";
const ORGANIZE: [&str; 4] = ["run", "--folder", "Inbox", "/organize by type"];

/// A place with a folder of six files.
fn place() -> Place {
    let place = Place::with_plugins();
    let inbox = place.path("home/Inbox");
    fs::create_dir(&inbox).unwrap();
    for name in ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "song.mp3"] {
        fs::write(inbox.join(name), name.repeat(300)).unwrap();
    }
    place
}

fn inbox(place: &Place) -> BTreeMap<PathBuf, String> {
    snapshot(&place.path("home/Inbox"))
}

fn names(place: &Place) -> Vec<String> {
    inbox(place).into_keys().map(|path| path.display().to_string()).filter(|name| !name.is_empty()).collect()
}

#[test]
fn apply() {
    let place = place();
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
    terminal.answer(APPLY, "a");
    let (code, screen) = terminal.end();
    assert_snapshot!(screen);
    assert_eq!(code, 0);
    let wanted = [
        "Audio",
        "Audio/song.mp3",
        "Documents",
        "Documents/a.txt",
        "Documents/b.txt",
        "Documents/c.txt",
        "Documents/d.txt",
        "Documents/e.txt",
    ];
    assert_eq!(names(&place), wanted);
    // and back, asked again
    let mut terminal = Terminal::run(&place, &["undo"], &[]);
    terminal.answer(APPLY, "Apply");
    let (code, screen) = terminal.end();
    assert_snapshot!("apply_undo", screen);
    assert_eq!(code, 0);
    assert_eq!(names(&place), ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "song.mp3"]);
}

#[test]
fn cancel() {
    // a letter and Enter in one go: an Enter of its own could come when the program is over already
    for (answer, name) in [("c\r", "letter"), ("\u{4}", "end_of_input")] {
        let place = place();
        let before = inbox(&place);
        let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
        terminal.wait(APPLY).press(answer);
        let (code, screen) = terminal.end();
        assert_snapshot!(format!("cancel_{name}"), screen);
        assert_eq!(code, 4);
        assert_eq!(inbox(&place), before);
    }
}

#[test]
fn list_all_and_what_is_no_answer() {
    let place = place();
    let before = inbox(&place);
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
    terminal.answer(APPLY, "x").answer(APPLY, "").answer(APPLY, "yes").answer(APPLY, "l").answer(APPLY, "C");
    let (code, screen) = terminal.end();
    assert_snapshot!(screen);
    assert_eq!(code, 4);
    assert_eq!(inbox(&place), before);
}

#[test]
fn edit_a_target() {
    let place = place();
    let editor =
        place.editor("cp \"$1\" \"$HOME/../shown\"; sed -i 's|Documents/b.txt|Notes/second.txt|; /c.txt/d' \"$1\"");
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[("EDITOR", &editor)]);
    terminal.answer(APPLY, "e").answer(APPLY, "a");
    let (code, screen) = terminal.end();
    assert_snapshot!(screen);
    assert_snapshot!("edit_shown", fs::read_to_string(place.path("shown")).unwrap());
    assert_eq!(code, 0);
    let wanted = [
        "Audio",
        "Audio/song.mp3",
        "Documents",
        "Documents/a.txt",
        "Documents/d.txt",
        "Documents/e.txt",
        "Notes",
        "Notes/second.txt",
        "c.txt",
    ];
    assert_eq!(names(&place), wanted);
}

/// What is said in the end is what was done: a plan that was edited, and of which a part could not be made.
#[test]
fn what_is_said_is_what_was_done() {
    let place = place();
    let editor = place.editor("sed -i '/c.txt/d' \"$1\"");
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[("EDITOR", &editor)]);
    terminal.answer(APPLY, "e").wait(APPLY);
    fs::write(place.path("home/Inbox/b.txt"), "written while the question was there").unwrap();
    terminal.press("a\r");
    let (code, screen) = terminal.end();
    let end = screen.rsplit_once(APPLY).unwrap().1;
    assert_snapshot!(end);
    assert_eq!(code, 6);
    assert_eq!(names(&place).iter().filter(|name| name.ends_with(".txt") && !name.contains('/')).count(), 2);
    // a program is told the same
    let log = place.deskhand(["log", "--json"]).ok();
    let ended = log.lines().find(|line| line.contains("\"commit-ended\"")).unwrap();
    assert!(ended.contains(r#""moved":4,"#) && ended.contains(r#""folders":2,"#), "{ended}");
}

#[test]
fn edit_to_nonsense() {
    for (script, name) in [
        ("echo 'what is this' >> \"$1\"", "words"),
        ("sed -i 's|Documents/b.txt|../../b.txt|' \"$1\"", "out_of_the_folder"),
        ("sed -i 's|Documents/b.txt|Documents/a.txt|' \"$1\"", "onto_another"),
        ("printf '\\377\\376\\000' > \"$1\"", "bytes"),
        (": > \"$1\"", "nothing"),
        ("exit 1", "failure"),
        ("true", "no_change"),
    ] {
        let place = place();
        let before = inbox(&place);
        let editor = place.editor(script);
        let mut terminal = Terminal::run(&place, &ORGANIZE, &[("EDITOR", &editor)]);
        terminal.answer(APPLY, "e");
        // who leaves no line has cancelled, and is not asked again
        let asked = name != "nothing";
        if asked {
            terminal.answer(APPLY, "c");
        }
        let (code, screen) = terminal.end();
        assert_snapshot!(format!("edit_to_{name}"), screen);
        assert_eq!(code, 4, "{name}");
        assert_eq!(inbox(&place), before, "{name}");
    }
}

#[test]
fn no_editor() {
    let place = place();
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[("EDITOR", "/not/there --wait")]);
    terminal.answer(APPLY, "e").answer(APPLY, "c");
    let (code, screen) = terminal.end();
    assert_snapshot!(screen.replace("sh: 1: /not/there: not found", "sh: /not/there: not found"));
    assert_eq!(code, 4);
}

#[test]
fn a_removal_has_its_own_question() {
    let duplicates = ["run", "--folder", "Inbox", "--yes", "/duplicates"];
    for (answers, wanted) in [(&["y"][..], 0), (&["l", "n"], 4)] {
        let place = place();
        for name in ["a (2).txt", "b (2).txt"] {
            let inbox = place.path("home/Inbox");
            fs::copy(inbox.join(name.replace(" (2)", "")), inbox.join(name)).unwrap();
        }
        let before = inbox(&place);
        let mut terminal = Terminal::run(&place, &duplicates, &[]);
        for answer in answers {
            terminal.answer("Remove them? [Y]es, [L]ist all, [N]o: ", answer);
        }
        let (code, screen) = terminal.end();
        assert_snapshot!(format!("removal_{wanted}"), screen);
        assert_eq!(code, wanted);
        if wanted == 0 {
            assert_eq!(names(&place), ["a.txt", "b.txt", "c.txt", "d.txt", "e.txt", "song.mp3"]);
        } else {
            assert_eq!(inbox(&place), before);
        }
    }
}

#[test]
fn ctrl_c_at_the_question() {
    let place = place();
    let before = inbox(&place);
    let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
    terminal.wait(APPLY).press("\u{3}");
    let (code, screen) = terminal.end();
    assert_snapshot!(screen);
    assert_eq!(code, 130);
    assert_eq!(inbox(&place), before);
}

/// Wherever Ctrl-C falls, the folder is as before or wholly changed, and the program says which.
#[test]
fn ctrl_c_while_applying() {
    let place = Place::with_plugins();
    let folder = place.path("home/Inbox");
    fs::create_dir(&folder).unwrap();
    for number in 0..1500 {
        fs::write(folder.join(format!("{number}.txt")), "x").unwrap();
    }
    let before = inbox(&place);
    let mut stopped = 0;
    for _ in 0..3 {
        let mut terminal = Terminal::run(&place, &ORGANIZE, &[]);
        terminal.answer(APPLY, "a").press("\u{3}");
        let (code, screen) = terminal.end();
        let now = inbox(&place);
        match code {
            130 => {
                stopped += 1;
                assert!(now == before, "stopped, but changed:\n{screen}");
            }
            0 => {
                assert!(screen.contains("Done: moved 1,500 files and made 1 folder."), "{screen}");
                assert_eq!(now.len(), before.len() + 1);
                assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
                assert!(inbox(&place) == before);
            }
            other => panic!("exit code {other}\n{screen}"),
        }
    }
    assert!(stopped > 0, "Ctrl-C never stopped it");
}

/// Ctrl-C throws away what was typed before it. Whoever saw that there is something, and then reads, waits for nothing.
#[test]
fn ctrl_c_between_a_key_and_its_reading() {
    let place = place();
    let before = inbox(&place);
    let slow = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=poll,ppoll", "-e"];
    let slow = [&slow[..], &["inject=poll,ppoll:delay_exit=500000"]].concat();
    let mut terminal = Terminal::run_by(&place, &slow, &ORGANIZE);
    terminal.wait(APPLY).press("a").press("\u{3}");
    let (code, screen) = terminal.end();
    assert_eq!(code, 130, "{screen}");
    assert_eq!(inbox(&place), before);
}

#[test]
fn a_folder_that_is_not_named_is_asked_about() {
    let place = place();
    let before = inbox(&place);
    let grant = "Let this task read and propose changes to ";
    fs::create_dir(place.path("home/Other")).unwrap();
    let run = ["run", "--yes", "/organize by type"];
    let mut terminal = Terminal::run_in(&place, &place.path("home/Inbox"), &run, &[]);
    terminal.wait(grant).answer("[Y]es, [N]o: ", "n");
    let (code, screen) = terminal.end();
    assert_snapshot!("grant_refused", screen);
    assert_eq!(code, 4);
    assert_eq!(inbox(&place), before);
    let mut terminal = Terminal::run_in(&place, &place.path("home/Inbox"), &run, &[]);
    terminal.wait(grant).answer("[Y]es, [N]o: ", "y");
    let (code, screen) = terminal.end();
    assert_snapshot!("grant_given", screen);
    assert_eq!(code, 0);
    assert!(place.path("home/Inbox/Audio/song.mp3").is_file());
    // it was for that task only
    assert!(place.deskhand(["grants"]).stdout.starts_with("Nothing is granted."));
}

#[test]
fn a_purge_asks() {
    let place = place();
    fs::copy(place.path("home/Inbox/a.txt"), place.path("home/Inbox/z.txt")).unwrap();
    let removed = place.deskhand(["run", "--folder", "Inbox", "--yes", "--allow-removals", "1", "/duplicates"]);
    assert_eq!(removed.code, 0, "{removed:?}");
    let question = "They cannot be brought back.";
    for (answer, wanted) in [("n", 4), ("y", 0)] {
        let mut terminal = Terminal::run(&place, &["purge", "--commit", "1"], &[]);
        terminal.wait(question).answer("[Y]es, [N]o: ", answer);
        let (code, screen) = terminal.end();
        assert_snapshot!(format!("purge_{wanted}"), screen);
        assert_eq!(code, wanted);
    }
}

#[test]
fn edit_to_a_tower_of_folders() {
    let place = place();
    let before = inbox(&place);
    let tower = "d/".repeat(1500);
    let editor = place.editor(&format!("sed -i 's#-> Inbox/.*song.mp3#-> Inbox/{tower}song.mp3#' \"$1\""));
    let mut terminal =
        Terminal::run(&place, &["run", "--folder", "Inbox", "/organize by type"], &[("EDITOR", editor.as_str())]);
    terminal.answer("[C]ancel: ", "e").wait("levels deep, and 128 are the most").answer("[C]ancel: ", "c");
    assert_eq!(terminal.end().0, 4);
    assert_eq!(inbox(&place), before);
}
