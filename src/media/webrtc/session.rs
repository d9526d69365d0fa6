//! What is one page's connection? ICE, DTLS and SRTP in one machine without IO, and the stream that the page hears.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::crypto::CryptoProvider;
use str0m::crypto::dtls::DtlsCert;
use str0m::format::{Codec as PageCodec, FormatParams};
use str0m::media::{Frequency, MediaKind, Mid, Pt};
use str0m::net::{Protocol, Receive};
use str0m::rtp::{RtpPacket, RtpWrite};
use str0m::stats::MediaEgressStats;
use str0m::{Candidate, Event, Input, Output, Rtc, RtcConfig};

use crate::centre::ids::{AgentId, Generation};
use crate::centre::input::Codec;
use crate::media::codec::{payload_type, steps_a_moment};
use crate::media::negotiation::OUR_EVENT_TYPE;
use crate::media::rtcp::Told;
use crate::media::rtp::{HEADER, Stamp, parse, steps, write_header};
use crate::media::stream::Outgoing;

/// Longer texts are no session descriptions of a page.
const MAX_BYTES: usize = 16_384;
/// How often a page's reception is told.
const STATS_EVERY: Duration = Duration::from_secs(5);

/// What all sessions share.
pub struct Common {
    /// Ciphers.
    pub provider: Arc<CryptoProvider>,
    /// Our certificate for DTLS; pages know it by its fingerprint.
    pub certificate: DtlsCert,
    /// Where pages may reach us.
    pub candidates: Vec<SocketAddr>,
}

/// One page's connection.
pub struct Session {
    /// Whose page.
    pub agent: AgentId,
    /// Which page of theirs.
    pub generation: Generation,
    /// What is spoken.
    pub codec: Codec,
    /// When it wants to be woken.
    pub wake_at: Instant,
    /// When something was last heard of it, and when it began.
    pub heard_us: u64,
    pub began_us: u64,
    /// Whether DTLS is done.
    pub connected: bool,
    rtc: Rtc,
    way: Option<Way>,
    out: Outgoing,
    /// The extended number of the last packet.
    sequence: u64,
}

/// The payload types of its one section.
#[derive(Clone, Copy)]
struct Way {
    mid: Mid,
    sound: Pt,
    event: Option<Pt>,
}

/// What came of a session.
pub enum News {
    /// Send these bytes there.
    Send(Vec<u8>, SocketAddr),
    /// It is connected.
    Connected,
    /// A packet of the page: header as a leg reads it, and payload.
    Heard([u8; HEADER], Arc<[u8]>),
    /// What it reports of our stream.
    Told(Told),
    /// It is over.
    Closed,
}

impl Session {
    /// Answers a page's offer. `numbers` begin the stream (RFC 3550 §5.1). Errors: what is wrong with the offer.
    pub fn accept(
        agent: AgentId,
        generation: Generation,
        offer: &str,
        common: &Common,
        numbers: [u32; 2],
        (now, now_us): (Instant, u64),
    ) -> Result<(Session, String), String> {
        if offer.len() > MAX_BYTES {
            return Err(format!("it has more than {MAX_BYTES} bytes"));
        }
        let codec = wanted(offer).ok_or("no codec that we speak")?;
        // The parser's own words name places of the memory.
        let parsed = SdpOffer::from_sdp_string(offer).map_err(|_| "it is no SDP that can be read")?;
        let mut rtc = config(codec, common).build(now);
        for address in &common.candidates {
            let candidate = Candidate::host(*address, Protocol::Udp).map_err(|error| error.to_string())?;
            rtc.add_local_candidate(candidate);
        }
        let answer = rtc.sdp_api().accept_offer(parsed).map_err(|error| error.to_string())?.to_sdp_string();
        let [sequence, timestamp] = numbers;
        let mut out = Outgoing::new(0, sequence as u16 & 0x7fff, timestamp);
        out.set_steps_a_moment(steps_a_moment(codec));
        let sequence = u64::from(sequence & 0x7fff);
        let session = Session {
            agent,
            generation,
            codec,
            wake_at: now,
            heard_us: now_us,
            began_us: now_us,
            connected: false,
            rtc,
            way: None,
            out,
            sequence,
        };
        Ok((session, answer))
    }

    /// Whether a datagram is this page's.
    pub fn accepts(&self, datagram: &Input<'_>) -> bool {
        self.rtc.accepts(datagram)
    }

    /// Takes a datagram; [`Session::news`] must be asked next.
    pub fn receive(&mut self, datagram: Input<'_>, now_us: u64) {
        self.heard_us = now_us;
        if let Err(error) = self.rtc.handle_input(datagram) {
            tracing::debug!(agent = %self.agent, %error, "a page's datagram could not be used");
        }
    }

    /// Time has passed; [`Session::news`] must be asked next.
    pub fn wake(&mut self, now: Instant) {
        if let Err(error) = self.rtc.handle_input(Input::Timeout(now)) {
            tracing::debug!(agent = %self.agent, %error, "a page's session could not go on");
            self.rtc.disconnect();
        }
    }

    /// The next thing that follows from the last input; `None` when nothing does until [`Session::wake_at`].
    pub fn news(&mut self) -> Option<News> {
        loop {
            match self.rtc.poll_output() {
                Ok(Output::Timeout(at)) => {
                    self.wake_at = at;
                    return (!self.rtc.is_alive()).then_some(News::Closed);
                }
                Ok(Output::Transmit(out)) => return Some(News::Send(out.contents.into(), out.destination)),
                Ok(Output::Event(event)) => {
                    if let Some(news) = self.event(event) {
                        return Some(news);
                    }
                }
                Err(error) => {
                    tracing::debug!(agent = %self.agent, %error, "a page's session has failed");
                    return Some(News::Closed);
                }
            }
        }
    }

    fn event(&mut self, event: Event) -> Option<News> {
        match event {
            Event::Connected => {
                self.connected = true;
                Some(News::Connected)
            }
            Event::MediaAdded(added) if added.kind == MediaKind::Audio && self.way.is_none() => {
                self.way = self.find_way(added.mid);
                None
            }
            Event::RtpPacket(packet) => self.heard(packet),
            Event::MediaEgressStats(stats) => told(&stats).map(News::Told),
            Event::Closed => Some(News::Closed),
            _ => None,
        }
    }

    fn find_way(&self, mid: Mid) -> Option<Way> {
        let agreed = self.rtc.media(mid)?.remote_pts();
        let all = self.rtc.codec_config().params();
        let find = |codec: PageCodec| {
            all.iter().find(|params| params.spec().codec == codec && agreed.contains(&params.pt())).map(|params| params.pt())
        };
        Some(Way { mid, sound: find(page_codec(self.codec))?, event: find(PageCodec::Tele) })
    }

    fn heard(&self, packet: RtpPacket) -> Option<News> {
        let way = self.way?;
        let kind = match packet.header.payload_type {
            number if number == way.sound => payload_type(self.codec),
            number if Some(number) == way.event => OUR_EVENT_TYPE,
            _ => return None,
        };
        let header = &packet.header;
        let stamp = Stamp { marker: header.marker, sequence: header.sequence_number, timestamp: header.timestamp, ssrc: *header.ssrc };
        let mut head = [0; HEADER];
        write_header(&mut head, stamp, kind);
        Some(News::Heard(head, packet.payload))
    }

    /// Sends a leg's packet to the page, as the next of the one stream that it hears. [`Session::news`] must be asked next.
    pub fn speak(&mut self, datagram: &[u8], (now, now_us): (Instant, u64)) {
        let (Some(way), Some(packet)) = (self.way, parse(datagram)) else { return };
        let number = match packet.payload_type {
            number if number == payload_type(self.codec) => way.sound,
            OUR_EVENT_TYPE => match way.event {
                Some(number) => number,
                None => return,
            },
            _ => return,
        };
        let payload = datagram.get(packet.begin..packet.end).unwrap_or_default();
        let Some(stamp) = self.out.forwarded(&packet, now_us) else { return };
        let Some(sequence) = self.sequence.checked_add_signed(steps(self.sequence as u16, stamp.sequence).into()) else { return };
        self.sequence = self.sequence.max(sequence);
        let write = RtpWrite::new(number, sequence.into(), stamp.timestamp, now, payload).marker(stamp.marker);
        if let Some(stream) = self.rtc.direct_api().stream_tx_by_mid(way.mid, None) {
            stream.write_rtp(write);
        }
    }

    /// Ends the session with a word to the page, as far as that is out when [`Session::news`] has been asked.
    pub fn close(&mut self) {
        if let Err(error) = self.rtc.close() {
            tracing::debug!(agent = %self.agent, %error, "a page's session does not close in order");
        }
    }
}

/// A datagram as sessions read it; `None` for what is none of theirs.
pub fn datagram(bytes: &[u8], source: SocketAddr, local: SocketAddr, now: Instant) -> Option<Input<'_>> {
    Some(Input::Receive(now, Receive::new(Protocol::Udp, source, local, bytes).ok()?))
}

/// A-law is preferred, as everywhere: what the resident's line speaks is passed on as it is. Nothing else is agreed beside it, so that a page
/// cannot choose otherwise.
fn wanted(offer: &str) -> Option<Codec> {
    let audio = offer.lines().find_map(|line| line.strip_prefix("m=audio "))?;
    let has = |format: &str| audio.split_ascii_whitespace().skip(2).any(|word| word == format);
    let opus = || offer.lines().any(|line| line.starts_with("a=rtpmap:") && line.to_ascii_lowercase().contains(" opus/48000"));
    if has("8") {
        Some(Codec::Pcma)
    } else if has("0") {
        Some(Codec::Pcmu)
    } else {
        opus().then_some(Codec::Opus)
    }
}

fn config(codec: Codec, common: &Common) -> RtcConfig {
    let mut config = RtcConfig::new()
        .set_crypto_provider(common.provider.clone())
        .set_dtls_cert(common.certificate.clone())
        .set_ice_lite(true)
        .set_rtp_mode(true)
        .set_stats_interval(Some(STATS_EVERY))
        .clear_codecs();
    let codecs = config.codec_config();
    match codec {
        Codec::Pcma => codecs.enable_pcma(true, false),
        Codec::Pcmu | Codec::G722 => codecs.enable_pcmu(true, false),
        Codec::Opus => codecs.enable_opus(true, false),
    }
    let (number, clock) = match codec {
        Codec::Opus => (110, Frequency::FORTY_EIGHT_KHZ),
        Codec::Pcma | Codec::Pcmu | Codec::G722 => (126, Frequency::EIGHT_KHZ),
    };
    codecs.add_config(Pt::new_with_value(number), None, PageCodec::Tele, clock, None, FormatParams::default());
    config
}

fn page_codec(codec: Codec) -> PageCodec {
    match codec {
        Codec::Pcma => PageCodec::PCMA,
        Codec::Pcmu | Codec::G722 => PageCodec::PCMU,
        Codec::Opus => PageCodec::Opus,
    }
}

/// What the page says of our stream.
fn told(stats: &MediaEgressStats) -> Option<Told> {
    let remote = stats.remote.as_ref()?;
    Some(Told {
        fraction_256th: (stats.loss.unwrap_or(0.0).clamp(0.0, 1.0) * 255.0) as u8,
        lost: u32::try_from(remote.packets_lost).unwrap_or(u32::MAX),
        highest: *remote.maximum_sequence_number as u32,
        jitter: remote.jitter,
        trip_us: stats.rtt.and_then(|rtt| u64::try_from(rtt.as_micros()).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_is_preferred_whatever_the_order() {
        assert_eq!(wanted("m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\na=rtpmap:111 opus/48000/2"), Some(Codec::Pcma));
        assert_eq!(wanted("m=audio 9 UDP/TLS/RTP/SAVPF 111 0\r\na=rtpmap:111 opus/48000/2"), Some(Codec::Pcmu));
        assert_eq!(wanted("m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 OPUS/48000/2"), Some(Codec::Opus));
        assert_eq!(wanted("m=audio 9 UDP/TLS/RTP/SAVPF 103"), None);
        assert_eq!(wanted("m=video 9 UDP/TLS/RTP/SAVPF 8"), None);
    }
}
