//! Which versions to install, so that everything fits: what the person wants, what the plugins need of each other,
//! what is installed, and what this Deskhand can run. Within one marketplace; names never reach into another.

use crate::{Catalogue, MarketError, Published, Status, ranges};
use deskhand_vocabulary::{Manifest, PluginName, Sha256, manifest::Permission, rights::widened};
use pubgrub::{
    DefaultStringReporter, Dependencies, DependencyProvider, DerivationTree, PackageResolutionStatistics, PubGrubError,
    Ranges, Reporter,
};
use semver::{Version, VersionReq};
use serde::Serialize;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    fmt,
};

/// What the person asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The plugin.
    pub plugin: PluginName,
    /// Which versions of it will do.
    pub range: VersionReq,
    /// Whether versions will do that their author does not call finished (semver.org 2.0, item 9).
    pub unfinished: bool,
}

/// What is installed of this marketplace.
#[derive(Clone, Debug, PartialEq)]
pub struct Installed {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its component.
    pub component: Sha256,
}

/// A version to be installed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// What.
    pub to: Published,
    /// The version that it replaces.
    pub from: Option<Version>,
    /// What it asks for that the replaced version did not have; all of it if nothing is replaced.
    pub widened: Vec<Permission>,
    /// True if the person named it; false if something else needs it.
    pub wanted: bool,
}

/// Whether a plugin made for one version of the interface runs where another is offered: they are compatible by
/// semver, and it is not from the future.
pub fn interface_fits(made_for: &Version, offered: &Version) -> bool {
    let same = made_for.major == offered.major && (made_for.major > 0 || made_for.minor == offered.minor);
    same && made_for.cmp_precedence(offered).is_le()
}

/// What to install, each after what it needs; empty if all is there. What is installed and not named stays as it is
/// where it can. `interface` is the version of `deskhand:plugin` that this Deskhand offers.
pub fn resolve(
    catalogue: &Catalogue,
    interface: &Version,
    installed: &BTreeMap<PluginName, Installed>,
    wanted: &[Wanted],
) -> Result<Vec<Step>, MarketError> {
    for wanted in wanted {
        if !installed.contains_key(&wanted.plugin) {
            catalogue.versions(&wanted.plugin)?;
        }
    }
    let offers = Offers { catalogue, interface, installed, wanted };
    let solution = match pubgrub::resolve(&offers, Package::You, Version::new(0, 0, 0)) {
        Ok(solution) => solution,
        Err(PubGrubError::NoSolution(tree)) => {
            let mut short = tree.clone();
            short.collapse_no_versions();
            // Where it is all that there is to say, that there is no such version must be said.
            let tree = if matches!(short, DerivationTree::External(_)) { tree } else { short };
            let words = Words { wanted: wanted.iter().map(|wanted| &wanted.plugin).collect() };
            let explanation = DefaultStringReporter::report_with_formatter(&tree, &words);
            return Err(MarketError::NoSolution { explanation });
        }
        Err(other) => return Err(MarketError::NoSolution { explanation: other.to_string() }),
    };
    let chosen: BTreeMap<&PluginName, &Version> = solution
        .iter()
        .filter_map(|(package, version)| match package {
            Package::You => None,
            Package::Plugin(name) => Some((name, version)),
        })
        .collect();
    let mut steps = Vec::new();
    let mut seen = BTreeSet::new();
    for name in chosen.keys() {
        offers.add(name, &chosen, &mut seen, &mut steps);
    }
    Ok(steps)
}

/// The newest versions of all that is installed; see [`resolve`].
pub fn updates(
    catalogue: &Catalogue,
    interface: &Version,
    installed: &BTreeMap<PluginName, Installed>,
) -> Result<Vec<Step>, MarketError> {
    let wanted = |(plugin, installed): (&PluginName, &Installed)| Wanted {
        plugin: plugin.clone(),
        range: VersionReq::STAR,
        unfinished: !installed.manifest.plugin.version.pre.is_empty(),
    };
    resolve(catalogue, interface, installed, &installed.iter().map(wanted).collect::<Vec<_>>())
}

/// What is installed and must not run any more, because its version was revoked.
pub fn revoked<'a>(catalogue: &'a Catalogue, installed: &BTreeMap<PluginName, Installed>) -> Vec<&'a Published> {
    let all = catalogue.plugins.values().flat_map(BTreeMap::values);
    let components: BTreeSet<Sha256> = installed.values().map(|installed| installed.component).collect();
    all.filter(|version| version.status == Status::Revoked && components.contains(&version.component)).collect()
}

/// What has versions and needs others: the person, and each plugin.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Package {
    You,
    Plugin(PluginName),
}

impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::You => f.write_str("you"),
            Self::Plugin(name) => name.fmt(f),
        }
    }
}

/// Whether a requirement names a pre-release and allows this one.
fn names(range: &VersionReq, version: &Version) -> bool {
    range.comparators.iter().any(|comparator| !comparator.pre.is_empty()) && range.matches(version)
}

struct Offers<'a> {
    catalogue: &'a Catalogue,
    interface: &'a Version,
    installed: &'a BTreeMap<PluginName, Installed>,
    wanted: &'a [Wanted],
}

impl Offers<'_> {
    fn wanted(&self, plugin: &PluginName) -> Option<&Wanted> {
        self.wanted.iter().find(|wanted| wanted.plugin == *plugin)
    }

    fn installed_version(&self, plugin: &PluginName) -> Option<&Version> {
        self.installed.get(plugin).map(|installed| &installed.manifest.plugin.version)
    }

    /// All versions that there are, newest first.
    fn versions(&self, plugin: &PluginName) -> Vec<&Version> {
        let offered = self.catalogue.plugins.get(plugin).into_iter().flat_map(BTreeMap::keys);
        let mut versions: Vec<&Version> = offered.chain(self.installed_version(plugin)).collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions.dedup();
        versions
    }

    /// Why a version cannot be chosen.
    fn obstacle(&self, plugin: &PluginName, version: &Version) -> Option<String> {
        let here = self.installed_version(plugin) == Some(version);
        let wanted = self.wanted(plugin);
        let Some(offered) = self.catalogue.get(plugin, version) else {
            return (!here).then(|| "is not offered".to_owned());
        };
        let reason = || match &offered.reason {
            Some(reason) => format!(" ({})", deskhand_vocabulary::text::safe(reason, false)),
            None => String::new(),
        };
        match offered.status {
            Status::Revoked if !here || wanted.is_some() => return Some(format!("is revoked{}", reason())),
            _ if here => return None,
            Status::Yanked => return Some(format!("is yanked{}", reason())),
            Status::Active | Status::Revoked => {}
        }
        let made_for = &offered.manifest.plugin.interface;
        if !interface_fits(made_for, self.interface) {
            let who = if made_for > self.interface { "a newer Deskhand" } else { "an older Deskhand" };
            return Some(format!("was made for {who} (interface {made_for}; this one offers {})", self.interface));
        }
        let allowed = self.asked_for(plugin, version) || self.ranges_for(plugin).any(|range| names(range, version));
        (!allowed).then(|| "is a pre-release, which is only taken when asked for (--pre)".to_owned())
    }

    /// Whether it is a finished version, or the person asked for one that is not.
    fn asked_for(&self, plugin: &PluginName, version: &Version) -> bool {
        let asked = |wanted: &Wanted| wanted.unfinished || names(&wanted.range, version);
        version.pre.is_empty() || self.wanted(plugin).is_some_and(asked)
    }

    /// What other plugins need of this one.
    fn ranges_for<'b>(&'b self, plugin: &'b PluginName) -> impl Iterator<Item = &'b VersionReq> {
        let offered = self.catalogue.plugins.values().flat_map(BTreeMap::values).map(|published| &published.manifest);
        let installed = self.installed.values().map(|installed| &installed.manifest);
        offered.chain(installed).filter_map(move |manifest| manifest.dependencies.get(plugin))
    }

    fn manifest(&self, plugin: &PluginName, version: &Version) -> Option<&Manifest> {
        let installed = self.installed.get(plugin).filter(|there| there.manifest.plugin.version == *version);
        let offered = || self.catalogue.get(plugin, version).map(|published| &published.manifest);
        installed.map(|there| &there.manifest).or_else(offered)
    }

    /// Add the step for a plugin after those for what it needs.
    fn add<'b>(
        &'b self,
        plugin: &'b PluginName,
        chosen: &BTreeMap<&'b PluginName, &'b Version>,
        seen: &mut BTreeSet<&'b PluginName>,
        steps: &mut Vec<Step>,
    ) {
        let Some(version) = chosen.get(plugin).filter(|_| seen.insert(plugin)) else { return };
        for needed in self.manifest(plugin, version).into_iter().flat_map(|manifest| manifest.dependencies.keys()) {
            self.add(needed, chosen, seen, steps);
        }
        let installed = self.installed.get(plugin);
        let Some(to) = self.catalogue.get(plugin, version) else { return };
        if installed.is_some_and(|installed| installed.component == to.component) {
            return;
        }
        let had = installed.map_or_else(Vec::new, |installed| installed.manifest.asks());
        steps.push(Step {
            to: to.clone(),
            from: self.installed_version(plugin).cloned(),
            widened: widened(&had, &to.manifest.asks()),
            wanted: self.wanted(plugin).is_some(),
        });
    }
}

impl DependencyProvider for Offers<'_> {
    type P = Package;
    type V = Version;
    type VS = Ranges<Version>;
    type Priority = (u32, Reverse<usize>);
    type M = String;
    type Err = Infallible;

    fn prioritize(
        &self,
        package: &Package,
        range: &Ranges<Version>,
        statistics: &PackageResolutionStatistics,
    ) -> Self::Priority {
        let count = match package {
            Package::You => 1,
            Package::Plugin(plugin) => {
                self.versions(plugin).into_iter().filter(|version| range.contains(version)).count()
            }
        };
        if count == 0 { (u32::MAX, Reverse(0)) } else { (statistics.conflict_count(), Reverse(count)) }
    }

    fn choose_version(&self, package: &Package, range: &Ranges<Version>) -> Result<Option<Version>, Infallible> {
        let Package::Plugin(plugin) = package else { return Ok(Some(Version::new(0, 0, 0))) };
        let fitting: Vec<&Version> =
            self.versions(plugin).into_iter().filter(|version| range.contains(version)).collect();
        let free = |version: &&&Version| self.obstacle(plugin, version).is_none();
        let asked_for = |version: &&&Version| free(version) && self.asked_for(plugin, version);
        let here = self.installed_version(plugin).filter(|_| self.wanted(plugin).is_none());
        let stays = here.filter(|here| fitting.contains(here)).filter(|here| free(&here));
        // One with an obstacle is chosen if there is no other, so that the obstacle gets into the explanation.
        let chosen = stays
            .or_else(|| fitting.iter().find(asked_for).copied())
            .or_else(|| fitting.iter().find(free).copied())
            .or_else(|| fitting.first().copied());
        Ok(chosen.cloned())
    }

    fn get_dependencies(
        &self,
        package: &Package,
        version: &Version,
    ) -> Result<Dependencies<Package, Ranges<Version>, String>, Infallible> {
        let Package::Plugin(plugin) = package else {
            let wanted = self.wanted.iter().map(|wanted| (wanted.plugin.clone(), ranges::of(&wanted.range)));
            let installed = self.installed.keys().filter(|plugin| self.wanted(plugin).is_none());
            let all = installed.map(|plugin| (plugin.clone(), Ranges::full())).chain(wanted);
            return Ok(Dependencies::Available(all.map(|(name, range)| (Package::Plugin(name), range)).collect()));
        };
        if let Some(obstacle) = self.obstacle(plugin, version) {
            return Ok(Dependencies::Unavailable(obstacle));
        }
        let needs = self.manifest(plugin, version).map(|manifest| &manifest.dependencies);
        let needs = needs.into_iter().flatten().map(|(name, range)| (Package::Plugin(name.clone()), ranges::of(range)));
        Ok(Dependencies::Available(needs.collect()))
    }
}

/// The words of an explanation.
struct Words<'a> {
    wanted: BTreeSet<&'a PluginName>,
}

mod words {
    use super::{Package, Words};
    use crate::ranges::text;
    use pubgrub::{Derived, External, Map, Ranges, ReportFormatter, Term};
    use semver::Version;

    type Set = Ranges<Version>;
    type Outside = External<Package, Set, String>;
    type Inside = Derived<Package, Set, String>;
    type Terms = Map<Package, Term<Set>>;

    fn named(package: &Package, range: &Set) -> String {
        if *range == Set::full() { package.to_string() } else { format!("{package} {}", text(range)) }
    }

    impl ReportFormatter<Package, Set, String> for Words<'_> {
        type Output = String;

        fn format_external(&self, external: &Outside) -> String {
            match external {
                External::NotRoot(..) => "you ask for it".to_owned(),
                External::NoVersions(package, range) => format!("there is no {}", named(package, range)),
                External::Custom(package, range, obstacle) => format!("{} {obstacle}", named(package, range)),
                External::FromDependencyOf(Package::You, _, Package::Plugin(plugin), _)
                    if !self.wanted.contains(plugin) =>
                {
                    format!("{plugin} is installed")
                }
                External::FromDependencyOf(Package::You, _, package, range) => {
                    format!("you want {}", named(package, range))
                }
                External::FromDependencyOf(package, range, needed, needed_range) => {
                    format!("{} needs {}", named(package, range), named(needed, needed_range))
                }
            }
        }

        fn format_terms(&self, terms: &Terms) -> String {
            let mut others: Vec<_> = terms.iter().filter(|(package, _)| **package != Package::You).collect();
            others.sort_by(|a, b| a.0.cmp(b.0));
            match others[..] {
                [] => "this does not go together".to_owned(),
                [(package, Term::Positive(range))] => format!("{} cannot be installed", named(package, range)),
                [(package, Term::Negative(range))] => format!("{} must be installed", named(package, range)),
                [(one, Term::Positive(range)), (other, Term::Negative(needed))]
                | [(other, Term::Negative(needed)), (one, Term::Positive(range))] => {
                    format!("{} needs {}", named(one, range), named(other, needed))
                }
                ref several => {
                    let names: Vec<String> = several
                        .iter()
                        .map(|(package, term)| match term {
                            Term::Positive(range) => named(package, range),
                            Term::Negative(range) => format!("anything but {}", named(package, range)),
                        })
                        .collect();
                    format!("{} cannot be installed together", names.join(" and "))
                }
            }
        }

        fn explain_both_external(&self, one: &Outside, other: &Outside, now: &Terms) -> String {
            self.follows(&format!("{}, and {}", self.format_external(one), self.format_external(other)), now)
        }

        fn explain_both_ref(&self, n: usize, one: &Inside, m: usize, other: &Inside, now: &Terms) -> String {
            let (one, other) = (self.format_terms(&one.terms), self.format_terms(&other.terms));
            self.follows(&format!("{one} ({n}), and {other} ({m})"), now)
        }

        fn explain_ref_and_external(&self, n: usize, one: &Inside, other: &Outside, now: &Terms) -> String {
            let (one, other) = (self.format_terms(&one.terms), self.format_external(other));
            self.follows(&format!("{one} ({n}), and {other}"), now)
        }

        fn and_explain_external(&self, external: &Outside, now: &Terms) -> String {
            self.follows(&self.format_external(external), now)
        }

        fn and_explain_ref(&self, n: usize, one: &Inside, now: &Terms) -> String {
            self.follows(&format!("{} ({n})", self.format_terms(&one.terms)), now)
        }

        fn and_explain_prior_and_external(&self, prior: &Outside, external: &Outside, now: &Terms) -> String {
            self.follows(&format!("{}, and {}", self.format_external(prior), self.format_external(external)), now)
        }
    }

    impl Words<'_> {
        /// What is so, and what follows from it: at the end, nothing more than that it does not fit.
        fn follows(&self, so: &str, now: &Terms) -> String {
            // a plugin's name keeps its letters
            let so = match so.split_once(' ') {
                Some(("there", rest)) => format!("There {rest}"),
                Some(("you", rest)) => format!("You {rest}"),
                _ => so.to_owned(),
            };
            if now.keys().all(|package| *package == Package::You) {
                format!("{so}.")
            } else {
                format!("{so}, so {}.", self.format_terms(now))
            }
        }
    }
}
