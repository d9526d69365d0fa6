//! From whom do calls come in, and to whom do they go out? The trunks of the settings, and what is known of their addresses.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::sync::Arc;

use crate::centre::ids::{NumberId, TrunkId};
use crate::centre::time::Time;
use crate::config::{self, Host, Login, NumberRule, Transport, network_has, parse_network};

use super::clients::ClientId;
use super::health::Health;
use super::names::{Found, Names, Place};
use super::peer::{Carrier, Peer};
use super::registration::Registration;

/// Addresses that a trunk may have; what a name has beyond is not called.
const MOST_HOPS: usize = 16;
/// Addresses that a call is tried at.
const MOST_TRIES: usize = 4;
/// Names of trunks are looked at this often, in milliseconds; they are asked for only when the last answer holds no longer.
const LOOK_MS: u64 = 5_000;

/// What the settings say of a trunk.
pub struct Rules {
    /// Its name.
    pub id: TrunkId,
    from: Vec<(IpAddr, u8)>,
    places: Vec<Place>,
    check_ms: u64,
    /// With what we answer its challenges.
    pub login: Option<Login>,
    /// For how many seconds we register there; `None` for not at all.
    pub register_s: Option<u32>,
    /// The domain of our address there, where it is not the host that is called.
    pub domain: Option<String>,
    /// The number that its calls are for, whatever they name.
    pub number: Option<NumberId>,
    /// What far ends are shown of us.
    pub shown: Option<String>,
    /// Whether what it asserts of callers is believed.
    pub trusted: bool,
    /// Whether it is offered protected sound only.
    pub secure: bool,
    /// Whether operators at its far ends may give calls away by REFER.
    pub refers: bool,
    /// How callers' numbers are rewritten.
    pub caller: Vec<NumberRule>,
    /// How numbers that we dial are rewritten.
    pub dial: Vec<NumberRule>,
}

impl Rules {
    /// The rules of checked settings; a network or host that cannot be read is none.
    pub fn new(name: &str, trunk: &config::Trunk) -> Rules {
        let carrier = match trunk.transport {
            Transport::Udp => Carrier::Udp,
            Transport::Tcp => Carrier::Tcp(None),
            Transport::Tls => Carrier::Tls(None),
        };
        Rules {
            id: TrunkId::from(name),
            from: trunk.from.iter().filter_map(|network| parse_network(network)).collect(),
            places: trunk.to.iter().filter_map(|host| Host::read(host)).map(|host| Place::of(&host, carrier)).collect(),
            check_ms: u64::from(trunk.check_s.unwrap_or(config::Trunk::CHECK_S)) * 1000,
            login: trunk.login.clone(),
            register_s: trunk.register.then(|| trunk.register_s.unwrap_or(config::Trunk::REGISTER_S)),
            domain: trunk.domain.clone(),
            number: trunk.number.as_deref().map(NumberId::from),
            shown: trunk.shown.clone(),
            trusted: !trunk.untrusted,
            secure: trunk.secure,
            refers: trunk.refers,
            caller: trunk.numbers.caller.clone(),
            dial: trunk.numbers.dial.clone(),
        }
    }

    /// The number of ours that far ends are shown, in place of the one that the core names.
    pub fn our_number(&self) -> Option<&str> {
        self.shown.as_deref().or(self.login.as_ref().map(|login| login.user.as_str()))
    }

    /// The domain of our address there.
    pub fn our_domain(&self) -> Option<String> {
        self.domain.clone().or_else(|| self.places.first().map(|place| Place { port: None, ..place.clone() }.written()))
    }

    fn registers_as(&self, other: &Rules) -> bool {
        let of = |rules: &Rules| rules.login.as_ref().map(|login| (login.user.clone(), login.name.clone(), login.password.clone()));
        of(self) == of(other) && self.register_s == other.register_s && self.domain == other.domain && self.places == other.places
    }
}

/// One address of a trunk.
#[derive(Clone)]
pub struct Hop {
    /// The way to it.
    pub peer: Peer,
    /// Its host as URIs name it.
    pub host: Arc<str>,
    /// Whether it answers.
    pub health: Health,
}

/// One trunk.
pub struct Trunk {
    /// What the settings say.
    pub rules: Arc<Rules>,
    /// Its addresses, in the order in which they are called.
    pub hops: Vec<Hop>,
    /// Our registration there.
    pub registration: Option<Registration>,
}

/// The way of one call to the outside.
#[derive(Clone)]
pub struct Way {
    /// The trunk's rules.
    pub rules: Arc<Rules>,
    /// Where to.
    pub peer: Peer,
    /// The host as the Request-URI names it.
    pub host: Arc<str>,
}

/// All trunks, in the order of their names.
#[derive(Default)]
pub struct Trunks {
    /// Each.
    pub all: Vec<Trunk>,
    /// When something of theirs is due.
    pub wake: Option<Time>,
}

impl Trunks {
    /// Takes these settings. What is known of an address, and a registration whose terms stay, is kept.
    pub fn reload(&mut self, now: Time, settings: &BTreeMap<String, config::Trunk>) {
        let mut before = std::mem::take(&mut self.all);
        for (name, trunk) in settings {
            let rules = Arc::new(Rules::new(name, trunk));
            let old = before.iter().position(|trunk| trunk.rules.id == rules.id).map(|at| before.swap_remove(at));
            let same_login = old.as_ref().is_some_and(|old| old.rules.registers_as(&rules));
            let same_checks = old.as_ref().is_some_and(|old| old.rules.check_ms == rules.check_ms);
            let (hops, registration) = old.map(|old| (old.hops, old.registration)).unwrap_or_default();
            let registration = registration.filter(|_| same_login).or_else(|| Registration::new(now, &rules));
            self.all.push(Trunk { hops: if same_checks { hops } else { Vec::new() }, rules, registration });
        }
        self.wake = Some(now);
    }

    /// Learns where each trunk's hosts are.
    pub fn settle(&mut self, now: Time, names: &mut Names) {
        for trunk in &mut self.all {
            trunk.settle(now, names);
        }
    }

    /// The trunk that an address belongs to: it is in its networks, or is called itself.
    pub fn of(&self, address: IpAddr) -> Option<&Arc<Rules>> {
        let address = address.to_canonical();
        let holds = |trunk: &&Trunk| {
            let rules = &trunk.rules;
            rules.from.iter().any(|network| network_has(*network, address)) || trunk.hops.iter().any(|hop| hop.peer.addr.ip() == address)
        };
        self.all.iter().find(holds).map(|trunk| &trunk.rules)
    }

    /// The ways of a call to the outside, those that are up first.
    pub fn ways(&self) -> VecDeque<Way> {
        let ways = |up: bool| {
            let hops = self.all.iter().flat_map(|trunk| trunk.hops.iter().map(move |hop| (trunk, hop)));
            hops.filter(move |(_, hop)| hop.health.is_up() == up).map(|(trunk, hop)| Way {
                rules: trunk.rules.clone(),
                peer: hop.peer,
                host: hop.host.clone(),
            })
        };
        ways(true).chain(ways(false)).take(MOST_TRIES).collect()
    }

    /// Whether calls to the outside are offered protected sound only: one trunk that asks for it speaks for all that take them.
    pub fn are_secure(&self) -> bool {
        self.all.iter().any(|trunk| trunk.rules.secure && !trunk.rules.places.is_empty())
    }

    /// The address that this request asks.
    pub fn asked_by(&mut self, client: ClientId) -> Option<(&Arc<Rules>, &mut Hop)> {
        self.all.iter_mut().find_map(|trunk| {
            let hop = trunk.hops.iter_mut().find(|hop| hop.health.is_asked_by(client))?;
            Some((&trunk.rules, hop))
        })
    }

    /// The trunk that this request registers at, by its place.
    pub fn registered_by(&self, client: ClientId) -> Option<usize> {
        self.all.iter().position(|trunk| trunk.registration.as_ref().is_some_and(|registration| registration.is_asked_by(client)))
    }

    /// When to look at them again, nothing else being due: names must be asked for in time.
    pub fn look_again(&self, now: Time) -> Option<Time> {
        let named = self.all.iter().flat_map(|trunk| &trunk.rules.places).any(|place| place.literal().is_none());
        named.then(|| now.plus_ms(LOOK_MS))
    }
}

impl Trunk {
    fn settle(&mut self, now: Time, names: &mut Names) {
        let mut hops: Vec<Hop> = Vec::with_capacity(self.hops.len());
        for place in &self.rules.places {
            let Found::At(addresses) = names.find(now, place) else { continue };
            for addr in addresses {
                let peer = Peer { addr, carrier: place.carrier };
                if hops.len() < MOST_HOPS && hops.iter().all(|hop| hop.peer != peer) {
                    let known = self.hops.iter().find(|hop| hop.peer == peer).cloned();
                    let new = || Hop { peer, host: place.written().into(), health: Health::new(now, self.rules.check_ms) };
                    hops.push(known.unwrap_or_else(new));
                }
            }
        }
        self.hops = hops;
    }
}
