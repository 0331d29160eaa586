use super::*;
use deskhand_vm_protocol::files::{LARGEST, PIECE};

/// As many files as may be told, each of the largest size, in the pieces that they are told in: and no byte more.
#[test]
fn a_guest_may_tell_so_much_at_a_time_and_no_more() {
    let mut owed = Owed { file: None, all: MOST };
    let pieces = LARGEST / PIECE as u64;
    for _ in 0..MOST / LARGEST {
        owed.file = Some(LARGEST);
        for piece in 1..=pieces {
            assert!(matches!(owed.content(PIECE as u64), Ok(whole) if whole == (piece == pieces)));
        }
    }
    owed.file = Some(LARGEST);
    assert!(matches!(owed.content(1), Err(Wrong::Rule(rule)) if rule == "it tells more than may be told"));
}
