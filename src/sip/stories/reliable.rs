//! Provisional answers that must arrive: ours to a caller who requires it, and those of far ends that we call (RFC 3262).

use super::calls_in::{invite, request};
use super::calls_out::{FAR, dial, reply};
use super::*;
use crate::centre::input::HangUpCause;

fn us() -> LegId {
    leg(1, 0)
}

/// A call that rings by a reliable 180; returns that.
fn ringing(stage: &mut Stage) -> String {
    stage.hear(&invite().replace("Contact:", "Require: 100rel\r\nContact:"));
    stage.told().unwrap();
    stage.order(ToLine::Ring { leg: us() });
    stage.one()
}

fn prack(ringing: &str, cseq: u32, rack: &str) -> String {
    request("PRACK", cseq, &format!("p{cseq}"), header(ringing, "To"), &format!("RAck: {rack}\r\n"), "")
}

#[test]
fn a_reliable_180_is_repeated_until_its_prack() {
    let mut stage = Stage::new();
    let ring = ringing(&mut stage);
    assert!(ring.starts_with("SIP/2.0 180") && header(&ring, "Require") == "100rel" && !header(&ring, "Contact").is_empty(), "{ring}");
    let rseq = header(&ring, "RSeq").to_owned();
    stage.wait(3_600);
    assert_eq!(stage.sent().iter().filter(|(_, text)| *text == ring).count(), 3, "at 0.5, 1.5 and 3.5 s");
    stage.hear(&prack(&ring, 2, &format!("{rseq} 9 INVITE")));
    stage.hear(&prack(&ring, 3, "5 1 INVITE"));
    stage.hear(&prack(&ring, 4, &format!("{rseq} 1 INVITE")));
    stage.hear(&prack(&ring, 4, &format!("{rseq} 1 INVITE")));
    stage.hear(&prack(&ring, 5, &format!("{rseq} 1 INVITE")));
    let answers: Vec<String> = stage.lines().iter().map(|line| line[8..11].to_owned()).collect();
    assert_eq!(answers, ["481", "481", "200", "200", "481"], "the wrong INVITE, the wrong number, the right one, repeated, once more");
    stage.wait(20_000);
    assert!(stage.lines().is_empty());
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: us(), sdp });
    assert!(stage.one().starts_with("SIP/2.0 200 OK"));
}

#[test]
fn a_prack_may_come_after_the_answer() {
    let mut stage = Stage::new();
    let ring = ringing(&mut stage);
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: us(), sdp });
    assert_eq!(stage.lines(), ["SIP/2.0 200 OK"], "the answer does not wait for it");
    stage.hear(&prack(&ring, 2, &format!("{} 1 INVITE", header(&ring, "RSeq"))));
    assert_eq!(stage.lines(), ["SIP/2.0 200 OK"]);
    stage.hear(&request("ACK", 1, "ack", header(&ring, "To"), "", ""));
    stage.wait(5_000);
    assert!(stage.lines().is_empty() && stage.exchange.legs.len() == 1);
}

#[test]
fn without_any_prack_the_call_is_refused() {
    let mut stage = Stage::new();
    ringing(&mut stage);
    stage.wait(31_900);
    assert_eq!(stage.lines().len(), 6, "doubled without bound");
    stage.wait(200);
    assert_eq!(stage.lines(), ["SIP/2.0 504 Server Time-out"]);
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: us(), cause: HangUpCause::Failed }));
    stage.wait(70_000);
    assert!(stage.exchange.legs.is_empty() && stage.exchange.servers.len() == 0);
}

#[test]
fn a_caller_may_give_up_in_between() {
    let mut stage = Stage::new();
    ringing(&mut stage);
    stage.hear(&request("CANCEL", 1, "1", "<sip:109@x>", "", ""));
    assert_eq!(stage.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: us(), cause: HangUpCause::Cancel }));
}

#[test]
fn where_the_offer_is_left_to_us_nothing_rings_without_one() {
    let mut stage = Stage::new();
    stage.hear(&request("INVITE", 1, "1", "<sip:109@x>", "Require: 100rel\r\n", ""));
    stage.told().unwrap();
    stage.order(ToLine::Ring { leg: us() });
    assert!(stage.lines().is_empty());
}

/// A reliable provisional answer of a far end.
fn reliable(invite: &str, tag: &str, rseq: u32, body: &str) -> String {
    reply(invite, 183, tag, body).replace("Contact:", &format!("Require: 100rel\r\nRSeq: {rseq}\r\nContact:"))
}

#[test]
fn reliable_answers_of_a_far_end_are_acknowledged_once_and_in_order() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    assert!(header(&invite, "Supported").contains("100rel"));
    stage.hear_from(FAR, &reliable(&invite, "f", 700, ""));
    let prack = stage.one();
    assert!(prack.starts_with(&format!("PRACK sip:far@{FAR} SIP/2.0")) && header(&prack, "RAck") == "700 1 INVITE", "{prack}");
    assert!(header(&prack, "CSeq") == "2 PRACK" && header(&prack, "To").ends_with(";tag=f"), "{prack}");
    stage.wait(600);
    assert_eq!(stage.one(), prack, "it is repeated itself");
    stage.hear_from(FAR, &reliable(&invite, "f", 700, ""));
    stage.hear_from(FAR, &reliable(&invite, "f", 702, ""));
    assert!(stage.lines().is_empty(), "repeated, and out of order");
    stage.hear_from(FAR, &reply(&prack, 200, "f", ""));
    stage.hear_from(FAR, &reliable(&invite, "f", 701, ""));
    let second = stage.one();
    assert!(header(&second, "RAck") == "701 1 INVITE" && header(&second, "CSeq") == "3 PRACK");
    stage.hear_from(FAR, &reply(&second, 200, "f", ""));
    assert_eq!((stage.told(), stage.told()), (Some(FromLine::Ringing { leg: leg(7, 1) }), None));
    stage.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    assert_eq!(header(&stage.one(), "CSeq"), "1 ACK");
    stage.order(ToLine::HangUp { leg: leg(7, 1), reason: crate::centre::fact::EndReason::OperatorHungUp });
    assert_eq!(header(&stage.one(), "CSeq"), "4 BYE");
}

#[test]
fn sound_before_the_answer_and_an_answer_without_a_description() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &reliable(&invite, "f", 1, ANSWER));
    let mut told = [stage.told().unwrap(), stage.told().unwrap()];
    let FromLine::EarlyMedia { leg: early, sdp } = &mut told[1] else { panic!("{told:?}") };
    assert_eq!((*early, stage.sdps.take(*sdp).as_deref()), (leg(7, 1), Some(ANSWER)));
    assert_eq!(told[0], FromLine::Ringing { leg: leg(7, 1) });
    stage.hear_from(FAR, &reply(&invite, 183, "f", ANSWER));
    assert_eq!(stage.told(), None, "the same again is no news");
    stage.sent();
    stage.hear_from(FAR, &reply(&invite, 200, "f", ""));
    assert!(stage.one().starts_with("ACK "));
    let Some(FromLine::Answered { sdp, .. }) = stage.told() else { panic!() };
    assert_eq!(stage.sdps.take(sdp).as_deref(), Some(ANSWER), "the answer was in the 183");
}

#[test]
fn giving_up_after_a_prack_names_the_invite() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &reliable(&invite, "f", 1, ""));
    stage.sent();
    stage.order(ToLine::CancelDial { leg: leg(7, 1) });
    let cancel = stage.one();
    assert!(cancel.starts_with("CANCEL ") && header(&cancel, "CSeq") == "1 CANCEL", "{cancel}");
    stage.hear_from(FAR, &reply(&invite, 487, "f", ""));
    assert!(stage.sent().iter().any(|(_, text)| text.starts_with("ACK ") && header(text, "CSeq") == "1 ACK"));
    stage.wait(70_000);
    assert_eq!(stage.exchange.clients.len(), 0);
}

#[test]
fn a_far_end_may_refresh_its_target_before_it_answers() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    let update = |tag: &str, branch: &str, body: &str| {
        let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
        format!(
            "UPDATE sip:cityline@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {FAR};branch=z9hG4bK{branch}\r\nFrom: {};tag={tag}\r\nTo: {}\r\n\
             Call-ID: {}\r\nCSeq: 1 UPDATE\r\nContact: <sip:far@{FAR}>\r\n{kind}Content-Length: {}\r\n\r\n{body}",
            header(&invite, "To"),
            header(&invite, "From"),
            header(&invite, "Call-ID"),
            body.len()
        )
    };
    stage.hear_from(FAR, &update("f", "u0", ""));
    stage.hear_from(FAR, &reliable(&invite, "f", 1, ANSWER));
    stage.hear_from(FAR, &update("f", "u1", ""));
    stage.hear_from(FAR, &update("f", "u2", OFFER));
    stage.hear_from(FAR, &update("x", "u3", ""));
    let answers: Vec<String> = stage.lines().iter().filter(|line| line.starts_with("SIP")).map(|line| line[8..11].to_owned()).collect();
    assert_eq!(answers, ["481", "200", "488", "481"]);
}
