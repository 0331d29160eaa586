//! The package index of Python that this computer uses, as pip finds it (pip's "Configuration"), and its pages (PEP 503).

use deskhand_egress::Url;
use html5gum::{DefaultEmitter, Token, Tokenizer};
use percent_encoding::percent_decode_str;
use std::{
    env, fs,
    path::{Path, PathBuf},
};

/// The address of the index; none where pip is set to none.
pub(super) fn find() -> Option<String> {
    let said = env::var("PIP_INDEX_URL").ok().filter(|address| !address.is_empty());
    said.or_else(|| files().iter().filter_map(|path| fs::read_to_string(path).ok()).find_map(|text| named(&text)))
}

/// The configuration of pip, the strongest file first.
fn files() -> Vec<PathBuf> {
    let home = env::var_os("HOME").map(PathBuf::from);
    let configuration = env::var_os("XDG_CONFIG_HOME").map(PathBuf::from);
    let configuration = configuration.or_else(|| Some(home.as_ref()?.join(".config")));
    let own = [configuration.map(|folder| folder.join("pip/pip.conf")), home.map(|home| home.join(".pip/pip.conf"))];
    own.into_iter().flatten().chain([Path::new("/etc/pip.conf").to_owned()]).collect()
}

/// The address in a file of configuration, which may stand in any of its sections.
fn named(text: &str) -> Option<String> {
    let lines = text.lines().map(str::trim).filter(|line| !line.starts_with(['#', ';']));
    let mut pairs = lines.filter_map(|line| line.split_once(['=', ':']));
    let found = pairs.find(|(key, _)| key.trim().replace('_', "-").eq_ignore_ascii_case("index-url"));
    found.map(|(_, address)| address.trim().to_owned()).filter(|address| !address.is_empty())
}

/// Where a page that is at `at` says that a file is.
pub(super) fn file(page: &str, at: &Url, file: &str) -> Option<Url> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    let targets = Tokenizer::new_with_emitter(page, emitter).filter_map(|token| match token {
        Ok(Token::StartTag(tag)) if **tag.name == *b"a" => {
            tag.attributes.get(&b"href"[..]).map(|target| String::from_utf8_lossy(target).into_owned())
        }
        _ => None,
    });
    let mut urls = targets.filter_map(|target| at.join(&target).ok());
    urls.find(|url| {
        url.path_segments().and_then(Iterator::last).is_some_and(|name| percent_decode_str(name).eq(file.bytes()))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{file, named};
    use deskhand_egress::Url;

    #[test]
    fn pip_names_an_index() {
        let text = "# index-url = http://old.example/simple\n[global]\ntimeout = 60\nindex-url = https://one.example/simple\n\
                    [install]\nindex-url = https://two.example/simple\n";
        assert_eq!(named(text).as_deref(), Some("https://one.example/simple"));
        assert_eq!(
            named("[global]\nindex_url: http://three.example:8080/simple/\n").as_deref(),
            Some("http://three.example:8080/simple/")
        );
        assert_eq!(named("[global]\nextra-index-url = https://one.example/simple\nindex-url =\n"), None);
    }

    #[test]
    fn a_file_is_found_on_a_page_by_its_whole_name() {
        let at = Url::parse("https://index.example/simple/some-thing/").unwrap();
        let page = "<!DOCTYPE html><a name=top>Top</a><a href='some_thing-1.0-py3-none-any.whl.metadata'>x</a>\
                    <!-- <a href='old/some_thing-1.0-py3-none-any.whl'>x</a> -->\
                    <A data-requires-python='&gt;=3.8' HREF='../../files/some%5Fthing-1.0-py3-none-any.whl?a=1&amp;b=2#sha256=00'>x</A>\
                    <a href='https://other.example/some_thing-1.0+local-py3-none-any.whl'>x</a>";
        let found = |name: &str| file(page, &at, name).map(String::from);
        assert_eq!(
            found("some_thing-1.0-py3-none-any.whl").as_deref(),
            Some("https://index.example/files/some%5Fthing-1.0-py3-none-any.whl?a=1&b=2#sha256=00")
        );
        assert_eq!(
            found("some_thing-1.0+local-py3-none-any.whl").as_deref(),
            Some("https://other.example/some_thing-1.0+local-py3-none-any.whl")
        );
        assert_eq!(found("some_thing-2.0-py3-none-any.whl"), None);
    }
}
