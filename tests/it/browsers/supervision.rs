//! Does a supervisor steer live from the wallboard? A real browser worked by keys alone: talks are judged by sound, orders by who gets the
//! next call.

use std::time::Duration;

use cityline_phone::judge::chirp::Voice;

use super::page::Page;
use crate::calls::cast::{OPERATOR, RESIDENT};
use crate::calls::desk::Desk;
use crate::calls::ears::{lately, room, until, voices};
use crate::calls::rooms::{COLLEAGUE, FOURTH, city, ends, events_become, only, phone, recorded, resident, talk};
use crate::calls::server::{Server, free_port};

/// The city of the rooms in which olena leads and has her headset at her page. Daniyar can do all that aigul can, and is in no shift.
fn city_of_shifts() -> String {
    let page = city(free_port()).replace("phone = { user = \"203\", password = \"secret-203\" }", "browser = true");
    page.replace("skills = [\"second\"]\nphone", "skills = [\"first\", \"second\"]\nphone")
        + "[shift_templates.whole]\nzone = \"Asia/Qostanay\"\nfrom = \"00:00\"\nto = \"00:00\"\n\
           [shifts.day]\ntemplate = \"whole\"\noperators = [\"aigul\", \"olena\"]\n"
}

/// Says by a card's menu what is done about somebody, and why.
fn does(page: &Page, name: &str, act: &str, choice: usize) {
    page.until_there("article");
    page.presses(&format!("Act {name}"));
    page.presses(act);
    page.until_there("dialog[open] form");
    for _ in 0..choice {
        page.key("ArrowDown");
    }
    if choice > 0 {
        page.key("Tab");
    }
    page.chromium.types("the test wants it");
    page.key("Enter");
    page.chromium.until("end of the dialog", "document.querySelector('dialog[open]') === null");
}

#[test]
fn a_supervisor_listens_whispers_joins_takes_over_and_moves_a_person_into_the_shift() {
    let server = Server::start("desk-supervisor", &city_of_shifts());
    let colleague = phone(&server, "202", COLLEAGUE);
    let mut second = Desk::ready(&server, "daniyar");
    let (resident_phone, operator, mut desk) = talk(&server);
    let boss = Page::of_supervisor(&server, "olena", FOURTH);
    boss.signs_in();
    let at_boss = || only(&[RESIDENT, OPERATOR]);
    let hears = |what, at_resident: &[Voice], at_operator: &[Voice]| {
        room(what, &[(&resident_phone, only(at_resident)), (&operator, only(at_operator)), (&boss, at_boss())])
    };
    does(&boss, "aigul", "Listen", 0);
    boss.until_says("You listen to aigul");
    hears("listening", &[OPERATOR], &[RESIDENT]);
    assert_eq!(desk.until("a word of it", |message| message["type"] == "supervised")["how"], "monitor");
    boss.presses("Whisper");
    boss.until_says("You whisper to aigul");
    hears("whispering", &[OPERATOR], &[RESIDENT, FOURTH]);
    boss.presses("Join in");
    boss.until_says("You have joined the talk of aigul");
    hears("joined", &[OPERATOR, FOURTH], &[RESIDENT, FOURTH]);
    boss.presses("Take over");
    boss.until_doing("Talking");
    room("taken over", &[(&resident_phone, only(&[FOURTH])), (&boss, only(&[RESIDENT]))]);
    assert_eq!(desk.until("the loss", |message| message["how"] == "took_over")["by"], "olena");
    boss.until_there("[aria-labelledby=talk-title]");
    ends(&server, &resident_phone);
    recorded(&server, 1, &[OPERATOR, FOURTH]);
    recorded(&server, 2, &[FOURTH]);
    let expected =
        ["joined_monitor - olena", "joined_whisper - olena", "joined_barge - olena", "taken_over olena aigul", "joined_partner - olena"];
    events_become(&server, &expected);
    let all = ["monitor", "whisper", "barge", "take over"].map(|how| format!("olena: call 1, {how}: the test wants it"));
    server.rows_become("SELECT who || ': ' || subject FROM access_log WHERE action = 'supervision' ORDER BY id", &all.join("\n"));

    // The next call finds aigul at home, and daniyar in the shift. Whoever talks is led to the talk, wherever they go.
    boss.until_doing("Off shift");
    boss.goes_to("/wallboard");
    does(&boss, "aigul", "Shift", 3);
    boss.until_says("not on shift");
    does(&boss, "daniyar", "Shift", 2);
    boss.chromium.until(
        "daniyar on shift",
        "[...document.querySelectorAll('article')].some((one) => /^daniyar/.test(one.innerText) && one.innerText.includes('shift: day'))",
    );
    server.rows_become(
        "SELECT agent, wanted, by_name, reason FROM shift_orders ORDER BY position, place",
        "aigul|home|olena|the test wants it\ndaniyar|moved|olena|the test wants it",
    );
    drop(resident_phone);
    let next = resident(&server, RESIDENT);
    next.order("dial", &server.uri("200"));
    second.until("the next call", |message| message["type"] == "call_state" && message["state"] == "connected");
    room("the next call", &[(&next, only(&[COLLEAGUE])), (&colleague, only(&[RESIDENT]))]);
    until("a voice", || !voices(&lately(&next, Duration::from_secs(1))).is_empty());
    ends(&server, &next);
}

/// Waits for the calls of one queue need what daniyar cannot do until a supervisor says at her page that he can today.
#[test]
fn a_supervisor_changes_a_skill_and_the_call_that_waits_for_it_is_served() {
    let settings = city_of_shifts().replace("skills = [\"first\", \"second\"]\nphone", "skills = [\"second\"]\nphone");
    let settings = settings.replace("operators = [\"aigul\", \"olena\"]", "operators = [\"aigul\", \"olena\", \"daniyar\"]");
    let server = Server::start("desk-skill", &settings);
    let colleague = phone(&server, "202", COLLEAGUE);
    let mut second = Desk::ready(&server, "daniyar");
    let boss = Page::of_supervisor(&server, "olena", FOURTH);
    boss.signs_in();
    let caller = resident(&server, RESIDENT);
    caller.order("dial", &server.uri("200"));
    until("a wait", || server.rows("SELECT count(*) FROM queue_events WHERE left_ms IS NULL") == "1");
    boss.until_there("article");
    boss.presses("Act daniyar");
    boss.presses("Skills today");
    boss.until_there("dialog[open] form");
    // The skills by name: the first, the second; the focus is on the first.
    for _ in 0..10 {
        boss.key("ArrowDown");
    }
    boss.chromium.until("level 10", "document.activeElement.value === '10'");
    boss.chromium.run("document.querySelector('dialog[open] input').focus()");
    boss.chromium.types("nobody else is here");
    boss.key("Enter");
    second.until("the call", |message| message["type"] == "call_state" && message["state"] == "connected");
    room("the call", &[(&caller, only(&[COLLEAGUE])), (&colleague, only(&[RESIDENT]))]);
    server.rows_become("SELECT kind, target, by_name, reason FROM orders", "able|daniyar|olena|nobody else is here");
    ends(&server, &caller);
}
