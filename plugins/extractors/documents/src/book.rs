//! EPUB 3.3: the chapters of a book in their order, each a web page.

use crate::{
    package::{Package, within},
    page,
    text::Text,
    xml::{self, Met, Then},
};
use deskhand_sdk::{Error, Result};
use std::collections::BTreeMap;

pub(crate) fn read(document: &[u8], text: &mut Text) -> Result<()> {
    let mut package = Package::open(document)?;
    let container = package.needed("META-INF/container.xml")?;
    let mut place = None;
    xml::walk(&container, |met| {
        if let Met::Open("rootfile", element) = met {
            place = element.get("full-path");
        }
        Then::unless(place.is_some())
    })?;
    let place = place.ok_or_else(|| Error::invalid("the book is damaged: it does not say where its contents are"))?;
    let folder = place.rsplit_once('/').map_or("", |(folder, _)| folder);
    let contents = package.needed(&place)?;
    let (mut items, mut spine) = (BTreeMap::new(), Vec::new());
    xml::walk(&contents, |met| {
        match met {
            Met::Open("item", element) => {
                if let (Some(id), Some(href)) = (element.get("id"), element.get("href")) {
                    items.insert(id, within(folder, &href));
                }
            }
            Met::Open("itemref", element) => spine.extend(element.get("idref")),
            _ => {}
        }
        Then::GoOn
    })?;
    let chapters: Vec<&String> = spine.iter().filter_map(|id| items.get(id)).collect();
    for (at, place) in chapters.iter().enumerate() {
        if text.is_full() {
            break;
        }
        text.mark(&format!("chapter {} of {}", at + 1, chapters.len()));
        let chapter = package.needed(place)?;
        text.lines(&page::shown(chapter.as_bytes())?);
    }
    Ok(())
}
