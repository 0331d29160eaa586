//! What a job finds when it tries to get out.

use crate::kit::{alone, bridge, run};
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
