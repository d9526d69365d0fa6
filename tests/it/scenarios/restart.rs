//! What becomes of calls and operators when the process starts again?

use cityline::centre::deadline::Reason;
use cityline::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd, QueueEnd};
use cityline::centre::ids::{CallId, CallTo, CallerRef, Generation, LegId, RecordingId};
use cityline::centre::input::{FromDesk, FromMedia, Input};
use cityline::centre::output::{Output, Stands, ToDesk, ToLine, ToMedia};

use super::story::{SPEAKS_MS, Story};
use crate::city::{HEADSET, PHONE, fixed, operator, settings, three_operators, with};

fn city() -> Story {
    Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)))
}

fn owed(story: &Story) -> Vec<(CallId, CallerRef, u64)> {
    let callback = |fact: &Fact| match fact {
        Fact::CallbackOwed { call, caller, waiting_since_ms, .. } => Some((*call, *caller, *waiting_since_ms)),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| callback(fact)).collect()
}

fn all_legs_are_gone(story: &mut Story) {
    for leg in story.centre.legs() {
        story.happens(Input::LegGone { leg });
    }
}

/// FP#621, FP#525: one callback for one wait, with the caller's own place in time.
#[test]
fn who_waited_is_owed_one_callback_with_the_old_place() {
    let mut story = city();
    let waiting = story.waits_for_heating(77);
    let since = story.now;
    story.pass(30_000);
    let in_menu = story.calls(78);
    story.pass(100);
    story.restarts(8_000);
    all_legs_are_gone(&mut story);
    assert_eq!(owed(&story), [(waiting, CallerRef(77), since.0)]);
    assert_eq!(story.ended(waiting), Some(EndReason::Interrupted));
    assert_eq!(story.ended(in_menu), Some(EndReason::Interrupted));
    assert_eq!(story.dequeued(waiting)[0].1, QueueEnd::Interrupted);
    story.restarts(1_000);
    story.happens(Input::LegGone { leg: LegId::caller(waiting) });
    assert_eq!(owed(&story).len(), 1, "never owed twice");
    story.everything_is_released();
}

#[test]
fn who_withheld_the_number_cannot_be_called_back() {
    let mut story = city();
    let call = story.waits_for_heating(0);
    story.restarts(8_000);
    all_legs_are_gone(&mut story);
    assert!(owed(&story).is_empty());
    assert_eq!(story.ended(call), Some(EndReason::Interrupted));
}

#[test]
fn an_offer_that_rang_is_over_and_its_caller_is_owed_a_callback() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    story.pass(1_000);
    story.restarts(2_000);
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::AgentGone)]);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready, "nobody is at fault");
    all_legs_are_gone(&mut story);
    assert_eq!(owed(&story).len(), 1);
    story.everything_is_released();
}

#[test]
fn a_talk_whose_legs_are_gone_is_interrupted_and_its_operator_free() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.restarts(2_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call), "not known yet");
    all_legs_are_gone(&mut story);
    assert_eq!(story.ended(call), Some(EndReason::Interrupted));
    assert!(owed(&story).is_empty(), "they have talked");
    story.signs_in("aigul", &[12]);
    story.pass(20_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.everything_is_released();
}

#[test]
fn a_talk_whose_legs_are_found_again_goes_on() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.restarts(2_000);
    for leg in story.centre.legs() {
        story.happens(Input::LegRecovered { leg });
    }
    story.pass(60_000);
    assert_eq!(story.ended(call), None);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    assert_eq!(story.ended(call), Some(EndReason::CallerHungUp));
    story.everything_is_released();
}

#[test]
fn what_nobody_speaks_of_is_gone_ten_seconds_after_the_start() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.restarts(2_000);
    story.pass(11_999);
    assert_eq!(story.ended(call), None);
    story.pass(1);
    let leg = LegId::caller(call);
    let hung_up = |output: &Output| matches!(output, Output::Line(ToLine::HangUp { leg: ended, .. }) if *ended == leg);
    assert_eq!(story.asked_count(hung_up), 1, "should they be there all the same, they are told");
    assert_eq!(story.ended(call), Some(EndReason::Interrupted));
    assert_eq!(owed(&story).len(), 1);
    story.everything_is_released();
}

#[test]
fn nobody_is_rung_for_a_caller_who_may_be_gone() {
    let mut story = Story::new(settings());
    let call = story.waits_for_heating(77);
    story.pass(1_000);
    let since = story.now.0 - 1_000;
    story.restarts(2_000);
    story.reload(with(settings(), "desk1", fixed(&["ru", "heating"])));
    assert_eq!(story.agent("desk1"), AgentStatus::Ready);
    story.happens(Input::LegRecovered { leg: LegId::caller(call) });
    assert_eq!(story.agent("desk1"), AgentStatus::Offered(call), "found again, with place and age");
    story.pass(100);
    let leg = story.rings_at("desk1");
    story.answers(leg);
    assert_eq!(story.dequeued(call)[0].2, story.now.0 - since);
}

#[test]
fn a_caller_found_again_whose_service_is_not_comes_to_a_human() {
    let mut story = city();
    let call = story.calls(77);
    story.pass(100);
    story.presses(call, '0');
    story.pass(100);
    story.restarts(1_000);
    story.happens(Input::LegRecovered { leg: LegId::caller(call) });
    story.happens(Input::LegGone { leg: LegId { call, n: 1 } });
    assert_eq!(story.steps(call).last().map(String::as_str), Some("general"));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_caller_found_again_before_the_plan_began_begins_it() {
    let mut story = city();
    let call = story.calls(77);
    story.restarts(1_000);
    story.happens(Input::LegRecovered { leg: LegId::caller(call) });
    assert_eq!(story.steps(call), ["welcome"]);
}

#[test]
fn deadlines_that_passed_meanwhile_fire_once_and_in_order() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.hangs_up(call);
    let waiting = story.calls(78);
    story.pass(2 * SPEAKS_MS + 100);
    assert!(matches!(story.centre.next_deadline(), Some((_, Reason::Key(_)))));
    story.restarts(60_000);
    let now = story.now;
    assert!(story.centre.next_deadline().is_some_and(|(at, _)| at > now), "nothing is overdue any more");
    assert_eq!(story.agent("aigul"), AgentStatus::Ready, "her wrap-up is over");
    assert_eq!(story.ended(waiting), None);
    all_legs_are_gone(&mut story);
    story.everything_is_released();
}

#[test]
fn a_caller_found_again_hears_the_step_again_or_the_music() {
    let mut story = city();
    let (walking, waiting) = (story.calls(1), story.waits_for_heating(2));
    story.restarts(1_000);
    for call in [walking, waiting] {
        let before = story.last_play(call);
        story.happens(Input::LegRecovered { leg: LegId::caller(call) });
        assert_ne!(story.last_play(call), before, "what played is lost with the process");
    }
    for _ in 0..4 {
        story.is_silent();
    }
    assert_eq!(story.steps(walking).last().map(String::as_str), Some("general"));
}

/// Her wrap-up ended while there was no process: she is not rung for it.
#[test]
fn nobody_is_rung_for_a_time_that_has_passed() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(1, "aigul");
    let waiting = story.waits_for_heating(2);
    story.hangs_up(call);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.restarts(60_000);
    assert!(story.offers(waiting).is_empty());
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    all_legs_are_gone(&mut story);
    assert_eq!(owed(&story).len(), 1);
    story.everything_is_released();
}

#[test]
fn an_operator_whose_phone_is_gone_must_come_back_before_being_rung() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    story.restarts(1_000);
    story.registers("aigul", &[]);
    story.desk(FromDesk::Ready { agent: "aigul".into() });
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding, "her phone is not registered");
    let dialled = story.asked_count(|output| matches!(output, Output::Line(ToLine::Dial { .. })));
    story.waits_for_heating(77);
    story.pass(1_000);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::Dial { .. }))), dialled);
    story.registers("aigul", &[11]);
    story.desk(FromDesk::Ready { agent: "aigul".into() });
    assert!(matches!(story.agent("aigul"), AgentStatus::Offered(_)));
}

fn records(story: &Story) -> Vec<RecordingId> {
    let recording = |output: &Output| match output {
        Output::Media(ToMedia::Record { recording, .. }) => Some(*recording),
        _ => None,
    };
    story.asked.iter().filter_map(recording).collect()
}

#[test]
fn a_talk_has_sound_at_once_and_a_new_recording_when_it_is_found() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    let connects = |output: &Output| matches!(output, Output::Media(ToMedia::Connect { .. }));
    assert_eq!((story.asked_count(connects), records(&story).len()), (1, 1));
    story.restarts(2_000);
    assert_eq!(story.asked_count(connects), 2, "before anything is known of its legs");
    for leg in story.centre.legs() {
        story.happens(Input::LegRecovered { leg });
    }
    assert_eq!(records(&story), [RecordingId { call, n: 1 }, RecordingId { call, n: 2 }], "one more, and one alone");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn who_waits_hears_music_at_once_and_keeps_the_place() {
    let mut story = city();
    let first = story.waits_for_heating(1);
    story.pass(1_000);
    let second = story.waits_for_heating(2);
    let music = story.last_play(second);
    story.restarts(2_000);
    assert_ne!(story.last_play(second), music);
    for call in [second, first] {
        story.happens(Input::LegRecovered { leg: LegId::caller(call) });
    }
    story.signs_in("aigul", &[11]);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(first), "in the order of before, not of being found");
    story.hangs_up(first);
    story.hangs_up(second);
    story.everything_is_released();
}

#[test]
fn a_pause_and_a_wrap_up_go_on_and_after_a_long_night_nobody_is_at_work() {
    let mut story = Story::new(with(with(settings(), "aigul", operator(&["ru", "heating"], PHONE)), "olena", operator(&["uk"], PHONE)));
    story.signs_in("aigul", &[11]);
    story.signs_in("olena", &[12]);
    story.pauses("olena", "lunch");
    let call = story.talks_with(1, "aigul");
    story.hangs_up(call);
    story.restarts(1_000);
    assert_eq!(story.agent("olena"), AgentStatus::Paused("lunch".into()));
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.pass(60_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.restarts(301_000);
    assert_eq!((story.agent("aigul"), story.agent("olena")), (AgentStatus::Offline, AgentStatus::Offline));
    story.everything_is_released();
}

#[test]
fn a_line_that_was_silent_before_is_judged_anew() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    let leg = LegId::caller(call);
    story.media(FromMedia::SoundLost { leg });
    story.restarts(2_000);
    for n in [0, 1] {
        story.happens(Input::LegRecovered { leg: LegId { call, n } });
    }
    story.pass(300_000);
    assert_eq!(story.ended(call), None, "the new process hears it");
    story.media(FromMedia::SoundLost { leg });
    story.pass(60_000);
    assert_eq!(story.ended(call), Some(EndReason::NoSound));
    story.everything_is_released();
}

fn desk_opens(story: &mut Story, agent: &str) {
    story.desk(FromDesk::DeskUp { agent: agent.into(), generation: Generation(2) });
}

/// What a desk was shown of work that goes on.
fn shown(story: &Story) -> Vec<(CallId, CallerRef, Option<Stands>)> {
    let work = |output: &Output| match output {
        Output::Desk(ToDesk::Work { offer, stands, .. }) => Some((offer.call, offer.caller, *stands)),
        _ => None,
    };
    story.asked.iter().filter_map(work).collect()
}

#[test]
fn a_desk_that_comes_back_is_shown_the_talk_and_how_it_stands() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.holds("aigul", call);
    story.restarts(2_000);
    for leg in story.centre.legs() {
        story.happens(Input::LegRecovered { leg });
    }
    desk_opens(&mut story, "aigul");
    story.resumes("aigul", call);
    desk_opens(&mut story, "aigul");
    story.signs_in("bolat", &[12]);
    story.asks_colleague("aigul", call, "bolat");
    desk_opens(&mut story, "aigul");
    desk_opens(&mut story, "bolat");
    story.hangs_up(call);
    desk_opens(&mut story, "aigul");
    let stands = [Some(Stands::Held), None, Some(Stands::Consulting), None, Some(Stands::Ended)];
    assert_eq!(shown(&story), stands.map(|stands| (call, CallerRef(77), stands)));
    story.pass(60_000);
    desk_opens(&mut story, "aigul");
    assert_eq!(shown(&story).len(), 5, "it is written up");
    story.everything_is_released();
}

#[test]
fn who_answers_at_the_desk_is_ready_when_it_is_back_and_not_before() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("aigul", &[11]);
    story.restarts(2_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    let call = story.waits_for_heating(77);
    assert!(story.offers(call).is_empty() && story.agent("aigul") == AgentStatus::Ready, "nothing rings at a desk that is not there");
    desk_opens(&mut story, "aigul");
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.hangs_up(call);
    story.pass(60_000);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.everything_is_released();
}

#[test]
fn a_desk_that_does_not_come_back_is_gone_after_fifteen_seconds() {
    let mut story = Story::new(with(settings(), "aigul", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("aigul", &[11]);
    story.restarts(2_000);
    story.pass(16_999);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.pass(1);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
}

#[test]
fn a_resident_who_was_being_given_away_is_owed_a_callback() {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.signs_in("bolat", &[12]);
    story.transfers("aigul", call, CallTo::Agent("bolat".into()));
    let since = story.now;
    story.pass(1_000);
    story.restarts(2_000);
    story.happens(Input::LegGone { leg: LegId::caller(call) });
    assert_eq!(owed(&story).iter().map(|(call, caller, _)| (*call, *caller)).collect::<Vec<_>>(), [(call, CallerRef(77))]);
    let waits_since = owed(&story)[0].2;
    assert!((since.0 - 200..=story.now.0).contains(&waits_since), "not before they were given away");
    assert_eq!(story.ended(call), Some(EndReason::Interrupted));
    story.everything_is_released();
}

/// A board that begins anew must find whoever is asked something where they wait.
#[test]
fn who_is_being_asked_keeps_the_place_in_what_is_told_to_a_new_board() {
    let mut story = Story::new(super::callbacks::city());
    let call = story.waits_for_heating(77);
    story.presses(call, '1');
    let told: Vec<Fact> = story.centre.retold().into_iter().map(|(_, fact)| fact).filter(|fact| call_told(fact) == Some(call)).collect();
    assert!(matches!(told[..], [Fact::CallStarted { .. }, .., Fact::Enqueued { .. }, Fact::StepEntered { .. }]), "{told:?}");
}

fn call_told(fact: &Fact) -> Option<CallId> {
    match fact {
        Fact::CallStarted { call, .. } | Fact::Enqueued { call, .. } | Fact::StepEntered { call, .. } => Some(*call),
        _ => None,
    }
}

/// Whether the wait was too long is asked when the ringing offer ends; the process did not live to ask.
#[test]
fn who_had_waited_for_too_long_while_it_rang_goes_on_after_a_restart() {
    let mut known = with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE));
    known.queues.get_mut(&"heating".into()).unwrap().max_wait_ms = 5_000;
    let mut story = Story::new(known);
    story.signs_in("aigul", &[1]);
    let call = story.waits_for_heating(1);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.pass(6_000);
    assert!(!story.steps(call).contains(&"busy".to_owned()), "it rings");
    story.restarts(1_000);
    story.happens(Input::LegRecovered { leg: LegId::caller(call) });
    assert!(story.steps(call).contains(&"busy".to_owned()), "{:?}", story.steps(call));
}
