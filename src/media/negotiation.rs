//! What does our side of a session say? Offers, answers and their versions (RFC 3264).

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};

use crate::centre::input::Codec;
use crate::media::codec::{PREFERENCE, RATE_HZ, encoding, parameters, payload_type};
use crate::media::sdes::Keys;
use crate::media::sdp::{Description, Direction, Terms};

/// The payload type of RFC 4733 events in offers of ours.
pub const OUR_EVENT_TYPE: u8 = 101;

/// The last line above the sections.
const BEFORE_THE_BODY: &str = "\r\nt=0 0\r\n";

/// The author of one leg's descriptions.
pub struct Author {
    session: u64,
    version: u64,
    local: SocketAddr,
    last: String,
    /// The leg's keys, where it has any.
    pub keys: Keys,
}

impl Author {
    /// Descriptions that name `local`. `session` tells them from those of other sessions (RFC 8866 §5.2).
    pub fn new(local: SocketAddr, session: u64) -> Author {
        // Many parsers read this number as signed.
        Author { session: session >> 2, version: 0, local, last: String::new(), keys: Keys::default() }
    }

    /// Goes on where the author of `text` stopped: the same session, and a new version with the next change alone.
    pub fn resume(local: SocketAddr, text: &str) -> Author {
        let origin = text.lines().find_map(|line| line.strip_prefix("o=")).unwrap_or_default();
        let mut numbers = origin.split_ascii_whitespace().skip(1).map(|word| word.parse().unwrap_or_default());
        let (session, version) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
        let last = text.split_once(BEFORE_THE_BODY).map(|(_, body)| body.to_owned()).unwrap_or_default();
        Author { session, version, local, last, keys: Keys::default() }
    }

    /// The last description, whole.
    pub fn said(&self) -> String {
        self.with_head(&self.last)
    }

    /// All that we speak, the preferred first, and RFC 4733; once a leg is protected, with its key.
    pub fn offer(&mut self) -> String {
        let codecs = PREFERENCE.map(|codec| (payload_type(codec), codec));
        let mut body = String::new();
        let keys = self.keys.ours();
        let protocol = if keys.is_some() { "RTP/SAVP" } else { "RTP/AVP" };
        sound(&mut body, protocol, self.local.port(), &codecs, Some((OUR_EVENT_TYPE, 1)), Direction::SendRecv);
        keys.into_iter().for_each(|line| line.write(&mut body));
        self.publish(body)
    }

    /// The answer to `offer`, of which `terms` were taken and their keys settled: every other section is refused with port 0 (RFC 3264 §6).
    pub fn answer(&mut self, offer: &Description, terms: &Terms) -> String {
        let mut body = String::new();
        for (index, section) in offer.sections.iter().enumerate() {
            if index == terms.section {
                let codec = [(terms.sound_type, terms.codec)];
                let events = terms.event_type.map(|number| (number, terms.event_steps));
                sound(&mut body, &section.protocol, self.local.port(), &codec, events, terms.direction.answered());
                if let Some(line) = self.keys.ours().filter(|_| terms.crypto.is_some()) {
                    line.write(&mut body);
                }
            } else {
                let formats = if section.formats.is_empty() { "0".to_owned() } else { section.formats.join(" ") };
                let _ = write!(body, "m={} 0 {} {formats}\r\n", section.kind, section.protocol);
            }
        }
        self.publish(body)
    }

    /// The version grows when the text changes, and only then (RFC 3264 §8).
    fn publish(&mut self, body: String) -> String {
        if body != self.last {
            self.version += 1;
            self.last = body;
        }
        self.with_head(&self.last)
    }

    fn with_head(&self, body: &str) -> String {
        let ip = self.local.ip();
        let family = match ip {
            IpAddr::V4(_) => "IP4",
            IpAddr::V6(_) => "IP6",
        };
        let (session, version) = (self.session, self.version);
        format!("v=0\r\no=- {session} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}{BEFORE_THE_BODY}{body}")
    }
}

fn sound(body: &mut String, protocol: &str, port: u16, codecs: &[(u8, Codec)], events: Option<(u8, u32)>, direction: Direction) {
    let _ = write!(body, "m=audio {port} {protocol}");
    for number in codecs.iter().map(|(number, _)| *number).chain(events.map(|(number, _)| number)) {
        let _ = write!(body, " {number}");
    }
    for (number, codec) in codecs {
        let _ = write!(body, "\r\na=rtpmap:{number} {}", encoding(*codec));
        if let Some(parameters) = parameters(*codec) {
            let _ = write!(body, "\r\na=fmtp:{number} {parameters}");
        }
    }
    if let Some((number, steps_a_moment)) = events {
        let _ = write!(body, "\r\na=rtpmap:{number} telephone-event/{}\r\na=fmtp:{number} 0-15", RATE_HZ * steps_a_moment);
    }
    let _ = write!(body, "\r\na=ptime:20\r\na={}\r\n", direction.name());
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::media::sdp::parse;

    fn author() -> Author {
        Author::new("127.0.0.1:30000".parse().unwrap(), 400)
    }

    #[test]
    fn an_answer_mirrors_the_offer() {
        let lines =
            "m=video 9 RTP/AVP 96 97\nm=audio 4000 RTP/AVP 0 8 96\nc=IN IP4 192.0.2.1\na=rtpmap:96 telephone-event/8000\na=sendonly";
        let offer = parse(lines).unwrap();
        let answer = author().answer(&offer, &offer.terms(true).unwrap());
        let expected = [
            "v=0",
            "o=- 100 1 IN IP4 127.0.0.1",
            "s=-",
            "c=IN IP4 127.0.0.1",
            "t=0 0",
            "m=video 0 RTP/AVP 96 97",
            "m=audio 30000 RTP/AVP 8 96",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:96 telephone-event/8000",
            "a=fmtp:96 0-15",
            "a=ptime:20",
            "a=recvonly",
            "",
        ];
        assert_eq!(answer, expected.join("\r\n"));
    }

    #[test]
    fn our_offer_is_one_that_we_would_take() {
        let mut author = author();
        let plain = author.offer();
        let terms = parse(&plain).unwrap().terms(true).unwrap();
        assert_eq!((terms.codec, terms.event_type, terms.crypto), (Codec::Pcma, Some(OUR_EVENT_TYPE), None));
        let secure = author.keys.securing()(&plain);
        assert!(parse(&secure).unwrap().terms(true).unwrap().crypto.is_some());
    }

    #[test]
    fn a_secure_offer_is_answered_with_a_key_of_our_own() {
        let (mut theirs, mut ours) = (author(), author());
        let plain = theirs.offer();
        let offer = parse(&theirs.keys.securing()(&plain)).unwrap();
        let terms = offer.terms(true).unwrap();
        ours.keys.settle(terms.crypto.as_ref(), true, None).unwrap();
        let answer = ours.answer(&offer, &terms);
        assert_eq!(ours.offer().matches("a=crypto:1 ").count(), 1, "what is offered later is no less");
        assert!(answer.contains("m=audio 30000 RTP/SAVP 8 101\r\n") && answer.matches("a=crypto:1 ").count() == 1, "{answer}");
        assert!(parse(&answer).unwrap().terms(true).unwrap().crypto.unwrap().key != terms.crypto.unwrap().key);
    }

    #[test]
    fn a_resumed_author_goes_on_in_the_same_session() {
        let mut first = author();
        let held = parse("m=audio 4000 RTP/AVP 8\na=sendonly").unwrap();
        let (offer, answer) = (first.offer(), first.answer(&held, &held.terms(true).unwrap()));
        assert_ne!(offer, answer);
        let mut next = Author::resume("127.0.0.1:30000".parse().unwrap(), &answer);
        assert_eq!(next.said(), answer);
        assert_eq!(next.answer(&held, &held.terms(true).unwrap()), answer, "nothing has changed");
        assert!(next.offer().contains("o=- 100 3 IN"));
    }

    #[test]
    fn the_version_grows_only_with_a_change() {
        let mut author = author();
        let first = author.offer();
        assert_eq!(author.offer(), first);
        let held = parse("m=audio 4000 RTP/AVP 8\na=sendonly").unwrap();
        assert!(author.answer(&held, &held.terms(true).unwrap()).contains("o=- 100 2 IN"));
    }
}
