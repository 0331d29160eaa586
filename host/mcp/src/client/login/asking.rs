//! Having the person log in: where, and as which client; the address that they open; and what it brings.

use super::{
    Login, LoginError,
    endpoint::{Refusal, checked, host, host_and_port},
    kept::Tokens,
    landing::{Answer, Came, Landing},
    wire::{Answered, LIMITS, Wire},
};
use crate::client::{
    ServerConfig,
    wait::{Asked, Over, over},
};
use deskhand_egress::{Outlet, Redirects, Request, Secret, Url};
use deskhand_vocabulary::{
    Clock, Stop,
    text::{safe, shortened},
};
use rmcp::transport::auth::{AuthError, AuthorizationManager, AuthorizationMetadata, OAuthClientConfig};
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};

/// What Deskhand calls itself where it registers.
const NAME: &str = "Deskhand";
/// The most characters of somebody's own words in an error.
const WORDS: usize = 300;
/// The version of the protocol in which a server is asked whether it wants a login.
const VERSION: &str = "2025-11-25";

/// A client that the person registered.
#[derive(Debug)]
pub struct Client {
    /// What it is called there.
    pub id: String,
    /// Its secret, where it has one.
    pub secret: Option<Secret>,
}

/// What is to come of a login.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// The server that it is for.
    pub config: &'a ServerConfig,
    /// The client; where there is none, Deskhand registers one.
    pub client: Option<Client>,
    /// What it is to be allowed; where nothing is named, what the server says that it takes.
    pub scopes: Vec<String>,
}

/// A login that waits for the person.
pub struct Asking {
    manager: AuthorizationManager,
    wire: Arc<Wire>,
    landing: Landing,
    address: Url,
    state: String,
    /// The login, without what the person's answer brings.
    login: Login,
}

impl std::fmt::Debug for Asking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").field("login", &self.login).finish_non_exhaustive()
    }
}

impl Asking {
    /// Find out where one logs in, be a client there, and wait at an address for the browser. All that is sent goes through
    /// `outlet`.
    ///
    /// # Errors
    /// The server wants no login, or it is not one that is safe.
    pub async fn begin(wanted: Wanted<'_>, outlet: Outlet) -> Result<Self, LoginError> {
        let url = wanted.config.url.clone().unwrap_or_default();
        checked("its own address", &url)?;
        let challenge = challenge(wanted.config, &url, &outlet).await?;
        let wire = Arc::new(Wire::new(outlet));
        let sending = Arc::<Wire>::clone(&wire);
        let manager = AuthorizationManager::new_with_oauth_http_client(url.as_str(), sending).await;
        let mut manager = manager.map_err(|error| explain(error, "address", &wire))?;
        let found = manager.resolve_metadata_from_challenge(challenge.as_deref()).await;
        let found = found.map_err(|error| explain(error, "description of a login", &wire))?;
        if !found.source.is_discovered() {
            return Err(LoginError::NotOffered);
        }
        let place = Place::of(&found.metadata)?;
        manager.set_metadata(found.metadata.clone());
        let scopes = match wanted.scopes.is_empty() {
            true => manager.select_initial_scopes(&[]).await,
            false => with_renewal(wanted.scopes, &found.metadata),
        };
        let scopes: Vec<&str> = scopes.iter().map(String::as_str).collect();
        let landing = Landing::open().await.map_err(|error| LoginError::NoLanding(error.to_string()))?;
        let client = client(&mut manager, wanted.client, &landing.address(), &scopes, &place, &wire).await?;
        let address = manager.get_authorization_url(&scopes).await;
        let address = address.map_err(|error| explain(error, "description of a login", &wire))?;
        let address = checked("where one logs in", &address)?;
        let (state, resource) = (field(&address, "state"), field(&address, "resource"));
        let login = Login {
            url,
            resource,
            issuer: place.issuer,
            token_endpoint: place.token,
            revocation_endpoint: place.revocation,
            secret_in_body: place.secret_in_body,
            client_id: client.client_id,
            client_secret: client.client_secret,
            scopes: Vec::new(),
            access_token: String::new(),
            refresh_token: None,
            since: 0,
            lasts: None,
        };
        Ok(Self { manager, wire, landing, address, state, login })
    }

    /// What the person opens in their browser.
    pub fn address(&self) -> &str {
        self.address.as_str()
    }

    /// The hosts that the login goes to from here on, each with its port: of that, of its tokens, and of what ends it.
    ///
    /// # Errors
    /// None where the login was begun: all were looked at then.
    pub fn hosts(&self) -> Result<Vec<(String, u16)>, LoginError> {
        let Login { token_endpoint, revocation_endpoint, .. } = &self.login;
        let more = std::iter::once(token_endpoint).chain(revocation_endpoint);
        let more = more.map(|address| Ok(host_and_port(&checked("where its tokens are from", address)?)));
        std::iter::once(Ok(host_and_port(&self.address))).chain(more).collect()
    }

    /// Wait until they come back, and trade what they bring for the login.
    ///
    /// # Errors
    /// All of it took longer than the limit, they said no, or what came cannot be trusted.
    pub async fn finish(self, limit: Duration, clock: &dyn Clock, stop: &Stop) -> Result<Login, LoginError> {
        let asked = Asked::default();
        tokio::select! {
            biased;
            login = self.traded(clock) => login,
            why = over(limit, &asked, stop) => Err(match why {
                Over::Late => LoginError::Late { after: limit },
                Over::Stopped => LoginError::Stopped,
            }),
        }
    }

    async fn traded(self, clock: &dyn Clock) -> Result<Login, LoginError> {
        let Self { manager, wire, landing, state, login, .. } = self;
        let came = landing.wait(&state).await;
        let host = login.at();
        let code = code(&came, &login.issuer, &host)?;
        let traded = manager.exchange_code_for_token_with_issuer(code, &state, came.issuer.as_deref()).await;
        let traded = traded.map_err(|error| explain(error, "answer to a login", &wire))?;
        let nonsense = || LoginError::Nonsense { host: host.clone(), what: "token" };
        // the library's own type has it in the way of another library
        let traded = serde_json::to_value(&traded).map_err(|_| nonsense())?;
        let tokens: Tokens = serde_json::from_value(traded).map_err(|_| nonsense())?;
        if !tokens.can_be_sent() {
            return Err(nonsense());
        }
        let scopes = manager.get_current_scopes().await;
        Ok(Login { scopes, ..login.renewed(tokens, clock.now().as_second()) })
    }
}

/// What a server says to who comes without a token; none where it lets them in.
async fn challenge(config: &ServerConfig, url: &str, outlet: &Outlet) -> Result<Option<String>, LoginError> {
    let hello = json!({
        "jsonrpc": "2.0", "id": 0, "method": "initialize",
        "params": {
            "protocolVersion": VERSION, "capabilities": {},
            "clientInfo": {"name": "deskhand", "version": env!("CARGO_PKG_VERSION")},
        },
    });
    let mut request = Request::post(url, hello.to_string())?
        .header("content-type", "application/json")?
        .header("accept", "application/json, text/event-stream")?;
    for (name, value) in &config.headers {
        request = request.header(name, value)?;
    }
    let response = outlet.send(request.redirects(Redirects::Return).limits(LIMITS)).await?;
    let said = response.headers().filter(|(name, _)| *name == "www-authenticate").map(|(_, value)| value);
    Ok((response.status() == 401).then(|| said.collect::<Vec<_>>().join(", ")))
}

/// What counts of the metadata of an authorization server (RFC 8414, 2), once it is known to be safe.
struct Place {
    issuer: String,
    host: String,
    token: String,
    revocation: Option<String>,
    registers: bool,
    secret_in_body: bool,
}

impl Place {
    fn of(metadata: &AuthorizationMetadata) -> Result<Self, LoginError> {
        let issuer = metadata.issuer.clone().ok_or(LoginError::NotOffered)?;
        let host = host(&checked("who it logs in with", &issuer)?);
        let s256 = metadata.code_challenge_methods_supported.iter().flatten().any(|method| method == "S256");
        if !s256 {
            return Err(LoginError::NoPkce { host });
        }
        checked("where one logs in", &metadata.authorization_endpoint)?;
        let token = checked("where its tokens are from", &metadata.token_endpoint)?;
        if let Some(registration) = &metadata.registration_endpoint {
            checked("where programs are registered", registration)?;
        }
        let more = &metadata.additional_fields;
        let revocation = more.get("revocation_endpoint").and_then(Value::as_str);
        let revocation = revocation.map(|address| checked("where logins are ended", address)).transpose()?;
        // as the library does when it trades the code
        let methods = more.get("token_endpoint_auth_methods_supported").and_then(Value::as_array);
        let has = |method: &str| methods.is_some_and(|methods| methods.iter().any(|one| one == method));
        Ok(Self {
            issuer,
            host,
            token: token.into(),
            revocation: revocation.map(Into::into),
            registers: metadata.registration_endpoint.is_some(),
            secret_in_body: has("client_secret_post") && !has("client_secret_basic"),
        })
    }
}

/// The client that the person registered, or one that is registered now.
async fn client(
    manager: &mut AuthorizationManager,
    known: Option<Client>,
    landing: &str,
    scopes: &[&str],
    place: &Place,
    wire: &Wire,
) -> Result<OAuthClientConfig, LoginError> {
    if let Some(Client { id, secret }) = known {
        let config = OAuthClientConfig::new(id, landing);
        let config = match secret {
            Some(secret) => config.with_client_secret(secret.reveal()),
            None => config,
        };
        manager.configure_client(config.clone()).map_err(|error| explain(error, "description of a login", wire))?;
        return Ok(config);
    }
    if !place.registers {
        return Err(LoginError::NoClient { host: place.host.clone() });
    }
    let registered = manager.register_client(NAME, landing, scopes).await;
    registered.map_err(|error| explain(error, "registration", wire))
}

/// What the person named, and a token that renews the login where one is to be asked for.
fn with_renewal(mut scopes: Vec<String>, metadata: &AuthorizationMetadata) -> Vec<String> {
    const OFFLINE: &str = "offline_access";
    let offered = metadata.scopes_supported.iter().flatten().any(|scope| scope == OFFLINE);
    if offered && !scopes.iter().any(|scope| scope == OFFLINE) {
        scopes.push(OFFLINE.to_owned());
    }
    scopes
}

/// A field of an address; what an endpoint has of the same name stands before it.
fn field(address: &Url, name: &str) -> String {
    let values = address.query_pairs().filter(|(key, _)| key == name);
    values.last().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// The code that the browser brought from the issuer that was asked.
fn code<'a>(came: &'a Came, issuer: &str, host: &str) -> Result<&'a str, LoginError> {
    if let Some(other) = came.issuer.as_deref().filter(|other| *other != issuer) {
        let other = said(other);
        return Err(LoginError::Confused(format!("the answer is from {other}, and {} was asked", said(issuer))));
    }
    match &came.answer {
        Answer::Code(code) => Ok(code),
        Answer::Error { error, description } => Err(Refusal::new(error, description.as_deref()).told(host.to_owned())),
    }
}

/// What the library could not go on with. Its own texts may hold what a server answered, tokens among it, so what was
/// answered is looked at anew. `what` is what should have been answered.
fn explain(error: AuthError, what: &'static str, wire: &Wire) -> LoginError {
    match error {
        AuthError::AuthorizationServerMismatch { expected_issuer, received_issuer } => LoginError::Confused(format!(
            "who it logs in with should be {}, and is {}",
            said(&expected_issuer),
            said(&received_issuer)
        )),
        AuthError::AuthorizationServerMissingIssuer { expected_issuer } => {
            LoginError::Confused(format!("{} does not say who it is", said(&expected_issuer)))
        }
        AuthError::ProtectedResourceMetadataInvalid { url, .. } => {
            LoginError::Confused(format!("what {} says of a login is not for this server", said(url.as_str())))
        }
        AuthError::AuthorizationServersUnavailable { authorization_servers, .. } => {
            LoginError::NotDescribed { servers: said(&authorization_servers.join(", ")) }
        }
        AuthError::NoAuthorizationSupport => LoginError::NotOffered,
        _ => answered(what, wire),
    }
}

fn answered(what: &'static str, wire: &Wire) -> LoginError {
    let (host, came) = wire.last();
    match came {
        Err(error) => LoginError::Egress(error),
        Ok(Answered { status: 300..=399, to: Some(to), .. }) => LoginError::Redirected { host, to: said(&to) },
        Ok(Answered { status, body, .. }) => match Refusal::read(&body) {
            Some(refusal) => refusal.told(host),
            None if (200..=299).contains(&status) => LoginError::Nonsense { host, what },
            None => LoginError::Refused { host, reason: format!("status {status}") },
        },
    }
}

fn said(text: &str) -> String {
    shortened(&safe(text, false), WORDS)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn metadata(changes: &Value) -> AuthorizationMetadata {
        let mut whole = json!({
            "issuer": "https://auth.example.com", "authorization_endpoint": "https://auth.example.com/auth",
            "token_endpoint": "https://auth.example.com/token", "code_challenge_methods_supported": ["plain", "S256"],
        });
        for (name, value) in changes.as_object().unwrap() {
            whole[name] = value.clone();
        }
        serde_json::from_value(whole).unwrap()
    }

    fn refused(changes: &Value) -> String {
        Place::of(&metadata(changes)).map(|_| String::new()).unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn an_authorization_server_is_one_that_is_safe() {
        assert_eq!(refused(&json!({})), "");
        let pkce = "auth.example.com does not offer to protect the login with PKCE (S256), so nothing was begun there. Ask whoever runs it to switch that on";
        assert_eq!(refused(&json!({"code_challenge_methods_supported": null})), pkce);
        assert_eq!(refused(&json!({"code_challenge_methods_supported": ["plain"]})), pkce);
        for (field, what) in [
            ("authorization_endpoint", "where one logs in"),
            ("token_endpoint", "where its tokens are from"),
            ("registration_endpoint", "where programs are registered"),
            ("revocation_endpoint", "where logins are ended"),
            ("issuer", "who it logs in with"),
        ] {
            assert_eq!(
                refused(&json!({field: "http://auth.example.com/x"})),
                format!(
                    "{what} is `http://auth.example.com/x`, which is neither an https address nor one on this computer, so nothing is sent there"
                )
            );
        }
    }

    #[test]
    fn a_client_proves_itself_as_the_server_takes_it() {
        let in_body = |methods: &Value| {
            Place::of(&metadata(&json!({"token_endpoint_auth_methods_supported": methods}))).unwrap().secret_in_body
        };
        assert!(in_body(&json!(["client_secret_post", "none"])));
        assert!(!in_body(&json!(["client_secret_post", "client_secret_basic"])) && !in_body(&json!(null)));
    }

    #[test]
    fn an_answer_of_somebody_else_is_none() {
        let came = |answer: Answer, issuer: Option<&str>| Came { answer, issuer: issuer.map(str::to_owned) };
        let good = || Answer::Code("c".to_owned());
        let (ours, host) = ("https://auth.example.com", "auth.example.com");
        assert_eq!(code(&came(good(), None), ours, host), Ok("c"));
        assert_eq!(code(&came(good(), Some(ours)), ours, host), Ok("c"));
        assert_eq!(
            code(&came(good(), Some("https://evil.example")), ours, host).unwrap_err().to_string(),
            "the answer is from https://evil.example, and https://auth.example.com was asked. Somebody may be trying to get at the login, so it was given up"
        );
        let no = Answer::Error { error: "access_denied".to_owned(), description: None };
        assert_eq!(
            code(&came(no, Some(ours)), ours, host).unwrap_err().to_string(),
            "auth.example.com says: access_denied"
        );
    }

    #[test]
    fn what_is_asked_for_holds_what_renews_it() {
        let offers = metadata(&json!({"scopes_supported": ["read", "offline_access"]}));
        assert_eq!(with_renewal(vec!["read".to_owned()], &offers), ["read", "offline_access"]);
        assert_eq!(with_renewal(vec!["offline_access".to_owned()], &offers), ["offline_access"]);
        assert_eq!(with_renewal(vec!["read".to_owned()], &metadata(&json!({}))), ["read"]);
        let url = Url::parse("https://a/?state=evil&x=1&state=s&resource=r%2F").unwrap();
        assert_eq!((field(&url, "state"), field(&url, "resource")), ("s".to_owned(), "r/".to_owned()));
    }
}
