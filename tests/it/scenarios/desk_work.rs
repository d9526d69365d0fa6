//! What can operators do beside the talk? Extend a wrap-up, ask for help, warn and end for abuse, pause the recording, answer by themselves.

use cityline::centre::fact::{AgentStatus, EndReason, Fact, HelpEnd};
use cityline::centre::ids::{AgentId, CallId, LegId, Supervision};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::output::{Output, Refusal, Sound, ToDesk, ToMedia};

use super::story::Story;
use crate::city::{HEADSET, operator, settings, three_operators, with};

fn aigul() -> AgentId {
    AgentId::from("aigul")
}

/// Aigul talks with 77.
fn talk() -> (Story, CallId) {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    (story, call)
}

/// Until when the state lasts, from the moment of the story, and whether it can be extended; as last told.
fn ends_in(story: &Story) -> Option<(u64, bool)> {
    story.told.iter().rev().find_map(|(_, fact)| match fact {
        Fact::StateEnds { until_ms, extendable, .. } => Some((until_ms.saturating_sub(story.now.0), *extendable)),
        _ => None,
    })
}

fn says(story: &Story, call: CallId) -> Vec<String> {
    let id = |sound: &Sound| match sound {
        Sound::Prompt { id, language } => Some(format!("{id} {language}")),
        _ => None,
    };
    story.hears(call).iter().filter_map(id).collect()
}

fn is_cooling_off(story: &Story) -> bool {
    matches!(story.agent("aigul"), AgentStatus::Paused(reason) if reason.as_str() == "cool_off")
}

#[test]
fn wrap_up_tells_its_end_and_is_extended_once() {
    let (mut story, call) = talk();
    story.desk(FromDesk::ExtendWrapUp { agent: aigul() });
    assert_eq!(story.refused("aigul"), Some(Refusal::NotNow), "there is nothing to extend");
    story.hangs_up(call);
    assert_eq!((story.agent("aigul"), ends_in(&story)), (AgentStatus::WrapUp, Some((20_000, true))));
    story.pass(15_000);
    story.desk(FromDesk::ExtendWrapUp { agent: aigul() });
    assert_eq!(ends_in(&story), Some((65_000, false)));
    let refused = story.asked_count(|output| matches!(output, Output::Desk(ToDesk::Refused { .. })));
    story.desk(FromDesk::ExtendWrapUp { agent: aigul() });
    assert_eq!(story.asked_count(|output| matches!(output, Output::Desk(ToDesk::Refused { .. }))), refused + 1, "once");
    story.pass(64_999);
    assert_eq!(story.agent("aigul"), AgentStatus::WrapUp);
    story.pass(1);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    let next = story.talks_with(78, "aigul");
    story.hangs_up(next);
    assert_eq!(ends_in(&story), Some((20_000, true)), "the next wrap-up can be extended again");
    story.everything_is_released();
}

#[test]
fn a_desk_that_opens_in_wrap_up_is_told_its_end_again() {
    let (mut story, call) = talk();
    story.hangs_up(call);
    story.pass(5_000);
    let told = story.told_count(|fact| matches!(fact, Fact::StateEnds { .. }));
    story.desk(FromDesk::DeskUp { agent: aigul(), generation: cityline::centre::ids::Generation(9) });
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::StateEnds { .. })), told + 1);
    assert_eq!(ends_in(&story), Some((15_000, true)));
}

#[test]
fn help_is_asked_until_somebody_comes_or_the_talk_is_over() {
    for way in ["comes", "done", "over"] {
        let (mut story, call) = talk();
        story.signs_in("cemre", &[13]);
        story.pauses("cemre", "break");
        story.desk(FromDesk::AskHelp { agent: "cemre".into(), call });
        assert_eq!(story.refused("cemre"), Some(Refusal::NotYourTalk));
        story.desk(FromDesk::AskHelp { agent: aigul(), call });
        story.desk(FromDesk::AskHelp { agent: aigul(), call });
        assert_eq!(story.told_count(|fact| matches!(fact, Fact::HelpAsked { .. })), 1, "asking again changes nothing");
        let how = match way {
            "comes" => {
                story.supervises("cemre", call, Supervision::Whisper);
                HelpEnd::Came
            }
            "done" => {
                story.desk(FromDesk::HelpDone { agent: aigul() });
                HelpEnd::Done
            }
            _ => {
                story.hangs_up(call);
                HelpEnd::TalkOver
            }
        };
        assert_eq!(story.told_count(|fact| matches!(fact, Fact::HelpOver { how: ended, .. } if *ended == how)), 1, "{way}");
        story.hangs_up(call);
        assert_eq!(story.told_count(|fact| matches!(fact, Fact::HelpOver { .. })), 1, "{way}: it ends once");
        story.everything_is_released();
    }
}

#[test]
fn a_warning_is_heard_by_the_resident_and_the_operator_hears_the_resident_meanwhile() {
    let (mut story, call) = talk();
    story.desk(FromDesk::Warn { agent: aigul(), call });
    assert_eq!((story.matrix(call).as_str(), says(&story, call)), ("1:0", vec!["abuse-warning ru".to_owned()]));
    story.desk(FromDesk::Warn { agent: aigul(), call });
    assert_eq!(story.refused("aigul"), Some(Refusal::NotNow), "one at a time");
    story.pass(2_100);
    assert_eq!(story.matrix(call), "0:1 1:0");
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::WarningOver { .. })), 1);
    story.holds("aigul", call);
    story.desk(FromDesk::Warn { agent: aigul(), call });
    assert_eq!(says(&story, call), Vec::<String>::new(), "who waits is not warned");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn a_hold_cuts_a_warning_off_and_a_shell_that_never_reports_its_end_does_not_leave_anybody_deaf() {
    let (mut story, call) = talk();
    story.desk(FromDesk::Warn { agent: aigul(), call });
    story.holds("aigul", call);
    assert!(story.hears_music(LegId::caller(call)));
    story.resumes("aigul", call);
    assert_eq!(story.matrix(call), "0:1 1:0");
    story.shells.plays = false;
    story.desk(FromDesk::Warn { agent: aigul(), call });
    story.pass(20_000);
    assert_eq!(story.matrix(call), "0:1 1:0");
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn an_abusive_caller_hears_a_last_word_the_number_is_marked_and_the_operator_rests() {
    let (mut story, call) = talk();
    story.desk(FromDesk::EndAbuse { agent: aigul(), call, days: 30 });
    assert_eq!((story.agent("aigul"), story.matrix(call).as_str()), (AgentStatus::WrapUp, ""));
    assert_eq!(says(&story, call), ["abuse-ended ru"]);
    let marked = |fact: &Fact| matches!(fact, Fact::CallerMarked { call: id, days: 30, .. } if *id == call);
    assert_eq!((story.told_count(marked), story.ended(call)), (1, None));
    story.presses(call, '0');
    assert_eq!(story.steps(call).last().map(String::as_str), Some("heating"), "no key leads out of it");
    story.pass(2_100);
    assert_eq!(story.ended(call), Some(EndReason::Abuse));
    story.desk(FromDesk::WrapUpDone { agent: aigul() });
    assert!(is_cooling_off(&story));
    assert_eq!(ends_in(&story), Some((300_000, false)));
    story.pass(299_999);
    assert!(is_cooling_off(&story));
    story.pass(1);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.everything_is_released();
}

#[test]
fn who_hangs_up_during_the_last_word_is_gone_and_who_rests_may_come_back_early() {
    let (mut story, call) = talk();
    story.desk(FromDesk::EndAbuse { agent: aigul(), call, days: 1 });
    story.hangs_up(call);
    assert_eq!(story.ended(call), Some(EndReason::CallerHungUp));
    story.pass(20_000);
    assert!(is_cooling_off(&story));
    story.desk(FromDesk::Ready { agent: aigul() });
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.everything_is_released();
}

#[test]
fn a_restart_ends_the_last_word() {
    let (mut story, call) = talk();
    story.shells.plays = false;
    story.desk(FromDesk::EndAbuse { agent: aigul(), call, days: 90 });
    story.restarts(5_000);
    story.happens(Input::LegRecovered { leg: LegId::caller(call) });
    assert_eq!(story.ended(call), Some(EndReason::Abuse), "what was said is lost with the process");
}

#[test]
fn a_recording_is_paused_and_goes_on_by_itself() {
    let (mut story, call) = talk();
    let pauses = |story: &Story| {
        let order = |output: &Output| match output {
            Output::Media(ToMedia::PauseRecord { .. }) => Some("pause"),
            Output::Media(ToMedia::ResumeRecord { .. }) => Some("resume"),
            _ => None,
        };
        story.asked.iter().filter_map(order).collect::<Vec<_>>().join(" ")
    };
    story.desk(FromDesk::PauseRecording { agent: aigul(), call });
    story.desk(FromDesk::PauseRecording { agent: aigul(), call });
    assert_eq!(pauses(&story), "pause");
    story.pass(119_999);
    assert_eq!(pauses(&story), "pause");
    story.pass(1);
    assert_eq!(pauses(&story), "pause resume");
    story.desk(FromDesk::PauseRecording { agent: aigul(), call });
    story.desk(FromDesk::ResumeRecording { agent: aigul(), call });
    assert_eq!(pauses(&story), "pause resume pause resume");
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::RecordingPaused { .. })), 4, "on record");
    assert_eq!(story.recorded(call).len(), 1, "one file");
    story.desk(FromDesk::PauseRecording { agent: aigul(), call });
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn an_offer_of_a_queue_with_auto_answer_is_accepted_after_it_was_shown() {
    let mut city = with(settings(), "aigul", operator(&["kk", "ru", "heating"], HEADSET));
    city.queues.values_mut().for_each(|queue| queue.auto_answer_ms = 1_500);
    let mut story = Story::new(city);
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    let auto = |output: &Output| matches!(output, Output::Desk(ToDesk::Offer { offer, .. }) if offer.auto_answer_ms == 1_500);
    assert_eq!(story.asked_count(auto), 1);
    story.pass(5_000);
    assert!(story.all_rings_at("aigul").is_empty(), "not before the desk shows it");
    story.desk(FromDesk::OfferShown { agent: aigul(), call });
    story.pass(1_499);
    assert!(story.all_rings_at("aigul").is_empty());
    story.pass(50);
    let leg = story.rings_at("aigul");
    story.answers(leg);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.everything_is_released();
}
