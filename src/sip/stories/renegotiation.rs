//! Offers in a dialog that is up: ours, theirs, both at once; refused, lost, withdrawn.

use super::calls_in::{request, up};
use super::calls_out::{FAR, dial, reply};
use super::*;
use crate::centre::fact::EndReason;
use crate::centre::input::HangUpCause;

const SECOND: &str = "v=0\r\ns=second\r\n";
const LEG: (u64, u16) = (1, 0);

fn us() -> LegId {
    leg(LEG.0, LEG.1)
}

fn renegotiate(stage: &mut Stage, text: &str) {
    let sdp = stage.sdp(text);
    stage.order(ToLine::Renegotiate { leg: us(), sdp });
}

/// The message without what the far end cannot see: our first line and body.
fn shape(message: &str) -> (String, String) {
    (message.lines().next().unwrap().to_owned(), message.split("\r\n\r\n").nth(1).unwrap().to_owned())
}

#[test]
fn our_offer_goes_out_and_its_answer_comes_in() {
    let mut stage = Stage::new();
    up(&mut stage);
    renegotiate(&mut stage, SECOND);
    let invite = stage.one();
    assert_eq!(shape(&invite), ("INVITE sip:a@203.0.113.7:5060 SIP/2.0".to_owned(), SECOND.to_owned()));
    assert!(header(&invite, "CSeq") == "1 INVITE" && header(&invite, "To").ends_with(";tag=them"), "{invite}");
    stage.hear(&reply(&invite, 100, "", ""));
    let ok = reply(&invite, 200, "", ANSWER);
    stage.hear(&ok);
    let ack = stage.one();
    assert!(
        ack.starts_with(&format!("ACK sip:far@{FAR} SIP/2.0")) && header(&ack, "CSeq") == "1 ACK",
        "its Contact is the new target: {ack}"
    );
    let Some(FromLine::Renegotiated { leg, sdp }) = stage.told() else { panic!() };
    assert_eq!((leg, stage.sdps.take(sdp).as_deref()), (us(), Some(ANSWER)));
    stage.hear(&ok);
    assert_eq!((stage.one(), stage.told()), (ack, None), "a repeated 200 gets the same ACK");
    stage.wait(70_000);
    assert_eq!((stage.exchange.clients.len(), stage.exchange.legs.len()), (0, 1));
}

#[test]
fn offers_wait_for_their_turn_and_the_newest_goes() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    stage.hear(&request("INVITE", 2, "re", &to, "", OFFER));
    stage.told().unwrap();
    renegotiate(&mut stage, "v=0\r\ns=old\r\n");
    renegotiate(&mut stage, SECOND);
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::AcceptOffer { leg: us(), sdp });
    assert_eq!(stage.lines(), ["SIP/2.0 100 Trying", "SIP/2.0 200 OK"], "their exchange is open until the ACK");
    stage.hear(&request("ACK", 2, "ack", &to, "", ""));
    let invite = stage.one();
    assert!(invite.ends_with(SECOND), "{invite}");
    renegotiate(&mut stage, OFFER);
    assert!(stage.lines().is_empty(), "one of ours at a time");
    stage.hear(&reply(&invite, 200, "", ANSWER));
    let sent = stage.sent();
    assert!(sent.len() == 2 && sent[0].1.starts_with("ACK ") && sent[1].1.ends_with(OFFER), "{sent:#?}");
}

#[test]
fn a_glare_is_answered_491_on_both_sides_and_tried_again() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    renegotiate(&mut stage, SECOND);
    let first = stage.one();
    stage.hear(&request("INVITE", 2, "re", &to, "", OFFER));
    assert_eq!(stage.lines(), ["SIP/2.0 491 Request Pending"]);
    stage.hear(&request("ACK", 2, "re", &to, "", ""));
    stage.hear(&request("UPDATE", 3, "up", &to, "", OFFER));
    assert_eq!(stage.lines(), ["SIP/2.0 491 Request Pending"], "by UPDATE too");
    stage.hear(&reply(&first, 491, "", ""));
    assert!(stage.one().starts_with("ACK "));
    stage.wait(2_001);
    let again = stage.sent().remove(0).1;
    assert!(again.ends_with(SECOND) && header(&again, "CSeq") == "2 INVITE", "who does not own the Call-ID waits 2 s at most: {again}");
    assert_ne!(header(&again, "Via"), header(&first, "Via"));
    stage.hear(&reply(&again, 200, "", ANSWER));
    assert!(matches!(stage.told(), Some(FromLine::Renegotiated { .. })) && stage.told().is_none());
}

#[test]
fn who_owns_the_call_id_lets_the_other_go_first() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    stage.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    stage.told();
    stage.sent();
    let sdp = stage.sdp(SECOND);
    stage.order(ToLine::Renegotiate { leg: leg(7, 1), sdp });
    let ours = stage.one();
    assert_eq!(header(&ours, "CSeq"), "2 INVITE");
    stage.hear_from(FAR, &reply(&ours, 491, "", ""));
    stage.sent();
    stage.wait(2_099);
    assert!(stage.lines().is_empty());
    let theirs = format!(
        "INVITE sip:cityline@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP {FAR};branch=z9hG4bKre\r\nFrom: {};tag=f\r\nTo: {}\r\nCall-ID: {}\r\nCSeq: 5 INVITE\r\n\
         Contact: <sip:far@{FAR}>\r\nContent-Type: application/sdp\r\n\r\n{OFFER}",
        header(&invite, "To"),
        header(&invite, "From"),
        header(&invite, "Call-ID")
    );
    stage.hear_from(FAR, &theirs);
    assert!(matches!(stage.told(), Some(FromLine::Reoffered { .. })), "theirs has its turn meanwhile");
    stage.lines();
    stage.wait(2_000);
    assert!(stage.lines().is_empty(), "ours waits for the end of theirs");
    stage.order(ToLine::RefuseOffer { leg: leg(7, 1) });
    let sent = stage.sent();
    assert!(sent[0].1.starts_with("SIP/2.0 488") && sent[1].1.ends_with(SECOND), "{sent:#?}");
}

#[test]
fn a_far_end_that_always_glares_is_let_be() {
    let mut stage = Stage::new();
    up(&mut stage);
    renegotiate(&mut stage, SECOND);
    for _ in 0..11 {
        let invite = stage.sent().remove(0).1;
        stage.hear(&reply(&invite, 491, "", ""));
        assert!(stage.one().starts_with("ACK "));
        stage.wait(2_100);
    }
    assert_eq!((stage.told(), stage.lines().len()), (Some(FromLine::NotRenegotiated { leg: us(), status: 491 }), 0));
}

#[test]
fn a_refusal_leaves_what_was_agreed() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    for status in [488, 415, 403, 606] {
        renegotiate(&mut stage, SECOND);
        let invite = stage.one();
        let refusal = reply(&invite, status, "", "");
        stage.hear(&refusal);
        let ack = stage.one();
        assert!(
            ack.starts_with("ACK sip:a@203.0.113.7:5060 ") && header(&ack, "Via") == header(&invite, "Via"),
            "of the same transaction: {ack}"
        );
        assert_eq!(stage.told(), Some(FromLine::NotRenegotiated { leg: us(), status }));
        stage.hear(&refusal);
        assert_eq!((stage.one(), stage.told()), (ack, None));
    }
    stage.hear(&request("INVITE", 2, "re", &to, "", ""));
    assert!(stage.one().ends_with(ANSWER), "our last description that was taken");
}

#[test]
fn a_far_end_that_asks_for_time_gets_it() {
    let mut stage = Stage::new();
    up(&mut stage);
    renegotiate(&mut stage, SECOND);
    let busy = reply(&stage.one(), 500, "", "").replace("Content-Length", "Retry-After: 3\r\nContent-Length");
    stage.hear(&busy);
    stage.sent();
    stage.wait(2_999);
    assert!(stage.lines().is_empty());
    stage.wait(1);
    assert!(stage.one().ends_with(SECOND) && stage.told().is_none());
}

#[test]
fn a_far_end_without_the_dialog_is_gone() {
    for status in [481, 408] {
        let mut stage = Stage::new();
        up(&mut stage);
        renegotiate(&mut stage, SECOND);
        let refusal = reply(&stage.one(), status, "", "");
        stage.hear(&refusal);
        let sent = stage.lines();
        assert!(sent.len() == 2 && sent[0].starts_with("ACK ") && sent[1].starts_with("BYE "), "{sent:?}");
        assert_eq!(stage.told(), Some(FromLine::HungUp { leg: us(), cause: HangUpCause::Failed }));
    }
}

#[test]
fn an_offer_that_is_lost_is_repeated_and_silence_is_the_end() {
    let mut stage = Stage::new();
    up(&mut stage);
    renegotiate(&mut stage, SECOND);
    stage.wait(31_900);
    assert_eq!(stage.lines().len(), 7);
    stage.wait(200);
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: us(), cause: HangUpCause::Failed }));
    assert!(stage.one().starts_with("BYE "));
    stage.wait(70_000);
    assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0);
}

#[test]
fn a_hang_up_crosses_our_offer() {
    for (status, body) in [(200, ANSWER), (487, "")] {
        let mut stage = Stage::new();
        let to = up(&mut stage);
        renegotiate(&mut stage, SECOND);
        let invite = stage.one();
        stage.hear(&request("BYE", 2, "bye", &to, "", ""));
        stage.lines();
        assert_eq!(stage.told(), Some(FromLine::HungUp { leg: us(), cause: HangUpCause::Bye }));
        stage.hear(&reply(&invite, status, "", body));
        assert!(stage.one().starts_with("ACK "), "its ACK is owed all the same");
        assert_eq!(stage.told(), None);
        stage.wait(70_000);
        assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0);
    }
}

#[test]
fn an_offer_that_is_withdrawn_takes_no_answer_of_another() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    stage.hear(&request("INVITE", 2, "re", &to, "", OFFER));
    stage.told().unwrap();
    stage.hear(&request("CANCEL", 2, "re", &to, "", ""));
    assert_eq!(stage.lines(), ["SIP/2.0 100 Trying", "SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
    stage.hear(&request("ACK", 2, "re", &to, "", ""));
    stage.hear(&request("INVITE", 3, "re3", &to, "", OFFER));
    let busy = stage.one();
    assert!(busy.starts_with("SIP/2.0 500") && busy.contains("Retry-After: "), "{busy}");
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::AcceptOffer { leg: us(), sdp });
    assert!(stage.lines().is_empty() && stage.told().is_none(), "the answer to what is withdrawn is stale");
    stage.hear(&request("INVITE", 4, "re4", &to, "", OFFER));
    assert!(matches!(stage.told(), Some(FromLine::Reoffered { .. })));
    let sdp = stage.sdp(SECOND);
    stage.order(ToLine::AcceptOffer { leg: us(), sdp });
    assert!(stage.sent().last().unwrap().1.ends_with(SECOND));
}

#[test]
fn an_answer_of_the_core_that_is_lost_blocks_no_offer_for_long() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    stage.hear(&request("INVITE", 2, "re", &to, "", OFFER));
    stage.told().unwrap();
    stage.hear(&request("CANCEL", 2, "re", &to, "", ""));
    stage.hear(&request("ACK", 2, "re", &to, "", ""));
    stage.sent();
    stage.wait(4_900);
    stage.hear(&request("INVITE", 3, "re3", &to, "", OFFER));
    assert!(stage.one().starts_with("SIP/2.0 500"));
    stage.hear(&request("ACK", 3, "re3", &to, "", ""));
    stage.wait(100);
    stage.hear(&request("INVITE", 4, "re4", &to, "", OFFER));
    assert!(matches!(stage.told(), Some(FromLine::Reoffered { .. })));
}

#[test]
fn a_challenge_to_our_bye_is_answered_once() {
    for with_login in [true, false] {
        let mut stage = if with_login { Stage::with_trunks(WITH_LOGIN) } else { Stage::new() };
        up(&mut stage);
        stage.order(ToLine::HangUp { leg: us(), reason: EndReason::OperatorHungUp });
        let first = stage.one();
        stage.hear(&challenge(&first));
        if with_login {
            let second = stage.one();
            assert!(header(&second, "Proxy-Authorization").contains("username=\"7714\""), "{second}");
            assert_eq!((header(&second, "CSeq"), header(&second, "Reason")), ("2 BYE", header(&first, "Reason")));
            stage.hear(&challenge(&second));
        }
        assert!(stage.lines().is_empty() && stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0);
    }
}

#[test]
fn what_a_dead_connection_does_not_carry_fails_at_once() {
    const CARRIER: Carrier = Carrier::Tcp(Some(ConnId(4)));
    let up = || {
        let mut stage = Stage::new();
        let over = |text: &str| text.replace("SIP/2.0/UDP", "SIP/2.0/TCP").replace(":5060>", ":5060;transport=tcp>");
        let timer = "Supported: timer\r\nAllow: UPDATE\r\nSession-Expires: 300;refresher=uas\r\nContact:";
        stage.hear_over(CARRIER, TRUNK, &over(&super::calls_in::invite().replace("Contact:", timer)));
        stage.told().unwrap();
        let sdp = stage.sdp(ANSWER);
        stage.order(ToLine::Answer { leg: us(), sdp });
        let to = header(&stage.sent().last().unwrap().1, "To").to_owned();
        stage.hear_over(CARRIER, TRUNK, &over(&request("ACK", 1, "2", &to, "", "")));
        stage
    };
    let mut stage = up();
    renegotiate(&mut stage, SECOND);
    assert!(stage.one().starts_with("INVITE "));
    stage.closed(TRUNK, Carrier::Tcp(Some(ConnId(5))));
    assert!(stage.told().is_none(), "another one");
    stage.closed(TRUNK, CARRIER);
    assert_eq!(stage.told(), Some(FromLine::NotRenegotiated { leg: us(), status: 503 }), "what was agreed stays");
    stage.order(ToLine::HangUp { leg: us(), reason: EndReason::OperatorHungUp });
    assert!(stage.one().starts_with("BYE "));
    stage.closed(TRUNK, CARRIER);
    assert!(stage.exchange.legs.is_empty() && stage.exchange.clients.len() == 0);

    let mut stage = up();
    stage.wait(150_000);
    assert!(stage.one().starts_with("UPDATE "));
    stage.closed(TRUNK, CARRIER);
    assert!(stage.one().starts_with("INVITE "), "which may find another way");
    stage.closed(TRUNK, CARRIER);
    assert!(stage.lines().is_empty() && stage.exchange.clients.len() == 0 && stage.exchange.legs.len() == 1);
}

#[test]
fn update_offers_and_refreshes() {
    let mut stage = Stage::new();
    let to = up(&mut stage);
    stage.hear(&request("UPDATE", 2, "u2", &to, "", OFFER));
    assert!(stage.lines().is_empty() && matches!(stage.told(), Some(FromLine::Reoffered { .. })));
    stage.hear(&request("UPDATE", 3, "u3", &to, "", OFFER));
    assert!(stage.one().starts_with("SIP/2.0 500"), "one at a time");
    let sdp = stage.sdp(SECOND);
    stage.order(ToLine::AcceptOffer { leg: us(), sdp });
    assert!(stage.one().ends_with(SECOND));
    stage.wait(2_000);
    assert!(stage.lines().is_empty(), "UPDATE knows no ACK");
    stage.hear(&request("UPDATE", 4, "u4", &to, "", "").replace("a@203.0.113.7:5060>", "b@203.0.113.7:5099>"));
    assert!(stage.one().starts_with("SIP/2.0 200 OK") && stage.told().is_none());
    renegotiate(&mut stage, OFFER);
    assert!(stage.one().starts_with("INVITE sip:b@203.0.113.7:5099 "), "the target is refreshed");
    stage.hear(&request("UPDATE", 4, "old", &to, "", ""));
    assert!(stage.one().starts_with("SIP/2.0 500"), "an old CSeq");
    let mut early = Stage::new();
    early.hear(&super::calls_in::invite());
    early.told().unwrap();
    early.order(ToLine::Ring { leg: us() });
    let to = header(&early.one(), "To").to_owned();
    early.hear(&request("UPDATE", 2, "e2", &to, "", OFFER));
    early.hear(&request("UPDATE", 3, "e3", &to, "", ""));
    let answers: Vec<String> = early.lines().iter().map(|line| line[8..11].to_owned()).collect();
    assert_eq!(answers, ["500", "200"], "before the answer to the first offer there is no second one");
}

pub(super) const WITH_LOGIN: &str =
    "[city]\nfrom = [\"203.0.113.0/24\"]\nto = \"203.0.113.7:5060\"\ncheck_s = 0\nlogin = { user = \"7714\", password = \"secret\" }\n";
const CHALLENGE: &str = "Contact: <sip:a@203.0.113.7:5060>\r\nProxy-Authenticate: Digest realm=\"r\", nonce=\"n\", qop=\"auth\"\r\n";

/// The far end's challenge of this INVITE.
pub(super) fn challenge(invite: &str) -> String {
    reply(invite, 407, "", "").replace(&format!("Contact: <sip:far@{FAR}>\r\n"), CHALLENGE)
}

#[test]
fn a_challenge_to_our_offer_is_answered_once() {
    let mut stage = Stage::with_trunks(WITH_LOGIN);
    up(&mut stage);
    renegotiate(&mut stage, SECOND);
    let first = stage.one();
    stage.hear(&challenge(&first));
    let mut sent = stage.sent();
    let second = sent.pop().unwrap().1;
    assert!(sent.len() == 1 && sent[0].1.starts_with("ACK "), "{sent:#?}");
    assert!(header(&second, "Proxy-Authorization").contains("username=\"7714\"") && second.ends_with(SECOND), "{second}");
    assert_eq!((header(&first, "CSeq"), header(&second, "CSeq"), stage.told()), ("1 INVITE", "2 INVITE", None));
    stage.hear(&reply(&second, 200, "", ANSWER));
    assert!(matches!(stage.told(), Some(FromLine::Renegotiated { .. })));
    stage.sent();
    renegotiate(&mut stage, OFFER);
    let third = stage.one();
    stage.hear(&challenge(&third));
    let fourth = stage.sent().pop().unwrap().1;
    stage.hear(&challenge(&fourth));
    assert_eq!(stage.told(), Some(FromLine::NotRenegotiated { leg: us(), status: 407 }), "whoever asks twice does not believe us");
    assert_eq!(stage.lines().len(), 1, "an ACK");
}

#[test]
fn a_challenge_without_a_login_is_a_refusal() {
    let mut stage = Stage::new();
    up(&mut stage);
    renegotiate(&mut stage, SECOND);
    let invite = stage.one();
    stage.hear(&challenge(&invite));
    assert_eq!(stage.told(), Some(FromLine::NotRenegotiated { leg: us(), status: 407 }));
}
