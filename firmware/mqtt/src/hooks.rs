//! Authorization: the embedder decides which connections and clients are accepted.
//!
//! The hooks are handed in with the calls that may need them, so they can borrow whatever the
//! embedder has (settings, a user table) and nothing has to be shared or locked.

use crate::Peer;

/// What a client presents in its CONNECT packet.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Credentials<'a> {
    /// The client id; empty when the client leaves the choice to the broker.
    pub client_id: &'a str,
    /// The user name, if it gave one.
    pub user: Option<&'a str>,
    /// The password, if it gave one: any bytes.
    pub password: Option<&'a [u8]>,
    /// Where it comes from.
    pub peer: Peer,
}

impl<'a> Credentials<'a> {
    /// A client without user and password.
    pub const fn new(client_id: &'a str, peer: Peer) -> Credentials<'a> {
        Credentials { client_id, user: None, password: None, peer }
    }

    /// Sets user name and password.
    #[must_use]
    pub const fn with(mut self, user: Option<&'a str>, password: Option<&'a [u8]>) -> Self {
        (self.user, self.password) = (user, password);
        self
    }
}

/// What becomes of a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Accept it.
    Accept,
    /// Wrong user name or password: CONNACK return code 4, then the connection closes.
    BadCredentials,
    /// This client may not connect: CONNACK return code 5, then the connection closes.
    NotAuthorized,
}

/// Authorization of connections and clients, by the embedder. Every method has a default that
/// allows.
pub trait Hooks {
    /// A network connection was made; nothing was allocated for it yet. `false` refuses it.
    fn on_connect(&mut self, peer: &Peer) -> bool {
        let _ = peer;
        true
    }

    /// A well-formed CONNECT came. Called before the client takes anything over.
    fn on_auth(&mut self, credentials: &Credentials<'_>) -> Verdict {
        let _ = credentials;
        Verdict::Accept
    }
}

/// Accepts every client.
#[derive(Clone, Copy, Debug, Default)]
pub struct AllowAll;

impl Hooks for AllowAll {}

/// [`Hooks`] made of two closures.
///
/// ```
/// use umqtt_mqtt::{Callbacks, Credentials, Peer, Verdict};
/// let mut seen = 0;
/// let mut hooks = Callbacks {
///     on_connect: |peer: &Peer| peer.addr.ip().is_loopback(),
///     on_auth: |who: &Credentials<'_>| {
///         seen += 1;
///         if who.user == Some("me") { Verdict::Accept } else { Verdict::BadCredentials }
///     },
/// };
/// # let _: &mut dyn umqtt_mqtt::Hooks = &mut hooks;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Callbacks<C, A> {
    /// See [`Hooks::on_connect`].
    pub on_connect: C,
    /// See [`Hooks::on_auth`].
    pub on_auth: A,
}

impl<C, A> Hooks for Callbacks<C, A>
where
    C: FnMut(&Peer) -> bool,
    A: FnMut(&Credentials<'_>) -> Verdict,
{
    fn on_connect(&mut self, peer: &Peer) -> bool {
        (self.on_connect)(peer)
    }

    fn on_auth(&mut self, credentials: &Credentials<'_>) -> Verdict {
        (self.on_auth)(credentials)
    }
}
