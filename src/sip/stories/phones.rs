//! Operators' phones: registration, expiry, NAT, guessing, and calls to them.

use super::calls_out::reply;
use super::*;
use crate::centre::ids::ContactId;
use crate::centre::input::FromDesk;
use crate::centre::output::{Shown, Target};

pub(super) const PHONE: &str = "198.51.100.20:40001";

pub(super) struct Handset {
    carrier: Carrier,
    nonce: String,
    count: u32,
    cseq: u32,
}

impl Handset {
    pub(super) fn new() -> Handset {
        Handset { carrier: Carrier::Udp, nonce: String::new(), count: 0, cseq: 0 }
    }

    fn register(&mut self, stage: &mut Stage, password: &str, contact: &str, expires: u32) -> String {
        self.cseq += 1;
        self.count += 1;
        let authorization = if self.nonce.is_empty() { String::new() } else { self.authorization("REGISTER", password) };
        let message = format!(
            "REGISTER sip:cityline SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.9;rport;branch=z9hG4bKr{}\r\nFrom: <sip:201@cityline>;tag=1\r\nTo: <sip:201@cityline>\r\n\
             Call-ID: reg\r\nCSeq: {} REGISTER\r\n{contact}Expires: {expires}\r\n{authorization}\r\n",
            self.cseq, self.cseq
        );
        stage.hear_over(self.carrier, PHONE, &message);
        let answer = stage.one();
        if let Some(nonce) = answer.split("nonce=\"").nth(1) {
            (self.nonce, self.count) = (nonce.split('"').next().unwrap().to_owned(), 0);
        }
        answer
    }

    /// INVITE to this address, with the headers; its credentials too, where `proven`.
    pub(super) fn invite(&mut self, to: &str, call_id: &str, headers: &str, proven: bool) -> String {
        self.cseq += 1;
        self.count += 1;
        let authorization = if proven { self.authorization("INVITE", "pw-201") } else { String::new() };
        format!(
            "INVITE sip:{to}@cityline SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.9;rport;branch=z9hG4bKi{}\r\nFrom: <sip:201@cityline>;tag=p\r\nTo: <sip:{to}@cityline>\r\n\
             Call-ID: {call_id}\r\nCSeq: {} INVITE\r\nContact: <sip:201@192.168.1.9:5060>\r\n{headers}{authorization}Content-Type: application/sdp\r\n\
             Content-Length: {}\r\n\r\n{OFFER}",
            self.cseq,
            self.cseq,
            OFFER.len()
        )
    }

    /// The second try, with credentials.
    pub(super) fn sign_in(&mut self, stage: &mut Stage, contact: &str, expires: u32) -> String {
        if self.nonce.is_empty() {
            assert!(self.register(stage, "", contact, expires).starts_with("SIP/2.0 401"));
        }
        self.register(stage, "pw-201", contact, expires)
    }

    fn authorization(&self, method: &str, password: &str) -> String {
        use md5::{Digest, Md5};
        let md5 = |text: String| Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let (who, what) = (md5(format!("201:cityline:{password}")), md5(format!("{method}:sip:cityline")));
        let response = md5(format!("{who}:{}:{:08x}:c:auth:{what}", self.nonce, self.count));
        format!(
            "Authorization: Digest username=\"201\", realm=\"cityline\", nonce=\"{}\", uri=\"sip:cityline\", qop=auth, nc={:08x}, cnonce=\"c\", response=\"{response}\"\r\n",
            self.nonce, self.count
        )
    }
}

pub(super) fn contact(port: u16) -> String {
    format!("Contact: <sip:201@192.168.1.9:{port};ob>\r\n")
}

pub(super) fn contacts(stage: &mut Stage) -> Option<Vec<ContactId>> {
    match stage.input()? {
        Input::Desk(FromDesk::PhoneChanged { agent, contacts }) => {
            assert_eq!(agent.as_str(), "aigul");
            Some(contacts)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_phone_behind_nat_registers_is_called_and_expires() {
    let mut stage = Stage::new();
    let mut handset = Handset::new();
    let answer = handset.sign_in(&mut stage, &contact(5060), 120);
    assert!(answer.starts_with("SIP/2.0 200") && header(&answer, "Contact") == "<sip:201@192.168.1.9:5060;ob>;expires=120", "{answer}");
    let ids = contacts(&mut stage).unwrap();
    assert_eq!(ids.len(), 1);
    let sdp = stage.sdp(OFFER);
    stage.order(ToLine::Dial {
        leg: leg(1, 1),
        target: Target::Contact(ids[0]),
        shown: Shown::City("109".into()),
        sdp,
        auto_answer: true,
        replaces: None,
    });
    let (to, invite) = stage.sent().remove(0);
    assert!(to == PHONE && invite.starts_with("INVITE sip:201@192.168.1.9:5060;ob SIP/2.0"), "{to} {invite}");
    assert!(header(&invite, "Call-Info").contains("answer-after=0"));
    stage.wait(119_000);
    stage.lines();
    assert!(handset.sign_in(&mut stage, &contact(5060), 120).starts_with("SIP/2.0 200"), "the same nonce counts on");
    stage.wait(119_900);
    while let Some(input) = stage.input() {
        assert!(!matches!(input, Input::Desk(_)), "a refreshed contact keeps its id: nothing has changed");
    }
    stage.wait(200);
    assert_eq!(contacts(&mut stage), Some(vec![]));
}

fn call(stage: &mut Stage, contact: ContactId) -> (String, String) {
    let sdp = stage.sdp(OFFER);
    stage.order(ToLine::Dial {
        leg: leg(1, 1),
        target: Target::Contact(contact),
        shown: Shown::City("109".into()),
        sdp,
        auto_answer: false,
        replaces: None,
    });
    stage.sent().remove(0)
}

#[test]
fn an_unwanted_answer_from_behind_nat_is_ended_where_it_came_from() {
    let mut stage = Stage::new();
    Handset::new().sign_in(&mut stage, &contact(5060), 120);
    let id = contacts(&mut stage).unwrap()[0];
    let (_, invite) = call(&mut stage, id);
    stage.hear_from(PHONE, &reply(&invite, 180, "late", ""));
    stage.order(ToLine::CancelDial { leg: leg(1, 1) });
    stage.lines();
    for tag in ["late", "fork"] {
        stage.hear_from(PHONE, &reply(&invite, 200, tag, ANSWER).replace("far@198.51.100.5:5070", "201@192.168.1.9:5060"));
        let sent = stage.sent();
        assert!(sent.len() == 2 && sent[0].1.starts_with("ACK ") && sent[1].1.starts_with("BYE "), "{sent:#?}");
        assert!(sent.iter().all(|(to, _)| to == PHONE), "{sent:#?}");
    }
}

#[test]
fn a_phone_goes_with_its_connection_and_so_does_what_rings_there() {
    let mut stage = Stage::new();
    let conn = ConnId(3);
    let mut handset = Handset { carrier: Carrier::Tcp(Some(conn)), ..Handset::new() };
    handset.sign_in(&mut stage, &format!("Contact: <sip:201@{PHONE};transport=tcp>\r\n"), 120);
    assert_eq!(stage.exchange.take_registered().collect::<Vec<_>>(), [conn]);
    let id = contacts(&mut stage).unwrap()[0];
    let (_, invite) = call(&mut stage, id);
    stage.hear_over(handset.carrier, PHONE, &reply(&invite, 180, "f", ""));
    assert_eq!(stage.told(), Some(FromLine::Ringing { leg: leg(1, 1) }));
    stage.closed(PHONE, handset.carrier);
    assert_eq!(stage.told(), Some(FromLine::Refused { leg: leg(1, 1), status: 503 }));
    assert_eq!(contacts(&mut stage), Some(vec![]));
    assert!(stage.exchange.legs.is_empty());
    stage.hear_over(Carrier::Tcp(Some(ConnId(4))), "198.51.100.20:40002", &reply(&invite, 200, "f", ANSWER));
    let sent = stage.sent();
    assert!(sent.len() == 2 && sent.iter().all(|(to, _)| to == "198.51.100.20:40002"), "{sent:#?}");
    stage.wait(200_000);
    assert!(stage.exchange.clients.len() == 0 && stage.told().is_none());
}

#[test]
fn a_phone_that_listens_outlives_its_connection() {
    let mut stage = Stage::new();
    let conn = ConnId(3);
    let mut handset = Handset { carrier: Carrier::Tcp(Some(conn)), ..Handset::new() };
    handset.sign_in(&mut stage, "Contact: <sip:201@198.51.100.20:5060;transport=tcp>\r\n", 120);
    contacts(&mut stage).unwrap();
    stage.closed(PHONE, handset.carrier);
    assert_eq!(contacts(&mut stage), None);
}

#[test]
fn a_fifth_contact_takes_the_place_of_the_oldest_and_star_ends_all() {
    let mut stage = Stage::new();
    let mut handset = Handset::new();
    for port in 1..=5 {
        handset.sign_in(&mut stage, &contact(port), 600);
    }
    let counts: Vec<usize> = std::iter::from_fn(|| contacts(&mut stage)).map(|ids| ids.len()).collect();
    assert_eq!(counts, [1, 2, 3, 4, 4]);
    let answer = handset.sign_in(&mut stage, "", 600);
    assert_eq!(answer.matches("Contact: ").count(), 4, "without a contact it asks");
    assert!(!answer.contains(":1;ob"));
    assert!(handset.sign_in(&mut stage, "Contact: *\r\n", 600).starts_with("SIP/2.0 400"), "* wants Expires: 0");
    assert!(handset.sign_in(&mut stage, "Contact: *\r\n", 0).starts_with("SIP/2.0 200"));
    assert_eq!(contacts(&mut stage), Some(vec![]));
}

#[test]
fn too_short_a_registration_names_the_shortest() {
    let mut stage = Stage::new();
    let answer = Handset::new().sign_in(&mut stage, &contact(1), 30);
    assert!(answer.starts_with("SIP/2.0 423") && answer.contains("Min-Expires: 60"), "{answer}");
}

#[test]
fn a_repeated_register_gets_its_answer_and_a_replayed_one_a_challenge() {
    let mut stage = Stage::new();
    let mut handset = Handset::new();
    handset.sign_in(&mut stage, &contact(1), 600);
    contacts(&mut stage).unwrap();
    handset.cseq -= 1;
    handset.count -= 1;
    assert!(handset.register(&mut stage, "pw-201", &contact(1), 600).starts_with("SIP/2.0 200"), "a retransmission");
    handset.count -= 1;
    let replayed = handset.register(&mut stage, "pw-201", &contact(1), 600);
    assert!(replayed.starts_with("SIP/2.0 401") && replayed.contains("stale=true"), "{replayed}");
    assert_eq!(contacts(&mut stage), None);
}

#[test]
fn guessing_is_shut_out_for_a_time() {
    let mut stage = Stage::new();
    let mut handset = Handset::new();
    handset.register(&mut stage, "", &contact(1), 600);
    for _ in 0..10 {
        assert!(handset.register(&mut stage, "guess", &contact(1), 600).starts_with("SIP/2.0 401"));
    }
    assert!(handset.register(&mut stage, "pw-201", &contact(1), 600).starts_with("SIP/2.0 403"));
    stage.wait(61_000);
    assert!(handset.register(&mut stage, "pw-201", &contact(1), 600).starts_with("SIP/2.0 200"));
}

#[test]
fn invented_nonces_and_another_user_shut_nobody_out() {
    let mut stage = Stage::new();
    let mut handset = Handset::new();
    for n in 0..20 {
        (handset.nonce, handset.count) = (format!("{n:x}.0.00"), 0);
        let answer = handset.register(&mut stage, "guess", &contact(1), 600);
        assert!(answer.starts_with("SIP/2.0 401") && answer.contains("stale=true"), "{answer}");
    }
    assert!(handset.sign_in(&mut stage, &contact(1), 600).starts_with("SIP/2.0 200"));
}

#[test]
fn a_flood_from_forged_addresses_is_not_answered_in_full() {
    let mut stage = Stage::new();
    Handset::new().sign_in(&mut stage, &contact(1), 120);
    let mut answered = |from: &str, kind: &str, count: usize| {
        let message = match kind {
            "broken" => "OPTIONS sip:c SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKx\r\nCSeq: x\r\n\r\n".to_owned(),
            _ => format!(
                "{kind} sip:c SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKx\r\nFrom: <sip:a@c>;tag=1\r\nTo: <sip:a@c>\r\nCall-ID: f\r\n\
                 CSeq: 1 {kind}\r\n\r\n"
            ),
        };
        (0..count).for_each(|_| stage.hear_from(from, &message));
        stage.sent().len()
    };
    let kinds = ["OPTIONS", "REGISTER", "BYE", "broken"];
    let to_strangers: usize = kinds.iter().map(|kind| answered("192.0.2.99:5060", kind, 200)).sum();
    assert!((490..=500).contains(&to_strangers), "{to_strangers}");
    assert_eq!(kinds.map(|kind| answered(PHONE, kind, 600)), [600; 4], "a registered phone");
    assert_eq!(kinds.map(|kind| answered(TRUNK, kind, 600)), [600; 4], "a trunk");
}

#[test]
fn new_accounts_keep_the_contacts_of_those_that_did_not_change() {
    let mut stage = Stage::new();
    let mut handset = Handset::new();
    handset.sign_in(&mut stage, &contact(1), 600);
    contacts(&mut stage).unwrap();
    let account = |password: &str| {
        vec![PhoneAccount { user: "201".into(), agent: "aigul".into(), password: Private::new(password.into()), secure: None }]
    };
    stage.exchange.reload_phones(account("pw-201"));
    assert_eq!(contacts(&mut stage), None);
    stage.exchange.reload_phones(account("other"));
    assert_eq!(contacts(&mut stage), Some(vec![]));
}

#[test]
fn a_phone_rings_at_once_in_the_next_process() {
    use crate::sip::persist::Survivors;
    let folder = std::env::temp_dir().join(format!("cityline-contacts-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    let process = || {
        let mut stage = Stage::new();
        drop(Survivors::open(&folder).unwrap().register(stage.now, &mut stage.exchange.registrar));
        stage
    };
    let mut before = process();
    assert!(Handset::new().sign_in(&mut before, &contact(5070), 120).starts_with("SIP/2.0 200"));
    let Some(Input::Desk(FromDesk::PhoneChanged { contacts, .. })) = before.input() else { panic!("no phone") };
    let mut stage = process();
    let known: Vec<_> = stage.exchange.registrar.contacts().into_iter().filter(|(agent, _)| agent.as_str() == "aigul").collect();
    assert_eq!(known, [("aigul".into(), contacts.clone())], "the same contact by the same id");
    let sdp = stage.sdp(OFFER);
    let target = Target::Contact(contacts[0]);
    stage.order(ToLine::Dial { leg: leg(7, 1), target, shown: Shown::City("109".into()), sdp, auto_answer: false, replaces: None });
    assert!(stage.one().starts_with("INVITE "));
    stage.wait(121_000);
    assert_eq!(stage.exchange.registrar.contacts().iter().map(|(_, contacts)| contacts.len()).sum::<usize>(), 0, "and expires in its time");
    assert!(process().exchange.registrar.contacts().iter().all(|(_, contacts)| contacts.is_empty()));
    std::fs::remove_dir_all(&folder).unwrap();
}
