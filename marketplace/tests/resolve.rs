//! Which versions are chosen, and what is said when none fit.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::*;
use deskhand_marketplace::{
    Catalogue, Installed, Published, RoleState, State, Status, Step, Wanted,
    resolve::{interface_fits, resolve, revoked, updates},
};
use deskhand_vocabulary::{PluginName, Sha256};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// `name version: needs` a line, with `!yanked` or `!revoked` or `@interface` after it.
fn catalogue(text: &str) -> Catalogue {
    let role = RoleState { version: 1, expires: after_days(90) };
    let state = State { root: role, targets: role, snapshot: role, timestamp: role };
    let mut catalogue =
        Catalogue { marketplace: market("acme"), state, plugins: BTreeMap::new(), unreadable: Vec::new() };
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, needs) = line.split_once(':').unwrap();
        let mut head = head.split_whitespace();
        let (name, number) = (head.next().unwrap(), head.next().unwrap());
        let needs: Vec<(&str, &str)> =
            needs.split(';').filter_map(|need| need.trim().split_once(' ')).map(|(a, b)| (a, b.trim())).collect();
        let mut manifest = manifest(name, number, &needs, &["files.read"]);
        let mut status = Status::Active;
        for word in head {
            match word {
                "!yanked" => status = Status::Yanked,
                "!revoked" => status = Status::Revoked,
                "+remove" => manifest.permissions = common::manifest("x", "1.0.0", &[], &["files.remove"]).permissions,
                other => manifest.plugin.interface = version(other.strip_prefix('@').unwrap()),
            }
        }
        let published = Published {
            component: Sha256::of(component(name, number)),
            length: 10,
            status,
            reason: (status != Status::Active).then(|| "it was wrong".to_owned()),
            published: start(),
            manifest,
        };
        catalogue.plugins.entry(plugin(name)).or_default().insert(version(number), published);
    }
    catalogue
}

fn installed(catalogue: &Catalogue, what: &[(&str, &str)]) -> BTreeMap<PluginName, Installed> {
    let one = |(name, number): &(&str, &str)| {
        let there = catalogue.get(&plugin(name), &version(number)).unwrap();
        (plugin(name), Installed { manifest: there.manifest.clone(), component: there.component })
    };
    what.iter().map(one).collect()
}

fn want(text: &str) -> Wanted {
    let (name, range) = text.split_once(' ').unwrap_or((text, "*"));
    Wanted { plugin: plugin(name), range: range.parse().unwrap(), unfinished: false }
}

fn shown(steps: &[Step]) -> Vec<String> {
    steps
        .iter()
        .map(|step| match &step.from {
            Some(from) => format!("{} {from} -> {}", step.to.name(), step.to.version()),
            None => format!("{} {}", step.to.name(), step.to.version()),
        })
        .collect()
}

fn solve(catalogue: &Catalogue, have: &[(&str, &str)], wanted: &[&str]) -> Result<Vec<String>, String> {
    let wanted: Vec<_> = wanted.iter().map(|text| want(text)).collect();
    resolve(catalogue, &version("0.1.0"), &installed(catalogue, have), &wanted)
        .map(|steps| shown(&steps))
        .map_err(|error| error.to_string())
}

#[test]
fn what_is_needed_comes_first_and_in_the_newest_version_that_fits() {
    let catalogue = catalogue(
        "report 2.0.0: charts ^1; text >=1, <3
         charts 1.0.0: text ^1
         charts 1.4.0: text ^2
         charts 2.0.0: text ^3
         text 1.0.0:
         text 2.1.0:
         text 3.0.0:",
    );
    assert_eq!(solve(&catalogue, &[], &["report"]).unwrap(), ["text 2.1.0", "charts 1.4.0", "report 2.0.0"]);
    // What is there and fits stays, and is not named again.
    let have = [("text", "1.0.0"), ("charts", "1.0.0")];
    assert_eq!(solve(&catalogue, &have, &["report"]).unwrap(), ["report 2.0.0"]);
    assert_eq!(solve(&catalogue, &have, &["charts =1.4"]).unwrap(), ["text 1.0.0 -> 2.1.0", "charts 1.0.0 -> 1.4.0"]);
}

#[test]
fn a_conflict_is_explained() {
    let catalogue = catalogue(
        "report 2.0.0: charts ^1
         slides 1.0.0: charts ^2
         charts 1.0.0:
         charts 2.0.0:",
    );
    assert_eq!(
        solve(&catalogue, &[("report", "2.0.0"), ("charts", "1.0.0")], &["slides"]).unwrap_err(),
        "this cannot be installed:\n\
         report needs charts from 1.0.0 on and before 2.0.0, and slides 1.0.0 needs charts from 2.0.0 on and before 3.0.0, \
         so report and slides 1.0.0 cannot be installed together.\n\
         report is installed, and you want slides.\n\
         Ask for another version, or take away what stands in the way: deskhand plugin uninstall NAME"
    );
    assert_eq!(
        solve(&catalogue, &[], &["charts ^3"]).unwrap_err(),
        "this cannot be installed:\n\
         There is no charts from 3.0.0 on and before 4.0.0, and you want charts from 3.0.0 on and before 4.0.0.\n\
         Ask for another version, or take away what stands in the way: deskhand plugin uninstall NAME"
    );
    assert_eq!(
        solve(&catalogue, &[], &["chart"]).unwrap_err(),
        "the marketplace `acme` offers no plugin called `chart`. Did you mean charts?"
    );
}

#[test]
fn yanked_versions_are_not_chosen_unless_they_are_installed() {
    let catalogue = catalogue(
        "text 1.0.0:
         text 1.1.0 !yanked:
         report 1.0.0: text >=1.1",
    );
    assert_eq!(solve(&catalogue, &[], &["text"]).unwrap(), ["text 1.0.0"]);
    assert_eq!(solve(&catalogue, &[("text", "1.1.0")], &["report"]).unwrap(), ["report 1.0.0"]);
    assert_eq!(
        solve(&catalogue, &[], &["report"]).unwrap_err(),
        "this cannot be installed:\n\
         There is no text after 1.1.0, and text 1.1.0 is yanked (it was wrong), so text from 1.1.0 on cannot be installed.\n\
         report 1.0.0 needs text from 1.1.0 on, and you want report.\n\
         Ask for another version, or take away what stands in the way: deskhand plugin uninstall NAME"
    );
    // It is not left behind by an update either, unless there is something newer.
    let have = installed(&catalogue, &[("text", "1.1.0")]);
    assert_eq!(updates(&catalogue, &version("0.1.0"), &have).unwrap(), []);
}

#[test]
fn revoked_versions_are_replaced_or_named() {
    let catalogue = catalogue(
        "text 1.0.0:
         text 1.1.0 !revoked:
         other 1.0.0:",
    );
    let have = installed(&catalogue, &[("text", "1.1.0")]);
    let stopped = revoked(&catalogue, &have);
    assert_eq!(stopped.iter().map(|version| version.version()).collect::<Vec<_>>(), [&version("1.1.0")]);
    assert_eq!(shown(&updates(&catalogue, &version("0.1.0"), &have).unwrap()), ["text 1.1.0 -> 1.0.0"]);
    // It does not keep others from being installed.
    assert_eq!(solve(&catalogue, &[("text", "1.1.0")], &["other"]).unwrap(), ["other 1.0.0"]);
    assert_eq!(
        solve(&catalogue, &[], &["text =1.1.0"]).unwrap_err(),
        "this cannot be installed:\n\
         text 1.1.0 is revoked (it was wrong), and you want text 1.1.0.\n\
         Ask for another version, or take away what stands in the way: deskhand plugin uninstall NAME"
    );
}

#[test]
fn only_what_this_deskhand_can_run_is_chosen() {
    let catalogue = catalogue(
        "text 1.0.0 @0.1.0:
         text 2.0.0 @0.2.0:
         old 1.0.0 @0.0.9:",
    );
    assert_eq!(solve(&catalogue, &[], &["text"]).unwrap(), ["text 1.0.0"]);
    assert_eq!(
        solve(&catalogue, &[], &["text ^2"]).unwrap_err(),
        "this cannot be installed:\n\
         There is no text after 2.0.0 and before 3.0.0, and text 2.0.0 was made for a newer Deskhand (interface 0.2.0; this \
         one offers 0.1.0), so text from 2.0.0 on and before 3.0.0 cannot be installed.\n\
         You want text from 2.0.0 on and before 3.0.0.\n\
         Ask for another version, or take away what stands in the way: deskhand plugin uninstall NAME"
    );
    let error = solve(&catalogue, &[], &["old"]).unwrap_err();
    assert!(
        error.contains("old 1.0.0 was made for an older Deskhand (interface 0.0.9; this one offers 0.1.0)"),
        "{error}"
    );
    for (made_for, offered, fits) in [
        ("0.1.0", "0.1.0", true),
        ("0.1.0", "0.1.5", true),
        ("0.1.5", "0.1.0", false),
        ("0.1.0", "0.2.0", false),
        ("1.2.0", "1.3.0", true),
        ("1.3.0", "1.2.9", false),
        ("1.0.0", "2.0.0", false),
    ] {
        assert_eq!(interface_fits(&version(made_for), &version(offered)), fits, "{made_for} on {offered}");
    }
}

#[test]
fn pre_releases_come_only_when_asked_for() {
    let catalogue = catalogue(
        "text 1.0.0:
         text 2.0.0-beta.1:
         edge 1.0.0: text =2.0.0-beta.1",
    );
    assert_eq!(solve(&catalogue, &[], &["text"]).unwrap(), ["text 1.0.0"]);
    assert_eq!(solve(&catalogue, &[], &["text >=2.0.0-beta"]).unwrap(), ["text 2.0.0-beta.1"]);
    assert_eq!(solve(&catalogue, &[], &["edge"]).unwrap(), ["text 2.0.0-beta.1", "edge 1.0.0"]);
    let wanted = Wanted { unfinished: true, ..want("text") };
    let steps = resolve(&catalogue, &version("0.1.0"), &BTreeMap::new(), &[wanted]).unwrap();
    assert_eq!(shown(&steps), ["text 2.0.0-beta.1"]);
}

#[test]
fn an_update_that_asks_for_more_says_what() {
    let catalogue = catalogue(
        "text 1.0.0:
         text 1.1.0 +remove:",
    );
    let steps = updates(&catalogue, &version("0.1.0"), &installed(&catalogue, &[("text", "1.0.0")])).unwrap();
    assert_eq!(shown(&steps), ["text 1.0.0 -> 1.1.0"]);
    assert_eq!(steps[0].widened, manifest("x", "1.0.0", &[], &["files.remove"]).permissions);
    let steps = resolve(&catalogue, &version("0.1.0"), &BTreeMap::new(), &[want("text =1.0.0")]).unwrap();
    assert_eq!(steps[0].widened, manifest("x", "1.0.0", &[], &["files.read"]).permissions);
}

#[test]
fn what_is_installed_and_offered_no_more_still_counts() {
    let full = catalogue("gone 1.0.0: text ^1\n text 1.0.0:\n text 2.0.0:");
    let have = installed(&full, &[("gone", "1.0.0"), ("text", "1.0.0")]);
    let now = catalogue("text 1.0.0:\n text 2.0.0:");
    assert_eq!(updates(&now, &version("0.1.0"), &have).unwrap(), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    /// Whatever is offered: a solution fits everything, and a refusal is right, which trying all combinations shows.
    #[test]
    fn a_solution_is_right_and_so_is_a_refusal(
        needs in proptest::collection::vec(proptest::option::of((0usize..4, 1u64..4, any::<bool>())), 12),
        yanked in proptest::collection::vec(any::<bool>(), 12),
    ) {
        // Four plugins with three versions each; a need is `^n` or `>=n` of another.
        let names = ["a", "b", "c", "d"];
        let mut text = String::new();
        for (index, need) in needs.iter().enumerate() {
            let (name, number) = (names[index / 3], index % 3 + 1);
            let status = if yanked[index] && index % 3 == 1 { "!yanked" } else { "" };
            let need = match need {
                Some((other, least, caret)) if *other != index / 3 => {
                    format!("{} {}{least}", names[*other], if *caret { "^" } else { ">=" })
                }
                _ => String::new(),
            };
            text.push_str(&format!("{name} {number}.0.0 {status}: {need}\n"));
        }
        let catalogue = catalogue(&text);
        // All ways to choose a version or none of each.
        let fits = |choice: &[usize; 4]| choice.iter().enumerate().all(|(plugin_index, &number)| {
            let Some(chosen) = number.checked_sub(1) else { return plugin_index != 0 };
            let name = plugin(names[plugin_index]);
            let published = catalogue.get(&name, &version(&format!("{}.0.0", chosen + 1))).unwrap();
            published.status == Status::Active && published.manifest.dependencies.iter().all(|(other, range)| {
                let index = names.iter().position(|name| *name == other.as_str()).unwrap();
                choice[index] > 0 && range.matches(&version(&format!("{}.0.0", choice[index])))
            })
        });
        let possible = (0..256).any(|n| fits(&[n % 4, n / 4 % 4, n / 16 % 4, n / 64 % 4]));
        match resolve(&catalogue, &version("0.1.0"), &BTreeMap::new(), &[want("a")]) {
            Ok(steps) => {
                let mut choice = [0; 4];
                for step in &steps {
                    let index = names.iter().position(|name| *name == step.to.name().as_str()).unwrap();
                    choice[index] = usize::try_from(step.to.version().major).unwrap();
                }
                prop_assert!(fits(&choice), "{:?}", shown(&steps));
            }
            Err(error) => prop_assert!(!possible, "{}", error),
        }
    }
}
