//! What lines say of a call beside its offer and its end: that it was sent on to us, and what became of an offer of ours.

use cityline::centre::fact::Fact;
use cityline::centre::ids::{CallId, LegId, SdpRef};
use cityline::centre::input::{Diverted, FromLine};
use cityline::centre::output::{Output, ToMedia};

use super::story::Story;
use crate::city::{PHONE, operator, settings, with};

fn city() -> Story {
    Story::new(with(settings(), "aigul", operator(&["kk", "ru", "heating"], PHONE)))
}

fn diverted(story: &Story) -> usize {
    story.told_count(|fact| matches!(fact, Fact::CallDiverted { why: Diverted::Busy, .. }))
}

#[test]
fn a_call_that_was_sent_on_says_so_in_its_story() {
    let mut story = city();
    let call = story.calls(77);
    story.line(FromLine::Diverted { call, why: Diverted::Busy });
    assert_eq!(diverted(&story), 1);
    story.line(FromLine::Diverted { call: CallId(999), why: Diverted::Busy });
    assert_eq!(diverted(&story), 1, "a call that is not up has no story");
}

#[test]
fn the_answer_to_an_offer_of_ours_is_put_in_force_and_a_refusal_changes_nothing() {
    let mut story = city();
    story.signs_in("aigul", &[11]);
    let call = story.talks_with(77, "aigul");
    let leg = LegId::caller(call);
    let agreed =
        |story: &Story| story.asked_count(|output| matches!(output, Output::Media(ToMedia::Agree { sdp: SdpRef(8), answer: false, .. })));
    story.line(FromLine::NotRenegotiated { leg, status: 488 });
    assert_eq!(agreed(&story), 0);
    story.line(FromLine::Renegotiated { leg, sdp: SdpRef(8) });
    assert_eq!(agreed(&story), 1);
    story.hangs_up(call);
    story.line(FromLine::Renegotiated { leg, sdp: SdpRef(8) });
    assert_eq!(agreed(&story), 1, "nothing is agreed with who is gone");
    story.everything_is_released();
}
