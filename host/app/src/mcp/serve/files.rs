//! The files of the granted folders as resources: `deskhand://files/FOLDER/PATH`. They are seen with what is pending, through
//! the gate, and no address leads out of a folder.

use super::task::Task;
use crate::desk::Desk;
use deskhand_mcp::server::{Content, NotServed, Page, Resource, Template};
use deskhand_permissions::effect::ReadFolder;
use deskhand_vocabulary::{FilePath, FolderName, RelativePath, Stop, path::encode, text::shortened};
use deskhand_workspace::{Kind, WalkOptions};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Where files begin, and where the references of skills do.
const FILES: &str = "deskhand://files/";
const SKILLS: &str = "deskhand://skills/";
/// The largest file that is read, in bytes.
const LARGEST: u64 = 4 << 20;
/// So many entries are looked at for one page.
const PAGE: u32 = 500;
/// What stands for itself in an address (RFC 3986, section 2.3), and what is between names.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// How addresses are made.
pub(super) fn templates() -> Vec<Template> {
    let template = |uri: String, name: &str, description: &str| Template {
        uri,
        name: name.to_owned(),
        description: description.to_owned(),
    };
    vec![
        template(format!("{FILES}{{folder}}/{{+path}}"), "file", "A file of a folder that the person granted."),
        template(
            format!("{SKILLS}{{skill}}/{{+path}}"),
            "reference",
            "A reference of a skill, by the path that it names.",
        ),
    ]
}

/// Where the references of a skill begin.
pub(super) fn of_skill(skill: &str) -> String {
    format!("{SKILLS}{}/", utf8_percent_encode(skill, NON_ALPHANUMERIC))
}

/// The skill and the reference that an address means, if it means one.
pub(super) fn reference(uri: &str) -> Option<(String, String)> {
    let (skill, path) = uri.strip_prefix(SKILLS)?.split_once('/')?;
    let text = |part: &str| percent_decode_str(part).decode_utf8().ok().map(std::borrow::Cow::into_owned);
    Some((text(skill)?, text(path)?))
}

fn unknown(uri: &str) -> NotServed {
    NotServed::Unknown(format!("there is no resource `{}`", shortened(uri, 200)))
}

fn permit(task: &Task, desk: &Desk, folder: &FolderName) -> Result<(), NotServed> {
    let folders = task.workspace.folder_map();
    let path = folders.get(folder).ok_or_else(|| unknown(&format!("{FILES}{folder}")))?;
    let gate = desk.gate().map_err(|failure| NotServed::Failed(failure.message))?;
    let permit = gate.permit(&task.context, ReadFolder { folder: path.clone() });
    permit.map(|permit| drop(permit.redeem())).map_err(|refused| NotServed::Failed(refused.to_string()))
}

/// Files of all folders, a folder after the other. A cursor is the number of the folder and where in it the page begins.
pub(super) fn list(task: &Task, desk: &Desk, cursor: Option<&str>) -> Result<Page<Resource>, NotServed> {
    let wrong = || NotServed::Unknown("this cursor is none that a page ended with".to_owned());
    let (number, at) = match cursor {
        None => (0, None),
        Some(cursor) => {
            let (number, at) = cursor.split_once(':').ok_or_else(wrong)?;
            (number.parse::<usize>().map_err(|_| wrong())?, Some(at).filter(|at| !at.is_empty()))
        }
    };
    let folders = task.workspace.folders();
    let Some(folder) = folders.get(number) else {
        return if cursor.is_none() { Ok(Page { items: Vec::new(), next: None }) } else { Err(wrong()) };
    };
    permit(task, desk, &folder.name)?;
    let root = FilePath { folder: folder.name.clone(), path: RelativePath::root() };
    let options = WalkOptions { deep: true, glob: None, hidden: false };
    let page = task.workspace.walk(&root, &options, at, PAGE);
    let page = page.map_err(|error| if at.is_some() { wrong() } else { NotServed::Failed(error.message) })?;
    let files = page.entries.into_iter().filter(|entry| entry.kind == Kind::File);
    let items = files.map(|entry| Resource {
        uri: uri(&entry.path),
        name: encode(entry.path.path.name().unwrap_or_default()),
        size: entry.size,
    });
    let next = match page.next {
        Some(next) => Some(format!("{number}:{next}")),
        None => (number + 1 < folders.len()).then(|| format!("{}:", number + 1)),
    };
    Ok(Page { items: items.collect(), next })
}

fn uri(path: &FilePath) -> String {
    format!("{FILES}{}", utf8_percent_encode(&path.to_string(), ESCAPED))
}

/// What a file holds.
pub(super) fn read(task: &Task, desk: &Desk, uri: &str, stop: &Stop) -> Result<Content, NotServed> {
    let path = uri.strip_prefix(FILES).ok_or_else(|| unknown(uri))?;
    let path = percent_decode_str(path).decode_utf8().map_err(|_| unknown(uri))?;
    let path: FilePath = path.parse().map_err(|_| unknown(uri))?;
    permit(task, desk, &path.folder)?;
    let one = std::slice::from_ref(&path);
    let entry = task.workspace.stat(one).pop().and_then(Result::ok).filter(|entry| entry.kind == Kind::File);
    let entry = entry.ok_or_else(|| unknown(uri))?;
    if entry.size > LARGEST {
        let reason = format!("the file has {} bytes, and at most {LARGEST} are read at once", entry.size);
        return Err(NotServed::Failed(reason));
    }
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < entry.size {
        let piece = task.workspace.read(&path, Some(&entry.version), bytes.len() as u64, 1 << 20);
        let piece = piece.map_err(|error| NotServed::Failed(error.message))?;
        if piece.is_empty() {
            break;
        }
        bytes.extend(piece);
    }
    let facts = task.workspace.attributes(one, &["media-type".to_owned()], &jiff::tz::TimeZone::UTC, stop).pop();
    let media_type = facts.and_then(Result::ok).and_then(|facts| facts.get("media-type")?.as_str().map(str::to_owned));
    Ok(Content { media_type: media_type.unwrap_or_else(|| "application/octet-stream".to_owned()), bytes })
}
