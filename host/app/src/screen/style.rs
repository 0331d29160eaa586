//! Styles of text at a terminal, or none where it has no colours.

/// How something is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    /// Headings, and what is stressed strongly.
    Strong,
    /// What is stressed.
    Stress,
    /// Code.
    Code,
    /// What matters less.
    Faint,
    Good,
    Bad,
    /// What is under way.
    Busy,
}

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Styles {
    pub(crate) colour: bool,
}

impl Styles {
    /// `text` in a style, word by word, so that it can be broken between any two.
    pub(crate) fn of(self, style: Style, text: &str) -> String {
        let written = console::Style::new().force_styling(true);
        let written = match style {
            _ if !self.colour => return text.to_owned(),
            Style::Plain => return text.to_owned(),
            Style::Strong => written.bold(),
            Style::Stress => written.italic(),
            Style::Code | Style::Busy => written.cyan(),
            Style::Faint => written.dim(),
            Style::Good => written.green(),
            Style::Bad => written.red(),
        };
        let words = text.split(' ').map(|word| match word {
            "" => String::new(),
            word => written.apply_to(word).to_string(),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}
