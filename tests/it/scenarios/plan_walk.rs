//! How does a caller come through the plan? Languages, keys, silence, opening hours and the way to 112.

use cityline::centre::dialplan::Action;
use cityline::centre::fact::{AgentStatus, Chosen, EndReason, Fact, Party, QueueEnd};
use cityline::centre::ids::{CallId, Language, LegId, PlayId, SdpRef};
use cityline::centre::input::{CallerKnown, FromLine, FromMedia, Input};
use cityline::centre::output::{Output, Sound, Target, ToLine, ToMedia};

use super::story::{SPEAKS_MS, Story};
use crate::city::{KEY_WAIT_MS, PHONE, operator, settings, with};

fn city() -> Story {
    Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)))
}

fn languages(story: &Story, call: CallId) -> Vec<(Language, Chosen)> {
    let chosen = |fact: &Fact| match fact {
        Fact::LanguageChosen { call: id, language, how, .. } if *id == call => Some((*language, *how)),
        _ => None,
    };
    story.told.iter().filter_map(|(_, fact)| chosen(fact)).collect()
}

fn prompt(id: &str, language: Language) -> Sound {
    Sound::Prompt { id: id.into(), language }
}

#[test]
fn a_call_goes_through_the_plan_to_an_operator_and_its_record_is_complete() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.calls(77);
    story.pass(SPEAKS_MS + 100);
    assert_eq!(story.hears(call), [prompt("choose-language", Language::Kk)]);
    story.presses(call, '2');
    assert_eq!(story.hears(call), [prompt("topics", Language::Ru)]);
    story.presses(call, '1');
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.pass(3_000);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    let joined = |output: &Output| matches!(output, Output::Media(ToMedia::Connect { call: id, hears }) if *id == call && hears.len() == 2);
    assert_eq!(story.asked_count(joined), 1);
    story.pass(60_000);
    story.hangs_up(call);
    assert_eq!(story.ended(call), Some(EndReason::CallerHungUp));
    assert_eq!(story.steps(call), ["welcome", "language", "hours", "topics", "heating"]);
    assert_eq!(languages(&story, call), [(Language::Ru, Chosen::Key)]);
    assert_eq!(story.dequeued(call), [("heating".to_owned(), QueueEnd::Answered, 3_005)]);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::TopicChosen { topic, .. } if topic == "heating")), 1);
    story.pass(100);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::RecordingEnded { .. })), 1);
    story.everything_is_released();
}

#[test]
fn a_silent_caller_ends_at_a_human() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.calls(77);
    story.pass(SPEAKS_MS);
    for _question_asked_twice in 0..4 {
        story.is_silent();
    }
    story.pass(100);
    assert_eq!(languages(&story, call), [(Language::Kk, Chosen::Default)]);
    assert_eq!(story.steps(call).last().map(String::as_str), Some("general"));
    let leg = story.rings_at("aigul");
    story.answers(leg);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
}

#[test]
fn a_remembered_language_is_not_asked_again() {
    let mut story = city();
    story.remembers(77, Language::En);
    let call = story.calls(77);
    story.pass(SPEAKS_MS + 100);
    assert_eq!(languages(&story, call), [(Language::En, Chosen::Remembered)]);
    assert_eq!(story.hears(call), [prompt("topics", Language::En)]);
}

#[test]
fn the_star_asks_a_remembered_caller_again() {
    let mut story = city();
    story.remembers(77, Language::En);
    let call = story.calls(77);
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '*');
    assert_eq!(story.hears(call), [prompt("choose-language", Language::En)]);
    story.presses(call, '2');
    assert_eq!(languages(&story, call).last(), Some(&(Language::Ru, Chosen::Key)));
    assert_eq!(story.hears(call), [prompt("topics", Language::Ru)]);
}

#[test]
fn a_store_that_answers_late_costs_300_ms_and_its_answer_is_not_used() {
    let mut story = city();
    story.shells.looks_up = false;
    story.reload(with(without_welcome(), "aigul", operator(&["kk"], PHONE)));
    let call = story.calls(77);
    story.pass(100);
    assert!(story.hears(call).is_empty(), "the language step waits for what is known");
    story.pass(200);
    assert_eq!(story.hears(call), [prompt("choose-language", Language::Kk)]);
    let known = CallerKnown { language: Some(Language::En), ..CallerKnown::default() };
    story.happens(Input::LookedUp { call, known });
    assert_eq!(story.hears(call), [prompt("choose-language", Language::Kk)]);
    assert!(languages(&story, call).is_empty());
}

#[test]
fn a_store_that_answers_in_time_spares_the_question() {
    let mut story = city();
    story.reload(with(without_welcome(), "aigul", operator(&["kk"], PHONE)));
    story.remembers(77, Language::Ru);
    let call = story.calls(77);
    story.pass(30);
    assert_eq!(story.hears(call), [prompt("topics", Language::Ru)]);
}

fn without_welcome() -> cityline::centre::settings::Settings {
    let mut changed = settings();
    changed.revision = 2;
    for plan in changed.numbers.values_mut() {
        plan.start = "language".into();
    }
    changed
}

#[test]
fn a_wrong_key_is_said_and_after_the_last_try_the_caller_goes_where_a_silent_one_goes() {
    let mut story = city();
    let call = story.calls(77);
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '2');
    story.presses(call, '9');
    assert_eq!(story.hears(call), [prompt("wrong-key", Language::Ru), prompt("topics", Language::Ru)]);
    story.presses(call, '9');
    assert_eq!(story.steps(call).last().map(String::as_str), Some("general"));
}

#[test]
fn a_key_during_the_question_cuts_it_short_and_its_ending_is_stale() {
    let mut story = city();
    let call = story.calls(77);
    story.pass(SPEAKS_MS + 100);
    let question = story.last_play(call);
    story.presses(call, '2');
    story.media(FromMedia::Played { leg: LegId::caller(call), play: question });
    assert_eq!(story.hears(call), [prompt("topics", Language::Ru)]);
    let (_, reason) = story.centre.next_deadline().map_or((story.now, None), |(at, reason)| (at, Some(reason)));
    assert!(!format!("{reason:?}").contains("Key"), "the menu still speaks: its wait has not begun, {reason:?}");
    story.media(FromMedia::Played { leg: LegId::caller(call), play: PlayId(9_999) });
    assert_eq!(story.steps(call).last().map(String::as_str), Some("topics"));
}

#[test]
fn an_ending_told_twice_does_not_ask_twice() {
    let mut story = city();
    let call = story.calls(77);
    story.pass(2 * SPEAKS_MS + 100);
    let question = story.last_play(call);
    story.media(FromMedia::Played { leg: LegId::caller(call), play: question });
    assert_eq!(story.last_play(call), question);
    story.pass(KEY_WAIT_MS);
    assert_ne!(story.last_play(call), question);
}

#[test]
fn a_closed_line_says_so_and_hangs_up() {
    let mut closed = settings();
    for plan in closed.numbers.values_mut() {
        let hours = Action::Hours { calendar: "never".into(), open: "topics".into(), closed: "closed".into() };
        plan.steps.insert("hours".into(), crate::city::step("hours", hours).1);
    }
    let mut story = Story::new(closed);
    let call = story.calls(77);
    story.pass(SPEAKS_MS + 100);
    story.presses(call, '2');
    assert_eq!(story.hears(call), [prompt("closed", Language::Ru)]);
    story.pass(SPEAKS_MS);
    assert_eq!(story.ended(call), Some(EndReason::PlanEnded));
    story.everything_is_released();
}

#[test]
fn the_emergency_key_works_from_every_stage() {
    for stage in ["welcome", "language", "language, silent", "topics", "queue", "offered", "ringing", "goodbye"] {
        let mut story = city();
        if ["offered", "ringing"].contains(&stage) {
            story.signs_in("aigul", &[11]);
        }
        let call = story.calls(77);
        story.pass(100);
        match stage {
            "welcome" => {}
            "language" => story.pass(SPEAKS_MS),
            "language, silent" => story.pass(2 * SPEAKS_MS + 1_000),
            _ => {
                story.pass(SPEAKS_MS);
                story.presses(call, '2');
            }
        }
        match stage {
            "queue" | "offered" => story.presses(call, '1'),
            "ringing" => {
                story.presses(call, '1');
                story.pass(1_000);
                story.rings_at("aigul");
            }
            "goodbye" => story.presses(call, '3'),
            _ => {}
        }
        story.presses(call, '0');
        story.pass(100);
        let leg = story.outside_rings();
        let to_112 = |output: &Output| matches!(output, Output::Line(ToLine::Dial { target: Target::Address(address), .. }) if address == "sip:112@127.0.0.1");
        assert_eq!(story.asked_count(to_112), 1, "{stage}");
        assert!(story.all_rings_at("aigul").is_empty(), "{stage}: nobody else rings");
        let left = story.dequeued(call);
        assert!(left.iter().all(|(_, how, _)| *how == QueueEnd::KeyPressed), "{stage}: {left:?}");
        story.answers(leg);
        story.pass(5_000);
        story.leg_hangs_up(leg);
        assert_eq!(story.ended(call), Some(EndReason::OutsideEnded), "{stage}");
        if ["offered", "ringing"].contains(&stage) {
            assert_eq!(story.agent("aigul"), AgentStatus::Ready, "{stage}: it was not the operator's fault");
        }
        story.everything_is_released();
    }
}

#[test]
fn when_112_cannot_be_reached_the_caller_comes_to_a_human() {
    for how in ["refused", "silent", "no port"] {
        let mut story = city();
        let call = story.calls(77);
        story.pass(100);
        story.shells.opens = how != "no port";
        story.presses(call, '0');
        story.pass(100);
        match how {
            "refused" => {
                let leg = story.outside_rings();
                story.refuses(leg, 503);
            }
            "silent" => story.pass(30_000),
            _ => story.media_fails(LegId { call, n: 1 }, cityline::centre::input::MediaFailure::NoPort),
        }
        assert_eq!(story.steps(call).last().map(String::as_str), Some("general"), "{how}");
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn an_unknown_number_gets_404_and_a_full_or_draining_centre_503() {
    let mut small = settings();
    small.limits.max_calls = 1;
    let mut story = Story::new(small);
    let stranger = story.calls_number(1, "999", true);
    let first = story.calls(2);
    let second = story.calls(3);
    story.happens(Input::DrainStarted);
    story.hangs_up(first);
    let third = story.calls(4);
    let status = |story: &Story, call: CallId| {
        let rejected = |output: &Output| match output {
            Output::Line(ToLine::Reject { leg, status, retry_after_s }) if leg.call == call => Some((*status, retry_after_s.is_some())),
            _ => None,
        };
        story.asked.iter().find_map(rejected)
    };
    assert_eq!(status(&story, stranger), Some((404, false)));
    assert_eq!(status(&story, first), None, "hung up while its port was being opened");
    assert_eq!(status(&story, second), Some((503, true)));
    assert_eq!(status(&story, third), Some((503, true)));
    assert_eq!(story.ended(stranger), Some(EndReason::UnknownNumber));
    assert_eq!(story.ended(third), Some(EndReason::Overloaded));
    story.everything_is_released();
}

#[test]
fn a_draining_centre_serves_those_who_are_in() {
    let mut story = city();
    let call = story.waits_for_heating(77);
    story.happens(Input::DrainStarted);
    story.signs_in("aigul", &[11]);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
}

#[test]
fn a_late_offer_is_answered_with_ours_and_the_plan_begins_with_the_ack() {
    let mut story = city();
    let call = story.calls_number(77, "109", false);
    story.pass(1_000);
    let leg = LegId::caller(call);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::Answer { .. }))), 1);
    assert!(story.steps(call).is_empty(), "nothing is said before the caller can hear it");
    story.line(FromLine::Answered { leg, sdp: SdpRef(7) });
    story.pass(100);
    assert_eq!(story.steps(call), ["welcome"]);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::CallAnswered { .. })), 1);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_new_offer_in_a_dialog_is_answered_and_a_bad_one_refused_while_the_talk_goes_on() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    let leg = LegId::caller(call);
    story.line(FromLine::Reoffered { leg, sdp: SdpRef(8) });
    story.pass(100);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::AcceptOffer { .. }))), 1);
    story.shells.agrees = false;
    story.line(FromLine::Reoffered { leg, sdp: SdpRef(9) });
    story.media_fails(leg, cityline::centre::input::MediaFailure::NoCodec);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::RefuseOffer { .. }))), 1);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    assert_eq!(story.asked_count(|output| matches!(output, Output::Media(ToMedia::Connect { .. }))), 1);
}

#[test]
fn a_new_offer_before_the_leg_is_up_is_refused() {
    let mut story = city();
    story.shells.opens = false;
    let call = story.calls(77);
    story.line(FromLine::Reoffered { leg: LegId::caller(call), sdp: SdpRef(8) });
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::RefuseOffer { .. }))), 1);
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::LegStarted { party: Party::Resident, .. })), 1);
}
