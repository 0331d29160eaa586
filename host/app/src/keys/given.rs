//! How a person gives a key: typed unseen, through standard input, or by the name of a variable of the environment.

use super::Place;
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    person,
};
use deskhand_egress::Secret;
use deskhand_vocabulary::Unanswered;
use std::io::Read as _;

/// The longest key that is read, in bytes. Tokens of gateways have some thousands.
const LONGEST: u64 = 64 << 10;

/// Where a key comes from; without any of these the person is asked. It is never given on the command line, which others on
/// this computer can read.
#[derive(Debug, clap::Args)]
pub(crate) struct Source {
    /// Read the key from standard input
    #[arg(long, group = "from")]
    pub(crate) key_stdin: bool,
    /// Take the key from this variable of the environment each time, and keep it nowhere
    #[arg(long, value_name = "VARIABLE", group = "from")]
    pub(crate) key_env: Option<String>,
    /// Keep the key in a file that only you can read instead of the system's keyring
    #[arg(long, conflicts_with = "key_env")]
    pub(crate) key_in_file: bool,
}

/// A key, or where it lies already.
pub(crate) enum Given {
    Place(Place),
    Secret(Secret),
}

impl Source {
    /// What the command line says of the key; nothing where the person is to be asked. `undone` says what was not done
    /// without it.
    pub(crate) fn given(&self, undone: &str) -> Result<Option<Given>> {
        if let Some(variable) = &self.key_env {
            if variable.is_empty() || variable.contains(['=', '\0']) {
                return Err(Failure::usage("--key-env takes the name of a variable, such as --key-env SERVICE_KEY"));
            }
            return Ok(Some(Given::Place(Place::Environment(variable.clone()))));
        }
        if self.key_stdin {
            return piped(undone).map(|secret| Some(Given::Secret(secret)));
        }
        Ok(None)
    }
}

/// What the person typed.
pub(crate) enum Typed {
    Key(Secret),
    /// They only pressed Enter.
    Nothing,
    /// Nobody was there to be asked.
    Nobody,
}

/// What the person types after `prompt`.
pub(crate) fn typed(desk: &Desk, prompt: &str, undone: &str) -> Result<Typed> {
    if desk.json {
        return Ok(Typed::Nobody);
    }
    match person::secret(prompt, &desk.stop) {
        Ok(Some(secret)) => checked(secret, undone).map(Typed::Key),
        Ok(None) => Ok(Typed::Nothing),
        Err(Unanswered::Absent) => Ok(Typed::Nobody),
        Err(why @ Unanswered::Stopped) => Err(Failure::new(Exit::Stopped, why)),
    }
}

/// The same where it cannot be done without: `what` is asked for, and `instead` says where it can be named that nobody types it.
pub(crate) fn needed(desk: &Desk, prompt: &str, what: &str, undone: &str, instead: &str) -> Result<Secret> {
    match typed(desk, prompt, undone)? {
        Typed::Key(secret) => Ok(secret),
        Typed::Nothing => Err(Failure::new(Exit::Declined, format!("nothing was given, so {undone}"))),
        Typed::Nobody => Err(Failure::new(
            Exit::Unanswered,
            format!("nobody is there to be asked for {what}, so {undone}. Name a variable that holds it: {instead}"),
        )),
    }
}

/// The key that comes through standard input.
fn piped(undone: &str) -> Result<Secret> {
    let mut text = String::new();
    std::io::stdin()
        .take(LONGEST + 1)
        .read_to_string(&mut text)
        .map_err(|error| Failure::failed(format!("the key could not be read from standard input: {error}")))?;
    if text.len() as u64 > LONGEST {
        return Err(Failure::usage("what came through standard input is too long for a key"));
    }
    checked(Secret::new(&text), undone)
}

/// A key that can be sent: visible ASCII, in one piece.
fn checked(secret: Secret, undone: &str) -> Result<Secret> {
    match secret.reveal() {
        "" => Err(Failure::usage(format!("the key is empty, so {undone}"))),
        key if key.bytes().all(|byte| byte.is_ascii_graphic()) => Ok(secret),
        _ => Err(Failure::usage(
            "what was given is no key: it has spaces, line breaks or other signs that cannot be sent",
        )),
    }
}
