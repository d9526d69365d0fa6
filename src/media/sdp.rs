//! What does a session description offer? A lenient reader of RFC 8866 that never fails on a line that it does not need.
//!
//! It is our own, because `sdp-types` refuses a whole description for one line that is out of order or malformed, and
//! real trunks send such lines. Nothing here trusts the text: lengths and counts are bounded.

use std::net::{IpAddr, SocketAddr};

use crate::centre::input::{Codec, MediaFailure};
use crate::media::codec::{PREFERENCE, encoding, of_static_type, steps_a_moment};
use crate::media::sdes::CryptoLine;

/// Longer texts are no session descriptions of a telephone call.
const MAX_BYTES: usize = 16_384;
/// Longer ones do not fit into a place of `kept` together with ours.
const KEPT_WHOLE_BYTES: usize = 1_500;
/// `m=` lines, and formats of one, beyond these are not read.
const MAX_SECTIONS: usize = 16;
const MAX_FORMATS: usize = 40;
/// Crypto lines of one section beyond these are not read.
const MAX_CRYPTO: usize = 8;

/// A description, as far as telephony needs it.
#[derive(Debug)]
pub struct Description {
    /// Its `m=` lines in order; an answer has as many.
    pub sections: Vec<Section>,
    /// Whether a crypto line counts in a section that is plain RTP by its protocol.
    pub crypto_on_avp: bool,
}

/// One `m=` line and what belongs to it, session-level values filled in.
#[derive(Clone, Debug)]
pub struct Section {
    /// "audio", "video", …
    pub kind: String,
    /// 0 when it is refused.
    pub port: u16,
    /// "RTP/AVP".
    pub protocol: String,
    /// Payload types, or what the kind calls formats.
    pub formats: Vec<String>,
    address: Option<IpAddr>,
    /// The name was there but is no address, or the address means "nowhere" (RFC 3264 §8.4).
    nowhere: bool,
    direction: Direction,
    maps: Vec<(u8, String)>,
    report_port: Option<u16>,
    /// Those that we can speak by, in the author's order.
    crypto: Vec<CryptoLine>,
}

/// Who sends, from the point of view of the description's author (RFC 8866 §6.7).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Direction {
    /// Both.
    #[default]
    SendRecv,
    /// The author only.
    SendOnly,
    /// The other side only.
    RecvOnly,
    /// Nobody.
    Inactive,
}

/// What the far end's description means for our leg.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    /// Which of the sections carries the sound.
    pub section: usize,
    /// Where it wants RTP; `None` where the description does not tell in our address family.
    pub address: Option<SocketAddr>,
    /// Where it wants RTCP, on the same host.
    pub report_port: u16,
    /// The sound: of what the author lists, what we prefer ([`PREFERENCE`]), so that as little as possible is transcoded.
    pub codec: Codec,
    /// The sound's payload type.
    pub sound_type: u8,
    /// The payload type of RFC 4733 events, if the far end reads them.
    pub event_type: Option<u8>,
    /// Steps of an event's clock a moment of 1/8000 s.
    pub event_steps: u32,
    /// The author's direction.
    pub direction: Direction,
    /// The author wants no sound at present (`c=0.0.0.0`, RFC 2543's hold).
    pub muted: bool,
    /// With what it protects its packets; `None` for plain RTP.
    pub crypto: Option<CryptoLine>,
}

impl Terms {
    /// Whether the far end wants to hear us.
    pub fn we_may_send(&self) -> bool {
        !self.muted && matches!(self.direction, Direction::SendRecv | Direction::RecvOnly)
    }

    /// Whether the far end says that it sends.
    pub fn they_send(&self) -> bool {
        !self.muted && matches!(self.direction, Direction::SendRecv | Direction::SendOnly)
    }
}

impl Direction {
    /// What an answer says to an offer of this direction (RFC 3264 §6.1).
    pub fn answered(self) -> Direction {
        match self {
            Direction::SendRecv => Direction::SendRecv,
            Direction::SendOnly => Direction::RecvOnly,
            Direction::RecvOnly => Direction::SendOnly,
            Direction::Inactive => Direction::Inactive,
        }
    }

    /// The attribute.
    pub fn name(self) -> &'static str {
        match self {
            Direction::SendRecv => "sendrecv",
            Direction::SendOnly => "sendonly",
            Direction::RecvOnly => "recvonly",
            Direction::Inactive => "inactive",
        }
    }

    fn of(name: &str) -> Option<Direction> {
        [Direction::SendRecv, Direction::SendOnly, Direction::RecvOnly, Direction::Inactive].into_iter().find(|d| d.name() == name)
    }
}

/// Reads a description. Errors: `BadSdp` if it has no `m=` line that can be read.
pub fn parse(text: &str) -> Result<Description, MediaFailure> {
    if text.len() > MAX_BYTES {
        return Err(MediaFailure::BadSdp);
    }
    let mut session = Section::blank();
    let mut sections: Vec<Section> = Vec::new();
    for line in text.split(['\r', '\n']) {
        let Some((kind, value)) = line.trim().split_once('=') else { continue };
        if kind == "m" {
            if sections.len() >= MAX_SECTIONS {
                break;
            }
            sections.push(Section::begin(value.trim(), &session).ok_or(MediaFailure::BadSdp)?);
        } else {
            sections.last_mut().unwrap_or(&mut session).read(kind, value.trim());
        }
    }
    if sections.is_empty() { Err(MediaFailure::BadSdp) } else { Ok(Description { sections, crypto_on_avp: false }) }
}

/// What is kept of a description from which these terms were taken: a short one as it is, for a later version may understand more of it;
/// of a long one the section of the sound alone, without the lines that nobody reads. The same terms are taken from it.
pub fn essence(text: String, section: usize) -> String {
    if text.len() <= KEPT_WHOLE_BYTES {
        return text;
    }
    let mut short = String::new();
    let mut sections = 0;
    for line in text.split(['\r', '\n']) {
        let Some((kind, value)) = line.trim().split_once('=') else { continue };
        sections += usize::from(kind == "m");
        let is_read = match kind {
            "m" | "c" => true,
            "a" => {
                let name = value.split(':').next().unwrap_or_default().trim();
                matches!(name, "rtpmap" | "crypto" | "rtcp") || Direction::of(name).is_some()
            }
            _ => false,
        };
        if is_read && (sections == 0 || sections == section + 1) {
            short.extend([kind, "=", value, "\r\n"]);
        }
    }
    short
}

impl Description {
    /// The first section of sound that we can speak. `ipv4` is the family of our own sockets.
    /// Errors: `NoCodec` if there is none.
    pub fn terms(&self, ipv4: bool) -> Result<Terms, MediaFailure> {
        let mut all = self.sections.iter().enumerate();
        all.find_map(|(index, section)| section.terms(index, ipv4, self.crypto_on_avp)).ok_or(MediaFailure::NoCodec)
    }
}

impl Section {
    fn blank() -> Section {
        Section {
            kind: String::new(),
            port: 0,
            protocol: String::new(),
            formats: Vec::new(),
            address: None,
            nowhere: false,
            direction: Direction::SendRecv,
            maps: Vec::new(),
            report_port: None,
            crypto: Vec::new(),
        }
    }

    /// `audio 4000 RTP/AVP 8 0 101`, what the session says being its default. `None` without a kind and a port.
    fn begin(value: &str, session: &Section) -> Option<Section> {
        let mut words = value.split_ascii_whitespace();
        let kind = words.next()?.to_owned();
        let port = words.next()?.split('/').next()?.parse().ok()?;
        let protocol = words.next().unwrap_or("RTP/AVP").to_owned();
        let formats = words.take(MAX_FORMATS).map(str::to_owned).collect();
        Some(Section { kind, port, protocol, formats, ..session.clone() })
    }

    fn read(&mut self, kind: &str, value: &str) {
        match kind {
            "c" => self.read_connection(value),
            "a" => self.read_attribute(value),
            _ => {}
        }
    }

    /// `IN IP4 203.0.113.7/127`
    fn read_connection(&mut self, value: &str) {
        let host = value.split_ascii_whitespace().nth(2).and_then(|word| word.split('/').next());
        let address = host.and_then(|host| host.parse::<IpAddr>().ok());
        self.nowhere = address.is_some_and(|address| address.is_unspecified());
        self.address = address.filter(|address| !address.is_unspecified());
    }

    fn read_attribute(&mut self, value: &str) {
        let (name, rest) = value.split_once(':').unwrap_or((value, ""));
        match name {
            "rtpmap" => {
                let mut words = rest.split_ascii_whitespace();
                if let (Some(Ok(number)), Some(encoding)) = (words.next().map(str::parse), words.next())
                    && self.maps.len() < MAX_FORMATS
                {
                    self.maps.push((number, encoding.to_ascii_lowercase()));
                }
            }
            "crypto" if self.crypto.len() < MAX_CRYPTO => self.crypto.extend(CryptoLine::read(rest)),
            "rtcp" => self.report_port = rest.split_ascii_whitespace().next().and_then(|port| port.parse().ok()),
            _ => self.direction = Direction::of(name).unwrap_or(self.direction),
        }
    }

    fn terms(&self, section: usize, ipv4: bool, crypto_on_avp: bool) -> Option<Terms> {
        if self.kind != "audio" || self.port == 0 {
            return None;
        }
        let crypto = self.crypto(crypto_on_avp)?;
        let numbers = || self.formats.iter().filter_map(|format| format.parse::<u8>().ok()).filter(|number| *number < 128);
        let (sound_type, codec) =
            PREFERENCE.into_iter().find_map(|codec| Some((numbers().find(|number| self.codec_of(*number) == Some(codec))?, codec)))?;
        let (event_type, event_steps) = self.events_beside(codec);
        let address = self.address.filter(|address| address.is_ipv4() == ipv4);
        Some(Terms {
            section,
            address: address.map(|address| SocketAddr::new(address, self.port)),
            report_port: self.report_port.unwrap_or(self.port.saturating_add(1)),
            codec,
            sound_type,
            event_type,
            event_steps,
            direction: self.direction,
            muted: self.nowhere,
            crypto,
        })
    }

    /// How it is protected, `None` if that is not in our power: a secure protocol without a line that we can speak by.
    fn crypto(&self, on_avp: bool) -> Option<Option<CryptoLine>> {
        let first = self.crypto.first().cloned();
        match self.protocol.as_str() {
            "RTP/AVP" | "RTP/AVPF" => Some(first.filter(|_| on_avp)),
            "RTP/SAVP" | "RTP/SAVPF" => first.map(Some),
            _ => None,
        }
    }

    /// Static types keep their meaning without a map (RFC 3551 §6).
    fn codec_of(&self, number: u8) -> Option<Codec> {
        let Some(mapped) = self.encoding_of(number) else { return of_static_type(number) };
        let plain = mapped.strip_suffix("/1").unwrap_or(mapped);
        PREFERENCE.into_iter().find(|codec| encoding(*codec).eq_ignore_ascii_case(plain))
    }

    /// Events at the clock of the sound (RFC 4733 §2.1), or at 8 kHz, which some send beside Opus; and the steps of that clock.
    fn events_beside(&self, codec: Codec) -> (Option<u8>, u32) {
        let find = |steps: u32| {
            let wanted = format!("telephone-event/{}", 8_000 * steps);
            let mut numbers = self.formats.iter().filter_map(|format| format.parse::<u8>().ok()).filter(|number| *number < 128);
            numbers.find(|number| self.encoding_of(*number) == Some(wanted.as_str())).map(|number| (Some(number), steps))
        };
        find(steps_a_moment(codec)).or_else(|| find(1)).unwrap_or((None, 1))
    }

    fn encoding_of(&self, number: u8) -> Option<&str> {
        self.maps.iter().find(|(mapped, _)| *mapped == number).map(|(_, encoding)| encoding.as_str())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn terms(lines: &[&str]) -> Result<Terms, MediaFailure> {
        parse(&lines.join("\r\n"))?.terms(true)
    }

    #[test]
    fn of_an_offer_what_we_prefer_is_taken() {
        let offer = ["v=0", "c=IN IP4 203.0.113.7", "m=audio 4000 RTP/AVP 18 0 9 8 96", "a=rtpmap:96 telephone-event/8000"];
        let read = terms(&offer).unwrap();
        assert_eq!((read.codec, read.sound_type, read.event_type), (Codec::Pcma, 8, Some(96)));
        assert_eq!((read.address, read.report_port), (Some("203.0.113.7:4000".parse().unwrap()), 4001));
    }

    #[test]
    fn wideband_is_taken_where_nothing_else_is_offered() {
        let read = terms(&["m=audio 4000 RTP/AVP 9 101", "a=rtpmap:101 telephone-event/8000"]).unwrap();
        assert_eq!((read.codec, read.sound_type, read.event_type), (Codec::G722, 9, Some(101)));
        let offer = ["m=audio 4000 RTP/AVP 96 101 102", "a=rtpmap:96 OPUS/48000/2", "a=rtpmap:101 telephone-event/8000"];
        let read = terms(&[&offer[..], &["a=rtpmap:102 telephone-event/48000"]].concat()).unwrap();
        assert_eq!((read.codec, read.sound_type, read.event_type, read.event_steps), (Codec::Opus, 96, Some(102), 6));
        assert_eq!(terms(&offer).unwrap().event_steps, 1, "events at 8 kHz beside Opus");
    }

    #[test]
    fn odd_lines_do_not_matter() {
        let offer = [
            "v=0",
            "garbage",
            "c=IN IP6 2001:db8::1",
            "m=video 5000 RTP/AVP 96",
            "m=audio 0 RTP/AVP 8",
            "m=audio 4000/1 RTP/AVP 97 x",
            "a=rtpmap:97 PCMA/8000",
            "a=rtpmap:what",
            "c=IN IP4 198.51.100.2/127",
            "a=rtcp:4010 IN IP4 198.51.100.2",
            "a=sendonly",
        ];
        let read = terms(&offer).unwrap();
        assert_eq!((read.section, read.codec, read.sound_type), (2, Codec::Pcma, 97));
        assert_eq!((read.address, read.report_port), (Some("198.51.100.2:4000".parse().unwrap()), 4010));
        assert!(!read.we_may_send() && read.they_send());
    }

    /// A browser's description, or a room system's, is longer than the place that the next process finds it in.
    #[test]
    fn the_essence_of_a_long_description_is_short_and_means_the_same() {
        let candidates: String = (0..130).map(|n| format!("a=candidate:{n} 1 udp 2130706431 192.0.2.{n} 4000 typ host\r\n")).collect();
        let long = format!(
            "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\na=sendonly\r\nt=0 0\r\nm=video 5000 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n\
             {candidates}m=audio 4000 RTP/SAVP 97 101\r\na=rtpmap:97 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
             a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\na=rtcp:4010\r\n{candidates}m=application 9 X y\r\n"
        );
        let whole = parse(&long).unwrap().terms(true).unwrap();
        assert!(long.len() > 12_000);
        let short = essence(long, whole.section);
        assert!(short.len() < 400, "{short}");
        assert_eq!(parse(&short).unwrap().terms(true).unwrap(), Terms { section: 0, ..whole });
        assert_eq!(essence(short.clone(), 1), short);
    }

    #[test]
    fn holds_of_every_age_are_understood() {
        let held = |line: &str| terms(&["c=IN IP4 192.0.2.1", "m=audio 4000 RTP/AVP 8", line]).unwrap();
        assert!(!held("c=IN IP4 0.0.0.0").we_may_send() && !held("c=IN IP4 0.0.0.0").they_send());
        assert!(!held("a=sendonly").we_may_send());
        assert!(!held("a=inactive").we_may_send() && !held("a=inactive").they_send());
        assert!(held("a=recvonly").we_may_send() && !held("a=recvonly").they_send());
        let session = terms(&["a=inactive", "m=audio 4000 RTP/AVP 8", "a=sendrecv"]).unwrap();
        assert!(session.we_may_send(), "the section's own word counts");
    }

    #[test]
    fn what_we_cannot_speak_is_named() {
        assert_eq!(terms(&["hello"]), Err(MediaFailure::BadSdp));
        assert_eq!(terms(&["m=audio many RTP/AVP 8"]), Err(MediaFailure::BadSdp));
        assert_eq!(terms(&["m=audio 4000 RTP/AVP 18"]), Err(MediaFailure::NoCodec));
        assert_eq!(terms(&["m=audio 4000 RTP/SAVP 8"]), Err(MediaFailure::NoCodec));
        assert_eq!(terms(&["m=audio 4000 RTP/AVP 8", "a=rtpmap:8 speex/8000"]), Err(MediaFailure::NoCodec));
    }

    #[test]
    fn the_first_key_that_we_can_use_is_taken_where_the_protocol_says_so() {
        const KEY: &str = "inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
        let lines = [format!("a=crypto:1 F8_128_HMAC_SHA1_80 {KEY}"), format!("a=crypto:2 AES_CM_128_HMAC_SHA1_32 {KEY}")];
        let tag = |protocol: &str, on_avp: bool, lines: &[String]| {
            let mut description = parse(&format!("m=audio 4000 {protocol} 8\r\n{}", lines.join("\r\n"))).unwrap();
            description.crypto_on_avp = on_avp;
            description.terms(true).map(|terms| terms.crypto.map(|line| line.tag))
        };
        assert_eq!(tag("RTP/SAVP", false, &lines), Ok(Some(2)));
        assert_eq!(tag("RTP/SAVPF", false, &lines), Ok(Some(2)));
        assert_eq!(tag("RTP/SAVP", false, &lines[..1]), Err(MediaFailure::NoCodec));
        assert_eq!(tag("RTP/AVP", false, &lines), Ok(None));
        assert_eq!(tag("RTP/AVP", true, &lines), Ok(Some(2)));
        assert_eq!(tag("UDP/TLS/RTP/SAVPF", true, &lines), Err(MediaFailure::NoCodec));
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(lines in prop::collection::vec("(m=audio|c=IN|a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:|a=rtpmap:|a=|m=)?[ -~é\r/]{0,40}", 0..30)) {
            let _ = parse(&lines.join("\n")).map(|description| description.terms(true));
        }
    }
}
