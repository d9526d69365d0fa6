//! How do two ends hand each other their keys? Crypto lines in session descriptions (SDES, RFC 4568), and which of them a leg speaks by.

use std::fmt::Write;
use std::sync::{Arc, OnceLock};

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::centre::input::MediaFailure;
use crate::media::srtp::{Key, MAX_OVERHEAD, MOST_PACKETS, Receiving, Sending, Suite};
use crate::private::Private;

/// What we offer, the best known first: phones that read one line only read that one.
const OFFERED: [Suite; 3] = [Suite::AesCm80, Suite::AeadAes128, Suite::AeadAes256];

/// Room for a packet while it is protected; nothing that we send is longer.
const ROOM: usize = 2_048;

/// Reports that a former process may have sent since its record was written, and more: theirs are never numbered alike.
const REPORTS_AHEAD: u32 = 1_000;

/// Far ends leave the padding of a key out now and then.
const BASE64: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent));

/// One `a=crypto` line. It prints its suite, never its key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CryptoLine {
    /// Which of its author's lines it is; an answer repeats the tag of the one that it takes.
    pub tag: u32,
    /// With what its author protects what it sends.
    pub key: Key,
    /// Packets that the key protects at most.
    pub lifetime: u64,
}

impl CryptoLine {
    /// Reads `1 AES_CM_128_HMAC_SHA1_80 inline:KEY|2^20`. `None` for a line that we must not take: an unknown suite or parameter, a key of
    /// the wrong length, several keys or one with a number (MKI).
    pub fn read(value: &str) -> Option<CryptoLine> {
        let mut words = value.split_ascii_whitespace();
        let tag = words.next()?.parse().ok()?;
        let suite = Suite::of(words.next()?)?;
        let mut key = words.next()?.strip_prefix("inline:")?.split('|');
        let material = key.next()?;
        let lifetime = key.next().map_or(Some(MOST_PACKETS), lifetime_of)?;
        let harmless = words.all(|parameter| parameter.starts_with("WSH=") || parameter.starts_with('-'));
        if key.next().is_some() || !harmless {
            return None;
        }
        let mut bytes = Zeroizing::new([0; 64]);
        let length = BASE64.decode_slice(material, bytes.as_mut_slice()).ok()?;
        Some(CryptoLine { tag, key: Key::new(suite, bytes.get(..length)?)?, lifetime })
    }

    fn random(tag: u32, suite: Suite) -> Result<CryptoLine, MediaFailure> {
        let key = Key::random(suite).map_err(|error| {
            tracing::error!(%error, "a call gets no keys, because the system gives no random numbers");
            MediaFailure::Overloaded
        })?;
        Ok(CryptoLine { tag, key, lifetime: MOST_PACKETS })
    }

    /// Writes the attribute with its line end.
    pub fn write(&self, out: &mut String) {
        let _ = write!(out, "a=crypto:{}\r\n", Zeroizing::new(self.value()).as_str());
    }

    /// The attribute's value, as [`CryptoLine::read`] takes it.
    fn value(&self) -> String {
        let material = Zeroizing::new(BASE64.encode(self.key.material()));
        format!("{} {} inline:{}", self.tag, self.key.suite().name(), material.as_str())
    }
}

/// `2^20` or `1048576`; a second field with a colon is a key's number, which we do not take.
fn lifetime_of(text: &str) -> Option<u64> {
    match text.strip_prefix("2^") {
        Some(power) => 1u64.checked_shl(power.parse().ok()?),
        None => text.parse().ok(),
    }
}

/// The keys of one leg's descriptions, ours and the far end's.
#[derive(Default)]
pub struct Keys {
    /// What a secure offer of ours held; made when signalling asks for that offer, so that a plain leg has none.
    offered: Arc<OnceLock<Vec<CryptoLine>>>,
    agreed: Option<Agreed>,
    /// Keys of ours that were given up for others. None is taken up again: its numbers would begin anew. An offer holds few.
    given_up: Vec<Key>,
}

/// Both sides' lines.
struct Agreed {
    ours: CryptoLine,
    theirs: CryptoLine,
}

/// What the next process needs to go on under the same keys; theirs stands in their description.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Stand {
    /// Our crypto line.
    ours: Private<String>,
    /// Our stream and its highest number, if it has begun under this key.
    sent: Option<(u32, u64)>,
    /// The number of our next report.
    next_report: u32,
    /// The far end's streams and their highest numbers.
    heard: Vec<(u32, u64)>,
}

impl Stand {
    /// The number with which our stream goes on, `packets` above the one that was next: the low half is its sequence number.
    pub fn next(&self, ssrc: u32, sequence: u16, packets: u64) -> u64 {
        let low = u64::from(sequence);
        let next = match self.sent {
            // Whatever was next lies close to the highest that was sent.
            Some((known, highest)) if known == ssrc => {
                let same = highest & !0xffff | low;
                let near = [Some(same), same.checked_add(1 << 16), same.checked_sub(1 << 16)];
                near.into_iter().flatten().min_by_key(|index| index.abs_diff(highest)).unwrap_or(same).max(highest + 1)
            }
            Some(_) | None => low,
        };
        next.saturating_add(packets)
    }
}

/// What a description means for the packets.
pub enum Settled {
    /// They are plain.
    Plain,
    /// What we send is protected as it was.
    Same,
    /// They are protected by these keys from here on.
    Keyed(Box<Secured>),
}

impl Keys {
    /// Makes a secure offer of a plain one, should signalling want it: RTP/SAVP with a key a suite. Of no use without random numbers,
    /// when it stays without keys and the far end refuses it.
    pub fn securing(&self) -> impl FnOnce(&str) -> String + Send + 'static {
        let offered = self.offered.clone();
        move |plain| {
            if plain.contains("a=crypto:") {
                return plain.to_owned();
            }
            let lines = offered.get_or_init(|| {
                let lines = (1..).zip(OFFERED).map(|(tag, suite)| CryptoLine::random(tag, suite));
                lines.collect::<Result<_, _>>().unwrap_or_default()
            });
            let mut text = plain.replacen(" RTP/AVP ", " RTP/SAVP ", 1);
            lines.iter().for_each(|line| line.write(&mut text));
            text
        }
    }

    /// Our line of the answer.
    pub fn ours(&self) -> Option<&CryptoLine> {
        self.agreed.as_ref().map(|agreed| &agreed.ours)
    }

    /// A description of the far end with this line is in force. `answering`: it is an offer, to which `ours` is written next. `current` is
    /// what packets are protected by so far. Errors: an answer without the keys that were offered, or to an offer without keys.
    pub fn settle(&mut self, theirs: Option<&CryptoLine>, answering: bool, current: Option<&mut Secured>) -> Result<Settled, MediaFailure> {
        let Some(theirs) = theirs else {
            if !answering && (self.agreed.is_some() || self.offered.get().is_some()) {
                return Err(MediaFailure::NoCodec);
            }
            let before = self.agreed.take();
            self.give_up(before);
            return Ok(Settled::Plain);
        };
        let ours = if answering { self.answer_to(theirs)? } else { self.accepted(theirs)? };
        let before = self.agreed.replace(Agreed { ours: ours.clone(), theirs: theirs.clone() });
        match (before, current) {
            // One key, one count: what is sent under it goes on, or numbers would protect two packets each.
            (Some(before), Some(current)) if before.ours.key == ours.key => {
                let heard = before.theirs.key == theirs.key || current.hear_by(theirs).is_some();
                heard.then_some(Settled::Same).ok_or(MediaFailure::NoCodec)
            }
            (before, current) => {
                self.give_up(before);
                Secured::new(&ours, theirs, current).map(|secured| Settled::Keyed(Box::new(secured))).ok_or(MediaFailure::NoCodec)
            }
        }
    }

    /// Notes a line of our offer that is not spoken by any more; other keys of ours are never found again.
    fn give_up(&mut self, before: Option<Agreed>) {
        let offered = |key: &Key| self.offered.get().is_some_and(|lines| lines.iter().any(|line| line.key == *key));
        let key = before.map(|before| before.ours.key).filter(|key| offered(key) && !self.given_up.contains(key));
        self.given_up.extend(key);
    }

    /// Goes on under the keys of a former process: ours as it was kept, `theirs` as their description says. `None` for a record that is none.
    pub fn resume(&mut self, stand: &Stand, theirs: &CryptoLine, ssrc: u32, next: u64) -> Option<Box<Secured>> {
        let ours = CryptoLine::read(stand.ours.reveal())?;
        let sending = Sending::resume(&ours.key, ssrc, next.checked_sub(1)?, stand.next_report.saturating_add(REPORTS_AHEAD))?;
        let receiving = Receiving::resume(&theirs.key, theirs.lifetime, &stand.heard)?;
        self.agreed = Some(Agreed { ours, theirs: theirs.clone() });
        Some(Box::new(Secured { sending, receiving, former: None, room: [0; ROOM], begins_anew: false }))
    }

    /// The same key for an offer that repeats its key, a new one for a new one.
    fn answer_to(&self, theirs: &CryptoLine) -> Result<CryptoLine, MediaFailure> {
        match &self.agreed {
            Some(agreed) if agreed.theirs.key == theirs.key => Ok(CryptoLine { tag: theirs.tag, ..agreed.ours.clone() }),
            _ => CryptoLine::random(theirs.tag, theirs.key.suite()),
        }
    }

    /// Which line of ours the far end has taken (RFC 4568 §5.1.3): of the last description if it was offered again, or of the first offer.
    fn accepted(&self, theirs: &CryptoLine) -> Result<CryptoLine, MediaFailure> {
        let lines = self.ours().into_iter().chain(self.offered.get().into_iter().flatten());
        let is_free = |line: &&CryptoLine| !self.given_up.contains(&line.key);
        let taken = lines.filter(is_free).find(|line| line.tag == theirs.tag && line.key.suite() == theirs.key.suite());
        taken.cloned().ok_or(MediaFailure::NoCodec)
    }
}

/// Protection of one leg's packets in both directions.
pub struct Secured {
    sending: Sending,
    receiving: Receiving,
    /// What the far end used before; packets that were on their way are opened by it until the first under the new key is there.
    former: Option<Receiving>,
    room: [u8; ROOM],
    begins_anew: bool,
}

impl Secured {
    fn new(ours: &CryptoLine, theirs: &CryptoLine, current: Option<&mut Secured>) -> Option<Secured> {
        let sending = Sending::new(&ours.key)?;
        let begins_anew = current.as_ref().is_some_and(|current| current.sending.has_rolled_over());
        let receiving = Receiving::new(&theirs.key, theirs.lifetime, current.as_ref().map(|current| &current.receiving))?;
        let former = current.and_then(|current| {
            let spare = Receiving::new(&theirs.key, 0, None)?;
            Some(std::mem::replace(&mut current.receiving, spare))
        });
        Some(Secured { sending, receiving, former, room: [0; ROOM], begins_anew })
    }

    /// Their key is another from here on, ours stays.
    fn hear_by(&mut self, theirs: &CryptoLine) -> Option<()> {
        let receiving = Receiving::new(&theirs.key, theirs.lifetime, Some(&self.receiving))?;
        self.former = Some(std::mem::replace(&mut self.receiving, receiving));
        Some(())
    }

    /// What the next process needs of it; `ours` is the line that it sends by.
    pub fn stand(&self, ours: &CryptoLine) -> Stand {
        let (sent, next_report) = self.sending.stands();
        Stand { ours: Private::new(ours.value()), sent, next_report, heard: self.receiving.stands() }
    }

    /// Whether our stream must get a new name with the new key: its rollover counter is above zero, and far ends disagree on what a new
    /// key does to that.
    pub fn begins_anew(&self) -> bool {
        self.begins_anew
    }

    /// The packet protected; `None` if it must not go out.
    pub fn seal(&mut self, packet: &[u8]) -> Option<&[u8]> {
        self.lay_out(packet)?;
        let end = self.sending.protect(&mut self.room, packet.len())?;
        self.room.get(..end)
    }

    /// The report protected.
    pub fn seal_report(&mut self, report: &[u8]) -> Option<&[u8]> {
        self.lay_out(report)?;
        let end = self.sending.protect_report(&mut self.room, report.len())?;
        self.room.get(..end)
    }

    fn lay_out(&mut self, packet: &[u8]) -> Option<()> {
        let fits = packet.len() + MAX_OVERHEAD <= ROOM;
        self.room.get_mut(..packet.len()).filter(|_| fits)?.copy_from_slice(packet);
        Some(())
    }

    /// Opens a packet where it lies; its new length, or `None` for one that is not authentic or was here before.
    pub fn open(&mut self, packet: &mut [u8]) -> Option<usize> {
        if let Some(length) = self.receiving.open(packet) {
            self.former = None;
            return Some(length);
        }
        self.former.as_mut()?.open(packet)
    }

    /// Opens a report where it lies.
    pub fn open_report(&mut self, report: &mut [u8]) -> Option<usize> {
        self.receiving.open_report(report).or_else(|| self.former.as_mut()?.open_report(report))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const LINE: &str = "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj";

    fn packet(sequence: u16) -> Vec<u8> {
        let [high, low] = sequence.to_be_bytes();
        [&[0x80, 8, high, low, 0, 0, 0, 1, 0, 0, 0, 9][..], &[0xd5; 160]].concat()
    }

    /// Whether what one end sends is understood by the other.
    fn passes(from: &mut Secured, to: &mut Secured, sequence: u16) -> bool {
        let mut sent = from.seal(&packet(sequence)).unwrap().to_vec();
        let length = to.open(&mut sent);
        length.is_some_and(|length| sent[..length] == packet(sequence))
    }

    fn keyed(settled: Settled) -> Box<Secured> {
        match settled {
            Settled::Keyed(secured) => secured,
            Settled::Plain => panic!("plain"),
            Settled::Same => panic!("the same"),
        }
    }

    #[test]
    fn a_line_is_read_as_it_is_written() {
        let read = CryptoLine::read(LINE).unwrap();
        assert_eq!((read.tag, read.key.suite(), read.lifetime), (1, Suite::AesCm80, MOST_PACKETS));
        let mut text = String::new();
        read.write(&mut text);
        assert_eq!(text, format!("a=crypto:{LINE}\r\n"));
        assert_eq!(CryptoLine::read(&format!("{LINE}|2^20 WSH=64")).unwrap().lifetime, 1 << 20);
        assert_eq!(CryptoLine::read(&format!("{LINE}|1000")).unwrap().lifetime, 1_000);
        assert!(!format!("{read:?}").contains("d0Rm"));
        let padded = "2 AEAD_AES_128_GCM inline:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGw==";
        assert_eq!(CryptoLine::read(padded), CryptoLine::read(padded.trim_end_matches('=')));
        assert!(CryptoLine::read(padded).is_some());
    }

    #[test]
    fn what_we_cannot_keep_is_not_taken() {
        for odd in [
            "1 F8_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj",
            "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSo",
            "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|2^20|1:4",
            "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj|1:4",
            "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj UNENCRYPTED_SRTP",
            "1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj KDR=4",
            "1 AES_CM_128_HMAC_SHA1_80",
            "x",
            "",
        ] {
            assert_eq!(CryptoLine::read(odd), None, "{odd}");
        }
    }

    #[test]
    fn offer_and_answer_key_both_ends() {
        let (mut us, mut them) = (Keys::default(), Keys::default());
        let offer = us.securing()("v=0\r\nm=audio 4000 RTP/AVP 8 101\r\na=sendrecv\r\n");
        assert!(offer.contains("m=audio 4000 RTP/SAVP 8 101\r\n"));
        let offered: Vec<CryptoLine> =
            offer.lines().filter_map(|line| line.strip_prefix("a=crypto:")).map(|line| CryptoLine::read(line).unwrap()).collect();
        assert_eq!(offered.iter().map(|line| line.key.suite()).collect::<Vec<_>>(), OFFERED);
        for line in &offered {
            let mut theirs = keyed(them.settle(Some(line), true, None).unwrap());
            let answer = them.ours().unwrap().clone();
            assert_eq!((answer.tag, answer.key == line.key), (line.tag, false));
            let mut ours = keyed(us.settle(Some(&answer), false, None).unwrap());
            assert!(passes(&mut ours, &mut theirs, 1) && passes(&mut theirs, &mut ours, 1));
            assert!(ours.seal(&packet(1)).is_none(), "a number once");
        }
        assert!(matches!(us.settle(None, false, None), Err(MediaFailure::NoCodec)), "an answer must not be less than the offer");
        let stranger = CryptoLine { tag: 9, ..offered[0].clone() };
        assert!(matches!(us.settle(Some(&stranger), false, None), Err(MediaFailure::NoCodec)));
        assert!(matches!(Keys::default().settle(Some(&offered[0]), false, None), Err(MediaFailure::NoCodec)), "nor more");
        assert!(matches!(Keys::default().settle(None, false, None), Ok(Settled::Plain)));
    }

    #[test]
    fn a_later_process_goes_on_under_the_same_keys_and_repeats_no_number() {
        let (mut us, mut them) = (Keys::default(), Keys::default());
        let offer = us.securing()("v=0\r\nm=audio 4000 RTP/AVP 8 101\r\na=sendrecv\r\n");
        let line = offer.lines().find_map(|line| CryptoLine::read(line.strip_prefix("a=crypto:")?)).unwrap();
        let mut theirs = keyed(them.settle(Some(&line), true, None).unwrap());
        let answer = them.ours().unwrap().clone();
        let mut ours = keyed(us.settle(Some(&answer), false, None).unwrap());
        // Both streams wrap once, so that the rollover counter counts.
        for sequence in [0x7ff0_u16, 0xffee, 0x0010] {
            assert!(passes(&mut ours, &mut theirs, sequence) && passes(&mut theirs, &mut ours, sequence));
        }
        let kept = serde_json::to_string(&ours.stand(us.ours().unwrap())).unwrap();
        assert!(!format!("{:?}", ours.stand(us.ours().unwrap())).contains("inline"), "no key is printed");
        for sequence in 0x0011..0x0020 {
            assert!(passes(&mut ours, &mut theirs, sequence), "sent since, and known to nobody");
        }
        let stand: Stand = serde_json::from_str(&kept).unwrap();
        let next = stand.next(9, 0x0011, 1_600);
        assert_eq!(next, (1 << 16) + 0x0011 + 1_600);
        let mut keys = Keys::default();
        let mut later = keys.resume(&stand, &answer, 9, next).unwrap();
        assert!(later.seal(&packet(0x0018)).is_none(), "a number that may have been used");
        assert!(passes(&mut later, &mut theirs, next as u16));
        let mut again = theirs.seal(&packet(0x0011)).unwrap().to_vec();
        let copy = again.clone();
        assert!(later.open(&mut again).is_some() && later.open(&mut copy.clone()).is_none());
        assert!(passes(&mut theirs, &mut later, 0x7000), "ten minutes later");
        assert!(matches!(keys.settle(Some(&answer), false, Some(&mut later)), Ok(Settled::Same)), "the same answer changes nothing");
    }

    #[test]
    fn a_new_key_on_the_way_loses_nothing_and_the_same_changes_nothing() {
        let (mut us, mut them) = (Keys::default(), Keys::default());
        let first = CryptoLine::random(1, Suite::AesCm80).unwrap();
        let mut ours = keyed(us.settle(Some(&first), true, None).unwrap());
        them.agreed = Some(Agreed { ours: first.clone(), theirs: us.ours().unwrap().clone() });
        let mut theirs = Secured::new(&first, us.ours().unwrap(), None).unwrap();
        assert!(passes(&mut theirs, &mut ours, 1) && passes(&mut ours, &mut theirs, 1));
        assert!(matches!(us.settle(Some(&first), true, Some(&mut ours)), Ok(Settled::Same)));

        let second = CryptoLine::random(1, Suite::AesCm80).unwrap();
        let former = us.ours().unwrap().clone();
        let mut ours = keyed(us.settle(Some(&second), true, Some(&mut ours)).unwrap());
        assert!(us.ours().unwrap().key != former.key);
        assert!(passes(&mut theirs, &mut ours, 2), "sent before the far end had our answer");
        let mut theirs = Secured::new(&second, us.ours().unwrap(), Some(&mut theirs)).unwrap();
        assert!(passes(&mut theirs, &mut ours, 3) && passes(&mut ours, &mut theirs, 2));
        assert!(ours.former.is_none());
        assert!(!ours.begins_anew());
    }

    /// Our offer holds our own line again; the answer takes it and brings another key.
    #[test]
    fn an_answer_with_a_new_key_leaves_our_numbers_where_they_are() {
        let (mut us, mut them) = (Keys::default(), Keys::default());
        let offer = us.securing()("v=0\r\nm=audio 4000 RTP/AVP 8 101\r\na=sendrecv\r\n");
        let line = offer.lines().find_map(|line| CryptoLine::read(line.strip_prefix("a=crypto:")?)).unwrap();
        them.settle(Some(&line), true, None).unwrap();
        let first = them.ours().unwrap().clone();
        let mut ours = keyed(us.settle(Some(&first), false, None).unwrap());
        let report = [0x80, 201, 0, 1, 0, 0, 0, 9];
        let (sound, said) = (ours.seal(&packet(7)).unwrap().to_vec(), ours.seal_report(&report).unwrap().to_vec());
        let second = CryptoLine { key: Key::random(Suite::AesCm80).unwrap(), ..first.clone() };
        assert!(matches!(us.settle(Some(&second), false, Some(&mut ours)), Ok(Settled::Same)));
        assert_eq!(us.agreed.as_ref().unwrap().theirs, second);
        assert_ne!(ours.seal_report(&report).unwrap(), said, "the report's number goes on");
        assert_eq!(ours.sending.stands().1, 2);
        assert!(ours.seal(&packet(7)).is_none() && ours.seal(&packet(8)).unwrap() != sound, "and so does the sound's");
        let mut theirs = Secured::new(&second, &line, None).unwrap();
        let mut late = Secured::new(&first, &line, None).unwrap();
        assert!(passes(&mut late, &mut ours, 3), "what was on its way");
        assert!(passes(&mut theirs, &mut ours, 4) && ours.former.is_none());
    }

    #[test]
    fn a_key_of_ours_that_was_given_up_is_not_taken_up_again() {
        let mut us = Keys::default();
        let offer = us.securing()("v=0\r\nm=audio 4000 RTP/AVP 8 101\r\na=sendrecv\r\n");
        let lines: Vec<CryptoLine> = offer.lines().filter_map(|line| CryptoLine::read(line.strip_prefix("a=crypto:")?)).collect();
        let answer = |line: &CryptoLine| CryptoLine { key: Key::random(line.key.suite()).unwrap(), ..line.clone() };
        let mut ours = keyed(us.settle(Some(&answer(&lines[0])), false, None).unwrap());
        let mut ours = keyed(us.settle(Some(&answer(&lines[1])), false, Some(&mut ours)).unwrap());
        assert!(us.settle(Some(&answer(&lines[0])), false, Some(&mut ours)).is_err());
        assert!(matches!(us.settle(Some(&answer(&lines[1])), false, Some(&mut ours)), Ok(Settled::Same)));
    }
}
