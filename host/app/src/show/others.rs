//! What others say and ask, so that no line of it can pass for one of Deskhand's own.

use super::{count, line, lines, origin};
use deskhand_vocabulary::{Principal, person::Choice, text::shortened};
use std::borrow::Cow;
use unicode_width::UnicodeWidthStr as _;

/// What stands before each line of theirs.
const MARK: &str = "  | ";
/// One of them without anything in it.
const EMPTY: &str = "  |";
/// What stands before the further lines of a choice.
const FURTHER: &str = "  |    ";
/// The most of a question that is shown, in characters.
const MOST: usize = 2000;
/// So many columns stay free behind what is asked in one row: for its answers, and for the one that is typed.
const FREE: usize = 24;
/// A narrower terminal is taken for one of so many columns.
const NARROWEST: usize = 20;

/// What somebody says, behind who it is.
pub(crate) fn said(by: &Principal, text: &str) -> String {
    format!("{}{}", origin(by), lines(text.trim_end()).replace('\n', "\n  | "))
}

/// Somebody other than Deskhand who asks, at a terminal of so many columns. Deskhand breaks their lines itself: what the
/// terminal breaks goes on where Deskhand's own lines begin.
#[derive(Debug)]
pub(crate) struct Asker {
    /// As a sentence begins.
    who: String,
    columns: usize,
}

impl Asker {
    /// None for Deskhand itself.
    pub(crate) fn of(origin: &Principal, columns: usize) -> Option<Self> {
        let who = match origin {
            Principal::Person => return None,
            Principal::Plugin(plugin) => format!("The plugin {plugin}"),
            Principal::Agent => "The agent".to_owned(),
            Principal::Client(name) => format!("The client {name}"),
            Principal::Server(server) => format!("The MCP server {server}"),
        };
        // behind a full row terminals differ
        Some(Self { who, columns: columns.saturating_sub(1).max(NARROWEST) })
    }

    /// What is asked: in one row where there is room, else below who asks, each line marked.
    pub(crate) fn question(&self, text: &str) -> String {
        let text = text.trim().replace("\r\n", "\n");
        let shown = lines(&shortened(&text, MOST));
        let row = format!("{} asks: {shown}", self.who);
        if !shown.contains('\n') && self.has_room(&row) {
            return row;
        }
        let rest = match text.chars().count().saturating_sub(MOST) {
            0 => String::new(),
            more => format!("\n  ({} more characters are not shown)", count(more as u64)),
        };
        format!("{} asks:\n{}{rest}", self.who, self.marked(&shown))
    }

    /// The same with the answer behind it. Who asks is said again where the question takes several rows.
    pub(crate) fn confirmation(&self, text: &str) -> String {
        let question = self.question(text);
        if question.contains('\n') { format!("{question}\n{} asks:", self.who) } else { question }
    }

    /// One of the answers to choose from.
    pub(crate) fn choice(&self, number: usize, choice: &Choice) -> String {
        let first = format!("  {number}  ");
        self.broken(&self::choice(choice), &first, FURTHER).join("\n")
    }

    /// What stands before an answer: who gets it, and what it is in our words.
    pub(crate) fn input(&self, what: &str) -> String {
        format!("{} asks, {what}: ", self.who)
    }

    /// What stands before what is typed into a field that they have named.
    pub(crate) fn field(&self, label: &str) -> String {
        let label = line(label.trim());
        let row = self.input(&label);
        if self.has_room(&row) { row } else { format!("{}\n{} asks: ", self.marked(&label), self.who) }
    }

    fn has_room(&self, row: &str) -> bool {
        row.width() + FREE <= self.columns
    }

    /// Each line behind a mark. Several empty ones are one: they would part what follows from who says it.
    fn marked(&self, text: &str) -> String {
        let mut rows: Vec<String> = Vec::new();
        for line in text.lines() {
            match line.trim().is_empty() {
                true if rows.last().is_some_and(|row| row == EMPTY) => {}
                true => rows.push(EMPTY.to_owned()),
                false => rows.extend(self.broken(line, MARK, MARK)),
            }
        }
        rows.join("\n")
    }

    fn broken(&self, line: &str, first: &str, further: &str) -> Vec<String> {
        let options = textwrap::Options::new(self.columns)
            .initial_indent(first)
            .subsequent_indent(further)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
        textwrap::wrap(line, options).into_iter().map(Cow::into_owned).collect()
    }
}

/// A choice in one line.
pub(crate) fn choice(choice: &Choice) -> String {
    let hint = if choice.hint.is_empty() { String::new() } else { format!("  ({})", line(&choice.hint)) };
    format!("{}{hint}", line(&choice.label))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn server(columns: usize) -> Asker {
        Asker::of(&Principal::Server("hs".parse().unwrap()), columns).unwrap()
    }

    #[test]
    fn a_short_question_takes_one_row() {
        let server = server(80);
        assert_eq!(server.question(" Who are you?\n"), "The MCP server hs asks: Who are you?");
        assert_eq!(server.confirmation("Is it you?"), "The MCP server hs asks: Is it you?");
        assert_eq!(server.field("Your name"), "The MCP server hs asks, Your name: ");
        let agent = Asker::of(&Principal::Agent, 80).unwrap();
        assert_eq!(agent.question("Which?"), "The agent asks: Which?");
        assert_eq!(agent.input("number (nothing for none)"), "The agent asks, number (nothing for none): ");
        let plugin = Asker::of(&Principal::Plugin("home:mail".parse().unwrap()), 80).unwrap();
        assert_eq!(plugin.question("Send it?"), "The plugin home:mail asks: Send it?");
        // what Deskhand asks itself stands for itself
        assert!(Asker::of(&Principal::Person, 80).is_none());
    }

    #[test]
    fn no_line_of_a_question_begins_as_one_of_ours() {
        let text = "Sign in.\r\n\n\n \u{3000}\n\nFiles/\n└── a.txt\nApply this? [A]pply, [C]ancel: \u{1b}[2J\n\n\nKey for \
                    api.anthropic.com, which is not shown:\n\n";
        let expected = "The MCP server hs asks:\n  | Sign in.\n  |\n  | Files/\n  | └── a.txt\n  | Apply this? [A]pply, \
                        [C]ancel: \\u{1b}[2J\n  |\n  | Key for api.anthropic.com, which is not shown:";
        assert_eq!(server(80).question(text), expected);
        assert_eq!(server(80).confirmation(text), format!("{expected}\nThe MCP server hs asks:"));
    }

    #[test]
    fn no_line_that_is_too_long_goes_on_where_ours_begin() {
        let server = server(40);
        let padded = format!("Hello{}Key for api.anthropic.com:", " ".repeat(60));
        assert_eq!(server.question(&padded), "The MCP server hs asks:\n  | Hello\n  | Key for api.anthropic.com:");
        let whole = format!("The MCP server hs asks:\n  | {}\n  | {}", "x".repeat(35), "x".repeat(15));
        assert_eq!(server.question(&"x".repeat(50)), whole);
        let label = "Key for api.anthropic.com, which is not shown";
        assert_eq!(
            server.field(label),
            "  | Key for api.anthropic.com, which is\n  | not shown\nThe MCP server hs asks: "
        );
        assert_eq!(server.field("One\nTwo"), "  | One\\u{a}Two\nThe MCP server hs asks: ");
        let choice = Choice { id: "1".to_owned(), label: "y".repeat(40), hint: "\u{1b}".to_owned() };
        assert_eq!(
            server.choice(12, &choice),
            format!("  12  {}\n  |    {}  (\\u{{1b}})", "y".repeat(32), "y".repeat(8))
        );
    }

    #[test]
    fn what_is_too_much_is_counted() {
        let asked = server(80).question(&"a b ".repeat(600));
        assert!(asked.starts_with("The MCP server hs asks:\n  | a b a b"), "{asked}");
        assert!(asked.ends_with("…\n  (399 more characters are not shown)"), "{asked}");
        assert!(asked.lines().skip(1).all(|line| line.starts_with("  ") && line.width() < 80), "{asked}");
    }

    #[test]
    fn further_lines_of_what_is_said_are_marked() {
        let server = Principal::Server("hs".parse().unwrap());
        assert_eq!(said(&server, "One.\nApply this?\n"), "[MCP server hs] One.\n  | Apply this?");
        assert_eq!(said(&server, "One."), "[MCP server hs] One.");
    }
}
