//! A document that is a ZIP archive of parts.

use deskhand_sdk::{Error, Result};
use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};
use zip::{ZipArchive, result::ZipError};

use crate::xml::{self, Met, Then};

/// The most that one part unpacks to, in bytes: a text of many thousand pages. More is a bomb, or no document.
const PART: u64 = 64 << 20;

/// See the module.
pub(crate) struct Package<'a>(ZipArchive<Cursor<&'a [u8]>>);

impl<'a> Package<'a> {
    /// # Errors
    /// It is no archive, or damaged, or locked.
    pub(crate) fn open(document: &'a [u8]) -> Result<Self> {
        ZipArchive::new(Cursor::new(document)).map(Self).map_err(|error| damaged(&error))
    }

    /// A part as text; none if there is no such part.
    ///
    /// # Errors
    /// It is damaged, locked or too large.
    pub(crate) fn part(&mut self, name: &str) -> Result<Option<String>> {
        let part = match self.0.by_name(name) {
            Ok(part) => part,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(damaged(&error)),
        };
        let mut bytes = Vec::new();
        part.take(PART + 1).read_to_end(&mut bytes).map_err(|error| {
            Error::invalid(format!("the document is damaged: its part `{name}` cannot be unpacked ({error})"))
        })?;
        if bytes.len() as u64 > PART {
            let most = PART >> 20;
            return Err(Error::new(
                deskhand_sdk::Code::TooLarge,
                format!("its part `{name}` unpacks to more than {most} MiB, so the document is not read"),
            ));
        }
        Ok(Some(text(bytes)))
    }

    /// A part without which it is no document.
    pub(crate) fn needed(&mut self, name: &str) -> Result<String> {
        self.part(name)?.ok_or_else(|| Error::invalid(format!("the document is damaged: its part `{name}` is missing")))
    }

    /// The names of its parts, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.0.file_names().flatten().map(|name| name.into_owned()).collect();
        names.sort();
        names
    }

    /// Where the relations of a part lead (ECMA-376 part 2, 9.3): type and place by id.
    pub(crate) fn relations(&mut self, of: &str) -> Result<BTreeMap<String, (String, String)>> {
        let (folder, name) = of.rsplit_once('/').unwrap_or(("", of));
        let mut found = BTreeMap::new();
        let Some(part) = self.part(&format!("{folder}/_rels/{name}.rels"))? else { return Ok(found) };
        xml::walk(&part, |met| {
            if let Met::Open("Relationship", element) = met
                && let (Some(id), Some(kind), Some(target)) =
                    (element.get("Id"), element.get("Type"), element.get("Target"))
            {
                found.insert(id, (kind, within(folder, &target)));
            }
            Then::GoOn
        })?;
        Ok(found)
    }
}

/// What a reference in a part of `folder` leads to.
pub(crate) fn within(folder: &str, target: &str) -> String {
    if let Some(whole) = target.strip_prefix('/') {
        return whole.to_owned();
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

fn damaged(error: &ZipError) -> Error {
    match error {
        ZipError::UnsupportedArchive(reason) if *reason == ZipError::PASSWORD_REQUIRED => {
            Error::unsupported("the document is locked with a password; open it, and save it without one")
        }
        other => Error::invalid(format!("the document is damaged: it cannot be unpacked ({other})")),
    }
}

/// Parts are UTF-8, and now and then UTF-16 with a mark (XML 1.0, 4.3.3).
fn text(bytes: Vec<u8>) -> String {
    let units = |rest: &[u8], unit: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes.as_slice() {
        [0xFF, 0xFE, rest @ ..] => units(rest, u16::from_le_bytes),
        [0xFE, 0xFF, rest @ ..] => units(rest, u16::from_be_bytes),
        _ => String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}
