//! Which plugin is meant by a name. Names of two marketplaces are never merged.

use deskhand_vocabulary::PluginId;

/// What a name means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// This one.
    One(PluginId),
    /// One of these; the person has to say which.
    Several(Vec<PluginId>),
    /// Nothing that is there.
    Nothing,
}

/// The plugin that `name` means, of those that are there: `plugin`, or `marketplace:plugin`.
pub fn plugin<'a>(name: &str, there: impl IntoIterator<Item = &'a PluginId>) -> Meaning {
    let fits = |id: &&PluginId| match name.parse::<PluginId>() {
        Ok(exact) => **id == exact,
        Err(_) => id.name.as_str() == name,
    };
    let mut found: Vec<PluginId> = there.into_iter().filter(fits).cloned().collect();
    found.sort();
    found.dedup();
    match found.len() {
        0 => Meaning::Nothing,
        1 => found.pop().map_or(Meaning::Nothing, Meaning::One),
        _ => Meaning::Several(found),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_name_that_several_carry_means_none_of_them_alone() {
        let id = |text: &str| text.parse::<PluginId>().unwrap();
        let ids = [id("acme:organize"), id("home:organize"), id("home:tidy")];
        assert_eq!(plugin("tidy", &ids), Meaning::One(id("home:tidy")));
        assert_eq!(plugin("organize", &ids), Meaning::Several(vec![id("acme:organize"), id("home:organize")]));
        assert_eq!(plugin("acme:organize", &ids), Meaning::One(id("acme:organize")));
        assert_eq!(plugin("acme:tidy", &ids), Meaning::Nothing);
    }
}
