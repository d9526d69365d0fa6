//! Does signalling do the right thing in every phase of a call? Named stories in virtual time, told message by message.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod calls_in;
mod calls_out;
mod forks;
mod fuzzed;
mod phone_calls;
mod phones;
mod recovery;
mod redirects;
mod reliable;
mod renegotiation;
mod sessions;
mod storms;
mod transfers;
mod trunks;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use tokio::sync::mpsc;

use super::dialog::Own;
use super::exchange::{Exchange, Links};
use super::peer::{Carrier, ConnId, Peer};
use super::registrar::{PhoneAccount, Registrar};
use crate::caller::{CallerKey, CallerSeen};
use crate::centre::ids::{CallId, LegId, SdpRef};
use crate::centre::input::{FromLine, Input};
use crate::centre::output::ToLine;
use crate::centre::time::Time;
use crate::config::{Config, Trunk};
use crate::lanes::{InputLanes, lanes};
use crate::number_book::NumberBook;
use crate::private::Private;
use crate::sdp_book::SdpBook;

const OFFER: &str = "v=0\r\ns=offer\r\n";
const ANSWER: &str = "v=0\r\ns=answer\r\n";
const TRUNK: &str = "203.0.113.7:5060";

/// Signalling with a script in place of the network and the core.
struct Stage {
    exchange: Exchange,
    now: Time,
    lanes: InputLanes,
    sdps: SdpBook,
    callers: mpsc::Receiver<CallerSeen>,
    scratch: String,
}

impl Stage {
    fn new() -> Stage {
        Stage::with(0, 100)
    }

    fn with(calls_per_second: u32, lane_places: usize) -> Stage {
        let now = Time(1_000_000);
        let own = Own {
            udp: Some("192.0.2.1:5060".parse().unwrap()),
            tcp: Some("192.0.2.1:5060".parse().unwrap()),
            tls: Some("192.0.2.1:5061".parse().unwrap()),
            shown: None,
            routed: "192.0.2.1".parse().unwrap(),
        };
        let trunk = Trunk { from: vec!["203.0.113.0/24".into()], to: vec![TRUNK.into()], check_s: Some(0), ..Trunk::default() };
        let account = |user: &str, agent: &str| PhoneAccount {
            user: user.into(),
            agent: agent.into(),
            password: Private::new(format!("pw-{user}")),
            secure: None,
        };
        let settings = Config::load(None).unwrap().sip;
        let registrar = Registrar::new(now, &settings, [9; 32], vec![account("201", "aigul"), account("202", "olena")]);
        let (inputs, lanes) = lanes(lane_places);
        let (seen, callers) = mpsc::channel(50);
        let sdps = SdpBook::default();
        let links = Links {
            inputs,
            sdps: sdps.clone(),
            caller_key: CallerKey::new([7; 32]),
            callers: seen,
            numbers: NumberBook::new(CallerKey::new([7; 32])),
            next_call: Arc::new(AtomicU64::new(1)),
        };
        let mut exchange = Exchange::new(now, own, registrar, calls_per_second, links);
        exchange.reload_trunks(now, &[("city".to_owned(), trunk)].into());
        Stage { exchange, now, lanes, sdps, callers, scratch: String::new() }
    }

    /// With these trunks in place of the one.
    fn with_trunks(settings: &str) -> Stage {
        let mut stage = Stage::new();
        let trunks: std::collections::BTreeMap<String, Trunk> = toml::from_str(settings).unwrap();
        stage.exchange.reload_trunks(stage.now, &trunks);
        stage
    }

    /// Signalling that listens on this address.
    fn at(address: &str) -> Stage {
        let mut stage = Stage::new();
        stage.exchange.own.udp = Some(address.parse().unwrap());
        (stage.exchange.own.tcp, stage.exchange.own.tls) = (None, None);
        stage
    }

    /// A message from the trunk.
    fn hear(&mut self, message: &str) {
        self.hear_from(TRUNK, message);
    }

    fn hear_from(&mut self, from: &str, message: &str) {
        self.hear_over(Carrier::Udp, from, message);
    }

    fn hear_over(&mut self, carrier: Carrier, from: &str, message: &str) {
        let peer = Peer { addr: from.parse().unwrap(), carrier };
        self.exchange.receive(self.now, message.as_bytes(), &mut self.scratch, peer);
    }

    /// A connection has ended, or was never made.
    fn closed(&mut self, addr: &str, carrier: Carrier) {
        self.exchange.closed(self.now, Peer { addr: addr.parse().unwrap(), carrier });
    }

    fn order(&mut self, order: ToLine) {
        self.exchange.order(self.now, order);
    }

    fn sdp(&self, text: &str) -> SdpRef {
        self.sdps.put(text.to_owned())
    }

    /// Lets time pass, moment by moment.
    fn wait(&mut self, ms: u64) {
        let end = self.now.plus_ms(ms);
        while let Some(at) = self.exchange.next_deadline(self.now).filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.exchange.due(self.now);
        }
        self.now = end;
    }

    /// What has been sent since the last look, each with its address.
    fn sent(&mut self) -> Vec<(String, String)> {
        self.exchange.take_out().map(|(peer, bytes)| (peer.addr.to_string(), String::from_utf8(bytes.to_vec()).unwrap())).collect()
    }

    /// The first lines of what has been sent.
    fn lines(&mut self) -> Vec<String> {
        self.sent().iter().map(|(_, text)| text.lines().next().unwrap().to_owned()).collect()
    }

    /// The only message that has been sent.
    fn one(&mut self) -> String {
        let mut sent = self.sent();
        assert_eq!(sent.len(), 1, "{sent:#?}");
        sent.remove(0).1
    }

    /// The next report, `None` when there is none.
    fn told(&mut self) -> Option<FromLine> {
        match self.input()? {
            Input::Line(event) => Some(event),
            other => panic!("not of a line: {other:?}"),
        }
    }

    fn input(&mut self) -> Option<Input> {
        self.lanes.reserved.try_recv().or_else(|_| self.lanes.common.try_recv()).ok()
    }
}

/// The value of a header in a message.
fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let prefix = format!("{name}: ");
    message.lines().find_map(|line| line.strip_prefix(&prefix)).unwrap_or_else(|| panic!("no {name} in {message}"))
}

fn leg(call: u64, n: u16) -> LegId {
    LegId { call: CallId(call), n }
}
