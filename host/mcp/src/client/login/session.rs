//! The login to one server, as requests use it: the token of now, renewed where it is over. However many tasks and processes
//! use it, one of them renews it and all others take up what came of that, as a token that renews may hold only once.

use super::{
    Login, LoginError, Logins,
    endpoint::{Refusal, checked, host, post},
    kept::Tokens,
    store::Held,
};
use deskhand_egress::{Outlet, Secret};
use deskhand_vocabulary::{Clock, ServerName};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How often it is looked whether who renews the login is done.
const LOOK: Duration = Duration::from_millis(25);
/// How long they are waited for: longer than one request of them may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module. Cheap to clone.
#[derive(Clone)]
pub struct Session(Arc<Inner>);

struct Inner {
    server: ServerName,
    url: String,
    logins: Arc<dyn Logins>,
    outlet: Outlet,
    clock: Arc<dyn Clock>,
    /// The login that was read last, with its number.
    read: Mutex<Option<(u64, Login)>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("server", &self.0.server).finish_non_exhaustive()
    }
}

impl Session {
    /// Of the server at this address. What renews the login goes through `outlet`.
    pub fn new(
        server: ServerName,
        url: String,
        logins: Arc<dyn Logins>,
        outlet: Outlet,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(Arc::new(Inner { server, url, logins, outlet, clock, read: Mutex::new(None) }))
    }

    /// The token to send now; none where nobody is logged in.
    pub(crate) async fn token(&self) -> Result<Option<Secret>, LoginError> {
        let Some(login) = self.login().await? else { return Ok(None) };
        if login.is_fresh(self.now()) {
            return Ok(Some(Secret::new(&login.access_token)));
        }
        match self.renewed(&Secret::new(&login.access_token)).await {
            // one that holds for some seconds more does for now
            Err(_) if !login.is_over(self.now()) => Ok(Some(Secret::new(&login.access_token))),
            renewed => renewed,
        }
    }

    /// Another token than this one, which is over or was refused; none where there is none any more.
    pub(crate) async fn renewed(&self, old: &Secret) -> Result<Option<Secret>, LoginError> {
        let (session, old) = (self.clone(), old.clone());
        // once it has begun it goes on, whoever loses interest: the token before it may hold no more
        let renewing = tokio::spawn(async move { session.renew(&old).await });
        renewing.await.unwrap_or_else(|error| Err(LoginError::Store(format!("the login was not renewed: {error}"))))
    }

    /// The person has to log in: for the first time, or again, where this is the number of what they had.
    pub(crate) async fn wanted(&self, turn: Option<u64>) -> Result<(), LoginError> {
        self.aside(move |inner| inner.logins.wanted(&inner.server, turn)).await
    }

    async fn renew(&self, old: &Secret) -> Result<Option<Secret>, LoginError> {
        let _held = self.hold().await?;
        let Some((turn, login)) = self.load().await? else { return Ok(None) };
        if login.access_token != old.reveal() && login.is_fresh(self.now()) {
            // somebody else was first
            let token = Secret::new(&login.access_token);
            self.keep_read(turn, login);
            return Ok(Some(token));
        }
        let Some(login) = self.ask(login).await? else {
            self.wanted(Some(turn)).await?;
            return Ok(None);
        };
        let token = Secret::new(&login.access_token);
        let kept = login.clone();
        let turn = self.aside(move |inner| inner.logins.keep(&inner.server, &kept)).await?;
        self.keep_read(turn, login);
        Ok(Some(token))
    }

    /// Have it renewed (RFC 6749, 6); none where that is refused for good.
    async fn ask(&self, login: Login) -> Result<Option<Login>, LoginError> {
        let Some(token) = &login.refresh_token else { return Ok(None) };
        let address = checked("where its tokens are from", &login.token_endpoint)?;
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token), ("resource", &login.resource)];
        let (status, body) = post(&self.0.outlet, &login, &address, &fields).await?;
        if !(200..=299).contains(&status) {
            return match Refusal::read(&body) {
                Some(refusal) if refusal.is_for_good() => Ok(None),
                Some(refusal) => Err(refusal.told(host(&address))),
                None => Err(LoginError::Refused { host: host(&address), reason: format!("status {status}") }),
            };
        }
        match serde_json::from_slice::<Tokens>(&body) {
            Ok(tokens) if tokens.can_be_sent() => Ok(Some(login.renewed(tokens, self.now()))),
            _ => Err(LoginError::Nonsense { host: host(&address), what: "token" }),
        }
    }

    /// The login of now: the one that was read before, unless it was kept anew since.
    async fn login(&self) -> Result<Option<Login>, LoginError> {
        let Some(turn) = self.0.logins.turn(&self.0.server).map_err(LoginError::Store)? else { return Ok(None) };
        if let Some((read, login)) = &*self.read()
            && *read == turn
        {
            return Ok(Some(login.clone()));
        }
        let Some((turn, login)) = self.load().await? else { return Ok(None) };
        self.keep_read(turn, login.clone());
        Ok(Some(login))
    }

    /// What is kept, if it is for this server as it is set up now.
    async fn load(&self) -> Result<Option<(u64, Login)>, LoginError> {
        let kept = self.aside(|inner| inner.logins.load(&inner.server)).await?;
        Ok(kept.filter(|(_, login)| login.url == self.0.url))
    }

    async fn hold(&self) -> Result<Held, LoginError> {
        let waiting = async {
            loop {
                match self.0.logins.hold(&self.0.server).map_err(LoginError::Store)? {
                    Some(held) => return Ok(held),
                    None => tokio::time::sleep(LOOK).await,
                }
            }
        };
        let late = || {
            Err(LoginError::Store("another process of Deskhand has been renewing the login for too long".to_owned()))
        };
        tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| late())
    }

    /// Work that may wait for the disk or the person.
    async fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, String> + Send + 'static,
    ) -> Result<T, LoginError> {
        let inner = Arc::clone(&self.0);
        let done = tokio::task::spawn_blocking(move || work(&inner)).await;
        done.unwrap_or_else(|error| Err(error.to_string())).map_err(LoginError::Store)
    }

    fn read(&self) -> std::sync::MutexGuard<'_, Option<(u64, Login)>> {
        self.0.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep_read(&self, turn: u64, login: Login) {
        *self.read() = Some((turn, login));
    }

    fn now(&self) -> i64 {
        self.0.clock.now().as_second()
    }
}
