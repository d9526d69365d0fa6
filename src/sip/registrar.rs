//! Where are the operators' phones? Their registrations, by our own digest check, with expiry and NAT (RFC 3261 §10, RFC 3581, RFC 5626 §4.4.1).

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt::Write;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::centre::ids::{AgentId, ContactId};
use crate::centre::time::Time;
use crate::config;
use crate::kept::Kept;
use crate::private::Private;

use super::digest::{self, Credentials, Refused, Secret, Verifier};
use super::guard::Request;
use super::message::Name;
use super::peer::{Carrier, ConnId, Peer};
use super::rate::Guesses;
use super::uri::{NameAddr, Scheme, Uri, param, split_outside};

/// Contacts a phone may have; a further one takes the place of the oldest.
const MOST_CONTACTS: usize = 4;
/// Addresses of registered phones that are remembered; when there are more, the phones work, but as strangers in what has a limit.
const MOST_HOMES: usize = 4096;
/// The shortest registration that we grant, in seconds (RFC 3261 §10.3 step 7).
const SHORTEST_S: u32 = 60;

/// Who may register: the account behind a user, and its password.
#[derive(Clone, Debug)]
pub struct PhoneAccount {
    /// The user part of the address of record.
    pub user: String,
    /// The operator.
    pub agent: AgentId,
    /// The digest password.
    pub password: Private<String>,
    /// Whether it is offered protected sound only; `None` for whoever registers over TLS.
    pub secure: Option<bool>,
}

/// All phones and their contacts.
pub struct Registrar {
    phones: HashMap<String, Phone>,
    owners: HashMap<ContactId, String>,
    expiries: BinaryHeap<Reverse<(Time, ContactId)>>,
    /// Until when a registration from each address lasts.
    homes: HashMap<IpAddr, Time>,
    verifier: Verifier,
    guesses: Guesses,
    realm: String,
    longest_s: u32,
    next: u64,
    /// Contacts that outlive the process.
    kept: Option<Kept<ContactId>>,
}

struct Phone {
    agent: AgentId,
    secret: Secret,
    secure: Option<bool>,
    bindings: Vec<Binding>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Binding {
    id: ContactId,
    uri: String,
    instance: String,
    peer: Peer,
    /// Whether only the way that it came by leads to it.
    natted: bool,
    call_id: String,
    cseq: u32,
    expires: Time,
}

/// A contact as the next process needs it.
#[derive(Serialize, Deserialize)]
pub struct KeptBinding {
    user: String,
    binding: Binding,
}

/// A [`KeptBinding`] for writing.
#[derive(Serialize)]
struct Borrowed<'a> {
    user: &'a str,
    binding: &'a Binding,
}

/// What to answer, and what changed.
pub struct Outcome {
    /// SIP status.
    pub status: u16,
    /// Header lines.
    pub headers: String,
    /// Whether a repeated request must get this very answer: the digest's count admits it only once.
    pub keep: bool,
    /// All contacts of a phone that has more, fewer or others than before.
    pub changed: Option<Changed>,
}

/// An operator and all contacts of the phone.
pub type Changed = (AgentId, Vec<ContactId>);

impl Outcome {
    fn refused(status: u16, headers: String) -> Outcome {
        Outcome { status, headers, keep: false, changed: None }
    }
}

/// One contact of a REGISTER.
struct Asked<'a> {
    uri: &'a str,
    instance: &'a str,
    peer: Peer,
    natted: bool,
    expires_s: u32,
}

impl Registrar {
    /// A registrar without contacts. `key` signs nonces; contact ids count up from `now`, so that no process uses one again.
    pub fn new(now: Time, config: &config::Sip, key: [u8; 32], accounts: Vec<PhoneAccount>) -> Registrar {
        let mut registrar = Registrar {
            phones: HashMap::new(),
            owners: HashMap::new(),
            expiries: BinaryHeap::new(),
            homes: HashMap::new(),
            verifier: Verifier::new(&config.realm, key, config.offer_sha256),
            guesses: Guesses::default(),
            realm: config.realm.clone(),
            longest_s: config.register_s.max(SHORTEST_S),
            next: now.0,
            kept: None,
        };
        registrar.reload(accounts);
        registrar
    }

    /// Takes new accounts. Contacts of a phone whose user, operator and password stay are kept; the others are gone.
    pub fn reload(&mut self, accounts: Vec<PhoneAccount>) -> Vec<Changed> {
        let mut before = std::mem::take(&mut self.phones);
        for PhoneAccount { user, agent, password, secure } in accounts {
            let secret = Secret::new(&user, &self.realm, &password);
            let kept = before.get(&user).is_some_and(|phone| phone.agent == agent && phone.secret == secret);
            let bindings = if kept { before.remove(&user).map(|phone| phone.bindings).unwrap_or_default() } else { Vec::new() };
            self.phones.insert(user, Phone { agent, secret, secure, bindings });
        }
        let gone: Vec<Phone> = before.into_values().filter(|phone| !phone.bindings.is_empty()).collect();
        gone.iter().flat_map(|phone| &phone.bindings).for_each(|binding| self.forget(binding.id));
        gone.into_iter().map(|phone| (phone.agent, Vec::new())).collect()
    }

    /// Whether a contact is offered protected sound only: its settings say so, or else the way that it is reached by.
    pub fn is_secure(&self, id: ContactId) -> bool {
        let Some(phone) = self.owners.get(&id).and_then(|user| self.phones.get(user)) else { return false };
        let by_tls = || phone.bindings.iter().any(|binding| binding.id == id && matches!(binding.peer.carrier, Carrier::Tls(_)));
        phone.secure.unwrap_or_else(by_tls)
    }

    /// Takes up the contacts of a former process that have not expired and can still be reached, and keeps its own from here on.
    pub fn resume(&mut self, now: Time, kept: Kept<ContactId>, bindings: Vec<(ContactId, KeptBinding)>) {
        for (id, KeptBinding { user, mut binding }) in bindings {
            self.next = self.next.max(id.0);
            let lost_with_its_connection = binding.peer.is_reliable() && binding.natted;
            match self.phones.get_mut(&user).filter(|_| binding.expires > now && !lost_with_its_connection) {
                Some(phone) if phone.bindings.len() < MOST_CONTACTS => {
                    binding.peer.carrier = binding.peer.carrier.anew();
                    let (expires, source) = (binding.expires, binding.peer.addr.ip());
                    phone.bindings.push(binding);
                    self.owners.insert(id, user);
                    self.expiries.push(Reverse((expires, id)));
                    self.remember(now, source, expires);
                }
                Some(_) | None => kept.remove(&id),
            }
        }
        self.kept = Some(kept);
    }

    /// Every phone's operator and contacts.
    pub fn contacts(&self) -> Vec<Changed> {
        self.phones.values().map(|phone| (phone.agent.clone(), phone.ids())).collect()
    }

    fn forget(&mut self, id: ContactId) {
        self.owners.remove(&id);
        if let Some(kept) = &self.kept {
            kept.remove(&id);
        }
    }

    /// Where a contact is reached: its URI, the way to it, and whether the dialog must stay on that way.
    pub fn contact(&self, id: ContactId) -> Option<(&str, Peer, bool)> {
        let phone = self.phones.get(self.owners.get(&id)?)?;
        let binding = phone.bindings.iter().find(|binding| binding.id == id)?;
        Some((&binding.uri, binding.peer, binding.natted))
    }

    /// The operator of the phone with this user part.
    pub fn agent_of(&self, user: &str) -> Option<&AgentId> {
        self.phones.get(user).map(|phone| &phone.agent)
    }

    /// The operator whose phone has this user part, or who has this name and a phone.
    pub fn colleague(&self, user: &str) -> Option<&AgentId> {
        let by_name = || self.phones.values().map(|phone| &phone.agent).find(|agent| agent.as_str() == user);
        self.agent_of(user).or_else(by_name)
    }

    /// The user part of an operator's phone.
    pub fn user_of(&self, agent: &AgentId) -> Option<&str> {
        self.phones.iter().find(|(_, phone)| phone.agent == *agent).map(|(user, _)| user.as_str())
    }

    /// Whether the phone of this user is registered from this host, or, where `exactly`, from this port or connection.
    pub fn is_at(&self, user: &str, peer: Peer, exactly: bool) -> bool {
        let same_way = |known: &Peer| known.addr == peer.addr || (known.conn().is_some() && known.conn() == peer.conn());
        let is_it = |known: &Peer| known.addr.ip() == peer.addr.ip() && (!exactly || same_way(known));
        self.phones.get(user).is_some_and(|phone| phone.bindings.iter().any(|binding| is_it(&binding.peer)))
    }

    /// Whether a phone is registered from this address.
    pub fn knows(&self, now: Time, source: IpAddr) -> bool {
        self.homes.get(&source).is_some_and(|until| *until > now)
    }

    /// A REGISTER request.
    pub fn register(&mut self, now: Time, request: &Request<'_>) -> Outcome {
        let user = request.to.uri.user_text();
        if let Err(refused) = self.authorise(now, request, &user) {
            return refused;
        }
        let (longest_s, shortest_s) = (self.longest_s, SHORTEST_S);
        let asked = match asked(request, longest_s) {
            Some(asked) => asked,
            None => return Outcome::refused(400, String::new()),
        };
        if asked.iter().any(|contact| contact.expires_s > 0 && contact.expires_s < shortest_s) {
            return Outcome::refused(423, format!("Min-Expires: {shortest_s}\r\n"));
        }
        let Some(phone) = self.phones.get(&user) else { return Outcome::refused(404, String::new()) };
        if phone.bindings.iter().any(|binding| binding.call_id == request.call_id && binding.cseq >= request.cseq) {
            return Outcome::refused(500, String::new());
        }
        let before = phone.ids();
        if is_star(request) {
            self.drop_all(&user);
        }
        for contact in &asked {
            self.bind(now, &user, contact, request);
            self.remember(now, request.from_peer.addr.ip(), now.plus_ms(u64::from(contact.expires_s) * 1000));
        }
        self.outcome(now, &user, &before)
    }

    /// Whether a request shows the password of this user. Errors: what it is to be answered with.
    pub fn authorise(&mut self, now: Time, request: &Request<'_>, user: &str) -> Result<(), Outcome> {
        let source = request.from_peer.addr.ip();
        if self.guesses.is_shut_out(source, user, now) {
            metrics::counter!("cityline_sip_guesses_shut_out_total").increment(1);
            return Err(Outcome::refused(403, String::new()));
        }
        let headers = request.message.all(Name::Authorization);
        let Some(credentials) = headers.filter_map(Credentials::read).next() else {
            return Err(Outcome::refused(401, self.verifier.challenge(now, source, false)));
        };
        let secret = self.phones.get(user).filter(|_| credentials.user == user).map(|phone| &phone.secret);
        match self.verifier.verify(now, source, &digest::Asked { method: request.method.name(), credentials, secret }) {
            Ok(()) => Ok(()),
            Err(Refused::Stale) => Err(Outcome::refused(401, self.verifier.challenge(now, source, true))),
            Err(Refused::Wrong) => {
                metrics::counter!("cityline_sip_wrong_passwords_total").increment(1);
                self.guesses.wrong(source, user, now);
                Err(Outcome::refused(401, self.verifier.challenge(now, source, false)))
            }
        }
    }

    fn bind(&mut self, now: Time, user: &str, contact: &Asked<'_>, request: &Request<'_>) {
        let Some(phone) = self.phones.get_mut(user) else { return };
        let same = |binding: &Binding| binding.uri == contact.uri || (!contact.instance.is_empty() && binding.instance == contact.instance);
        let old = phone.bindings.iter().position(same).map(|at| phone.bindings.remove(at));
        let id = old.map_or(ContactId(self.next + 1), |old| old.id);
        if contact.expires_s == 0 {
            return self.forget(id);
        }
        self.next = self.next.max(id.0);
        let oldest = (phone.bindings.len() >= MOST_CONTACTS).then(|| phone.bindings.remove(0).id);
        let expires = now.plus_ms(u64::from(contact.expires_s) * 1000);
        let binding = Binding {
            id,
            uri: contact.uri.to_owned(),
            instance: contact.instance.to_owned(),
            peer: contact.peer,
            natted: contact.natted,
            call_id: request.call_id.to_owned(),
            cseq: request.cseq,
            expires,
        };
        if let Some(kept) = &self.kept {
            kept.put(id, &Borrowed { user, binding: &binding });
        }
        phone.bindings.push(binding);
        oldest.into_iter().for_each(|id| self.forget(id));
        self.owners.insert(id, user.to_owned());
        self.expiries.push(Reverse((expires, id)));
    }

    fn remember(&mut self, now: Time, source: IpAddr, until_then: Time) {
        if self.homes.len() >= MOST_HOMES {
            self.homes.retain(|_, until| *until > now);
        }
        if self.homes.len() < MOST_HOMES || self.homes.contains_key(&source) {
            let until = self.homes.entry(source).or_insert(now);
            *until = until_then.max(*until);
        }
    }

    fn drop_all(&mut self, user: &str) {
        let Some(phone) = self.phones.get_mut(user) else { return };
        for binding in std::mem::take(&mut phone.bindings) {
            self.forget(binding.id);
        }
    }

    fn outcome(&self, now: Time, user: &str, before: &[ContactId]) -> Outcome {
        let Some(phone) = self.phones.get(user) else { return Outcome::refused(404, String::new()) };
        let mut headers = String::new();
        for binding in &phone.bindings {
            let _ = write!(headers, "Contact: <{}>;expires={}\r\n", binding.uri, binding.expires.ms_since(now) / 1000);
        }
        let after = phone.ids();
        let changed = (after != before).then(|| (phone.agent.clone(), after));
        Outcome { status: 200, headers, keep: true, changed }
    }

    /// The next moment at which a contact may expire.
    pub fn next_expiry(&self) -> Option<Time> {
        self.expiries.peek().map(|Reverse((at, _))| *at)
    }

    /// Contacts that were not refreshed are gone.
    pub fn expire(&mut self, now: Time) -> Vec<Changed> {
        let mut changed = Vec::new();
        while let Some(Reverse((_, id))) = self.expiries.peek().copied().filter(|Reverse((at, _))| *at <= now) {
            self.expiries.pop();
            changed.extend(self.remove_if(id, |binding| binding.expires <= now));
        }
        changed
    }

    /// The connection is closed. A phone that is only reached over it is gone; one with an address of its own stays.
    pub fn closed(&mut self, conn: ConnId) -> Vec<Changed> {
        let on_it = |binding: &Binding| binding.peer.conn() == Some(conn);
        let ids: Vec<ContactId> =
            self.phones.values().flat_map(|phone| &phone.bindings).filter(|binding| on_it(binding)).map(|binding| binding.id).collect();
        ids.into_iter().filter_map(|id| self.remove_if(id, |binding| binding.natted)).collect()
    }

    fn remove_if(&mut self, id: ContactId, gone: impl Fn(&Binding) -> bool) -> Option<Changed> {
        let phone = self.phones.get_mut(self.owners.get(&id)?)?;
        let at = phone.bindings.iter().position(|binding| binding.id == id && gone(binding))?;
        phone.bindings.remove(at);
        let changed = (phone.agent.clone(), phone.ids());
        self.forget(id);
        Some(changed)
    }
}

impl Phone {
    fn ids(&self) -> Vec<ContactId> {
        let mut ids: Vec<ContactId> = self.bindings.iter().map(|binding| binding.id).collect();
        ids.sort_unstable();
        ids
    }
}

fn is_star(request: &Request<'_>) -> bool {
    request.message.first(Name::Contact) == Some("*")
}

/// The contacts of a request with the seconds that they ask for; `None` for a request that contradicts itself.
fn asked<'a>(request: &Request<'a>, longest_s: u32) -> Option<Vec<Asked<'a>>> {
    let message = &request.message;
    let seconds = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().unwrap_or(u32::MAX).min(longest_s));
    let of_all = message.first(Name::Expires).and_then(seconds);
    if is_star(request) {
        let alone = message.all(Name::Contact).count() == 1 && of_all == Some(0);
        return alone.then(Vec::new);
    }
    let contacts = message.all(Name::Contact).flat_map(|header| split_outside(header, b','));
    contacts
        .map(|value| {
            let contact = NameAddr::read(value).filter(|contact| matches!(contact.uri.scheme, Scheme::Sip | Scheme::Sips))?;
            let expires_s = param(contact.params, "expires").and_then(seconds).or(of_all).unwrap_or(longest_s);
            let instance = param(contact.params, "+sip.instance").unwrap_or_default();
            let (peer, natted) = way_to(&contact, request.from_peer);
            Some(Asked { uri: contact.uri.text, instance, peer, natted, expires_s })
        })
        .collect()
}

/// A contact that names the address it came from is reached as it says; any other one lies behind NAT and is reached where it came from.
/// The port of its own connection is nothing that could be called once that is closed: as behind NAT, it lives and dies with it.
/// So does whatever came over TLS, because no phone has a certificate that we could call it by.
fn way_to(contact: &NameAddr<'_>, from: Peer) -> (Peer, bool) {
    match contact.uri.socket() {
        Some(addr) if addr.ip() == from.addr.ip() && !matches!(from.carrier, Carrier::Tls(_)) => {
            let carrier = match from.carrier {
                Carrier::Udp => contact.uri.carrier(),
                same => same,
            };
            (Peer { addr, carrier }, is_behind(&contact.uri, from))
        }
        _ => (from, true),
    }
}

/// Whether only the way that a contact came by leads to it.
pub fn is_behind(contact: &Uri<'_>, from: Peer) -> bool {
    match contact.socket() {
        Some(addr) if addr.ip() == from.addr.ip() && !matches!(from.carrier, Carrier::Tls(_)) => {
            from.is_reliable() && addr.port() == from.addr.port()
        }
        Some(_) | None => true,
    }
}
