//! Compiled code: made once, by a child with limits, kept by digest, and never believed without it.

use crate::kit::{Bench, compiler, config, pure, text};
use deskhand_runtime::{CallError, CompileFailure, Compiler, Config, InstallError, PluginFault, Runtime};
use std::{
    os::unix::fs::{MetadataExt as _, PermissionsExt as _},
    path::PathBuf,
    time::Duration,
};

fn echo() -> Vec<u8> {
    pure(crate::calls::ECHO)
}

fn code(bench: &Bench) -> PathBuf {
    let mut files: Vec<_> =
        std::fs::read_dir(bench.home.compiled()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

/// The same home in a process that has not seen its files yet.
fn anew(bench: &mut Bench) {
    bench.runtime = Runtime::new(&bench.home, config());
}

#[test]
fn code_is_made_at_install_and_used_from_then_on() {
    let mut bench = Bench::new();
    bench.install(&echo());
    let made = std::fs::metadata(code(&bench)).unwrap();
    assert_eq!(made.mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(bench.home.compiled()).unwrap().mode() & 0o777, 0o700);
    anew(&mut bench);
    // a compiler that cannot run shows that none is needed
    bench.runtime = Runtime::new(&bench.home, Config { compiler: broken(), ..config() });
    assert_eq!(text(&bench.go().unwrap()), "{}");
    assert_eq!(std::fs::metadata(code(&bench)).unwrap().ino(), made.ino());
}

fn broken() -> Compiler {
    Compiler { program: Some("/nonexistent/compiler".into()), ..compiler() }
}

#[test]
fn code_that_was_tampered_with_is_made_again() {
    let mut bench = Bench::new();
    bench.install(&echo());
    let path = code(&bench);
    let good = std::fs::read(&path).unwrap();
    let tampers: [fn(&mut Vec<u8>); 3] = [
        |code| {
            let middle = code.len() / 2;
            code[middle] ^= 1;
        },
        |code| code.truncate(code.len() / 3),
        |code| *code = b"\x7fELF something else".to_vec(),
    ];
    for tamper in tampers {
        let mut bad = good.clone();
        tamper(&mut bad);
        // nothing has it mapped any more: a file that is cut short under a mapping kills whoever reads there
        anew(&mut bench);
        std::fs::write(&path, &bad).unwrap();
        assert_eq!(text(&bench.go().unwrap()), "{}");
        assert_ne!(std::fs::read(code(&bench)).unwrap(), bad);
    }
}

#[test]
fn code_of_another_engine_is_made_again() {
    let mut bench = Bench::new();
    bench.install(&echo());
    let index = bench.home.plugins().join("index.json");
    let text_of = std::fs::read_to_string(&index).unwrap();
    let mut document: serde_json::Value = serde_json::from_str(&text_of).unwrap();
    let key = document["plugins"][0]["current"]["compiled"]["key"].as_str().unwrap().to_owned();
    document["plugins"][0]["current"]["compiled"]["key"] = "0123456789abcdef".into();
    std::fs::write(&index, document.to_string()).unwrap();
    anew(&mut bench);
    assert_eq!(text(&bench.go().unwrap()), "{}");
    // and it is on the list again
    assert!(std::fs::read_to_string(&index).unwrap().contains(&key));
    code(&bench);
}

#[test]
fn what_a_dead_process_left_is_swept_away() {
    let bench = Bench::new();
    bench.install(&echo());
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let gone = child.id();
    child.wait().unwrap();
    let folders = [bench.home.compiled(), bench.home.plugins(), bench.home.plugins().join("components")];
    let drafts = |process: u32| folders.clone().map(|folder| folder.join(format!(".draft-{process}-7")));
    let (left, living) = (drafts(gone), drafts(std::process::id()));
    for draft in left.iter().chain(&living) {
        std::fs::write(draft, "half").unwrap();
    }
    bench.install_as("official:test", &pure("unreachable"));
    assert_eq!(left.map(|draft| draft.exists()), [false; 3]);
    assert_eq!(living.map(|draft| draft.exists()), [true; 3]);
}

#[test]
fn code_that_is_gone_is_made_again() {
    let mut bench = Bench::new();
    bench.install(&echo());
    std::fs::remove_dir_all(&bench.home.cache).unwrap();
    anew(&mut bench);
    assert_eq!(text(&bench.go().unwrap()), "{}");
}

#[test]
fn a_component_that_is_not_what_was_installed_is_refused() {
    let mut bench = Bench::new();
    bench.install(&echo());
    let file = std::fs::read_dir(bench.home.plugins().join("components")).unwrap().next().unwrap().unwrap().path();
    let good = std::fs::read(&file).unwrap();
    std::fs::remove_dir_all(&bench.home.cache).unwrap();
    let fault = |bench: &Bench| match bench.go().unwrap_err() {
        CallError::Fault { fault, .. } => fault.to_string(),
        other => panic!("{other:?}"),
    };
    anew(&mut bench);
    std::fs::write(&file, pure("(i32.const 0)")).unwrap();
    assert_eq!(
        fault(&bench),
        "its installed file is not what was installed. Install it again: `deskhand plugin install official:test`"
    );
    std::fs::remove_file(&file).unwrap();
    assert_eq!(
        fault(&bench),
        "its installed file is gone or cannot be read. Install it again: `deskhand plugin install official:test`"
    );
    // and once it is there again, it is tried again
    std::fs::write(&file, good).unwrap();
    assert_eq!(text(&bench.go().unwrap()), "{}");
}

fn failure(compiler: Compiler, component: &[u8]) -> CompileFailure {
    let bench = Bench::with(
        Config { compiler, ..config() },
        crate::kit::Scripted::new(|_| Ok(deskhand_vocabulary::Answer::Yes)),
    );
    match bench.try_install(&bench.runtime, "official:test", component).unwrap_err() {
        InstallError::Fault { fault: PluginFault::CompileFailed(failure), .. } => {
            assert!(bench.runtime.plugins().unwrap().is_empty());
            assert_eq!(std::fs::read_dir(bench.home.compiled()).unwrap().count(), 0, "no draft is left");
            failure
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_compiler_runs_within_limits() {
    assert_eq!(failure(Compiler { output_bytes: 4096, ..compiler() }, &echo()), CompileFailure::Output { limit: 4096 });
    assert_eq!(failure(Compiler { memory_bytes: 64 << 20, ..compiler() }, &large()), CompileFailure::Memory);
    assert!(matches!(failure(broken(), &echo()), CompileFailure::NotRun { .. }));
}

/// Takes the compiler some seconds.
fn large() -> Vec<u8> {
    use std::fmt::Write as _;
    let mut functions = String::new();
    for number in 0..1500 {
        let mut body = String::new();
        for step in 0..60 {
            let _ = write!(
                body,
                "(local.set $a (i64.add (i64.mul (local.get $a) (i64.const {step})) (i64.rotl (local.get $b) (local.get $a))))
                 (if (i64.gt_u (local.get $a) (i64.const {number})) (then (local.set $b (i64.xor (local.get $a) (local.get $b)))))"
            );
        }
        let _ = write!(functions, "(func (param $a i64) (param $b i64) (result i64) {body} (local.get $a))");
    }
    let module = crate::kit::command_module("", "unreachable");
    let module = format!("{} {functions})", module.strip_suffix(')').unwrap());
    let component = crate::kit::component("export deskhand:plugin/command@0.1.0;", &module);
    crate::kit::with_manifest(component, &crate::kit::manifest(&[]))
}

#[test]
fn a_compiler_that_takes_too_long_is_killed() {
    let wall = Compiler { wall: Duration::from_millis(30), ..compiler() };
    assert_eq!(failure(wall, &large()), CompileFailure::Time { seconds: 0 });
    let processor = Compiler { processor: Duration::from_secs(1), ..compiler() };
    assert_eq!(failure(processor, &large()), CompileFailure::Time { seconds: 1 });
}

#[test]
fn a_compiler_that_dies_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("compiler");
    std::fs::write(&script, "#!/bin/sh\nkill -9 $$\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let status = "signal: 9 (SIGKILL)".to_owned();
    assert_eq!(failure(Compiler { program: Some(script), ..compiler() }, &echo()), CompileFailure::Killed { status });
}

#[test]
fn a_compiler_that_makes_nonsense_is_found_out() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("compiler");
    std::fs::write(&script, "#!/bin/sh\necho this is no code\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let config = Config { compiler: Compiler { program: Some(script), ..compiler() }, ..config() };
    let bench = Bench::with(config, crate::kit::Scripted::new(|_| Ok(deskhand_vocabulary::Answer::Yes)));
    let error = bench.try_install(&bench.runtime, "official:test", &echo()).unwrap_err();
    assert!(matches!(error, InstallError::Fault { fault: PluginFault::Host { .. }, .. }), "{error:?}");
    assert!(bench.runtime.plugins().unwrap().is_empty());
}

#[test]
fn code_that_many_want_at_once_is_made_once() {
    let folder = tempfile::tempdir().unwrap();
    let (script, runs) = (folder.path().join("compiler"), folder.path().join("runs"));
    let real = compiler().program.unwrap();
    let text_of = format!("#!/bin/sh\necho run >> {}\nexec {} \"$@\"\n", runs.display(), real.display());
    std::fs::write(&script, text_of).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let mut bench = Bench::new();
    bench.install(&echo());
    std::fs::remove_dir_all(&bench.home.cache).unwrap();
    let compiler = Compiler { program: Some(script), ..compiler() };
    bench.runtime = Runtime::new(&bench.home, Config { compiler, ..config() });
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(text(&bench.go().unwrap()), "{}"));
        }
    });
    assert_eq!(std::fs::read_to_string(runs).unwrap(), "run\n");
}

#[test]
fn the_child_inherits_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (script, seen) = (folder.path().join("compiler"), folder.path().join("seen"));
    std::fs::write(&script, format!("#!/bin/sh\n/usr/bin/env > {}\npwd >> {0}\nexit 2\n", seen.display())).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o700)).unwrap();
    let failure = failure(Compiler { program: Some(script), ..compiler() }, &echo());
    assert_eq!(failure, CompileFailure::Refused { reason: String::new() });
    let seen = std::fs::read_to_string(seen).unwrap();
    let own = |line: &&str| !line.starts_with("PWD=") && !line.starts_with("_=") && !line.starts_with("SHLVL=");
    let mut seen: Vec<_> = seen.lines().filter(own).collect();
    seen.sort_unstable();
    assert_eq!(seen, ["/", "MALLOC_ARENA_MAX=8", "RAYON_NUM_THREADS=8"]);
}
