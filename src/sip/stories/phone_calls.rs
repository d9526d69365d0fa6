//! What operators' own phones begin: calls to colleagues, and INVITEs that take the place of a leg (RFC 3891).

use super::calls_in::{invite, request, up};
use super::phones::{Handset, PHONE, contact, contacts};
use super::*;
use crate::centre::fact::EndReason;
use crate::centre::ids::AgentId;
use crate::centre::input::{HangUpCause, ReferTo};
use crate::centre::output::{Shown, Target};

/// A phone of aigul's that is registered.
fn registered(stage: &mut Stage) -> Handset {
    let mut handset = Handset::new();
    handset.sign_in(stage, &contact(5060), 600);
    contacts(stage).unwrap();
    handset
}

fn answer(stage: &mut Stage, message: &str) -> String {
    stage.hear_from(PHONE, message);
    stage.one()
}

/// The answer's status, with nothing told.
fn refused(stage: &mut Stage, message: &str) -> String {
    let status = answer(stage, message)[8..11].to_owned();
    assert_eq!(stage.told(), None);
    status
}

#[test]
fn a_phone_calls_a_colleague_once_it_has_proven_whose_it_is() {
    let mut stage = Stage::new();
    let mut handset = registered(&mut stage);
    let unproven = handset.invite("202", "c", "", false);
    assert_eq!(refused(&mut stage, &unproven), "401");
    for to in ["202", "olena", "somebody"] {
        stage.hear_from(PHONE, &handset.invite(to, to, "", true));
        let name = if to == "202" { "olena" } else { to };
        let Some(FromLine::PhoneCalled { call, from, to, sdp: Some(_) }) = stage.told() else { panic!("{to}") };
        assert_eq!((from.as_str(), to.as_str()), ("aigul", name));
        stage.order(ToLine::Reject { leg: LegId::caller(call), status: 486, retry_after_s: None });
        assert!(stage.lines().last().unwrap().starts_with("SIP/2.0 486"));
    }
    let stranger = handset.invite("202", "s", "", true);
    stage.hear_from("198.51.100.99:5060", &stranger);
    assert!(stage.one().starts_with("SIP/2.0 403"), "from another host its words count for nothing");
    stage.hear_from("203.0.113.9:5060", &handset.invite("202", "t", "", true));
    assert!(matches!(stage.told(), Some(FromLine::CallArrived { .. })), "by a trunk anybody may call, under any number");
}

#[test]
fn such_a_call_rings_is_answered_where_it_came_from_and_may_be_referred() {
    let mut stage = Stage::new();
    let mut handset = registered(&mut stage);
    stage.hear_from(PHONE, &handset.invite("202", "c", "", true));
    stage.told().unwrap();
    stage.order(ToLine::Ring { leg: leg(1, 0) });
    assert!(stage.lines().contains(&"SIP/2.0 180 Ringing".to_owned()));
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: leg(1, 0), sdp });
    let ok = stage.one();
    let to = header(&ok, "To").to_owned();
    let own = |method: &str, cseq: u32, headers: &str| {
        format!(
            "{method} sip:cityline@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.168.1.9;rport;branch=z9hG4bKo{cseq}{method}\r\nFrom: <sip:201@cityline>;tag=p\r\nTo: {to}\r\n\
             Call-ID: c\r\nCSeq: {cseq} {method}\r\n{headers}Content-Length: 0\r\n\r\n"
        )
    };
    let cseq: u32 = header(&ok, "CSeq").split(' ').next().unwrap().parse().unwrap();
    stage.hear_from(PHONE, &own("ACK", cseq, ""));
    stage.hear_from(PHONE, &own("REFER", cseq + 1, "Refer-To: <sip:heating@cityline>\r\n"));
    assert_eq!(stage.told(), Some(FromLine::Referred { leg: leg(1, 0), to: ReferTo::Name("heating".into()) }));
    stage.sent();
    stage.order(ToLine::HangUp { leg: leg(1, 0), reason: EndReason::OperatorHungUp });
    let (to, bye) = stage.sent().remove(0);
    assert!(to == PHONE && bye.starts_with("BYE sip:201@192.168.1.9:5060 "), "{to} {bye}");
}

#[test]
fn a_caller_who_gives_up_is_gone() {
    let mut stage = Stage::new();
    let mut handset = registered(&mut stage);
    let invite = handset.invite("202", "c", "", true);
    stage.hear_from(PHONE, &invite);
    stage.told().unwrap();
    let head = invite.split("Contact: ").next().unwrap();
    stage.hear_from(PHONE, &format!("{}Content-Length: 0\r\n\r\n", head.replace("INVITE", "CANCEL")));
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: leg(1, 0), cause: HangUpCause::Cancel }));
    assert_eq!(stage.lines(), ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]);
}

#[test]
fn a_colleague_sees_the_extension_and_which_of_its_calls_is_replaced() {
    let mut stage = Stage::new();
    registered(&mut stage);
    let contact = stage.exchange.registrar.contacts().into_iter().find_map(|(_, ids)| ids.first().copied()).unwrap();
    let dial = |stage: &mut Stage, n: u16, replaces| {
        let sdp = stage.sdp(OFFER);
        let shown = Shown::Operator(AgentId::from("olena"));
        stage.order(ToLine::Dial { leg: leg(7, n), target: Target::Contact(contact), shown, sdp, auto_answer: false, replaces });
        stage.one()
    };
    let first = dial(&mut stage, 1, None);
    assert!(header(&first, "From").starts_with("\"olena\" <sip:202@192.0.2.1>;tag="), "{first}");
    stage.hear_from(PHONE, &super::calls_out::reply(&first, 200, "there", ANSWER));
    stage.sent();
    let second = dial(&mut stage, 2, Some(leg(7, 1)));
    let our_tag = header(&first, "From").split(";tag=").nth(1).unwrap();
    assert_eq!(header(&second, "Replaces"), format!("{};to-tag=there;from-tag={our_tag}", header(&first, "Call-ID")));
}

/// What is answered to an INVITE with this Replaces.
fn replacing(stage: &mut Stage, handset: &mut Handset, replaces: &str) -> String {
    let call_id = format!("r{}", stage.now.0);
    stage.wait(1);
    stage.lines();
    let message = handset.invite("109", &call_id, replaces, true);
    refused(stage, &message)
}

#[test]
fn a_place_is_taken_by_the_right_dialog_and_no_other() {
    let mut stage = Stage::new();
    let mut handset = registered(&mut stage);
    let to = up(&mut stage);
    while stage.told().is_some() {}
    let ours = to.split(";tag=").nth(1).unwrap().to_owned();
    let right = format!("Replaces: c1;to-tag={ours};from-tag=them\r\n");
    for (replaces, status) in [
        (format!("Replaces: c1;to-tag={ours};from-tag=other\r\n"), "481"),
        ("Replaces: c1;to-tag=1.0.00;from-tag=them\r\n".to_owned(), "481"),
        (format!("Replaces: c1;to-tag={ours};from-tag=them;early-only\r\n"), "486"),
        (right.repeat(2), "400"),
        ("Replaces: c1\r\n".to_owned(), "400"),
        ("Replaces: ;to-tag=;from-tag\r\n".to_owned(), "400"),
    ] {
        assert_eq!(replacing(&mut stage, &mut handset, &replaces), status, "{replaces}");
    }
    stage.hear(&request("INVITE", 9, "9", "<sip:109@x>", &right, OFFER).replace("c1\r\nCSeq", "c9\r\nCSeq"));
    assert!(stage.one().starts_with("SIP/2.0 403"), "a trunk takes nobody's place");
    stage.hear_from("198.51.100.99:5060", &handset.invite("109", "s", &right, true));
    assert!(stage.one().starts_with("SIP/2.0 403"), "nor does a stranger");
    let unproven = handset.invite("109", "u", &right, false);
    assert_eq!(refused(&mut stage, &unproven), "401");

    stage.hear_from(PHONE, &handset.invite("109", "r", &right, true));
    let Some(FromLine::Replacing { leg: new, replaced: 0, agent, sdp: Some(_) }) = stage.told() else { panic!() };
    assert_eq!((new.call, new.n >= 0x8000, agent.as_str()), (CallId(1), true, "aigul"));
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: new, sdp });
    stage.order(ToLine::HangUp { leg: leg(1, 0), reason: EndReason::Replaced });
    let lines = stage.lines();
    assert!(lines.iter().any(|line| line == "SIP/2.0 200 OK") && lines.last().unwrap().starts_with("BYE "), "{lines:?}");
    assert_eq!(replacing(&mut stage, &mut handset, &right), "603", "a dialog that is being ended");
    stage.wait(40_000);
    while stage.told().is_some() {}
    assert_eq!(replacing(&mut stage, &mut handset, &right), "603", "and one that has ended");
}

#[test]
fn what_only_rings_is_nobodys_place() {
    let mut stage = Stage::new();
    let mut handset = registered(&mut stage);
    stage.hear(&invite());
    stage.told().unwrap();
    stage.order(ToLine::Ring { leg: leg(1, 0) });
    let ringing = stage.sent().remove(0).1;
    let ours = header(&ringing, "To").split(";tag=").nth(1).unwrap().to_owned();
    assert_eq!(replacing(&mut stage, &mut handset, &format!("Replaces: c1;to-tag={ours};from-tag=them\r\n")), "481");
}
