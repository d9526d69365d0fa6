//! Does an explanation bear out what was decided? Judged from the explanation alone, without the settings, the clock or the core.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use cityline::centre::explanation::{Explanation, Merits, Rule, Verdict};
use cityline::centre::ids::{AgentId, SkillId};
use cityline::centre::skill::BEST;

/// What is wrong with an explanation of an offer to `offered`, or with one of a wait that goes on.
pub fn judge(why: &Explanation, offered: Option<&AgentId>) -> Result<(), String> {
    for (agent, verdict) in &why.verdicts {
        bears_out(why, agent, verdict).map_err(|wrong| format!("{agent}: {wrong} in {why:?}"))?;
    }
    let eligible: Vec<(&AgentId, u64, &Merits)> = why.verdicts.iter().filter_map(|(agent, verdict)| merits(agent, verdict)).collect();
    let chosen: Vec<&AgentId> =
        why.verdicts.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Chosen { .. })).map(|(agent, _)| agent).collect();
    if chosen != offered.into_iter().collect::<Vec<_>>() {
        return Err(format!("chosen is {chosen:?}, not {offered:?}"));
    }
    match offered {
        None if eligible.is_empty() => Ok(()),
        None => Err(format!("{eligible:?} could take the caller, who goes on waiting")),
        Some(offered) => match best(why, &eligible) {
            Some(best) if best == offered || why.rule == Rule::LastOperator => Ok(()),
            best => Err(format!("{offered} was chosen, and the rule would have chosen {best:?}: {why:?}")),
        },
    }
}

/// Whether the verdict follows from what it says and from what was needed.
fn bears_out(why: &Explanation, agent: &AgentId, verdict: &Verdict) -> Result<(), String> {
    let least = |skill: &SkillId| why.minimum.get(skill).copied().unwrap_or(1);
    let needed = |skill: &SkillId| why.needed.contains(skill);
    let good = match verdict {
        Verdict::Chosen { merits, .. } | Verdict::Eligible { merits, .. } => {
            why.needed.iter().all(|skill| level(merits, skill) >= least(skill))
        }
        Verdict::Lacks { skills } => !skills.is_empty() && skills.iter().all(needed),
        Verdict::BelowLevel { levels } => {
            !levels.is_empty() && levels.iter().all(|(skill, level)| needed(skill) && *level > 0 && *level < least(skill))
        }
        Verdict::NotReady { state } => state != "ready",
        Verdict::ByOrder {} => why.able_today.contains(agent),
        Verdict::NotInQueue { shifts } => !shifts.is_empty(),
        Verdict::OffShift {} => true,
    };
    if good { Ok(()) } else { Err(format!("{verdict:?} does not follow")) }
}

fn level(merits: &Merits, skill: &SkillId) -> u8 {
    merits.levels.get(skill).copied().unwrap_or(BEST)
}

fn merits<'a>(agent: &'a AgentId, verdict: &'a Verdict) -> Option<(&'a AgentId, u64, &'a Merits)> {
    match verdict {
        Verdict::Chosen { idle_ms, merits } | Verdict::Eligible { idle_ms, merits } => Some((agent, *idle_ms, merits)),
        Verdict::Lacks { .. }
        | Verdict::BelowLevel { .. }
        | Verdict::OffShift {}
        | Verdict::NotInQueue { .. }
        | Verdict::ByOrder {}
        | Verdict::NotReady { .. } => None,
    }
}

/// Whom the rule chooses of those who could take the call.
fn best<'a>(why: &Explanation, eligible: &[(&'a AgentId, u64, &Merits)]) -> Option<&'a AgentId> {
    let sum = |merits: &Merits| why.needed.iter().map(|skill| u32::from(level(merits, skill))).sum::<u32>();
    let key = |(agent, idle_ms, merits): &(&'a AgentId, u64, &Merits)| {
        let first = match why.rule {
            Rule::MostSkilled => (Reverse(sum(merits)), 0),
            Rule::FewestCalls => (Reverse(0), merits.calls),
            Rule::RoundRobin => (Reverse(0), u32::from(why.turn_after.as_ref().is_some_and(|before| *agent <= before))),
            Rule::LongestIdle | Rule::AskedFor | Rule::LastOperator => (Reverse(0), 0),
        };
        let idle = if why.rule == Rule::RoundRobin { 0 } else { *idle_ms };
        (first, Reverse(idle), *agent)
    };
    eligible.iter().min_by_key(|free| key(free)).map(|(agent, ..)| *agent)
}

#[test]
fn a_false_explanation_is_found_out() {
    let idle = |idle_ms: u64| Verdict::Eligible { idle_ms, merits: Merits::default() };
    let chosen = |idle_ms: u64| Verdict::Chosen { idle_ms, merits: Merits::default() };
    let why = |verdicts: Vec<(AgentId, Verdict)>| Explanation { needed: vec!["lifts".into()], verdicts, ..Explanation::default() };
    let (aigul, bolat) = (AgentId::from("aigul"), AgentId::from("bolat"));
    assert_eq!(judge(&why(vec![(aigul.clone(), chosen(9)), (bolat.clone(), idle(5))]), Some(&aigul)), Ok(()));
    assert!(
        judge(&why(vec![(aigul.clone(), chosen(5)), (bolat.clone(), idle(9))]), Some(&aigul)).is_err(),
        "the other was idle for longer"
    );
    assert!(judge(&why(vec![(aigul.clone(), idle(5))]), None).is_err(), "somebody could take it");
    assert!(judge(&why(vec![(aigul.clone(), Verdict::Lacks { skills: vec!["roads".into()] })]), None).is_err(), "roads were not needed");
    let low = Verdict::Chosen { idle_ms: 5, merits: Merits { levels: BTreeMap::from([("lifts".into(), 3)]), calls: 0 } };
    let minimum = BTreeMap::from([("lifts".into(), 4)]);
    assert!(judge(&Explanation { minimum, ..why(vec![(aigul.clone(), low)]) }, Some(&aigul)).is_err(), "below the least level");
}
