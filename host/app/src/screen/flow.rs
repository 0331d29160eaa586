//! A text that comes in pieces, taken in lines.

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Flow {
    rest: String,
}

impl Flow {
    /// More of it: the lines that are whole now.
    pub(super) fn push(&mut self, piece: &str) -> Vec<String> {
        self.rest.push_str(piece);
        let Some(end) = self.rest.rfind('\n') else { return Vec::new() };
        let left = self.rest.split_off(end + 1);
        let whole = std::mem::replace(&mut self.rest, left);
        whole.lines().map(str::to_owned).collect()
    }

    /// What has come of a line that goes on.
    pub(super) fn rest(&self) -> Option<&str> {
        Some(self.rest.as_str()).filter(|rest| !rest.is_empty())
    }

    /// Its end: what is left.
    pub(super) fn end(&mut self) -> Option<String> {
        Some(std::mem::take(&mut self.rest)).filter(|rest| !rest.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::Flow;

    #[test]
    fn lines_come_when_they_are_whole() {
        let mut flow = Flow::default();
        assert_eq!(flow.push("a"), Vec::<String>::new());
        assert_eq!(flow.push("b\r\n\nc"), ["ab", ""]);
        assert_eq!(flow.end(), Some("c".to_owned()));
        assert_eq!(flow.end(), None);
    }
}
