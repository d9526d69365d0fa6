//! Does the sender know the password? HTTP digest for phones (RFC 2617, RFC 7616, RFC 8760), verified without trusting what the client says of us.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::net::IpAddr;

use hmac::{Hmac, Mac};
use md5::Md5;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::centre::time::Time;
use crate::private::Private;

use super::uri::split_outside;

/// How long a nonce may be used, in milliseconds; a phone refreshes several times with one.
const NONCE_MS: u64 = 3_600_000;
/// Nonces whose counts are kept; when there are more, the oldest becomes stale for good.
const MOST_NONCES: usize = 20_000;

/// The hash of a challenge.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// RFC 2617; all phones know it.
    Md5,
    /// RFC 8760.
    Sha256,
}

impl Algorithm {
    /// Its name in challenges.
    pub fn name(self) -> &'static str {
        match self {
            Algorithm::Md5 => "MD5",
            Algorithm::Sha256 => "SHA-256",
        }
    }

    /// The algorithm of a name; `None` for one that we do not know.
    pub fn of(name: &str) -> Option<Algorithm> {
        [Algorithm::Md5, Algorithm::Sha256].into_iter().find(|own| own.name().eq_ignore_ascii_case(name))
    }

    /// The hash of a text, in lower-case hexadecimal digits.
    pub fn hash(self, text: &str) -> String {
        match self {
            Algorithm::Md5 => hex(&Md5::digest(text)),
            Algorithm::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// H(user:realm:password) of one phone, by both hashes: the password itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    md5: Private<String>,
    sha256: Private<String>,
}

impl Secret {
    /// The secret of a user in our realm.
    pub fn new(user: &str, realm: &str, password: &Private<String>) -> Secret {
        let text = format!("{user}:{realm}:{}", password.reveal());
        Secret { md5: Private::new(Algorithm::Md5.hash(&text)), sha256: Private::new(Algorithm::Sha256.hash(&text)) }
    }

    fn of(&self, algorithm: Algorithm) -> &str {
        match algorithm {
            Algorithm::Md5 => self.md5.reveal(),
            Algorithm::Sha256 => self.sha256.reveal(),
        }
    }
}

/// The credentials of an Authorization header.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// `username`.
    pub user: &'a str,
    realm: &'a str,
    nonce: &'a str,
    uri: &'a str,
    response: &'a str,
    cnonce: &'a str,
    nc: &'a str,
    algorithm: Algorithm,
}

impl<'a> Credentials<'a> {
    /// Reads them; `None` for another scheme, another algorithm, or a form without `qop=auth`.
    pub fn read(header: &'a str) -> Option<Credentials<'a>> {
        let (scheme, rest) = header.split_once([' ', '\t'])?;
        if !scheme.eq_ignore_ascii_case("Digest") {
            return None;
        }
        let field = |name: &str| field(rest, name);
        let algorithm = Algorithm::of(field("algorithm").unwrap_or("MD5"))?;
        if !field("qop")?.eq_ignore_ascii_case("auth") {
            return None;
        }
        Some(Credentials {
            user: field("username")?,
            realm: field("realm")?,
            nonce: field("nonce")?,
            uri: field("uri")?,
            response: field("response")?,
            cnonce: field("cnonce")?,
            nc: field("nc")?,
            algorithm,
        })
    }
}

/// A field of a challenge or of credentials, quotes taken off.
pub fn field<'a>(fields: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = split_outside(fields, b',').filter_map(|field| field.split_once('='));
    fields.find(|(own, _)| own.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().trim_matches('"'))
}

/// Why credentials do not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// The nonce was not given to this address, is too old, or has been used with this count: ask again with a fresh one.
    Stale,
    /// The response is wrong, and its sender did receive the nonce: a guess.
    Wrong,
}

/// What is to be judged.
pub struct Asked<'a> {
    /// The method of the request.
    pub method: &'a str,
    /// What came with it.
    pub credentials: Credentials<'a>,
    /// The secret of the user that it names; `None` for a user that does not exist.
    pub secret: Option<&'a Secret>,
}

/// Makes challenges and judges what comes back.
pub struct Verifier {
    realm: String,
    key: [u8; 32],
    offered: &'static [Algorithm],
    last: u64,
    /// The highest count seen, by nonce.
    counts: BTreeMap<u64, u32>,
    /// Nonces up to this one are stale, because their counts are forgotten.
    floor: u64,
    /// Stands in for the secret of a user that does not exist, so that both take the same time.
    nobody: Secret,
}

impl Verifier {
    /// A verifier for a realm; `key` signs its nonces. Challenges name SHA-256 first where it is offered (RFC 8760 §2.4).
    pub fn new(realm: &str, key: [u8; 32], offer_sha256: bool) -> Verifier {
        let nobody = Secret::new("", realm, &Private::new(hex(&key)));
        let offered: &[Algorithm] = if offer_sha256 { &[Algorithm::Sha256, Algorithm::Md5] } else { &[Algorithm::Md5] };
        Verifier { realm: realm.to_owned(), key, offered, last: 0, counts: BTreeMap::new(), floor: 0, nobody }
    }

    /// The WWW-Authenticate lines of a 401 to this address.
    pub fn challenge(&mut self, now: Time, source: IpAddr, stale: bool) -> String {
        self.last += 1;
        let nonce = self.nonce(self.last, now, source);
        let stale = if stale { ", stale=true" } else { "" };
        let mut lines = String::with_capacity(300);
        for algorithm in self.offered {
            let _ = write!(
                lines,
                "WWW-Authenticate: Digest realm=\"{}\", nonce=\"{nonce}\", algorithm={}, qop=\"auth\"{stale}\r\n",
                self.realm,
                algorithm.name()
            );
        }
        lines
    }

    /// Judges credentials that came from this address. The nonce comes first:
    /// who forges a source address cannot have received one, and so never counts as guessing there.
    pub fn verify(&mut self, now: Time, source: IpAddr, asked: &Asked<'_>) -> Result<(), Refused> {
        let Asked { method, credentials, secret } = asked;
        let nonce = self.live_nonce(now, source, credentials.nonce).ok_or(Refused::Stale)?;
        let right = {
            let expected = expected(method, credentials, secret.unwrap_or(&self.nobody));
            expected.as_bytes().ct_eq(credentials.response.to_ascii_lowercase().as_bytes())
        };
        if !bool::from(right) || secret.is_none() || credentials.realm != self.realm {
            return Err(Refused::Wrong);
        }
        self.count(nonce, credentials.nc).ok_or(Refused::Stale)
    }

    /// Takes the count of a nonce; `None` when it is not above the last one.
    fn count(&mut self, nonce: u64, nc: &str) -> Option<()> {
        let count = u32::from_str_radix(nc, 16).ok().filter(|_| nc.len() == 8)?;
        let last = self.counts.entry(nonce).or_insert(0);
        if count <= *last {
            return None;
        }
        *last = count;
        if self.counts.len() > MOST_NONCES
            && let Some((oldest, _)) = self.counts.pop_first()
        {
            self.floor = self.floor.max(oldest);
        }
        Some(())
    }

    fn nonce(&self, id: u64, at: Time, source: IpAddr) -> String {
        let body = format!("{id:x}.{:x}", at.0);
        let mac = self.mac(&body, source);
        format!("{body}.{mac}")
    }

    /// The number of a nonce; `None` when it was not given to this address, is too old or forgotten.
    fn live_nonce(&self, now: Time, source: IpAddr, nonce: &str) -> Option<u64> {
        let (body, mac) = nonce.rsplit_once('.')?;
        if !bool::from(self.mac(body, source).as_bytes().ct_eq(mac.as_bytes())) {
            return None;
        }
        let (id, at) = body.split_once('.')?;
        let (id, made) = (u64::from_str_radix(id, 16).ok()?, Time(u64::from_str_radix(at, 16).ok()?));
        (now.ms_since(made) <= NONCE_MS && id > self.floor).then_some(id)
    }

    fn mac(&self, body: &str, source: IpAddr) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.key) else { return String::new() };
        mac.update(body.as_bytes());
        mac.update(source.to_string().as_bytes());
        hex(&mac.finalize().into_bytes()[..16])
    }
}

/// RFC 7616 §3.4.1 with `qop=auth`.
fn expected(method: &str, credentials: &Credentials<'_>, secret: &Secret) -> String {
    let Credentials { algorithm, nonce, nc, cnonce, uri, .. } = credentials;
    let what = algorithm.hash(&format!("{method}:{uri}"));
    algorithm.hash(&format!("{}:{nonce}:{nc}:{cnonce}:auth:{what}", secret.of(*algorithm)))
}

fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::net::Ipv4Addr;

    /// RFC 2617 §3.5.
    #[test]
    fn md5_vector() {
        let header = "Digest username=\"Mufasa\", realm=\"testrealm@host.com\", nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", uri=\"/dir/index.html\", \
                      qop=auth, nc=00000001, cnonce=\"0a4f113b\", response=\"6629fae49393a05397450978507c4ef1\", opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"";
        let secret = Secret::new("Mufasa", "testrealm@host.com", &Private::new("Circle Of Life".to_owned()));
        assert_eq!(expected("GET", &Credentials::read(header).unwrap(), &secret), "6629fae49393a05397450978507c4ef1");
    }

    /// RFC 7616 §3.9.1.
    #[test]
    fn sha_256_vector() {
        let header = "Digest username=\"Mufasa\", realm=\"http-auth@example.org\", uri=\"/dir/index.html\", algorithm=SHA-256, \
                      nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", nc=00000001, cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", \
                      qop=auth, response=\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let secret = Secret::new("Mufasa", "http-auth@example.org", &Private::new("Circle of Life".to_owned()));
        assert_eq!(
            expected("GET", &Credentials::read(header).unwrap(), &secret),
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"
        );
    }

    fn answer(nonce: &str, nc: &str, password: &str, algorithm: Algorithm) -> String {
        let secret = Secret::new("201", "cityline", &Private::new(password.to_owned()));
        let text = format!(
            "Digest username=\"201\", realm=\"cityline\", nonce=\"{nonce}\", uri=\"sip:c\", qop=auth, nc={nc}, cnonce=\"x\", algorithm={}, response=\"",
            algorithm.name()
        );
        let unanswered = format!("{text}\"");
        format!("{text}{}\"", expected("REGISTER", &Credentials::read(&unanswered).unwrap(), &secret))
    }

    const SOURCE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

    fn verify(verifier: &mut Verifier, now: u64, source: IpAddr, header: &str, secret: &Secret) -> Result<(), Refused> {
        let credentials = Credentials::read(header).unwrap();
        verifier.verify(Time(now), source, &Asked { method: "REGISTER", credentials, secret: Some(secret) })
    }

    fn nonce_of(challenge: &str) -> String {
        challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    }

    #[test]
    fn a_nonce_counts_up_and_grows_old() {
        let mut verifier = Verifier::new("cityline", [1; 32], true);
        let secret = Secret::new("201", "cityline", &Private::new("pw".to_owned()));
        let nonce = nonce_of(&verifier.challenge(Time(0), SOURCE, false));
        let mut judge = |nonce: &str, nc: &str, password: &str, now: u64, algorithm| {
            verify(&mut verifier, now, SOURCE, &answer(nonce, nc, password, algorithm), &secret)
        };
        assert_eq!(judge(&nonce, "00000001", "pw", 1, Algorithm::Md5), Ok(()));
        assert_eq!(judge(&nonce, "00000001", "pw", 1, Algorithm::Md5), Err(Refused::Stale), "replayed");
        assert_eq!(judge(&nonce, "00000100", "pw", 1, Algorithm::Sha256), Ok(()), "nc has 32 bits");
        assert_eq!(judge(&nonce, "00000101", "guess", 1, Algorithm::Md5), Err(Refused::Wrong));
        assert_eq!(judge(&nonce, "00000101", "pw", NONCE_MS + 1, Algorithm::Md5), Err(Refused::Stale), "old");
        assert_eq!(judge("1.0.00", "00000001", "pw", 1, Algorithm::Md5), Err(Refused::Stale), "forged");
        assert_eq!(judge("1.0.00", "00000001", "guess", 1, Algorithm::Md5), Err(Refused::Stale), "forged, so no guess");
    }

    #[test]
    fn a_nonce_is_of_its_address_alone() {
        let mut verifier = Verifier::new("cityline", [1; 32], false);
        let secret = Secret::new("201", "cityline", &Private::new("pw".to_owned()));
        let header = answer(&nonce_of(&verifier.challenge(Time(0), SOURCE, false)), "00000001", "pw", Algorithm::Md5);
        let other = IpAddr::from([203, 0, 113, 10]);
        assert_eq!(verify(&mut verifier, 1, other, &header, &secret), Err(Refused::Stale));
        assert_eq!(verify(&mut verifier, 1, SOURCE, &header, &secret), Ok(()));
    }

    #[test]
    fn a_forgotten_nonce_is_stale_for_good() {
        let mut verifier = Verifier::new("cityline", [1; 32], true);
        let secret = Secret::new("201", "cityline", &Private::new("pw".to_owned()));
        let first = nonce_of(&verifier.challenge(Time(0), SOURCE, false));
        for _ in 0..=MOST_NONCES {
            let nonce = nonce_of(&verifier.challenge(Time(0), SOURCE, false));
            let header = answer(&nonce, "00000001", "pw", Algorithm::Md5);
            assert_eq!(verify(&mut verifier, 1, SOURCE, &header, &secret), Ok(()));
        }
        let header = answer(&first, "00000001", "pw", Algorithm::Md5);
        assert_eq!(verify(&mut verifier, 1, SOURCE, &header, &secret), Err(Refused::Stale));
        assert!(verifier.counts.len() <= MOST_NONCES);
    }
}
