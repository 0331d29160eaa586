//! The table of what is run or read by itself, by its path.

use std::{collections::HashMap, sync::LazyLock};

/// Where a rule looks.
enum Rule {
    /// A file or folder of this name, at any depth, and all below it.
    Name(&'static str),
    /// These names one below the other, at any depth, and all below them.
    Names(&'static [&'static str]),
    /// One of these names in a folder of this name, at any depth, and all below it.
    OneOf(&'static str, &'static [&'static str]),
    /// A file whose name ends so.
    Ending(&'static str),
    /// A file whose name ends so, in a folder of this name.
    EndingIn(&'static str, &'static str),
    /// Each of these names, where all of them are in one folder.
    Together(&'static [&'static str]),
}

use Rule::{Ending, EndingIn, Name, Names, OneOf, Together};

/// What git runs where its hooks lie (githooks(5)).
const HOOKS: &[&str] = &[
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "p4-changelist",
    "p4-post-changelist",
    "p4-pre-submit",
    "p4-prepare-changelist",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

/// The whole table: where, and what is read or run there.
const TABLE: &[(Rule, &str)] = &[
    (Name(".bashrc"), "a shell runs it when it starts"),
    (Name(".bash_profile"), "a shell runs it when you log in"),
    (Name(".bash_login"), "a shell runs it when you log in"),
    (Name(".bash_logout"), "a shell runs it when you log out"),
    (Name(".bash_aliases"), "a shell runs it when it starts"),
    (Name(".profile"), "a shell runs it when you log in"),
    (Name(".zshrc"), "a shell runs it when it starts"),
    (Name(".zshenv"), "a shell runs it when it starts"),
    (Name(".zprofile"), "a shell runs it when you log in"),
    (Name(".zlogin"), "a shell runs it when you log in"),
    (Name(".zlogout"), "a shell runs it when you log out"),
    (Name(".kshrc"), "a shell runs it when it starts"),
    (Name(".cshrc"), "a shell runs it when it starts"),
    (Name(".tcshrc"), "a shell runs it when it starts"),
    (Name(".login"), "a shell runs it when you log in"),
    (Name(".inputrc"), "shells read it when they start"),
    (Names(&[".config", "fish"]), "a shell runs what is in it"),
    (Name(".envrc"), "direnv runs it in that folder"),
    (Name(".xinitrc"), "the desktop runs it when it starts"),
    (Name(".xsession"), "the desktop runs it when it starts"),
    (Name(".xprofile"), "the desktop runs it when it starts"),
    (Name(".Xresources"), "the desktop reads it when it starts"),
    (Name(".pam_environment"), "it is read when you log in"),
    (Names(&[".config", "environment.d"]), "it is read when you log in"),
    (Names(&[".config", "autostart"]), "what is in it runs when you log in"),
    (Names(&[".config", "autostart-scripts"]), "what is in it runs when you log in"),
    (Names(&[".config", "plasma-workspace"]), "what is in it runs when you log in"),
    (Names(&[".config", "systemd"]), "the system runs the services in it"),
    (Names(&[".local", "share", "systemd"]), "the system runs the services in it"),
    (Names(&[".local", "share", "applications"]), "the menu starts programs by it"),
    (Names(&[".local", "share", "dbus-1"]), "the desktop starts programs by it"),
    (Names(&[".local", "share", "nautilus", "scripts"]), "the file manager runs what is in it"),
    (Names(&[".local", "bin"]), "programs in it run by their name"),
    (Names(&[".config", "mimeapps.list"]), "it says which program opens a file"),
    (Names(&[".git", "hooks"]), "git runs what is in it"),
    (Names(&[".git", "config"]), "git runs commands that it names"),
    (Names(&[".config", "git"]), "git runs commands that it names"),
    (Name(".gitconfig"), "git runs commands that it names"),
    (Name(".husky"), "git runs what is in it"),
    (OneOf("hooks", HOOKS), "git runs it"),
    // a repository without a folder around it, and a working tree of one (gitrepository-layout(5))
    (
        Together(&["HEAD", "config", "objects", "refs"]),
        "they make a repository, and git runs commands that its settings name",
    ),
    (Together(&["HEAD", "commondir"]), "they make a repository, and git runs commands that its settings name"),
    (Name(".ssh"), "it says who may log in, and how you do"),
    (Name("authorized_keys"), "it says who may log in"),
    (Name("authorized_keys2"), "it says who may log in"),
    (Name(".gnupg"), "it holds your keys"),
    (Name(".netrc"), "it holds passwords"),
    (Name(".npmrc"), "npm takes its settings and passwords from it"),
    (Names(&[".cargo", "config.toml"]), "cargo runs programs that it names"),
    (Names(&[".cargo", "bin"]), "programs in it run by their name"),
    (Name(".vimrc"), "the editor runs it when it starts"),
    (Name(".exrc"), "the editor runs it when it starts"),
    (Names(&[".config", "nvim"]), "the editor runs what is in it"),
    (Name(".emacs"), "the editor runs it when it starts"),
    (Name(".emacs.d"), "the editor runs what is in it"),
    (Names(&[".vscode", "tasks.json"]), "the editor runs commands that it names"),
    (Name(".tmux.conf"), "tmux runs commands that it names"),
    (Name(".screenrc"), "screen runs commands that it names"),
    (Name("crontab"), "cron runs commands that it names"),
    (Name("cron.d"), "cron runs what is in it"),
    (Name("cron.hourly"), "cron runs what is in it"),
    (Name("cron.daily"), "cron runs what is in it"),
    (Name("cron.weekly"), "cron runs what is in it"),
    (Name("cron.monthly"), "cron runs what is in it"),
    (Name("usercustomize.py"), "Python runs it when it starts"),
    (Name("sitecustomize.py"), "Python runs it when it starts"),
    (Name("pyvenv.cfg"), "it says which Python is run there"),
    // what is called so elsewhere is no program of Python's: weights of models often are
    (EndingIn("site-packages", ".pth"), "Python runs what is in it when it starts"),
    (EndingIn("dist-packages", ".pth"), "Python runs what is in it when it starts"),
    (Ending(".desktop"), "opening it starts the program that it names"),
    (Ending(".service"), "the system may run the program that it names"),
    (Ending(".timer"), "the system may run the program that it names"),
    (Ending(".socket"), "the system may start a service by it"),
    (Ending(".path"), "the system may start a service by it"),
];

/// The rules that look at a name, by what they look for there in lower case: of the many names of a large plan few are in one.
struct Index {
    names: HashMap<Vec<u8>, Vec<usize>>,
    /// With the dot.
    endings: HashMap<Vec<u8>, Vec<usize>>,
    /// Names that say something with others beside them.
    together: Vec<&'static str>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let mut index = Index { names: HashMap::new(), endings: HashMap::new(), together: Vec::new() };
    for (at, (rule, _)) in TABLE.iter().enumerate() {
        let (last, endings) = match rule {
            Name(name) => (std::slice::from_ref(name), false),
            Names(names) => (&names[names.len() - 1..], false),
            OneOf(_, names) => (*names, false),
            Ending(ending) | EndingIn(_, ending) => (std::slice::from_ref(ending), true),
            Together(names) => {
                index.together.extend_from_slice(names);
                continue;
            }
        };
        let rules = if endings { &mut index.endings } else { &mut index.names };
        for last in last {
            rules.entry(last.as_bytes().to_ascii_lowercase()).or_default().push(at);
        }
    }
    index
});

fn same(name: &[u8], wanted: &str) -> bool {
    name.eq_ignore_ascii_case(wanted.as_bytes())
}

/// True if these names are the last ones of a path.
fn last_are(path: &[&[u8]], wanted: &[&str]) -> bool {
    let Some(from) = path.len().checked_sub(wanted.len()) else { return false };
    path[from..].iter().zip(wanted).all(|(name, wanted)| same(name, wanted))
}

impl Rule {
    /// True if what it wants above the name that it looks at is there.
    fn is_below(&self, above: &[&[u8]]) -> bool {
        match self {
            Name(_) | Ending(_) => true,
            Names(names) => last_are(above, &names[..names.len() - 1]),
            OneOf(folder, _) | EndingIn(folder, _) => last_are(above, &[*folder]),
            Together(_) => false,
        }
    }

    /// True if a path may go on to what it looks for.
    fn goes_on_below(&self, path: &[&[u8]]) -> bool {
        match self {
            Names(names) => (1..names.len()).any(|count| last_are(path, &names[..count])),
            OneOf(folder, _) | EndingIn(folder, _) => last_are(path, &[*folder]),
            Name(_) | Ending(_) | Together(_) => false,
        }
    }
}

/// The rules that have the last name of a path, whether it is a file's or a folder's.
fn named(path: &[&[u8]]) -> impl Iterator<Item = usize> {
    let last = path.last().map(|last| last.to_ascii_lowercase());
    fitting(last.and_then(|last| INDEX.names.get(&last)), path)
}

/// The rules that have the ending of a path, which is not its whole name.
fn ending(path: &[&[u8]]) -> impl Iterator<Item = usize> {
    let end = path.last().and_then(|last| {
        let dot = last.iter().rposition(|byte| *byte == b'.').filter(|at| *at > 0)?;
        Some(last[dot..].to_ascii_lowercase())
    });
    fitting(end.and_then(|end| INDEX.endings.get(&end)), path)
}

fn fitting(rules: Option<&'static Vec<usize>>, path: &[&[u8]]) -> impl Iterator<Item = usize> {
    let above = path.split_last().map_or(path, |(_, above)| above);
    rules.into_iter().flatten().copied().filter(move |rule| TABLE[*rule].0.is_below(above))
}

fn reason(rule: Option<usize>) -> Option<&'static str> {
    rule.map(|rule| TABLE[rule].1)
}

/// What is read or run at a path, or in a folder above it: by the first rule of the table.
pub(super) fn at(path: &[&[u8]]) -> Option<&'static str> {
    let named = (1..=path.len()).flat_map(|end| named(&path[..end]));
    reason(named.chain(ending(path)).min())
}

/// What is read or run at a path, where nothing is in the folders above it.
pub(super) fn just_at(path: &[&[u8]], folder: bool) -> Option<&'static str> {
    let ending = ending(path).filter(|_| !folder);
    reason(named(path).chain(ending).min())
}

/// What may be read or run below a path. Nothing of it is looked at.
pub(super) fn below(path: &[&[u8]]) -> Option<&'static str> {
    reason((0..TABLE.len()).find(|rule| TABLE[*rule].0.goes_on_below(path)))
}

/// True if a name says something together with others beside it.
pub(super) fn wants_others(name: &[u8]) -> bool {
    INDEX.together.iter().any(|wanted| same(name, wanted))
}

/// What all of the names in a folder say together. With `of`, it must have a part in that.
pub(super) fn together<N: AsRef<[u8]>>(names: &[N], of: Option<&[u8]>) -> Option<&'static str> {
    let there = |wanted: &&str| names.iter().any(|name| same(name.as_ref(), wanted));
    let all = |rule: &Rule| match rule {
        Together(wanted) => {
            of.is_none_or(|of| wanted.iter().any(|wanted| same(of, wanted))) && wanted.iter().all(there)
        }
        _ => false,
    };
    reason((0..TABLE.len()).find(|rule| all(&TABLE[*rule].0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(path: &str) -> Vec<&[u8]> {
        path.split('/').map(str::as_bytes).collect()
    }

    fn of(path: &str) -> Option<&'static str> {
        at(&names(path))
    }

    #[test]
    fn places_that_run_things_are_known() {
        assert_eq!(of("home/a/.bashrc"), Some("a shell runs it when it starts"));
        assert_eq!(of("home/a/.config/autostart/x.desktop"), Some("what is in it runs when you log in"));
        assert_eq!(of("home/a/.config/notes.txt"), None);
        assert_eq!(of("work/project/.git/hooks/pre-commit"), Some("git runs what is in it"));
        assert_eq!(of("home/a/Desktop/Game.DESKTOP"), Some("opening it starts the program that it names"));
        assert_eq!(of("home/a/.desktop"), None);
        assert_eq!(of("home/a/.SSH/authorized_keys"), Some("it says who may log in, and how you do"));
        assert_eq!(of("home/a/report.pdf"), None);
    }

    #[test]
    fn what_runs_need_not_be_hidden() {
        let python = Some("Python runs what is in it when it starts");
        let service = Some("the system may start a service by it");
        let program = Some("the system may run the program that it names");
        let login = Some("it says who may log in");
        for (path, expected) in [
            ("srv/project.git/hooks/post-receive", Some("git runs it")),
            ("srv/project.git/Hooks/Post-Commit", Some("git runs it")),
            ("srv/project.git/hooks/update/part", Some("git runs it")),
            ("srv/project.git/hooks/post-commit.sample", None),
            ("srv/project.git/hooks", None),
            ("srv/update", None),
            ("env/lib/python3.13/site-packages/first.pth", python),
            ("usr/lib/python3/dist-packages/first.PTH", python),
            ("models/resnet.pth", None),
            ("env/lib/python3.13/site-packages/.pth", None),
            ("env/lib/python3.13/site-packages/torch/resnet.pth", None),
            ("env/lib/sitecustomize.py", Some("Python runs it when it starts")),
            ("env/lib/usercustomize.py", Some("Python runs it when it starts")),
            ("env/pyvenv.cfg", Some("it says which Python is run there")),
            ("backup/authorized_keys", login),
            ("backup/authorized_keys2", login),
            ("units/a.service", program),
            ("units/a.timer", program),
            ("units/a.socket", service),
            ("units/a.path", service),
            ("units/a.path/notes", None),
        ] {
            assert_eq!(of(path), expected, "{path}");
        }
    }

    #[test]
    fn every_hook_of_git_is_known() {
        let known = |hook: &&&str| of(&format!("hooks/{hook}")) == Some("git runs it");
        assert_eq!(HOOKS.iter().filter(known).count(), 28);
    }

    #[test]
    fn names_that_make_a_repository_count_together() {
        let why = Some("they make a repository, and git runs commands that its settings name");
        let whole = ["HEAD", "notes", "Config", "objects", "refs"];
        assert_eq!(together(&whole, None), why);
        assert_eq!(together(&whole, Some(b"refs")), why);
        assert_eq!(together(&whole, Some(b"notes")), None);
        assert_eq!(together(&["HEAD", "objects", "refs"], None), None);
        assert_eq!(together(&["commondir", "HEAD"], Some(b"commondir")), why);
        assert_eq!(together(&[""; 0], None), None);
        assert!(["head", "config", "objects", "refs", "commondir"].iter().all(|name| wants_others(name.as_bytes())));
        assert!(!wants_others(b"index"));
    }

    #[test]
    fn what_may_come_below_is_known() {
        let after = |path: &str| below(&names(path));
        assert_eq!(after("a/.local/share"), Some("the system runs the services in it"));
        assert_eq!(after("a/.config"), Some("a shell runs what is in it"));
        assert_eq!(after("project.git/hooks"), Some("git runs it"));
        assert_eq!(after("lib/site-packages"), Some("Python runs what is in it when it starts"));
        assert_eq!(after("a/share"), None);
    }

    #[test]
    fn a_folder_is_not_known_by_what_it_lies_in() {
        let just = |path: &str, folder| just_at(&names(path), folder);
        assert_eq!(just("a/x.desktop", false), Some("opening it starts the program that it names"));
        assert_eq!(just("a/x.desktop", true), None);
        assert_eq!(just("a/.git/hooks", true), Some("git runs what is in it"));
        assert_eq!(just("a/.git/hooks/x", false), None);
    }

    /// What is hidden in a folder that is moved is not looked at; see the walk.
    #[test]
    fn a_rule_has_a_hidden_name_only_at_its_front() {
        for (rule, _) in TABLE {
            let behind: &[&str] = match rule {
                Names(names) => &names[1..],
                OneOf(_, names) | Together(names) => names,
                Name(_) | Ending(_) | EndingIn(..) => &[],
            };
            assert_eq!(behind.iter().filter(|name| name.starts_with('.')).count(), 0, "{behind:?}");
        }
    }
}
