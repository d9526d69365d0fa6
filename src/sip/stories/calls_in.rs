//! Calls that come in: answered, cancelled, refused, shed; re-INVITE, INFO and BYE from the far end.

use super::*;
use crate::centre::fact::EndReason;
use crate::centre::ids::TrunkId;
use crate::centre::input::{Digit, HangUpCause};

/// A request of the caller; `to` is its To header, `rest` what follows CSeq.
pub(super) fn request(method: &str, cseq: u32, branch: &str, to: &str, rest: &str, body: &str) -> String {
    let kind = if body.is_empty() { "" } else { "Content-Type: application/sdp\r\n" };
    format!(
        "{method} sip:109@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 203.0.113.7:5060;rport;branch=z9hG4bK{branch}\r\nFrom: \"A\" <sip:+77011234545@x>;tag=them\r\n\
         To: {to}\r\nCall-ID: c1\r\nCSeq: {cseq} {method}\r\nContact: <sip:a@203.0.113.7:5060>\r\n{kind}{rest}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

pub(super) fn invite() -> String {
    request("INVITE", 1, "1", "<sip:109@x>", "", OFFER)
}

/// A call that is up; returns the To header of its dialog.
pub(super) fn up(stage: &mut Stage) -> String {
    up_by(stage, &invite())
}

/// A call that is up, begun with this INVITE.
pub(super) fn up_by(stage: &mut Stage, invite: &str) -> String {
    stage.hear(invite);
    stage.told().unwrap();
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: leg(1, 0), sdp });
    let to = header(&stage.sent().last().unwrap().1, "To").to_owned();
    stage.hear(&request("ACK", 1, "2", &to, "", ""));
    to
}

#[test]
fn a_call_is_answered_and_ended_by_the_caller() {
    let mut stage = Stage::new();
    stage.hear(&invite());
    stage.wait(99);
    assert!(stage.lines().is_empty(), "an answer may come before there is a need to say that it will");
    stage.wait(1);
    assert_eq!(stage.lines(), ["SIP/2.0 100 Trying"]);
    let Some(FromLine::CallArrived { number, trunk, sdp: Some(sdp), caller, .. }) = stage.told() else { panic!() };
    assert_eq!((number.as_str(), trunk), ("109", TrunkId::from("city")));
    assert_eq!(stage.sdps.take(sdp).as_deref(), Some(OFFER));
    let seen = stage.callers.try_recv().unwrap();
    assert_eq!((seen.caller, seen.number.reveal().as_str(), seen.name.unwrap().reveal().as_str()), (caller, "+77011234545", "A"));
    stage.order(ToLine::Ring { leg: leg(1, 0) });
    assert_eq!(stage.lines(), ["SIP/2.0 180 Ringing"]);
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: leg(1, 0), sdp });
    let ok = stage.one();
    assert!(ok.ends_with(ANSWER) && header(&ok, "Contact") == "<sip:cityline@192.0.2.1:5060>" && ok.contains("Allow: "), "{ok}");
    stage.hear(&request("ACK", 1, "2", header(&ok, "To"), "", ""));
    let bye = request("BYE", 2, "3", header(&ok, "To"), "", "");
    stage.hear(&bye);
    assert_eq!(stage.lines(), ["SIP/2.0 200 OK"]);
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::Bye }));
    stage.hear(&bye);
    assert_eq!((stage.lines(), stage.told()), (vec!["SIP/2.0 200 OK".to_owned()], None), "a repeated BYE has no second effect");
    stage.wait(70_000);
    assert!(
        stage.exchange.legs.is_empty() && stage.exchange.numbers.is_empty() && stage.exchange.servers.len() == 0 && stage.sent().is_empty()
    );
}

#[test]
fn a_repeated_invite_is_one_call_and_an_answer_is_repeated_until_its_ack() {
    let mut stage = Stage::new();
    stage.hear(&invite());
    stage.hear(&invite());
    stage.hear(&invite());
    assert_eq!(stage.lines(), ["SIP/2.0 100 Trying", "SIP/2.0 100 Trying"], "one for each that is repeated");
    assert!(stage.told().is_some() && stage.told().is_none());
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: leg(1, 0), sdp });
    stage.wait(3600);
    assert_eq!(stage.lines().len(), 4, "at 0, 0.5, 1.5 and 3.5 s");
    stage.wait(40_000);
    let sent = stage.lines();
    assert!(sent.iter().any(|line| line.starts_with("BYE ")), "{sent:?}");
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::NoAck }));
    stage.wait(70_000);
    assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0);
}

#[test]
fn the_caller_gives_up_before_the_answer() {
    for rings in [false, true] {
        let mut stage = Stage::new();
        stage.hear(&invite());
        stage.told().unwrap();
        if rings {
            stage.order(ToLine::Ring { leg: leg(1, 0) });
        }
        stage.lines();
        stage.hear(&request("CANCEL", 1, "1", "<sip:109@x>", "", ""));
        assert_eq!(stage.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
        assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::Cancel }));
        stage.wait(600);
        assert_eq!(stage.lines(), ["SIP/2.0 487 Request Terminated"], "until its ACK");
        stage.hear(&request("ACK", 1, "1", "<sip:109@x>;tag=any", "", ""));
        stage.wait(60_000);
        assert!(stage.lines().is_empty() && stage.exchange.legs.is_empty() && stage.exchange.servers.len() == 0);
    }
}

#[test]
fn an_order_for_a_leg_that_is_gone_brings_its_end_again() {
    let mut stage = Stage::new();
    stage.hear(&invite());
    stage.told().unwrap();
    stage.hear(&request("CANCEL", 1, "1", "<sip:109@x>", "", ""));
    stage.told().unwrap();
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: leg(1, 0), sdp });
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::Failed }));
}

#[test]
fn a_hang_up_before_the_ack_waits_for_it() {
    let mut stage = Stage::new();
    stage.hear(&invite());
    stage.told().unwrap();
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: leg(1, 0), sdp });
    let to = header(&stage.sent().last().unwrap().1, "To").to_owned();
    stage.order(ToLine::HangUp { leg: leg(1, 0), reason: EndReason::PlanEnded });
    assert!(stage.lines().is_empty());
    stage.hear(&request("ACK", 1, "2", &to, "", ""));
    let bye = stage.one();
    assert!(bye.starts_with("BYE sip:a@203.0.113.7:5060 SIP/2.0") && bye.contains("Reason: Q.850;cause=16;text=\"plan_ended\""), "{bye}");
    stage.hear(&format!(
        "SIP/2.0 200 OK\r\nVia: {}\r\nFrom: {}\r\nTo: {}\r\nCall-ID: c1\r\nCSeq: 1 BYE\r\n\r\n",
        header(&bye, "Via"),
        header(&bye, "From"),
        header(&bye, "To")
    ));
    assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0 && stage.told().is_none());
}

#[test]
fn a_bye_that_crosses_ours_is_answered() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    stage.order(ToLine::HangUp { leg: leg(1, 0), reason: EndReason::OperatorHungUp });
    stage.lines();
    stage.hear(&request("BYE", 2, "3", &to, "", ""));
    assert_eq!((stage.lines(), stage.told()), (vec!["SIP/2.0 200 OK".to_owned()], None));
}

#[test]
fn strangers_and_wishes_that_cannot_be_met() {
    let mut stage = Stage::new();
    stage.hear_from("198.51.100.1:5060", &invite());
    assert_eq!(stage.lines(), ["SIP/2.0 403 Forbidden"]);
    (0..100).for_each(|_| stage.hear_from("198.51.100.1:5060", &invite()));
    assert!(stage.lines().len() <= 20, "a flood is met with silence");
    stage.hear(&request("INVITE", 1, "5", "<sip:109@x>;tag=none", "", OFFER));
    stage.hear(&request("BYE", 1, "6", "<sip:109@x>;tag=none", "", ""));
    stage.hear(&request("CANCEL", 1, "7", "<sip:109@x>", "", ""));
    stage.hear(&request("SUBSCRIBE", 1, "8", "<sip:109@x>", "", ""));
    stage.hear(&request("INVITE", 1, "9", "<sip:109@x>", "Accept: text/plain\r\n", OFFER));
    let answers: Vec<String> = stage.lines().iter().map(|line| line[8..11].to_owned()).collect();
    assert_eq!(answers, ["481", "481", "481", "405", "406"]);
    assert!(stage.told().is_none() && stage.exchange.servers.len() == 0, "nothing is kept for them");
}

#[test]
fn what_cannot_be_a_number_stays_outside() {
    let mut stage = Stage::new();
    let mut count = 0;
    let mut status_of = |user: &str| {
        count += 1;
        let branch = format!("n{count}");
        stage.hear(&request("INVITE", 1, &branch, "<sip:109@x>", "", OFFER).replace("sip:109@192.0.2.1", &format!("sip:{user}@192.0.2.1")));
        stage.wait(100);
        (stage.one()[8..11].to_owned(), stage.told().is_some())
    };
    for user in ["109", "+77272501520", "*21%23", "bridge-1.a_b"] {
        assert_eq!(status_of(user), ("100".to_owned(), true), "{user}");
    }
    for user in ["%3cb%3e".to_owned(), "1;09".into(), "%D0%B0".into(), "1".repeat(33), "1".repeat(60_000)] {
        assert_eq!(status_of(&user), ("404".to_owned(), false), "{user:.40}");
    }
}

#[test]
fn too_many_calls_are_sent_away_before_anything_is_kept() {
    let mut stage = Stage::with(2, 100);
    for n in 0..5 {
        stage.hear(&invite().replace("z9hG4bK1", &format!("z9hG4bKx{n}")).replace("c1", &format!("c{n}")));
    }
    let shed = stage.sent().into_iter().filter(|(_, text)| text.starts_with("SIP/2.0 503") && text.contains("Retry-After: 5")).count();
    assert_eq!((shed, stage.exchange.legs.len()), (3, 2));
    stage.wait(1000);
    stage.sent();
    stage.hear(&invite());
    assert!(stage.lines().is_empty() && stage.exchange.legs.len() == 3, "there is room again");
    let mut full = Stage::with(0, 4);
    for n in 0..5 {
        full.hear(&invite().replace("z9hG4bK1", &format!("z9hG4bKx{n}")).replace("c1", &format!("c{n}")));
    }
    assert_eq!(full.exchange.legs.len(), 2, "half of the engine's lane stays free");
}

#[test]
fn an_ending_that_finds_the_lane_full_is_told_later() {
    let mut stage = Stage::with(0, 2);
    let to = up(&mut stage);
    for n in 0..2 {
        stage.exchange.report(FromLine::HungUp { leg: leg(90 + n, 0), cause: HangUpCause::Bye });
    }
    stage.hear(&request("BYE", 2, "3", &to, "", ""));
    assert!(stage.told().is_some() && stage.told().is_some() && stage.told().is_none());
    stage.wait(20);
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::Bye }));
}

#[test]
fn an_ending_passes_what_waits_for_the_common_lane() {
    let mut stage = Stage::with(0, 2);
    let to = up(&mut stage);
    for _ in 0..3 {
        stage.exchange.phone_changed("aigul".into(), vec![]);
    }
    stage.hear(&request("BYE", 2, "3", &to, "", ""));
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::Bye }));
    stage.input().unwrap();
    stage.wait(20);
    assert!(stage.input().is_some() && stage.input().is_some() && stage.input().is_none(), "what waited comes too");
}

#[test]
fn a_call_that_nobody_decides_about_ends() {
    let mut stage = Stage::new();
    stage.hear(&invite());
    stage.told().unwrap();
    stage.wait(30_000);
    assert_eq!(stage.lines(), ["SIP/2.0 100 Trying", "SIP/2.0 480 Temporarily Unavailable"]);
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::Failed }));
}

#[test]
fn an_offer_that_comes_late_is_answered_in_the_ack() {
    let mut stage = Stage::new();
    stage.hear(&request("INVITE", 1, "1", "<sip:109@x>", "", ""));
    assert!(matches!(stage.told(), Some(FromLine::CallArrived { sdp: None, .. })));
    let sdp = stage.sdp(OFFER);
    stage.order(ToLine::Answer { leg: leg(1, 0), sdp });
    let to = header(&stage.sent().last().unwrap().1, "To").to_owned();
    stage.hear(&request("ACK", 1, "2", &to, "", ANSWER));
    let Some(FromLine::Answered { leg: answered, sdp }) = stage.told() else { panic!() };
    assert_eq!((answered, stage.sdps.take(sdp).as_deref()), (leg(1, 0), Some(ANSWER)));
}

#[test]
fn a_new_offer_in_the_call_is_put_to_the_core() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    let reinvite = |cseq: u32, body: &str| request("INVITE", cseq, &format!("re{cseq}"), &to, "", body);
    stage.hear(&reinvite(2, OFFER));
    stage.hear(&reinvite(2, OFFER));
    assert_eq!(stage.lines(), ["SIP/2.0 100 Trying", "SIP/2.0 100 Trying"]);
    assert!(matches!(stage.told(), Some(FromLine::Reoffered { .. })) && stage.told().is_none());
    stage.hear(&reinvite(3, OFFER));
    assert!(stage.one().contains("500 Server Internal Error"), "one at a time");
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::AcceptOffer { leg: leg(1, 0), sdp });
    assert!(stage.one().ends_with(ANSWER));
    stage.hear(&request("ACK", 2, "a2", &to, "", ""));
    stage.hear(&reinvite(4, ""));
    assert!(stage.one().ends_with(ANSWER), "without an offer our last description is offered");
    stage.hear(&reinvite(5, OFFER));
    assert_eq!(stage.lines(), ["SIP/2.0 491 Request Pending"]);
    stage.hear(&request("ACK", 4, "a4", &to, "", OFFER));
    assert!(matches!(stage.told(), Some(FromLine::Renegotiated { .. })));
    stage.hear(&reinvite(6, OFFER));
    stage.lines();
    stage.told();
    stage.order(ToLine::RefuseOffer { leg: leg(1, 0) });
    assert_eq!(stage.lines(), ["SIP/2.0 488 Not Acceptable Here"]);
    stage.hear(&reinvite(5, OFFER));
    stage.hear(&request("INVITE", 5, "old", &to, "", OFFER));
    assert!(stage.lines().iter().any(|line| line.contains("500")), "an old CSeq");
    assert_eq!(stage.exchange.legs.len(), 1);
}

#[test]
fn keys_by_info_and_the_rest_of_a_dialog() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    let info = |branch: &str, body: &str| request("INFO", 2, branch, &to, "", body).replace("application/sdp", "application/dtmf-relay");
    stage.hear(&info("i1", "Signal=5\r\nDuration=160\r\n"));
    assert_eq!(stage.told(), Some(FromLine::Digit { leg: leg(1, 0), digit: Digit::new('5').unwrap() }));
    stage.hear(&info("i1", "Signal=5\r\nDuration=160\r\n"));
    assert_eq!(stage.told(), None, "a repeated one is one key");
    stage.hear(&request("OPTIONS", 3, "o", &to, "", ""));
    stage.hear(&request("UPDATE", 4, "u", &to, "", ""));
    let answers: Vec<String> = stage.lines().iter().map(|line| line[8..11].to_owned()).collect();
    assert_eq!(answers[answers.len() - 4..], ["200", "200", "200", "200"]);
    stage.hear(&request("BYE", 5, "b", "<sip:109@x>;tag=1.0.0123", "", ""));
    assert!(stage.one().contains("481"), "a guessed tag ends nobody's call");
}
