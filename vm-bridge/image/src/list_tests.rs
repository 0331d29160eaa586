use super::*;
use crate::Place;

const TEXT: &str = "Package: one
Version: 1:1.0-2
Architecture: amd64
Depends: libc6 (>= 2.34), two:any (= 1) | three [amd64], four<!nocheck>
Pre-Depends: zero
Description: first line
 Depends: not-this
Provides: thing (= 3), other-thing
Filename: pool/main/o/one/one_1.0-2_amd64.deb
Size: 12
SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855

Package: another
Version: 2
Architecture: all
Provides: thing
Filename: pool/main/a/another/another_2_all.deb
Size: 3
SHA256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
";

#[test]
fn a_list_says_what_a_package_needs_and_what_serves_as_one() {
    let list = List::parse(TEXT.as_bytes()).unwrap();
    let one = list.get("one").unwrap();
    let needs: Vec<Vec<&str>> = one.needs.iter().map(|names| names.iter().map(String::as_str).collect()).collect();
    assert_eq!(needs, [vec!["zero"], vec!["libc6"], vec!["two", "three"], vec!["four"]]);
    let expected = Package {
        name: "one".to_owned(),
        version: "1:1.0-2".to_owned(),
        place: Place::Archive("pool/main/o/one/one_1.0-2_amd64.deb".to_owned()),
        size: 12,
        sha256: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855".parse().unwrap(),
    };
    assert_eq!(one.package, expected);
    assert_eq!(list.provided_by("one"), ["thing", "other-thing"]);
    let serving = |name| list.serving(name).map(|listed| listed.package.name.as_str());
    assert_eq!([serving("one"), serving("thing"), serving("libc6")], [Some("one"), Some("another"), None]);
}

#[test]
fn a_list_that_makes_no_sense_is_an_error() {
    let text = TEXT.replace("Size: 3", "Size: many");
    let error = List::parse(text.as_bytes()).err().unwrap();
    assert_eq!(error.to_string(), "what it says of another makes no sense");
}
