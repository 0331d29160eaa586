//! What a task has read of the outside, byte for byte, and whether a report quotes it as it is. The check is the host's: a
//! model that says that it has checked proves nothing.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The most of sources that is kept for one task, in bytes; what came first is given up first.
const KEPT: usize = 64 << 20;
/// The fewest letters and digits of a passage that says something.
const FEWEST: usize = 12;

/// What was fetched in one task. Whoever fetches records it here; share it by `Arc`.
#[derive(Debug, Default)]
pub struct Sources {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: usize,
    /// In the order in which they came.
    order: Vec<(String, Source)>,
}

#[derive(Debug)]
struct Source {
    media_type: String,
    bytes: Vec<u8>,
}

/// A passage of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// The line of the report on which it begins, from 1.
    pub line: usize,
    /// The passage.
    pub passage: String,
    /// The source that is named; empty if none is.
    pub source: String,
    /// How it stands.
    pub standing: Standing,
}

/// How a passage stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is in what was fetched of its source.
    Found,
    /// Its source was fetched, and it is not in it.
    NotFound,
    /// Its source was not fetched in this task.
    NotFetched,
    /// It names no source.
    NoSource,
    /// It is too short to say anything.
    TooShort,
}

impl Standing {
    /// In words, for the model and the person; none where nothing is wrong.
    pub const fn wrong(self) -> Option<&'static str> {
        match self {
            Self::Found => None,
            Self::NotFound => Some("is not in its source as it was fetched"),
            Self::NotFetched => Some("names a source that was not fetched in this task"),
            Self::NoSource => Some("names no source; its last line is a dash and <address>"),
            Self::TooShort => Some("is too short to say anything"),
        }
    }
}

/// What was found out about a report.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checked {
    /// Every passage, in order.
    pub quotes: Vec<Quote>,
    /// The lines, from 1, of paragraphs and list items that no passage follows, where one should.
    pub bare: Vec<usize>,
}

impl Checked {
    /// Whether every passage stands and every claim has one.
    pub fn holds(&self) -> bool {
        !self.quotes.is_empty()
            && self.bare.is_empty()
            && self.quotes.iter().all(|quote| quote.standing == Standing::Found)
    }

    /// What was found, in words: a line for the whole, then one for each that is wrong.
    pub fn words(&self) -> String {
        let found = self.quotes.iter().filter(|quote| quote.standing == Standing::Found).count();
        let mut out = format!("{found} of {} quotes stand in what was fetched", self.quotes.len());
        for quote in &self.quotes {
            if let Some(wrong) = quote.standing.wrong() {
                let passage = deskhand_vocabulary::text::shortened(&quote.passage, 80);
                let source = if quote.source.is_empty() { String::new() } else { format!(" ({})", quote.source) };
                out.push_str(&format!("\nline {}: \"{passage}\"{source} {wrong}", quote.line));
            }
        }
        if !self.bare.is_empty() {
            let lines: Vec<String> = self.bare.iter().map(ToString::to_string).collect();
            out.push_str(&format!("\nno quote follows the claims on these lines: {}", lines.join(", ")));
        }
        out
    }
}

impl Sources {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This came from there: `name` is an address or the path of a document, as a report will name it. What came from there
    /// before stays as well.
    pub fn record(&self, name: &str, media_type: &str, bytes: &[u8]) {
        let mut kept = self.kept();
        kept.bytes += bytes.len();
        kept.order.push((name.to_owned(), Source { media_type: media_type.to_owned(), bytes: bytes.to_vec() }));
        while kept.bytes > KEPT && kept.order.len() > 1 {
            let (_, first) = kept.order.remove(0);
            kept.bytes -= first.bytes.len();
        }
    }

    /// Whether something came from there.
    pub fn has(&self, name: &str) -> bool {
        self.kept().order.iter().any(|(known, _)| same(known, name))
    }

    /// Check a report in Markdown. A passage is a block quote whose last line is a dash and the source in angle brackets. Below
    /// the first heading of the second level, and above the last two sections if they have no passage, each paragraph and list
    /// item is followed by one.
    pub fn check(&self, report: &str) -> Checked {
        let kept = self.kept();
        let mut plain: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for (name, source) in &kept.order {
            plain.entry(trimmed(name)).or_default().push(letters(&text_of(&source.media_type, &source.bytes)));
        }
        let blocks = blocks(report);
        let mut quotes = Vec::new();
        for block in &blocks {
            let Kind::Quote = block.kind else { continue };
            let (passage, source) = split(&block.text);
            let standing = stands(&passage, &source, &plain);
            quotes.push(Quote { line: block.line, passage, source, standing });
        }
        Checked { quotes, bare: bare(&blocks) }
    }
}

/// An address without what makes no other page of it.
fn trimmed(name: &str) -> &str {
    name.split('#').next().unwrap_or_default().trim_end_matches('/')
}

fn same(one: &str, other: &str) -> bool {
    trimmed(one) == trimmed(other)
}

fn stands(passage: &str, source: &str, fetched: &BTreeMap<&str, Vec<String>>) -> Standing {
    let parts: Vec<String> =
        passage.replace("[...]", "[…]").split("[…]").map(letters).filter(|part| !part.is_empty()).collect();
    if source.is_empty() {
        return Standing::NoSource;
    }
    if parts.iter().map(|part| part.chars().count()).sum::<usize>() < FEWEST {
        return Standing::TooShort;
    }
    let Some(texts) = fetched.get(trimmed(source)) else { return Standing::NotFetched };
    // what was left out lies between the parts, in their order
    let holds = |text: &String| {
        let mut rest = text.as_str();
        parts.iter().all(|part| match rest.find(part.as_str()) {
            Some(at) => {
                rest = &rest[at + part.len()..];
                true
            }
            None => false,
        })
    };
    if texts.iter().any(holds) { Standing::Found } else { Standing::NotFound }
}

/// The letters and digits of a text, and the signs that change what a number says: how a page is set, and which marks
/// it uses for quotes and dashes, makes no other passage of it.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric() || "%€$£°+<>=".contains(*c)).collect()
}

/// The text of what was fetched: of HTML what is shown of it, of anything else itself.
fn text_of(media_type: &str, bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    if !media_type.contains("html") && !media_type.contains("xml") {
        return text.into_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = &*text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let hidden = [("<script", "</script"), ("<style", "</style"), ("<!--", "-->")];
        let end = hidden.into_iter().find(|(begin, _)| starts(rest, begin)).map(|(_, end)| end);
        let from = end.and_then(|end| find(rest, end)).unwrap_or(0);
        match rest[from..].find('>') {
            Some(at) => rest = &rest[from + at + 1..],
            None => rest = "",
        }
    }
    out.push_str(rest);
    html_escape::decode_html_entities(&out).into_owned()
}

fn starts(text: &str, prefix: &str) -> bool {
    text.get(..prefix.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(prefix))
}

/// Where `part`, which is ASCII, first is in a text, in whatever case.
fn find(text: &str, part: &str) -> Option<usize> {
    text.as_bytes().windows(part.len()).position(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

/// A block of Markdown, as far as it matters here.
struct Block {
    /// Its first line, from 1.
    line: usize,
    kind: Kind,
    text: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// With its level.
    Heading(usize),
    Quote,
    /// A paragraph or a list item.
    Claim,
    /// What can claim nothing: code, tables' rules, a line that only leads to the next.
    Other,
}

/// The blocks of a report: lines of one kind in a row, a list item each by itself.
fn blocks(report: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    let mut fenced = false;
    for (at, line) in report.lines().enumerate() {
        let text = line.trim();
        if text.starts_with("```") || text.starts_with("~~~") {
            fenced = !fenced;
            open = false;
            continue;
        }
        if fenced || text.is_empty() {
            open = false;
            continue;
        }
        let level = text.bytes().take_while(|byte| *byte == b'#').count();
        let item = text.starts_with("- ") || text.starts_with("* ") || text.starts_with("+ ") || numbered(text);
        let (kind, text) = match text.strip_prefix('>') {
            Some(quoted) => (Kind::Quote, quoted.trim()),
            None if (1..=6).contains(&level) && text[level..].starts_with(' ') => (Kind::Heading(level), text),
            None if text.bytes().all(|byte| b"-*_=| :".contains(&byte)) => (Kind::Other, text),
            None => (Kind::Claim, text),
        };
        match blocks.last_mut() {
            Some(last) if open && last.kind == kind && !item && !matches!(kind, Kind::Heading(_)) => {
                last.text.push('\n');
                last.text.push_str(text);
            }
            _ => blocks.push(Block { line: at + 1, kind, text: text.to_owned() }),
        }
        open = true;
    }
    blocks
}

fn numbered(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && (text[digits..].starts_with(". ") || text[digits..].starts_with(") "))
}

/// A block quote as its passage and the source on its last line.
fn split(text: &str) -> (String, String) {
    let (above, last) = text.rsplit_once('\n').unwrap_or(("", text));
    let dashed = last.trim().trim_start_matches(['—', '–', '-']).trim();
    let source = dashed.strip_prefix('<').and_then(|rest| rest.split_once('>')).map(|(source, _)| source);
    match source {
        Some(source) if dashed.len() < last.trim().len() => (above.trim().to_owned(), source.trim().to_owned()),
        _ => (text.trim().to_owned(), String::new()),
    }
}

/// The claims that no quote follows.
fn bare(blocks: &[Block]) -> Vec<usize> {
    let mut sections: Vec<Vec<&Block>> = Vec::new();
    for block in blocks {
        match block.kind {
            Kind::Heading(2) => sections.push(Vec::new()),
            _ => {
                if let Some(section) = sections.last_mut() {
                    section.push(block);
                }
            }
        }
    }
    // what is open and what was read stand at the end, and claim nothing
    let quoted = |section: &Vec<&Block>| section.iter().any(|block| block.kind == Kind::Quote);
    for _ in 0..2 {
        if sections.len() > 1 && sections.last().is_some_and(|section| !quoted(section)) {
            sections.pop();
        }
    }
    let mut bare = Vec::new();
    for section in sections {
        for (at, block) in section.iter().enumerate() {
            let followed = section.get(at + 1).is_some_and(|next| next.kind == Kind::Quote);
            // a line that ends with a colon leads to what comes next
            if block.kind == Kind::Claim && !followed && !block.text.ends_with(':') {
                bare.push(block.line);
            }
        }
    }
    bare
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PAGE: &str = "<html><head><style>p { color: red }</style><script>var fake = 'nobody said this aloud';</script></head>\
        <body><!-- nor was this ever shown --><p>The tide in <b>Hamburg</b> is 3.66&nbsp;m,<br>\n measured at &ldquo;St.&nbsp;Pauli&rdquo;.</p>\
        <p>It rises to 14 % more.</p></body></html>";

    fn sources() -> Sources {
        let sources = Sources::default();
        sources.record("https://example.com/tide/", "text/html; charset=utf-8", PAGE.as_bytes());
        sources.record("Papers/a.txt", "text/plain", "Plain words of a paper < 5 pages.".as_bytes());
        sources
    }

    fn standing(passage: &str, source: &str) -> Standing {
        let report = format!("> {passage}\n> — <{source}>\n");
        let checked = sources().check(&report);
        assert_eq!(checked.quotes.len(), 1);
        checked.quotes[0].standing
    }

    #[test]
    fn a_passage_stands_if_the_page_shows_it() {
        for (passage, expected) in [
            ("\"The tide in Hamburg is 3.66 m, measured at 'St. Pauli'.\"", Standing::Found),
            ("The tide in Hamburg is 3.66 m […] It rises to 14 % more.", Standing::Found),
            ("It rises to 14 % more. [...] The tide in Hamburg is 3.66 m", Standing::NotFound),
            ("The tide in Hamburg is 3.68 m", Standing::NotFound),
            ("It rises to 14 more.", Standing::NotFound),
            ("nobody said this aloud", Standing::NotFound),
            ("nor was this ever shown", Standing::NotFound),
            ("color: red and more", Standing::NotFound),
            ("The tide", Standing::TooShort),
            ("[…]", Standing::TooShort),
        ] {
            assert_eq!(standing(passage, "https://example.com/tide#levels"), expected, "{passage}");
        }
        assert_eq!(standing("Plain words of a paper < 5 pages.", "Papers/a.txt"), Standing::Found);
        assert_eq!(standing("The tide in Hamburg is 3.66 m", "https://example.com/"), Standing::NotFetched);
    }

    #[test]
    fn each_version_of_a_page_is_kept() {
        let sources = sources();
        sources.record("https://example.com/tide", "text/html", b"<p>Now it says something else.</p>");
        let report = "> The tide in Hamburg is 3.66 m\n> - <https://example.com/tide>\n\n> Now it says something else\n> - <https://example.com/tide>\n";
        let standings: Vec<Standing> = sources.check(report).quotes.iter().map(|quote| quote.standing).collect();
        assert_eq!(standings, [Standing::Found, Standing::Found]);
        assert!(sources.has("https://example.com/tide/#x") && !sources.has("https://example.com"));
    }

    #[test]
    fn a_report_holds_if_every_claim_is_quoted() {
        let report = "# How high is the tide?\n\nOver three metres.\n\n## The height\n\nIt is 3.66 m, and\nthat is much.\n\n\
            > The tide in Hamburg is 3.66 m,\n> measured at St. Pauli.\n> — <https://example.com/tide/>\n\n## Open questions\n\n\
            - Since when?\n\n## Sources\n\n- <https://example.com/tide/>: read today.\n";
        let checked = sources().check(report);
        assert!(checked.holds(), "{}", checked.words());
        assert_eq!(checked.words(), "1 of 1 quotes stand in what was fetched");
    }

    #[test]
    fn what_is_wrong_is_named_by_its_line() {
        let report = "# T\n\n## A\n\nA claim.\n\nAnother, which has one:\n\n> The tide in Bremen is 3.66 m\n> — <https://example.com/tide>\n\n\
            1. A third.\n2. A fourth.\n   > without a source of its own\n\n```\n> code is no quote\n```\n";
        let checked = sources().check(report);
        assert!(!checked.holds());
        assert_eq!(
            checked.words(),
            "0 of 2 quotes stand in what was fetched\n\
             line 9: \"The tide in Bremen is 3.66 m\" (https://example.com/tide) is not in its source as it was fetched\n\
             line 14: \"without a source of its own\" names no source; its last line is a dash and <address>\n\
             no quote follows the claims on these lines: 5, 12"
        );
    }

    #[test]
    fn a_report_without_a_quote_does_not_hold() {
        assert!(!Sources::default().check("").holds());
        assert!(!Sources::default().check("# Only\n\nwords\n").holds());
    }
}
