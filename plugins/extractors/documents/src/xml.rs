//! XML as a row of events, without a tree: nothing nests too deep, and entities that a document defines are not expanded.

use deskhand_sdk::{Error, Result};
use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

/// What is met.
pub(crate) enum Met<'a> {
    /// An element begins; one that is empty ends at once.
    Open(&'a str, &'a Element<'a>),
    /// An element ends.
    Close(&'a str),
    /// Text within one.
    Text(&'a str),
}

/// An element that begins.
pub(crate) struct Element<'a>(&'a BytesStart<'a>);

impl Element<'_> {
    /// The value of an attribute, by its name without prefix.
    pub(crate) fn get(&self, name: &str) -> Option<String> {
        let found =
            self.0.attributes().with_checks(false).flatten().find(|one| one.key.local_name().as_ref() == name)?;
        found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
    }

    /// The value of an attribute whose name has a prefix, by the rest of it.
    pub(crate) fn prefixed(&self, name: &str) -> Option<String> {
        let fits = |key: quick_xml::name::QName<'_>| key.prefix().is_some() && key.local_name().as_ref() == name;
        let found = self.0.attributes().with_checks(false).flatten().find(|one| fits(one.key))?;
        found.normalized_value(XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
    }

    /// The same as a number.
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        self.get(name)?.parse().ok()
    }
}

/// Whether to go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    Stop,
}

impl Then {
    /// Stop once no more text is wanted.
    pub(crate) const fn unless(full: bool) -> Self {
        if full { Self::Stop } else { Self::GoOn }
    }
}

/// Every event of a document, until `each` says that it is enough. Names come without their prefixes.
///
/// # Errors
/// It is no XML.
pub(crate) fn walk(xml: &str, mut each: impl FnMut(Met<'_>) -> Then) -> Result<()> {
    let mut reader = Reader::from_str(xml.trim_start_matches('\u{feff}'));
    reader.config_mut().expand_empty_elements = true;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| Error::invalid(format!("the document is damaged: a part of it is no XML ({error})")))?;
        let then = match event {
            Event::Start(start) => each(Met::Open(start.local_name().as_ref(), &Element(&start))),
            Event::End(end) => each(Met::Close(end.local_name().as_ref())),
            Event::Text(text) => each(Met::Text(&text.xml10_content())),
            Event::CData(text) => each(Met::Text(&text.xml10_content())),
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let character = reference.resolve_char_ref().ok().flatten();
                let known = quick_xml::escape::resolve_predefined_entity(&name).map(ToOwned::to_owned);
                let text = character.map(String::from).or(known);
                text.map_or(Then::GoOn, |text| each(Met::Text(&text)))
            }
            Event::Eof => return Ok(()),
            _ => Then::GoOn,
        };
        if then == Then::Stop {
            return Ok(());
        }
    }
}
