//! Patterns of names, as a walk takes them: `*`, `?` and `[a-z]` within a name, `**` across names, `{a,b}` for either.

/// True if the path, written from the root of the walk, matches. A pattern without a `/` is for its last name.
pub(crate) fn matches(pattern: &str, path: &str) -> bool {
    let path = if pattern.contains('/') { path } else { path.rsplit('/').next().unwrap_or(path) };
    alternatives(pattern).iter().any(|pattern| names(&parts(pattern), &parts(path)))
}

fn parts(text: &str) -> Vec<&str> {
    text.split('/').collect()
}

/// The pattern with its first `{…}` replaced by each of its alternatives, and so on.
fn alternatives(pattern: &str) -> Vec<String> {
    let Some((before, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let Some((inside, after)) = rest.split_once('}') else { return vec![pattern.to_owned()] };
    inside.split(',').flat_map(|choice| alternatives(&format!("{before}{choice}{after}"))).collect()
}

fn names(pattern: &[&str], path: &[&str]) -> bool {
    match (pattern, path) {
        ([], []) => true,
        (["**", rest @ ..], _) => names(rest, path) || (!path.is_empty() && names(pattern, &path[1..])),
        ([first, rest @ ..], [name, below @ ..]) => {
            let (first, name): (Vec<char>, Vec<char>) = (first.chars().collect(), name.chars().collect());
            one_name(&first, &name) && names(rest, below)
        }
        _ => false,
    }
}

fn one_name(pattern: &[char], name: &[char]) -> bool {
    match (pattern, name) {
        ([], []) => true,
        (['*', rest @ ..], _) => one_name(rest, name) || (!name.is_empty() && one_name(pattern, &name[1..])),
        (['?', rest @ ..], [_, name @ ..]) => one_name(rest, name),
        (['[', set @ ..], [c, name @ ..]) => match set.iter().skip(1).position(|c| *c == ']') {
            Some(end) => in_set(&set[..=end], *c) && one_name(&set[end + 2..], name),
            None => false,
        },
        ([a, rest @ ..], [b, name @ ..]) => a == b && one_name(rest, name),
        _ => false,
    }
}

/// What stands between `[` and `]`: characters and ranges, after `!` or `^` all others.
fn in_set(set: &[char], c: char) -> bool {
    let (not, mut rest) = match set {
        ['!' | '^', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut found = false;
    loop {
        rest = match rest {
            [] => return found != not,
            [from, '-', to, rest @ ..] => {
                found |= (*from..=*to).contains(&c);
                rest
            }
            [one, rest @ ..] => {
                found |= *one == c;
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn patterns() {
        for (pattern, path, expected) in [
            ("*.jpg", "a.jpg", true),
            ("*.jpg", "b/a.jpg", true),
            ("./*.jpg", "b/a.jpg", false),
            ("b/*.jpg", "b/c/a.jpg", false),
            ("[a-c]?.txt", "bx.txt", true),
            ("[!a-c]*", "bx.txt", false),
            ("[]x]", "x", true),
            ("[x", "x", false),
            ("**/*.jpg", "a.jpg", true),
            ("**/*.jpg", "b/c/a.jpg", true),
            ("*.{jpg,png}", "a.png", true),
            ("?.txt", "ab.txt", false),
            ("b/**", "b/c/d", true),
        ] {
            assert_eq!(matches(pattern, path), expected, "{pattern} {path}");
        }
    }
}
