//! A port that carries anything, whichever messages are expected on it.
#![no_main]

use deskhand_vm_fuzz::Script;
use deskhand_vm_protocol::{
    Receiver, Report, Request, Sender,
    files::{Ask, Tell},
    streams::Word,
};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let kind = script.byte();
    let said = script.framed(0);
    match kind % 5 {
        0 => heard::<Request>(&said),
        1 => heard::<Report>(&said),
        2 => heard::<Ask>(&said),
        3 => heard::<Tell>(&said),
        _ => heard::<Word>(&said),
    }
});

/// Whatever is given out can be sent, and comes out again as it was.
fn heard<M: Serialize + DeserializeOwned + PartialEq + Debug>(said: &[u8]) {
    let mut receiver = Receiver::new(said);
    while let Ok(Some(message)) = receiver.receive::<M>() {
        let mut again = Vec::new();
        Sender::new(&mut again).send(&message).unwrap();
        assert_eq!(Receiver::new(&again[..]).receive::<M>().unwrap(), Some(message));
    }
}
