//! What does one leg send and hear? Its ports, the terms agreed with its far end, what plays to it and what arrives.

mod kept;
mod speech;

use std::net::{IpAddr, SocketAddr};

use crate::centre::ids::LegId;
use crate::centre::input::{Codec, Digit, FromMedia, MediaFailure, Quality};
use crate::clock::Clock;
use crate::media::codec::{law, of_static_type, passes, steps_a_moment};
use crate::media::counters::Counters;
use crate::media::dtmf::EventReader;
use crate::media::encoder::Encoder;
use crate::media::inband::ToneListener;
use crate::media::latch::Remote;
use crate::media::negotiation::{Author, OUR_EVENT_TYPE};
use crate::media::pace::Pace;
use crate::media::playback::{MusicPosition, Playback};
use crate::media::ports::Speaker;
use crate::media::presses::Presses;
use crate::media::quality::{self, Reported};
use crate::media::recorder::Track;
use crate::media::room::Mixer;
use crate::media::rtcp::{FarReports, MAX_REPORT, Sent, write_bye, write_report};
use crate::media::rtp::{Novelty, Packet, Reception, parse};
use crate::media::sdes::{Secured, Settled};
use crate::media::sdp::Terms;
use crate::media::stream::Outgoing;
use crate::media::voice::Voice;
use crate::media::wire::Wire;
use crate::private::Private;

/// Room for one datagram; a frame of G.711 has 172 bytes, nothing that we take has more than an Ethernet frame.
pub type Buffer = [u8; 2_048];

/// Where the far end's system says that nobody listens, one packet is sent in so long, then in twice as long, up to the limit; each
/// costs both sides more than a packet that is heard. A far end that was heard within the second is sent everything.
const HUSH_US: u64 = 100_000;
const LONGEST_HUSH_US: u64 = 800_000;
const SPEAKS_US: u64 = 1_000_000;

/// Turns of 20 ms between two looks at RTCP, and looks between two reports of ours (RFC 3550 §6.2: five seconds).
const TURNS_A_LOOK: u32 = 50;
const LOOKS_A_REPORT: u32 = 5;
/// The first goes out after three seconds (RFC 3550 §6.2: half the time): a round trip is known early.
const FIRST_REPORT: u32 = 3;
/// A report that seems to have waited longer was stamped by a clock that somebody has set.
const MOST_WAITED_US: u64 = 1_500_000;

/// A far end that has refused packets for so long does not hear us, until none was refused for a while.
const REFUSED_FOR_US: u64 = 3_000_000;
const REFUSALS_OVER_US: u64 = 2_000_000;
/// RTCP datagrams read at one look; a flood waits in the kernel, and is dropped there.
const REPORTS_A_LOOK: usize = 16;

/// A leg of a call; `worker` owns it.
pub struct Leg {
    /// Its name.
    pub id: LegId,
    /// Which of the four ticks of 20 ms is its turn to send.
    pub phase: usize,
    /// Places of those who hear it.
    pub ears: Vec<usize>,
    /// The sum of several voices, where the leg hears more than one, or one that must be decoded for it.
    pub mixer: Option<Box<Mixer>>,
    /// Its own sound decoded, where somebody hears it so.
    pub voice: Option<Box<Voice>>,
    /// Where its sound is recorded.
    pub track: Option<Track>,
    /// What plays, unless it is connected.
    pub playback: Option<Playback>,
    /// Where its music stands.
    pub music: Option<MusicPosition>,
    /// When its next packet is due.
    pub pace: Pace,
    /// Our side of the negotiation.
    pub author: Author,
    mouths: usize,
    /// Keys that are pressed at the far end.
    pub presses: Presses,
    wire: Wire,
    remote: Remote,
    /// Who spoke at this port in its former calls, and is not believed before the far end is known.
    pub former: Vec<Speaker>,
    terms: Option<Terms>,
    /// Protection of its packets, where it was agreed.
    secured: Option<Box<Secured>>,
    /// What it speaks: as agreed, and then as heard.
    speaks: Option<Codec>,
    /// What makes G.722 or Opus of what it hears.
    encoder: Option<Box<Encoder>>,
    out: Outgoing,
    reception: Reception,
    far: FarReports,
    events: EventReader,
    tones: Option<Box<ToneListener>>,
    /// When something was last heard, from the first order to play or connect on.
    heard: Option<u64>,
    /// When its last packet came, and how long and until when nothing is sent because nobody listens there.
    last_packet_us: u64,
    hush_us: u64,
    hushed_until_us: u64,
    sound_lost: bool,
    /// Whether its far end holds, as far as that has been told.
    held: bool,
    /// The first and last refusal of a row of them.
    refused_us: Option<(u64, u64)>,
    unheard: bool,
    turn: u32,
    /// The far end's last description and where its message came from, for the next process; and when that is told again.
    theirs: Option<(Private<String>, Option<IpAddr>)>,
    kept_until_us: u64,
    /// The number of the next packet when it was last told, and whether a key of ours was told with any.
    kept_sequence: u16,
    kept_key: bool,
}

/// What a datagram was.
pub enum Heard {
    /// No datagram waits.
    Nothing,
    /// One that is not for passing on: a stranger's, a copy, or of a kind that was not agreed.
    Dropped,
    /// Sound.
    Sound(Packet, Codec),
    /// An RFC 4733 event, and its key if it begins a press.
    Event(Packet, Option<Digit>),
}

impl Leg {
    /// A leg on this wire that has agreed to nothing yet.
    pub fn new(id: LegId, wire: Wire, author: Author, out: Outgoing) -> Leg {
        Leg {
            id,
            phase: 0,
            ears: Vec::new(),
            mixer: None,
            voice: None,
            track: None,
            playback: None,
            music: None,
            pace: Pace::default(),
            author,
            mouths: 0,
            presses: Presses::default(),
            wire,
            remote: Remote::default(),
            former: Vec::new(),
            terms: None,
            secured: None,
            speaks: None,
            encoder: None,
            out,
            reception: Reception::default(),
            far: FarReports::default(),
            events: EventReader::default(),
            tones: None,
            heard: None,
            last_packet_us: 0,
            hush_us: 0,
            hushed_until_us: 0,
            sound_lost: false,
            held: false,
            refused_us: None,
            unheard: false,
            turn: 0,
            theirs: None,
            kept_until_us: 0,
            kept_sequence: 0,
            kept_key: false,
        }
    }

    /// Puts the keys of a description in force, before it is agreed or, with `answering`, answered. Errors: see [`Keys::settle`].
    ///
    /// [`Keys::settle`]: crate::media::sdes::Keys::settle
    pub fn settle_keys(&mut self, terms: &Terms, answering: bool) -> Result<(), MediaFailure> {
        match self.author.keys.settle(terms.crypto.as_ref(), answering, self.secured.as_deref_mut())? {
            Settled::Plain => self.secured = None,
            Settled::Same => {}
            Settled::Keyed(secured) => {
                if secured.begins_anew() {
                    self.out.rename();
                }
                self.secured = Some(secured);
            }
        }
        Ok(())
    }

    /// Puts terms in force. `signalled`: where their message came from. `hear_tones`: listen for keys in the sound if the far end sends no events.
    pub fn agree(&mut self, terms: Terms, signalled: Option<IpAddr>, hear_tones: bool, now_us: u64) {
        // RFC 2543's hold names no address; whom the leg speaks to is the same before and after.
        if !terms.muted {
            self.remote.aim(terms.address, signalled, now_us);
            if !self.remote.has_latched() {
                self.wire.let_go();
            }
        }
        let wanted = hear_tones && terms.event_type.is_none();
        self.tones = if wanted { self.tones.take().or_else(|| Some(Box::default())) } else { None };
        self.heard = self.heard.map(|_| now_us);
        if self.codec() != Some(terms.codec) {
            self.speaks = Some(terms.codec);
            self.encoder = Encoder::new(terms.codec).map(Box::new);
            self.out.set_steps_a_moment(steps_a_moment(terms.codec));
            self.reception.set_steps_a_moment(steps_a_moment(terms.codec));
        }
        self.terms = Some(terms);
    }

    /// Who speaks here.
    pub fn speaker(&self) -> Option<Speaker> {
        self.remote.latched().zip(self.reception.ssrc())
    }

    /// What it hears, once that is agreed.
    pub fn codec(&self) -> Option<Codec> {
        self.terms.as_ref().map(|terms| terms.codec)
    }

    /// What it speaks.
    pub fn speaks(&self) -> Option<Codec> {
        self.speaks
    }

    /// Takes note of what a packet of it was. Whether who hears it must be arranged anew, because its sound can no longer be passed on as before.
    pub fn spoke(&mut self, codec: Codec) -> bool {
        self.speaks.replace(codec).is_some_and(|before| !passes(before, codec))
    }

    /// Whether the far end holds (RFC 3264 §8.4: it wants nothing of ours), where that is other than was told last.
    pub fn hold_changed(&mut self) -> Option<bool> {
        let held = self.terms.as_ref().is_some_and(|terms| !terms.we_may_send());
        (std::mem::replace(&mut self.held, held) != held).then_some(held)
    }

    /// Its RTP port; a leg to a page has none.
    pub fn port(&self) -> Option<u16> {
        self.wire.port()
    }

    /// Packets of the far end that never arrived.
    pub fn lost(&self) -> u64 {
        self.reception.lost()
    }

    /// The leg hears the legs at these places from here on; `mixed`: decoded and added up, since they cannot be passed on as they are.
    pub fn hear(&mut self, mouths: &[usize], mixed: bool, now_us: u64) {
        self.mouths = mouths.len();
        let wide = self.codec().is_some_and(|codec| law(codec).is_none());
        self.mixer = mixed.then(|| Box::new(Mixer::new(mouths, wide)));
        if !mouths.is_empty() {
            self.open_the_line(now_us);
        }
    }

    /// Plays this in place of what plays.
    pub fn play(&mut self, playback: Playback, now_us: u64) {
        self.playback = Some(playback);
        self.open_the_line(now_us);
    }

    /// Whether its datagrams are worth reading on every tick: somebody hears it, or it hears somebody.
    pub fn is_talking(&self) -> bool {
        self.mouths > 0 || !self.ears.is_empty()
    }

    /// From the first order that carries sound on, frames go out and silence is watched.
    fn open_the_line(&mut self, now_us: u64) {
        self.heard.get_or_insert(now_us);
    }

    /// Reads the next datagram into `buffer`.
    pub fn receive(&mut self, buffer: &mut Buffer, now_us: u64, counters: &mut Counters) -> Heard {
        let arrived = self.wire.receive(buffer);
        self.heed_refusal(now_us);
        let Some((length, from)) = arrived else { return Heard::Nothing };
        counters.packets_in += 1;
        let Some(length) = self.opened(buffer, length) else {
            counters.unproven += 1;
            return Heard::Dropped;
        };
        let Some(datagram) = buffer.get(..length) else { return Heard::Dropped };
        let (Some(packet), Some(terms)) = (parse(datagram), &self.terms) else {
            counters.odd += 1;
            return Heard::Dropped;
        };
        let Some(kind) = kind_of(terms, packet.payload_type) else {
            counters.odd += 1;
            return Heard::Dropped;
        };
        let strays = !self.remote.has_latched() && self.former.contains(&(from, packet.ssrc));
        if strays || !self.remote.admits(from, now_us) {
            counters.foreign += 1;
            return Heard::Dropped;
        }
        if self.remote.is_final(now_us) && self.wire.keep_to(from) {
            self.kept_until_us = 0;
        }
        self.heard = self.heard.map(|_| now_us);
        (self.last_packet_us, self.hush_us, self.hushed_until_us, self.refused_us) = (now_us, 0, 0, None);
        if self.reception.note(&packet, now_us) == Novelty::Copy {
            return Heard::Dropped;
        }
        let payload = datagram.get(packet.begin..packet.end).unwrap_or_default();
        match kind {
            Kind::Sound(codec) => Heard::Sound(packet, codec),
            Kind::Event => Heard::Event(packet, self.events.read(&packet, payload)),
            Kind::Comfort => Heard::Dropped,
        }
    }

    /// The length of a datagram once it is opened; a plain one is open.
    fn opened(&mut self, buffer: &mut Buffer, length: usize) -> Option<usize> {
        match &mut self.secured {
            None => Some(length),
            Some(secured) => secured.open(buffer.get_mut(..length)?),
        }
    }

    /// Sends a packet as the leg's packets go. Whether it went out.
    fn transmit(&mut self, packet: &[u8], to: SocketAddr) -> bool {
        match &mut self.secured {
            None => self.wire.send(packet, to),
            Some(secured) => secured.seal(packet).is_some_and(|sealed| self.wire.send(sealed, to)),
        }
    }

    /// Nobody listens where the sound goes: after a pause it is tried again. A far end that speaks is believed to listen, so that a
    /// forged refusal silences nobody.
    fn heed_refusal(&mut self, now_us: u64) {
        if self.wire.was_refused() && now_us.saturating_sub(self.last_packet_us) > SPEAKS_US {
            self.hush_us = (self.hush_us * 2).clamp(HUSH_US, LONGEST_HUSH_US);
            self.hushed_until_us = now_us + self.hush_us;
            self.refused_us = Some((self.refused_us.map_or(now_us, |(first, _)| first), now_us));
        }
    }

    /// Where sound goes just now.
    fn listener(&self, now_us: u64) -> Option<SocketAddr> {
        self.remote.target().filter(|_| now_us >= self.hushed_until_us)
    }

    /// The key that is heard in this sound, where tones are listened for.
    pub fn tone(&mut self, codec: Codec, sound: &[u8]) -> Option<Digit> {
        self.tones.as_mut()?.hear(law(codec)?, sound)
    }

    /// Whether nothing has been heard for `limit_us`, or something again; told once each.
    pub fn watch_silence(&mut self, now_us: u64, limit_us: u64) -> Option<FromMedia> {
        let heard = self.heard?;
        let expected = self.terms.as_ref().is_some_and(Terms::they_send);
        let silent = expected && now_us.saturating_sub(heard) > limit_us;
        if silent == self.sound_lost {
            return None;
        }
        self.sound_lost = silent;
        Some(if silent { FromMedia::SoundLost { leg: self.id } } else { FromMedia::SoundBack { leg: self.id } })
    }

    /// Once a second: reads the far end's reports, and every five seconds sends ours, whatever is agreed about sound.
    pub fn exchange_reports(&mut self, buffer: &mut Buffer, clock: &Clock, now_us: u64) {
        if !self.turn.is_multiple_of(TURNS_A_LOOK) {
            return;
        }
        for _ in 0..REPORTS_A_LOOK {
            let Some((length, from, stamp)) = self.wire.receive_report(buffer) else { break };
            let expected = self.remote.target().is_some_and(|target| target.ip() == from.ip());
            if expected && let Some(report) = buffer.get_mut(..length) {
                // A datagram waits for the next look, a second at most.
                let waited_us = stamp.map_or(0, |stamp| clock.since_stamp_us(stamp)).min(MOST_WAITED_US);
                self.read_report(report, now_us.saturating_sub(waited_us));
            }
        }
        while let Some(told) = self.wire.told() {
            let our = self.sent(now_us);
            self.far.told(told, our);
        }
        if self.wire.is_page() {
            return;
        }
        if self.turn / TURNS_A_LOOK % LOOKS_A_REPORT == FIRST_REPORT {
            let received = self.reception.report();
            let sent = self.sent(now_us);
            let mut out = [0; MAX_REPORT];
            let length = write_report(&mut out, sent, &mut self.far, received, clock.now(), now_us);
            self.send_report(&out, length);
        }
    }

    fn read_report(&mut self, report: &mut [u8], at_us: u64) {
        let our = self.sent(at_us);
        let length = match &mut self.secured {
            None => Some(report.len()),
            Some(secured) => secured.open_report(report),
        };
        if let Some(report) = length.and_then(|length| report.get(..length)) {
            self.far.read(report, our, at_us);
        }
    }

    fn sent(&self, now_us: u64) -> Sent {
        let (packets, octets) = self.out.sent();
        Sent { ssrc: self.out.ssrc(), timestamp: self.out.timestamp_at(now_us), packets, octets }
    }

    /// Whether the far end hears us, where that can be known: told once when it ends, and when it is back.
    pub fn watch_hearing(&mut self, now_us: u64) -> Option<FromMedia> {
        if self.refused_us.is_some_and(|(_, last)| now_us.saturating_sub(last) > REFUSALS_OVER_US) {
            self.refused_us = None;
        }
        let refused = self.refused_us.is_some_and(|(first, last)| last.saturating_sub(first) >= REFUSED_FOR_US);
        let wanted = self.terms.as_ref().is_some_and(Terms::we_may_send);
        let unheard = wanted && (refused || self.far.says_unheard());
        if unheard == self.unheard {
            return None;
        }
        self.unheard = unheard;
        Some(FromMedia::Unheard { leg: self.id, unheard })
    }

    /// How good the leg's sound was; `None` for one that never carried any.
    pub fn quality(&self) -> Option<Quality> {
        let arrived = self.reception.arrived();
        let codec = self.terms.as_ref()?.codec;
        let steps = steps_a_moment(codec);
        let reported = self.far.reported().map(|reported| Reported { jitter_us: reported.jitter_us / steps, ..reported });
        let spoken = arrived.expected > 0 || reported.is_some();
        spoken.then(|| quality::of_leg(codec, arrived, reported, self.far.round_trip_us(), self.secured.is_some() || self.wire.is_page()))
    }

    /// Tells the far end that the stream is over, unless its system refuses what we send.
    pub fn say_goodbye(&mut self) {
        if self.out.sent().0 > 0 && self.refused_us.is_none() {
            let mut out = [0; MAX_REPORT];
            let length = write_bye(&mut out, self.out.ssrc());
            self.send_report(&out, length);
        }
    }

    fn send_report(&mut self, out: &[u8; MAX_REPORT], length: Option<usize>) {
        let to = self.terms.as_ref().and_then(|terms| self.remote.report_target(terms.report_port));
        let (Some(report), Some(to)) = (length.and_then(|length| out.get(..length)), to) else { return };
        let report = match &mut self.secured {
            None => Some(report),
            Some(secured) => secured.seal_report(report),
        };
        if let Some(report) = report {
            self.wire.send_report(report, to);
        }
    }
}

/// What an agreed payload type carries.
enum Kind {
    Sound(Codec),
    Event,
    /// Comfort noise (RFC 3389): it says that the line lives.
    Comfort,
}

/// `None` for a type that was not agreed. What has a static type keeps it whatever was preferred.
fn kind_of(terms: &Terms, number: u8) -> Option<Kind> {
    const COMFORT: u8 = 13;
    if number == terms.sound_type {
        return Some(Kind::Sound(terms.codec));
    }
    match of_static_type(number) {
        Some(codec) => Some(Kind::Sound(codec)),
        None if terms.event_type.is_some_and(|event| number == event || number == OUR_EVENT_TYPE) => Some(Kind::Event),
        None => (number == COMFORT).then_some(Kind::Comfort),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::UdpSocket;

    use super::*;
    use crate::centre::ids::CallId;
    use crate::centre::time::Time;
    use crate::media::codec::FRAME;
    use crate::media::persist::KEEP_EVERY_PACKETS;
    use crate::media::sdp;
    use crate::media::socket::SocketPair;

    pub fn leg() -> (Leg, SocketAddr) {
        let sockets = (42_130..42_160).step_by(2).find_map(|port| SocketPair::bind([127, 0, 0, 1].into(), port).ok()).unwrap();
        let local = SocketAddr::from(([127, 0, 0, 1], sockets.port()));
        let id = LegId { call: CallId(1), n: 0 };
        (Leg::new(id, Wire::Sockets(sockets), Author::new(local, 4), Outgoing::new(1, 0, 0)), local)
    }

    /// Packets of 5 ms, or a source that jumps, are more than the clock tells of.
    #[test]
    fn a_protected_stream_is_kept_anew_before_it_outruns_its_record() {
        let (mut leg, _) = leg();
        let offer =
            "m=audio 9 RTP/SAVP 8\nc=IN IP4 127.0.0.1\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";
        let terms = sdp::parse(offer).unwrap().terms(true).unwrap();
        leg.settle_keys(&terms, true).unwrap();
        leg.agree(terms, None, false, 0);
        leg.note_theirs(offer.to_owned(), None);
        let first = leg.record(|| Time(0), 0).unwrap();
        assert!(leg.has_kept_key() && leg.record(|| Time(0), 1).is_none());
        let send = |leg: &mut Leg, packets: u16| (0..packets).map(|_| leg.out.own(FRAME, 2)).count();
        send(&mut leg, KEEP_EVERY_PACKETS - 1);
        assert!(leg.record(|| Time(0), 2).is_none());
        send(&mut leg, 1);
        let second = leg.record(|| Time(0), 2).unwrap();
        assert_eq!(second.sequence.wrapping_sub(first.sequence), KEEP_EVERY_PACKETS);
        assert!(first.packets_protected(Time(0)).unwrap() > KEEP_EVERY_PACKETS.into());
        leg.secure(None);
        send(&mut leg, KEEP_EVERY_PACKETS);
        assert!(leg.record(|| Time(0), 3).is_none(), "a plain one gives nothing away");
    }

    /// The far end of a former call goes on sending to the port, from the host that this call's sound is promised from.
    #[test]
    fn who_spoke_at_the_port_before_is_not_taken_for_the_far_end() {
        let (mut leg, at) = leg();
        let [before, far] = [(); 2].map(|()| UdpSocket::bind("127.0.0.1:0").unwrap());
        let text = "m=audio 9 RTP/AVP 8\nc=IN IP4 127.0.0.1";
        leg.agree(sdp::parse(text).unwrap().terms(true).unwrap(), None, false, 0);
        leg.former = vec![(before.local_addr().unwrap(), 7)];
        let packet = |ssrc: u8| [&[0x80, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, ssrc][..], &[0xd5; FRAME]].concat();
        let mut hears = |socket: &UdpSocket, ssrc: u8| {
            socket.send_to(&packet(ssrc), at).unwrap();
            let (mut buffer, mut counters) = ([0; 2_048], Counters::default());
            (0..1_000).map(|_| leg.receive(&mut buffer, 1, &mut counters)).any(|heard| matches!(heard, Heard::Sound(..)))
        };
        assert!(!hears(&before, 7), "the former call's stream");
        assert!(hears(&far, 9));
        assert!(!hears(&before, 7));
    }

    #[test]
    fn a_hold_without_an_address_lets_no_stranger_in() {
        let (mut leg, _) = leg();
        let signalled = Some([127, 0, 0, 9].into());
        let mut agree = |text: &str, now_us| {
            leg.agree(sdp::parse(text).unwrap().terms(true).unwrap(), signalled, false, now_us);
            (leg.remote.target(), leg.remote.admits("127.0.0.9:4000".parse().unwrap(), now_us))
        };
        let named = "203.0.113.7:4000".parse().ok();
        assert_eq!(agree("m=audio 4000 RTP/AVP 8\nc=IN IP4 203.0.113.7", 0), (named, false));
        assert_eq!(agree("m=audio 4000 RTP/AVP 8\nc=IN IP4 0.0.0.0", 1), (named, false));
    }

    #[test]
    fn a_flood_of_reports_does_not_hold_the_thread() {
        let (mut leg, local) = leg();
        let flood = UdpSocket::bind("127.0.0.1:0").unwrap();
        for _ in 0..=REPORTS_A_LOOK {
            flood.send_to(&[0; 8], (local.ip(), local.port() + 1)).unwrap();
        }
        let mut buffer = [0; 2_048];
        leg.exchange_reports(&mut buffer, &Clock::of_process(), 0);
        assert!(leg.wire.receive_report(&mut buffer).is_some(), "one is left for the next look");
        assert!(leg.wire.receive_report(&mut buffer).is_none());
    }

    #[test]
    fn a_far_end_that_does_not_listen_is_tried_and_one_that_speaks_is_answered() {
        let (mut leg, local) = leg();
        let mut counters = Counters::default();
        let mut buffer: Buffer = [0; 2_048];
        let far = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = far.local_addr().unwrap();
        let text = format!("m=audio {} RTP/AVP 8\nc=IN IP4 127.0.0.1", address.port());
        leg.agree(sdp::parse(&text).unwrap().terms(true).unwrap(), None, false, 0);
        leg.hear(&[], false, 0);
        leg.open_the_line(0);
        drop(far);
        let mut turn = |leg: &mut Leg, n: u64| {
            let now_us = 5_000_000 + n * 20_000;
            while !matches!(leg.receive(&mut buffer, now_us, &mut counters), Heard::Nothing) {}
            leg.take_turn(now_us, &mut counters);
            counters.packets_out
        };
        let sent = (0..50).map(|n| turn(&mut leg, n)).last().unwrap();
        assert!((3..=8).contains(&sent), "{sent} packets in a second to nobody");
        let far = UdpSocket::bind(address).unwrap();
        let packet = [[0x80, 8, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9].as_slice(), &[0xd5; FRAME]].concat();
        far.send_to(&packet, local).unwrap();
        assert_eq!(turn(&mut leg, 50), sent + 1, "at once");
        assert_eq!(turn(&mut leg, 51), sent + 2);
    }
}
