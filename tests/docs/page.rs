//! What a page tells its reader to type.

/// What a command of an indented block begins with.
const PROGRAMS: [&str; 7] = ["deskhand", "make", "cargo", "export", "cd", "tests/", "target/"];

/// The commands of a page, in order, without comments.
pub(crate) fn commands(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    let mut blank_before = true;
    let mut indented = false;
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            fence = if fence.is_some() { None } else { Some(language) };
            continue;
        }
        let line = match fence {
            Some("sh" | "bash" | "console" | "shell") => Some(line),
            Some(_) => None,
            None => {
                indented = line.starts_with("    ") && (indented || blank_before);
                blank_before = line.trim().is_empty();
                line.strip_prefix("    ")
                    .filter(|line| indented && PROGRAMS.iter().any(|program| line.starts_with(program)))
            }
        };
        let command = line.map(without_comment).unwrap_or_default();
        if !command.is_empty() {
            assert!(
                PROGRAMS.iter().any(|program| command.starts_with(program)),
                "{name}: nobody has said how `{command}` is tested"
            );
            found.push(command);
        }
    }
    found
}

/// A line up to a `#` that stands outside of quotes after a space.
fn without_comment(line: &str) -> String {
    let mut quote = None;
    let mut before = ' ';
    for (at, character) in line.char_indices() {
        match (quote, character) {
            (None, '#') if before.is_whitespace() => return line[..at].trim().to_owned(),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        before = character;
    }
    line.trim().to_owned()
}

/// The subcommands of `deskhand` that are named in code within sentences: the small words after it.
pub(crate) fn mentioned(text: &str) -> Vec<Vec<String>> {
    let groups = ["plugin", "market", "mcp", "model", "vm"];
    text.split('`')
        .skip(1)
        .step_by(2)
        .filter_map(|code| code.strip_prefix("deskhand "))
        .filter_map(|rest| {
            let words: Vec<String> = rest.split_whitespace().map(str::to_owned).collect();
            let first = words.first().filter(|word| word.chars().all(|c| c.is_ascii_lowercase() || c == '-'))?;
            let second = words.get(1).filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
            Some(match second {
                Some(second) if groups.contains(&first.as_str()) => vec![first.clone(), second.clone()],
                _ => vec![first.clone()],
            })
        })
        .filter(|words| !words[0].starts_with("--"))
        .collect()
}

/// The targets of a page's links.
pub(crate) fn links(text: &str) -> Vec<String> {
    let mut fenced = false;
    text.lines()
        .filter(|line| {
            let fence = line.starts_with("```");
            fenced ^= fence;
            !fenced && !fence && !line.starts_with("    ")
        })
        .flat_map(|line| {
            line.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(link, _)| link.to_owned())
        })
        .collect()
}
