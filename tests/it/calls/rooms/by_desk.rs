//! Who hears whom after what operators and supervisors order at their desks? baresip at every end, judged by sound and by the stored story.

use std::time::Duration;

use cityline_phone::judge::chirp::{self, Voice};
use serde_json::json;

use super::{
    CALLER, COLLEAGUE, FIFTH, FOURTH, LEGS, NO_TRACE_DB, OUTSIDE, account, begin, city, ends, events, events_become, only, outside, phone,
    recorded, talk,
};
use crate::calls::baresip::Baresip;
use crate::calls::cast::{OPERATOR, RESIDENT};
use crate::calls::desk::Desk;
use crate::calls::ears::{Ear, Hears, below_db, lately, room, until, voices};
use crate::calls::server::{Server, free_port};

#[test]
fn hold_with_music_then_a_colleague_is_asked_and_the_resident_is_back() {
    let server = Server::start("room-hold", &city(free_port()));
    let colleague = phone(&server, "202", COLLEAGUE);
    let (resident, operator, mut desk) = talk(&server);
    let _second = Desk::ready(&server, "daniyar");
    let talk = |what| room(what, &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    talk("talk");
    desk.brings(json!({ "type": "hold", "call": 1 }), "held");
    room("hold", &[(&resident, Hears::Music), (&operator, Hears::Silence)]);
    desk.brings(json!({ "type": "resume", "call": 1 }), "resumed");
    talk("after the hold");
    desk.brings(json!({ "type": "consult", "call": 1, "with": { "operator": "daniyar" } }), "consulting");
    room("consult", &[(&resident, Hears::Music), (&operator, only(&[COLLEAGUE])), (&colleague, only(&[OPERATOR]))]);
    desk.brings(json!({ "type": "end_consult", "call": 1 }), "alone");
    talk("after the consultation");
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR]);
    let expected = ["held - -", "resumed - -", "consult aigul daniyar", "joined_consultant - daniyar", "consult_ended aigul -"];
    events_become(&server, &expected);
    server.rows_become("SELECT agent, end_reason FROM calls", "aigul|caller_hung_up");
    server.rows_become(LEGS, "0|resident|-|caller_hung_up\n1|agent|aigul|caller_hung_up\n2|agent|daniyar|consult_over");
}

#[test]
fn a_colleague_is_asked_then_all_three_talk_then_the_colleague_has_the_resident() {
    let server = Server::start("room-three", &city(free_port()));
    let colleague = phone(&server, "202", COLLEAGUE);
    let (resident, operator, mut desk) = talk(&server);
    let mut second = Desk::ready(&server, "daniyar");
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    desk.brings(json!({ "type": "consult", "call": 1, "with": { "operator": "daniyar" } }), "consulting");
    room("consult", &[(&resident, Hears::Music), (&operator, only(&[COLLEAGUE])), (&colleague, only(&[OPERATOR]))]);
    desk.brings(json!({ "type": "conference", "call": 1 }), "conference");
    room(
        "conference",
        &[(&resident, only(&[OPERATOR, COLLEAGUE])), (&operator, only(&[RESIDENT, COLLEAGUE])), (&colleague, only(&[RESIDENT, OPERATOR]))],
    );
    desk.order(json!({ "type": "complete_consult", "call": 1 }));
    second.until("resident", |message| message["type"] == "call_state" && message["state"] == "connected");
    room("after", &[(&resident, only(&[COLLEAGUE])), (&colleague, only(&[RESIDENT]))]);
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR, COLLEAGUE]);
    recorded(&server, 2, &[COLLEAGUE]);
    let expected = [
        "consult aigul daniyar",
        "joined_consultant - daniyar",
        "joined_guest - daniyar",
        "consult_completed aigul -",
        "joined_partner - daniyar",
    ];
    events_become(&server, &expected);
    server.rows_become("SELECT n, agent FROM recordings ORDER BY n", "1|aigul\n2|daniyar");
    server.rows_become("SELECT count(*), max(end_reason) FROM calls", "1|caller_hung_up");
    server.rows_become(LEGS, "0|resident|-|caller_hung_up\n1|agent|aigul|transferred\n2|agent|daniyar|caller_hung_up");
}

#[test]
fn a_call_goes_to_a_queue_then_to_an_operator_then_outside_and_stays_one_story() {
    let carrier = free_port();
    let server = Server::start("room-transfers", &city(carrier));
    let (second, third) = (phone(&server, "202", COLLEAGUE), phone(&server, "203", FOURTH));
    let outside = outside(&server, carrier, FIFTH);
    let (resident, operator, desk) = talk(&server);
    let (mut second_desk, mut third_desk) = (Desk::ready(&server, "daniyar"), Desk::ready(&server, "olena"));
    let talk = |what, who: &Baresip, voice| {
        room(what, &[(&resident, only(&[voice])), (who, only(&[RESIDENT]))]);
    };
    talk("talk", &operator, OPERATOR);
    desk.order(json!({ "type": "transfer", "call": 1, "to": { "queue": "roads" } }));
    second_desk.until("the call of the queue", |message| message["type"] == "call_state" && message["state"] == "connected");
    talk("after the queue", &second, COLLEAGUE);
    second_desk.order(json!({ "type": "transfer", "call": 1, "to": { "operator": "olena" } }));
    third_desk.until("the colleague's call", |message| message["type"] == "call_state" && message["state"] == "connected");
    talk("after the colleague", &third, FOURTH);
    third_desk.order(json!({ "type": "transfer", "call": 1, "to": { "number": OUTSIDE } }));
    until("the talk outside", || server.rows("SELECT count(*) FROM recordings") == "4");
    talk("outside", &outside, FIFTH);
    ends(&server, &resident);
    for (n, voice) in [(1, OPERATOR), (2, COLLEAGUE), (3, FOURTH), (4, FIFTH)] {
        recorded(&server, n, &[voice]);
    }
    server.rows_become("SELECT count(*), max(end_reason) FROM calls", "1|caller_hung_up");
    server.rows_become(
        "SELECT n, party, end_reason, ended_ms > partner_ms OR role IS NULL FROM legs ORDER BY n",
        "0|resident|caller_hung_up|1\n1|agent|transferred|1\n2|agent|transferred|1\n3|agent|transferred|1\n4|number|caller_hung_up|1",
    );
    server.rows_become("SELECT queue, how FROM queue_events ORDER BY entered_ms", "general|answered\nroads|answered");
    server.rows_become("SELECT agent, how FROM offers ORDER BY offered_ms", "aigul|answered\ndaniyar|answered");
    let told: Vec<String> = events(&server).into_iter().filter(|event| event.starts_with("transfer")).collect();
    assert_eq!(told[..2], ["transfer aigul roads", "transfer daniyar olena"]);
    assert!(told[2].starts_with("transfer olena ") && told.len() == 3, "{told:?}");
}

#[test]
fn a_resident_is_called_and_sees_the_citys_number() {
    let carrier = free_port();
    let server = Server::start("room-call-out", &city(carrier));
    let operator = phone(&server, "201", OPERATOR);
    let resident = outside(&server, carrier, RESIDENT);
    let mut desk = Desk::ready(&server, "aigul");
    desk.order(json!({ "type": "call_out", "number": OUTSIDE, "queue": null, "shown": null }));
    desk.until("talk", |message| message["type"] == "call_state" && message["state"] == "connected");
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    desk.brings(json!({ "type": "hold", "call": 1 }), "held");
    room("hold", &[(&resident, Hears::Music), (&operator, Hears::Silence)]);
    let log = resident.log();
    assert!(log.contains("sip:200@"), "the resident is called by the city's number: {log}");
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR]);
    server.rows_become("SELECT number, called_out_by, end_reason FROM calls", "200|aigul|caller_hung_up");
}

#[test]
fn a_supervisor_listens_whispers_joins_and_takes_over() {
    let server = Server::start("room-supervisor", &city(free_port()));
    let supervisor = phone(&server, "203", FOURTH);
    let (resident, operator, _desk) = talk(&server);
    let mut over = Desk::open(&server, "olena", "supervisor");
    let room = |what, at_resident: &[Voice], at_operator: &[Voice]| {
        let at_supervisor = only(&[RESIDENT, OPERATOR]);
        room(what, &[(&resident, only(at_resident)), (&operator, only(at_operator)), (&supervisor, at_supervisor)])
    };
    let monitor = |mode: &str| json!({ "type": "monitor", "call": 1, "mode": mode, "reason": "help" });
    over.brings(monitor("monitor"), "monitor");
    room("monitor", &[OPERATOR], &[RESIDENT]);
    over.brings(monitor("whisper"), "whisper");
    room("whisper", &[OPERATOR], &[RESIDENT, FOURTH]);
    over.brings(monitor("barge"), "barge");
    room("barge-in", &[OPERATOR, FOURTH], &[RESIDENT, FOURTH]);
    over.order(json!({ "type": "take_over", "call": 1, "reason": "help" }));
    over.until("the talk", |message| message["type"] == "state" && message["state"] == "talking");
    crate::calls::ears::room("take over", &[(&resident, only(&[FOURTH])), (&supervisor, only(&[RESIDENT]))]);
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR, FOURTH]);
    recorded(&server, 2, &[FOURTH]);
    let expected =
        ["joined_monitor - olena", "joined_whisper - olena", "joined_barge - olena", "taken_over olena aigul", "joined_partner - olena"];
    events_become(&server, &expected);
    server.rows_become(LEGS, "0|resident|-|caller_hung_up\n1|agent|aigul|taken_over\n2|agent|olena|caller_hung_up");
}

/// Resident and operator fall silent after six seconds, so that what is left at the resident's ear is nothing but what leaks there:
/// the supervisor's band at her ear and in the recording, against the same band at the ear of the operator, to whom it is whispered.
#[test]
fn a_whisper_leaves_no_trace_at_the_resident_and_in_the_recording() {
    let server = Server::start("room-whisper", &city(free_port()));
    let says = |voice| [chirp::pcm(voice, 30), vec![0; 60 * 8000]].concat();
    let operator =
        Baresip::listening_at(free_port(), &format!("quiet-201-{}", server.sip.port()), &account(&server, "201"), &says(OPERATOR));
    let account = format!("<sip:{CALLER}@{}>;regint=0;audio_codecs=PCMA/8000/1", server.sip);
    let resident = Baresip::listening_at(free_port(), &format!("quiet-{}", server.sip.port()), &account, &says(RESIDENT));
    let supervisor = phone(&server, "203", FOURTH);
    operator.until("registration", || operator.log().contains("[1 binding]"));
    let _desk = begin(&server, &resident);
    room("talk", &[(&resident, only(&[OPERATOR])), (&operator, only(&[RESIDENT]))]);
    let mut over = Desk::open(&server, "olena", "supervisor");
    over.brings(json!({ "type": "monitor", "call": 1, "mode": "whisper", "reason": "help" }), "whisper");
    for phone in [&resident, &supervisor] {
        until("quiet", || voices(&lately(phone, Duration::from_secs(1))).is_empty() && phone.length() > 8000);
    }
    let windows = room("whisper", &[(&resident, Hears::Silence), (&operator, only(&[FOURTH])), (&supervisor, Hears::Silence)]);
    ends(&server, &resident);
    let recorded = recorded(&server, 1, &[OPERATOR]);
    let whispered = &windows[1];
    let last = |channel: &[i16]| channel[channel.len() - whispered.len()..].to_vec();
    let traces =
        [("the resident's ear", windows[0].clone()), ("the left channel", last(&recorded[0])), ("the right channel", last(&recorded[1]))];
    for (place, trace) in traces {
        let db = below_db(&trace, whispered, FOURTH);
        println!("whisper: {db:.0} dB at {place}");
        assert!(db <= NO_TRACE_DB, "the whisper is at {place} with {db:.1} dB");
    }
}
