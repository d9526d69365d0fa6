//! How does a leg come to be? Its ports are bound and its description written by whoever gives the order, so that the answer is
//! there at once and no thread is woken for it; the thread that will own the leg takes it up with its next tick.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::centre::ids::{LegId, SdpRef};
use crate::centre::input::{Codec, FromMedia, MediaFailure};
use crate::clock::Clock;
use crate::config;
use crate::media::codec::{payload_type, steps_a_moment};
use crate::media::leg::Leg;
use crate::media::negotiation::{Author, OUR_EVENT_TYPE};
use crate::media::persist::Record;
use crate::media::ports::Ports;
use crate::media::sdes::Keys;
use crate::media::sdp::{Description, Direction, Terms, essence, parse};
use crate::media::socket::SocketPair;
use crate::media::stream::Outgoing;
use crate::media::webrtc::line::Line;
use crate::media::wire::{PAGE, Wire};
use crate::sdp_book::SdpBook;

/// What a leg is made from. Binding two ports is some twenty microseconds of system calls, and never waits.
pub struct Opener {
    /// Our address, and what is listened for.
    pub config: config::Media,
    /// The ports of the process.
    pub ports: Arc<Ports>,
    /// Where descriptions lie.
    pub sdps: SdpBook,
    /// The time.
    pub clock: Clock,
}

impl Opener {
    /// A leg on ports of its own, and the report that holds its description: an answer where the far end has offered, else an offer.
    /// Errors: the offer is none that we can take, or there is no port.
    pub fn open(&self, id: LegId, offer: Option<SdpRef>) -> Result<(Leg, FromMedia), MediaFailure> {
        let address = self.config.address;
        let offered = offer.map(|sdp| read(&self.sdps, &self.config, sdp)).transpose()?;
        let now_us = self.clock.elapsed_us();
        let sockets = self.ports.bind(now_us, |port| SocketPair::bind(address, port)).ok_or(MediaFailure::NoPort)?;
        let [session, stream, timestamp] = random_numbers();
        let local = SocketAddr::new(address, sockets.port());
        // The upper half is left out: a stream whose first packets are lost must not seem to have wrapped (RFC 3711 §3.3.1).
        let out = Outgoing::new(stream as u32, (stream >> 32) as u16 & 0x7fff, timestamp as u32);
        let mut leg = Leg::new(id, Wire::Sockets(sockets), Author::new(local, session), out);
        leg.former = self.ports.former(local.port(), now_us);
        let sdp = match offered {
            None => self.sdps.put_offer(leg.author.offer(), leg.author.keys.securing()),
            Some(Read { description, terms, signalled, text }) => {
                if let Err(why) = leg.settle_keys(&terms, true) {
                    self.discard(&leg);
                    return Err(why);
                }
                leg.agree(terms.clone(), signalled, self.config.inband_digits, now_us);
                leg.note_theirs(text, signalled);
                self.sdps.put(leg.author.answer(&description, &terms))
            }
        };
        Ok((leg, FromMedia::Opened { leg: id, sdp }))
    }

    /// A leg of a former process on its own ports, as it was; `None` if they cannot be had, or its record is none that we can take.
    pub fn reopen(&self, id: LegId, record: Record) -> Option<Leg> {
        let address = self.config.address;
        let now_us = self.clock.elapsed_us();
        let (_, terms) = understood(record.theirs.reveal(), &self.config).ok()?;
        let now = self.clock.now();
        let mut keys = Keys::default();
        let (mut sequence, timestamp) = record.goes_on(now, steps_a_moment(terms.codec));
        let secured = match (&terms.crypto, &record.secured) {
            (None, _) => None,
            // Without its numbers it would be noise (RFC 3711 §3.3.1).
            (Some(_), None) => return None,
            (Some(theirs), Some(stand)) => {
                let next = stand.next(record.ssrc, record.sequence, record.packets_protected(now)?);
                sequence = next as u16;
                Some(keys.resume(stand, theirs, record.ssrc, next)?)
            }
        };
        if !self.ports.claim(record.port) {
            return None;
        }
        let Ok(sockets) = SocketPair::bind(address, record.port) else {
            self.ports.give_back(record.port, None, now_us);
            return None;
        };
        let mut author = Author::resume(SocketAddr::new(address, record.port), record.ours.reveal());
        author.keys = keys;
        let mut leg = Leg::new(id, Wire::Sockets(sockets), author, Outgoing::new(record.ssrc, sequence, timestamp));
        leg.secure(secured);
        leg.agree(terms, record.signalled, self.config.inband_digits, now_us);
        // The core knows from its journal who held; what is told is the next change.
        leg.hold_changed();
        record.latched.into_iter().for_each(|source| leg.settle(source));
        leg.note_theirs(record.theirs.into_inner(), record.signalled);
        Some(leg)
    }

    /// A leg to a page: what it speaks was agreed when the page was connected.
    pub fn attach(&self, id: LegId, line: Line, codec: Codec) -> Leg {
        let now_us = self.clock.elapsed_us();
        let [session, stream, timestamp] = random_numbers();
        let out = Outgoing::new(stream as u32, (stream >> 32) as u16 & 0x7fff, timestamp as u32);
        let mut leg = Leg::new(id, Wire::Page(line), Author::new(PAGE, session), out);
        leg.settle(PAGE);
        leg.agree(of_page(codec), None, false, now_us);
        leg.settle(PAGE);
        leg
    }

    /// Gives back the ports of a leg that nobody took up.
    pub fn discard(&self, leg: &Leg) {
        self.ports.give_back_of(leg, self.clock.elapsed_us());
    }
}

/// The terms of a leg to a page, whose own payload types the pages' thread knows.
fn of_page(codec: Codec) -> Terms {
    Terms {
        section: 0,
        address: Some(PAGE),
        report_port: 0,
        codec,
        sound_type: payload_type(codec),
        event_type: Some(OUR_EVENT_TYPE),
        event_steps: steps_a_moment(codec),
        direction: Direction::SendRecv,
        muted: false,
        crypto: None,
    }
}

/// A description of the far end, understood.
pub struct Read {
    /// Its sections.
    pub description: Description,
    /// What was taken of it.
    pub terms: Terms,
    /// Where its message came from.
    pub signalled: Option<IpAddr>,
    /// What is kept of it.
    pub text: String,
}

/// Takes a description out of the book, with the address that signalled it. One that is there no longer is as good as unreadable.
pub fn read(sdps: &SdpBook, config: &config::Media, sdp: SdpRef) -> Result<Read, MediaFailure> {
    let (text, signalled) = sdps.take_sourced(sdp).ok_or(MediaFailure::BadSdp)?;
    let (description, terms) = understood(&text, config)?;
    let text = essence(text, terms.section);
    Ok(Read { description, terms, signalled, text })
}

fn understood(text: &str, config: &config::Media) -> Result<(Description, Terms), MediaFailure> {
    let mut description = parse(text)?;
    description.crypto_on_avp = config.srtp_on_avp;
    let terms = description.terms(config.address.is_ipv4())?;
    Ok((description, terms))
}

/// Numbers that nobody outside can guess (RFC 3550 §5.1); zeros should the system have none, which costs nothing but that.
fn random_numbers() -> [u64; 3] {
    let mut bytes = [0u8; 24];
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "the system gives no random numbers: RTP streams can be guessed");
    }
    let mut numbers = [0; 3];
    for (number, eight) in numbers.iter_mut().zip(bytes.chunks_exact(8)) {
        *number = eight.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    }
    numbers
}
