//! Are we known where a trunk wants us to register? Our REGISTER as client: challenge, refresh, pauses after failures (RFC 3261 §10.2).

use crate::centre::time::Time;
use crate::config::Login;

use super::challenge::Challenge;
use super::clients::ClientId;
use super::dialog::Dialog;
use super::guard::Response;
use super::message::Name;
use super::peer::{Carrier, Peer};
use super::trunk::Rules;
use super::uri::{NameAddr, param, split_outside};

/// The first pause after a failure, in milliseconds; it doubles with each up to the last.
const FIRST_PAUSE_MS: u64 = 30_000;
const LAST_PAUSE_MS: u64 = 600_000;
/// The pause while an address is still looked up, in milliseconds.
const MOMENT_MS: u64 = 1_000;
/// How long an answer may take, in milliseconds: 64·T1.
const PATIENCE_MS: u64 = 32_000;
/// Requests of one attempt at most: a challenge, one that was stale, and too short a time.
const MOST_REQUESTS: u8 = 4;
/// The longest registration that is asked for, in seconds, whatever a registrar's Min-Expires says.
const LONGEST_S: u32 = 86_400;
/// The shortest time that is believed to have been granted, in seconds.
const SHORTEST_S: u32 = 20;

/// Our registration at one trunk.
pub struct Registration {
    /// Who we are there; its Call-ID and CSeq go through all refreshes (RFC 3261 §10.2.4).
    pub dialog: Dialog,
    expires_s: u32,
    challenge: Option<Challenge>,
    /// Which of the trunk's addresses is asked.
    hop: usize,
    failures: u32,
    phase: Phase,
    /// Until when we are known there.
    until: Option<Time>,
}

enum Phase {
    Due(Time),
    Asked { client: ClientId, until: Time, requests: u8, challenges: u8 },
}

/// What is to be done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// Nothing, until then.
    Wait(Time),
    /// REGISTER, beginning an attempt.
    Ask,
    /// Nothing more is expected of this request; [`Registration::failed`] follows.
    GiveUp(ClientId),
}

/// What follows an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Next {
    /// REGISTER at once again, with what was learnt.
    Again,
    /// Known there.
    Registered,
    /// Not now; again after a pause.
    Failed,
}

impl Registration {
    /// The registration that a trunk's settings ask for; `None` for those that ask for none.
    pub fn new(now: Time, rules: &Rules) -> Option<Registration> {
        let (login, expires_s) = (rules.login.as_ref()?, rules.register_s?);
        let domain = rules.our_domain()?;
        let us = format!("<sip:{}@{domain}>", login.user);
        // The tag and the Call-ID are drawn with the first request.
        let peer = Peer { addr: ([0, 0, 0, 0], 0).into(), carrier: Carrier::Udp };
        let dialog = Dialog::outgoing(String::new(), us.clone(), String::new(), us, format!("sip:{domain}"), peer);
        Some(Registration { dialog, expires_s, challenge: None, hop: 0, failures: 0, phase: Phase::Due(now), until: None })
    }

    /// Whether the registrar counts us in.
    pub fn is_registered(&self, now: Time) -> bool {
        self.until.is_some_and(|until| until > now)
    }

    /// What is due.
    pub fn step(&self, now: Time) -> Step {
        match self.phase {
            Phase::Due(at) if at <= now => Step::Ask,
            Phase::Asked { client, until, .. } if until <= now => Step::GiveUp(client),
            Phase::Due(at) | Phase::Asked { until: at, .. } => Step::Wait(at),
        }
    }

    /// Whether it is asked for by this request.
    pub fn is_asked_by(&self, of: ClientId) -> bool {
        matches!(self.phase, Phase::Asked { client, .. } if client == of)
    }

    /// Which of so many addresses is asked.
    pub fn hop(&self, of: usize) -> usize {
        if of == 0 { 0 } else { self.hop % of }
    }

    /// There is no address yet: again in a moment.
    pub fn put_off(&mut self, now: Time) {
        self.phase = Phase::Due(now.plus_ms(MOMENT_MS));
    }

    /// Draws Call-ID and tag from two numbers that nobody can guess.
    pub fn name(&mut self, call_id: u64, tag: u64) {
        self.dialog.call_id = format!("{call_id:016x}");
        self.dialog.local_tag = format!("{tag:016x}");
        self.dialog.local = format!("{};tag={tag:016x}", self.dialog.local);
    }

    /// A request is out.
    pub fn asked(&mut self, now: Time, client: ClientId) {
        let (requests, challenges) = match self.phase {
            Phase::Asked { requests, challenges, .. } => (requests + 1, challenges),
            Phase::Due(_) => (1, 0),
        };
        self.phase = Phase::Asked { client, until: now.plus_ms(PATIENCE_MS), requests, challenges };
    }

    /// The header lines of the next request, besides Contact.
    pub fn headers(&mut self, login: &Login, cnonce: u64) -> String {
        let target = self.dialog.target.clone();
        let proof = self.challenge.as_mut().map_or(String::new(), |challenge| challenge.answer(login, "REGISTER", &target, cnonce));
        format!("Expires: {}\r\n{proof}", self.expires_s)
    }

    /// A final answer; `contact` is the address that we asked to be bound.
    pub fn answered(&mut self, now: Time, response: &Response<'_>, contact: &str) -> Next {
        let Phase::Asked { requests, challenges, client, until } = self.phase else { return Next::Failed };
        let may_go_on = requests < MOST_REQUESTS;
        match response.status {
            200..300 => self.granted(now, granted_s(response, contact).unwrap_or(self.expires_s)),
            401 | 407 if may_go_on => {
                let challenge = Challenge::read(&response.message).filter(|fresh| challenges == 0 || (challenges == 1 && fresh.stale));
                self.phase = Phase::Asked { client, until, requests, challenges: challenges + 1 };
                self.challenge = challenge;
                if self.challenge.is_some() { Next::Again } else { self.failed(now) }
            }
            423 if may_go_on => match shortest(response).filter(|shortest| *shortest > self.expires_s) {
                Some(shortest) => {
                    self.expires_s = shortest;
                    Next::Again
                }
                None => self.failed(now),
            },
            _ => self.failed(now),
        }
    }

    /// Refreshed at 80 % of what was granted.
    fn granted(&mut self, now: Time, seconds: u32) -> Next {
        let granted_ms = u64::from(seconds.clamp(SHORTEST_S, LONGEST_S)) * 1000;
        self.until = Some(now.plus_ms(granted_ms));
        self.failures = 0;
        self.phase = Phase::Due(now.plus_ms(granted_ms / 10 * 8));
        Next::Registered
    }

    /// No answer, or a refusal: the next address after a pause.
    pub fn failed(&mut self, now: Time) -> Next {
        let pause = FIRST_PAUSE_MS.saturating_mul(1 << self.failures.min(10)).min(LAST_PAUSE_MS);
        self.failures += 1;
        self.hop = self.hop.wrapping_add(1);
        self.challenge = None;
        self.phase = Phase::Due(now.plus_ms(pause));
        Next::Failed
    }
}

/// For how long our contact is bound (RFC 3261 §10.2.4); `None` where the registrar does not say.
fn granted_s(response: &Response<'_>, contact: &str) -> Option<u32> {
    let message = &response.message;
    let mut bound = message.all(Name::Contact).flat_map(|line| split_outside(line, b',')).filter_map(NameAddr::read);
    let ours = bound.find(|bound| bound.uri.text == contact);
    let said = ours.and_then(|ours| param(ours.params, "expires")).or_else(|| message.first(Name::Expires))?;
    said.trim().parse().ok()
}

fn shortest(response: &Response<'_>) -> Option<u32> {
    let seconds: u32 = response.message.first(Name::MinExpires)?.trim().parse().ok()?;
    (seconds <= LONGEST_S).then_some(seconds)
}
