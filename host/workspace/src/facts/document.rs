//! When a document was written, by its own word.

use super::{
    date::{self, Stated},
    pdf,
    source::{Source, find},
    xml::{self, Part},
    zip::Archive,
};

/// Where the properties of an Office Open XML package are by custom, and how the names end that .NET gives them.
const CORE: &[u8] = b"docProps/core.xml";
const CORE_OF_NET: &[u8] = b".psmdcp";

/// Bytes at the beginning of a Rich Text file within which its dates are looked for.
const RICH_TEXT: usize = 64 * 1024;

/// When a document of the media type `kind` was written, if it says so.
pub(super) fn created(source: &mut Source<'_>, kind: &str) -> Option<Stated> {
    match kind {
        "application/pdf" => pdf::created(source),
        "application/rtf" => rich_text(source.upto(0, RICH_TEXT)?),
        "application/epub+zip" => book(source),
        _ if kind.starts_with("application/vnd.oasis.opendocument.") => {
            let meta = Archive::open(source)?.read(source, b"meta.xml")?;
            date::iso(xml::text(&meta, "creation-date")?.as_bytes())
        }
        _ if kind.starts_with("application/vnd.openxmlformats-officedocument.")
            || kind.starts_with("application/vnd.ms-") =>
        {
            package(source)
        }
        _ => None,
    }
}

/// ECMA-376 part 2, 8: `dcterms:created` in the core properties.
fn package(source: &mut Source<'_>) -> Option<Stated> {
    let archive = Archive::open(source)?;
    let mut names = archive.members().map(|member| member.name);
    let name = names.find(|name| *name == CORE || name.ends_with(CORE_OF_NET))?;
    let core = archive.read(source, name)?;
    date::iso(xml::text(&core, "created")?.as_bytes())
}

/// EPUB 2.0.1 and 3.3: the package document that `container.xml` names has one or several `dc:date`; one that is
/// marked as the creation goes first, one that is marked as a change never.
fn book(source: &mut Source<'_>) -> Option<Stated> {
    let archive = Archive::open(source)?;
    let container = archive.read(source, b"META-INF/container.xml")?;
    let path = xml::first(&container, |part| match part {
        Part::Attribute("rootfile", "full-path", path) => Some(path.to_owned()),
        _ => None,
    })?;
    let package = archive.read(source, path.as_bytes())?;
    let (mut event, mut plain) = (String::new(), None);
    let marked = xml::first(&package, |part| {
        match part {
            Part::Attribute("date", "event", given) => given.clone_into(&mut event),
            Part::Text("date", text) => match std::mem::take(&mut event).as_str() {
                "creation" => return date::iso(text.as_bytes()),
                "modification" => {}
                _ => plain = plain.or_else(|| date::iso(text.as_bytes())),
            },
            _ => {}
        }
        None
    });
    marked.or(plain)
}

/// Rich Text Format 1.9.1, "Document Metadata": `{\creatim\yr2019\mo7\dy14\hr18\min22\sec5}`.
fn rich_text(head: &[u8]) -> Option<Stated> {
    const GROUP: &[u8] = br"{\creatim";
    let group = head.get(find(head, GROUP)? + GROUP.len()..)?;
    let group = group.get(..find(group, b"}")?)?;
    let mut parts = [0; 6];
    for word in group.split(|byte| *byte == b'\\') {
        let word = word.trim_ascii();
        let name = word.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
        let place = match word.get(..name)? {
            b"yr" => 0,
            b"mo" => 1,
            b"dy" => 2,
            b"hr" => 3,
            b"min" => 4,
            b"sec" => 5,
            _ => continue,
        };
        parts[place] = std::str::from_utf8(word.get(name..)?).ok()?.parse().ok()?;
    }
    date::parts(parts)
}
