//! `/command arguments`, typed.

use super::{
    Candidate, Catalogue,
    forms::{Form, Style, value},
    schema::{Kind, properties},
    words::{Word, fold},
};
use deskhand_runtime::PluginFault;
use deskhand_vocabulary::PluginId;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A typed command that fits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Typed {
    /// Which.
    pub(crate) candidate: Candidate,
    /// The arguments, which fit the command's schema.
    pub(crate) arguments: Value,
}

/// Why a typed command was not understood.
#[derive(Debug, thiserror::Error, PartialEq)]
pub(crate) enum NotTyped {
    #[error("no installed command is called `/{name}`{}. See them with: deskhand commands", hint(.near))]
    Unknown { name: String, near: Vec<String> },
    #[error("several plugins have a command `/{name}`: {}. Type one with its plugin, such as `/{}:{name}`", list(.plugins), first(.plugins))]
    Ambiguous { name: String, plugins: Vec<PluginId> },
    #[error("`/{name}` does not know what to do with `{part}`. {usage}")]
    Unfit { name: String, part: String, usage: String },
    #[error("`/{name}` cannot take that: {reason}. {usage}")]
    Invalid { name: String, reason: String, usage: String },
    #[error("`/{name}` has to be told what to do. {usage}")]
    Bare { name: String, usage: String },
    #[error("a quotation mark is not closed in `{part}`")]
    Unclosed { part: String },
    #[error("`/{name}` cannot be used: {fault}")]
    Broken { name: String, fault: PluginFault },
}

fn hint(near: &[String]) -> String {
    if near.is_empty() { String::new() } else { format!("; perhaps you mean `/{}`", near.join("` or `/")) }
}

fn list(plugins: &[PluginId]) -> String {
    plugins.iter().map(|plugin| format!("`{plugin}`")).collect::<Vec<_>>().join(", ")
}

fn first(plugins: &[PluginId]) -> String {
    plugins.first().map(ToString::to_string).unwrap_or_default()
}

/// How a command is typed so that no other is meant: with whose it is, where several have the name.
pub(crate) fn typed(candidate: &Candidate, catalogue: &Catalogue) -> String {
    let name = candidate.command.name.to_string();
    let several = catalogue.names().iter().filter(|(_, known)| *known == name).count() > 1;
    if several { format!("/{}:{name}", candidate.plugin) } else { format!("/{name}") }
}

/// Read a typed command: `/name …`, or, with whose it is, `/plugin:name …`, `/marketplace:name …` or
/// `/marketplace:plugin:name …`; `/marketplace:plugin …` for the one command of a plugin. None if the text does not start
/// with a slash and a name. `preferred` is the plugin whose command the person chose where several have the name.
pub(crate) fn parse(
    text: &str,
    catalogue: &Catalogue,
    preferred: impl Fn(&str) -> Option<PluginId>,
) -> Option<Result<Typed, NotTyped>> {
    let rest = text.trim().strip_prefix('/')?;
    let (name, rest) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    if name.is_empty() || name.contains('/') {
        return None;
    }
    Some(find(name, catalogue, preferred).and_then(|index| {
        let candidate =
            catalogue.candidate(index).map_err(|fault| NotTyped::Broken { name: name.to_owned(), fault })?;
        let arguments = arguments(&candidate, rest)?;
        Ok(Typed { candidate, arguments })
    }))
}

fn find(name: &str, catalogue: &Catalogue, preferred: impl Fn(&str) -> Option<PluginId>) -> Result<usize, NotTyped> {
    let (plugin, command) = name.rsplit_once(':').map_or((None, name), |(plugin, command)| (Some(plugin), command));
    let names = catalogue.names();
    let fits = |(id, known): &(PluginId, String)| {
        known == command
            && plugin.is_none_or(|plugin| {
                [id.name.as_str(), id.marketplace.as_str()].contains(&plugin) || id.to_string() == plugin
            })
    };
    let mut found: Vec<usize> = (0..names.len()).filter(|index| fits(&names[*index])).collect();
    if found.is_empty() {
        // a plugin by its whole id, which is how it is listed, if that leaves no choice
        found = (0..names.len()).filter(|index| names[*index].0.to_string() == name).collect();
        found.truncate(if found.len() == 1 { 1 } else { 0 });
    }
    match found.as_slice() {
        [one] => Ok(*one),
        [] => {
            let mut near: Vec<(usize, &str)> = names
                .iter()
                .map(|(_, known)| (strsim::damerau_levenshtein(known, command), known.as_str()))
                .filter(|(distance, _)| *distance <= 2)
                .collect();
            near.sort_unstable();
            near.dedup();
            let near = near.into_iter().take(2).map(|(_, known)| known.to_owned()).collect();
            Err(NotTyped::Unknown { name: name.to_owned(), near })
        }
        several => {
            let chosen = preferred(command);
            several.iter().copied().find(|index| Some(&names[*index].0) == chosen.as_ref()).ok_or_else(|| {
                let plugins = several.iter().map(|index| names[*index].0.clone()).collect();
                NotTyped::Ambiguous { name: command.to_owned(), plugins }
            })
        }
    }
}

fn arguments(candidate: &Candidate, text: &str) -> Result<Value, NotTyped> {
    let command = &candidate.command;
    let name = command.name.to_string();
    let words = read(text)?;
    let properties = properties(&command.arguments);
    let mut forms: Vec<Form> = command.forms.iter().filter_map(|form| Form::read(form, &properties)).collect();
    let mut found = Map::new();
    let mut rest = words.as_slice();
    while let Some(first) = rest.first() {
        if let Some((property, given)) = option(first, &properties) {
            let (value, taken) = match given {
                Some(given) => {
                    let words: Vec<Word> = given.split(',').map(|part| word(part, false)).collect();
                    (value(property, &words, None, Style::Typed).map(|(value, _)| value), 1)
                }
                None if matches!(property.kind, Kind::Flag(_)) => (Some(Value::Bool(true)), 1),
                None => match value(property, &rest[1..], None, Style::Typed) {
                    Some((value, taken)) => (Some(value), taken + 1),
                    None => (None, 1),
                },
            };
            let value = value.ok_or_else(|| unfit(candidate, &first.text))?;
            found.insert(property.name.clone(), value);
            rest = &rest[taken..];
            continue;
        }
        let fit = forms
            .iter()
            .enumerate()
            .filter_map(|(index, form)| {
                let mut arguments = Map::new();
                let taken = form.fit(rest, &properties, Style::Typed, &mut arguments)?;
                Some((taken, index, arguments))
            })
            .max_by_key(|(taken, ..)| *taken);
        let Some((taken, index, arguments)) = fit.filter(|(taken, ..)| *taken > 0) else {
            // `by tpye`: the word that a form begins with is right, what follows is not
            let wrong = if forms.iter().any(|form| form.begins(first)) { rest.get(1).unwrap_or(first) } else { first };
            return Err(unfit(candidate, &wrong.text));
        };
        forms.remove(index);
        found.extend(arguments);
        rest = &rest[taken..];
    }
    let arguments = Value::Object(found);
    check(candidate, &arguments).map_err(|reason| match arguments.as_object().is_some_and(Map::is_empty) {
        true => NotTyped::Bare { name, usage: usage(candidate) },
        false => NotTyped::Invalid { name, reason, usage: usage(candidate) },
    })?;
    Ok(arguments)
}

/// Whether arguments fit a command's schema; else why not.
pub(crate) fn check(candidate: &Candidate, arguments: &Value) -> Result<(), String> {
    let schema = jsonschema::draft202012::options()
        .build(&candidate.command.arguments)
        .map_err(|error| format!("the plugin's own schema is wrong: {error}"))?;
    let reasons: Vec<String> = schema.iter_errors(arguments).take(3).map(|error| error.to_string()).collect();
    if reasons.is_empty() { Ok(()) } else { Err(reasons.join("; ")) }
}

fn unfit(candidate: &Candidate, part: &str) -> NotTyped {
    NotTyped::Unfit { name: candidate.command.name.to_string(), part: part.to_owned(), usage: usage(candidate) }
}

/// How a command is typed, for the person.
pub(crate) fn usage(candidate: &Candidate) -> String {
    usage_as(candidate, &format!("/{}", candidate.command.name))
}

/// The same, where it is called this.
pub(crate) fn usage_as(candidate: &Candidate, called: &str) -> String {
    let command = &candidate.command;
    let properties = properties(&command.arguments);
    // the first form of each argument says enough; the others are other words for it
    let mut said = BTreeSet::new();
    let slots = |form: &&String| {
        let slots: Vec<&str> = form.split_whitespace().filter(|part| part.starts_with('{')).collect();
        said.insert(slots.join(" "))
    };
    let clauses: Vec<String> = command.forms.iter().filter(slots).map(|form| clause(form, &properties)).collect();
    if clauses.is_empty() {
        format!("It takes nothing more: {called}")
    } else {
        format!("It is typed: {called} [{}]", clauses.join("] ["))
    }
}

fn clause(form: &str, properties: &[super::schema::Property]) -> String {
    let part = |part: &str| {
        let Some(name) = part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) else { return part.to_owned() };
        let Some(property) = properties.iter().find(|property| property.name == name) else { return part.to_owned() };
        match &property.kind {
            Kind::Flag(phrases) => {
                phrases.get(1).or(phrases.first()).map(|phrase| phrase.join(" ")).unwrap_or_else(|| name.to_owned())
            }
            Kind::OneOf(values) => {
                let values: Vec<&str> = values.iter().map(|(value, _)| value.as_str()).collect();
                format!("{}{}", values.join("|"), if property.many { " and …" } else { "" })
            }
            Kind::Integer => "NUMBER".to_owned(),
            Kind::Text => format!("\"{}\"", name.to_uppercase()),
        }
    };
    form.split_whitespace().map(part).collect::<Vec<_>>().join(" ")
}

/// `--name`, `--name=value` or `name=value`, if the name is a property's.
fn option<'a, 'p>(
    word: &'a Word,
    properties: &'p [super::schema::Property],
) -> Option<(&'p super::schema::Property, Option<&'a str>)> {
    if word.quoted {
        return None;
    }
    let (name, value) =
        word.text.split_once('=').map_or((word.text.as_str(), None), |(name, value)| (name, Some(value)));
    let dashed = name.strip_prefix("--");
    if dashed.is_none() && value.is_none() {
        return None;
    }
    let wanted = dashed.unwrap_or(name).replace('-', "_");
    properties.iter().find(|property| property.name == wanted).map(|property| (property, value))
}

fn word(text: &str, quoted: bool) -> Word {
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    Word { text: text.to_owned(), folded: if quoted { String::new() } else { fold(&bare) }, quoted, ends: false }
}

/// Words as typed: apart by spaces and commas, quotes hold together, `\` takes a quote as it is.
fn read(text: &str) -> Result<Vec<Word>, NotTyped> {
    let mut words = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c.is_whitespace() || c == ',' {
            continue;
        }
        if let Some(closing) = match c {
            '"' => Some('"'),
            '\'' => Some('\''),
            '“' => Some('”'),
            _ => None,
        } {
            let mut inner = String::new();
            loop {
                match chars.next() {
                    None => return Err(NotTyped::Unclosed { part: format!("{c}{inner}") }),
                    Some('\\') if chars.peek() == Some(&closing) => inner.extend(chars.next()),
                    Some(next) if next == closing => break,
                    Some(next) => inner.push(next),
                }
            }
            words.push(word(&inner, true));
        } else {
            let mut raw = String::from(c);
            while let Some(next) = chars.next_if(|next| !next.is_whitespace() && (*next != ',' || raw.contains('='))) {
                raw.push(next);
            }
            words.push(word(&raw, false));
        }
    }
    Ok(words)
}

#[cfg(test)]
pub(in crate::request) mod tests;
