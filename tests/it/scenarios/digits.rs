//! What if an operator must press keys for a machine at the other end? They reach whom the operator talks with, and nobody who waits.

use cityline::centre::ids::{CallId, CallTo, LegId};
use cityline::centre::input::{Digit, FromDesk};
use cityline::centre::output::{Output, Refusal, ToDesk, ToMedia};

use super::story::Story;
use crate::city::three_operators;

fn city() -> (Story, CallId) {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.signs_in("bolat", &[12]);
    (story, call)
}

fn presses(story: &mut Story, agent: &str, call: CallId) {
    let digits = ['4', '#'].into_iter().filter_map(Digit::new).collect();
    story.desk(FromDesk::SendDigits { agent: agent.into(), call, digits });
}

/// How often keys went to this leg.
fn pressed(story: &Story, at: LegId) -> usize {
    story.asked_count(|output| matches!(output, Output::Media(ToMedia::SendDigits { leg, digits }) if *leg == at && digits.len() == 2))
}

fn refused(story: &Story, expected: &Refusal) -> usize {
    story.asked_count(|output| matches!(output, Output::Desk(ToDesk::Refused { why, .. }) if why == expected))
}

#[test]
fn keys_go_to_the_resident_or_to_whom_was_asked() {
    let (mut story, call) = city();
    presses(&mut story, "aigul", call);
    assert_eq!(pressed(&story, LegId::caller(call)), 1);
    let consultant = story.asks_colleague("aigul", call, "bolat");
    presses(&mut story, "aigul", call);
    assert_eq!((pressed(&story, consultant), pressed(&story, LegId::caller(call))), (1, 1));
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn who_waits_hears_no_keys_and_strangers_press_none() {
    let (mut story, call) = city();
    presses(&mut story, "bolat", call);
    assert_eq!(refused(&story, &Refusal::NotYourTalk), 1);
    story.holds("aigul", call);
    presses(&mut story, "aigul", call);
    story.resumes("aigul", call);
    story.consults_with("aigul", call, CallTo::Agent("bolat".into()));
    presses(&mut story, "aigul", call);
    assert_eq!((refused(&story, &Refusal::NotNow), pressed(&story, LegId::caller(call))), (2, 0));
    story.hangs_up(call);
    story.everything_is_released();
}
