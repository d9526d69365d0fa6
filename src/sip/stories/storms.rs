//! Two of us call each other over a line that loses, delays, reorders and doubles: whatever both want at once, they agree in the end.

use std::collections::BTreeMap;

use super::*;
use crate::centre::fact::EndReason;
use crate::centre::output::{Shown, Target};

/// One-way delay at most, in milliseconds.
const SLOWEST_MS: u64 = 400;
/// For how long both make changes, in milliseconds.
const STORM_MS: u64 = 120_000;
/// Every transaction is over by then, in milliseconds.
const CALM_MS: u64 = 120_000;

/// Numbers by a seed (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// One end, with a core that answers whatever is asked after a moment.
struct End {
    stage: Stage,
    leg: LegId,
    /// The far end's description that is in force.
    heard: String,
    up: bool,
    over: bool,
    reports: u32,
    refusals: u32,
    /// What the core will order, by the moment.
    orders: BTreeMap<(u64, u64), Wish>,
}

enum Wish {
    Answer,
    Judge { offer: String, takes: bool },
}

struct Storm {
    ends: [End; 2],
    line: BTreeMap<(u64, u64), (usize, String)>,
    dice: Dice,
    count: u64,
    loss_percent: u64,
    /// 491s that were sent.
    glares: usize,
    now: Time,
}

const ADDRESSES: [&str; 2] = ["203.0.113.1:5060", "203.0.113.2:5060"];

impl Storm {
    fn new(seed: u64, loss_percent: u64) -> Storm {
        let end = |at: usize, leg: LegId| {
            let stage = Stage::at(ADDRESSES[at]);
            End { stage, leg, heard: String::new(), up: false, over: false, reports: 0, refusals: 0, orders: BTreeMap::new() }
        };
        let ends = [end(0, leg(7, 1)), end(1, leg(1, 0))];
        let now = ends[0].stage.now;
        Storm { ends, line: BTreeMap::new(), dice: Dice(seed), count: 0, loss_percent, glares: 0, now }
    }

    fn number(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    fn description(&mut self, of: usize) -> SdpRef {
        let text = format!("v=0\r\ns={of}.{}\r\n", self.number());
        self.ends[of].stage.sdp(&text)
    }

    /// Puts what an end has sent on the line, and hears what it reports.
    fn carry(&mut self, of: usize) {
        for (_, message) in self.ends[of].stage.sent() {
            self.glares += usize::from(message.starts_with("SIP/2.0 491"));
            let copies = if self.dice.percent(self.loss_percent) { 0 } else { 1 + u64::from(self.dice.percent(5)) };
            for _ in 0..copies {
                let at = self.now.0 + 1 + self.dice.below(SLOWEST_MS);
                let number = self.number();
                self.line.insert((at, number), (1 - of, message.clone()));
            }
        }
        while let Some(event) = self.ends[of].stage.told() {
            self.hear(of, &event);
        }
    }

    fn hear(&mut self, of: usize, event: &FromLine) {
        let number = self.number();
        let soon = (self.now.0 + 1 + self.dice.below(50), number);
        let takes = self.dice.percent(85);
        let end = &mut self.ends[of];
        let text = |sdp: &SdpRef, end: &End| end.stage.sdps.take(*sdp).unwrap();
        match event {
            FromLine::CallArrived { sdp: Some(sdp), .. } => {
                end.heard = text(sdp, end);
                end.orders.insert(soon, Wish::Answer);
            }
            FromLine::Answered { sdp, .. } => (end.heard, end.up) = (text(sdp, end), true),
            FromLine::Renegotiated { sdp, .. } => {
                end.heard = text(sdp, end);
                end.reports += 1;
            }
            FromLine::NotRenegotiated { .. } => end.refusals += 1,
            FromLine::Reoffered { sdp, .. } => {
                let offer = text(sdp, end);
                end.orders.insert(soon, Wish::Judge { offer, takes });
            }
            FromLine::HungUp { .. } => end.over = true,
            FromLine::Ringing { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn order(&mut self, of: usize, wish: Wish) {
        let leg = self.ends[of].leg;
        match wish {
            Wish::Answer => {
                let sdp = self.description(of);
                self.ends[of].stage.order(ToLine::Answer { leg, sdp });
                self.ends[of].up = true;
            }
            Wish::Judge { takes: false, .. } => self.ends[of].stage.order(ToLine::RefuseOffer { leg }),
            Wish::Judge { offer, takes: true } => {
                let sdp = self.description(of);
                self.ends[of].heard = offer;
                self.ends[of].stage.order(ToLine::AcceptOffer { leg, sdp });
            }
        }
    }

    /// Lets time pass, moment by moment, on the line and at both ends.
    fn pass(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        loop {
            let packet = self.line.keys().next().map(|(at, _)| *at);
            let orders = self.ends.iter().filter_map(|end| end.orders.keys().next().map(|(at, _)| *at)).min();
            let now = self.now;
            let timers = self.ends.iter_mut().filter_map(|end| end.stage.exchange.next_deadline(now)).map(|at| at.0).min();
            let Some(at) = [packet, orders, timers].into_iter().flatten().min().filter(|at| *at <= end.0) else { break };
            self.now = self.now.max(Time(at));
            self.moment();
        }
        self.now = end;
        self.ends.iter_mut().for_each(|known| known.stage.now = end);
    }

    fn moment(&mut self) {
        let now = self.now;
        self.ends.iter_mut().for_each(|end| end.stage.now = now);
        while let Some(first) = self.line.first_entry().filter(|first| first.key().0 <= now.0) {
            let (to, message) = first.remove();
            self.ends[to].stage.hear_from(ADDRESSES[1 - to], &message);
            self.carry(to);
        }
        for of in 0..2 {
            while let Some(first) = self.ends[of].orders.first_entry().filter(|first| first.key().0 <= now.0) {
                let wish = first.remove();
                self.order(of, wish);
                self.carry(of);
            }
            self.ends[of].stage.exchange.due(now);
            self.carry(of);
        }
    }

    fn last_said(&self, of: usize) -> String {
        match self.ends[of].stage.exchange.legs.get(&self.ends[of].leg) {
            Some(super::super::legs::Leg::Up(up)) => up.sdp.clone(),
            _ => panic!("the leg of end {of} is not up"),
        }
    }
}

/// Plays one call; returns how many glares there were.
fn storm(seed: u64, loss_percent: u64) -> usize {
    let mut storm = Storm::new(seed, loss_percent);
    let sdp = storm.description(0);
    let target = Target::Address(format!("sip:109@{}", ADDRESSES[1]));
    storm.ends[0].stage.order(ToLine::Dial {
        leg: leg(7, 1),
        target,
        shown: Shown::City("112".into()),
        sdp,
        auto_answer: false,
        replaces: None,
    });
    storm.carry(0);
    storm.pass(40_000);
    assert!(storm.ends.iter().all(|end| end.up && !end.over), "seed {seed}: the call is up");
    let begun = storm.now;
    let mut asked = 0;
    while storm.now.ms_since(begun) < STORM_MS {
        let of = storm.dice.below(2) as usize;
        let (sdp, leg) = (storm.description(of), storm.ends[of].leg);
        storm.ends[of].stage.order(ToLine::Renegotiate { leg, sdp });
        asked += 1;
        storm.carry(of);
        let pause = storm.dice.below(4_000);
        storm.pass(pause);
    }
    storm.pass(CALM_MS);
    for of in 0..2 {
        let end = &storm.ends[of];
        assert!(!end.over, "seed {seed}: nobody has hung up");
        assert_eq!(storm.last_said(1 - of), end.heard, "seed {seed}: end {of} has in force what the other said last");
        assert!(end.reports + end.refusals > 0 && end.reports + end.refusals <= asked, "seed {seed}");
        assert_eq!(end.stage.exchange.clients.len() + end.stage.exchange.servers.len(), 0, "seed {seed}: nothing is left of it");
    }
    storm.ends[0].stage.order(ToLine::HangUp { leg: leg(7, 1), reason: EndReason::OperatorHungUp });
    storm.carry(0);
    storm.pass(CALM_MS);
    for end in &storm.ends {
        assert!(end.stage.exchange.legs.is_empty(), "seed {seed}");
        assert_eq!(end.stage.exchange.clients.len() + end.stage.exchange.servers.len(), 0, "seed {seed}");
    }
    assert!(storm.ends[1].over, "seed {seed}: the hang-up arrived");
    storm.glares
}

#[test]
fn both_ends_agree_on_a_good_line() {
    let glares: usize = (0..20).map(|seed| storm(seed, 0)).sum();
    assert!(glares > 20, "{glares}: they did want the same at once");
}

#[test]
fn both_ends_agree_where_a_fifth_is_lost() {
    let glares: usize = (100..140).map(|seed| storm(seed, 20)).sum();
    assert!(glares > 40, "{glares}");
}
