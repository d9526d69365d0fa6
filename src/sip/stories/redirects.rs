//! Calls that a far end sends elsewhere: by its Contacts, the best first, never for ever, never to strangers.

use super::calls_out::{FAR, dial, reply};
use super::*;

const LEG: (u64, u16) = (7, 1);

fn us() -> LegId {
    leg(LEG.0, LEG.1)
}

fn moved(invite: &str, contacts: &str) -> String {
    reply(invite, 302, "f", "").replace(&format!("Contact: <sip:far@{FAR}>"), &format!("Contact: {contacts}"))
}

/// The INVITE that follows the ACK of a refusal.
fn next(stage: &mut Stage) -> (String, String) {
    let mut sent = stage.sent();
    assert!(sent.len() == 2 && sent[0].1.starts_with("ACK "), "{sent:#?}");
    sent.remove(1)
}

#[test]
fn a_call_follows_the_contacts_in_their_order() {
    let mut stage = Stage::new();
    let first = dial(&mut stage);
    stage.hear_from(FAR, &moved(&first, "<sip:b@198.51.100.5:5071>;q=0.2, <sip:a@198.51.100.5:5072>;q=0.7"));
    let (to, second) = next(&mut stage);
    assert!(to == "198.51.100.5:5072" && second.starts_with("INVITE sip:a@198.51.100.5:5072 SIP/2.0"), "{second}");
    assert!(header(&second, "Call-ID") == header(&first, "Call-ID") && header(&second, "CSeq") == "2 INVITE" && second.ends_with(OFFER));
    assert_eq!((header(&second, "To"), header(&second, "From")), (header(&first, "To"), header(&first, "From")));
    stage.hear_from(FAR, &reply(&second, 486, "g", ""));
    let (to, third) = next(&mut stage);
    assert_eq!(to, "198.51.100.5:5071");
    assert_eq!(stage.told(), None, "the core has not heard of a refusal");
    stage.hear_from(FAR, &reply(&third, 200, "h", ANSWER));
    assert_eq!(header(&stage.one(), "CSeq"), "3 ACK");
    assert!(matches!(stage.told(), Some(FromLine::Answered { .. })));
    stage.wait(70_000);
    assert_eq!((stage.exchange.legs.len(), stage.exchange.clients.len()), (1, 0));
}

#[test]
fn silence_leads_on_and_the_last_word_is_told() {
    let mut stage = Stage::new();
    let first = dial(&mut stage);
    stage.hear_from(FAR, &moved(&first, "<sip:b@198.51.100.5:5071>, <sip:c@198.51.100.5:5072>"));
    stage.sent();
    stage.wait(32_100);
    let sent = stage.sent();
    assert_eq!(sent.last().unwrap().0, "198.51.100.5:5072");
    stage.hear_from(FAR, &reply(&sent.last().unwrap().1, 480, "x", ""));
    assert_eq!(stage.told(), Some(FromLine::Refused { leg: us(), status: 480 }));
    assert!(stage.exchange.legs.is_empty());
}

#[test]
fn nobody_is_sent_in_circles_to_strangers_or_to_ourselves() {
    let mut stage = Stage::new();
    let mut invite = dial(&mut stage);
    for n in 0..4 {
        stage.hear_from(FAR, &moved(&invite, &format!("<sip:112@{FAR}>, <sip:x{n}@{FAR}>")));
        invite = next(&mut stage).1;
    }
    stage.hear_from(FAR, &moved(&invite, &format!("<sip:x9@{FAR}>")));
    assert_eq!(stage.told(), Some(FromLine::Refused { leg: us(), status: 302 }), "five ways at most");
    for contact in ["<sip:a@233.252.0.9>", "<sip:109@192.0.2.1:5060>", "<tel:+77010000000>", "<sip:a@host.example>", "<mailto:a@b>"] {
        stage.sent();
        let invite = dial(&mut stage);
        stage.hear_from(FAR, &moved(&invite, contact));
        assert_eq!((stage.told(), stage.sent().len()), (Some(FromLine::Refused { leg: us(), status: 302 }), 1), "{contact}");
    }
    stage.sent();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &moved(&invite, "<sip:112@203.0.113.99>"));
    assert_eq!(next(&mut stage).0, "203.0.113.99:5060", "a trunk is no stranger");
}

#[test]
fn a_call_that_is_given_up_goes_nowhere() {
    let mut stage = Stage::new();
    let first = dial(&mut stage);
    stage.hear_from(FAR, &reply(&first, 180, "f", ""));
    stage.order(ToLine::CancelDial { leg: us() });
    stage.sent();
    stage.hear_from(FAR, &moved(&first, &format!("<sip:x@{FAR}>")));
    assert_eq!(stage.lines().len(), 1, "the ACK");
    let mut sent_on = Stage::new();
    let first = dial(&mut sent_on);
    sent_on.hear_from(FAR, &moved(&first, &format!("<sip:x@{FAR}>")));
    let (_, second) = next(&mut sent_on);
    sent_on.hear_from(FAR, &reply(&second, 180, "f", ""));
    sent_on.order(ToLine::CancelDial { leg: us() });
    let cancel = sent_on.one();
    assert!(header(&cancel, "CSeq") == "2 CANCEL" && header(&cancel, "Via") == header(&second, "Via"), "{cancel}");
}

#[test]
fn a_session_that_is_too_short_for_the_far_end_is_asked_for_longer() {
    let mut stage = Stage::new();
    let first = dial(&mut stage);
    let refusal = reply(&first, 422, "f", "").replace("Contact:", "Min-SE: 3600\r\nContact:");
    stage.hear_from(FAR, &refusal);
    let (to, second) = next(&mut stage);
    assert!(to == FAR && header(&second, "Session-Expires") == "3600" && header(&second, "Min-SE") == "3600", "{second}");
    stage.hear_from(FAR, &reply(&second, 422, "f", "").replace("Contact:", "Min-SE: 3600\r\nContact:"));
    assert_eq!(stage.told(), Some(FromLine::Refused { leg: us(), status: 422 }), "once");
}
