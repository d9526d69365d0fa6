//! How do we prove who we are? The answer to a far end's digest challenge (RFC 2617, RFC 7616 §3.4, RFC 8760).

use crate::config::Login;

use super::digest::{Algorithm, field};
use super::message::{Message, Name};

/// A challenge that we can answer, and how often we have.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(test, derive(Debug))]
pub struct Challenge {
    /// The name of the header that answers it.
    header: &'static str,
    realm: String,
    nonce: String,
    opaque: Option<String>,
    algorithm: Algorithm,
    /// Whether `qop=auth` is asked for; a form without it is of RFC 2069.
    counted: bool,
    /// The last answer was right, its nonce too old.
    pub stale: bool,
    count: u32,
}

impl Challenge {
    /// The first challenge of a 401 or 407 that we know how to answer: its sender prefers the first (RFC 8760 §2.4).
    pub fn read(message: &Message<'_>) -> Option<Challenge> {
        let of = |name, header| message.all(name).filter_map(move |value| Challenge::of(value, header));
        of(Name::WwwAuthenticate, "Authorization").chain(of(Name::ProxyAuthenticate, "Proxy-Authorization")).next()
    }

    fn of(value: &str, header: &'static str) -> Option<Challenge> {
        let (scheme, fields) = value.split_once([' ', '\t'])?;
        let qop = field(fields, "qop");
        let takes_auth = qop.is_none_or(|offered| offered.split(',').any(|one| one.trim().eq_ignore_ascii_case("auth")));
        if !scheme.eq_ignore_ascii_case("Digest") || !takes_auth {
            return None;
        }
        Some(Challenge {
            header,
            realm: field(fields, "realm")?.to_owned(),
            nonce: field(fields, "nonce")?.to_owned(),
            opaque: field(fields, "opaque").map(str::to_owned),
            algorithm: Algorithm::of(field(fields, "algorithm").unwrap_or("MD5"))?,
            counted: qop.is_some(),
            stale: field(fields, "stale").is_some_and(|stale| stale.eq_ignore_ascii_case("true")),
            count: 0,
        })
    }

    /// The header line that answers it for this request. `cnonce` is a number that nobody can guess.
    pub fn answer(&mut self, login: &Login, method: &str, uri: &str, cnonce: u64) -> String {
        self.count += 1;
        let user = login.name.as_ref().unwrap_or(&login.user);
        let Challenge { header, realm, nonce, algorithm, count, .. } = self;
        let secret = algorithm.hash(&format!("{user}:{realm}:{}", login.password.reveal()));
        let asked = algorithm.hash(&format!("{method}:{uri}"));
        let (proof, counted) = if self.counted {
            let proof = algorithm.hash(&format!("{secret}:{nonce}:{count:08x}:{cnonce:016x}:auth:{asked}"));
            (proof, format!(", qop=auth, nc={count:08x}, cnonce=\"{cnonce:016x}\""))
        } else {
            (algorithm.hash(&format!("{secret}:{nonce}:{asked}")), String::new())
        };
        let opaque = self.opaque.as_ref().map_or(String::new(), |opaque| format!(", opaque=\"{opaque}\""));
        format!(
            "{header}: Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{proof}\", algorithm={}{counted}{opaque}\r\n",
            algorithm.name()
        )
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::private::Private;

    fn challenge(headers: &str) -> Option<Challenge> {
        Challenge::read(&Message::read(&format!("SIP/2.0 401 X\r\n{headers}\r\n"), b""))
    }

    fn login() -> Login {
        Login { user: "Mufasa".into(), name: None, password: Private::new("Circle Of Life".into()) }
    }

    /// The values of RFC 2617 §3.5, in the form of RFC 2069 that it keeps alive.
    #[test]
    fn an_old_challenge_is_answered_without_a_count() {
        let mut asked =
            challenge("WWW-Authenticate: Digest realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\"").unwrap();
        let answer = asked.answer(&login(), "GET", "/dir/index.html", 1);
        assert!(
            answer.starts_with("Authorization: Digest username=\"Mufasa\"")
                && answer.contains("response=\"670fd8c2df070c60b045671b8b24ff02\""),
            "{answer}"
        );
        assert!(!answer.contains("nc="));
    }

    /// Our own verifier must take what we answer, by both hashes.
    #[test]
    fn our_own_registrar_takes_the_answer() {
        use crate::centre::time::Time;
        use crate::sip::digest::{Asked, Credentials, Secret, Verifier};
        let source = "203.0.113.9".parse().unwrap();
        for sha256 in [false, true] {
            let mut verifier = Verifier::new("city", [1; 32], sha256);
            let mut asked = challenge(&verifier.challenge(Time(0), source, false)).unwrap();
            assert_eq!(asked.algorithm == Algorithm::Sha256, sha256, "the first that is offered");
            let secret = Secret::new("Mufasa", "city", &login().password);
            for _ in 0..2 {
                let line = asked.answer(&login(), "REGISTER", "sip:city", 7);
                let credentials = Credentials::read(line.strip_prefix("Authorization: ").unwrap().trim()).unwrap();
                let judged = verifier.verify(Time(1), source, &Asked { method: "REGISTER", credentials, secret: Some(&secret) });
                assert_eq!(judged, Ok(()), "{line}");
            }
        }
    }

    #[test]
    fn what_cannot_be_answered_is_passed_over() {
        let proxy = "Proxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int,auth\", opaque=\"o\", stale=TRUE";
        let both = format!(
            "WWW-Authenticate: Basic realm=\"r\"\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", algorithm=SHA-512\r\n{proxy}"
        );
        let mut asked = challenge(&both).unwrap();
        assert!(asked.stale);
        let answer = asked.answer(&login(), "INVITE", "sip:112@x", 1);
        assert!(
            answer.starts_with("Proxy-Authorization: ") && answer.contains("nc=00000001") && answer.contains("opaque=\"o\""),
            "{answer}"
        );
        assert_eq!(challenge("WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth-int\""), None);
        assert_eq!(challenge("WWW-Authenticate: Digest nonce=\"n\""), None);
    }
}
