//! How things look to a person: plans, sizes, tables. Pure: data in, text out. Text that is not Deskhand's own is made
//! safe here, and nowhere else.

mod columns;
pub(crate) mod difference;
mod done;
mod others;
mod path;
mod plan;
mod quantity;
mod tree;

pub(crate) use columns::columns;
pub(crate) use done::Done;
pub(crate) use others::{Asker, choice, said};
pub(crate) use path::{apart, path};
pub(crate) use plan::{Detail, plan, removals, removed, sensitive, too_much};
pub(crate) use quantity::{bytes, count, counted, duration};

use deskhand_vocabulary::{Notice, Principal, text};

/// One line of untrusted text.
pub(crate) fn line(text: &str) -> String {
    text::safe(text, false)
}

/// Several lines of untrusted text.
pub(crate) fn lines(text: &str) -> String {
    text::safe(text, true)
}

/// A sentence: with a capital at its beginning and a point at its end. What begins with a name or path keeps its letters,
/// and a command at the end is left as it can be copied.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let word = text.split([' ', ',', '\n']).next().unwrap_or_default().trim_end_matches(':');
    let mut out = match text.chars().next() {
        Some(first) if word.chars().all(|c| c.is_ascii_lowercase() || c == '\'') => {
            first.to_uppercase().chain(text.chars().skip(1)).collect()
        }
        _ => text.to_owned(),
    };
    let last = out.lines().last().unwrap_or_default();
    let tail = last.rsplit(": ").next().unwrap_or_default();
    let command = tail.len() < last.len() && ["deskhand ", "export ", "/"].iter().any(|start| tail.starts_with(start));
    if !out.is_empty() && !command && !last.starts_with(' ') && !out.ends_with(['.', '!', '?', ':', '…']) {
        out.push('.');
    }
    out
}

/// What somebody has to say. Deskhand's own is a sentence.
pub(crate) fn notice(notice: &Notice) -> String {
    match &notice.origin {
        Principal::Person => sentence(&lines(&notice.text)),
        other => said(other, &notice.text),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Who says something: nothing for Deskhand itself, the plugin's name for a plugin.
pub(crate) fn origin(origin: &Principal) -> String {
    match origin {
        Principal::Person => String::new(),
        Principal::Plugin(plugin) => format!("[{plugin}] "),
        Principal::Agent => "[agent] ".to_owned(),
        Principal::Client(name) => format!("[client {name}] "),
        Principal::Server(server) => format!("[MCP server {server}] "),
    }
}

#[cfg(test)]
mod tests {
    use super::{list, sentence};

    #[test]
    fn sentences_begin_and_end() {
        for (said, shown) in [
            ("there is no grant 9. `deskhand grants` lists them", "There is no grant 9. `deskhand grants` lists them."),
            ("home:organize says: it is so.", "home:organize says: it is so."),
            ("/a/b is not a folder", "/a/b is not a folder."),
            ("nothing is set. Set it: export EDITOR=nano", "Nothing is set. Set it: export EDITOR=nano"),
            ("See them with: deskhand commands", "See them with: deskhand commands"),
            ("a thing: why", "A thing: why."),
            ("these:\n  one", "These:\n  one"),
            ("", ""),
        ] {
            assert_eq!(sentence(said), shown);
        }
    }

    #[test]
    fn lists_read_well() {
        let of = |parts: &[&str]| list(&parts.iter().map(|part| (*part).to_owned()).collect::<Vec<_>>());
        assert_eq!([of(&[]), of(&["a"]), of(&["a", "b"]), of(&["a", "b", "c"])], ["", "a", "a and b", "a, b and c"]);
    }
}
