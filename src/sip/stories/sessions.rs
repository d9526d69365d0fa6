//! Sessions that expire: granted, refreshed by either side, forgotten (RFC 4028).

use super::calls_in::{invite, request, up_by};
use super::calls_out::{FAR, dial, reply};
use super::renegotiation::{WITH_LOGIN, challenge};
use super::*;
use crate::centre::input::HangUpCause;

fn us() -> LegId {
    leg(1, 0)
}

fn invite_with(headers: &str) -> String {
    invite().replace("Contact:", &format!("Supported: timer\r\n{headers}Contact:"))
}

/// A 200 to a request of ours with the terms of its session.
fn ok_with(message: &str, terms: &str) -> String {
    reply(message, 200, "f", "").replace("Content-Length", &format!("Session-Expires: {terms}\r\nContent-Length"))
}

#[test]
fn a_session_that_is_too_short_is_refused_before_anything_is_kept() {
    let mut stage = Stage::new();
    stage.hear(&invite_with("Session-Expires: 60\r\n"));
    let refusal = stage.one();
    assert!(refusal.starts_with("SIP/2.0 422 Session Interval Too Small") && header(&refusal, "Min-SE") == "90", "{refusal}");
    assert!(stage.told().is_none() && stage.exchange.legs.is_empty());
    stage.hear(&invite().replace("Contact:", "Session-Expires: 60\r\nContact:"));
    assert!(stage.told().is_some(), "whoever does not know 422 is not refused for it");
}

#[test]
fn a_far_end_that_refreshes_keeps_its_call_and_one_that_does_not_loses_it() {
    let mut stage = Stage::new();
    stage.hear(&invite_with("Session-Expires: 120;refresher=uac\r\n"));
    stage.told().unwrap();
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::Answer { leg: us(), sdp });
    let ok = stage.one();
    assert!(header(&ok, "Session-Expires") == "120;refresher=uac" && header(&ok, "Require") == "timer", "{ok}");
    let to = header(&ok, "To").to_owned();
    stage.hear(&request("ACK", 1, "ack", &to, "", ""));
    let timer = "Supported: timer\r\nSession-Expires: 120;refresher=uac\r\n";
    for n in 2..6 {
        stage.wait(80_000);
        stage.hear(&request("UPDATE", n, &format!("u{n}"), &to, timer, ""));
        assert_eq!(header(&stage.one(), "Session-Expires"), "120;refresher=uac");
    }
    stage.wait(80_000);
    stage.hear(&request("INVITE", 6, "re", &to, timer, OFFER));
    stage.told().unwrap();
    let sdp = stage.sdp(ANSWER);
    stage.order(ToLine::AcceptOffer { leg: us(), sdp });
    assert_eq!(header(&stage.sent().last().unwrap().1, "Session-Expires"), "120;refresher=uac", "a re-INVITE refreshes too");
    stage.hear(&request("ACK", 6, "a6", &to, "", ""));
    stage.wait(87_900);
    assert!(stage.lines().is_empty() && stage.told().is_none());
    stage.wait(200);
    assert!(stage.one().starts_with("BYE "), "a third of it, 32 s at most, before its end");
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: us(), cause: HangUpCause::Failed }));
}

#[test]
fn we_refresh_by_update_where_it_is_taken() {
    let mut stage = Stage::new();
    up_by(&mut stage, &invite_with("Allow: INVITE, UPDATE\r\nSession-Expires: 300;refresher=uas\r\n"));
    stage.sent();
    for n in 1..5 {
        stage.wait(149_900);
        assert!(stage.lines().is_empty());
        stage.wait(100);
        let update = stage.one();
        assert!(update.starts_with("UPDATE sip:") && header(&update, "CSeq") == format!("{n} UPDATE"), "{update}");
        assert!(header(&update, "Session-Expires") == "300;refresher=uac" && header(&update, "Content-Length") == "0", "{update}");
        stage.hear(&ok_with(&update, "300;refresher=uac"));
    }
    assert!(stage.told().is_none());
}

#[test]
fn we_refresh_by_invite_where_update_is_unknown() {
    let mut stage = Stage::new();
    up_by(&mut stage, &invite_with("Allow: INVITE, UPDATE\r\nSession-Expires: 300;refresher=uas\r\n"));
    stage.sent();
    stage.wait(150_000);
    let refused = reply(&stage.one(), 405, "", "");
    stage.hear(&refused);
    let invite = stage.one();
    assert!(invite.starts_with("INVITE ") && invite.ends_with(ANSWER), "what is agreed already: {invite}");
    stage.hear(&reply(&invite, 422, "", "").replace("Content-Length", "Min-SE: 600\r\nContent-Length"));
    let sent = stage.sent();
    assert!(
        sent.len() == 2 && header(&sent[1].1, "Session-Expires") == "600;refresher=uac" && header(&sent[1].1, "Min-SE") == "600",
        "{sent:#?}"
    );
    stage.hear(&ok_with(&sent[1].1, "600;refresher=uac"));
    assert!(stage.one().starts_with("ACK ") && stage.told().is_none(), "a refresh is nothing that the core needs to hear of");
    stage.wait(299_900);
    assert!(stage.lines().is_empty());
    stage.wait(100);
    assert!(stage.one().starts_with("INVITE "));
}

#[test]
fn an_update_that_is_refused_becomes_a_refresh_by_invite() {
    for status in [401, 403, 407, 488, 500, 503] {
        let mut stage = Stage::with_trunks(WITH_LOGIN);
        up_by(&mut stage, &invite_with("Allow: UPDATE\r\nSession-Expires: 300;refresher=uas\r\n"));
        stage.sent();
        stage.wait(150_000);
        let refused = reply(&stage.one(), status, "", "");
        stage.hear(&refused);
        let invite = stage.one();
        assert!(invite.starts_with("INVITE ") && invite.ends_with(ANSWER), "{status}: {invite}");
        stage.hear(&challenge(&invite));
        let proven = stage.sent().pop().unwrap().1;
        assert!(header(&proven, "Proxy-Authorization").contains("username=\"7714\""), "{proven}");
        stage.hear(&ok_with(&proven, "300;refresher=uac"));
        stage.sent();
        stage.wait(149_900);
        assert!(stage.lines().is_empty() && stage.told().is_none());
        stage.wait(100);
        let method = if matches!(status, 488 | 500 | 503) { "UPDATE " } else { "INVITE " };
        assert!(stage.one().starts_with(method), "{status}");
    }
}

#[test]
fn a_refresh_that_is_refused_is_tried_again_and_one_that_is_lost_ends_the_call() {
    let mut stage = Stage::new();
    up_by(&mut stage, &invite_with("Allow: UPDATE\r\nSession-Expires: 300;refresher=uas\r\n"));
    stage.sent();
    stage.wait(150_000);
    let refused = reply(&stage.one(), 500, "", "");
    stage.hear(&refused);
    let refused = reply(&stage.one(), 500, "", "");
    stage.hear(&refused);
    assert!(stage.one().starts_with("ACK "));
    stage.wait(59_900);
    assert!(stage.lines().is_empty());
    stage.wait(200);
    assert!(stage.one().starts_with("UPDATE "), "half-way to the end");
    stage.wait(32_100);
    let sent = stage.lines();
    assert!(sent.len() > 5 && sent.last().unwrap().starts_with("BYE "), "{sent:?}");
    assert_eq!(stage.told(), Some(FromLine::HungUp { leg: us(), cause: HangUpCause::Failed }));
}

/// The far end has moved its sound while nobody asked: another port, another codec, a hold.
#[test]
fn a_refresh_tells_the_core_what_its_answer_says_otherwise() {
    let mut stage = Stage::new();
    up_by(&mut stage, &invite_with("Session-Expires: 300;refresher=uas\r\n"));
    stage.sent();
    let counted = format!("{}o=- 1 2 IN IP4 192.0.2.7\r\n", OFFER);
    let moved = format!("{OFFER}m=audio 4002 RTP/AVP 8\r\n");
    for (answer, told) in [(OFFER, false), (&counted, false), (&moved, true), (&moved, false), (OFFER, true)] {
        stage.wait(150_000);
        let refresh = stage.one();
        assert!(refresh.starts_with("INVITE ") && refresh.ends_with(ANSWER), "{refresh}");
        let ok = reply(&refresh, 200, "f", answer).replace("Content-Length", "Session-Expires: 300;refresher=uac\r\nContent-Length");
        stage.hear(&ok);
        assert!(stage.one().starts_with("ACK "));
        match stage.told() {
            Some(FromLine::Renegotiated { leg, sdp }) if told => assert_eq!((leg, stage.sdps.take(sdp).as_deref()), (us(), Some(answer))),
            other => assert!(other.is_none() && !told, "{answer}: {other:?}"),
        }
    }
}

#[test]
fn sessions_that_we_begin() {
    let mut stage = Stage::new();
    let invite = dial(&mut stage);
    assert!(header(&invite, "Session-Expires") == "1800" && header(&invite, "Min-SE") == "90", "{invite}");
    assert!(header(&invite, "Supported").contains("timer") && header(&invite, "Allow").contains("UPDATE"));
    let ok = reply(&invite, 200, "f", ANSWER)
        .replace("Contact", "Require: timer\r\nSession-Expires: 1800;refresher=uac\r\nAllow: UPDATE\r\nContact");
    stage.hear_from(FAR, &ok);
    stage.sent();
    stage.told();
    stage.wait(899_900);
    assert!(stage.lines().is_empty());
    stage.wait(100);
    assert!(stage.one().starts_with("UPDATE "));
    let mut plain = Stage::new();
    let invite = dial(&mut plain);
    plain.hear_from(FAR, &reply(&invite, 200, "f", ANSWER));
    plain.sent();
    plain.told();
    plain.wait(10_000_000);
    assert!(plain.lines().is_empty() && plain.exchange.legs.len() == 1, "a far end that knows no session timers is let be");
}
