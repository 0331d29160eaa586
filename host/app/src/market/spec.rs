//! How a plugin and a version are written on the command line.

use deskhand_vocabulary::{MarketplaceName, PluginId, PluginName};
use semver::{Comparator, Op, Version, VersionReq};
use std::str::FromStr;

/// `NAME`, `MARKETPLACE:NAME`, or either with `@VERSION` or `@RANGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spec {
    pub(crate) marketplace: Option<MarketplaceName>,
    pub(crate) plugin: PluginName,
    pub(crate) range: VersionReq,
}

impl FromStr for Spec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, range) = match text.split_once('@') {
            Some((name, range)) => (name, range_of(range)?),
            None => (text, VersionReq::STAR),
        };
        let (marketplace, plugin) = match name.parse::<PluginId>() {
            Ok(id) => (Some(id.marketplace), id.name),
            Err(_) => (None, name.parse().map_err(|error: deskhand_vocabulary::id::NotAName| error.to_string())?),
        };
        Ok(Self { marketplace, plugin, range })
    }
}

/// A whole version means that one; anything else is a range.
fn range_of(text: &str) -> Result<VersionReq, String> {
    if let Ok(version) = text.parse::<Version>() {
        let Version { major, minor, patch, pre, .. } = version;
        let exact = Comparator { op: Op::Exact, major, minor: Some(minor), patch: Some(patch), pre };
        return Ok(VersionReq { comparators: vec![exact] });
    }
    text.parse().map_err(|_| format!("`{text}` is neither a version such as 1.2.0 nor a range such as ^1.2"))
}

/// `PLUGIN@VERSION`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionSpec {
    pub(crate) plugin: PluginName,
    pub(crate) version: Version,
}

impl FromStr for VersionSpec {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not PLUGIN@VERSION, such as organize@1.2.0");
        let (plugin, version) = text.split_once('@').ok_or_else(wrong)?;
        Ok(Self { plugin: plugin.parse().map_err(|_| wrong())?, version: version.parse().map_err(|_| wrong())? })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_meant_is_read() {
        let spec = |text: &str| {
            text.parse::<Spec>()
                .map(|spec| (spec.marketplace.map(String::from), String::from(spec.plugin), spec.range.to_string()))
        };
        assert_eq!(spec("organize"), Ok((None, "organize".into(), "*".into())));
        assert_eq!(spec("acme:organize@1.2.0"), Ok((Some("acme".into()), "organize".into(), "=1.2.0".into())));
        assert_eq!(spec("organize@^1, <1.5"), Ok((None, "organize".into(), "^1, <1.5".into())));
        assert_eq!(spec("organize@2.0.0-rc.1"), Ok((None, "organize".into(), "=2.0.0-rc.1".into())));
        assert!(spec("organize@new").is_err() && spec("Organize").is_err() && spec("a:b:c").is_err());
        assert!("organize".parse::<VersionSpec>().is_err() && "organize@1".parse::<VersionSpec>().is_err());
        assert_eq!("organize@1.0.0".parse::<VersionSpec>().unwrap().version, Version::new(1, 0, 0));
    }
}
