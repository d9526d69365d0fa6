//! Who hears whom after what phones that are not ours order themselves? Holding by re-INVITE, giving away by REFER, judged by sound.

use super::{COLLEAGUE, LEGS, OUTSIDE, begin, city, ends, events, events_become, only, outside, phone, recorded, resident, talk};
use crate::calls::SOON;
use crate::calls::baresip::Baresip;
use crate::calls::cast::{OPERATOR, RESIDENT};
use crate::calls::desk::Desk;
use crate::calls::ears::{Hears, room, until};
use crate::calls::linphone::Linphone;
use crate::calls::server::{Server, free_port};

/// Waits until the last that was done with the call is this.
fn until_event(server: &Server, what: &str) {
    until(what, || events(server).last().is_some_and(|event| event == what));
}

#[test]
fn each_phone_may_hold_and_the_other_side_hears_music() {
    let server = Server::start("room-phone-hold", &city(free_port()));
    let mut operator = Linphone::operator(&server, "201", OPERATOR);
    let resident = resident(&server, RESIDENT);
    let _desk = begin(&server, &resident);
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    operator.types("pause");
    until_event(&server, "held - -");
    room("the operator's phone holds", &[(&resident, Hears::Music)]);
    operator.types("resume");
    until_event(&server, "resumed - -");
    room("after the operator's hold", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    resident.order("hold", "");
    until("the resident's hold", || events(&server).len() == 3);
    room("the resident's phone holds", &[(&operator, Hears::Music)]);
    resident.order("resume", "");
    until("the resident's return", || events(&server).len() == 4);
    // What baresip plays after a hold of its own passes its recorder by: the resident's ear is judged before.
    room("after the resident's hold", &[(&operator, only(&[RESIDENT]))]);
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR]);
    server.rows_become("SELECT what, leg FROM call_events ORDER BY position, place", "held|1\nresumed|1\nheld|0\nresumed|0");
}

#[test]
fn a_phone_gives_a_call_to_a_queue_and_the_next_gives_it_outside() {
    let carrier = free_port();
    let server = Server::start("room-refer", &city(carrier));
    let second = phone(&server, "202", COLLEAGUE);
    let outside = outside(&server, carrier, OPERATOR);
    let (resident, operator, _desk) = talk(&server);
    let mut second_desk = Desk::ready(&server, "daniyar");
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    operator.order("transfer", &server.uri("roads"));
    second_desk.until("the call of the queue", |message| message["type"] == "call_state" && message["state"] == "connected");
    operator.until("word that it was given away", || told(&operator, "SIP/2.0 200 "));
    room("after the queue", &[(&resident, only(&[COLLEAGUE])), (&second, only(&[RESIDENT]))]);
    second.order("transfer", &server.uri(OUTSIDE));
    until("the talk outside", || server.rows("SELECT count(*) FROM recordings") == "3");
    room("outside", &[(&resident, only(&[OPERATOR])), (&outside, only(&[RESIDENT]))]);
    ends(&server, &resident);
    for (n, voice) in [(1, OPERATOR), (2, COLLEAGUE), (3, OPERATOR)] {
        recorded(&server, n, &[voice]);
    }
    let transfers: Vec<String> = events(&server).into_iter().filter(|event| event.starts_with("transfer")).collect();
    assert!(
        transfers.len() == 2 && transfers[0] == "transfer aigul roads" && transfers[1].starts_with("transfer daniyar "),
        "{transfers:?}"
    );
    let all = "0|resident|-|caller_hung_up\n1|agent|aigul|transferred\n2|agent|daniyar|transferred\n3|number|";
    server.rows_until(LEGS, SOON, |story| story.starts_with(all));
}

#[test]
fn a_phone_asks_a_colleague_by_a_call_of_its_own_and_puts_the_two_together() {
    let server = Server::start("room-attended", &city(free_port()));
    let mut operator = Linphone::operator(&server, "201", OPERATOR);
    let colleague = Linphone::operator(&server, "202", COLLEAGUE);
    let resident = resident(&server, RESIDENT);
    let _desk = begin(&server, &resident);
    let mut second_desk = Desk::ready(&server, "daniyar");
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    operator.types(&format!("transfer 1 {}", server.uri("nobody-of-that-name")));
    operator.until("word that nobody is called so", || operator.trace().contains("SIP/2.0 404 "));
    room("after what cannot be", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    operator.types("pause");
    until_event(&server, "held - -");
    // By another address of this machine: a call within the account's own domain would go by the server.
    operator.types(&format!("call sip:202@127.0.0.2:{}", colleague.port));
    operator.until("the colleague's answer", || operator.log().contains("Call 2 with") && operator.log().contains("for call 2"));
    room("the colleague is asked", &[(&resident, Hears::Music), (&colleague, only(&[OPERATOR]))]);
    operator.types("transfer 1 --to-call 2");
    second_desk.until("the resident", |message| message["type"] == "call_state" && message["state"] == "connected");
    room("after the transfer", &[(&resident, only(&[COLLEAGUE])), (&colleague, only(&[RESIDENT]))]);
    assert!(colleague.trace().contains("Replaces: "), "the colleague's phone is told which of its calls ends");
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR]);
    recorded(&server, 2, &[COLLEAGUE]);
    events_become(&server, &["held - -", "transfer aigul daniyar", "joined_partner - daniyar"]);
    server.rows_become(LEGS, "0|resident|-|caller_hung_up\n1|agent|aigul|transferred\n2|agent|daniyar|caller_hung_up");
}

/// Whether a NOTIFY of the REFER has brought this (RFC 3515 §2.4.5).
fn told(phone: &Baresip, fragment: &str) -> bool {
    let log = phone.log();
    log.split("NOTIFY sip:").skip(1).any(|rest| rest.split("Content-Length").nth(1).is_some_and(|body| body.contains(fragment)))
}
