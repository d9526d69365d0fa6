//! How does the phone prove who it is? Digest answers of RFC 2617 and RFC 8760 (MD5, SHA-256).

use md5::{Digest, Md5};
use sha2::Sha256;

/// User name and password of one line.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
}

/// The password is not for logs.
impl std::fmt::Debug for Credentials {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "Credentials({})", self.user)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Algorithm {
    Md5,
    Sha256,
}

impl Algorithm {
    fn named(name: Option<String>) -> Option<Self> {
        match name.as_deref().map(str::to_ascii_uppercase).as_deref() {
            None | Some("MD5") => Some(Self::Md5),
            Some("SHA-256") => Some(Self::Sha256),
            Some(_) => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA-256",
        }
    }

    fn hash(self, text: &str) -> String {
        match self {
            Self::Md5 => hex(&Md5::digest(text)),
            Self::Sha256 => hex(&Sha256::digest(text)),
        }
    }
}

/// What one answer is about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    pub method: &'a str,
    pub uri: &'a str,
    /// Our own nonce.
    pub cnonce: &'a str,
}

/// The value of `Authorization` for the first challenge that we can answer (the server lists them in its order of preference,
/// RFC 8760 §2.4); none when all use an unknown scheme or algorithm.
pub fn answer<'a>(challenges: impl Iterator<Item = &'a str>, who: &Credentials, asked: Asked<'_>) -> Option<String> {
    challenges.filter_map(|challenge| challenge.trim().strip_prefix("Digest ")).find_map(|challenge| answer_one(challenge, who, asked))
}

fn answer_one(challenge: &str, who: &Credentials, asked: Asked<'_>) -> Option<String> {
    let algorithm = Algorithm::named(field(challenge, "algorithm"))?;
    let (realm, nonce) = (field(challenge, "realm")?, field(challenge, "nonce")?);
    let qop = field(challenge, "qop").is_some_and(|list| list.split(',').any(|word| word.trim() == "auth"));
    let Credentials { user, password } = who;
    let Asked { method, uri, cnonce } = asked;
    let secret = algorithm.hash(&format!("{user}:{realm}:{password}"));
    let what = algorithm.hash(&format!("{method}:{uri}"));
    let response = if qop {
        algorithm.hash(&format!("{secret}:{nonce}:00000001:{cnonce}:auth:{what}"))
    } else {
        algorithm.hash(&format!("{secret}:{nonce}:{what}"))
    };
    let mut value = format!(
        "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", response=\"{response}\", algorithm={}",
        algorithm.name()
    );
    if qop {
        value.push_str(&format!(", qop=auth, nc=00000001, cnonce=\"{cnonce}\""));
    }
    if let Some(opaque) = field(challenge, "opaque") {
        value.push_str(&format!(", opaque=\"{opaque}\""));
    }
    Some(value)
}

/// A field of a challenge or an answer, without its quotes; commas inside of quotes do not end a field.
pub fn field(text: &str, name: &str) -> Option<String> {
    let mut quoted = false;
    let parts = text.split(|c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    });
    parts.map(|part| part.trim().trim_start_matches("Digest ")).find_map(|part| {
        let (key, value) = part.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    /// The example of RFC 7616 §3.9.1, in both algorithms.
    const CHALLENGE: &str = "realm=\"http-auth@example.org\", qop=\"auth, auth-int\", \
        nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";

    fn response_to(challenges: &[String]) -> Option<String> {
        let who = Credentials { user: "Mufasa".to_owned(), password: "Circle of Life".to_owned() };
        let asked = Asked { method: "GET", uri: "/dir/index.html", cnonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ" };
        answer(challenges.iter().map(String::as_str), &who, asked).map(|value| field(&value, "response").unwrap())
    }

    #[test]
    fn answers_as_the_rfc_does() {
        let md5 = format!("Digest {CHALLENGE}, algorithm=MD5");
        let sha = format!("Digest {CHALLENGE}, algorithm=SHA-256");
        assert_eq!(response_to(std::slice::from_ref(&md5)).unwrap(), "8ca523f5e9506fed4657c9700eebdbec");
        let expected = "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1";
        assert_eq!(response_to(&[format!("Digest {CHALLENGE}, algorithm=SHA-512-256"), sha, md5]).unwrap(), expected);
        assert_eq!(response_to(&["Basic realm=\"x\"".to_owned()]), None);
    }
}
