//! Who hears whom when operators speak from their desks? Two real browsers worked by keys alone, phones that are not ours, judged by sound
//! and by the stored story.

use std::time::Duration;

use cityline_phone::{Event, Phone};

use super::page::Page;
use crate::calls::SOON;
use crate::calls::baresip::Baresip;
use crate::calls::cast::{OPERATOR, RESIDENT, calls, chirping};
use crate::calls::ears::{Hears, lately, room, until, voices};
use crate::calls::rooms::{CALLER, COLLEAGUE, FIFTH, LEGS, OUTSIDE, city, ends, events_become, only, outside, recorded, resident};
use crate::calls::server::{Server, free_port};

/// The city of the rooms; aigul and daniyar have their phones in their pages.
fn city_of_pages(carrier: u16) -> String {
    let phone = |user: &str| format!("phone = {{ user = \"{user}\", password = \"secret-{user}\" }}");
    city(carrier).replace(&phone("201"), "browser = true").replace(&phone("202"), "browser = true")
}

/// Both desks, ready, and a resident who talks with the first.
fn talk(server: &Server) -> (Baresip, Page, Page) {
    let (first, second) = (Page::ready(server, "aigul", OPERATOR), Page::ready(server, "daniyar", COLLEAGUE));
    let resident = resident(server, RESIDENT);
    resident.order("dial", &server.uri("200"));
    first.answers();
    room("the talk", &[(&resident, only(&[OPERATOR])), (&first, only(&[RESIDENT]))]);
    (resident, first, second)
}

#[test]
fn hold_a_question_to_a_colleague_all_three_and_the_colleague_has_the_resident() {
    let server = Server::start("desk-rooms", &city_of_pages(free_port()));
    let (resident, first, second) = talk(&server);
    first.key("KeyH");
    first.until_says("The resident hears music");
    room("hold", &[(&resident, Hears::Music), (&first, Hears::Silence)]);
    first.key("KeyH");
    room("after the hold", &[(&resident, only(&[OPERATOR])), (&first, only(&[RESIDENT]))]);
    first.key("KeyO");
    first.chooses("daniyar");
    second.answers();
    room("consult", &[(&resident, Hears::Music), (&first, only(&[COLLEAGUE])), (&second, only(&[OPERATOR]))]);
    first.presses("Talk all three");
    first.until_says("All three hear each other");
    room(
        "conference",
        &[(&resident, only(&[OPERATOR, COLLEAGUE])), (&first, only(&[RESIDENT, COLLEAGUE])), (&second, only(&[RESIDENT, OPERATOR]))],
    );
    first.presses("Hand the resident over");
    first.until_doing("Wrap-up");
    room("after", &[(&resident, only(&[COLLEAGUE])), (&second, only(&[RESIDENT]))]);
    ends(&server, &resident);
    recorded(&server, 1, &[OPERATOR, COLLEAGUE]);
    recorded(&server, 2, &[COLLEAGUE]);
    let expected = [
        "held - -",
        "resumed - -",
        "consult aigul daniyar",
        "joined_consultant - daniyar",
        "joined_guest - daniyar",
        "consult_completed aigul -",
        "joined_partner - daniyar",
    ];
    events_become(&server, &expected);
    server.rows_become(LEGS, "0|resident|-|caller_hung_up\n1|agent|aigul|transferred\n2|agent|daniyar|caller_hung_up");
}

#[test]
fn a_desk_gives_a_call_to_a_queue_and_the_next_desk_gives_it_outside() {
    let carrier = free_port();
    let server = Server::start("desk-transfers", &city_of_pages(carrier));
    let outside = outside(&server, carrier, FIFTH);
    let (resident, first, second) = talk(&server);
    first.key("KeyT");
    first.chooses("roads");
    second.answers();
    room("after the queue", &[(&resident, only(&[COLLEAGUE])), (&second, only(&[RESIDENT]))]);
    second.key("KeyT");
    second.chooses(OUTSIDE);
    until("the talk outside", || server.rows("SELECT count(*) FROM recordings") == "3");
    room("outside", &[(&resident, only(&[FIFTH])), (&outside, only(&[RESIDENT]))]);
    ends(&server, &resident);
    for (n, voice) in [(1, OPERATOR), (2, COLLEAGUE), (3, FIFTH)] {
        recorded(&server, n, &[voice]);
    }
}

#[test]
fn a_desk_calls_somebody_outside() {
    let carrier = free_port();
    let server = Server::start("desk-call-out", &city_of_pages(carrier));
    let outside = outside(&server, carrier, FIFTH);
    let page = Page::ready(&server, "aigul", OPERATOR);
    page.key("KeyN");
    page.chooses(OUTSIDE);
    until("a voice at the desk", || !voices(&lately(&page, Duration::from_secs(1))).is_empty());
    room("the talk", &[(&outside, only(&[OPERATOR])), (&page, only(&[FIFTH]))]);
    page.key("KeyE");
    page.until_doing("Wrap-up");
}

#[test]
fn keys_pressed_at_a_desk_reach_the_resident() {
    let server = Server::start("desk-keys", &city_of_pages(free_port()));
    let page = Page::ready(&server, "aigul", OPERATOR);
    let phone = Phone::on_loopback().unwrap();
    let mut call = calls(&server, &phone, "200", chirping(CALLER));
    page.answers();
    page.key("KeyK");
    page.until_there("dialog[open] output");
    for key in ['5', '2'] {
        page.key(&format!("Digit{key}"));
        call.wait_for(Event::Digit(key), SOON).unwrap();
    }
    call.hang_up().unwrap();
    call.wait_for_end(SOON).unwrap();
}
