use super::*;

/// A list of packages, each `NAME: NEEDS; PROVIDES`, of 1 MiB.
fn list(lines: &[&str]) -> List {
    let stanza = |line: &&str| {
        let (name, rest) = line.split_once(':').unwrap();
        let (needs, provides) = rest.split_once(';').unwrap_or((rest, ""));
        let digest = deskhand_vocabulary::Sha256::of(name);
        format!(
            "Package: {name}\nVersion: 1\nDepends: {needs}\nProvides: {provides}\nFilename: pool/{name}.deb\nSize: 1048576\nSHA256: {digest}\n\n"
        )
    };
    List::parse(lines.iter().map(stanza).collect::<String>().as_bytes()).unwrap()
}

fn chosen(lines: &[&str], base: &[&str], names: &[&str]) -> Result<Vec<String>, String> {
    let names: Vec<PackageName> = names.iter().map(|name| name.parse().unwrap()).collect();
    let list = list(lines);
    let packages = choose(&list, base.iter().copied(), &names).map_err(|error| error.to_string())?;
    Ok(packages.into_iter().map(|package| package.name).collect())
}

#[test]
fn what_is_needed_comes_along_and_what_is_there_does_not() {
    let lines = ["tool: lib, base-lib (>= 1)", "lib: data", "data: tool", "base-lib: deep", "deep:", "other:"];
    assert_eq!(chosen(&lines, &["base-lib"], &["tool"]).unwrap(), ["data", "lib", "tool"]);
    assert_eq!(chosen(&lines, &["base-lib"], &["base-lib"]).unwrap(), [""; 0]);
}

#[test]
fn what_is_there_counts_before_what_stands_first() {
    let lines = ["tool: first | second", "first:", "second:", "virtual-user: awk", "gawk:; awk", "mawk:; awk"];
    assert_eq!(chosen(&lines, &[], &["tool"]).unwrap(), ["first", "tool"]);
    assert_eq!(chosen(&lines, &["second"], &["tool"]).unwrap(), ["tool"]);
    assert_eq!(chosen(&lines, &[], &["second", "tool"]).unwrap(), ["second", "tool"]);
    assert_eq!(chosen(&lines, &[], &["virtual-user"]).unwrap(), ["gawk", "virtual-user"]);
    assert_eq!(chosen(&lines, &["mawk"], &["virtual-user"]).unwrap(), ["virtual-user"]);
}

#[test]
fn what_the_archive_does_not_have_is_named() {
    let lines = ["tool: lib", "lib: gone | lost", "gawk:; awk"];
    assert_eq!(
        chosen(&lines, &[], &["tool", "toool"]).unwrap_err(),
        "there is no Debian package `toool`; nothing was built. Mend `vm.packages` in the settings"
    );
    assert_eq!(
        chosen(&lines, &[], &["tool"]).unwrap_err(),
        "the Debian package `lib` needs gone or lost, which the archive does not have; nothing was built. Take out of \
         `vm.packages` in the settings what needs it"
    );
    assert!(chosen(&lines, &[], &["awk"]).unwrap_err().starts_with("there is no Debian package `awk`"));
}

#[test]
fn a_layer_has_an_end() {
    let names: Vec<String> = (0..2049).map(|number| format!("p{number:04}")).collect();
    let lines: Vec<String> = names.iter().map(|name| format!("{name}:")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(chosen(&lines, &[], &names[1..]).unwrap().len(), 2048);
    assert_eq!(
        chosen(&lines, &[], &names).unwrap_err(),
        "what `vm.packages` in the settings names and needs is 2049 MiB of packages, and at most 2048 MiB are taken; nothing was \
         built. Name fewer"
    );
}
