//! What a job finds when it tries to get out.

use crate::kit::{alone, bridge, run, shell};
use deskhand_vm_bridge::{Ending, Reach, Warmth};

#[test]
fn no_probe_gets_out() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Booted).unwrap();
    let outcome = run(&guest, &["/run/deskhand/guest", "probe"]);
    println!("{}", outcome.output);
    assert_eq!(outcome.output, include_str!("boundary.txt"));
    assert_eq!(outcome.ending(), Ending::Exited(0));
}

/// The interpreter that jobs are forked from has their user, and none of their limits.
#[test]
fn no_job_reaches_into_what_is_kept_warm_for_others() {
    let _alone = alone();
    let guest = bridge().guest(&Reach::default(), Warmth::Python).unwrap();
    let line = "p=$(pgrep -f 'what takes long' | head -n 1); ls -d /proc/$p > /dev/null && echo there; exec 3<> /proc/$p/mem && echo open";
    let tried = shell(&guest, line);
    assert_eq!(tried.output, "there\n", "{tried:?}");
    assert!(tried.error.contains("Permission denied"), "{tried:?}");
}
