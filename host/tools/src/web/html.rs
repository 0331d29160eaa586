//! A page as text in the manner of Markdown: headings, paragraphs, lists, tables, links with where they lead. It is written
//! while the tokens are read, without a tree, so that no page can be nested too deep for it.

use deskhand_egress::Url;
use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};

/// What is in these is not for a reader.
const UNSEEN: [&str; 11] =
    ["script", "style", "template", "svg", "math", "object", "iframe", "canvas", "audio", "video", "datalist"];
/// A longer target of a link is left out, in bytes.
const TARGET: usize = 2000;

/// The text of a page that is at `at`.
pub(super) fn readable(html: &str, at: &Url) -> String {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let mut page = Page::new(at.clone());
    for Ok(token) in Tokenizer::new_with_emitter(html, emitter) {
        match token {
            Token::StartTag(tag) => page.begin(&tag),
            Token::EndTag(tag) => page.end(&String::from_utf8_lossy(&tag.name)),
            Token::String(text) => page.text(&String::from_utf8_lossy(&text)),
            Token::Comment(_) | Token::Doctype(_) | Token::Error(_) => {}
        }
    }
    page.finish()
}

struct Page {
    out: String,
    base: Url,
    /// The element that is passed over, and how deep it stands within others of its name.
    unseen: Option<(&'static str, usize)>,
    preformatted: bool,
    /// The lists around, each with its next number if it has numbers.
    lists: Vec<Option<u64>>,
    /// Where the text of the open link begins, and where it leads.
    link: Option<(usize, String)>,
    /// True within a cell, where everything stands in one line.
    in_cell: bool,
    /// The cells of the row that is open.
    cells: usize,
    has_headings: bool,
}

impl Page {
    const fn new(base: Url) -> Self {
        Self {
            out: String::new(),
            base,
            unseen: None,
            preformatted: false,
            lists: Vec::new(),
            link: None,
            in_cell: false,
            cells: 0,
            has_headings: false,
        }
    }

    /// At least so many line feeds before what comes next; a space where all stands in one line.
    fn apart(&mut self, lines: usize) {
        if lines == 0 {
            return;
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        if self.out.is_empty() {
            return;
        }
        if self.in_cell {
            self.out.push(' ');
            return;
        }
        let there = self.out.bytes().rev().take(lines).take_while(|byte| *byte == b'\n').count();
        self.out.extend(std::iter::repeat_n('\n', lines - there));
    }

    fn text(&mut self, text: &str) {
        if self.unseen.is_some() {
            return;
        }
        if self.preformatted && !self.in_cell {
            self.out.push_str(text);
            return;
        }
        for c in text.chars() {
            if !c.is_whitespace() {
                self.out.push(c);
            } else if !self.out.is_empty() && !self.out.ends_with([' ', '\n']) {
                self.out.push(' ');
            }
        }
    }

    fn begin(&mut self, tag: &StartTag<()>) {
        let name = String::from_utf8_lossy(&tag.name);
        if let Some((unseen, depth)) = &mut self.unseen {
            if *unseen == name && !tag.self_closing {
                *depth += 1;
            }
            return;
        }
        if let Some(unseen) = UNSEEN.into_iter().find(|unseen| *unseen == name) {
            if !(tag.self_closing && matches!(unseen, "svg" | "math")) {
                self.unseen = Some((unseen, 1));
            }
            return;
        }
        match &*name {
            "base" => {
                if let Some(base) = attribute(tag, "href").and_then(|href| self.base.join(&href).ok()) {
                    self.base = base;
                }
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "title" => {
                self.apart(2);
                if !self.in_cell {
                    let level = name.strip_prefix('h').and_then(|level| level.parse().ok()).unwrap_or(1);
                    self.out.push_str(&"#".repeat(level));
                    self.out.push(' ');
                }
            }
            "br" => self.apart_by_break(),
            "hr" => {
                self.apart(2);
                self.out.push_str("---");
                self.apart(2);
            }
            "ul" | "ol" => {
                self.apart(if self.lists.is_empty() { 2 } else { 1 });
                self.lists
                    .push((name == "ol").then(|| attribute(tag, "start").and_then(|at| at.parse().ok()).unwrap_or(1)));
            }
            "li" => self.item(),
            "pre" => {
                self.apart(2);
                if !self.in_cell {
                    self.out.push_str("```\n");
                    self.preformatted = true;
                }
            }
            "a" => {
                self.close_link();
                if let Some(target) = attribute(tag, "href").and_then(|href| self.target(&href)) {
                    self.out.push('[');
                    self.link = Some((self.out.len(), target));
                }
            }
            "img" => {
                if let Some(words) = attribute(tag, "alt").filter(|words| !words.trim().is_empty()) {
                    self.text(&format!("(picture: {words})"));
                }
            }
            "table" => {
                self.leave_cell();
                self.apart(2);
                (self.cells, self.has_headings) = (0, false);
            }
            "tr" => {
                self.end_row();
                self.apart(1);
            }
            "td" | "th" => {
                self.in_cell = false;
                self.out.truncate(self.out.trim_end_matches(' ').len());
                self.out.push_str(if self.cells == 0 { "| " } else { " | " });
                self.in_cell = true;
                self.cells += 1;
                self.has_headings |= name == "th";
            }
            other => self.apart(distance(other)),
        }
    }

    fn end(&mut self, name: &str) {
        if let Some((unseen, depth)) = &mut self.unseen {
            if *unseen == name {
                *depth -= 1;
                if *depth == 0 {
                    self.unseen = None;
                }
            }
            return;
        }
        match name {
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "title" => {
                self.close_link();
                self.apart(2);
            }
            "ul" | "ol" => {
                self.lists.pop();
                self.apart(if self.lists.is_empty() { 2 } else { 1 });
            }
            "pre" if self.preformatted => {
                self.preformatted = false;
                self.apart(1);
                self.out.push_str("```");
                self.apart(2);
            }
            "a" => self.close_link(),
            "tr" => self.end_row(),
            "table" => {
                self.end_row();
                self.apart(2);
            }
            other => self.apart(distance(other)),
        }
    }

    fn item(&mut self) {
        self.apart(1);
        if self.in_cell {
            return;
        }
        self.out.push_str(&"  ".repeat(self.lists.len().clamp(1, 8) - 1));
        match self.lists.last_mut() {
            Some(Some(number)) => {
                self.out.push_str(&format!("{number}. "));
                *number = number.saturating_add(1);
            }
            _ => self.out.push_str("- "),
        }
    }

    fn apart_by_break(&mut self) {
        if self.preformatted {
            self.out.push('\n');
        } else {
            self.apart(1);
        }
    }

    /// Where a link leads, if that is a place for a reader.
    fn target(&self, href: &str) -> Option<String> {
        let href = href.trim();
        if href.is_empty() || href.starts_with('#') {
            return None;
        }
        let target = self.base.join(href).ok()?;
        let known = matches!(target.scheme(), "http" | "https" | "mailto" | "tel");
        (known && target.as_str().len() <= TARGET).then(|| target.to_string())
    }

    fn close_link(&mut self) {
        let Some((begin, target)) = self.link.take() else { return };
        // a cell or paragraph that ended within it may have shortened the text
        match self.out.get(begin..) {
            Some(words) if !words.trim().is_empty() => {
                let end = self.out.trim_end().len();
                let space = self.out.split_off(end);
                self.out.push_str(&format!("]({target}){space}"));
            }
            _ => self.out.truncate(begin.saturating_sub(1)),
        }
    }

    fn leave_cell(&mut self) {
        self.close_link();
        self.in_cell = false;
    }

    fn end_row(&mut self) {
        self.leave_cell();
        if self.cells == 0 {
            return;
        }
        self.out.truncate(self.out.trim_end_matches(' ').len());
        self.out.push_str(" |");
        if self.has_headings {
            self.out.push_str("\n|");
            self.out.push_str(&"---|".repeat(self.cells));
        }
        self.out.push('\n');
        (self.cells, self.has_headings) = (0, false);
    }

    fn finish(mut self) -> String {
        self.end_row();
        self.out.truncate(self.out.trim_end().len());
        if self.preformatted {
            self.out.push_str("\n```");
        }
        self.out.push('\n');
        self.out
    }
}

fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    tag.attributes.get(name.as_bytes()).map(|value| String::from_utf8_lossy(value).into_owned())
}

/// The line feeds around an element.
fn distance(name: &str) -> usize {
    match name {
        "p" | "blockquote" | "figure" | "fieldset" | "form" | "article" | "section" | "main" | "dl" => 2,
        "div" | "header" | "footer" | "nav" | "aside" | "address" | "details" | "summary" | "dt" | "dd"
        | "figcaption" | "caption" | "legend" | "option" | "body" | "head" | "thead" | "tbody" | "tfoot" => 1,
        _ => 0,
    }
}
