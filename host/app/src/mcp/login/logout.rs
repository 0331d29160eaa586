//! `deskhand mcp logout`, and the end of the login of a server that is removed.

use super::{LoginStore, record, stoppable};
use crate::{
    cli::Json,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    mcp::{command::Named, named::named},
    outgoing::Outgoing,
    output,
};
use deskhand_mcp::client::{
    LoginError, Logins as _,
    login::{Revoked, revoke},
};
use deskhand_permissions::{Context, Standing};
use deskhand_vocabulary::ServerName;
use serde_json::json;
use std::sync::Arc;

/// What became of a login.
pub(in crate::mcp) enum Ended {
    /// There was none.
    NoLogin,
    /// It holds no more.
    Everywhere,
    /// It is forgotten here, and holds where it was made until it is over, for this reason.
    Here(String),
}

pub(in crate::mcp) fn run(options: &Named) -> Result {
    let Json { json } = options.json;
    let desk = Desk::open(json)?;
    desk.stop_on_interrupt();
    let name = named(&desk, &options.name)?.name;
    let ended = end(&desk, &name)?;
    if json {
        let revoked = matches!(ended, Ended::Everywhere);
        output::text(&format!("{}\n", json!({"name": name, "logged_in": false, "revoked": revoked})));
        return Ok(Exit::Done);
    }
    output::text(&match ended {
        Ended::NoLogin => format!("You were not logged in to `{name}`.\n"),
        Ended::Everywhere => format!("You are logged out of `{name}`: the login is ended, and forgotten here.\n"),
        Ended::Here(why) => format!("You are logged out of `{name}`: the login is forgotten here. {why}\n"),
    });
    Ok(Exit::Done)
}

/// End a login where it was made, and forget it here, which is done whatever is said there.
pub(in crate::mcp) fn end(desk: &Desk, name: &ServerName) -> Result<Ended> {
    let store = LoginStore::of(&desk.home);
    let known = store.known(name).map_err(Failure::failed)?.unwrap_or_default();
    // one that cannot be read is forgotten all the same
    let kept = store.load(name);
    store.forget(name).map_err(Failure::failed)?;
    let login = match kept {
        Ok(None) => return Ok(Ended::NoLogin),
        Ok(Some((_, login))) => login,
        Err(reason) => {
            record(desk, name, "logged-out")?;
            return Ok(Ended::Here(format!("It may hold where it was made until it is over: {reason}")));
        }
    };
    record(desk, name, "logged-out")?;
    let outgoing = Outgoing::of(desk, Context::person(None, Standing::default()))?;
    let outlet = outgoing.login(Arc::new(known));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::no_thread)?;
    let at = login.at();
    Ok(match runtime.block_on(stoppable(desk, revoke(&login, &outlet))) {
        Ok(Revoked::Ended) => Ended::Everywhere,
        Ok(Revoked::NotOffered) => Ended::Here(format!("{at} has no way to end it there; it holds until it is over")),
        Err(error) => Ended::Here(not_ended(&error)),
    })
}

fn not_ended(error: &LoginError) -> String {
    format!("It may hold where it was made until it is over: {error}")
}
