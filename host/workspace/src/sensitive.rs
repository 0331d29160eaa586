//! Changes that can make something run. Each gets a question of its own, whatever else was agreed to.

use crate::{layer::Content, planning::What, view::View};
use deskhand_vocabulary::FilePath;
use std::{collections::HashMap, os::unix::ffi::OsStrExt as _, sync::LazyLock};

/// Where a rule looks.
enum Rule {
    /// A file or folder of this name, at any depth, and all below it.
    Name(&'static str),
    /// These names one below the other, at any depth, and all below them.
    Names(&'static [&'static str]),
    /// A file whose name ends so.
    Ending(&'static str),
}

use Rule::{Ending, Name, Names};

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
    (Name(".ssh"), "it says who may log in, and how you do"),
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
    (Ending(".desktop"), "opening it starts the program that it names"),
    (Ending(".service"), "the system may run the program that it names"),
    (Ending(".timer"), "the system may run the program that it names"),
];

/// Why a change can make something run, if it can.
pub(crate) fn why(
    view: &View<'_>,
    what: &What,
    source: Option<&FilePath>,
    target: Option<&FilePath>,
) -> Option<String> {
    // copying out of such a place takes nothing from it
    let takes = matches!(what, What::Move { .. } | What::Remove { tidy: false, .. });
    let within = |path: &FilePath| {
        let root = view.root(path).ok().and_then(|index| view.root_of(index).ok())?;
        let above = root.path.as_os_str().as_bytes().split(|b| *b == b'/').filter(|name| !name.is_empty());
        place(&above.chain(path.path.names()).collect::<Vec<_>>())
    };
    if let Some(target) = target
        && let Some(reason) = within(target)
    {
        return Some(format!("`{target}`: {reason}"));
    }
    if let Some(target) = target.filter(|target| hides(what, source, target)) {
        return Some(format!("`{target}`: it is hidden, and programs take their settings from hidden files"));
    }
    if let Some(source) = source.filter(|_| takes)
        && let Some(reason) = within(source)
    {
        return Some(format!("`{source}`: {reason}"));
    }
    let executable = match what {
        What::Arrive { content, replaces, .. } => {
            bits(content) & 0o111 != 0 && replaces.as_ref().is_none_or(|old| old.mode & 0o111 == 0)
        }
        // the mode of the file that is written over is kept
        What::Rewrite { seen, .. } => seen.mode & 0o111 != 0,
        What::Move { seen, replaces: Some(old), .. } => {
            seen.kind == crate::entry::Kind::File && seen.mode & 0o111 != 0 && old.mode & 0o111 == 0
        }
        What::MakeFolder { .. } | What::Move { .. } | What::Remove { .. } => false,
    };
    let target = target.filter(|_| executable)?;
    Some(match what {
        What::Rewrite { .. } => format!("`{target}` can be run as a program, and would have other content"),
        _ => format!("`{target}` would become something that can be run as a program"),
    })
}

/// True if something comes to be hidden, or is written where it is: no table knows all programs. What was hidden before, and what
/// an undo puts back, is not.
fn hides(what: &What, source: Option<&FilePath>, target: &FilePath) -> bool {
    let hidden = |path: &FilePath| path.path.names().any(|name| name.starts_with(b"."));
    hidden(target)
        && match what {
            What::Arrive { content, .. } | What::Rewrite { content, .. } => !matches!(content, Content::Stored(_)),
            What::Move { .. } => source.is_none_or(|source| !hidden(source)),
            What::MakeFolder { .. } | What::Remove { .. } => false,
        }
}

fn bits(content: &Content) -> u32 {
    match content {
        Content::Staged(_) => 0,
        Content::Copy { seen, .. } if seen.kind == crate::entry::Kind::File => seen.mode,
        // what an undo puts back could be run there before
        Content::Stored(kept) if kept.copy && kept.stamp.kind == crate::entry::Kind::File => kept.stamp.mode,
        Content::Copy { .. } | Content::Stored(_) => 0,
    }
}

/// The rules that begin with a name, by that name in lower case: of the many names of a large plan few begin one.
static BEGINNING: LazyLock<HashMap<Vec<u8>, Vec<usize>>> = LazyLock::new(|| {
    let mut rules: HashMap<Vec<u8>, Vec<usize>> = HashMap::new();
    for (at, (rule, _)) in TABLE.iter().enumerate() {
        if let Name(first) | Names([first, ..]) = rule {
            rules.entry(first.as_bytes().to_ascii_lowercase()).or_default().push(at);
        }
    }
    rules
});

impl Rule {
    /// True if a path has just these names at the front of `names`.
    fn begins(&self, names: &[&[u8]]) -> bool {
        let wanted = match self {
            Name(name) => std::slice::from_ref(name),
            Names(names) => names,
            Ending(_) => return false,
        };
        let same = |(here, wanted): (&&[u8], &&str)| here.eq_ignore_ascii_case(wanted.as_bytes());
        names.len() >= wanted.len() && names.iter().zip(wanted).all(same)
    }

    fn ends(&self, last: &[u8]) -> bool {
        let Ending(ending) = self else { return false };
        last.len() > ending.len() && last[last.len() - ending.len()..].eq_ignore_ascii_case(ending.as_bytes())
    }
}

/// What is read or run at a path: by the first rule of the table.
fn place(names: &[&[u8]]) -> Option<&'static str> {
    let last = names.last()?;
    let begun = (0..names.len()).flat_map(|at| {
        let rules = BEGINNING.get(&names[at].to_ascii_lowercase()).into_iter().flatten().copied();
        rules.filter(move |rule| TABLE[*rule].0.begins(&names[at..]))
    });
    let ended = (0..TABLE.len()).filter(|rule| TABLE[*rule].0.ends(last));
    begun.chain(ended).min().map(|rule| TABLE[rule].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_run_things_are_known() {
        let of = |path: &str| place(&path.split('/').map(str::as_bytes).collect::<Vec<_>>());
        assert_eq!(of("home/a/.bashrc"), Some("a shell runs it when it starts"));
        assert_eq!(of("home/a/.config/autostart/x.desktop"), Some("what is in it runs when you log in"));
        assert_eq!(of("home/a/.config/notes.txt"), None);
        assert_eq!(of("work/project/.git/hooks/pre-commit"), Some("git runs what is in it"));
        assert_eq!(of("home/a/Desktop/Game.DESKTOP"), Some("opening it starts the program that it names"));
        assert_eq!(of("home/a/.desktop"), None);
        assert_eq!(of("home/a/.SSH/authorized_keys"), Some("it says who may log in, and how you do"));
        assert_eq!(of("home/a/report.pdf"), None);
    }
}
