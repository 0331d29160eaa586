//! Text documents of Office (ECMA-376 part 1, 17): paragraphs as lines, headings with `#`, rows of tables as lines with tabs.

use crate::{
    package::Package,
    text::Text,
    xml::{self, Met, Then},
};
use deskhand_sdk::Result;

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    let mut package = Package::open(document)?;
    let main = main_part(&mut package)?;
    let body = package.needed(&main)?;
    story(&body, text)?;
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    let mut beside: Vec<(&str, String)> = Vec::new();
    for name in package.names() {
        let Some(part) = name.strip_prefix(folder.as_str()).map(|part| part.trim_start_matches('/')) else { continue };
        let titles = [
            ("header", "header"),
            ("footer", "footer"),
            ("footnotes", "footnotes"),
            ("endnotes", "endnotes"),
            ("comments.", "comments"),
        ];
        if let Some((_, title)) = titles.iter().find(|(start, _)| part.starts_with(start) && part.ends_with(".xml")) {
            beside.push((title, name));
        }
    }
    let mut told: Vec<String> = Vec::new();
    for (title, name) in beside {
        let Some(part) = package.part(&name)? else { continue };
        let mut own = Text::new(1 << 20);
        story(&part, &mut own)?;
        let own = own.into_extracted().text;
        // the first page, the even and the odd ones often have the same
        if !own.trim().is_empty() && !told.contains(&own) {
            text.mark(title);
            text.push(&own);
            told.push(own);
        }
    }
    Ok(())
}

/// The part that holds the text: a relation of the package names it.
fn main_part(package: &mut Package<'_>) -> Result<String> {
    let main = package.relations("")?.into_values().find(|(kind, _)| kind.ends_with("/officeDocument"));
    Ok(main.map_or_else(|| "word/document.xml".to_owned(), |(_, place)| place))
}

/// What is left out: text that a change took away, and a second form of what is there for old programs.
const LEFT_OUT: [&str; 3] = ["del", "moveFrom", "Fallback"];

fn story(part: &str, text: &mut Text) -> Result<()> {
    let (mut cells, mut left_out, mut in_text) = (0_u32, 0_u32, false);
    xml::walk(part, |met| {
        match met {
            Met::Open(name, _) if LEFT_OUT.contains(&name) => left_out += 1,
            Met::Close(name) if LEFT_OUT.contains(&name) => left_out = left_out.saturating_sub(1),
            _ if left_out > 0 => {}
            Met::Open("t", _) => in_text = true,
            Met::Close("t") => in_text = false,
            Met::Text(words) if in_text => text.push(words),
            Met::Open("tab", element) if element.get("pos").is_none() => text.push("\t"),
            Met::Open("br" | "cr", _) => text.push(if cells > 0 { " " } else { "\n" }),
            Met::Open("noBreakHyphen", _) => text.push("-"),
            Met::Open("pStyle", element) if cells == 0 => {
                let level = heading(&element.get("val").unwrap_or_default());
                if level > 0 {
                    text.push(&format!("{} ", "#".repeat(level)));
                }
            }
            Met::Open("numPr", _) if cells == 0 => text.push("- "),
            Met::Open("tc", _) => cells += 1,
            Met::Close("tc") => {
                cells = cells.saturating_sub(1);
                text.end_cell();
            }
            Met::Close("p") if cells > 0 => text.push(" "),
            Met::Close("p" | "tr") if cells == 0 => text.end_line(),
            _ => {}
        }
        Then::unless(text.is_full())
    })
}

/// The level of a heading, by the name of its style; 0 for none.
fn heading(style: &str) -> usize {
    if style.eq_ignore_ascii_case("title") {
        return 1;
    }
    let level = style.strip_prefix("Heading").or_else(|| style.strip_prefix("heading"));
    level.and_then(|level| level.trim().parse().ok()).filter(|level| (1..=9).contains(level)).unwrap_or(0)
}
