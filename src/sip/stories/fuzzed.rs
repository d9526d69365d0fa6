//! Can bytes from the network, or a file of ours that is damaged, hurt signalling? Mutated messages against readers and whole dialogs.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;
use crate::centre::fact::EndReason;
use crate::centre::output::{Shown, Target as To};
use crate::fuzz::{Dice, Target, feed, fixture, folder, outcome};
use crate::sip::digest::Credentials;
use crate::sip::diversion::diverted;
use crate::sip::frame::{self, Frame};
use crate::sip::guard::{Verdict, judge};
use crate::sip::message::Name;
use crate::sip::persist::Survivors;
use crate::sip::session::Asked;
use crate::sip::srv;
use crate::sip::uri::{NameAddr, Uri, Via, param, split_outside, unescape};

const WORDS: [&str; 44] = [
    "\r\n",
    "\r\n\r\n",
    " SIP/2.0\r\n",
    "\r\nVia: SIP/2.0/UDP h:5060;branch=z9hG4bKx;rport\r\n",
    "\r\nVia: SIP/2.0/TLS [::1];branch=z9hG4bKy\r\n",
    "\r\nFrom: \"a \\\" <\" <sip:a@b;x=1?h=v>;tag=t\r\n",
    "\r\nTo: sip:a@b;tag=\r\n",
    "\r\nt: <tel:+7701;phone-context=x>\r\n",
    "\r\nContact: *\r\n",
    "\r\nm: <sip:a@[2001:db8::1]:5060;transport=tcp;lr>;expires=0;q=0.5\r\n",
    "\r\nRecord-Route: <sip:p1;lr>, <sip:p2;lr>\r\n",
    "\r\nRoute: <sip:p1;lr>\r\n",
    "\r\nRequire: 100rel, timer, nope\r\n",
    "\r\nSupported: 100rel,timer,replaces\r\n",
    "\r\nSession-Expires: 90;refresher=uas\r\nMin-SE: 90\r\n",
    "\r\nx: 1800;refresher=uac\r\n",
    "\r\nRSeq: 1\r\nRequire: 100rel\r\n",
    "\r\nRAck: 1 1 INVITE\r\n",
    "\r\nRefer-To: <sip:202@cityline?Replaces=c1%3Bto-tag%3Da%3Bfrom-tag%3Db>\r\n",
    "\r\nReferred-By: <sip:a@b>\r\n",
    "\r\nReplaces: c1;to-tag=@TAG@;from-tag=them\r\n",
    "\r\nDiversion: <sip:112@x>;reason=user-busy;counter=1\r\n",
    "\r\nHistory-Info: <sip:a@b?Reason=SIP%3Bcause%3D486>;index=1.1\r\n",
    "\r\nP-Asserted-Identity: \"x\" <tel:+77011234567>\r\n",
    "\r\nPrivacy: id;user\r\n",
    "\r\nRetry-After: 5 (x);duration=3\r\n",
    "\r\nExpires: 3600\r\n",
    "\r\nEvent: refer\r\n",
    "\r\nContent-Type: multipart/mixed;boundary=b\r\n",
    "\r\nContent-Type: application/dtmf-relay\r\n",
    "\r\nContent-Length: 0\r\n",
    "\r\nl: 99999\r\n",
    "\r\nWWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth,auth-int\", algorithm=SHA-256\r\n",
    "\r\nProxy-Authenticate: Digest realm=r,nonce=n\r\n",
    "\r\nAuthorization: Digest username=\"201\", realm=\"cityline\", nonce=\"@NONCE@\", uri=\"sip:cityline\", response=\"x\", qop=auth, nc=00000001, cnonce=\"c\"\r\n",
    "\r\n folded",
    ";tag=@TAG@",
    "%00",
    "%",
    "\"",
    "<",
    ">",
    "\u{feff}",
    "é",
];

fn offer() -> &'static str {
    "v=0\r\no=- 1 1 IN IP4 1.2.3.4\r\ns=-\r\nc=IN IP4 1.2.3.4\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8 101\r\n"
}

fn request(method: &str, cseq: u32, to_tag: bool, rest: &str, body: &str) -> Vec<u8> {
    let tag = if to_tag { ";tag=@TAG@" } else { "" };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    let length = body.len();
    format!(
        "{method} sip:109@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.7:5060;rport;branch=z9hG4bK{cseq}{method}\r\nMax-Forwards: 70\r\nFrom: \"A\" \
         <sip:+77011234545@x>;tag=them\r\nTo: <sip:109@x>{tag}\r\nCall-ID: c1\r\nCSeq: {cseq} {method}\r\nContact: <sip:a@203.0.113.7:5060>\r\n{kind}{rest}\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn response(status: u16, rest: &str, body: &str) -> Vec<u8> {
    let (kind, length) = (if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" }, body.len());
    format!(
        "SIP/2.0 {status} X\r\nVia: @VIA@\r\nFrom: @FROM@\r\nTo: @TO@;tag=far\r\nCall-ID: @CALLID@\r\nCSeq: @CSEQ@\r\nContact: <sip:far@198.51.100.5:5070>\r\n\
         {kind}{rest}Content-Length: {length}\r\n\r\n{body}"
    )
    .into_bytes()
}

fn seeds() -> Vec<Vec<u8>> {
    let digits = "Signal=5\r\nDuration=160\r\n";
    let timed = "Supported: timer, 100rel\r\nSession-Expires: 1800;refresher=uac\r\n";
    let mut seeds = vec![
        request("INVITE", 1, false, "", offer()),
        request("INVITE", 1, false, timed, ""),
        request("INVITE", 2, true, "", offer()),
        request("ACK", 1, true, "", ""),
        request("ACK", 1, true, "", offer()),
        request("BYE", 3, true, "Reason: Q.850;cause=16\r\n", ""),
        request("CANCEL", 1, false, "", ""),
        request("OPTIONS", 4, false, "Accept: application/sdp\r\n", ""),
        request("UPDATE", 5, true, timed, offer()),
        request("PRACK", 6, true, "RAck: 1 1 INVITE\r\n", ""),
        request("INFO", 7, true, "X: y\r\n", digits),
        request("REFER", 8, true, "Refer-To: <sip:202@cityline>\r\n", ""),
        request("NOTIFY", 9, true, "Event: refer;id=8\r\nSubscription-State: active\r\n", "SIP/2.0 200 OK"),
        request("REGISTER", 10, false, "Expires: 600\r\n", ""),
        request("SUBSCRIBE", 11, false, "Event: presence\r\n", ""),
    ];
    for (status, rest, body) in [
        (100, "", ""),
        (180, "Require: 100rel\r\nRSeq: 7\r\n", ""),
        (183, "", offer()),
        (200, "", offer()),
        (200, "Session-Expires: 1800;refresher=uas\r\nRequire: timer\r\n", offer()),
        (302, "Contact: <sip:112@203.0.113.9>;q=0.9\r\n", ""),
        (401, "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n", ""),
        (422, "Min-SE: 3600\r\n", ""),
        (481, "", ""),
        (491, "", ""),
        (503, "Retry-After: 30\r\n", ""),
    ] {
        seeds.push(response(status, rest, body));
    }
    seeds
}

#[test]
fn any_bytes_are_a_message_a_refusal_or_nothing() {
    let target = Target { name: "SIP messages", seeds: seeds(), words: &WORDS, longest: 20_000, bytes: (100_000, 60), takes_ms: 60 };
    let peer = Peer { addr: TRUNK.parse().unwrap(), carrier: Carrier::Udp };
    feed(&target, |raw| {
        let mut scratch = String::new();
        match judge(raw, &mut scratch, peer) {
            Verdict::Request(request) => {
                let asked = Asked::of(&request.message);
                let (_, granted) = asked.grant(Time(1));
                let numbers = [Name::Expires, Name::MinSe, Name::RetryAfter].map(|name| request.message.number(name).is_some());
                let body = request.message.has_sdp();
                let head = crate::sip::reply::ReplyHead::of(&request.message, peer);
                let answer = head.write(crate::sip::reply::Reply { status: 200, tag: "t", headers: &granted, ..Default::default() });
                let mut other = String::new();
                // Who sends a branch that is none gets it back, and we send one always; what came through proxies goes back through them.
                let straight = request.via.branch().starts_with("z9hG4bK") && head_has_one_via(&answer);
                let ours = !straight || matches!(judge(&answer, &mut other, peer), Verdict::Response(_));
                assert!(ours, "{}", String::from_utf8_lossy(&answer));
                outcome(&(
                    1,
                    request.method.name(),
                    numbers,
                    body,
                    diverted(&request.message).is_some(),
                    granted.len(),
                    request.contact.is_some(),
                ))
            }
            Verdict::Response(response) => {
                let _ = Asked::of(&response.message).agreed(Time(1));
                outcome(&(2, response.status, response.method.len(), response.contact.is_some()))
            }
            Verdict::Refuse(refusal) => outcome(&(3, refusal.status, refusal.headers)),
            Verdict::Nothing => 0,
        }
    });
}

#[test]
fn addresses_and_parameters_are_read_or_refused() {
    let texts = [
        "sip:+7701%2b1;a=b@[::1]:5060;transport=udp;lr?x=y&z=1",
        "\"A \\\" B\" <sips:a@b.example>;tag=1;q=\"x;y\"",
        "tel:+7-701-123;phone-context=+7",
        "SIP/2.0/UDP 1.2.3.4:5060;branch=z9hG4bK1;rport=;received=::1, SIP/2.0/TCP h",
        "Digest username=\"a,b\", realm=\"r\", nonce=\"n\", uri=\"sip:x\", response=\"0\", qop=auth, nc=1, cnonce=\"c\", algorithm=SHA-256",
        "c1;to-tag=a;from-tag=b;early-only",
    ];
    let seeds = texts.map(|text| text.as_bytes().to_vec()).to_vec();
    let words = ["<", ">", "\"", "\\", ";", ",", "=", "%41", "%", "@", "[", "]", ":", "sip:", "?", "é", ";tag=", "\t"];
    feed(&Target { name: "SIP addresses", seeds, words: &words, longest: 5_000, bytes: (50_000, 60), takes_ms: 40 }, |raw| {
        let text = String::from_utf8_lossy(raw);
        let uri = Uri::read(&text).map(|uri| (uri.user_text().len(), uri.socket().is_some()));
        let address = NameAddr::read(&text).map(|address| address.tag().map(str::len));
        let via = Via::read(&text).map(|via| (via.branch().len(), via.wants_rport()));
        let parts = split_outside(&text, b',').count();
        assert!(split_outside(&text, b',').map(str::len).sum::<usize>() <= text.len());
        let read = (param(&text, "tag").is_some(), Credentials::read(&text).is_some(), unescape(&text).len() == text.len());
        outcome(&(uri, address, via, parts.min(5), read))
    });
}

#[test]
fn a_stream_is_cut_into_messages_that_lie_in_it() {
    let pipelined = [seeds().concat(), b"\r\n\r\n\r\n".to_vec(), seeds()[1].clone()].concat();
    let target = Target {
        name: "SIP streams",
        seeds: vec![pipelined, b"\r\n\r\n".to_vec(), seeds()[0].clone()],
        words: &WORDS,
        longest: 80_000,
        bytes: (1_000, 1),
        takes_ms: 100,
    };
    feed(&target, |raw| {
        let (mut rest, mut kinds) = (raw, Vec::new());
        while kinds.len() < 50 {
            let taken = match frame::next(rest) {
                Frame::Wait | Frame::Nonsense => break,
                Frame::Blank { bytes, .. } | Frame::Message { bytes, last: false } => bytes,
                Frame::Message { bytes, last: true } => {
                    assert!(bytes > 0 && bytes <= rest.len());
                    break;
                }
            };
            assert!(taken > 0, "it never ends");
            kinds.push(taken);
            rest = rest.get(taken..).expect("more than there is");
        }
        kinds.len() as u64
    });
}

#[test]
fn a_name_servers_answer_is_read_or_refused() {
    let query = srv::query(7, "_sip._udp.example.org").unwrap();
    let answer = srv::tests::answer(&query, &[(10, 5, 5060, "a.example.org"), (20, 0, 5061, "b")]);
    let target = Target {
        name: "DNS answers",
        seeds: vec![answer, query.clone()],
        words: &["\u{0}", "\u{c}"],
        longest: 4_096,
        bytes: (20_000, 50),
        takes_ms: 40,
    };
    feed(&target, |raw| {
        let records = srv::read(&query, raw);
        let read = records.as_ref().map(|records| records.len());
        let ordered = srv::in_order(records.unwrap_or_default(), || 3);
        outcome(&(read, ordered.iter().map(|record| record.priority).max()))
    });
}

fn head_has_one_via(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    let mut vias = text.lines().filter_map(|line| line.strip_prefix("Via: "));
    vias.next().is_some_and(|via| split_outside(via, b',').count() == 1) && vias.next().is_none()
}

/// One server under a storm of mutated messages, which answers and calls as a core would.
struct Server {
    stage: Stage,
    /// Of the last message that was sent, and of the last response to a call that came in.
    via: String,
    from: String,
    to: String,
    call_id: String,
    cseq: String,
    tag: String,
    nonce: String,
    legs: BTreeSet<LegId>,
    next: u64,
}

impl Server {
    fn new() -> Server {
        let [via, from, to, call_id, cseq, tag, nonce] = Default::default();
        Server { stage: Stage::with(0, 10_000), via, from, to, call_id, cseq, tag, nonce, legs: BTreeSet::new(), next: 5_000 }
    }

    fn hears(&mut self, raw: &[u8], dice: &mut Dice) {
        let mut raw = raw.to_vec();
        for (word, value) in [
            (&b"@TAG@"[..], &self.tag),
            (b"@NONCE@", &self.nonce),
            (b"@VIA@", &self.via),
            (b"@FROM@", &self.from),
            (b"@TO@", &self.to),
            (b"@CALLID@", &self.call_id),
            (b"@CSEQ@", &self.cseq),
        ] {
            while let Some(at) = raw.windows(word.len()).position(|part| part == word) {
                raw.splice(at..at + word.len(), value.bytes());
            }
        }
        let (addr, carrier) = match dice.below(8) {
            0..=4 => (TRUNK, Carrier::Udp),
            5 => ("198.51.100.5:5070", Carrier::Udp),
            6 => ("198.51.100.20:40001", Carrier::Tcp(Some(ConnId(3)))),
            _ => (TRUNK, Carrier::Tls(Some(ConnId(4)))),
        };
        let peer = Peer { addr: addr.parse().unwrap(), carrier };
        self.stage.exchange.receive(self.stage.now, &raw, &mut self.stage.scratch, peer);
        self.answer(dice);
        self.stage.wait(dice.below(3) as u64 * 200);
        self.look_at_what_was_sent();
    }

    /// What a core does, by chance.
    fn answer(&mut self, dice: &mut Dice) {
        while let Some(input) = self.stage.input() {
            let sdp = self.stage.sdp(ANSWER);
            match input {
                Input::Line(FromLine::CallArrived { call, .. } | FromLine::PhoneCalled { call, .. }) => {
                    let leg = LegId::caller(call);
                    self.legs.insert(leg);
                    match dice.below(4) {
                        0 => self.stage.order(ToLine::Reject { leg, status: 486, retry_after_s: Some(3) }),
                        1 => self.stage.order(ToLine::Ring { leg }),
                        _ => self.stage.order(ToLine::Answer { leg, sdp }),
                    }
                }
                Input::Line(FromLine::Reoffered { leg, .. }) if dice.below(4) == 0 => self.stage.order(ToLine::RefuseOffer { leg }),
                Input::Line(FromLine::Reoffered { leg, .. }) => self.stage.order(ToLine::AcceptOffer { leg, sdp }),
                Input::Line(FromLine::Referred { leg, .. }) => self.stage.order(ToLine::ReferProgress { leg, status: 200 }),
                Input::Line(FromLine::HungUp { leg, .. } | FromLine::Refused { leg, .. }) => drop(self.legs.remove(&leg)),
                _ => {}
            }
        }
        let sdp = self.stage.sdp(OFFER);
        match dice.below(12) {
            0 => {
                self.next += 1;
                let leg = leg(self.next, 1);
                self.legs.insert(leg);
                let target = To::Address("sip:112@198.51.100.5:5070".to_owned());
                self.stage.order(ToLine::Dial { leg, target, shown: Shown::City("109".into()), sdp, auto_answer: false, replaces: None });
            }
            1 => {
                if let Some(leg) = self.legs.iter().next_back().copied() {
                    self.stage.order(ToLine::Renegotiate { leg, sdp });
                }
            }
            2 => {
                if let Some(leg) = self.legs.pop_first() {
                    self.stage.order(ToLine::HangUp { leg, reason: EndReason::OperatorHungUp });
                }
            }
            _ => {}
        }
    }

    fn look_at_what_was_sent(&mut self) {
        let sent: Vec<(Peer, bytes::Bytes)> = self.stage.exchange.take_out().collect();
        for (_, message) in sent {
            let text = String::from_utf8(message.to_vec()).expect("we write text");
            let value =
                |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().to_owned();
            if text.starts_with("SIP/2.0") {
                if let Some((_, tag)) = value("To").split_once(";tag=") {
                    tag.clone_into(&mut self.tag);
                }
                if let Some(nonce) = text.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()) {
                    nonce.clone_into(&mut self.nonce);
                }
            } else {
                let whole = frame::next(&message) == Frame::Message { bytes: message.len(), last: false };
                assert!(whole && !value("Call-ID").is_empty() && !value("From").is_empty(), "a request that nobody takes:\n{text}");
                [self.via, self.from, self.to] = [value("Via"), value("From"), value("To")];
                (self.call_id, self.cseq) = (value("Call-ID"), value("CSeq"));
            }
        }
    }

    /// Everybody hangs up, and time passes: nothing may stay.
    fn ends(mut self) {
        let legs: Vec<LegId> = self.stage.exchange.legs.keys().copied().collect();
        legs.into_iter().for_each(|leg| self.stage.order(ToLine::HangUp { leg, reason: EndReason::OperatorHungUp }));
        self.stage.wait(400_000);
        let exchange = &self.stage.exchange;
        let left = (exchange.legs.len(), exchange.servers.len(), exchange.clients.len());
        assert_eq!(left, (0, 0, 0), "legs, transactions of others and of ours that are never over");
    }
}

/// Messages of one server's life.
const LIFE: u32 = 150;

#[test]
fn no_message_hurts_a_server_with_calls_and_nothing_stays() {
    let target = Target { name: "SIP dialogs", seeds: seeds(), words: &WORDS, longest: 8_000, bytes: (5_000_000, 400), takes_ms: 2_000 };
    let (mut server, mut age) = (Server::new(), 0);
    feed(&target, |raw| {
        let mut dice = Dice(outcome(&raw));
        age += 1;
        if age % LIFE == 0 {
            std::mem::replace(&mut server, Server::new()).ends();
        }
        server.hears(raw, &mut dice);
        outcome(&(server.stage.exchange.legs.len(), server.stage.exchange.servers.len() % 16, server.cseq.len()))
    });
}

/// The places of a file that hold a record, without length and checksum.
fn records(file: &[u8]) -> Vec<Vec<u8>> {
    let body = |place: &[u8]| {
        let length = u32::from_le_bytes(place.get(..4)?.try_into().ok()?) as usize;
        place.get(8..8 + length).filter(|body| !body.is_empty()).map(<[u8]>::to_vec)
    };
    file.chunks(4_096).filter_map(body).collect()
}

/// A file of places whose checksums are right.
fn places<'a>(bodies: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let mut file = Vec::new();
    for body in bodies {
        let body = body.get(..body.len().min(4_088)).unwrap();
        let mut place = [(body.len() as u32).to_le_bytes(), crc32fast::hash(body).to_le_bytes()].concat();
        place.extend_from_slice(body);
        place.resize(4_096, 0);
        file.extend_from_slice(&place);
    }
    file
}

#[test]
fn dialogs_of_a_file_that_lies_are_taken_up_or_left_out() {
    let at = "tests/fixtures/2026-11-22/live";
    let (dialogs, contacts) = (records(&fixture(&format!("{at}/dialogs"))), records(&fixture(&format!("{at}/contacts"))));
    let place = folder("dialogs");
    let seeds = dialogs.iter().chain(&contacts).cloned().collect();
    let words = ["\u{0}", "\u{7f}", "dialog", "session", "invite", "sip:", "\r\n", "tag"];
    feed(&Target { name: "kept dialogs", seeds, words: &words, longest: 4_088, bytes: (3_000_000, 400), takes_ms: 2_000 }, |body| {
        std::fs::write(place.join("dialogs"), places([body, &dialogs[0]])).unwrap();
        std::fs::write(place.join("contacts"), places([body, &contacts[0]])).unwrap();
        let survivors = Survivors::open(&place).unwrap();
        let legs = survivors.legs();
        let mut stage = Stage::with(0, 1_000);
        let dialogs = survivors.register(stage.now, &mut stage.exchange.registrar);
        stage.exchange.resume(stage.now, dialogs, &legs);
        stage.exchange.keep();
        stage.wait(40_000);
        let mut told = String::new();
        while let Some(input) = stage.input() {
            write!(told, "{:?}", std::mem::discriminant(&input)).unwrap();
        }
        outcome(&(legs.len(), told, stage.exchange.take_out().count().min(50)))
    });
    std::fs::remove_dir_all(place).unwrap();
}
