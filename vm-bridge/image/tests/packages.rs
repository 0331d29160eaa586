//! Packages that are not what they should be: nothing of them gets into an image.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_vm_image::{Fetch, ImageError, MODULES, PROGRAMS, Package, PackageName, Recipe, Store, USUAL, build};
use deskhand_vocabulary::Sha256;
use proptest::{collection::vec, prelude::*};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Gives what it was given, under a package's name.
struct Given(BTreeMap<String, Vec<u8>>);

impl Fetch for Given {
    fn fetch(&self, package: &Package, to: &mut dyn Write) -> io::Result<()> {
        to.write_all(self.0.get(&package.name).ok_or(io::ErrorKind::NotFound)?)
    }
}

/// A Debian package of `entries`: each a kind, a path and a target.
fn package(entries: &[(tar::EntryType, &str, &str)]) -> Vec<u8> {
    let mut files = tar::Builder::new(Vec::new());
    for (kind, path, target) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(*kind);
        header.set_mode(0o644);
        header.set_size(0);
        // as it stands: the library would refuse some of these
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.as_mut_bytes()[157..157 + target.len()].copy_from_slice(target.as_bytes());
        header.set_cksum();
        files.append(&header, io::empty()).unwrap();
    }
    archive("data.tar", &files.into_inner().unwrap())
}

fn archive(name: &str, data: &[u8]) -> Vec<u8> {
    let mut archive = ar::Builder::new(Vec::new());
    archive.append(&ar::Header::new(b"debian-binary".to_vec(), 4), &b"2.0\n"[..]).unwrap();
    archive.append(&ar::Header::new(name.as_bytes().to_vec(), data.len() as u64), data).unwrap();
    archive.into_inner().unwrap()
}

fn line(name: &str, place: &str, size: usize, sha256: Sha256) -> String {
    format!("{name}\t1\t{place}\t{size}\t{sha256}\n")
}

const LIST: &str = "dists/suite/main/binary-amd64/Packages.xz";

/// Build of one package and a kernel's that has no kernel.
fn built(bytes: &[u8], size: usize, sha256: Sha256) -> ImageError {
    built_at("pool/something_1_all.deb", bytes, size, sha256)
}

fn built_at(place: &str, bytes: &[u8], size: usize, sha256: Sha256) -> ImageError {
    let kernel = package(&[(tar::EntryType::Directory, "./boot/", "")]);
    let of_kernel = line("linux-image-1-amd64", "pool/linux_1.deb", kernel.len(), Sha256::of(&kernel));
    let text = line("something", place, size, sha256) + &of_kernel + &line("list", LIST, 0, Sha256::of(""));
    let given = [("something", bytes.to_vec()), ("linux-image-1-amd64", kernel)];
    let given = Given(given.into_iter().map(|(name, bytes)| (name.to_owned(), bytes)).collect());
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path()).unwrap();
    let error = build(&Recipe::parse(&text).unwrap(), &given, &store, |_| ()).unwrap_err();
    assert_eq!(store.list().unwrap(), []);
    assert_eq!(std::fs::read_dir(folder.path().join("images")).unwrap().count(), 0);
    error
}

fn unpacked(bytes: &[u8]) -> String {
    built(bytes, bytes.len(), Sha256::of(bytes)).to_string()
}

#[test]
fn a_package_of_another_digest_or_size_is_not_used() {
    let good = package(&[(tar::EntryType::Regular, "./usr/bin/true", "")]);
    let error = built(&good, good.len(), Sha256::of("another"));
    assert!(matches!(error, ImageError::Digest { found, .. } if found == Sha256::of(&good)));
    let error = built(&good, good.len() - 1, Sha256::of(&good));
    assert!(matches!(error, ImageError::Fetch { why, .. } if why.to_string() == "it is longer than it should be"));
    // it is the kernel's turn only once all that comes before it is well
    assert_eq!(unpacked(&good), "the package of the kernel is not as expected: it has no kernel");
}

#[test]
fn a_wheel_of_another_digest_or_that_is_none_is_not_used() {
    let place = "something-1-py3-none-any.whl";
    let mut wheel = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
    wheel.start_file("something.py", zip::write::SimpleFileOptions::default()).unwrap();
    let wheel = wheel.finish().unwrap().into_inner();
    let error = built_at(place, &wheel, wheel.len(), Sha256::of("another"));
    assert!(matches!(error, ImageError::Digest { found, .. } if found == Sha256::of(&wheel)));
    let error = built_at(place, b"no zip", 6, Sha256::of("no zip")).to_string();
    assert!(error.starts_with("the package something cannot be unpacked: "), "{error}");
    assert!(matches!(built_at(place, &wheel, wheel.len(), Sha256::of(&wheel)), ImageError::Kernel(_)));
}

/// The layer is worked out before anything else is fetched, so that nothing is half built.
#[test]
fn a_layer_that_cannot_be_made_is_refused_before_anything_is_fetched() {
    let text = "Package: tool\nVersion: 1\nDepends: lib\nFilename: pool/tool.deb\nSize: 1\nSHA256: ";
    let text = format!("{text}{}\n", Sha256::of("x"));
    let mut list = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
    list.write_all(text.as_bytes()).unwrap();
    let list = list.finish().unwrap();
    let build_with = |given: Vec<u8>, more: &[&str]| {
        let of_kernel = line("linux-image-1-amd64", "pool/linux_1.deb", 1, Sha256::of("kernel"));
        let recipe = Recipe::parse(&(of_kernel + &line("list", LIST, list.len(), Sha256::of(&list)))).unwrap();
        let more: Vec<_> = more.iter().map(|name| name.parse().unwrap()).collect();
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path()).unwrap();
        let given = Given(BTreeMap::from([("list".to_owned(), given)]));
        let error = build(&recipe.with(&more), &given, &store, |_| ()).unwrap_err();
        assert_eq!(std::fs::read_dir(folder.path().join("images")).unwrap().count(), 0);
        error
    };
    let unknown = build_with(list.clone(), &["gone"]);
    assert!(matches!(&unknown, ImageError::Unknown { package } if package == "gone"), "{unknown}");
    let unmet = build_with(list.clone(), &["tool"]);
    assert!(
        matches!(&unmet, ImageError::Unmet { package, needed } if (package.as_str(), needed.as_str()) == ("tool", "lib")),
        "{unmet}"
    );
    let mut other = list.clone();
    other[20] ^= 1;
    let moved = build_with(other.clone(), &["tool"]).to_string();
    let why = format!("its sha256 is {} instead of {}", Sha256::of(&other), Sha256::of(&list));
    assert!(
        moved.starts_with(&format!("the list of what the archive has did not come as the recipe names it: {why}. ")),
        "{moved}"
    );
    let longer = build_with([list.as_slice(), b"x"].concat(), &["tool"]).to_string();
    assert!(longer.contains(": it is longer than it should be. Try again. If the archive has moved on, "), "{longer}");
}

#[test]
fn a_name_of_a_package_is_as_debian_says() {
    for good in ["figlet", "libstdc++6", "0ad", "python3.11", "a-"] {
        assert_eq!(good.parse::<PackageName>().unwrap().as_str(), good);
    }
    for bad in ["", "a", "-a", "Figlet", "a b", "a/b", "../a", "a=1", "a:amd64", &"a".repeat(129)] {
        assert!(bad.parse::<PackageName>().is_err(), "{bad}");
    }
}

#[test]
fn a_recipe_without_wheels_is_another() {
    let whole = Recipe::standard().unwrap();
    let names: Vec<&str> = whole.wheels().iter().map(|wheel| wheel.name.as_str()).collect();
    assert_eq!(names, ["python-pptx"]);
    let without = whole.clone().without_wheels();
    assert_eq!(without.packages().count() + 1, whole.packages().count());
    assert_ne!(without, whole);
}

/// Whether each is in a guest, a test of guests finds out.
#[test]
fn what_is_promised_is_in_the_documentation() {
    let text = include_str!("../../../docs/vm.md");
    let (_, text) = text.split_once("## What is in it\n").unwrap();
    let (text, _) = text.split_once("\n## ").unwrap();
    for name in PROGRAMS.iter().chain(&USUAL).chain(&MODULES) {
        assert!(text.contains(&format!("`{name}`")), "{name}");
    }
}

#[test]
fn a_package_that_leads_out_of_the_tree_or_holds_what_is_no_file_is_refused() {
    use tar::EntryType as Kind;
    let refused = |why: &str| format!("the package something cannot be unpacked: {why}");
    let cases = [
        (Kind::Regular, "../outside", "", "it holds a path that leads out of it"),
        (Kind::Regular, "./usr/../../outside", "", "it holds a path that leads out of it"),
        (Kind::Link, "./usr/bin/a", "../../etc/passwd", "it holds a path that leads out of it"),
        (Kind::Link, "./usr/bin/a", "./usr/bin/absent", "a link leads nowhere"),
        (Kind::Symlink, "./usr/bin/a", "", "a link leads nowhere"),
        (Kind::Char, "./dev/null", "", "it holds something that is no file, folder or link"),
        (Kind::Block, "./dev/sda", "", "it holds something that is no file, folder or link"),
        (Kind::Fifo, "./run/pipe", "", "it holds something that is no file, folder or link"),
    ];
    for (kind, path, target, why) in cases {
        assert_eq!(unpacked(&package(&[(kind, path, target)])), refused(why), "{path} {target}");
    }
    assert_eq!(unpacked(&archive("data.tar.lzma", b"")), refused("it holds no files in a form that is known"));
}

#[test]
fn a_list_that_makes_no_sense_is_refused_with_its_line() {
    let good = line("a", "pool/a_1_all.deb", 1, Sha256::of(""));
    for bad in ["", "a\tb\n", "a\t1\tplace\tmany\tdigest\n", "a\t1\tplace\t5\tdigest\n"] {
        let error = Recipe::parse(&format!("{good}{bad}")).unwrap_err().to_string();
        let expected = if bad.is_empty() {
            "the package of the kernel is not as expected: the list names none"
        } else {
            "line 2 of the list of packages makes no sense"
        };
        assert_eq!(error, expected, "{bad:?}");
    }
    assert!(Recipe::standard().unwrap().packages().any(|package| package.name == "python3-pandas"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn garbage_in_the_place_of_a_package_is_an_error(bytes in vec(any::<u8>(), 0..2000)) {
        unpacked(&bytes);
        unpacked(&archive("data.tar", &bytes));
        unpacked(&archive("data.tar.xz", &bytes));
    }
}
