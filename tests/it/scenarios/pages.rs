//! What if an operator's phone is the page of the desk? It is connected without a word on the line, and outlives a page that comes back.

use cityline::centre::fact::{AgentStatus, EndReason, Fact};
use cityline::centre::ids::{AgentId, CallId, Generation, LegId, SdpRef};
use cityline::centre::input::{FromDesk, FromLine, FromMedia, Input, MediaFailure};
use cityline::centre::output::{Output, Refusal, Sound, ToDesk, ToLine, ToMedia};

use super::story::Story;
use crate::city::{PAGE, PHONE, operator, settings, with};

const FIRST: Generation = Generation(1);
const SECOND: Generation = Generation(2);
const PAGE_LEG: u16 = 1;

fn aigul() -> AgentId {
    AgentId::from("aigul")
}

fn up(story: &mut Story, generation: Generation) {
    story.desk(FromDesk::DeskMediaUp { agent: aigul(), generation });
}

fn down(story: &mut Story, generation: Generation) {
    story.desk(FromDesk::DeskMediaDown { agent: aigul(), generation });
}

fn city() -> Story {
    let mut story = Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PAGE)));
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: FIRST });
    up(&mut story, FIRST);
    story.desk(FromDesk::Ready { agent: aigul() });
    story
}

/// A talk between a resident and the page.
fn talk() -> (Story, CallId) {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.pass(100);
    story.desk(FromDesk::Accept { agent: aigul(), call });
    story.pass(100);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    (story, call)
}

fn page_leg(call: CallId) -> LegId {
    LegId { call, n: PAGE_LEG }
}

fn resident(call: CallId) -> LegId {
    LegId::caller(call)
}

/// How often this prompt was played to somebody.
fn words(story: &Story, word: &str) -> usize {
    let says = |sound: &Sound| matches!(sound, Sound::Prompt { id, .. } if id.as_str() == word);
    story.asked_count(|output| matches!(output, Output::Media(ToMedia::Play { sounds, .. }) if sounds.iter().any(says)))
}

/// A resident on hold waits with music already: nothing is new to them.
#[test]
fn a_hold_goes_on_when_the_page_is_lost_and_when_it_is_back() {
    let (mut story, call) = talk();
    story.holds("aigul", call);
    down(&mut story, FIRST);
    assert_eq!((words(&story, "line-restoring"), story.hears_music(resident(call))), (0, true));
    up(&mut story, SECOND);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(resident(call))), ("", true));
    story.resumes("aigul", call);
    assert_eq!(story.matrix(call), "0:1 1:0");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn who_has_no_sound_is_not_ready() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], PAGE)));
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: FIRST });
    story.desk(FromDesk::Ready { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Offline);
    let refused = |output: &Output| matches!(output, Output::Desk(ToDesk::Refused { why: Refusal::NoSound, .. }));
    assert_eq!(story.asked_count(refused), 1);
    up(&mut story, FIRST);
    story.desk(FromDesk::Ready { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
}

#[test]
fn an_accepted_offer_is_connected_without_a_word_on_the_line() {
    let (mut story, call) = talk();
    assert_eq!(story.matrix(call), "0:1 1:0");
    let dialled = |output: &Output| matches!(output, Output::Line(ToLine::Dial { .. }));
    assert_eq!(story.asked_count(dialled), 0);
    let attached = |output: &Output| matches!(output, Output::Media(ToMedia::Attach { agent, .. }) if *agent == aigul());
    assert_eq!(story.asked_count(attached), 1);
    story.desk(FromDesk::HangUp { agent: aigul(), call });
    assert_eq!(story.ended(call), Some(EndReason::OperatorHungUp));
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::HangUp { leg, .. }) if leg.n != 0)), 0);
    story.everything_is_released();
}

#[test]
fn a_page_that_cannot_be_had_leaves_the_caller_the_place() {
    let mut story = city();
    story.shells.agrees = false;
    let call = story.waits_for_heating(77);
    story.pass(100);
    story.desk(FromDesk::Accept { agent: aigul(), call });
    story.media(FromMedia::Failed { leg: page_leg(call), why: MediaFailure::NoPage, about: None });
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    assert_eq!(story.ended(call), None);
    story.hangs_up(call);
    story.everything_is_released();
}

/// amazon-connect-streams#33, SIP.js#1078: a reload loses neither the call nor its sound.
#[test]
fn a_reload_in_mid_call_is_music_and_then_the_talk_again() {
    let (mut story, call) = talk();
    down(&mut story, FIRST);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(resident(call))), ("", true));
    assert_eq!(words(&story, "line-restoring"), 1, "a word, and then music");
    story.pass(2_000);
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: SECOND });
    up(&mut story, SECOND);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(resident(call))), ("0:1 1:0", false));
    down(&mut story, FIRST);
    assert_eq!(story.matrix(call), "0:1 1:0", "the page before is over for good");
    story.pass(60_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_page_that_does_not_come_back_leaves_the_resident_before_all_others() {
    let (mut story, call) = talk();
    story.pass(1_000);
    let other = story.waits_for_heating(78);
    down(&mut story, FIRST);
    story.pass(17_000);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::PageLost { .. })), 0);
    story.pass(1_500);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::PageLost { call: lost, .. } if *lost == call)), 1);
    assert_eq!((words(&story, "line-lost"), words(&story, "line-restoring")), (1, 1));
    assert_eq!(
        story.told_count(|fact| matches!(fact, Fact::PlaceTold { call: lost, place: 1, .. } if *lost == call)),
        1,
        "before all others"
    );
    story.pass(5_000);
    assert!(story.hears_music(resident(call)));
    // Back after wrap-up, and ready: the one whom they lost comes first.
    story.pass(30_000);
    up(&mut story, FIRST);
    story.desk(FromDesk::Ready { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.hangs_up(call);
    story.hangs_up(other);
    story.everything_is_released();
}

#[test]
fn a_browser_that_is_killed_is_not_waited_for() {
    let (mut story, call) = talk();
    down(&mut story, FIRST);
    story.pass(5_000);
    story.desk(FromDesk::DeskGone { agent: aigul(), generation: FIRST });
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::PageLost { .. })), 1);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_desk_whose_socket_is_lost_talks_on_while_its_sound_is_there() {
    let (mut story, call) = talk();
    story.desk(FromDesk::DeskGone { agent: aigul(), generation: FIRST });
    assert_eq!(story.matrix(call), "0:1 1:0");
    down(&mut story, FIRST);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::PageLost { .. })), 1, "nothing is left of it");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn who_was_ready_is_so_again_when_the_sound_is_back_in_time() {
    let mut story = city();
    down(&mut story, FIRST);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.pass(3_000);
    up(&mut story, SECOND);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    down(&mut story, SECOND);
    story.pass(20_000);
    up(&mut story, SECOND);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding, "that was too long: they say so themselves");
}

#[test]
fn a_talk_outlives_the_process_as_it_outlives_the_page() {
    let (mut story, call) = talk();
    story.restarts(2_000);
    story.happens(Input::LegRecovered { leg: resident(call) });
    assert!(story.hears_music(resident(call)));
    story.pass(3_000);
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: SECOND });
    up(&mut story, SECOND);
    story.pass(100);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(resident(call))), ("0:1 1:0", false));
    story.pass(60_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.everything_is_released();
}

/// Bolat's phone calls Aigul, whose page rings.
fn bolat_calls_aigul() -> (Story, CallId) {
    let town = with(settings(), "aigul", operator(&["ru", "heating"], PAGE));
    let mut story = Story::new(with(town, "bolat", operator(&["ru"], PHONE)));
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: FIRST });
    up(&mut story, FIRST);
    story.desk(FromDesk::Ready { agent: aigul() });
    story.signs_in("bolat", &[12]);
    let call = CallId(50);
    story.line(FromLine::PhoneCalled { call, from: "bolat".into(), to: aigul(), sdp: Some(SdpRef(1)) });
    story.pass(100);
    (story, call)
}

#[test]
fn a_colleague_at_a_page_is_rung_there_and_talks_after_a_yes() {
    let (mut story, call) = bolat_calls_aigul();
    assert_eq!(story.shown("aigul"), [(call, Some("bolat".to_owned()))]);
    assert!(story.asked.iter().any(|output| matches!(output, Output::Line(ToLine::Ring { leg }) if *leg == resident(call))));
    assert_eq!((story.matrix(call).as_str(), story.agent("aigul")), ("", AgentStatus::Internal(call)));
    story.desk(FromDesk::Accept { agent: aigul(), call });
    story.pass(100);
    assert_eq!(story.matrix(call), "0:1 1:0");
    down(&mut story, FIRST);
    assert_eq!((story.matrix(call).as_str(), story.hears_music(resident(call))), ("", true));
    up(&mut story, SECOND);
    assert_eq!(story.matrix(call), "0:1 1:0");
    story.desk(FromDesk::HangUp { agent: aigul(), call });
    assert_eq!(["aigul", "bolat"].map(|who| story.agent(who)), [AgentStatus::Ready, AgentStatus::Ready]);
    story.everything_is_released();
}

#[test]
fn a_colleague_at_a_page_may_say_no_or_not_be_there() {
    let (mut story, call) = bolat_calls_aigul();
    story.desk(FromDesk::Decline { agent: aigul(), call });
    let refused = |output: &Output| matches!(output, Output::Line(ToLine::Reject { status: 603, .. }));
    assert_eq!(story.asked_count(refused), 1);
    let gone = |output: &Output| matches!(output, Output::Desk(ToDesk::OfferGone { call: gone, .. }) if *gone == call);
    assert_eq!(story.asked_count(gone), 1);
    down(&mut story, FIRST);
    story.line(FromLine::PhoneCalled { call: CallId(51), from: "bolat".into(), to: aigul(), sdp: Some(SdpRef(2)) });
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::Reject { status: 480, .. }))), 1);
    story.pass(60_000);
    story.everything_is_released();
}
