//! Does a talk at the real desk outlive a page that is loaded again, a network that is lost, a browser that is killed? Judged by sound.

use std::time::{Duration, Instant};

use cityline_phone::Phone;
use cityline_phone::judge::chirp::Voice;

use super::cut::Cut;
use super::page::Page;
use super::shift::{CITY, resident};
use crate::calls::cast::{OPERATOR, RESIDENT, STRANGER, calls, chirping, short_city};
use crate::calls::ears::{self, Ear, Hears};
use crate::calls::rooms::{self, only};
use crate::calls::server::Server;
use crate::calls::{SOON, score};

/// Both talk again within this.
const AGAIN: Duration = Duration::from_secs(3);
/// The network is away for as long as a desk must outlive it.
const CUT: Duration = Duration::from_secs(15);
/// Who has lost the operator for good waits at the head of the queue after so long.
const QUEUED: Duration = Duration::from_secs(10);

/// How long it takes from `since` until this ear hears the voice.
fn until_heard(ear: &dyn Ear, voice: Voice, since: Instant) -> Duration {
    let hears = || ears::voices(&ears::lately(ear, Duration::from_millis(600))).iter().any(|(heard, _)| *heard == voice);
    ears::until("the voice again", hears);
    since.elapsed()
}

#[test]
fn a_page_that_is_loaded_again_in_mid_call_talks_again_and_keeps_what_was_typed() {
    let server = Server::start("desk-reload", CITY);
    let page = Page::ready(&server, "daniyar", OPERATOR);
    let resident = resident(&server);
    page.answers();
    ears::room("the talk", &[(&page, only(&[RESIDENT])), (&resident, only(&[OPERATOR]))]);
    page.writes("Нет отопления с утра");
    let begun = Instant::now();
    page.chromium.reload();
    let took = until_heard(&page, RESIDENT, begun);
    println!("desk loaded again: the page hears the resident after {:.1} s", took.as_secs_f64());
    ears::room("the talk after the reload", &[(&page, only(&[RESIDENT])), (&resident, only(&[OPERATOR]))]);
    page.until_doing("Talking");
    page.chromium.until("text", "[...document.querySelectorAll('textarea')].some((one) => one.value === 'Нет отопления с утра')");
    assert!(took <= AGAIN, "the page hears the resident after {took:?}");
}

#[test]
fn a_desk_that_is_cut_off_for_fifteen_seconds_talks_again() {
    let server = Server::start("desk-cut", CITY);
    let cut = Cut::before(server.web(), server.pages_port());
    let page = Page::open_by(&server, "daniyar", OPERATOR, cut.web, Some(cut.media));
    page.takes_calls();
    let resident = resident(&server);
    page.answers();
    ears::room("the talk", &[(&page, only(&[RESIDENT])), (&resident, only(&[OPERATOR]))]);
    let off = Instant::now();
    cut.set(true);
    ears::until("the end of the cut", || off.elapsed() >= CUT);
    cut.set(false);
    let on = Instant::now();
    ears::just_now("while the desk is cut off", &resident, Hears::Music);
    let meanwhile = ears::lately(&resident, CUT + AGAIN);
    let (at_page, at_resident) = (until_heard(&page, RESIDENT, on), until_heard(&resident, OPERATOR, on));
    println!(
        "desk cut off for {:.1} s: the page hears again after {:.1} s, the resident after {:.1} s",
        on.duration_since(off).as_secs_f64(),
        at_page.as_secs_f64(),
        at_resident.as_secs_f64()
    );
    ears::room("the talk after the cut", &[(&page, only(&[RESIDENT])), (&resident, only(&[OPERATOR]))]);
    page.until_doing("Talking");
    let word = score("ru", "line-restoring", &meanwhile);
    assert!(word >= 0.8, "the resident hears why with {word}");
    assert!(at_page <= AGAIN && at_resident <= AGAIN, "again after {at_page:?} at the page, {at_resident:?} at the resident");
}

#[test]
fn a_second_page_that_takes_the_desk_in_mid_call_talks_on() {
    let server = Server::start("desk-second", CITY);
    let first = Page::ready(&server, "daniyar", OPERATOR);
    let resident = resident(&server);
    first.answers();
    ears::room("the talk", &[(&first, only(&[RESIDENT])), (&resident, only(&[OPERATOR]))]);
    let second = Page::open(&server, "daniyar", STRANGER);
    let begun = Instant::now();
    second.signs_in();
    let took = until_heard(&second, RESIDENT, begun);
    println!("a second page: it hears the resident {:.1} s after the sign-in", took.as_secs_f64());
    ears::room("the talk at the second page", &[(&second, only(&[RESIDENT])), (&resident, only(&[STRANGER]))]);
    second.until_doing("Talking");
    second.key("KeyE");
    second.until_doing("Wrap-up");
}

#[test]
fn the_resident_of_a_desk_that_is_killed_waits_before_all_others_and_hears_so() {
    let operator = "[operators.daniyar]\nskills = [\"kk\", \"ru\"]\nbrowser = true\n";
    let server = Server::start("desk-killed", &(short_city("") + operator));
    let page = Page::ready(&server, "daniyar", OPERATOR);
    let lost = rooms::resident(&server, RESIDENT);
    lost.order("dial", &server.uri("200"));
    page.answers();
    ears::room("the talk", &[(&page, only(&[RESIDENT])), (&lost, only(&[OPERATOR]))]);
    let phone = Phone::on_loopback().unwrap();
    let other = calls(&server, &phone, "200", chirping("+77010500002"));
    let killed = Instant::now();
    drop(page);
    server.rows_until("SELECT what FROM call_events WHERE what = 'page_lost'", SOON, |rows| rows == "page_lost");
    let queued = killed.elapsed();
    ears::until("the word", || score("kk", "line-lost", &ears::lately(&lost, Duration::from_secs(20))) >= 0.8);
    ears::until("the place", || score("kk", "position", &ears::lately(&lost, Duration::from_secs(10))) >= 0.8);
    println!(
        "desk killed: in the queue after {:.1} s, told why and the place by {:.1} s",
        queued.as_secs_f64(),
        killed.elapsed().as_secs_f64()
    );
    assert!(queued <= QUEUED, "in the queue after {queued:?}");
    ears::room("in the queue", &[(&lost, Hears::Music)]);
    let again = Page::open(&server, "daniyar", OPERATOR);
    again.says_ready();
    again.answers();
    ears::room("the talk at another browser", &[(&again, only(&[RESIDENT])), (&lost, only(&[OPERATOR]))]);
    other.hang_up().unwrap();
}
