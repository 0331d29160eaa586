//! Counts the words of a text file.

use deskhand_sdk::prelude::*;

/// The largest file that is read, in bytes.
const LARGEST: u64 = 16 << 20;

/// What the caller gives. Each field is an argument; its comment is what the model reads of it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Arguments {
    /// The file.
    pub path: FilePath,
}

/// What it gives back.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Count {
    /// How many words.
    pub words: u64,
}

/// Count the words of a text file. Takes its path, as the other tools name it.
#[tool(title = "Count words", read_only)]
pub fn count_words(arguments: Arguments) -> Result<Count> {
    let bytes = files::read(&arguments.path, LARGEST)?;
    let text = String::from_utf8(bytes).map_err(|_| Error::unsupported(format!("{} is no text", arguments.path)))?;
    Ok(Count { words: text.split_whitespace().count() as u64 })
}

deskhand_sdk::plugin! { tools: [count_words] }

#[cfg(test)]
mod tests {
    use super::*;

    fn count(host: &testing::Host, path: &str) -> Result<Count> {
        host.run(|| count_words(Arguments { path: FilePath::new(path)? }))
    }

    #[test]
    fn words_are_counted() {
        let host = testing::Host::new().folder("Notes").file("Notes/a.txt", "One two\n three. ");
        assert_eq!(count(&host, "Notes/a.txt"), Ok(Count { words: 3 }));
    }

    #[test]
    fn what_is_no_text_is_said() {
        let host = testing::Host::new().folder("Notes").file("Notes/a.bin", vec![0xff, 0xfe]);
        assert_eq!(count(&host, "Notes/a.bin").map_err(|error| error.code), Err(Code::Unsupported));
        assert_eq!(count(&host, "Notes/b.txt").map_err(|error| error.code), Err(Code::NotFound));
    }
}
