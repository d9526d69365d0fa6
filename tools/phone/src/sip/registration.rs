//! How does a phone stay known to its registrar (RFC 3261 §10)?

use std::time::{Duration, Instant};

use super::agent::{Agent, Notice, Order, Timer};
use super::digest::Credentials;
use super::message::{self, Message};
use super::transaction::Purpose;
use super::transport::Peer;

/// A registration's name on this phone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RegistrationKey(pub u64);

/// Who registers where.
#[derive(Clone, Debug)]
pub struct Account {
    pub credentials: Credentials,
    /// Host part of the address of record, e.g. `127.0.0.1`.
    pub domain: String,
    pub registrar: Peer,
    /// Asked for; the registrar may grant less. Renewed after half of what was granted.
    pub expires: Duration,
}

#[derive(Debug)]
pub(super) struct Registration {
    pub account: Account,
    pub call_id: String,
    pub tag: String,
    pub cseq: u32,
    /// Is the last request one that ends the registration?
    pub leaving: bool,
}

/// After a failure the next try comes so much later.
const RETRY: Duration = Duration::from_secs(30);

impl Agent {
    /// Registers and keeps the registration until [`Agent::unregister`].
    pub fn register(&mut self, account: Account, now: Instant) -> RegistrationKey {
        let key = RegistrationKey(self.next_key().0);
        let (call_id, tag) = (self.word(), self.word());
        self.registrations.insert(key, Registration { account, call_id, tag, cseq: 0, leaving: false });
        self.refresh(key, now);
        key
    }

    /// Ends a registration.
    pub fn unregister(&mut self, key: RegistrationKey, now: Instant) {
        if let Some(registration) = self.registrations.get_mut(&key) {
            registration.leaving = true;
        }
        self.refresh(key, now);
    }

    pub(super) fn refresh(&mut self, key: RegistrationKey, now: Instant) {
        let Some(registration) = self.registrations.get_mut(&key) else { return };
        registration.cseq += 1;
        let Registration { account, call_id, tag, cseq, leaving } = &*registration;
        let (user, domain, to) = (&account.credentials.user, &account.domain, account.registrar);
        let mut request = Message::request("REGISTER", &format!("sip:{domain}:{}", to.address().port()));
        request.push("From", format!("<sip:{user}@{domain}>;tag={tag}"));
        request.push("To", format!("<sip:{user}@{domain}>"));
        request.push("Call-ID", call_id.clone());
        request.push("CSeq", format!("{cseq} REGISTER"));
        let expires = if *leaving { 0 } else { account.expires.as_secs() };
        request.push("Expires", expires.to_string());
        let user = user.clone();
        request.push("Contact", self.contact(&user, to));
        self.begin(request, Purpose::Register(key), to, false, now);
    }

    pub(super) fn registered(&mut self, key: RegistrationKey, response: &Message, now: Instant) {
        let Some(registration) = self.registrations.get(&key) else { return };
        if registration.leaving {
            self.registrations.remove(&key);
            return self.orders.push_back(Order::Notice(Notice::Unregistered { key }));
        }
        let ours = format!("@{}", self.local);
        let contacts = response.all("Contact").flat_map(|value| value.split(','));
        let granted = contacts.filter(|contact| contact.contains(&ours)).find_map(|contact| message::parameter(contact, "expires"));
        let granted = granted.or_else(|| response.header("Expires")).and_then(|seconds| seconds.parse().ok());
        let expires = granted.map_or(registration.account.expires, Duration::from_secs);
        self.agenda.put(now + (expires / 2).max(Duration::from_secs(1)), Timer::Refresh(key));
        self.orders.push_back(Order::Notice(Notice::Registered { key, expires }));
    }

    pub(super) fn registration_failed(&mut self, key: RegistrationKey, code: u16, now: Instant) {
        let Some(registration) = self.registrations.get(&key) else { return };
        if registration.leaving {
            self.registrations.remove(&key);
        } else {
            self.agenda.put(now + RETRY, Timer::Refresh(key));
        }
        self.orders.push_back(Order::Notice(Notice::RegistrationFailed { key, code }));
    }
}
