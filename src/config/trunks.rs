//! What did the administrator decide about a line into the city's exchange? Addresses, way, login and numbers of a trunk.

use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Deserializer};

use crate::private::Private;

/// A line into the city's exchange.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Trunk {
    /// Addresses or networks ("203.0.113.0/24") from which its calls come, beside those of `to`.
    pub from: Vec<String>,
    /// Where calls to the outside are sent, in order of preference: "203.0.113.7:5060", "sip.carrier.example", one or a list.
    /// A name without a port is looked up by SRV first (RFC 3263).
    #[serde(deserialize_with = "one_or_more")]
    pub to: Vec<String>,
    /// Over what they are sent.
    pub transport: Transport,
    /// Seconds between two OPTIONS that ask an address of `to` whether it lives; 0 for none. [`Trunk::CHECK_S`] where it is not given.
    pub check_s: Option<u32>,
    /// With what we prove who we are.
    pub login: Option<Login>,
    /// Whether we register at `to`, so that its calls come to us.
    pub register: bool,
    /// The registration that is asked for, in seconds; [`Trunk::REGISTER_S`] where it is not given.
    pub register_s: Option<u32>,
    /// The domain of our address there, where it is not the host of `to`.
    pub domain: Option<String>,
    /// The short number that its calls are for, where its INVITEs name another one.
    pub number: Option<String>,
    /// The number of ours that its far ends are shown, where it is not the short number or the login's user.
    pub shown: Option<String>,
    /// Whether what it asserts of callers is not believed (P-Asserted-Identity, RFC 3325): then From counts.
    pub untrusted: bool,
    /// Whether what we offer it is protected sound only (RTP/SAVP, RFC 4568).
    pub secure: bool,
    /// Whether operators whose phones are reached by it may give calls away by REFER (RFC 3515); nobody else of it ever may.
    pub refers: bool,
    /// How numbers are written on it.
    pub numbers: NumberRules,
}

impl Trunk {
    /// Seconds between two checks of an address.
    pub const CHECK_S: u32 = 30;
    /// Seconds that a registration of ours is asked to last.
    pub const REGISTER_S: u32 = 3600;
}

/// Over what a trunk is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// UDP.
    #[default]
    Udp,
    /// TCP.
    Tcp,
    /// TLS; `sip.trusted` says whose certificates are believed.
    Tls,
}

/// With what we answer challenges.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user part of our address.
    pub user: String,
    /// The name in the digest, where it is another one.
    pub name: Option<String>,
    /// The digest password.
    pub password: Private<String>,
}

/// Rules for the numbers of a trunk. Of each list the first that fits a number rewrites it; one that none fits stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumberRules {
    /// For callers' numbers, before anything else is done with them.
    pub caller: Vec<NumberRule>,
    /// For numbers that we dial.
    pub dial: Vec<NumberRule>,
}

/// `{ begins = "8", digits = 11, strip = 1, add = "+7" }`: 8 727 250 00 00 becomes +7 727 250 00 00.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct NumberRule {
    /// What the number begins with.
    pub begins: String,
    /// How many digits it has; any number of them where it is not given.
    pub digits: Option<usize>,
    /// So many characters are taken off its front.
    pub strip: usize,
    /// This is put there.
    pub add: String,
}

/// A host that is called.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Host {
    /// Its name or literal address, an IPv6 address without brackets.
    pub name: String,
    /// Its port, where one is given.
    pub port: Option<u16>,
}

impl Host {
    /// Reads `name`, `name:port`, `203.0.113.7:5060` or `[2001:db8::7]:5060`; `None` for anything else.
    pub fn read(text: &str) -> Option<Host> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Some(Host { name: address.ip().to_string(), port: Some(address.port()) });
        }
        if let Ok(ip) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            return Some(Host { name: ip.to_string(), port: None });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => (name, Some(port.parse().ok().filter(|port| *port > 0)?)),
            None => (text, None),
        };
        is_host_name(name).then(|| Host { name: name.to_owned(), port })
    }
}

/// Whether it can be the name of a host; one of digits and dots alone is an address that was written wrong.
pub fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty() && label.len() < 64 && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    name.len() < 254 && name.split('.').all(label) && name.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn one_or_more<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        One(String),
        More(Vec<String>),
    }
    Ok(match Written::deserialize(deserializer)? {
        Written::One(one) => vec![one],
        Written::More(more) => more,
    })
}

/// What is wrong with a trunk, one line a problem.
pub(super) fn problems(name: &str, trunk: &Trunk, trusts: bool) -> Vec<String> {
    let mut found = Vec::new();
    let mut wrong = |key: &str, what: String| found.push(format!("trunks.{name}.{key}: {what}"));
    if trunk.from.is_empty() && trunk.to.is_empty() {
        wrong("from", "no address; name the carrier's addresses or networks".into());
    }
    for network in trunk.from.iter().filter(|network| super::parse_network(network).is_none()) {
        wrong("from", format!("{network:?} is no address or network; write 203.0.113.7 or 203.0.113.0/24"));
    }
    for host in trunk.to.iter().filter(|host| Host::read(host).is_none()) {
        wrong("to", format!("{host:?} is no host; write 203.0.113.7:5060 or sip.carrier.example"));
    }
    if trunk.transport == Transport::Tls && !trusts {
        wrong("transport", "nobody's certificate would be believed; set sip.trusted to a PEM file, such as the system's own".into());
    }
    if trunk.register && (trunk.login.is_none() || trunk.to.is_empty()) {
        wrong("register", "there is nothing to register with; give `to` and `login = { user = …, password = … }`".into());
    }
    if trunk.register_s.is_some_and(|seconds| !(60..=86_400).contains(&seconds)) {
        wrong("register_s", "give 60 to 86400 seconds".into());
    }
    if let Some(login) = &trunk.login
        && [Some(&login.user), login.name.as_ref()].into_iter().flatten().any(|user| !is_word(user))
    {
        wrong("login", "a user or name is empty or has spaces, quotes or \"@\"; write them as the carrier gave them".into());
    }
    for (key, text) in [("number", &trunk.number), ("shown", &trunk.shown)] {
        if text.as_ref().is_some_and(|text| !is_number(text)) {
            wrong(key, "write a number: digits, with a + in front where it is international".into());
        }
    }
    if trunk.domain.as_ref().is_some_and(|domain| Host::read(domain).is_none()) {
        wrong("domain", "write the name of a host".into());
    }
    for rule in trunk.numbers.caller.iter().chain(&trunk.numbers.dial).filter(|rule| !is_sound(rule)) {
        wrong(
            "numbers",
            format!("the rule that begins with {:?} has more than digits, * # and a leading +, or says nothing at all", rule.begins),
        );
    }
    found
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\@<>;,".contains(&byte))
}

fn is_number(text: &str) -> bool {
    !text.is_empty()
        && text
            .bytes()
            .enumerate()
            .all(|(at, byte)| byte.is_ascii_digit() || b"*#".contains(&byte) || (at == 0 && byte == b'+' && text.len() > 1))
}

fn is_sound(rule: &NumberRule) -> bool {
    let part = |text: &str| text.is_empty() || text == "+" || is_number(text);
    part(&rule.begins) && part(&rule.add) && (rule.strip > 0 || !rule.add.is_empty() || !rule.begins.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn hosts_are_read() {
        let host = |text: &str| Host::read(text).map(|host| (host.name, host.port));
        assert_eq!(host("203.0.113.7:5060"), Some(("203.0.113.7".into(), Some(5060))));
        assert_eq!(host("[2001:db8::7]:5060"), Some(("2001:db8::7".into(), Some(5060))));
        assert_eq!(host("2001:db8::7"), Some(("2001:db8::7".into(), None)));
        assert_eq!(host("sip.carrier.example"), Some(("sip.carrier.example".into(), None)));
        assert_eq!(host("sip.carrier.example:5070"), Some(("sip.carrier.example".into(), Some(5070))));
        for bad in ["", "203.0.113.777", "a b", "a..b", "a:0", "a:x", "sip:a", "a\r\nb"] {
            assert_eq!(host(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_trunk_is_written_short_or_in_full() {
        let read = |text: &str| toml::from_str::<Trunk>(text);
        assert_eq!(read("from = [\"203.0.113.7\"]\nto = \"203.0.113.7:5060\"").unwrap().to, ["203.0.113.7:5060"]);
        let full = "to = [\"a.example\", \"b.example\"]\ntransport = \"tls\"\nlogin = { user = \"u\", password = \"p\" }\nregister = true\n\
                    [numbers]\ncaller = [{ begins = \"8\", digits = 11, strip = 1, add = \"+7\" }]";
        let trunk = read(full).unwrap();
        assert_eq!((trunk.to.len(), trunk.transport, trunk.numbers.caller[0].digits), (2, Transport::Tls, Some(11)));
        assert!(problems("x", &trunk, true).is_empty());
        assert_eq!(problems("x", &trunk, false).len(), 1, "nobody is trusted");
        assert!(read("tu = \"a.example\"").is_err());
    }

    #[test]
    fn every_problem_of_a_trunk_is_told() {
        let trunk = Trunk {
            from: vec!["203.0.113.0/33".into()],
            to: vec!["203.0.113.777".into()],
            register: true,
            register_s: Some(1),
            number: Some("one".into()),
            shown: Some("+".into()),
            domain: Some("a b".into()),
            login: None,
            numbers: NumberRules { caller: vec![NumberRule::default()], dial: vec![] },
            ..Trunk::default()
        };
        assert_eq!(problems("x", &trunk, true).len(), 8, "{:#?}", problems("x", &trunk, true));
        assert_eq!(problems("x", &Trunk::default(), true).len(), 1);
    }
}
