//! Markdown as a model writes it, shown line by line as it comes. Nothing of it is fetched, and what would lead somewhere
//! says where.

use super::style::{Style, Styles};
use crate::show;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

/// See the module.
#[derive(Debug)]
pub(super) struct Markdown {
    styles: Styles,
    fence: Option<Fence>,
}

/// What begins and ends code: at least so many of one character (CommonMark 0.31, 4.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fence {
    mark: char,
    length: usize,
}

/// A line as it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Before the text: white space, and a mark.
    pub(super) lead: String,
    /// Safe to show; may carry styles.
    pub(super) text: String,
    /// True for code, in which every space counts.
    pub(super) code: bool,
}

impl Row {
    /// In rows of at most so many columns.
    pub(super) fn wrapped(&self, columns: usize) -> Vec<String> {
        self.hanging(columns, 0)
    }

    /// The same, all but the first so many columns further right.
    pub(super) fn hanging(&self, columns: usize, further: usize) -> Vec<String> {
        let hang = " ".repeat(console::measure_text_width(&self.lead) + further);
        let options = textwrap::Options::new(columns)
            .initial_indent(&self.lead)
            .subsequent_indent(if self.code { "" } else { &hang })
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation)
            .wrap_algorithm(textwrap::WrapAlgorithm::FirstFit);
        textwrap::wrap(&self.text, options).into_iter().map(std::borrow::Cow::into_owned).collect()
    }

    /// In one.
    pub(super) fn whole(&self) -> String {
        format!("{}{}", self.lead, self.text)
    }
}

impl Markdown {
    pub(super) fn new(styles: Styles) -> Self {
        Self { styles, fence: None }
    }

    /// The next line, as it is shown.
    pub(super) fn line(&mut self, line: &str) -> Row {
        let (row, fence) = self.look(line);
        self.fence = fence;
        row
    }

    /// How a line looks that may go on.
    pub(super) fn unfinished(&self, line: &str) -> Row {
        self.look(line).0
    }

    /// A new text begins.
    pub(super) fn begin(&mut self) {
        self.fence = None;
    }

    fn look(&self, line: &str) -> (Row, Option<Fence>) {
        let line = line.trim_end_matches('\r').replace('\t', "    ");
        let code = |text: String, fence| (Row { lead: String::new(), text, code: true }, fence);
        match (self.fence, fence(&line)) {
            (Some(open), Some((mark, ""))) if mark.mark == open.mark && mark.length >= open.length => {
                code(self.styles.of(Style::Faint, &show::line(&line)), None)
            }
            (Some(open), _) => code(show::line(&line), Some(open)),
            (None, Some((mark, _))) => code(self.styles.of(Style::Faint, &show::line(&line)), Some(mark)),
            (None, None) => (self.prose(&line), None),
        }
    }

    fn prose(&self, line: &str) -> Row {
        let text = line.trim_start();
        let mut lead = " ".repeat(line.len() - text.len());
        let mut text = text.trim_end();
        let mut style = Style::Plain;
        while let Some(rest) = text.strip_prefix('>') {
            lead.push_str("│ ");
            text = rest.trim_start();
        }
        if let Some(rest) = heading(text) {
            (style, text) = (Style::Strong, rest);
        } else if let Some(rest) = ["- ", "* ", "+ "].iter().find_map(|mark| text.strip_prefix(mark)) {
            lead.push_str("• ");
            text = rest.trim_start();
        } else if let Some(rest) = numbered(text) {
            lead.push_str(&text[..text.len() - rest.len()]);
            lead.push(' ');
            text = rest.trim_start();
        }
        Row { lead, text: self.inline(text, style), code: false }
    }

    /// What stands within a line.
    fn inline(&self, text: &str, around: Style) -> String {
        if text.is_empty() {
            return String::new();
        }
        // so that nothing at the beginning of a line is more than a word to the parser
        let whole = format!("x {text}");
        let mut out = String::new();
        let mut styles = vec![around];
        let mut targets: Vec<(String, usize)> = Vec::new();
        let mut first = true;
        let style = |styles: &[Style]| styles.last().copied().unwrap_or(around);
        for event in Parser::new_ext(&whole, Options::ENABLE_STRIKETHROUGH) {
            match event {
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => {
                    let text =
                        if std::mem::take(&mut first) { text.strip_prefix("x ").unwrap_or(&text) } else { &text };
                    out.push_str(&self.styles.of(style(&styles), &show::line(text)));
                }
                Event::Code(code) => {
                    let code = show::line(&code);
                    out.push_str(&if self.styles.colour {
                        self.styles.of(Style::Code, &code)
                    } else {
                        format!("`{code}`")
                    });
                }
                Event::Start(Tag::Strong) => styles.push(Style::Strong),
                Event::Start(Tag::Emphasis) => styles.push(Style::Stress),
                Event::End(TagEnd::Strong | TagEnd::Emphasis) => {
                    styles.pop();
                }
                Event::Start(Tag::Strikethrough) | Event::End(TagEnd::Strikethrough) => out.push_str("~~"),
                Event::Start(Tag::Link { dest_url, .. }) => targets.push((dest_url.into_string(), out.len())),
                Event::Start(Tag::Image { dest_url, .. }) => {
                    targets.push((dest_url.into_string(), out.len()));
                    out.push_str("[picture: ");
                }
                Event::End(end @ (TagEnd::Link | TagEnd::Image)) => {
                    let Some((target, begin)) = targets.pop() else { continue };
                    if end == TagEnd::Image {
                        out.push(']');
                    }
                    let target = show::line(&target);
                    // an address that is its own text is not said twice
                    if console::strip_ansi_codes(&out[begin..]) != target {
                        out.push_str(&format!(" ({target})"));
                    }
                }
                Event::SoftBreak | Event::HardBreak => out.push(' '),
                _ => {}
            }
        }
        out
    }
}

/// The text of a heading.
fn heading(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches('#');
    let depth = text.len() - rest.len();
    (1..=6).contains(&depth).then_some(rest)?.strip_prefix(' ').map(|rest| rest.trim().trim_end_matches('#').trim_end())
}

/// What follows the number of a list.
fn numbered(text: &str) -> Option<&str> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = text.len() - rest.len();
    let rest = (1..=9).contains(&digits).then_some(rest)?.strip_prefix(['.', ')'])?;
    rest.starts_with(' ').then_some(rest)
}

/// A fence, with what follows it in the line.
fn fence(line: &str) -> Option<(Fence, &str)> {
    let text = line.trim();
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let rest = text.trim_start_matches(mark);
    let length = text.len() - rest.len();
    (length >= 3 && !(mark == '`' && rest.contains('`'))).then_some((Fence { mark, length }, rest.trim()))
}
