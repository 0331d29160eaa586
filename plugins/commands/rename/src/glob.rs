//! Which files are meant: `*.jpg`, `IMG_*`, `*.{jpg,png}`; `jpg` alone is `*.jpg`. Upper and lower case are alike.

use deskhand_filing::name::key;

/// A choice of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(Vec<Vec<char>>);

/// The most alternatives that braces may come to.
const MOST: usize = 256;

impl Glob {
    /// Reads a glob; or says what is wrong with it.
    pub fn read(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let is_extension = text.chars().count() <= 16 && text.chars().all(char::is_alphanumeric);
        let pattern = match text {
            "" => return Err("it is empty; write for example `*.jpg`".to_owned()),
            _ if text.contains('/') => return Err("names have no `/`; write for example `*.jpg`".to_owned()),
            _ if is_extension => format!("*.{text}"),
            _ if text.starts_with('.') && text.len() > 1 && text[1..].chars().all(char::is_alphanumeric) => {
                format!("*{text}")
            }
            _ => text.to_owned(),
        };
        let mut alternatives = vec![pattern];
        while let Some(at) = alternatives.iter().position(|pattern| pattern.contains('{')) {
            let pattern = alternatives.swap_remove(at);
            // the innermost pair of braces first
            let close = pattern.find('}').ok_or("a `{` is never closed")?;
            let open = pattern[..close].rfind('{').ok_or("a `}` was never opened")?;
            for choice in pattern[open + 1..close].split(',') {
                alternatives.push(format!("{}{choice}{}", &pattern[..open], &pattern[close + 1..]));
            }
            if alternatives.len() > MOST {
                return Err(format!("its braces come to more than {MOST} alternatives"));
            }
        }
        if alternatives.iter().any(|pattern| pattern.contains('}')) {
            return Err("a `}` was never opened".to_owned());
        }
        Ok(Self(alternatives.iter().map(|pattern| key(pattern).chars().collect()).collect()))
    }

    /// True if a name fits.
    pub fn matches(&self, name: &str) -> bool {
        let name: Vec<char> = key(name).chars().collect();
        self.0.iter().any(|pattern| fits(pattern, &name))
    }
}

/// `*` is anything, `?` one character. Linear in practice: only the last `*` is gone back to.
fn fits(pattern: &[char], name: &[char]) -> bool {
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            _ => match star {
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    n = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        let fits = |glob: &str, name: &str| Glob::read(glob).unwrap().matches(name);
        for (glob, name) in [
            ("*.jpg", "A.JPG"),
            ("jpg", "a.jpg"),
            (".jpg", "a.jpg"),
            ("IMG_*", "img_1.x"),
            ("*.{jpg,p{n,s}g}", "a.psg"),
            ("a?c*", "aüc"),
            ("*a*b*", "xxaxxbxx"),
            ("*ü*", "Gru\u{308}n"),
            ("*", ""),
        ] {
            assert!(fits(glob, name), "{glob} {name}");
        }
        for (glob, name) in [("*.jpg", "a.jpeg"), ("jpg", "jpg"), ("a?", "a"), ("*a*b", "ba"), ("x{a,b}", "xc")] {
            assert!(!fits(glob, name), "{glob} {name}");
        }
        assert!(!fits(&"*a".repeat(200), &"a".repeat(150)));
    }

    #[test]
    fn mistakes() {
        for glob in ["", "a/b", "{a", "a}", &"{a,b}".repeat(9)] {
            assert!(Glob::read(glob).is_err(), "{glob}");
        }
    }
}
