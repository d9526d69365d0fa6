//! What happens while an operator's phone rings? Nobody answers, several phones, both sides giving up, answers that come too late.

use std::net::Ipv4Addr;
use std::time::Duration;

use cityline_phone::{Event, Phone, Side, Then};

use super::SOON;
use super::cast::{
    OPERATOR, Talk, calls, chirping, ended, goes_on, operators, phone_of, rings, short_city, short_city_with_one, talk, until_operator_is,
};
use super::raw::{Raw, answers, asks, sdp};
use super::server::Server;

#[test]
fn nobody_answers_so_the_next_operator_is_rung_and_the_caller_keeps_the_place() {
    let server = Server::start("no-answer", &(short_city("offer_ms = 2000") + &operators(&[("daniyar", "202"), ("aigul", "201")])));
    let first = phone_of(&server, "202", rings(0, Then::RingOn, OPERATOR));
    until_operator_is(&server, "daniyar", "ready", SOON);
    let phone = Phone::on_loopback().unwrap();
    let longest = calls(&server, &phone, "200", chirping("+77010000001"));
    let mut rung = first.next_call(SOON).unwrap();
    let mut second = calls(&server, &phone, "200", chirping("+77010000002"));
    assert_eq!(rung.wait_for_end(SOON).unwrap(), Event::Cancelled, "the phone stops ringing when the offer ends");
    until_operator_is(&server, "daniyar", "not_responding", SOON);

    let next = phone_of(&server, "201", rings(50, Then::Answer, OPERATOR));
    let mut answered = next.next_call(SOON).unwrap();
    assert_eq!(answered.from, "+77010000001", "who waits longest is served first");
    answered.wait_for(Event::FirstSound, SOON).unwrap();
    longest.hang_up().unwrap();
    answered.wait_for_end(SOON).unwrap();
    assert_eq!(next.next_call(SOON).unwrap().from, "+77010000002", "then the next");
    second.hang_up().unwrap();
    second.wait_for_end(SOON).unwrap();
    server.rows_until("SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| rows == "2");
    server.rows_become("SELECT agent, how FROM offers WHERE call_id = 1 ORDER BY offered_ms", "daniyar|no_answer\naigul|answered");
    server.rows_become("SELECT count(*), how FROM queue_events WHERE call_id = 1", "1|answered");
}

#[test]
fn the_caller_gives_up_while_it_rings() {
    let server = Server::start("gives-up", &short_city_with_one());
    let operator = phone_of(&server, "202", rings(0, Then::RingOn, OPERATOR));
    let phone = Phone::on_loopback().unwrap();
    let call = calls(&server, &phone, "200", chirping("+77010000003"));
    let mut rung = operator.next_call(SOON).unwrap();
    call.hang_up().unwrap();
    assert_eq!(rung.wait_for_end(SOON).unwrap(), Event::Cancelled);
    assert_eq!(ended(&server, "end_reason"), "abandoned");
    server.rows_become("SELECT how FROM offers", "caller_gone");
    until_operator_is(&server, "daniyar", "ready", SOON);
}

#[test]
fn two_phones_ring_and_the_first_to_answer_wins() {
    let server = Server::start("two-phones", &short_city_with_one());
    let slow = phone_of(&server, "202", rings(0, Then::RingOn, OPERATOR));
    let quick = phone_of(&server, "202", rings(800, Then::Answer, OPERATOR));
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "200", chirping("+77010000004"));
    let mut lost = slow.next_call(SOON).unwrap();
    let mut won = quick.next_call(SOON).unwrap();
    won.wait_for(Event::FirstSound, SOON).unwrap();
    assert_eq!(lost.wait_for_end(SOON).unwrap(), Event::Cancelled);
    goes_on(&mut call, Duration::from_secs(1));
    call.hang_up().unwrap();
    assert_eq!(won.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
    assert_eq!(ended(&server, "end_reason, agent"), "caller_hung_up|daniyar");
    server.rows_until("SELECT end_reason FROM legs WHERE n > 0", SOON, |reasons| reasons.contains("answered_elsewhere"));
}

#[test]
fn a_phone_that_refuses_is_not_the_end_of_the_wait() {
    let server = Server::start("refuses", &(short_city("") + &operators(&[("daniyar", "202"), ("aigul", "201")])));
    let busy = phone_of(&server, "202", rings(50, Then::Reject(486), OPERATOR));
    until_operator_is(&server, "daniyar", "ready", SOON);
    let free = phone_of(&server, "201", rings(50, Then::Answer, OPERATOR));
    until_operator_is(&server, "aigul", "ready", SOON);
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "200", chirping("+77010000005"));
    assert_eq!(busy.next_call(SOON).unwrap().wait_for_end(SOON).unwrap(), Event::Ended(Side::Us));
    free.next_call(SOON).unwrap().wait_for(Event::FirstSound, SOON).unwrap();
    call.hang_up().unwrap();
    call.wait_for_end(SOON).unwrap();
    ended(&server, "id");
    server.rows_become("SELECT agent, how FROM offers ORDER BY offered_ms", "daniyar|failed\naigul|answered");
}

/// An operator at a fixed address, who is a bare socket.
fn city_with_bare_phone(bare: &Raw) -> String {
    format!("{}[operators.daniyar]\nskills = [\"kk\"]\naddress = \"sip:desk@{}\"\n", short_city(""), bare.address)
}

#[test]
fn a_phone_that_has_said_nothing_yet_gets_its_cancel_with_the_first_answer() {
    let bare = Raw::on(Ipv4Addr::LOCALHOST);
    let server = Server::start("cancel-before-100", &city_with_bare_phone(&bare));
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "200", chirping("+77010000006"));
    let invite = bare.next("INVITE", SOON, asks("INVITE"));
    call.hang_up().unwrap();
    call.wait_for_end(SOON).unwrap();
    bare.never("a CANCEL before any answer (RFC 3261 §9.1)", Duration::from_millis(700), asks("CANCEL"));
    bare.answer(server.sip, &invite, "180 Ringing", "");
    let cancel = bare.next("CANCEL", SOON, asks("CANCEL"));
    bare.answer(server.sip, &cancel, "200 OK", "");
    bare.answer(server.sip, &invite, "487 Request Terminated", "");
    bare.next("ACK", SOON, asks("ACK"));
}

#[test]
fn an_answer_that_comes_too_late_is_acknowledged_and_hung_up() {
    let bare = Raw::on(Ipv4Addr::LOCALHOST);
    let server = Server::start("late-200", &city_with_bare_phone(&bare));
    let phone = Phone::on_loopback().unwrap();
    let call = calls(&server, &phone, "200", chirping("+77010000007"));
    let invite = bare.next("INVITE", SOON, asks("INVITE"));
    bare.answer(server.sip, &invite, "180 Ringing", "");
    call.hang_up().unwrap();
    let cancel = bare.next("CANCEL", SOON, asks("CANCEL"));
    bare.answer(server.sip, &invite, "200 OK", &sdp(bare.address.port()));
    bare.answer(server.sip, &cancel, "200 OK", "");
    bare.next("ACK", SOON, asks("ACK"));
    let bye = bare.next("BYE", SOON, asks("BYE"));
    bare.answer(server.sip, &bye, "200 OK", "");
    // The 200 is repeated because its ACK was lost: it is acknowledged again, and nothing else happens.
    bare.answer(server.sip, &invite, "200 OK", &sdp(bare.address.port()));
    bare.next("the second ACK", SOON, asks("ACK"));
    assert_eq!(ended(&server, "end_reason"), "abandoned");
}

#[test]
fn a_caller_may_cancel_right_after_the_invite() {
    let server = Server::start("cancel-race", &short_city_with_one());
    let bare = Raw::on(Ipv4Addr::LOCALHOST);
    for n in 0..20 {
        let (name, uri) = (format!("race{n}"), server.uri("200"));
        bare.send(server.sip, &bare.request("INVITE", &uri, &name, &sdp(bare.address.port())));
        bare.send(server.sip, &bare.request("CANCEL", &uri, &name, "").replace("Contact", "X-Contact"));
        bare.next("the answer to CANCEL", SOON, answers(200, "CANCEL"));
        let last = bare.next("the final answer", SOON, |message| {
            message.header("Call-ID") == name && message.method() == "INVITE" && !message.first().starts_with("SIP/2.0 1")
        });
        match last.first() {
            "SIP/2.0 487 Request Terminated" => bare.send(
                server.sip,
                &bare.request("ACK", &uri, &name, "").replace(&format!("To: <{uri}>"), &format!("To: {}", last.header("To"))),
            ),
            // The answer was faster than the CANCEL: the caller hangs up the ordinary way (RFC 3261 §15).
            _ => {
                assert!(last.first().starts_with("SIP/2.0 200"), "{}", last.first());
                bare.send(server.sip, &bare.within("ACK", &last, 1));
                bare.send(server.sip, &bare.within("BYE", &last, 2));
                bare.next("the answer to BYE", SOON, answers(200, "BYE"));
            }
        }
    }
    server.rows_until("SELECT count(*) FROM calls WHERE ended_ms IS NOT NULL", SOON, |rows| rows == "20");
    let ready = server.get("/readyz").unwrap();
    assert_eq!(ready.0, 200);
}

#[test]
fn a_caller_who_never_acknowledges_is_hung_up() {
    let server = Server::start("no-ack", &short_city_with_one());
    let bare = Raw::on(Ipv4Addr::LOCALHOST);
    bare.send(server.sip, &bare.request("INVITE", &server.uri("200"), "no-ack", &sdp(bare.address.port())));
    bare.next("200", SOON, answers(200, "INVITE"));
    bare.next("200 again", SOON, answers(200, "INVITE"));
    let bye = bare.next("BYE after 32 s (RFC 3261 §13.3.1.4)", Duration::from_secs(45), asks("BYE"));
    bare.answer(server.sip, &bye, "200 OK", "");
    assert_eq!(ended(&server, "end_reason"), "signalling_failed");
}

#[test]
fn a_caller_may_hold_and_take_back() {
    let server = Server::start("re-invite", &short_city_with_one());
    let Talk { mut call, mut answered, operator: _operator, resident: _resident } = talk(&server, chirping("+77010000008"), Then::Answer);
    call.change(cityline_phone::sdp::Direction::SendOnly).unwrap();
    call.wait_for(Event::ChangeAnswered(200), SOON).unwrap();
    call.change(cityline_phone::sdp::Direction::SendRecv).unwrap();
    call.wait_for(Event::ChangeAnswered(200), SOON).unwrap();
    let before = call.record().unwrap().heard.arrivals.packets;
    goes_on(&mut call, Duration::from_secs(1));
    let after = call.record().unwrap().heard.arrivals.packets;
    assert!(after - before >= 40, "sound comes again: {before}, {after}");
    answered.change(cityline_phone::sdp::Direction::SendRecv).unwrap();
    answered.wait_for(Event::ChangeAnswered(200), SOON).unwrap();
    answered.hang_up().unwrap();
    assert_eq!(call.wait_for_end(SOON).unwrap(), Event::Ended(Side::Them));
}
