//! Programs and modules that a guest is promised to have, and what a job adds to them.

use crate::kit::{LIMITS, Outcome, alone, bridge, run_with, shell};
use deskhand_vm_bridge::{Ending, Guest, Limits, Reach, Warmth};
use deskhand_vm_image::{MODULES, PROGRAMS, USUAL};

/// For what loads much.
const ROOMY: Limits = Limits { memory: 320 << 20, ..LIMITS };

fn roomy(guest: &Guest, line: &str) -> Outcome {
    run_with(guest, &["bash", "-c", line], ROOMY)
}

#[test]
fn each_program_and_module_that_is_promised_is_there() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let programs = [&PROGRAMS[..], &USUAL].concat().join(" ");
    let missing = shell(&guest, &format!("for name in {programs}; do command -v $name >/dev/null || echo $name; done"));
    assert_eq!((missing.output.as_str(), missing.error.as_str()), ("", ""));
    let imported = roomy(&guest, &format!("python3 -c 'import {}'", MODULES.join(", ")));
    assert_eq!((imported.error.as_str(), imported.ending()), ("", Ending::Exited(0)));
}

#[test]
fn programs_for_files_do_their_work() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let packed = shell(
        &guest,
        "set -e; seq 1000 >a; zip -q a.zip a; mkdir out; unzip -q a.zip -d out; cmp a out/a
for packer in gzip bzip2 xz zstd; do $packer -c <a >a.$packer; $packer -dc <a.$packer | cmp a -; done
for letter in z j J; do tar -c${letter}f a.tar a; tar -xOf a.tar | cmp a -; done; echo same",
    );
    assert_eq!((packed.output.as_str(), packed.error.as_str()), ("same\n", ""));
    let compared = shell(
        &guest,
        "sed 's/^500$/five hundred/' a >b; diff -u a b >change || true; patch -s a change; cmp a b && sed -n 500p a
file -b --mime-type a.zip; echo '2^70' | bc; echo '{\"a\": [1, 2]}' | jq -c .a; sqlite3 :memory: 'select 6 * 7'
echo '<a><b/></a>' | xmllint --xpath 'count(//b)' -; echo 'all: ; @echo made' | sed 's/;/\\n\\t/' | make -f -
awk 'BEGIN { print gensub(/b/, \"c\", 1, \"abc\") }'; less a | head -1; wget --version | head -c 8; curl --version | head -c 4",
    );
    let expected = "five hundred\napplication/zip\n1180591620717411303424\n[1,2]\n42\n1\nmade\nacc\n1\nGNU Wgetcurl";
    assert_eq!((compared.output.as_str(), compared.error.as_str()), (expected, ""));
}

/// A wheel is made on the spot, as nothing is reached from here.
const WHEEL: &str = r#"
import zipfile
with zipfile.ZipFile("greeting-1.0-py3-none-any.whl", "w") as wheel:
    about = "greeting-1.0.dist-info/"
    wheel.writestr("greeting.py", "def main():\n    print('hello')\n")
    wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\nName: greeting\nVersion: 1.0\n")
    wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    wheel.writestr(about + "entry_points.txt", "[console_scripts]\ngreet = greeting:main\n")
    wheel.writestr(about + "RECORD", "")
"#;

#[test]
fn pip_installs_for_the_user_and_into_a_virtual_environment() {
    let _alone = alone();
    // an interpreter that was there before sees what is installed as well
    let guest = bridge().guest(&Reach::default(), Warmth::Python).unwrap();
    let made = run_with(&guest, &["python3", "-c", WHEEL], ROOMY);
    assert_eq!((made.error.as_str(), made.ending()), ("", Ending::Exited(0)));
    let install = "pip install --no-index --disable-pip-version-check ./greeting-1.0-py3-none-any.whl";
    let installed = roomy(&guest, install);
    assert_eq!((installed.error.as_str(), installed.ending()), ("", Ending::Exited(0)));
    assert_eq!(shell(&guest, "greet && command -v greet").output, "hello\n/home/user/.local/bin/greet\n");
    let source = "import greeting; print(greeting.__file__)";
    let place = "/home/user/.local/lib/python3.11/site-packages/greeting.py\n";
    assert_eq!(run_with(&guest, &["python3", "-u", "-c", source], ROOMY).output, place);
    assert_eq!(roomy(&guest, &format!("python3 -c '{source}'")).output, place);
    let apart = roomy(&guest, &format!("python3 -m venv apart && apart/bin/{install} -q && apart/bin/greet"));
    assert_eq!((apart.output.as_str(), apart.error.as_str()), ("hello\n", ""));
}
