//! Where is a host that is called by its name? What has been looked up, for as long as it holds, and what must be asked.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use crate::centre::time::Time;
use crate::config::Host;

use super::peer::Carrier;
use super::uri::default_port;

/// Places that are remembered; when there are more, those that nobody may use any more go, and if none is, all but those that
/// are being asked for; a further one is then nowhere.
const MOST: usize = 512;
/// The shortest and the longest time that an answer holds, in milliseconds, whatever its sender says.
const HOLDS_MS: (u64, u64) = (10_000, 3_600_000);
/// A place that was not found is asked for again after this, in milliseconds.
const MISSED_MS: u64 = 10_000;

/// A host and the way to it: what a lookup is about (RFC 3263 §4).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Place {
    /// Its name, or a literal address.
    pub host: String,
    /// Its port; without one SRV says which.
    pub port: Option<u16>,
    /// The way, naming no connection.
    pub carrier: Carrier,
}

/// What a lookup has brought: addresses in the order in which they are to be tried, and for how many seconds they hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    /// The addresses; never empty.
    pub addresses: Vec<SocketAddr>,
    /// Seconds.
    pub holds_s: u32,
}

/// What is known of a place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// It is there.
    At(Vec<SocketAddr>),
    /// It is being asked for.
    Asked,
    /// It was asked for and is nowhere.
    Nowhere,
}

/// All places.
#[derive(Default)]
pub struct Names {
    known: HashMap<Place, Known>,
    questions: Vec<Place>,
}

struct Known {
    addresses: Vec<SocketAddr>,
    until: Time,
    asked: bool,
}

impl Place {
    /// The place of a host in the settings.
    pub fn of(host: &Host, carrier: Carrier) -> Place {
        Place { host: host.name.clone(), port: host.port, carrier }
    }

    /// Its address, where the host is one.
    pub fn literal(&self) -> Option<SocketAddr> {
        let ip: IpAddr = self.host.parse().ok()?;
        Some(SocketAddr::new(ip, self.port.unwrap_or(default_port(self.carrier))))
    }

    /// As it stands in a URI.
    pub fn written(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        self.port.map_or(host.clone(), |port| format!("{host}:{port}"))
    }
}

impl Names {
    /// Where a place is. Addresses that hold no longer are used until newer ones are there: a name server that is away ends no calls.
    pub fn find(&mut self, now: Time, place: &Place) -> Found {
        if let Some(address) = place.literal() {
            return Found::At(vec![address]);
        }
        if !self.known.contains_key(place) && !self.make_room(now) {
            return Found::Nowhere;
        }
        let known = self.known.entry(place.clone()).or_insert(Known { addresses: Vec::new(), until: Time(0), asked: false });
        if known.until <= now && !known.asked {
            known.asked = true;
            self.questions.push(place.clone());
        }
        match &known.addresses {
            addresses if !addresses.is_empty() => Found::At(addresses.clone()),
            _ if known.asked => Found::Asked,
            _ => Found::Nowhere,
        }
    }

    /// What a lookup has brought; `None` for nothing.
    pub fn learn(&mut self, now: Time, place: &Place, answer: Option<Answer>) {
        let Some(known) = self.known.get_mut(place) else { return };
        known.asked = false;
        match answer {
            Some(Answer { addresses, holds_s }) => {
                known.until = now.plus_ms((u64::from(holds_s) * 1000).clamp(HOLDS_MS.0, HOLDS_MS.1));
                known.addresses = addresses;
            }
            None => known.until = now.plus_ms(MISSED_MS),
        }
    }

    /// What must be asked.
    pub fn take_questions(&mut self) -> Vec<Place> {
        std::mem::take(&mut self.questions)
    }

    fn make_room(&mut self, now: Time) -> bool {
        if self.known.len() >= MOST {
            self.known.retain(|_, known| known.asked || known.until > now);
        }
        if self.known.len() >= MOST {
            self.known.retain(|_, known| known.asked);
        }
        self.known.len() < MOST
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn place(host: &str) -> Place {
        Place { host: host.into(), port: None, carrier: Carrier::Udp }
    }

    #[test]
    fn an_answer_holds_and_is_used_while_a_newer_one_is_awaited() {
        let (mut names, carrier) = (Names::default(), place("sip.carrier.example"));
        let address: SocketAddr = "203.0.113.7:5060".parse().unwrap();
        assert_eq!([names.find(Time(0), &carrier), names.find(Time(1), &carrier)], [Found::Asked, Found::Asked]);
        assert_eq!(names.take_questions(), std::slice::from_ref(&carrier), "asked once");
        names.learn(Time(5), &carrier, Some(Answer { addresses: vec![address], holds_s: 60 }));
        assert_eq!(names.find(Time(60_000), &carrier), Found::At(vec![address]));
        assert!(names.take_questions().is_empty());
        assert_eq!(names.find(Time(60_006), &carrier), Found::At(vec![address]));
        assert_eq!(names.take_questions(), std::slice::from_ref(&carrier));
        names.learn(Time(60_007), &carrier, None);
        assert_eq!(names.find(Time(60_008), &carrier), Found::At(vec![address]));
    }

    #[test]
    fn what_is_nowhere_is_asked_for_again_after_a_while() {
        let (mut names, carrier) = (Names::default(), place("nowhere.example"));
        names.find(Time(0), &carrier);
        names.learn(Time(1), &carrier, None);
        assert_eq!(names.find(Time(2), &carrier), Found::Nowhere);
        assert_eq!(names.find(Time(2 + MISSED_MS), &carrier), Found::Asked);
    }

    #[test]
    fn literal_addresses_are_never_asked_for() {
        let mut names = Names::default();
        assert_eq!(names.find(Time(0), &place("2001:db8::7")), Found::At(vec!["[2001:db8::7]:5060".parse().unwrap()]));
        assert!(names.take_questions().is_empty() && names.known.is_empty());
        assert_eq!(place("2001:db8::7").written(), "[2001:db8::7]");
    }

    #[test]
    fn memory_is_bounded() {
        let mut names = Names::default();
        for n in 0..2 * MOST {
            let one = place(&format!("host{n}.example"));
            names.find(Time(0), &one);
            names.learn(Time(0), &one, None);
        }
        assert!(names.known.len() <= MOST);
    }
}
