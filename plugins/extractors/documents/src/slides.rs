//! Presentations of Office (ECMA-376 part 1, 19): the slides in their order, each with its notes.

use crate::{
    package::Package,
    text::Text,
    xml::{self, Met, Then},
};
use deskhand_sdk::Result;

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    let mut package = Package::open(document)?;
    let main = package.relations("")?.into_values().find(|(kind, _)| kind.ends_with("/officeDocument"));
    let main = main.map_or_else(|| "ppt/presentation.xml".to_owned(), |(_, place)| place);
    let (presentation, relations) = (package.needed(&main)?, package.relations(&main)?);
    let mut order = Vec::new();
    xml::walk(&presentation, |met| {
        // `r:id` names the relation; `id` alone is a number
        if let Met::Open("sldId", element) = met {
            order.extend(element.prefixed("id").and_then(|id| relations.get(&id)).map(|(_, place)| place.clone()));
        }
        Then::GoOn
    })?;
    for (at, place) in order.iter().enumerate() {
        if text.is_full() {
            break;
        }
        text.mark(&format!("slide {} of {}", at + 1, order.len()));
        let slide = package.needed(place)?;
        shapes(&slide, text)?;
        let notes = package.relations(place)?.into_values().find(|(kind, _)| kind.ends_with("/notesSlide"));
        if let Some((_, place)) = notes
            && let Some(part) = package.part(&place)?
        {
            let mut own = Text::new(1 << 20);
            shapes(&part, &mut own)?;
            let own = own.into_extracted().text;
            if !own.trim().is_empty() {
                text.mark("notes");
                text.push(&own);
            }
        }
    }
    Ok(())
}

fn shapes(part: &str, text: &mut Text) -> Result<()> {
    let (mut cells, mut fields, mut in_text) = (0_u32, 0_u32, false);
    xml::walk(part, |met| {
        match met {
            // numbers of slides and dates, which the program fills in
            Met::Open("fld" | "Fallback", _) => fields += 1,
            Met::Close("fld" | "Fallback") => fields = fields.saturating_sub(1),
            _ if fields > 0 => {}
            Met::Open("t", _) => in_text = true,
            Met::Close("t") => in_text = false,
            Met::Text(words) if in_text => text.push(words),
            Met::Open("br", _) => text.push(if cells > 0 { " " } else { "\n" }),
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
