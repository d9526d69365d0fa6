//! Calls that we make: answered, refused, silent, given up in every phase, forked.

use super::*;
use crate::centre::fact::EndReason;
use crate::centre::output::{Shown, Target};

pub(super) const FAR: &str = "198.51.100.5:5070";
const LEG: (u64, u16) = (7, 1);

pub(super) fn dial(stage: &mut Stage) -> String {
    let sdp = stage.sdp(OFFER);
    let target = Target::Address(format!("sip:112@{FAR}"));
    stage.order(ToLine::Dial { leg: leg(LEG.0, LEG.1), target, shown: Shown::City("109".into()), sdp, auto_answer: false, replaces: None });
    stage.one()
}

/// The far end's answer to a request of ours.
pub(super) fn reply(to: &str, status: u16, tag: &str, body: &str) -> String {
    let tag = if tag.is_empty() || header(to, "To").contains(";tag=") { String::new() } else { format!(";tag={tag}") };
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "SIP/2.0 {status} X\r\nVia: {}\r\nFrom: {}\r\nTo: {}{tag}\r\nCall-ID: {}\r\nCSeq: {}\r\nContact: <sip:far@{FAR}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
        header(to, "Via"),
        header(to, "From"),
        header(to, "To"),
        header(to, "Call-ID"),
        header(to, "CSeq"),
        body.len()
    )
}

#[test]
fn the_far_end_rings_answers_and_hangs_up() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    assert!(
        invite.starts_with(&format!("INVITE sip:112@{FAR} SIP/2.0\r\n"))
            && invite.contains("From: <sip:109@192.0.2.1>;tag=")
            && invite.ends_with(OFFER)
    );
    for status in [100, 180, 183] {
        stage.hear_from(FAR, &reply(&invite, status, "f", ""));
    }
    assert_eq!((stage.told(), stage.told()), (Some(FromLine::Ringing { leg: leg(7, 1) }), None));
    let ok = reply(&invite, 200, "f", ANSWER);
    stage.hear_from(FAR, &ok);
    let ack = stage.one();
    assert!(
        ack.starts_with(&format!("ACK sip:far@{FAR} SIP/2.0")) && header(&ack, "CSeq") == "1 ACK" && header(&ack, "To").ends_with(";tag=f"),
        "{ack}"
    );
    assert!(matches!(stage.told(), Some(FromLine::Answered { .. })));
    stage.hear_from(FAR, &ok);
    assert_eq!((stage.one(), stage.told()), (ack, None), "a repeated 200 gets the same ACK");
    stage.order(ToLine::HangUp { leg: leg(7, 1), reason: EndReason::OperatorHungUp });
    let bye = stage.one();
    assert_eq!(header(&bye, "CSeq"), "2 BYE");
    stage.hear_from(FAR, &reply(&bye, 200, "f", ""));
    stage.wait(70_000);
    assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0 && stage.told().is_none());
}

#[test]
fn a_refusal_is_acknowledged_once_told_once() {
    for status in [404, 486, 500, 603] {
        let mut stage = Stage::new();
        let invite = dial(&mut stage);
        let refusal = reply(&invite, status, "f", "");
        stage.hear_from(FAR, &refusal);
        stage.hear_from(FAR, &refusal);
        assert_eq!(stage.told(), Some(FromLine::Refused { leg: leg(7, 1), status }));
        assert_eq!(stage.told(), None);
        let acks = stage.sent();
        assert_eq!(acks.len(), 2);
        assert_eq!(header(&acks[0].1, "Via"), header(&invite, "Via"), "the ACK of a refusal is of the same transaction");
        assert!(stage.exchange.legs.is_empty());
    }
}

#[test]
fn silence_is_408() {
    let mut stage = Stage::new();
    dial(&mut stage);
    stage.wait(31_900);
    assert_eq!(stage.lines().len(), 6, "repeated at 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s");
    assert_eq!(stage.told(), None);
    stage.wait(200);
    assert_eq!(stage.told(), Some(FromLine::Refused { leg: leg(7, 1), status: 408 }));
    assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0);
}

#[test]
fn giving_up_waits_for_a_provisional_answer() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.order(ToLine::CancelDial { leg: leg(7, 1) });
    assert!(stage.lines().is_empty(), "RFC 3261 §9.1");
    stage.hear_from(FAR, &reply(&invite, 180, "f", ""));
    let cancel = stage.one();
    assert!(
        cancel.starts_with("CANCEL ") && header(&cancel, "Via") == header(&invite, "Via") && header(&cancel, "CSeq") == "1 CANCEL",
        "{cancel}"
    );
    stage.wait(500);
    assert_eq!(stage.one(), cancel, "repeated until answered");
    stage.hear_from(FAR, &reply(&cancel, 200, "f", ""));
    stage.wait(5000);
    assert!(stage.lines().is_empty());
    stage.hear_from(FAR, &reply(&invite, 487, "f", ""));
    assert!(stage.one().starts_with("ACK "));
    assert_eq!(stage.told(), None, "the core hears nothing more");
    stage.wait(70_000);
    assert_eq!(stage.exchange.clients.len(), 0);
}

#[test]
fn an_answer_that_crosses_the_giving_up_is_ended() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &reply(&invite, 180, "f", ""));
    stage.told();
    stage.order(ToLine::CancelDial { leg: leg(7, 1) });
    stage.lines();
    stage.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    let sent = stage.lines();
    assert!(sent.len() == 2 && sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "), "{sent:?}");
    assert!(stage.told().is_none() && stage.exchange.legs.is_empty());
}

#[test]
fn giving_up_an_answered_leg_is_a_hang_up() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    stage.lines();
    stage.order(ToLine::CancelDial { leg: leg(7, 1) });
    assert!(stage.one().starts_with("BYE "));
}

#[test]
fn the_second_answer_of_a_fork_is_ended() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &reply(&invite, 200, "first", ANSWER));
    stage.lines();
    stage.hear_from(FAR, &reply(&invite, 200, "second", ANSWER));
    let sent = stage.sent();
    assert!(sent.len() == 2 && sent.iter().all(|(_, text)| header(text, "To").ends_with(";tag=second")), "{sent:#?}");
    assert!(sent[1].1.starts_with("BYE ") && stage.exchange.legs.len() == 1);
    stage.told();
    assert_eq!(stage.told(), None);
}

#[test]
fn what_cannot_be_dialled_is_refused() {
    let mut stage = Stage::new();
    let mut status = |target: Target| {
        let sdp = stage.sdp(OFFER);
        stage.order(ToLine::Dial { leg: leg(7, 1), target, shown: Shown::City("109".into()), sdp, auto_answer: false, replaces: None });
        stage.told()
    };
    let refused = Some(FromLine::Refused { leg: leg(7, 1), status: 480 });
    assert_eq!(status(Target::Contact(crate::centre::ids::ContactId(5))), refused);
    assert_eq!(status(Target::Address("1\r\nEvil: 2".into())), refused);
    assert_eq!(status(Target::Address("112".into())), None, "a bare number goes out by the trunk");
    let sent = stage.sent();
    assert!(sent[0].0 == TRUNK && sent[0].1.starts_with(&format!("INVITE sip:112@{TRUNK} SIP/2.0")), "{sent:?}");
}

#[test]
fn the_far_end_hangs_up() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    stage.told();
    stage.lines();
    let bye = format!(
        "BYE sip:cityline@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {FAR};branch=z9hG4bKb\r\nFrom: {};tag=f\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 9 BYE\r\n\r\n",
        header(&invite, "To"),
        header(&invite, "From"),
        header(&invite, "Call-ID")
    );
    stage.hear_from(FAR, &bye);
    assert_eq!(stage.lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(7, 1), cause: crate::centre::input::HangUpCause::Bye }));
}
