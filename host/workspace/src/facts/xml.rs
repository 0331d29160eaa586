//! The few questions that are asked of small XML files. Names are compared without their prefixes; entities that a
//! document declares are not expanded.

use quick_xml::{Reader, events::Event};

/// What a reader of XML wants of an element.
pub(super) enum Part<'a> {
    /// An attribute: the element's name, its own, and its value.
    Attribute(&'a str, &'a str, &'a str),
    /// The text directly within an element of this name.
    Text(&'a str, &'a str),
}

/// Shows the parts of `xml` in order until `wanted` answers. Whatever is not XML any more ends it.
pub(super) fn first<T>(xml: &[u8], mut wanted: impl FnMut(Part<'_>) -> Option<T>) -> Option<T> {
    // A file cut off by a limit may end within a letter.
    let xml = match std::str::from_utf8(xml) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(xml.get(..error.valid_up_to())?).ok()?,
    };
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
    let mut open = String::new();
    loop {
        match reader.read_event().ok()? {
            event @ (Event::Start(_) | Event::Empty(_)) => {
                let (Event::Start(element) | Event::Empty(element)) = &event else { continue };
                open.clear();
                open.push_str(element.local_name().as_ref());
                for attribute in element.attributes() {
                    let attribute = attribute.ok()?;
                    let part = Part::Attribute(&open, attribute.key.local_name().into_inner(), &attribute.value);
                    if let Some(found) = wanted(part) {
                        return Some(found);
                    }
                }
                if matches!(event, Event::Empty(_)) {
                    open.clear();
                }
            }
            Event::Text(text) if !open.is_empty() => {
                let text = text.into_inner();
                if let Some(found) = wanted(Part::Text(&open, &text)) {
                    return Some(found);
                }
            }
            Event::End(_) => open.clear(),
            Event::Eof => return None,
            _ => {}
        }
    }
}

/// The text of the first element of this name.
pub(super) fn text(xml: &[u8], name: &str) -> Option<String> {
    first(xml, |part| match part {
        Part::Text(open, text) if open == name => Some(text.to_owned()),
        _ => None,
    })
}

/// The text of the first element, or the value of the first attribute, of this name.
pub(super) fn property(xml: &[u8], name: &str) -> Option<String> {
    first(xml, |part| match part {
        Part::Text(given, text) | Part::Attribute(_, given, text) if given == name => Some(text.to_owned()),
        _ => None,
    })
}
