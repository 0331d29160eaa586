//! Patterns for names: `*`, `?`, `[a-z]`, `{a,b}` and `**` for any folders between. On bytes, and in time
//! proportional to pattern times name, whatever the pattern.

use crate::error::FileError;

/// A pattern. Without a `/` it is for the last name of a path; with one, for the whole path below where the walk begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob {
    alternatives: Vec<Vec<Token>>,
    whole: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Byte(u8),
    One,
    Any,
    /// Any names, `/` included.
    Deep,
    Set {
        not: bool,
        ranges: Vec<(u8, u8)>,
    },
}

/// More alternatives than any real pattern has.
const LIMIT: usize = 256;

impl Glob {
    /// Read a pattern.
    pub fn new(pattern: &str) -> Result<Self, FileError> {
        let bytes = deskhand_vocabulary::path::decode(pattern);
        let refuse = |why: &str| FileError::invalid(format!("the pattern `{pattern}` is not understood: {why}"));
        if bytes.is_empty() || bytes.len() > 4096 {
            return Err(refuse("it must have 1 to 4,096 bytes"));
        }
        let expanded = expand(&bytes).ok_or_else(|| refuse("a `{` without `}`, or too many alternatives"))?;
        let alternatives = expanded
            .iter()
            .map(|text| tokens(text).ok_or_else(|| refuse("a `[` without `]`")))
            .collect::<Result<_, _>>()?;
        Ok(Self { alternatives, whole: bytes.contains(&b'/') })
    }

    /// Whether the path below where the walk begins is meant.
    pub fn matches(&self, path: &[u8]) -> bool {
        let subject = if self.whole { path } else { path.rsplit(|b| *b == b'/').next().unwrap_or(path) };
        self.alternatives.iter().any(|tokens| fits(tokens, subject))
    }
}

fn expand(pattern: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut done: Vec<Vec<u8>> = Vec::new();
    let mut open = vec![pattern.to_vec()];
    while let Some(text) = open.pop() {
        if done.len() + open.len() > LIMIT {
            return None;
        }
        let Some(start) = text.iter().position(|b| *b == b'{') else {
            done.push(text);
            continue;
        };
        let mut depth = 0_u32;
        let mut cuts = vec![start];
        let mut end = None;
        for (index, byte) in text.iter().enumerate().skip(start) {
            match byte {
                b'{' => depth += 1,
                b'}' => {
                    depth -= 1;
                    if depth == 0 {
                        end = Some(index);
                        break;
                    }
                }
                b',' if depth == 1 => cuts.push(index),
                _ => {}
            }
        }
        let end = end?;
        cuts.push(end);
        for pair in cuts.windows(2) {
            let mut one = text[..start].to_vec();
            one.extend_from_slice(&text[pair[0] + 1..pair[1]]);
            one.extend_from_slice(&text[end + 1..]);
            open.push(one);
        }
    }
    Some(done)
}

fn tokens(pattern: &[u8]) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut rest = pattern;
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'*' if rest.first() == Some(&b'*') => {
                rest = rest.strip_prefix(b"*").unwrap_or(rest);
                // `**/` also stands for no folder at all
                rest = rest.strip_prefix(b"/").unwrap_or(rest);
                tokens.push(Token::Deep);
            }
            b'*' => tokens.push(Token::Any),
            b'?' => tokens.push(Token::One),
            b'\\' => {
                let [byte, tail @ ..] = rest else { return None };
                rest = tail;
                tokens.push(Token::Byte(*byte));
            }
            b'[' => {
                let not = matches!(rest.first(), Some(b'!' | b'^'));
                if not {
                    rest = &rest[1..];
                }
                let close = rest.iter().skip(1).position(|b| *b == b']')? + 1;
                let (mut inside, tail) = (&rest[..close], &rest[close + 1..]);
                let mut ranges = Vec::new();
                while let [from, more @ ..] = inside {
                    if let [b'-', to, more @ ..] = more {
                        ranges.push((*from, *to));
                        inside = more;
                    } else {
                        ranges.push((*from, *from));
                        inside = more;
                    }
                }
                rest = tail;
                tokens.push(Token::Set { not, ranges });
            }
            byte => tokens.push(Token::Byte(*byte)),
        }
    }
    Some(tokens)
}

/// One pass over the subject with the set of all places in the pattern that are reached.
fn fits(tokens: &[Token], subject: &[u8]) -> bool {
    let mut reached = vec![false; tokens.len() + 1];
    reached[0] = true;
    skip_empty(tokens, &mut reached, true);
    for (index, byte) in subject.iter().enumerate() {
        let mut next = vec![false; tokens.len() + 1];
        for (at, token) in tokens.iter().enumerate().filter(|(at, _)| reached[*at]) {
            match token {
                Token::Byte(wanted) if wanted == byte => next[at + 1] = true,
                Token::One if *byte != b'/' => next[at + 1] = true,
                Token::Any if *byte != b'/' => next[at] = true,
                Token::Deep => next[at] = true,
                Token::Set { not, ranges } if *byte != b'/' => {
                    next[at + 1] |= ranges.iter().any(|(from, to)| (from..=to).contains(&byte)) != *not;
                }
                _ => {}
            }
        }
        // a `**/` ends only after a whole name
        skip_empty(tokens, &mut next, *byte == b'/' || index + 1 == subject.len());
        reached = next;
    }
    reached[tokens.len()]
}

fn skip_empty(tokens: &[Token], reached: &mut [bool], boundary: bool) {
    for (at, token) in tokens.iter().enumerate() {
        if reached[at] && (*token == Token::Any || (*token == Token::Deep && boundary)) {
            reached[at + 1] = true;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn patterns_fit_as_in_a_shell() {
        let cases: [(&str, &str, bool); 22] = [
            ("*.pdf", "a.pdf", true),
            ("*.pdf", "x/y/a.pdf", true),
            ("*.pdf", "a.pdf.txt", false),
            ("x/*.pdf", "x/a.pdf", true),
            ("x/*.pdf", "x/y/a.pdf", false),
            ("x/**/*.pdf", "x/y/z/a.pdf", true),
            ("x/**/*.pdf", "x/a.pdf", true),
            ("x/**", "x/a/b", true),
            ("**/b", "b", true),
            ("**/b", "a/b", true),
            ("**/b", "ab", false),
            ("IMG_????.jpg", "IMG_0001.jpg", true),
            ("IMG_????.jpg", "IMG_001.jpg", false),
            ("[a-c]*", "bear", true),
            ("[!a-c]*", "bear", false),
            ("[]x]", "]", true),
            ("*.{jpg,jpeg}", "a.jpeg", true),
            ("*.{jpg,p{n,b}g}", "a.pbg", true),
            ("*.{jpg,png}", "a.gif", false),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("*", "", true),
        ];
        for (pattern, path, expected) in cases {
            assert_eq!(Glob::new(pattern).unwrap().matches(path.as_bytes()), expected, "{pattern} on {path}");
        }
    }

    #[test]
    fn a_hostile_pattern_ends() {
        let pattern = "*a".repeat(1000);
        assert!(!Glob::new(&pattern).unwrap().matches(&[b'a'; 255]));
        assert!(Glob::new(&"{a,b}".repeat(30)).is_err());
        assert!(Glob::new("{a").is_err());
        assert!(Glob::new("[a").is_err());
    }
}
