//! What do two phones agree on? The offers and answers of RFC 3264 for one stream with telephone events.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::media::codec::Codec;
use crate::media::srtp::Crypto;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

impl Direction {
    /// The attribute's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    /// What an answer says to an offer of this direction.
    pub fn mirrored(self) -> Self {
        match self {
            Self::SendOnly => Self::RecvOnly,
            Self::RecvOnly => Self::SendOnly,
            same => same,
        }
    }

    /// Does the side that wrote this want to hear us?
    pub fn listens(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }
}

/// One side's description of its audio.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// Where this side wants to receive.
    pub address: SocketAddrV4,
    /// In order of preference.
    pub codecs: Vec<Codec>,
    /// Payload type of telephone events (RFC 4733), where they are offered.
    pub events: Option<u8>,
    pub direction: Direction,
    /// With what this side protects what it sends; none: plain RTP.
    pub crypto: Option<Crypto>,
}

impl Description {
    /// The SDP text; `version` counts up with every change (RFC 3264 §8).
    pub fn to_text(&self, session: u64, version: u32) -> String {
        let Self { address, codecs, events, direction, crypto } = self;
        let profile = if crypto.is_some() { "RTP/SAVP" } else { "RTP/AVP" };
        let types = codecs.iter().map(|codec| codec.payload_type()).chain(*events);
        let types = types.map(|number| number.to_string()).collect::<Vec<_>>().join(" ");
        let mut text = format!(
            "v=0\r\no=- {session} {version} IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} {profile} {types}\r\n",
            ip = address.ip(),
            port = address.port()
        );
        for codec in codecs {
            text.push_str(&format!("a=rtpmap:{} {}\r\n", codec.payload_type(), codec.encoding()));
        }
        if let Some(events) = events {
            text.push_str(&format!("a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-15\r\n"));
        }
        if let Some(crypto) = crypto {
            text.push_str(&format!("a=crypto:{}\r\n", crypto.to_value()));
        }
        text.push_str(&format!("a=ptime:20\r\na={}\r\n", direction.name()));
        text
    }

    /// Reads the first audio stream of an SDP; none when it has no audio over IPv4 in a codec that we speak.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(body).ok()?;
        let (session, rest) = text.split_once("m=audio ")?;
        let media = rest.split("\nm=").next()?;
        let connection = |part: &str| part.lines().find_map(|line| line.trim().strip_prefix("c=IN IP4 ")?.parse::<Ipv4Addr>().ok());
        let mut words = media.lines().next()?.split_whitespace();
        let port = words.next()?.parse().ok()?;
        let secure = words.next()?.starts_with("RTP/SAVP");
        let crypto = media.lines().find_map(|line| Crypto::read(line.trim().strip_prefix("a=crypto:")?)).filter(|_| secure);
        let types: Vec<u8> = words.filter_map(|word| word.parse().ok()).collect();
        let named = |codec: &Codec| *codec != Codec::Opus || media.lines().any(|line| is_opus(line, codec.payload_type()));
        let codecs: Vec<_> = types.iter().filter_map(|number| Codec::of_payload_type(*number)).filter(named).collect();
        let events = media.lines().find_map(events_of).filter(|number| types.contains(number));
        let direction = media.lines().chain(session.lines()).find_map(direction_of).unwrap_or(Direction::SendRecv);
        let address = SocketAddrV4::new(connection(media).or_else(|| connection(session))?, port);
        (!codecs.is_empty()).then_some(Self { address, codecs, events, direction, crypto })
    }
}

/// Opus has no payload type of its own (RFC 7587 §7).
fn is_opus(line: &str, number: u8) -> bool {
    let named = line.trim().strip_prefix("a=rtpmap:").and_then(|rest| rest.split_once(' '));
    named.is_some_and(|(of, name)| of.parse() == Ok(number) && name.eq_ignore_ascii_case(Codec::Opus.encoding()))
}

fn events_of(line: &str) -> Option<u8> {
    let (number, name) = line.trim().strip_prefix("a=rtpmap:")?.split_once(' ')?;
    name.eq_ignore_ascii_case("telephone-event/8000").then(|| number.parse().ok())?
}

fn direction_of(line: &str) -> Option<Direction> {
    match line.trim() {
        "a=sendrecv" => Some(Direction::SendRecv),
        "a=sendonly" => Some(Direction::SendOnly),
        "a=recvonly" => Some(Direction::RecvOnly),
        "a=inactive" => Some(Direction::Inactive),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn reads_what_it_writes() {
        let address = SocketAddrV4::new(Ipv4Addr::new(127, 0, 0, 7), 4000);
        let codecs = vec![Codec::Alaw, Codec::Ulaw, Codec::G722, Codec::Opus];
        let offer = Description { address, codecs, events: Some(101), direction: Direction::SendOnly, crypto: None };
        for offer in [Description { crypto: Some(Crypto::random()), ..offer.clone() }, offer] {
            assert_eq!(Description::parse(offer.to_text(1, 2).as_bytes()), Some(offer));
        }
    }

    #[test]
    fn refuses_a_stream_that_it_cannot_speak() {
        assert_eq!(Description::parse(b"v=0\r\nc=IN IP4 1.2.3.4\r\nm=audio 9 RTP/AVP 96\r\n"), None);
        assert_eq!(Description::parse(b"v=0\r\nm=audio 9 RTP/AVP 8\r\n"), None);
        assert_eq!(Description::parse(b"\xff"), None);
    }
}
