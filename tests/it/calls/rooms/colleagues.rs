//! Who hears whom when operators call each other by their phones, and when one phone takes another's place? Phones that are not ours, judged by sound.

use super::{COLLEAGUE, LEGS, begin, city, ends, events, events_become, only, phone, recorded, resident};
use crate::calls::SOON;
use crate::calls::cast::{OPERATOR, RESIDENT, until_operator_is};
use crate::calls::desk::Desk;
use crate::calls::ears::{Ear, Hears, room, until};
use crate::calls::linphone::Linphone;
use crate::calls::server::{Server, free_port};

#[test]
fn two_operators_talk_by_their_extensions_and_nobody_counts_it_as_a_residents_call() {
    let server = Server::start("room-colleagues", &city(free_port()));
    let first = phone(&server, "201", OPERATOR);
    let second = phone(&server, "202", COLLEAGUE);
    let third = phone(&server, "203", RESIDENT);
    let _desks = [Desk::ready(&server, "aigul"), Desk::ready(&server, "daniyar")];
    for (round, to) in (1..).zip(["202", "daniyar"]) {
        first.order("dial", &server.uri(to));
        for agent in ["aigul", "daniyar"] {
            until_operator_is(&server, agent, "internal", SOON);
        }
        until("the colleague's answer", || second.length() > 0);
        room("two operators", &[(&first, only(&[COLLEAGUE])), (&second, only(&[OPERATOR]))]);
        third.order("dial", &server.uri(to));
        third.until("a refusal", || third.log().matches("session closed: 486 Busy Here").count() >= round);
        if to == "202" {
            first.order("hangup", "")
        } else {
            second.order("hangup", "")
        };
        for agent in ["aigul", "daniyar"] {
            until_operator_is(&server, agent, "ready", SOON);
        }
    }
    drop(third);
    first.order("dial", &server.uri("nobody"));
    first.until("word that nobody is called so", || first.log().contains("404 Not Found"));
    assert_eq!(server.rows("SELECT count(*) FROM calls"), "0");
    assert_eq!(server.rows("SELECT count(*) FROM recordings"), "0");
}

#[test]
fn a_phone_asks_a_colleague_through_the_server_and_puts_the_two_together() {
    let server = Server::start("room-through", &city(free_port()));
    let mut operator = Linphone::operator(&server, "201", OPERATOR);
    let colleague = Linphone::operator(&server, "202", COLLEAGUE);
    let resident = resident(&server, RESIDENT);
    let _desk = begin(&server, &resident);
    let mut second_desk = Desk::ready(&server, "daniyar");
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    operator.types("pause");
    until("the hold", || events(&server) == ["held - -"]);
    operator.types(&format!("call {}", server.uri("202")));
    operator.until("the colleague's answer", || operator.log().contains("Call 2 with") && operator.log().contains("for call 2"));
    until_operator_is(&server, "daniyar", "internal", SOON);
    // What linphonec hears in a second call of its own is kept in no file.
    room("the colleague is asked", &[(&resident, Hears::Music), (&colleague, only(&[OPERATOR]))]);
    operator.types("transfer 1 --to-call 2");
    second_desk.until("the resident", |message| message["type"] == "call_state" && message["state"] == "connected");
    room("after the transfer", &[(&resident, only(&[COLLEAGUE])), (&colleague, only(&[RESIDENT]))]);
    assert!(colleague.trace().contains("Replaces: "), "the colleague's phone is told which of its calls ends");
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR]);
    recorded(&server, 2, &[COLLEAGUE]);
    events_become(&server, &["held - -", "transfer aigul daniyar", "joined_partner - daniyar"]);
    let story = server.rows("SELECT n, party, ifnull(name, '-'), end_reason FROM legs WHERE call_id = 1 ORDER BY n");
    assert_eq!(story, "0|resident|-|caller_hung_up\n1|agent|aigul|transferred\n2|agent|daniyar|caller_hung_up");
    server.rows_become("SELECT count(*), max(agent) FROM calls", "1|aigul");
    for agent in ["aigul", "daniyar"] {
        until_operator_is(&server, agent, "ready", SOON);
    }
}

#[test]
fn a_colleagues_phone_takes_the_place_that_an_operators_phone_names() {
    let server = Server::start("room-replaces", &city(free_port()));
    let mut operator = Linphone::operator(&server, "201", OPERATOR);
    let colleague = Linphone::operator(&server, "202", COLLEAGUE);
    let resident = resident(&server, RESIDENT);
    let _desk = begin(&server, &resident);
    let _second = Desk::ready(&server, "daniyar");
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    operator.types("pause");
    until("the hold", || events(&server) == ["held - -"]);
    // By another address of this machine: a call within the account's own domain would go by the server.
    operator.types(&format!("call sip:202@127.0.0.2:{}", colleague.port));
    operator.until("the colleague's answer", || operator.log().contains("Call 2 with") && operator.log().contains("for call 2"));
    // The colleague's phone is asked to call us in place of the operator's dialog with us.
    operator.types("transfer 2 --to-call 1");
    until("the colleague's place", || events(&server).iter().any(|event| event.starts_with("taken_over daniyar")));
    // What linphonec hears in a second call is kept in no file; that the colleague is heard and recorded must do.
    room("after the change", &[(&resident, only(&[COLLEAGUE]))]);
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR]);
    recorded(&server, 2, &[COLLEAGUE]);
    let all = server.rows_until(LEGS, SOON, |story| story.ends_with("|agent|daniyar|caller_hung_up"));
    assert!(all.starts_with("0|resident|-|caller_hung_up\n1|agent|aigul|taken_over\n") && all.lines().count() == 3, "{all}");
}
