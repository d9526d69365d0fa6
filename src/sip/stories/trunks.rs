//! Lines to carriers: failover, checks, registration, challenges, names of hosts, and who calls.

use super::calls_out::reply;
use super::*;
use crate::centre::ids::{CallerRef, TrunkId};
use crate::centre::output::{Shown, Target};
use crate::sip::names::{Answer, Place};

const A: &str = "198.51.100.1:5060";
const B: &str = "198.51.100.2:5060";
const TWO: &str = "[carrier]\nto = [\"198.51.100.1:5060\", \"198.51.100.2:5060\"]\ncheck_s = 0\n";
const CHECKED: &str = "[carrier]\nto = [\"198.51.100.1:5060\", \"198.51.100.2:5060\"]\n";
const PROVIDER: &str = "[provider]\nto = \"198.51.100.1:5060\"\ncheck_s = 0\nregister = true\ndomain = \"provider.example\"\nnumber = \"109\"\n\
                        login = { user = \"77142500000\", password = \"secret\" }\n";

fn dial(stage: &mut Stage, target: &str, shown: Shown) {
    let sdp = stage.sdp(OFFER);
    stage.order(ToLine::Dial { leg: leg(7, 1), target: Target::Address(target.into()), shown, sdp, auto_answer: false, replaces: None });
}

fn city() -> Shown {
    Shown::City("109".into())
}

/// The one message that has been sent, with its address.
fn sent(stage: &mut Stage) -> (String, String) {
    let mut sent = stage.sent();
    assert_eq!(sent.len(), 1, "{sent:#?}");
    sent.remove(0)
}

fn refused(status: u16) -> Option<FromLine> {
    Some(FromLine::Refused { leg: leg(7, 1), status })
}

/// Answers whatever has been sent to this address, if it is of this method.
fn answer_all(stage: &mut Stage, from: &str, method: &str, status: u16) {
    for (to, text) in stage.sent() {
        if to == from && text.starts_with(method) {
            stage.hear_from(from, &reply(&text, status, "x", ""));
        }
    }
}

#[test]
fn a_call_goes_on_by_the_next_address_until_something_rings() {
    let mut stage = Stage::with_trunks(TWO);
    dial(&mut stage, "112", city());
    let (to, first) = sent(&mut stage);
    assert!(to == A && first.starts_with(&format!("INVITE sip:112@{A} SIP/2.0")), "{to} {first}");
    stage.hear_from(A, &reply(&first, 503, "x", ""));
    let sent_now = stage.sent();
    assert!(
        sent_now[0].1.starts_with("ACK ") && sent_now[1].0 == B && sent_now[1].1.starts_with(&format!("INVITE sip:112@{B} ")),
        "{sent_now:#?}"
    );
    assert_ne!(header(&sent_now[1].1, "Call-ID"), header(&first, "Call-ID"));
    assert_eq!(stage.told(), None, "the core hears of one leg");
    stage.hear_from(B, &reply(&sent_now[1].1, 180, "y", ""));
    assert_eq!(stage.told(), Some(FromLine::Ringing { leg: leg(7, 1) }));
    stage.hear_from(B, &reply(&sent_now[1].1, 503, "y", ""));
    assert_eq!((stage.told(), stage.told()), (refused(503), None));
    assert!(stage.exchange.legs.is_empty());
}

#[test]
fn an_operator_behind_a_trunk_gives_calls_away_where_its_settings_say_so() {
    for (settings, status) in [(TWO.to_owned(), "403"), (format!("{TWO}refers = true\n"), "202")] {
        let mut stage = Stage::with_trunks(&settings);
        dial(&mut stage, "+77010000001", city());
        let (_, invite) = sent(&mut stage);
        stage.hear_from(A, &reply(&invite, 200, "f", ANSWER));
        stage.sent();
        while stage.told().is_some() {}
        let (from, to, id) = (header(&invite, "To"), header(&invite, "From"), header(&invite, "Call-ID"));
        stage.hear_from(
            A,
            &format!(
                "REFER sip:cityline@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {A};branch=z9hG4bKr\r\nFrom: {from};tag=f\r\nTo: {to}\r\nCall-ID: {id}\r\n\
                 CSeq: 1 REFER\r\nContact: <sip:far@{A}>\r\nRefer-To: <sip:202@cityline>\r\nContent-Length: 0\r\n\r\n"
            ),
        );
        assert!(stage.sent()[0].1.starts_with(&format!("SIP/2.0 {status} ")), "{settings}");
        assert_eq!(stage.told().is_some(), status == "202", "{settings}");
    }
}

#[test]
fn what_the_far_end_decides_is_final() {
    for status in [404, 486, 500, 603] {
        let mut stage = Stage::with_trunks(TWO);
        dial(&mut stage, "112", city());
        let (_, first) = sent(&mut stage);
        stage.hear_from(A, &reply(&first, status, "x", ""));
        assert_eq!(stage.told(), refused(status));
        assert!(sent(&mut stage).1.starts_with("ACK "));
    }
}

#[test]
fn a_silent_address_is_left_and_ended_should_it_wake() {
    let mut stage = Stage::with_trunks(TWO);
    dial(&mut stage, "112", city());
    let (_, first) = sent(&mut stage);
    stage.wait(4_000);
    let all = stage.sent();
    assert_eq!(all.iter().filter(|(to, _)| to == A).count(), 3, "repeated at 0.5, 1.5 and 3.5 s");
    let (_, second) = all.into_iter().find(|(to, _)| to == B).expect("the other address is tried");
    stage.hear_from(B, &reply(&second, 100, "", ""));
    stage.wait(20_000);
    assert!(stage.sent().is_empty(), "neither the silent one nor the one that answered is sent more");
    stage.hear_from(A, &reply(&first, 180, "x", ""));
    assert!(sent(&mut stage).1.starts_with("CANCEL "), "it rings for nobody");
    stage.hear_from(A, &reply(&first, 200, "x", ANSWER));
    assert_eq!(stage.lines().iter().map(|line| line[..3].to_owned()).collect::<Vec<_>>(), ["ACK", "BYE"]);
    stage.hear_from(B, &reply(&second, 200, "y", ANSWER));
    assert!(matches!(stage.told(), Some(FromLine::Answered { .. })) && stage.told().is_none());
}

#[test]
fn when_all_are_silent_the_core_hears_of_it_once() {
    let mut stage = Stage::with_trunks(TWO);
    dial(&mut stage, "112", city());
    stage.wait(70_000);
    assert_eq!((stage.told(), stage.told()), (refused(408), None));
    assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0);
}

#[test]
fn a_connection_that_cannot_be_made_is_left_at_once() {
    let mut stage = Stage::with_trunks(&format!("{TWO}transport = \"tls\"\n"));
    dial(&mut stage, "112", city());
    let (to, first) = sent(&mut stage);
    assert!(to == A && header(&first, "Via").starts_with("SIP/2.0/TLS 192.0.2.1:5061;"), "{first}");
    assert_eq!(header(&first, "Contact"), "<sip:cityline@192.0.2.1:5061;transport=tls>");
    stage.closed(A, Carrier::Tcp(Some(ConnId(4))));
    assert!(stage.sent().is_empty(), "another connection");
    stage.closed(A, Carrier::Tls(Some(ConnId(5))));
    assert_eq!(sent(&mut stage).0, B);
    stage.closed(B, Carrier::Tls(Some(ConnId(6))));
    assert_eq!((stage.told(), stage.told()), (refused(503), None));
}

#[test]
fn giving_up_ends_the_search() {
    let mut stage = Stage::with_trunks(TWO);
    dial(&mut stage, "112", city());
    stage.sent();
    stage.order(ToLine::CancelDial { leg: leg(7, 1) });
    stage.wait(70_000);
    assert!(stage.sent().iter().all(|(to, _)| to == A) && stage.told().is_none());
}

#[test]
fn an_address_that_does_not_answer_its_checks_is_called_last() {
    let mut stage = Stage::with_trunks(CHECKED);
    let first = stage.sent();
    assert_eq!(first.iter().map(|(to, _)| to.as_str()).collect::<Vec<_>>(), [A, B]);
    let options = &first[0].1;
    assert!(options.starts_with(&format!("OPTIONS sip:{A} SIP/2.0")) && header(options, "CSeq") == "1 OPTIONS", "{options}");
    stage.hear_from(B, &reply(&first[1].1, 404, "x", ""));
    for _ in 0..3 {
        stage.wait(4_999);
        answer_all(&mut stage, B, "OPTIONS", 200);
    }
    dial(&mut stage, "112", city());
    let invite = stage.sent().into_iter().find(|(_, text)| text.starts_with("INVITE")).unwrap();
    assert_eq!(invite.0, B, "A is down");
    stage.hear_from(B, &reply(&invite.1, 503, "x", ""));
    let invite = stage.sent().into_iter().find(|(_, text)| text.starts_with("INVITE")).unwrap();
    assert_eq!(invite.0, A, "and is tried where nothing else is left");
    stage.hear_from(A, &reply(&invite.1, 404, "x", ""));
    for _ in 0..60 {
        stage.wait(1_000);
        for (to, text) in stage.sent() {
            if text.starts_with("OPTIONS") {
                stage.hear_from(&to, &reply(&text, 200, "x", ""));
            }
        }
    }
    dial(&mut stage, "112", city());
    let invite = stage.sent().into_iter().find(|(_, text)| text.starts_with("INVITE")).unwrap();
    assert_eq!(invite.0, A, "it has come back");
    stage.wait(200_000);
    assert!(stage.exchange.clients.len() <= 2, "checks leave nothing behind");
}

#[test]
fn every_address_of_a_trunk_may_call() {
    let mut stage = Stage::with_trunks(TWO);
    for from in [A, B] {
        stage.hear_from(from, &incoming("", ""));
        assert!(matches!(stage.told(), Some(FromLine::CallArrived { trunk, .. }) if trunk == TrunkId::from("carrier")), "{from}");
        stage.exchange.servers = Default::default();
    }
    stage.hear_from("198.51.100.3:5060", &incoming("", ""));
    assert_eq!(stage.told(), None);
}

/// An INVITE with these header lines in place of From, or beside it.
fn incoming(from: &str, more: &str) -> String {
    let from = if from.is_empty() { "\"A\" <sip:87011234545@x>" } else { from };
    format!(
        "INVITE sip:77142500000@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.7;rport;branch=z9hG4bKi\r\nFrom: {from};tag=them\r\nTo: <sip:109@x>\r\n\
         Call-ID: c1\r\nCSeq: 1 INVITE\r\nContact: <sip:a@203.0.113.7>\r\n{more}\r\n"
    )
}

#[test]
fn we_register_refresh_and_take_the_calls() {
    let mut stage = Stage::with_trunks(PROVIDER);
    let (to, first) = sent(&mut stage);
    assert!(to == A && first.starts_with("REGISTER sip:provider.example SIP/2.0\r\n"), "{to} {first}");
    assert_eq!(header(&first, "To"), "<sip:77142500000@provider.example>");
    assert_eq!(header(&first, "Contact"), "<sip:77142500000@192.0.2.1:5060>");
    let asks = |status: u16, text: &str, nonce: &str| {
        reply(text, status, "r", "").replace(
            "Content-Length: 0",
            &format!("WWW-Authenticate: Digest realm=\"p\", nonce=\"{nonce}\", qop=\"auth\"\r\nContent-Length: 0"),
        )
    };
    stage.hear_from(A, &asks(401, &first, "n1"));
    let second = stage.one();
    assert!(header(&second, "Authorization").contains("nonce=\"n1\"") && header(&second, "CSeq") == "2 REGISTER", "{second}");
    assert_eq!(header(&second, "Call-ID"), header(&first, "Call-ID"));
    stage.hear_from(
        A,
        &reply(&second, 200, "r", "").replace("<sip:far@198.51.100.5:5070>", "<sip:77142500000@192.0.2.1:5060>;expires=1000"),
    );
    stage.wait(799_900);
    assert!(stage.sent().is_empty());
    stage.wait(200);
    let refresh = stage.one();
    assert!(header(&refresh, "Authorization").contains("nc=00000002"), "{refresh}");
    stage.hear_from(A, &asks(401, &refresh, "n2"));
    let again = stage.one();
    assert!(header(&again, "Authorization").contains("nonce=\"n2\"") && header(&again, "Authorization").contains("nc=00000001"), "{again}");
    stage.hear_from(A, &incoming("", ""));
    let Some(FromLine::CallArrived { number, trunk, .. }) = stage.told() else { panic!("the registrar's calls come in") };
    assert_eq!((number.as_str(), trunk), ("109", TrunkId::from("provider")));
}

#[test]
fn a_wrong_password_is_tried_again_after_growing_pauses() {
    let mut stage = Stage::with_trunks(PROVIDER);
    let challenge = "WWW-Authenticate: Digest realm=\"p\", nonce=\"n\"\r\nContent-Length: 0";
    let mut at = Vec::new();
    let begin = stage.now;
    while at.len() < 7 {
        for (_, text) in stage.sent() {
            if !text.contains("Authorization:") {
                at.push(stage.now.ms_since(begin));
            }
            stage.hear_from(A, &reply(&text, 401, "r", "").replace("Content-Length: 0", challenge));
        }
        stage.wait(400);
    }
    let pauses: Vec<u64> = at.windows(2).map(|two| (two[1] - two[0]) / 1000).collect();
    assert_eq!(pauses, [30, 60, 120, 240, 480, 600], "doubling to 10 min");
}

#[test]
fn too_short_a_registration_is_asked_for_longer() {
    let mut stage = Stage::with_trunks(&format!("{PROVIDER}register_s = 60\n"));
    let first = stage.one();
    assert_eq!(header(&first, "Expires"), "60");
    stage.hear_from(A, &reply(&first, 423, "r", "").replace("Content-Length: 0", "Min-Expires: 1800\r\nContent-Length: 0"));
    let second = stage.one();
    assert_eq!(header(&second, "Expires"), "1800");
    stage.hear_from(A, &reply(&second, 200, "r", ""));
    stage.wait(1_439_900);
    assert!(stage.sent().is_empty());
    stage.wait(200);
    assert_eq!(header(&stage.one(), "Expires"), "1800");
}

#[test]
fn a_challenged_call_is_proved_once() {
    let mut stage = Stage::with_trunks(&PROVIDER.replace("register = true\n", ""));
    dial(&mut stage, "+77142300000", city());
    let (_, first) = sent(&mut stage);
    assert!(first.starts_with("INVITE sip:+77142300000@provider.example SIP/2.0"), "{first}");
    assert!(header(&first, "From").starts_with("<sip:77142500000@provider.example>;tag="), "{first}");
    assert_eq!(header(&first, "P-Asserted-Identity"), "<sip:77142500000@provider.example>");
    let challenge = |text: &str| {
        let asked = "Proxy-Authenticate: Digest realm=\"p\", nonce=\"n\", algorithm=SHA-256, qop=\"auth\"\r\nContent-Length: 0";
        reply(text, 407, "x", "").replace("Content-Length: 0", asked)
    };
    stage.hear_from(A, &challenge(&first));
    let sent = stage.sent();
    assert!(sent[0].1.starts_with("ACK "), "{sent:#?}");
    let proved = &sent[1].1;
    assert!(header(proved, "Proxy-Authorization").contains("algorithm=SHA-256") && header(proved, "CSeq") == "2 INVITE", "{proved}");
    assert!(
        header(proved, "Call-ID") == header(&first, "Call-ID") && !header(proved, "To").contains("tag=") && proved.ends_with(OFFER),
        "{proved}"
    );
    stage.hear_from(A, &challenge(proved));
    assert_eq!((stage.told(), stage.told()), (refused(407), None), "the second challenge is an answer");
}

#[test]
fn hosts_are_looked_up_before_they_are_called() {
    let mut stage = Stage::with_trunks("[carrier]\nto = \"sip.carrier.example\"\ncheck_s = 0\n");
    let place = |host: &str| Place { host: host.into(), port: None, carrier: Carrier::Udp };
    let found = |addr: &str| Some(Answer { addresses: vec![addr.parse().unwrap()], holds_s: 60 });
    assert_eq!(stage.exchange.take_questions(), [place("sip.carrier.example")]);
    dial(&mut stage, "112", city());
    assert_eq!(stage.told(), refused(480), "nothing is known of the trunk yet");
    stage.exchange.resolved(stage.now, &place("sip.carrier.example"), found(A));
    dial(&mut stage, "112", city());
    let (to, invite) = sent(&mut stage);
    assert!(to == A && invite.starts_with("INVITE sip:112@sip.carrier.example SIP/2.0"), "{to} {invite}");
    stage.hear_from(A, &reply(&invite, 486, "x", ""));
    assert_eq!(stage.told(), refused(486));
    stage.sent();

    dial(&mut stage, "sip:x@far.example", city());
    assert!(stage.sent().is_empty() && stage.exchange.take_questions() == [place("far.example")]);
    stage.exchange.resolved(stage.now, &place("far.example"), found(B));
    let (to, invite) = sent(&mut stage);
    assert!(to == B && invite.starts_with("INVITE sip:x@far.example SIP/2.0"), "{to} {invite}");
    stage.hear_from(B, &reply(&invite, 486, "x", ""));
    stage.told();
    stage.sent();

    dial(&mut stage, "sip:x@nowhere.example", city());
    stage.exchange.resolved(stage.now, &place("nowhere.example"), None);
    assert_eq!(stage.told(), refused(480));
    dial(&mut stage, "sip:x@slow.example", city());
    stage.order(ToLine::CancelDial { leg: leg(7, 1) });
    stage.exchange.resolved(stage.now, &place("slow.example"), found(B));
    assert!(stage.sent().is_empty() && stage.told().is_none(), "it was given up");
    stage.wait(60_000);
    assert!(stage.exchange.take_questions().contains(&place("sip.carrier.example")), "asked again when the answer holds no longer");
}

/// The number and the name that the store hears of, empty where it hears nothing.
fn caller(settings: &str, from: &str, more: &str) -> (String, String) {
    let mut stage = Stage::with_trunks(settings);
    stage.hear_from(A, &incoming(from, more));
    let Some(FromLine::CallArrived { caller, .. }) = stage.told() else { panic!("no call") };
    let Ok(seen) = stage.callers.try_recv() else {
        assert_eq!(caller, CallerRef::WITHHELD);
        assert!(stage.exchange.numbers.is_empty(), "a withheld number is kept nowhere");
        return Default::default();
    };
    assert_eq!(seen.caller, caller);
    (seen.number.reveal().clone(), seen.name.map(|name| name.reveal().clone()).unwrap_or_default())
}

fn told(number: &str, name: &str) -> (String, String) {
    (number.into(), name.into())
}

#[test]
fn the_asserted_identity_is_the_caller_and_privacy_hides_them() {
    let asserted = "P-Asserted-Identity: \"Boss\" <sip:switchboard@x>, <tel:+77142111111>\r\n";
    assert_eq!(caller(TWO, "", ""), told("87011234545", "A"));
    assert_eq!(caller(TWO, "", asserted), told("+77142111111", ""));
    assert_eq!(caller(TWO, "", "P-Asserted-Identity: \"Boss\" <sip:+77142111111@x>\r\n"), told("+77142111111", "Boss"));
    assert_eq!(caller(&format!("{TWO}untrusted = true\n"), "", asserted), told("87011234545", "A"));
    assert_eq!(caller(TWO, "", &format!("{asserted}Privacy: none\r\n")), told("+77142111111", ""));
    for hidden in ["Privacy: id\r\n", "Privacy: header; ID ;critical\r\n", "Privacy: user\r\n"] {
        assert_eq!(caller(TWO, "", &format!("{asserted}{hidden}")), told("", ""), "{hidden}");
    }
    assert_eq!(caller(TWO, "\"Anonymous\" <sip:anonymous@anonymous.invalid>", asserted), told("", ""));
    assert_eq!(caller(TWO, "<sip:Anonymous@carrier.example>", ""), told("", ""));
}

#[test]
fn callers_are_written_by_the_rules_of_their_trunk() {
    let rules = format!(
        "{TWO}[carrier.numbers]\ncaller = [{{ begins = \"8\", digits = 11, strip = 1, add = \"+7\" }}]\ndial = [{{ begins = \"+7\", strip = 2, add = \"8\" }}]\n"
    );
    assert_eq!(caller(&rules, "", "").0, "+77011234545");
    assert_eq!(caller(&rules, "<sip:+77011234545@x>", "").0, "+77011234545", "and so has the same reference");
    let mut stage = Stage::with_trunks(&rules);
    dial(&mut stage, "+77142300000", city());
    assert!(sent(&mut stage).1.starts_with(&format!("INVITE sip:87142300000@{A} ")));
}

#[test]
fn a_call_handed_on_shows_the_resident_and_asserts_the_city() {
    let settings = format!("{TWO}shown = \"+77142109109\"\n");
    for (hidden, from) in
        [("", "<sip:87011234545@192.0.2.1>;tag="), ("Privacy: id\r\n", "\"Anonymous\" <sip:anonymous@anonymous.invalid>;tag=")]
    {
        let mut stage = Stage::with_trunks(&settings);
        stage.hear_from(A, &incoming("", hidden));
        let Some(FromLine::CallArrived { call, caller, .. }) = stage.told() else { panic!() };
        let sdp = stage.sdp(OFFER);
        let order = ToLine::Dial {
            leg: LegId { call, n: 1 },
            target: Target::Address("112".into()),
            shown: Shown::Resident(caller),
            sdp,
            auto_answer: false,
            replaces: None,
        };
        stage.order(order);
        let invite = stage.one();
        assert!(header(&invite, "From").starts_with(from), "{invite}");
        assert_eq!(header(&invite, "P-Asserted-Identity"), "<sip:+77142109109@192.0.2.1>");
        assert_eq!(invite.contains("Privacy: id\r\n"), !hidden.is_empty());
    }
}

#[test]
fn other_settings_keep_what_is_known_of_those_that_stay() {
    let mut stage = Stage::with_trunks(&format!("{CHECKED}{PROVIDER}"));
    let register = stage.sent().into_iter().find(|(_, text)| text.starts_with("REGISTER")).unwrap().1;
    stage.hear_from(A, &reply(&register, 200, "r", ""));
    let trunks = |text: &str| toml::from_str(text).unwrap();
    stage.exchange.reload_trunks(stage.now, &trunks(&format!("{CHECKED}shown = \"+77142109109\"\n{PROVIDER}")));
    assert!(stage.sent().is_empty(), "neither checks nor registrations begin anew");
    stage.exchange.reload_trunks(stage.now, &trunks(&format!("{CHECKED}{}", PROVIDER.replace("secret", "other"))));
    assert!(stage.one().starts_with("REGISTER "));
    stage.exchange.reload_trunks(stage.now, &trunks(TWO));
    stage.wait(33_000);
    stage.sent();
    stage.wait(120_000);
    assert!(stage.sent().is_empty() && stage.exchange.clients.len() == 0);
}
