//! How does an offer end? Won by one phone, refused, not answered, lost: the caller keeps place and age, nobody stays reserved.

use cityline::centre::deadline::Reason;
use cityline::centre::fact::{AgentStatus, EndReason, Fact, OfferEnd, QueueEnd};
use cityline::centre::ids::{AgentId, CallId, Generation, LegId, SdpRef};
use cityline::centre::input::{FromDesk, FromLine, MediaFailure};
use cityline::centre::output::{Output, Refusal, ToDesk, ToLine, ToMedia};
use cityline::centre::settings::Settings;

use super::story::Story;
use crate::city::{HEADSET, PHONE, fixed, operator, settings, with};

fn heating(names: &[&str]) -> Settings {
    names.iter().fold(settings(), |city, name| with(city, name, operator(&["kk", "ru", "heating"], PHONE)))
}

fn hung_up(story: &Story, leg: LegId) -> usize {
    story.asked_count(|output| matches!(output, Output::Line(ToLine::HangUp { leg: id, .. }) if *id == leg))
}

fn cancelled(story: &Story, leg: LegId) -> usize {
    story.asked_count(|output| matches!(output, Output::Line(ToLine::CancelDial { leg: id }) if *id == leg))
}

fn connected(story: &Story) -> usize {
    story.told_count(|fact| matches!(fact, Fact::Connected { .. }))
}

/// FS#1062: an agent stood in `Receiving` and the caller in `Trying` for ever. An offer is a lease with a deadline.
#[test]
fn an_offer_that_nobody_answers_ends_at_its_deadline_even_if_no_shell_ever_speaks() {
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    story.shells.opens = false;
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call));
    story.pass(15_000);
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::NoAnswer)]);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.hangs_up(call);
    story.everything_is_released();
}

/// FS#1062, the caller's side; twilio-voice.js#444: no answer puts the operator aside and the caller keeps place and age.
#[test]
fn no_answer_sends_the_oldest_caller_to_the_next_operator_with_place_and_age() {
    let mut story = Story::new(heating(&["aigul", "bolat"]));
    story.signs_in("aigul", &[11]);
    let first = story.waits_for_heating(1);
    let second = story.waits_for_heating(2);
    story.pass(16_000);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.signs_in("bolat", &[12]);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(first), "the first in line goes first");
    story.pass(100);
    let leg = story.rings_at("bolat");
    story.answers(leg);
    let (_, how, waited_ms) = story.dequeued(first).remove(0);
    assert_eq!(how, QueueEnd::Answered);
    assert!(waited_ms > 18_000, "the clock of the wait was not set back: {waited_ms}");
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::Enqueued { .. })), 2, "nobody entered the queue again");
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    story.desk(FromDesk::Ready { agent: "aigul".into() });
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(second));
}

#[test]
fn a_declined_offer_goes_to_the_next_operator_at_once() {
    let mut story = Story::new(heating(&["aigul", "bolat"]));
    story.signs_in("aigul", &[11]);
    story.pass(1);
    story.signs_in("bolat", &[12]);
    let call = story.waits_for_heating(77);
    story.desk(FromDesk::Decline { agent: "aigul".into(), call });
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::Declined)]);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call));
    story.desk(FromDesk::Decline { agent: "aigul".into(), call });
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call), "it is no longer aigul's to decline");
    let refused = |output: &Output| matches!(output, Output::Desk(ToDesk::Refused { why: Refusal::OfferOver, .. }));
    assert_eq!(story.asked_count(refused), 1);
}

#[test]
fn a_phone_that_is_busy_declines_for_its_operator() {
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.refuses(leg, 486);
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::Failed(486))]);
    assert_eq!(story.agent("aigul"), AgentStatus::NotResponding);
    assert_eq!(story.ended(call), None);
}

/// FS#2540, AST#176: ring-all left the losers reserved, and two answers were both taken.
#[test]
fn of_two_phones_one_wins_and_the_other_is_released_in_the_same_step() {
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11, 12]);
    let call = story.waits_for_heating(77);
    story.pass(100);
    let rings = story.all_rings_at("aigul");
    assert_eq!(rings.len(), 2);
    let (winner, loser) = (rings[0], rings[1]);
    story.answers(winner);
    assert_eq!(cancelled(&story, loser), 1);
    assert_eq!(connected(&story), 1);
    story.line(FromLine::Answered { leg: loser, sdp: SdpRef(9) });
    story.pass(100);
    assert_eq!(connected(&story), 1, "a late answer counts as nothing");
    assert_eq!(story.asked_count(|output| matches!(output, Output::Media(ToMedia::Connect { .. }))), 1);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
    story.hangs_up(call);
    story.everything_is_released();
}

/// AST#176: both answers are there before either has sound.
#[test]
fn when_two_phones_answer_in_the_same_moment_the_loser_gets_a_bye() {
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11, 12]);
    let call = story.waits_for_heating(77);
    story.pass(100);
    let rings = story.all_rings_at("aigul");
    for leg in &rings {
        story.line(FromLine::Answered { leg: *leg, sdp: SdpRef(9) });
    }
    story.pass(100);
    assert_eq!(connected(&story), 1);
    assert_eq!((hung_up(&story, rings[0]), hung_up(&story, rings[1])), (0, 1));
    story.hangs_up(call);
    assert_eq!((hung_up(&story, rings[0]), hung_up(&story, rings[1])), (1, 1));
    story.everything_is_released();
}

/// AST#1557: the winner was gone before the bridge, and so were all other rings.
#[test]
fn a_winner_that_drops_before_the_bridge_leaves_the_other_phone_ringing() {
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11, 12]);
    let call = story.waits_for_heating(77);
    story.pass(100);
    let rings = story.all_rings_at("aigul");
    story.line(FromLine::Answered { leg: rings[0], sdp: SdpRef(9) });
    story.leg_hangs_up(rings[0]);
    story.pass(100);
    assert_eq!(story.rings_at("aigul"), rings[1]);
    assert!(story.dequeued(call).is_empty(), "the caller has not left the queue");
    story.answers(rings[1]);
    assert_eq!(story.agent("aigul"), AgentStatus::Talking(call));
}

/// AST#1557, with one phone: the caller keeps place and age.
#[test]
fn an_answer_without_sound_leaves_the_caller_at_the_head_of_the_queue() {
    let mut story = Story::new(heating(&["aigul", "bolat"]));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(1);
    let later = story.waits_for_heating(2);
    story.pass(100);
    let leg = story.rings_at("aigul");
    story.shells.agrees = false;
    story.line(FromLine::Answered { leg, sdp: SdpRef(9) });
    story.media_fails(leg, MediaFailure::NoCodec);
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::Failed(488))]);
    assert_eq!(hung_up(&story, leg), 1);
    story.shells.agrees = true;
    story.signs_in("bolat", &[12]);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call), "not {later}");
}

/// FS#2529, RU#217: a hang-up reaches an offer that is not sent yet.
#[test]
fn a_caller_who_hangs_up_before_the_phone_is_dialled_rings_nobody() {
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "its port is being opened");
    story.hangs_up(call);
    story.pass(1_000);
    assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::Dial { .. }))), 0);
    assert_eq!(story.offers(call), [("aigul".to_owned(), OfferEnd::CallerGone)]);
    assert_eq!(story.agent("aigul"), AgentStatus::Ready);
    story.everything_is_released();
}

/// FS#800: a change of state in mid-offer looped INVITE and CANCEL. Every change during an offer has one outcome.
#[test]
fn whatever_an_operator_does_during_an_offer_it_ends_once_and_stays_ended() {
    let agent = || AgentId::from("aigul");
    let stories: [(&str, FromDesk, AgentStatus); 4] = [
        ("pause", FromDesk::Pause { agent: agent(), reason: "lunch".into() }, AgentStatus::Paused("lunch".into())),
        ("sign out", FromDesk::SignOut { agent: agent() }, AgentStatus::Offline),
        ("phone lost", FromDesk::PhoneChanged { agent: agent(), contacts: vec![] }, AgentStatus::NotResponding),
        ("decline", FromDesk::Decline { agent: agent(), call: CallId(1) }, AgentStatus::NotResponding),
    ];
    for (name, input, after) in stories {
        let mut story = Story::new(heating(&["aigul"]));
        story.signs_in("aigul", &[11]);
        let call = story.waits_for_heating(77);
        story.pass(100);
        let leg = story.rings_at("aigul");
        story.desk(input);
        assert_eq!(story.agent("aigul"), after, "{name}");
        assert_eq!(cancelled(&story, leg), 1, "{name}");
        story.pass(60_000);
        assert_eq!(story.offers(call).len(), 1, "{name}");
        assert_eq!(story.asked_count(|output| matches!(output, Output::Line(ToLine::Dial { .. }))), 1, "{name}");
        story.hangs_up(call);
        story.everything_is_released();
    }
}

#[test]
fn what_changes_nothing_during_an_offer_lets_it_ring() {
    let agent = || AgentId::from("aigul");
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    story.pass(100);
    let leg = story.rings_at("aigul");
    for input in [
        FromDesk::Ready { agent: agent() },
        FromDesk::WrapUpDone { agent: agent() },
        FromDesk::OfferShown { agent: agent(), call },
        FromDesk::Accept { agent: agent(), call },
        FromDesk::HangUp { agent: agent(), call },
        FromDesk::Decline { agent: agent(), call: CallId(99) },
        FromDesk::Pause { agent: agent(), reason: "no such reason".into() },
        FromDesk::DeskGone { agent: agent(), generation: Generation(1) },
        FromDesk::DeskUp { agent: agent(), generation: Generation(2) },
        FromDesk::PhoneChanged {
            agent: agent(),
            contacts: vec![cityline::centre::ids::ContactId(11), cityline::centre::ids::ContactId(12)],
        },
    ] {
        let name = format!("{input:?}");
        story.desk(input);
        assert_eq!(story.agent("aigul"), AgentStatus::Offered(call), "{name}");
        assert_eq!(story.rings_at("aigul"), leg, "{name}");
    }
    assert_eq!(story.told_count(|fact| matches!(fact, Fact::OfferShown { .. })), 1);
}

/// zammad#2177: every call event went to every agent.
#[test]
fn only_the_offered_operator_is_told_of_the_call() {
    let mut story = Story::new(heating(&["aigul", "bolat"]));
    story.signs_in("aigul", &[11]);
    story.pass(1);
    story.signs_in("bolat", &[12]);
    let call = story.talks_with(77, "aigul");
    story.hangs_up(call);
    let to_bolat = |output: &Output| match output {
        Output::Desk(ToDesk::Offer { agent, .. } | ToDesk::OfferGone { agent, .. }) => agent.as_str() == "bolat",
        _ => false,
    };
    assert_eq!(story.asked_count(to_bolat), 0);
}

#[test]
fn a_desk_that_opens_during_an_offer_is_shown_it() {
    let mut story = Story::new(heating(&["aigul"]));
    story.signs_in("aigul", &[11]);
    let call = story.waits_for_heating(77);
    story.pass(5_000);
    story.desk(FromDesk::DeskUp { agent: "aigul".into(), generation: Generation(2) });
    let waited: Vec<u64> = story
        .asked
        .iter()
        .filter_map(|output| match output {
            Output::Desk(ToDesk::Offer { offer, .. }) if offer.call == call => Some(offer.waited_ms),
            _ => None,
        })
        .collect();
    assert_eq!(waited, [0, 5_000]);
}

#[test]
fn at_a_headset_the_phone_is_dialled_only_after_the_desk_has_said_yes() {
    let mut story = Story::new(with(settings(), "dana", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("dana", &[21]);
    let call = story.waits_for_heating(77);
    story.pass(2_000);
    assert!(story.all_rings_at("dana").is_empty());
    story.desk(FromDesk::Accept { agent: "dana".into(), call });
    story.desk(FromDesk::Accept { agent: "dana".into(), call });
    story.pass(100);
    let by_itself = |output: &Output| matches!(output, Output::Line(ToLine::Dial { auto_answer: true, .. }));
    assert_eq!(story.asked_count(by_itself), 1, "pressed twice, dialled once");
    let leg = story.rings_at("dana");
    story.answers(leg);
    assert_eq!(story.agent("dana"), AgentStatus::Talking(call));
}

#[test]
fn only_the_offered_operator_can_say_yes() {
    let headsets = with(settings(), "dana", operator(&["ru", "heating"], HEADSET));
    let mut story = Story::new(with(headsets, "erlan", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("dana", &[21]);
    story.pass(1);
    story.signs_in("erlan", &[22]);
    let call = story.waits_for_heating(77);
    assert_eq!(story.agent("dana"), AgentStatus::Offered(call));
    story.desk(FromDesk::Accept { agent: "erlan".into(), call });
    story.pass(100);
    let dialled = |output: &Output| matches!(output, Output::Line(ToLine::Dial { .. }));
    assert_eq!(story.asked_count(dialled), 0, "nobody's phone is called for another's yes");
    let refused =
        |output: &Output| matches!(output, Output::Desk(ToDesk::Refused { agent, why: Refusal::OfferOver }) if agent.as_str() == "erlan");
    assert_eq!(story.asked_count(refused), 1);
}

#[test]
fn a_yes_gives_the_phone_time_to_connect_beyond_the_offers_end() {
    let mut story = Story::new(with(settings(), "dana", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("dana", &[21]);
    let call = story.waits_for_heating(77);
    story.pass(14_900);
    story.desk(FromDesk::Accept { agent: "dana".into(), call });
    story.pass(1_000);
    assert_eq!(story.agent("dana"), AgentStatus::Offered(call), "the offer's 15 s are over, the phone is still being called");
    let leg = story.rings_at("dana");
    story.answers(leg);
    assert_eq!(story.agent("dana"), AgentStatus::Talking(call));
}

#[test]
fn a_headset_whose_desk_is_gone_cannot_answer() {
    let mut story = Story::new(with(settings(), "dana", operator(&["ru", "heating"], HEADSET)));
    story.signs_in("dana", &[21]);
    let call = story.waits_for_heating(77);
    story.desk(FromDesk::DeskGone { agent: "dana".into(), generation: Generation(0) });
    assert_eq!(story.agent("dana"), AgentStatus::Offered(call), "an older page's end is stale");
    story.desk(FromDesk::DeskGone { agent: "dana".into(), generation: Generation(1) });
    assert_eq!(story.offers(call), [("dana".to_owned(), OfferEnd::AgentGone)]);
    assert_eq!(story.agent("dana"), AgentStatus::NotResponding);
    story.hangs_up(call);
    story.everything_is_released();
}

#[test]
fn an_operator_at_a_fixed_address_rests_after_an_unanswered_offer() {
    let mut story = Story::new(with(settings(), "desk1", fixed(&["ru", "heating"])));
    assert_eq!(story.agent("desk1"), AgentStatus::Ready, "always ready");
    let call = story.waits_for_heating(77);
    story.pass(15_000);
    assert_eq!(story.agent("desk1"), AgentStatus::NotResponding);
    story.pass(29_000);
    assert_eq!(story.agent("desk1"), AgentStatus::NotResponding);
    story.pass(2_000);
    assert_eq!(story.agent("desk1"), AgentStatus::Offered(call));
    let leg = story.rings_at("desk1");
    story.answers(leg);
    story.leg_hangs_up(leg);
    assert_eq!(story.ended(call), Some(EndReason::OperatorHungUp));
    story.pass(20_000);
    assert_eq!(story.agent("desk1"), AgentStatus::Ready);
    story.everything_is_released();
}

/// An offer and a rest of no time must not go round in one step for ever.
#[test]
fn an_offer_and_a_rest_of_no_time_still_let_the_centre_breathe() {
    let mut hasty = with(settings(), "desk1", fixed(&["ru", "heating"]));
    hasty.limits.rest_ms = 0;
    for queue in hasty.queues.values_mut() {
        queue.offer_ms = 0;
    }
    let mut story = Story::new(hasty);
    let call = story.waits_for_heating(77);
    story.pass(20);
    assert!(matches!(story.centre.next_deadline(), Some((_, Reason::OfferEnds(_) | Reason::Rest(_)))));
    story.hangs_up(call);
    assert_eq!(story.ended(call), Some(EndReason::Abandoned));
}
