//! How does sound cross between a leg's media thread and the thread of the pages? By two bounded rings of RTP packets, one each way.
//!
//! Nobody is woken for a packet: both threads look on their ticks of 5 ms, as they look at sockets. A ring that is full has a reader that
//! has hung for a third of a second; then the newest packet is left out and counted, as a network would lose it.

use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};

use crate::media::rtcp::Told;

/// Packets that wait in a ring: 320 ms of sound at 20 ms each.
const PLACES: usize = 16;
/// Bytes of the longest packet: 60 ms of G.711 with its header; nothing longer is agreed with a page.
const LONGEST: usize = 512;
/// Reports that wait; one comes every five seconds, and a newer one says more.
const REPORTS: usize = 2;

/// An RTP packet that is not protected.
pub struct Datagram {
    length: usize,
    bytes: [u8; LONGEST],
}

impl Datagram {
    /// `None` for one that is too long.
    fn new(parts: [&[u8]; 2]) -> Option<Datagram> {
        let mut datagram = Datagram { length: 0, bytes: [0; LONGEST] };
        for part in parts {
            let end = datagram.length + part.len();
            datagram.bytes.get_mut(datagram.length..end)?.copy_from_slice(part);
            datagram.length = end;
        }
        Some(datagram)
    }

    /// The packet.
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

/// The leg's end.
pub struct Line {
    to_page: SyncSender<Datagram>,
    from_page: Receiver<Datagram>,
    told: Receiver<Told>,
}

/// The other end, which the thread of the pages holds.
pub struct PageEnd {
    to_leg: SyncSender<Datagram>,
    from_leg: Receiver<Datagram>,
    tell: SyncSender<Told>,
}

/// A line with both its ends.
pub fn line() -> (Line, PageEnd) {
    let (to_page, from_leg) = sync_channel(PLACES);
    let (to_leg, from_page) = sync_channel(PLACES);
    let (tell, told) = sync_channel(REPORTS);
    (Line { to_page, from_page, told }, PageEnd { to_leg, from_leg, tell })
}

impl Line {
    /// The next packet of the page, copied to the beginning of `buffer`; its length.
    pub fn receive(&self, buffer: &mut [u8]) -> Option<usize> {
        let datagram = self.from_page.try_recv().ok()?;
        let bytes = datagram.bytes();
        buffer.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(bytes.len())
    }

    /// Sends a packet to the page, whichever page that is at the moment. Whether there was room.
    pub fn send(&self, packet: &[u8]) -> bool {
        put(&self.to_page, [packet, &[]])
    }

    /// What the page has reported.
    pub fn told(&self) -> Option<Told> {
        self.told.try_recv().ok()
    }
}

impl PageEnd {
    /// The next packet of the leg. Errors: the leg is closed.
    pub fn receive(&self) -> Result<Option<Datagram>, Closed> {
        match self.from_leg.try_recv() {
            Ok(datagram) => Ok(Some(datagram)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err(Closed),
        }
    }

    /// Gives the leg a packet of the page.
    pub fn send(&self, header: &[u8], payload: &[u8]) {
        put(&self.to_leg, [header, payload]);
    }

    /// Tells the leg what the page reports of its stream.
    pub fn tell(&self, told: Told) {
        // A leg that has not read the last two reads them first.
        let _ = self.tell.try_send(told);
    }
}

/// The leg at the other end is closed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Closed;

fn put(ring: &SyncSender<Datagram>, parts: [&[u8]; 2]) -> bool {
    let put = Datagram::new(parts).is_some_and(|datagram| ring.try_send(datagram).is_ok());
    if !put {
        metrics::counter!("cityline_media_page_packets_lost_total").increment(1);
    }
    put
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_one_end_sends_the_other_reads_in_order() {
        let (leg, page) = line();
        assert!(leg.send(b"one") && leg.send(b"two"));
        assert_eq!(page.receive().unwrap().unwrap().bytes(), b"one");
        assert_eq!(page.receive().unwrap().unwrap().bytes(), b"two");
        assert!(page.receive().unwrap().is_none());
        page.send(b"head", b"sound");
        let mut buffer = [0; 2_048];
        assert_eq!(leg.receive(&mut buffer), Some(9));
        assert_eq!(&buffer[..9], b"headsound");
    }

    #[test]
    fn a_full_ring_loses_the_newest_and_an_overlong_packet_goes_nowhere() {
        let (leg, page) = line();
        assert!((0..PLACES).all(|n| leg.send(&[n as u8])));
        assert!(!leg.send(b"late"));
        assert_eq!(page.receive().unwrap().unwrap().bytes(), [0]);
        assert!(!leg.send(&[0; LONGEST + 1]));
        drop(leg);
        assert!((1..PLACES).all(|_| page.receive().is_ok()));
        assert!(page.receive().is_err());
    }
}
