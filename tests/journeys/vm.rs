//! `deskhand vm`: where commands run, what is said of it, and the same place by hand.

use crate::terminal::Terminal;
use deskhand_model_server::{Answer, HttpServer};
use deskhand_tests::{Place, Ran, root, snapshot};
use std::{
    fs,
    sync::{Arc, Mutex},
};

/// A home with a folder of photos.
fn place() -> Place {
    let place = Place::new();
    fs::create_dir_all(place.path("home/photos/Trip")).unwrap();
    for (name, text) in [("a.jpg", "one\n"), ("Trip/b.jpg", "two\n")] {
        fs::write(place.path("home/photos").join(name), text).unwrap();
    }
    place
}

fn shell(place: &Place, options: &[&str], line: &str) -> Ran {
    place.deskhand([&["vm", "shell", "--folder", "photos"], options, &["--", "sh", "-c", line]].concat())
}

#[test]
fn what_a_command_by_hand_removes_is_asked_about_and_comes_back() {
    let place = place();
    let before = snapshot(&place.path("home/photos"));
    let refused = shell(&place, &["--yes"], "pwd; rm -rf /mnt/photos/*; ls -A");
    assert_eq!(refused.code, 3, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stdout.starts_with("/mnt/photos\n"), "{}", refused.stdout);
    assert!(refused.stderr.contains("2 removals would be made, which --yes does not cover"), "{}", refused.stderr);
    assert_eq!(snapshot(&place.path("home/photos")), before);
    let agreed = shell(&place, &["--yes", "--allow-removals", "9"], "rm -rf /mnt/photos/*");
    assert_eq!(agreed.code, 0, "{}{}", agreed.stdout, agreed.stderr);
    assert_eq!(fs::read_dir(place.path("home/photos")).unwrap().count(), 0);
    assert_eq!(place.deskhand(["undo", "--yes"]).code, 0);
    assert_eq!(snapshot(&place.path("home/photos")), before);
    assert_eq!(fs::read_dir(place.path("deskhand/cache/sandboxes")).unwrap().count(), 0);
}

#[test]
fn a_shell_by_hand_reads_what_is_piped_in() {
    let place = place();
    let script = "cd /mnt/photos\ncp a.jpg c.jpg\nln -s /etc/passwd link\necho beside >&2\nexit 3\n";
    let ran = place.piped(["vm", "shell", "--folder", "photos", "--yes"], script);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("beside\n") && ran.stderr.contains("It ended with code 3.\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Not taken: photos/link (it is a link"), "{}", ran.stderr);
    assert_eq!(fs::read_to_string(place.path("home/photos/c.jpg")).unwrap(), "one\n");
    assert!(!place.path("home/photos/link").exists());
}

/// What is typed after the shell has ended is an answer, and not for the shell.
#[test]
fn a_shell_at_a_terminal_is_left_before_anything_is_asked() {
    let place = place();
    let mut terminal = Terminal::run(&place, &["vm", "shell", "--folder", "photos"], &[]);
    terminal
        .answer("sandbox:/mnt/photos$ ", "echo one > n.txt; tty; stty size")
        .wait("/dev/pts/")
        .answer("sandbox:/mnt/photos$ ", "exit");
    terminal.wait("photos/").answer("Apply this?", "a");
    let (code, screen) = terminal.end();
    assert_eq!(
        (code, fs::read_to_string(place.path("home/photos/n.txt")).ok().as_deref()),
        (0, Some("one\n")),
        "{screen}"
    );
}

/// What runs in the shell's own terminal is interrupted by Ctrl-C, and left by Ctrl-] where it does not end.
#[test]
fn the_keys_of_a_terminal_are_for_what_runs_in_it() {
    let place = place();
    let mut terminal = Terminal::run(&place, &["vm", "shell", "--folder", "photos"], &[]);
    let prompt = "sandbox:/mnt/photos$ ";
    terminal.answer(prompt, "sh -c 'echo begun; exec sleep 600'").wait("\nbegun").press("\u{3}");
    terminal
        .answer(prompt, "echo kept > n.txt; trap '' INT; echo again; sleep 600")
        .wait("\nagain")
        .press("\u{3}\u{1d}");
    terminal.answer("Apply this?", "a");
    let (code, screen) = terminal.end();
    let written = fs::read_to_string(place.path("home/photos/n.txt")).ok();
    assert_eq!((code, written.as_deref()), (1, Some("kept\n")), "{screen}");
}

#[test]
fn a_shell_by_hand_reaches_the_hosts_that_were_named() {
    let place = place();
    let page = HttpServer::start(|_| Answer::new(200, "text/plain", "from the host"));
    let fetch = format!(
        "python3 -c 'import urllib.request; print(urllib.request.urlopen(\"{}\").read().decode())'",
        page.url()
    );
    let refused = shell(&place, &[], &fetch);
    assert_eq!((refused.code, refused.stdout.as_str()), (1, ""), "{}", refused.stderr);
    let reached = shell(&place, &["--host", "127.0.0.1"], &fetch);
    assert_eq!((reached.code, reached.stdout.as_str()), (0, "from the host\n"), "{}", reached.stderr);
}

#[test]
fn it_is_said_where_commands_run_and_why() {
    let place = Place::new();
    let facts = |place: &Place| {
        serde_json::from_str::<serde_json::Value>(&place.deskhand(["vm", "info", "--json"]).ok()).unwrap()
    };
    let before = facts(&place);
    assert_eq!(
        (before["backend"].as_str(), before["commands"].as_str(), before["sandbox"].as_str(), before["image"].as_str()),
        (
            None,
            Some("of your agent do not run: you have not allowed the sandbox (deskhand vm allow)"),
            Some("works, with bubblewrap"),
            Some("none is built (deskhand vm build)")
        )
    );
    assert_eq!(
        place.deskhand(["vm", "allow"]).ok(),
        "Your agent may run commands and code in a sandbox of this computer from now on. It is a weaker boundary than a \
         virtual machine: the kernel is the same.\nTake it back with: deskhand revoke 1\n"
    );
    let after = facts(&place);
    assert_eq!(
        (after["backend"].as_str(), after["commands"].as_str()),
        (Some("bubblewrap"), Some("of your agent run in the sandbox, a weaker boundary than a virtual machine"))
    );
    let doctor = place.deskhand(["doctor"]).stdout;
    assert!(
        doctor.contains("ok    commands           of your agent run in the sandbox, a weaker boundary"),
        "{doctor}"
    );
}

#[test]
fn nothing_is_allowed_where_there_is_no_sandbox() {
    let place = Place::new();
    fs::create_dir(place.path("empty")).unwrap();
    let mut command = place.command(deskhand_tests::deskhand());
    let ran = Ran::of(command.args(["vm", "allow"]).env("PATH", place.path("empty")).output().unwrap());
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            1,
            "There is no sandbox on this computer: bubblewrap is not installed. Install the package `bubblewrap`. Nothing was \
             allowed.\n"
        )
    );
    assert_eq!(place.deskhand(["grants", "--json"]).ok(), "");
}

#[test]
fn the_boundary_of_the_sandbox_holds() {
    let place = Place::new();
    let checked = place.deskhand(["vm", "check"]).ok();
    // some kernels deny even this (Yama), which they need not
    let memory = ["open the memory of the first process", "write to the memory of another process"];
    let harmless =
        |text: String, probe| text.replace(&format!("denied       {probe}"), &format!("harmless     {probe}"));
    let checked = memory.into_iter().fold(checked, harmless);
    insta::assert_snapshot!(checked);
}

#[test]
fn a_package_that_does_not_come_is_said_by_name_and_nothing_is_left_to_prune() {
    let place = Place::new();
    let archive = HttpServer::start(|_| Answer::new(404, "text/plain", "not here"));
    let ran = place.deskhand(["vm", "build", "--mirror", &archive.url(), "--index", "none"]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(
        ran.stderr.contains("could not be fetched: ") && ran.stderr.contains(" answers with status 404"),
        "{}",
        ran.stderr
    );
    assert_eq!(place.deskhand(["vm", "prune"]).ok(), "Freed 0 B.\n");
}

/// A package index with one page, on which a link leads to what is no wheel.
fn index(link: &'static str) -> HttpServer {
    HttpServer::start(move |heard| match heard.target.as_str() {
        "/simple/python-pptx/" => {
            Answer::new(200, "text/html", format!("<!DOCTYPE html><body><a href=\"{link}\">it</a>"))
        }
        "/files/python_pptx-1.0.2-py3-none-any.whl" => Answer::new(200, "application/octet-stream", "no wheel"),
        _ => Answer::new(404, "text/plain", "not here"),
    })
}

const ELSEWHERE: &str = "../../files/python_pptx-1.0.2-py3-none-any.whl#sha256=00";

#[test]
fn a_wheel_comes_from_the_index_that_was_named_and_is_the_one_that_the_recipe_names() {
    let place = Place::new();
    let other = index(ELSEWHERE);
    let simple = format!("{}/simple", other.url());
    let build = |words: &[&str]| place.deskhand([&["vm", "build", "--mirror", "http://127.0.0.1:9"], words].concat());
    let expected = "160838e0b8565a8b1f67947675886e9fea18aa5e795db7ae531606d68e785cba";
    let found = deskhand_vocabulary::Sha256::of("no wheel");
    let changed = format!(
        "The package python-pptx is not the one that the recipe names (sha256 {found} instead of {expected}); nothing of it was \
         used.\n"
    );
    assert_eq!(build(&["--index", &simple]).stderr, changed);

    // as pip is set: in its file, and before that in the environment
    fs::create_dir_all(place.path("home/.config/pip")).unwrap();
    fs::write(place.path("home/.config/pip/pip.conf"), format!("[global]\nindex-url = {simple}/\n")).unwrap();
    assert_eq!(build(&[]).stderr, changed);
    let empty = index("python_pptx-1.0.1-py3-none-any.whl");
    let mut command = place.command(deskhand_tests::deskhand());
    command
        .args(["vm", "build", "--mirror", "http://127.0.0.1:9"])
        .env("PIP_INDEX_URL", format!("{}/simple", empty.url()));
    let ran = Ran::of(command.output().unwrap());
    let absent = format!(
        "The package python-pptx could not be fetched: {}/simple/python-pptx/ has no file python_pptx-1.0.2-py3-none-any.whl; \
         name another index (--index URL), or none (--index none). Try again; packages that came are kept.\n",
        empty.url()
    );
    assert_eq!((ran.code, ran.stderr), (1, absent));
    let wrong = build(&["--index", "nowhere"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.starts_with("`nowhere` is no address of a package index: "), "{}", wrong.stderr);
    assert_eq!(fs::read_dir(place.path("deskhand/cache/guests/images")).unwrap().count(), 0);
}

/// Packages that the settings name are looked up first, in the list that the recipe names by its digest.
#[test]
fn a_list_of_packages_that_has_changed_is_refused_and_no_image_is_built() {
    let place = Place::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let targets = Arc::clone(&heard);
    let archive = HttpServer::start(move |request| {
        targets.lock().unwrap().push(request.target.clone());
        match request.target.ends_with("/Packages.xz") {
            true => Answer::new(200, "application/x-xz", "a newer one"),
            false => Answer::new(404, "text/plain", "not here"),
        }
    });
    fs::create_dir_all(place.path("deskhand/config")).unwrap();
    fs::write(place.path("deskhand/config/config.toml"), "[vm]\npackages = [\"yajl-tools\"]\n").unwrap();
    let ran = place.deskhand(["vm", "build", "--mirror", &archive.url(), "--index", "none"]);
    let recipe = fs::read_to_string(root().join("vm-bridge/image/recipe/list")).unwrap();
    let digest = recipe.trim().rsplit('\t').next().unwrap();
    let found = deskhand_vocabulary::Sha256::of("a newer one");
    let expected = format!(
        "The list of what the archive has did not come as the recipe names it: its sha256 is {found} instead of {digest}. Try \
         again. If the archive has moved on, it has another list: use a newer Deskhand, an archive that keeps older states \
         (--mirror URL), or no `vm.packages` in the settings.\n"
    );
    assert_eq!((ran.code, ran.stderr), (1, expected));
    let suite = "/dists/bookworm/main/binary-amd64";
    let mut heard = heard.lock().unwrap().clone();
    heard.dedup();
    assert_eq!(heard, [format!("{suite}/by-hash/SHA256/{digest}"), format!("{suite}/Packages.xz")]);
    assert_eq!(fs::read_dir(place.path("deskhand/cache/guests/images")).unwrap().count(), 0);
}
