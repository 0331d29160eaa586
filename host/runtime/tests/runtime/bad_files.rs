//! Files that are no component, or not the one that they were.

use crate::kit::{Bench, manifest, pure, with_manifest};
use deskhand_runtime::{InstallError, PluginFault, inspect, read_manifest};
use proptest::prelude::*;
use std::sync::LazyLock;

static GOOD: LazyLock<Vec<u8>> = LazyLock::new(|| pure(crate::calls::ECHO));

#[test]
fn a_file_that_is_no_component_is_refused() {
    let not = |bytes: &[u8]| match inspect(bytes).unwrap_err() {
        PluginFault::NotAComponent { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(not(b"PK\x03\x04 a zip archive"), "it does not begin as one");
    assert_eq!(not(&wat::parse_str("(module)").unwrap()), "it is a core module; build for the target `wasm32-wasip2`");
    assert_eq!(inspect(b"").unwrap_err(), PluginFault::Truncated { bytes: 0 });
    assert_eq!(inspect(b"\0as").unwrap_err(), PluginFault::Truncated { bytes: 3 });
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    for end in 0..GOOD.len() {
        let cut = &GOOD[..end];
        let fault = inspect(cut).unwrap_err();
        // a cut between two sections leaves a component without its manifest, which is its last section
        let expected = [PluginFault::Truncated { bytes: end as u64 }, PluginFault::ManifestMissing];
        assert!(expected.contains(&fault) || matches!(fault, PluginFault::NotAComponent { .. }), "{end}: {fault:?}");
    }
}

#[test]
fn a_component_that_is_not_valid_is_refused_before_it_is_compiled() {
    let text = r#"(component (core module (func (result i32) (i64.const 1))))"#;
    let component = with_manifest(wat::parse_str(text).unwrap(), &manifest(&[]));
    let bench = Bench::new();
    let error = bench.try_install(&bench.runtime, "official:test", &component).unwrap_err();
    assert_eq!(
        error.to_string(),
        "official:test was not installed: it is not a WebAssembly component (type mismatch: expected i32, found i64). Get the file again, from where it is published; a plugin is built with `deskhand plugin build`"
    );
}

#[test]
fn native_code_is_never_taken_for_a_component() {
    // what the compiler makes of a component, handed in as one
    let bench = Bench::new();
    bench.install(&GOOD);
    let code = std::fs::read_dir(bench.home.compiled()).unwrap().next().unwrap().unwrap().path();
    let error = bench.try_install(&bench.runtime, "official:test", &std::fs::read(code).unwrap()).unwrap_err();
    assert!(matches!(error, InstallError::Fault { fault: PluginFault::NotAComponent { .. }, .. }), "{error:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    #[test]
    fn a_file_with_flipped_bits_never_panics(flips in prop::collection::vec((0..10_000_usize, 0..8_u8), 1..8)) {
        let mut bytes = GOOD.clone();
        let length = bytes.len();
        for (at, bit) in flips {
            bytes[at % length] ^= 1 << bit;
        }
        let _ = read_manifest(&bytes);
        let _ = inspect(&bytes);
    }

    #[test]
    fn any_bytes_after_the_header_never_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        bytes.extend(tail);
        let _ = inspect(&bytes);
    }
}

#[test]
fn flipped_bits_that_still_validate_run_within_the_same_walls() {
    // of the files with one flipped bit, those that still install must answer, refuse or fault: nothing else
    let bench = Bench::new();
    let code = GOOD.windows(8).position(|window| window == b"cabi_rea").unwrap();
    let mut ran = 0;
    for at in (code..code + 600).step_by(37) {
        let mut bytes = GOOD.clone();
        bytes[at] ^= 1;
        if bench.try_install(&bench.runtime, "official:test", &bytes).is_ok() {
            let _ = bench.go();
            ran += 1;
        }
    }
    bench.install(&GOOD);
    bench.go().unwrap();
    assert!(ran > 0);
}
