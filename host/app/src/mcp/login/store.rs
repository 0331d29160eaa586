//! Where the logins to MCP servers lie: the tokens as keys do, and beside them what is known of them without opening a
//! keyring.

use crate::{
    keys::{Place, PrivateFile, Stored, Whose},
    outgoing::{Agreement, site},
};
use deskhand_egress::{Judgement, Reach, Secret};
use deskhand_mcp::client::sandbox::room;
use deskhand_mcp::client::{Login, Logins, login::Held};
use deskhand_models::Keys as _;
use deskhand_vocabulary::{Home, ServerName};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{DirBuilder, File},
    os::unix::fs::DirBuilderExt as _,
    path::PathBuf,
};

/// What is known of the login to one server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Known {
    /// Another number each time that it is kept.
    turn: u64,
    /// Where its tokens lie, such as `keyring:NAME`; nothing where the server wants a login that is not there.
    place: Option<String>,
    /// Who it was made with.
    pub(crate) at: String,
    /// What it may.
    pub(crate) scopes: Vec<String>,
    /// The hosts that the person agreed to for it (see [`site`]), and whether each may be nearby.
    hosts: BTreeMap<String, bool>,
}

impl Known {
    /// Whether there is a login; if not, the server wants one.
    pub(crate) const fn is_there(&self) -> bool {
        self.place.is_some()
    }
}

/// See the module.
#[derive(Clone)]
pub(crate) struct LoginStore {
    home: Home,
}

type Result<T> = std::result::Result<T, String>;

impl LoginStore {
    pub(crate) fn of(home: &Home) -> Self {
        Self { home: home.clone() }
    }

    fn known_file(&self) -> PrivateFile<Known> {
        PrivateFile::at(self.home.data.join("logins.json"))
    }

    fn tokens(&self) -> Stored {
        Stored::of(&self.home, Whose::Logins)
    }

    /// The file that tokens lie in where there is no keyring, for messages.
    pub(super) fn file(&self) -> PathBuf {
        self.tokens().file().to_owned()
    }

    /// What is known of the login to a server; nothing where it never wanted one.
    pub(crate) fn known(&self, server: &ServerName) -> Result<Option<Known>> {
        self.known_file().get(server.as_str()).map_err(|error| error.to_string())
    }

    /// Keep a new login, with the hosts that the person agreed to for it. Says where it lies.
    pub(super) fn add(
        &self,
        server: &ServerName,
        login: &Login,
        hosts: &BTreeMap<String, Reach>,
        in_file: bool,
    ) -> Result<Place> {
        let hosts = hosts.iter().map(|(host, reach)| (host.clone(), *reach == Reach::Local)).collect();
        let _held = self.lock(server, FlockOperation::LockExclusive)?;
        self.put(server, login, Some(hosts), in_file).map(|(place, _)| place)
    }

    fn put(
        &self,
        server: &ServerName,
        login: &Login,
        hosts: Option<BTreeMap<String, bool>>,
        in_file: bool,
    ) -> Result<(Place, u64)> {
        let text = serde_json::to_string(login).map_err(|error| error.to_string())?;
        let kept = self.tokens().keep(server.as_str(), &Secret::new(&text), in_file);
        let place = kept.map_err(|error| error.to_string())?;
        let (mut turn, mut old) = (0, None);
        let known = self.known_file().change(server.as_str(), |had| {
            let had = had.unwrap_or_default();
            turn = had.turn + 1;
            old = had.place.filter(|old| *old != place.to_string());
            Some(Known {
                turn,
                place: Some(place.to_string()),
                at: login.at(),
                scopes: login.scopes.clone(),
                hosts: hosts.unwrap_or(had.hosts),
            })
        });
        known.map_err(|error| error.to_string())?;
        if let Some(old) = old.and_then(|old| old.parse::<Place>().ok()) {
            self.tokens().remove(&old).map_err(|error| error.to_string())?;
        }
        Ok((place, turn))
    }

    /// Forget the login, and that the server wanted one.
    pub(crate) fn forget(&self, server: &ServerName) -> Result<()> {
        let _held = self.lock(server, FlockOperation::LockExclusive)?;
        self.replace(server, |_| None)
    }

    /// Be the only one who changes the login; none where that would have to be waited for and is not.
    fn lock(&self, server: &ServerName, how: FlockOperation) -> Result<Option<File>> {
        let folder = self.home.data.join("logins");
        let failed = |error: std::io::Error| {
            format!("the folder {} could not be used: {error}. Make it writable", folder.display())
        };
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(failed)?;
        let lock = deskhand_files::open_lock(&folder.join(format!("{}.lock", room(server)))).map_err(failed)?;
        match flock(&lock, how) {
            Ok(()) => Ok(Some(lock)),
            Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// Let something else be known of a login; tokens that are then not named any more are forgotten. What is known comes first:
    /// without it they are not sent.
    fn replace(&self, server: &ServerName, with: impl FnOnce(Option<Known>) -> Option<Known>) -> Result<()> {
        let (mut before, mut after) = (None, None);
        let known = self.known_file().change(server.as_str(), |had| {
            before = had.as_ref().and_then(|had| had.place.clone());
            let new = with(had);
            after = new.as_ref().and_then(|new| new.place.clone());
            new
        });
        known.map_err(|error| error.to_string())?;
        let gone = if before == after { None } else { before };
        match gone.and_then(|place| place.parse::<Place>().ok()) {
            Some(place) => self.tokens().remove(&place).map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }

    /// The tokens of all logins, as far as they can be read now.
    pub(crate) fn secrets(&self) -> Vec<Secret> {
        let all = self.known_file().all().unwrap_or_default();
        let names = all.keys().filter_map(|name| name.parse().ok());
        let logins = names.filter_map(|server: ServerName| self.load(&server).ok()?);
        logins.flat_map(|(_, login)| login.secrets()).collect()
    }
}

impl Logins for LoginStore {
    fn turn(&self, server: &ServerName) -> Result<Option<u64>> {
        Ok(self.known(server)?.filter(Known::is_there).map(|known| known.turn))
    }

    fn load(&self, server: &ServerName) -> Result<Option<(u64, Login)>> {
        let Some(Known { turn, place: Some(place), .. }) = self.known(server)? else { return Ok(None) };
        let text = self.tokens().key(&place).map_err(|error| error.to_string())?;
        let login = serde_json::from_str(text.reveal());
        let login = login.map_err(|_| {
            format!("the login that is kept cannot be understood. Make another with: deskhand mcp login {server}")
        })?;
        Ok(Some((turn, login)))
    }

    fn keep(&self, server: &ServerName, login: &Login) -> Result<u64> {
        let known = self.known(server)?;
        let place = known.and_then(|known| known.place?.parse::<Place>().ok());
        // it was ended meanwhile, and does not come back
        let Some(place) = place else { return Err("the login was ended while it was renewed".to_owned()) };
        self.put(server, login, None, matches!(place, Place::File(_))).map(|(_, turn)| turn)
    }

    fn wanted(&self, server: &ServerName, turn: Option<u64>) -> Result<()> {
        if turn.is_none() && self.known(server)?.is_some() {
            return Ok(());
        }
        self.replace(server, |had| match had {
            Some(had) if had.is_there() && Some(had.turn) != turn => Some(had),
            had => Some(Known { turn: had.map_or(0, |had| had.turn) + 1, ..Known::default() }),
        })
    }

    fn hold(&self, server: &ServerName) -> Result<Option<Held>> {
        let lock = self.lock(server, FlockOperation::NonBlockingLockExclusive)?;
        Ok(lock.map(|lock| Box::new(lock) as Held))
    }
}

/// What the person agreed to when they logged in to a server, as it is known when something is to be sent.
pub(crate) struct Agreed {
    pub(crate) store: LoginStore,
    pub(crate) server: ServerName,
}

impl Agreement for Agreed {
    fn to(&self, host: &str, port: u16) -> Judgement {
        match self.store.known(&self.server) {
            Ok(known) => known.unwrap_or_default().to(host, port),
            Err(reason) => Judgement::Refused { reason },
        }
    }
}

impl Agreement for Known {
    fn to(&self, host: &str, port: u16) -> Judgement {
        match self.hosts.get(&site(host, port)) {
            Some(true) => Judgement::Allowed(Reach::Local),
            Some(false) => Judgement::Allowed(Reach::Public),
            None => {
                Judgement::Refused { reason: "you did not agree to it when you logged in. Log in again".to_owned() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::fs;

    const LOGIN: &str = r#"{"url": "https://mcp.example.com/mcp", "resource": "https://mcp.example.com/mcp",
        "issuer": "https://auth.example.com", "token_endpoint": "https://auth.example.com/token", "revocation_endpoint": null,
        "secret_in_body": false, "client_id": "desk", "client_secret": null, "scopes": ["read"], "access_token": "one",
        "refresh_token": "two", "since": 1000, "lasts": 60}"#;

    fn store(folder: &tempfile::TempDir) -> (LoginStore, ServerName, Login) {
        let home = Home::within(folder.path());
        fs::create_dir_all(&home.data).unwrap();
        (LoginStore::of(&home), "shop".parse().unwrap(), serde_json::from_str(LOGIN).unwrap())
    }

    #[test]
    fn a_login_that_was_made_meanwhile_is_not_forgotten_with_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let (store, server, login) = store(&folder);
        store.wanted(&server, None).unwrap();
        assert_eq!((store.turn(&server), store.known(&server).unwrap().unwrap().is_there()), (Ok(None), false));
        let hosts = BTreeMap::from([("auth.example.com".to_owned(), Reach::Public)]);
        assert_eq!(store.add(&server, &login, &hosts, true).unwrap(), Place::File("shop".to_owned()));
        let first = store.turn(&server).unwrap().unwrap();
        // whoever had none, or one before it, says nothing of this one
        store.wanted(&server, None).unwrap();
        store.wanted(&server, Some(first - 1)).unwrap();
        assert_eq!(store.load(&server).unwrap(), Some((first, login.clone())));
        let second = store.keep(&server, &login).unwrap();
        assert_eq!(second, first + 1);
        store.wanted(&server, Some(second)).unwrap();
        assert_eq!((store.load(&server), store.known(&server).unwrap().unwrap().is_there()), (Ok(None), false));
        assert_eq!(fs::read_to_string(store.file()).unwrap(), "{}");
        assert_eq!(store.keep(&server, &login), Err("the login was ended while it was renewed".to_owned()));
        store.forget(&server).unwrap();
        assert_eq!(store.known(&server), Ok(None));
    }

    #[test]
    fn a_login_goes_where_the_person_agreed_to_and_is_renewed_by_one_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let (store, server, login) = store(&folder);
        let hosts = [("auth.example.com", Reach::Public), ("127.0.0.1:9944", Reach::Local)];
        let hosts = hosts.map(|(host, reach)| (host.to_owned(), reach)).into();
        store.add(&server, &login, &hosts, true).unwrap();
        let agreed = Agreed { store: store.clone(), server: server.clone() };
        assert_eq!(agreed.to("auth.example.com", 443), Judgement::Allowed(Reach::Public));
        assert_eq!(agreed.to("127.0.0.1", 9944), Judgement::Allowed(Reach::Local));
        let reason = "you did not agree to it when you logged in. Log in again";
        for (host, port) in [("evil.example", 443), ("127.0.0.1", 9933), ("localhost", 9944)] {
            assert_eq!(agreed.to(host, port), Judgement::Refused { reason: reason.to_owned() }, "{host}:{port}");
        }
        let held = store.hold(&server).unwrap();
        assert!(held.is_some() && store.hold(&server).unwrap().is_none());
        drop(held);
        assert!(store.hold(&server).unwrap().is_some());
    }
}
