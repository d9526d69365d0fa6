//! Why did a caller wait as they did, and how long does one decision take? The journal is asked, and each answer judged by itself.

use std::time::{Duration, Instant};

use cityline::centre::Centre;
use cityline::centre::explanation::{Moment, Rule, Verdict};
use cityline::centre::fact::AgentStatus;
use cityline::centre::ids::{AgentId, CallId};
use cityline::centre::input::{FromDesk, Input};
use cityline::centre::settings::{QueueSettings, Ring};
use cityline::centre::time::Time;
use cityline::journal::{Journal, waits_of};

use super::story::Story;
use crate::city::{PHONE, settings, skilled, with};
use crate::days::judge::judge;

const WAITING: u64 = 1_000;
const OPERATORS: u64 = 30;

fn ring(after_ms: u64, level: u8) -> Ring {
    Ring { after_ms, level, dropped: [].into() }
}

/// What the journal of these steps says of a call.
fn from_the_journal(steps: &[(Time, Input)], call: CallId) -> Vec<Moment> {
    let folder = std::env::temp_dir().join(format!("cityline-why-{}-{}", std::process::id(), call.0));
    let mut centre = Centre::new();
    let mut journal = Journal::begin(&folder, &centre, 1).unwrap();
    for (n, (at, input)) in steps.iter().enumerate() {
        if n == steps.len() / 2 {
            journal.commit().unwrap();
            journal = Journal::begin(&folder, &centre, n as u64 + 1).unwrap();
        }
        centre.handle(*at, input.clone());
        let outputs: Vec<_> = std::iter::from_fn(|| centre.poll_output()).collect();
        journal.add(*at, input.clone(), centre.take_facts(), &outputs);
    }
    journal.commit().unwrap();
    let moments = waits_of(&folder, call).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    moments
}

#[test]
fn the_journal_tells_why_a_caller_waited_at_each_moment_and_why_each_offer_went_where_it_went() {
    let mut city = settings();
    city.queues.get_mut(&"heating".into()).unwrap().rings = vec![ring(0, 8), ring(20_000, 3)];
    city = with(city, "aigul", skilled(&[("ru", 9), ("heating", 9)], PHONE));
    city = with(city, "bolat", skilled(&[("ru", 5), ("heating", 5)], PHONE));
    let mut story = Story::new(city);
    story.signs_in("aigul", &[1]);
    story.signs_in("bolat", &[2]);
    story.pauses("aigul", "lunch");
    let call = story.waits_for_heating(77);
    story.pass(21_000);
    assert_eq!(story.agent("bolat"), AgentStatus::Offered(call));
    story.pass(16_000);
    story.desk(FromDesk::Ready { agent: "aigul".into() });
    story.hangs_up(call);
    let later = story.waits_for_heating(78);
    let moments = from_the_journal(&story.inputs, call);
    for moment in &moments {
        assert_eq!(judge(&moment.why, moment.offered_to.as_ref()), Ok(()), "each moment bears itself out");
    }
    let told: Vec<(u32, Option<&str>)> =
        moments.iter().map(|moment| (moment.why.ring, moment.offered_to.as_ref().map(AgentId::as_str))).collect();
    assert_eq!(told, [(0, None), (1, Some("bolat")), (1, None), (1, Some("aigul"))]);
    assert!(matches!(moments[0].why.verdicts[1].1, Verdict::BelowLevel { .. }));
    assert!(matches!(&moments[2].why.verdicts[1].1, Verdict::NotReady { state } if state == "not_responding"));
    assert_eq!(moments[0].in_words()[0], "waits for somebody by longest idle, needs heating at 8 or better, ru at 8 or better");
    assert_eq!(moments[0].in_words()[2], "bolat is not good enough yet: heating 5, ru 5");
    assert_eq!(from_the_journal(&story.inputs, later).len(), 1, "a call that is up is told so far");
    assert!(from_the_journal(&story.inputs, CallId(9_999)).is_empty());
}

/// A measurement, no judgement: 1,000 callers of three queues, three rings and two languages wait for 30 operators with levels.
#[test]
fn one_decision_with_a_thousand_waiting_and_thirty_operators() {
    let mut city = settings();
    let rings = |queue: &mut QueueSettings| (queue.rings, queue.max_waiting) = (vec![ring(0, 8), ring(60_000, 5), ring(600_000, 1)], 5_000);
    city.queues.values_mut().for_each(rings);
    for n in 0..OPERATORS {
        let level = (n % 10) as u8 + 1;
        let skills = [("ru", level), ("kk", level), ("heating", level), ("roads", 11 - level)];
        city = with(city, &format!("operator-{n:02}"), skilled(&skills, PHONE));
    }
    let mut story = Story::new(city);
    for n in 0..OPERATORS {
        story.signs_in(&format!("operator-{n:02}"), &[n]);
        story.pauses(&format!("operator-{n:02}"), "lunch");
    }
    for n in 0..WAITING {
        let call = story.calls(n + 1);
        story.pass(2_100);
        story.presses(call, if n % 2 == 0 { '1' } else { '2' });
        story.presses(call, if n % 3 == 0 { '1' } else { '2' });
    }
    let mut spans: Vec<Duration> = Vec::new();
    for n in 0..OPERATORS {
        let agent = AgentId::from(format!("operator-{n:02}").as_str());
        let begun = Instant::now();
        story.centre.handle(story.now, Input::Desk(FromDesk::Ready { agent }));
        spans.push(begun.elapsed());
        while story.centre.poll_output().is_some() {}
    }
    let offers = story
        .centre
        .take_facts()
        .iter()
        .filter(|fact| matches!(fact, cityline::centre::fact::Fact::Offered { why, .. } if why.rule == Rule::LongestIdle))
        .count();
    spans.sort();
    let (half, last) = (spans[spans.len() / 2], spans[spans.len() - 1]);
    println!(
        "{offers} offers with {WAITING} waiting and {OPERATORS} operators: {half:?} in the middle, {last:?} at most, from ready to the offer"
    );
    assert_eq!(offers as u64, OPERATORS);
}

#[test]
fn a_wait_that_changes_very_often_is_told_to_its_end() {
    let mut city = with(settings(), "aigul", skilled(&[("ru", 9), ("heating", 9)], PHONE));
    city = with(city, "bolat", skilled(&[("kk", 9)], PHONE));
    let mut story = Story::new(city);
    let call = story.waits_for_heating(1);
    story.signs_in("bolat", &[2]);
    for _ in 0..600 {
        story.pauses("bolat", "lunch");
        story.pass(1_000);
        story.desk(FromDesk::Ready { agent: "bolat".into() });
        story.pass(1_000);
    }
    story.signs_in("aigul", &[1]);
    let moments = from_the_journal(&story.inputs, call);
    assert_eq!(moments.last().unwrap().offered_to, Some("aigul".into()));
    assert!(moments.len() <= WAITING as usize + 1 && moments.iter().map(|moment| 1 + moment.left_out).sum::<u64>() > 1_200);
    assert!(moments.iter().any(|moment| moment.in_words()[0].contains("left out")));
}
