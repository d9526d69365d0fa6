//! What if a SIP phone itself gives the call away? A REFER is a transfer with an answer.

use cityline::centre::fact::{AgentStatus, ConsultEnd};
use cityline::centre::ids::{CallId, CallerRef, LegId};
use cityline::centre::input::{FromLine, ReferTo};
use cityline::centre::output::{Output, ToLine};

use super::story::Story;
use crate::city::three_operators;

fn city() -> (Story, CallId) {
    let mut story = Story::new(three_operators());
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    story.signs_in("bolat", &[12]);
    (story, call)
}

fn refers(story: &mut Story, leg: LegId, to: ReferTo) {
    story.line(FromLine::Referred { leg, to });
    story.pass(100);
}

fn answers(story: &Story) -> Vec<u16> {
    let status = |output: &Output| match output {
        Output::Line(ToLine::ReferProgress { status, .. }) => Some(*status),
        _ => None,
    };
    story.asked.iter().filter_map(status).collect()
}

#[test]
fn to_a_colleague_to_a_queue_and_to_a_number() {
    for to in
        [ReferTo::Agent("bolat".into()), ReferTo::Name("bolat".into()), ReferTo::Name("roads".into()), ReferTo::Outside(CallerRef(4711))]
    {
        let (mut story, call) = city();
        refers(&mut story, LegId { call, n: 1 }, to.clone());
        assert_eq!((answers(&story), story.agent("aigul")), (vec![200], AgentStatus::WrapUp), "{to:?}");
        let rings_outside = matches!(to, ReferTo::Outside(_));
        assert_eq!(story.hears_music(LegId::caller(call)), !rings_outside, "{to:?}: it rings there, or there is music");
        let at = |is: fn(&Output) -> bool| story.asked.iter().position(is);
        let answered = at(|output| matches!(output, Output::Line(ToLine::ReferProgress { .. })));
        let hung_up = at(|output| matches!(output, Output::Line(ToLine::HangUp { .. })));
        assert!(answered < hung_up, "the answer goes out while there is a dialog");
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn what_cannot_be_is_answered_and_the_talk_goes_on() {
    let (mut story, call) = city();
    story.pauses("bolat", "lunch");
    let phone = LegId { call, n: 1 };
    refers(&mut story, phone, ReferTo::Agent("bolat".into()));
    refers(&mut story, phone, ReferTo::Name("nothing".into()));
    refers(&mut story, phone, ReferTo::Replaces(LegId { call: CallId(99), n: 1 }));
    refers(&mut story, LegId::caller(call), ReferTo::Name("roads".into()));
    assert_eq!((answers(&story), story.matrix(call).as_str()), (vec![486, 404, 404, 603], "0:1 1:0"));
    story.hangs_up(call);
    refers(&mut story, phone, ReferTo::Name("roads".into()));
    assert_eq!(answers(&story).len(), 4, "a leg that is gone is not answered");
}

#[test]
fn replacing_the_consultants_leg_completes_the_consultation() {
    let (mut story, call) = city();
    let leg = story.asks_colleague("aigul", call, "bolat");
    refers(&mut story, LegId { call, n: 1 }, ReferTo::Replaces(leg));
    assert_eq!((answers(&story), story.consults(call)), (vec![200], vec![ConsultEnd::Completed]));
    assert_eq!(story.matrix(call), "0:2 2:0");
    story.hangs_up(call);
    story.everything_is_released();
}
