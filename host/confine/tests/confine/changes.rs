//! What a program wrote becomes a part of the task's pending set, and nothing of it a part of the person's folder.

use crate::kit::{Desk, shell_over, write};
use deskhand_confine::{Ended, Kept, Taken};
use deskhand_vocabulary::{Access, Answer, FilePath};
use deskhand_workspace::State;
use std::{fs, os::unix::fs::PermissionsExt as _};

fn at(path: &str) -> FilePath {
    format!("photos/{path}").parse().unwrap()
}

fn version(desk: &Desk, path: &str) -> String {
    desk.workspace.stat(&[at(path)]).remove(0).unwrap().version
}

#[tokio::test]
async fn nothing_written_is_nothing_pending() {
    let desk = Desk::new(&[("a.txt", "a"), ("in/b.txt", "b")]);
    let (said, taken) = desk.shell("cat a.txt in/b.txt; touch a.txt; chmod 600 in/b.txt").await;
    assert_eq!((said.out.as_str(), said.ended, taken), ("ab", Ended::Exited(0), Taken::default()));
    assert_eq!(desk.pending(), [""; 0]);
}

#[tokio::test]
async fn files_and_folders_that_are_written_are_pending() {
    let desk = Desk::new(&[("a.txt", "a"), ("in/b.txt", "b"), ("c.txt", "c")]);
    let before = desk.disk();
    let (said, taken) = desk
        .shell(
            "echo more >> a.txt; mkdir -p new/deep; echo n > new/deep/n.txt; echo two > in/two.txt; echo B > in/b.txt; \
             mv c.txt in/moved.txt; printf 'odd\\n' > 'name with
line'",
        )
        .await;
    assert_eq!((said.err.as_str(), said.ended), ("", Ended::Exited(0)));
    assert_eq!((taken.added(), taken.refused, taken.more), (8, vec![], 0));
    assert_eq!(
        desk.pending(),
        [
            "make-folder  -> photos/new",
            "make-folder  -> photos/new/deep",
            "move photos/c.txt -> photos/in/moved.txt",
            "write  -> photos/a.txt",
            "write  -> photos/in/b.txt",
            "write  -> photos/in/two.txt",
            "write  -> photos/name with\nline",
            "write  -> photos/new/deep/n.txt",
        ]
    );
    let reasons: Vec<_> = desk.workspace.pending(None, 100).into_iter().map(|change| change.reason).collect();
    assert_eq!(reasons, ["written by a test"; 8]);
    assert_eq!(desk.disk(), before, "nothing is touched before the commit");
    assert_eq!(desk.propose().state, State::Applied);
    assert_eq!(
        desk.disk(),
        [
            "a.txt=amore",
            "in/",
            "in/b.txt=B",
            "in/moved.txt=c",
            "in/two.txt=two",
            "name with\nline=odd",
            "new/",
            "new/deep/",
            "new/deep/n.txt=n"
        ]
    );
}

#[tokio::test]
async fn removing_everything_removes_nothing_and_is_asked_about() {
    let files = [("2024/a.jpg", "a"), ("2024/b.jpg", "b"), ("2025/c.jpg", "c"), ("d.jpg", "d"), (".hidden", "h")];
    let desk = Desk::new(&files);
    let before = desk.disk();
    let (said, taken) = desk.shell("cd /; rm -rf /mnt/photos; ls -A /mnt/photos").await;
    // the folder itself is where it is mounted, and stays
    assert_eq!((said.out.as_str(), taken.added(), taken.refused.len()), ("", 4, 0), "{}", said.err);
    assert_eq!(desk.disk(), before);
    let removals = ["photos/.hidden", "photos/2024", "photos/2025", "photos/d.jpg"];
    assert_eq!(desk.pending(), removals.map(|path| format!("remove {path} -> ")));
    // the plan, then the removals of it: no to these, and nothing has happened
    desk.person.answers.lock().unwrap().extend([Answer::Yes, Answer::No]);
    assert_eq!(desk.propose().state, State::Cancelled);
    assert!(desk.person.asked.lock().unwrap().iter().any(|asked| asked.contains("remov")), "{:?}", desk.person.asked);
    assert_eq!(desk.disk(), before);
    desk.shell("cd /; rm -rf /mnt/photos").await;
    assert_eq!(desk.propose().state, State::Applied);
    assert_eq!(desk.disk(), [""; 0]);
}

/// No file system of layers renames a folder of the one below: it is copied and removed, and is a move all the same.
#[tokio::test]
async fn what_is_renamed_has_moved_and_is_no_change_once_it_is_back() {
    let desk = Desk::new(&[("a.txt", "a"), ("in/b.txt", "b"), ("in/deep/c.txt", "c"), ("in/deep/d.txt", "d")]);
    let mut overlay = desk.overlay();
    shell_over(&overlay, "mv a.txt A.txt; mv in out; mv out/deep/d.txt .").await;
    overlay.take(&desk.workspace, "renamed").unwrap();
    let expected = [
        "move photos/a.txt -> photos/A.txt",
        "move photos/in -> photos/out",
        "move photos/in/deep/d.txt -> photos/d.txt",
    ];
    assert_eq!(desk.pending(), expected);
    shell_over(&overlay, "mv A.txt a.txt; mv d.txt out/deep; mv out in").await;
    overlay.take(&desk.workspace, "renamed").unwrap();
    assert_eq!(desk.pending(), [""; 0]);
}

/// What is done to a folder beside being renamed is told apart from that, and a folder that is only half the same is another.
#[tokio::test]
async fn what_is_renamed_and_changed_has_moved_and_changed() {
    let files = [("in/a.txt", "a"), ("in/b.txt", "b"), ("in/deep/c.txt", "c"), ("in/d.txt", "d"), ("other/e.txt", "e")];
    let desk = Desk::new(&files);
    let line = "mv in out; echo more >> out/a.txt; rm -r out/deep; echo n > out/n.txt; mkdir new; mv other/e.txt new; echo f > other/f";
    let (said, taken) = desk.shell(line).await;
    assert_eq!((said.err.as_str(), taken.refused.len()), ("", 0));
    let expected = [
        "make-folder  -> photos/new",
        "move photos/in -> photos/out",
        "move photos/other/e.txt -> photos/new/e.txt",
        "remove photos/in/deep -> ",
        "write  -> photos/other/f",
        "write  -> photos/out/a.txt",
        "write  -> photos/out/n.txt",
    ];
    assert_eq!(desk.pending(), expected);
    let view = desk.view();
    assert_eq!(desk.propose().state, State::Applied);
    let after = [
        "new/",
        "new/e.txt=e",
        "other/",
        "other/f=f",
        "out/",
        "out/a.txt=amore",
        "out/b.txt=b",
        "out/d.txt=d",
        "out/n.txt=n",
    ];
    assert_eq!((view, desk.disk()), (after.map(str::to_owned).to_vec(), after.map(str::to_owned).to_vec()));
}

#[tokio::test]
async fn a_folder_that_was_removed_and_made_again_holds_only_what_is_new() {
    let desk =
        Desk::new(&[("in/old.txt", "old"), ("in/deep/older.txt", "older"), ("in/kept.txt", "kept"), ("t.txt", "t")]);
    let (said, taken) = desk
        .shell("rm -rf in; mkdir in; echo new > in/new.txt; echo kept again > in/kept.txt; rm t.txt; mkdir t.txt; echo x > t.txt/x")
        .await;
    assert_eq!((said.ended, taken.refused.len()), (Ended::Exited(0), 0), "{taken:?}");
    assert_eq!(desk.view(), ["in/", "in/kept.txt=kept again", "in/new.txt=new", "t.txt/", "t.txt/x=x"]);
    assert_eq!(desk.propose().state, State::Applied);
    assert_eq!(desk.disk(), desk.view());
}

#[tokio::test]
async fn what_is_pending_is_seen_and_goes_on_from_there() {
    let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b"), ("in/c.txt", "c"), ("in/d.txt", "d"), ("gone.txt", "gone")]);
    let task = &desk.workspace;
    task.write(&at("a.txt"), b"pending", Some(&version(&desk, "a.txt"))).unwrap();
    task.make_folder(&at("made")).unwrap();
    task.write(&at("made/new.txt"), b"new", None).unwrap();
    task.move_(&at("in"), &version(&desk, "in"), &at("made/in"), None).unwrap();
    task.move_(&at("b.txt"), &version(&desk, "b.txt"), &at("renamed.txt"), None).unwrap();
    task.remove(&at("gone.txt"), &version(&desk, "gone.txt")).unwrap();
    let pending = desk.pending();
    let (said, taken) = desk.shell("find . -type f | sort | xargs tail -n +1").await;
    assert_eq!(
        said.out,
        "==> ./a.txt <==\npending\n==> ./made/in/c.txt <==\nc\n==> ./made/in/d.txt <==\nd\n==> ./made/new.txt <==\nnew\n\
         ==> ./renamed.txt <==\nb"
    );
    assert_eq!((taken, desk.pending()), (Taken::default(), pending));
    let (said, taken) = desk
        .shell("rm made/new.txt made/in/d.txt; echo on >> a.txt; echo C > made/in/c.txt; echo back > gone.txt")
        .await;
    assert_eq!((said.ended, taken.refused.len()), (Ended::Exited(0), 0), "{taken:?}");
    assert_eq!(
        desk.view(),
        ["a.txt=pendingon", "gone.txt=back", "made/", "made/in/", "made/in/c.txt=C", "renamed.txt=b"]
    );
    assert_eq!(desk.propose().state, State::Applied);
    assert_eq!(desk.disk(), desk.view());
}

#[tokio::test]
async fn a_sandbox_goes_on_after_what_it_wrote_was_taken() {
    let desk = Desk::new(&[("a.txt", "a"), ("in/b.txt", "b")]);
    let mut overlay = desk.overlay();
    let take = |overlay: &mut deskhand_confine::Overlay| overlay.take(&desk.workspace, "test").unwrap();
    shell_over(&overlay, "echo 1 >> a.txt; echo new > n.txt; mkdir m; echo x > m/x").await;
    assert_eq!(take(&mut overlay).added(), 4);
    assert_eq!(take(&mut overlay), Taken::default(), "what was taken is not taken again");
    shell_over(&overlay, "echo 2 >> a.txt; rm n.txt; rm -r m in; mknod pipe p").await;
    let taken = take(&mut overlay);
    assert_eq!((taken.added(), taken.refused.len()), (5, 1), "{taken:?}");
    assert_eq!(take(&mut overlay), Taken::default(), "what was refused is not refused again");
    assert_eq!(desk.view(), ["a.txt=a1\n2"]);
    assert_eq!(desk.pending(), ["remove photos/in -> ", "write  -> photos/a.txt"]);
}

#[tokio::test]
async fn what_has_changed_meanwhile_is_a_conflict() {
    let files =
        [("a.txt", "a"), ("b.txt", "b"), ("in/c.txt", "c"), ("in/d.txt", "d"), ("e/f.txt", "f"), ("g.txt", "g")];
    let desk = Desk::new(&files);
    let mut overlay = desk.overlay();
    shell_over(
        &overlay,
        "echo sandbox > a.txt; echo sandbox > b.txt; echo sandbox > new.txt; rm -rf in; echo sandbox > e/f.txt; rm g.txt",
    )
    .await;
    // the person works on: a file rewritten, one removed, one put where another comes, one put into a folder that goes, a folder
    // swapped for another, and a file edited that was removed
    let on = |path: &str| desk.folder.join(path);
    write(&on("a.txt"), "person");
    fs::remove_file(on("b.txt")).unwrap();
    write(&on("new.txt"), "person");
    write(&on("in/late.txt"), "person");
    write(&desk.dir.path().join("swap/f.txt"), "swap");
    fs::rename(on("e"), desk.dir.path().join("e")).unwrap();
    fs::rename(desk.dir.path().join("swap"), on("e")).unwrap();
    write(&on("g.txt"), "person");
    let before = desk.disk();
    let taken = overlay.take(&desk.workspace, "test").unwrap();
    let mut refused: Vec<_> = taken.refused.iter().map(|refused| refused.path.to_string()).collect();
    refused.sort();
    let all = ["photos/a.txt", "photos/b.txt", "photos/e/f.txt", "photos/g.txt", "photos/in", "photos/new.txt"];
    assert_eq!((taken.added(), refused), (0, all.map(str::to_owned).to_vec()), "{taken:?}");
    assert_eq!(desk.pending(), [""; 0]);
    assert_eq!(desk.disk(), before);
}

/// What changes between the taking and the commit is found by the commit, as with every change.
#[tokio::test]
async fn what_changes_after_it_was_taken_is_left_as_it_is() {
    let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b")]);
    desk.shell("echo sandbox > a.txt; echo sandbox > b.txt").await;
    write(&desk.folder.join("a.txt"), "the person's own");
    let done = desk.propose().done.unwrap();
    assert_eq!((done.applied, done.refused.len()), (1, 1));
    assert_eq!(desk.disk(), ["a.txt=the person's own", "b.txt=sandbox"]);
}

#[tokio::test]
async fn a_folder_granted_for_reading_cannot_be_written() {
    let desk = Desk::granted(&[("a.txt", "a")], "photos", Access::Read);
    let (said, taken) = desk.shell("cat a.txt; echo b > a.txt; rm a.txt; echo c > c.txt").await;
    assert_eq!((said.out.as_str(), taken.added()), ("a", 0));
    assert_eq!(said.err.matches("Read-only file system").count(), 3, "{}", said.err);
}

#[tokio::test]
async fn a_folder_may_have_any_name() {
    let desk = Desk::granted(&[("a.txt", "a")], "odd: name,lower=\\x", Access::Write);
    let (said, taken) = desk.shell("pwd; cat a.txt; echo b > b.txt").await;
    assert_eq!((said.out.as_str(), taken.added()), ("/mnt/odd: name,lower=\\x\na", 1), "{}", said.err);
}

#[tokio::test]
async fn a_folder_that_is_another_by_now_is_not_shown() {
    let desk = Desk::new(&[("a.txt", "a")]);
    let overlay = desk.overlay();
    fs::rename(&desk.folder, desk.dir.path().join("elsewhere")).unwrap();
    let secret = desk.dir.path().join("secret");
    write(&secret.join("s.txt"), "secret");
    std::os::unix::fs::symlink(&secret, &desk.folder).unwrap();
    let start = async || {
        let mut confined = crate::kit::script("ls");
        confined.folders.push(overlay.mount());
        deskhand_confine::start(&crate::kit::helper(), confined).await.unwrap_err().to_string()
    };
    assert!(start().await.contains("Not a directory"), "{}", start().await);
    fs::remove_file(&desk.folder).unwrap();
    fs::rename(&secret, &desk.folder).unwrap();
    assert!(start().await.contains("is not the folder any more that was granted"), "{}", start().await);
}

#[tokio::test]
async fn a_file_of_another_mode_keeps_what_it_held() {
    let desk = Desk::new(&[("a.txt", "a")]);
    fs::set_permissions(desk.folder.join("a.txt"), fs::Permissions::from_mode(0o640)).unwrap();
    desk.shell("echo b > a.txt").await;
    desk.propose();
    let mode = fs::metadata(desk.folder.join("a.txt")).unwrap().permissions().mode() & 0o777;
    assert_eq!((desk.disk(), mode), (vec!["a.txt=b".to_owned()], 0o640));
}

#[tokio::test]
async fn that_a_file_was_made_executable_is_told_and_not_taken() {
    let desk = Desk::new(&[("a.sh", "a"), ("b.sh", "b")]);
    fs::set_permissions(desk.folder.join("b.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut overlay = desk.overlay();
    shell_over(&overlay, "echo n > new.sh; chmod +x a.sh new.sh; mv b.sh moved.sh").await;
    let taken = overlay.take(&desk.workspace, "test").unwrap();
    assert_eq!(taken.executable, [at("a.sh"), at("new.sh")]);
    assert!(taken.refused.is_empty(), "{taken:?}");
    assert_eq!(
        taken.bits().as_deref(),
        Some(
            "the executable bit of `photos/a.sh`, `photos/new.sh`; the content is taken. To run such a file, name its \
             interpreter, or have the person make it executable (chmod +x)"
        )
    );
    assert_eq!(desk.pending(), ["move photos/b.sh -> photos/moved.sh", "write  -> photos/new.sh"]);
    assert_eq!(overlay.take(&desk.workspace, "test").unwrap(), Taken::default(), "it is told once");
}

#[tokio::test]
async fn ten_thousand_files_are_taken() {
    let desk = Desk::new(&[]);
    let (said, taken) = desk.shell("mkdir many; cd many; seq 10000 | split -l 1 -a 4 -d - file-").await;
    assert_eq!((said.ended, taken.added(), taken.refused.len()), (Ended::Exited(0), 10_001, 0), "{}", said.err);
}

#[tokio::test]
async fn nothing_is_left_of_a_layer() {
    let desk = Desk::new(&[("a.txt", "a")]);
    let left = || fs::read_dir(desk.place()).unwrap().count();
    let overlay = desk.overlay();
    // deeper than a path is long, and closed to its owner
    let deep = "import os\nfor n in range(300):\n os.mkdir('d' * 200); os.chdir('d' * 200)\n";
    write(&desk.folder.join("deep.py"), deep);
    let said = shell_over(&overlay, "python3 deep.py; mkdir closed; touch closed/x; chmod 0 closed; rm a.txt").await;
    assert_eq!((said.err.as_str(), left()), ("", 1));
    drop(overlay);
    assert_eq!(left(), 0);
    // one whose process died goes with the next
    write(&desk.place().join("layer-1-0/upper/x"), "x");
    let overlay = desk.overlay();
    assert_eq!(left(), 1);
    drop(overlay);
    assert_eq!(left(), 0);
}

#[tokio::test]
async fn what_was_taken_can_be_pending_again_and_no_program_runs_for_it() {
    let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b"), ("c.txt", "c"), ("in/d.txt", "d")]);
    let kept = Kept::in_folder(desk.dir.path().join("home/data/written/1"));
    // a pending change of another kind, which the program goes on from
    let edit = |text: &str| {
        desk.workspace.write(&at("a.txt"), text.as_bytes(), Some(&version(&desk, "a.txt"))).unwrap();
    };
    edit("pending");
    let mut overlay = desk.overlay();
    shell_over(
        &overlay,
        "echo on >> a.txt; rm b.txt; mv c.txt moved.txt; mkdir -p new/deep; echo n > new/deep/n; rm -r in",
    )
    .await;
    let taken = overlay.take(&desk.workspace, "test").unwrap();
    let keep = |kept: &Kept, taken: &Taken| kept.keep("written by a test", &taken.made, &desk.workspace).unwrap();
    assert_eq!((taken.added(), keep(&kept, &taken)), (7, Some(1)));
    shell_over(&overlay, "echo once more >> a.txt").await;
    let taken = overlay.take(&desk.workspace, "test").unwrap();
    assert_eq!(keep(&kept, &taken), Some(2));
    // nothing more is nothing to keep
    let taken = overlay.take(&desk.workspace, "test").unwrap();
    assert_eq!(keep(&Kept::in_folder(desk.dir.path().join("nothing")), &taken), None);
    assert!(!desk.dir.path().join("nothing").exists());
    drop(overlay);
    let (view, pending) = (desk.view(), desk.pending());
    assert_eq!(view, ["a.txt=pendingon\nonce more", "moved.txt=c", "new/", "new/deep/", "new/deep/n=n"]);

    // another process begins with nothing pending, and has first what was pending first
    desk.workspace.discard();
    edit("pending");
    for number in [1, 2] {
        kept.again(number, &desk.workspace).unwrap();
    }
    assert_eq!((desk.view(), desk.pending()), (view, pending));
    let reasons: Vec<_> = desk.workspace.pending(None, 100).into_iter().map(|change| change.reason).collect();
    assert_eq!(reasons.iter().filter(|reason| *reason == "written by a test").count(), reasons.len());

    // what the person has changed meanwhile is theirs
    desk.workspace.discard();
    edit("pending");
    write(&desk.folder.join("b.txt"), "the person's own");
    let changed = "1 of 7 changes: `photos/b.txt` has changed in your folder meanwhile, and stays as it is there";
    assert_eq!(kept.again(1, &desk.workspace).unwrap_err(), changed);
    assert!(desk.view().contains(&"b.txt=the person's own".to_owned()));
    kept.again(3, &desk.workspace).unwrap_err();
    // what is not pending any more is not kept, and that is so as often as it is said
    (0..2).for_each(|_| kept.clear().unwrap());
    kept.again(1, &desk.workspace).unwrap_err();
}
