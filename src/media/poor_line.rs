//! What does a bad line do to packets? A seeded line that loses in bursts, delays, swaps and doubles, between a sender and a receiver whose
//! clocks differ; and speech to send over it.
#![allow(clippy::unwrap_used)]

use std::process::Command;

use super::rtp::Packet;

/// What the line does.
#[derive(Clone, Copy)]
pub struct PoorLine {
    pub seed: u64,
    /// Of a thousand packets; they go in bursts of two on average.
    pub lost: u64,
    /// Each packet is late by up to so much, independently, so that neighbours swap places.
    pub jitter_us: u64,
    /// Of a thousand packets.
    pub doubled: u64,
    /// How much the sender's clock is fast, in millionths.
    pub fast_ppm: i64,
}

/// A good line.
pub const GOOD: PoorLine = PoorLine { seed: 1, lost: 0, jitter_us: 0, doubled: 0, fast_ppm: 0 };

/// 5 % loss in bursts, 50 ms of jitter with reordering, and duplicates.
pub const BAD: PoorLine = PoorLine { seed: 3, lost: 50, jitter_us: 50_000, doubled: 10, fast_ppm: 0 };

/// A packet that arrives: when, and which of the sender's it is.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub at_us: u64,
    pub n: u32,
}

impl PoorLine {
    /// What arrives of so many packets of 20 ms, in the order of arrival, the first some 100 ms after zero.
    pub fn carry(self, packets: u32) -> Vec<Arrival> {
        let mut dice = Dice(self.seed | 1);
        let mut arrived = Vec::new();
        let mut losing = false;
        for n in 0..packets {
            // Gilbert's model: a burst ends with every second packet.
            losing = if losing { dice.under(500) } else { dice.under(self.lost / 2 * 1_000 / (1_000 - self.lost)) };
            let sent_us = (i64::from(n) * 20_000 * 1_000_000 / (1_000_000 + self.fast_ppm)) as u64;
            let copies = if losing { 0 } else { 1 + u64::from(dice.under(self.doubled)) };
            arrived.extend((0..copies).map(|_| Arrival { at_us: 100_000 + sent_us + dice.up_to(self.jitter_us), n }));
        }
        arrived.sort_by_key(|arrival| (arrival.at_us, arrival.n));
        arrived
    }
}

/// The header of a sender's packet of `length` bytes.
pub fn header(n: u32, payload_type: u8, steps: u32, length: usize) -> Packet {
    let (sequence, timestamp) = ((n as u16).wrapping_add(65_000), n.wrapping_mul(160 * steps).wrapping_add(u32::MAX - 2_000));
    Packet { marker: n == 0, payload_type, sequence, timestamp, ssrc: 9, begin: 12, end: 12 + length }
}

/// Xorshift, so that a seed says everything.
pub struct Dice(pub u64);

impl Dice {
    fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// True so often of a thousand times.
    pub fn under(&mut self, of_thousand: u64) -> bool {
        self.draw() % 1_000 < of_thousand
    }

    pub fn up_to(&mut self, most: u64) -> u64 {
        self.draw() % (most + 1)
    }
}

/// Some 20 s of speech at 8 kHz by espeak-ng, in Russian and Kazakh by turns.
pub fn speech() -> Vec<i16> {
    let texts = [
        ("ru", "Здравствуйте! На улице Абая третий день нет горячей воды, и в подъезде снова не работает лифт. Когда его починят?"),
        ("kk", "Сәлеметсіз бе! Көшеде жарық жоқ, жол бұзылған. Қашан жөнделеді? Өтініш нөмірін айтыңызшы, рахмет."),
        ("ru", "Записала: дом семнадцать, квартира сорок восемь. Ваше обращение зарегистрировано, мастер придёт завтра до полудня."),
    ];
    texts.iter().flat_map(|(language, text)| spoken(language, text)).collect()
}

fn spoken(language: &str, text: &str) -> Vec<i16> {
    let out = Command::new("espeak-ng").args(["-v", language, "--stdout", text]).output();
    let out = out.unwrap_or_else(|error| panic!("espeak-ng must be installed: {error}"));
    // What follows the header is sound; its length there is not filled in when written to a pipe.
    let samples: Vec<i16> =
        out.stdout.get(44..).unwrap_or_default().chunks_exact(2).map(|two| i16::from_le_bytes([two[0], two[1]])).collect();
    audio_codec::resample(&samples, 22_050, 8_000)
}
