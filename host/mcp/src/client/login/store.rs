//! Where logins lie: whoever uses this room says.

use super::Login;
use deskhand_vocabulary::ServerName;

/// What is held while a login is renewed; letting go of it lets the next one in.
pub type Held = Box<dyn Send>;

/// The logins that are kept, shared by all processes of one person. Every method may be called from any thread and may
/// wait for the disk; errors are texts for the person.
pub trait Logins: Send + Sync {
    /// Which one there is: another number each time that it is kept; none where there is none. Cheap.
    fn turn(&self, server: &ServerName) -> Result<Option<u64>, String>;

    /// The login itself, with its number. May wait for the person to unlock a keyring.
    fn load(&self, server: &ServerName) -> Result<Option<(u64, Login)>, String>;

    /// Keep it in place of the one before; its number.
    fn keep(&self, server: &ServerName, login: &Login) -> Result<u64, String>;

    /// The server wants another login than the one of this number, which is forgotten; none where there was none. One that was
    /// kept meanwhile stays.
    fn wanted(&self, server: &ServerName, turn: Option<u64>) -> Result<(), String>;

    /// Be the only one of all processes that renews it; none where somebody else is at it.
    fn hold(&self, server: &ServerName) -> Result<Option<Held>, String>;
}
