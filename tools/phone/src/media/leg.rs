//! One side of one call's sound: what it sends every 20 ms and what becomes of what comes in.

use std::net::{SocketAddrV4, UdpSocket};

use super::capture::Heard;
use super::codec::Codec;
use super::dtmf::{Keypad, Listener};
use super::rtp::{self, HEADER_BYTES, Header};
use super::sound::{PACKET_SAMPLES, Playing, Sound};
use super::srtp::{Keys, Session, TAG_BYTES};
use crate::judge::chirp::Said;
use crate::sys::{self, Arrival};

/// What was agreed with the far end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Far {
    pub address: SocketAddrV4,
    pub codec: Codec,
    /// Payload type for telephone events; without one keys cannot be sent.
    pub events: Option<u8>,
    /// Does the far end want to hear us?
    pub listens: bool,
    /// With what both sides protect their sound; none: it is plain.
    pub keys: Option<Keys>,
}

/// What a packet that came in meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noticed {
    /// The first packet of all.
    FirstPacket,
    /// The first sound that is not silence; told of G.711 alone, which is read as it comes.
    FirstSound,
    Digit(char),
}

/// Level from which a packet counts as sound: about −40 dB of full scale.
const AUDIBLE: i16 = 300;

/// A socket and the two directions on it.
#[derive(Debug)]
pub struct Leg {
    socket: UdpSocket,
    far: Option<Far>,
    /// What goes out and what comes in, where it is protected.
    secure: Option<Box<[Session; 2]>>,
    detour: Option<SocketAddrV4>,
    playing: Playing,
    keypad: Keypad,
    event_timestamp: u32,
    header: Header,
    /// Packets sent.
    pub sent: u64,
    said: Said,
    heard: Heard,
    listener: Listener,
    audible: bool,
}

impl Leg {
    pub(super) fn new(socket: UdpSocket, sound: Sound, keep_packets: usize, ssrc: u32) -> Self {
        let header = Header { marker: true, payload_type: 8, sequence: ssrc as u16 & 0x7fff, timestamp: ssrc.rotate_left(16), ssrc };
        let said = Said::for_sound(&sound);
        Self {
            socket,
            far: None,
            secure: None,
            detour: None,
            playing: Playing::new(sound),
            keypad: Keypad::default(),
            event_timestamp: 0,
            header,
            sent: 0,
            said,
            heard: Heard::with_limit(keep_packets),
            listener: Listener::default(),
            audible: false,
        }
    }

    /// The port on which it receives.
    pub fn port(&self) -> Option<u16> {
        self.socket.local_addr().ok().map(|address| address.port())
    }

    /// Sends to that side from the next 20 ms on.
    pub fn connect(&mut self, far: Far) {
        if self.far.and_then(|far| far.keys) != far.keys {
            self.secure = far.keys.map(|keys| Box::new([Session::new(&keys.ours), Session::new(&keys.theirs)]));
        }
        self.far = Some(far);
    }

    /// Sends to another address than the agreed one: a relay on the way.
    pub fn detour(&mut self, by: SocketAddrV4) {
        self.detour = Some(by);
    }

    /// What was agreed, once it was.
    pub fn far(&self) -> Option<Far> {
        self.far
    }

    /// Says something else from the next 20 ms on.
    pub fn say(&mut self, sound: Sound) {
        self.said = Said::for_sound(&sound);
        self.playing = Playing::new(sound);
    }

    /// Presses keys, sent as RFC 4733 events.
    pub fn press(&mut self, keys: &str) {
        self.keypad.press(keys);
    }

    /// Are keys still to be sent?
    pub fn is_pressing(&self) -> bool {
        self.keypad.is_busy()
    }

    /// What came in so far.
    pub fn heard(&self) -> &Heard {
        &self.heard
    }

    /// Begins the counts of what comes in anew.
    pub fn reset_arrivals(&mut self) {
        self.heard.arrivals.reset();
    }

    /// Forgets the sound that was kept so far.
    pub fn forget_sound(&mut self) {
        self.heard.forget_sound();
    }

    /// When the numbered chirps went out so far.
    pub fn said(&self) -> &Said {
        &self.said
    }

    /// Gives up the records of both directions.
    pub fn into_records(self) -> (Heard, Said) {
        (self.heard, self.said)
    }

    /// Sends what is due in this 20 ms.
    pub(super) fn send(&mut self) {
        let Some(far) = self.far.filter(|far| far.listens) else { return };
        self.header.timestamp = self.header.timestamp.wrapping_add(PACKET_SAMPLES as u32 * far.codec.steps());
        let event = far.events.and_then(|number| Some((number, self.keypad.tick()?)));
        if let Some((number, event)) = event {
            if event.first {
                self.event_timestamp = self.header.timestamp;
            }
            let header = Header { marker: event.first, payload_type: number, timestamp: self.event_timestamp, ..self.header };
            self.transmit(header, &event.payload, far);
            return;
        }
        if matches!(self.playing.sound, Sound::Nothing | Sound::Echo) {
            return;
        }
        let mut payload = [0; PACKET_SAMPLES];
        let Some(filled) = self.playing.fill(far.codec, &mut payload) else { return };
        if filled.chirp {
            self.said.mark(sys::wall_ns());
        }
        let header = Header { marker: self.sent == 0, payload_type: far.codec.payload_type(), ..self.header };
        self.transmit(header, payload.get(..filled.length).unwrap_or_default(), far);
    }

    fn transmit(&mut self, header: Header, payload: &[u8], far: Far) {
        let mut packet = [0; HEADER_BYTES + PACKET_SAMPLES + TAG_BYTES];
        let mut length = HEADER_BYTES + payload.len();
        packet[..HEADER_BYTES].copy_from_slice(&header.to_bytes());
        if let Some(room) = packet.get_mut(HEADER_BYTES..length) {
            room.copy_from_slice(payload);
        }
        if let Some([outgoing, _]) = self.secure.as_deref_mut() {
            length = outgoing.protect(&mut packet, length).unwrap_or(length);
        }
        // A send that fails is a lost packet: the far end's judge sees it.
        let _ = self.socket.send_to(packet.get(..length).unwrap_or(&packet), self.detour.unwrap_or(far.address));
        self.sent += 1;
        self.header.sequence = self.header.sequence.wrapping_add(1);
    }

    /// Takes one datagram out of the socket; none when it is empty.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Option<Notices> {
        let arrival = sys::receive(&self.socket, buffer)?;
        let packet = buffer.get_mut(..arrival.length).unwrap_or_default();
        let opened = self.open(packet);
        Some(self.take(packet.get(..opened).unwrap_or_default(), arrival))
    }

    /// Decrypts a packet where the leg is protected; its length. What is not authentic has none, so that it counts as foreign.
    fn open(&mut self, packet: &mut [u8]) -> usize {
        match self.secure.as_deref_mut() {
            Some([_, incoming]) if !is_report(packet) => incoming.open(packet).unwrap_or(0),
            _ => packet.len(),
        }
    }

    fn take(&mut self, packet: &[u8], arrival: Arrival) -> Notices {
        let mut noticed = Notices::default();
        let Some((header, payload)) = rtp::parse(packet) else {
            // RTCP may come to the same port (RFC 5761); anything else is a fault to be counted.
            self.heard.arrivals.foreign += u64::from(!is_report(packet));
            return noticed;
        };
        if matches!(self.playing.sound, Sound::Echo) {
            let _ = self.socket.send_to(packet, arrival.from);
            self.sent += 1;
        }
        let first = self.heard.arrivals.packets == 0;
        match Codec::of_payload_type(header.payload_type) {
            Some(codec) => {
                self.heard.arrivals.count(header, arrival.at_ns);
                noticed.put(first.then_some(Noticed::FirstPacket));
                self.heard.keep(header, codec, payload, arrival.at_ns);
                noticed.put(self.first_sound(codec, payload));
            }
            None if self.far.is_some_and(|far| far.events == Some(header.payload_type)) => {
                self.heard.arrivals.count(header, arrival.at_ns);
                let key = self.listener.hear(header.timestamp, payload);
                self.heard.digits.extend(key.map(|key| (arrival.at_ns, key)));
                noticed.put(key.map(Noticed::Digit));
            }
            None => self.heard.arrivals.foreign += 1,
        }
        noticed
    }

    fn first_sound(&mut self, codec: Codec, payload: &[u8]) -> Option<Noticed> {
        let law = codec.law()?;
        if self.audible || !payload.iter().any(|byte| law.decode(*byte).abs() > AUDIBLE) {
            return None;
        }
        self.audible = true;
        Some(Noticed::FirstSound)
    }
}

fn is_report(packet: &[u8]) -> bool {
    packet.get(1).is_some_and(|kind| (200..=204).contains(kind))
}

/// What one packet meant: at most two things, kept without the heap.
#[derive(Clone, Copy, Debug, Default)]
pub struct Notices([Option<Noticed>; 2]);

impl Notices {
    fn put(&mut self, what: Option<Noticed>) {
        if let Some(place) = self.0.iter_mut().find(|place| place.is_none()) {
            *place = what;
        }
    }

    /// The things noticed, in order.
    pub fn iter(self) -> impl Iterator<Item = Noticed> {
        self.0.into_iter().flatten()
    }
}
