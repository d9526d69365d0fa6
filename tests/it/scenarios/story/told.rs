//! What was asked of the shells and told in facts, up to this moment?

use cityline::centre::fact::{AgentStatus, ConsultEnd, EndReason, Fact, OfferEnd, Party, QueueEnd};
use cityline::centre::ids::{CallId, CallerRef, LegId, PlayId};
use cityline::centre::output::{Output, Refusal, Sound, ToDesk, ToMedia};

use super::{Line, Story};

impl Story {
    /// The phones of this operator that ring.
    pub fn all_rings_at(&self, agent: &str) -> Vec<LegId> {
        let of_agent = |fact: &Fact| match fact {
            Fact::LegStarted { leg, party: Party::Agent(id) } if id.as_str() == agent => Some(*leg),
            _ => None,
        };
        let rings = |leg: &LegId| self.legs.get(leg).is_some_and(|known| known.line == Line::Dialled);
        self.told.iter().filter_map(|(_, fact)| of_agent(fact)).filter(rings).collect()
    }

    /// Every leg that rings.
    pub fn dialled(&self) -> Vec<LegId> {
        self.legs.iter().filter(|(_, known)| known.line == Line::Dialled).map(|(leg, _)| *leg).collect()
    }

    /// Every leg whose far end has answered.
    pub fn up(&self) -> Vec<LegId> {
        self.legs.iter().filter(|(_, known)| known.open && known.line == Line::Answered).map(|(leg, _)| *leg).collect()
    }

    /// The one phone of this operator that rings.
    pub fn rings_at(&self, agent: &str) -> LegId {
        let rings = self.all_rings_at(agent);
        assert_eq!(rings.len(), 1, "one phone of {agent} rings");
        rings[0]
    }

    /// The leg to a service outside that rings.
    pub fn outside_rings(&self) -> LegId {
        let outside = |fact: &Fact| match fact {
            Fact::LegStarted { leg, party: Party::Outside(_) } => Some(*leg),
            _ => None,
        };
        let leg = self.told.iter().rev().find_map(|(_, fact)| outside(fact)).expect("a service is dialled");
        assert_eq!(self.legs[&leg].line, Line::Dialled);
        leg
    }

    pub fn agent(&self, agent: &str) -> AgentStatus {
        let state = |fact: &Fact| match fact {
            Fact::AgentChanged { agent: id, state } if id.as_str() == agent => Some(state.clone()),
            _ => None,
        };
        self.told.iter().rev().find_map(|(_, fact)| state(fact)).unwrap_or(AgentStatus::Offline)
    }

    pub fn ended(&self, call: CallId) -> Option<EndReason> {
        let mut ends = self.told.iter().filter_map(|(_, fact)| match fact {
            Fact::CallEnded { call: id, reason } if *id == call => Some(*reason),
            _ => None,
        });
        let end = ends.next();
        assert!(ends.next().is_none(), "{call} ended twice");
        end
    }

    /// The steps of the plan that the caller has been through.
    pub fn steps(&self, call: CallId) -> Vec<String> {
        let step = |fact: &Fact| match fact {
            Fact::StepEntered { call: id, step } if *id == call => Some(step.to_string()),
            _ => None,
        };
        self.told.iter().filter_map(|(_, fact)| step(fact)).collect()
    }

    /// How the offers of this call ended, in order.
    pub fn offers(&self, call: CallId) -> Vec<(String, OfferEnd)> {
        let end = |fact: &Fact| match fact {
            Fact::OfferEnded { call: id, agent, how } if *id == call => Some((agent.to_string(), *how)),
            _ => None,
        };
        self.told.iter().filter_map(|(_, fact)| end(fact)).collect()
    }

    /// How the caller left queues, and after how long.
    pub fn dequeued(&self, call: CallId) -> Vec<(String, QueueEnd, u64)> {
        let left = |fact: &Fact| match fact {
            Fact::Dequeued { call: id, queue, how, waited_ms } if *id == call => Some((queue.to_string(), *how, *waited_ms)),
            _ => None,
        };
        self.told.iter().filter_map(|(_, fact)| left(fact)).collect()
    }

    pub fn told_count(&self, is: impl Fn(&Fact) -> bool) -> usize {
        self.told.iter().filter(|(_, fact)| is(fact)).count()
    }

    pub fn asked_count(&self, is: impl Fn(&Output) -> bool) -> usize {
        self.asked.iter().filter(|output| is(output)).count()
    }

    /// What the resident hears at the moment.
    pub fn hears(&self, call: CallId) -> Vec<Sound> {
        let plays = |output: &Output| match output {
            Output::Media(ToMedia::Play { leg, sounds, .. }) if *leg == LegId::caller(call) => Some(sounds.clone()),
            Output::Media(ToMedia::StopPlay { leg }) if *leg == LegId::caller(call) => Some(Vec::new()),
            _ => None,
        };
        self.asked.iter().rev().find_map(plays).unwrap_or_default()
    }

    /// The last order to play to the resident.
    pub fn last_play(&self, call: CallId) -> PlayId {
        let plays = |output: &Output| match output {
            Output::Media(ToMedia::Play { leg, play, .. }) if *leg == LegId::caller(call) => Some(*play),
            _ => None,
        };
        self.asked.iter().rev().find_map(plays).expect("something plays")
    }

    /// Who hears whom in a call at the moment, as `"0:1 1:0"`: the ear, then the mouth, by the numbers of their legs.
    pub fn matrix(&self, call: CallId) -> String {
        let connects = |output: &Output| match output {
            Output::Media(ToMedia::Connect { call: id, hears }) if *id == call => Some(hears.clone()),
            _ => None,
        };
        let live = |leg: &LegId| self.legs.get(leg).is_some_and(|known| known.open);
        let hears = self.asked.iter().rev().find_map(connects).unwrap_or_default();
        let live_pairs = hears.iter().filter(|pair| live(&pair.ear) && live(&pair.mouth));
        let mut pairs: Vec<String> = live_pairs.map(|pair| format!("{}:{}", pair.ear.n, pair.mouth.n)).collect();
        pairs.sort();
        pairs.join(" ")
    }

    /// Whether music plays to this leg.
    pub fn hears_music(&self, leg: LegId) -> bool {
        let plays = |output: &Output| match output {
            Output::Media(ToMedia::Play { leg: ear, sounds, .. }) if *ear == leg => {
                Some(matches!(sounds.as_slice(), [Sound::Music { .. }] | [Sound::Prompt { .. }, Sound::Music { .. }]))
            }
            Output::Media(ToMedia::StopPlay { leg: ear }) if *ear == leg => Some(false),
            _ => None,
        };
        self.asked.iter().rev().find_map(plays).unwrap_or(false)
    }

    /// What the desk of this operator was last refused.
    pub fn refused(&self, agent: &str) -> Option<Refusal> {
        let refusal = |output: &Output| match output {
            Output::Desk(ToDesk::Refused { agent: id, why }) if id.as_str() == agent => Some(why.clone()),
            _ => None,
        };
        self.asked.iter().rev().find_map(refusal)
    }

    /// The offers that the desk of this operator was shown, with the colleague whom each came from.
    pub fn shown(&self, agent: &str) -> Vec<(CallId, Option<String>)> {
        let offer = |output: &Output| match output {
            Output::Desk(ToDesk::Offer { agent: id, offer }) if id.as_str() == agent => {
                Some((offer.call, offer.from.as_ref().map(ToString::to_string)))
            }
            _ => None,
        };
        self.asked.iter().filter_map(offer).collect()
    }

    /// The leg to a number outside that rings, and the number.
    pub fn number_rings(&self) -> (LegId, CallerRef) {
        let number = |fact: &Fact| match fact {
            Fact::LegStarted { leg, party: Party::Number(number) } => Some((*leg, *number)),
            _ => None,
        };
        let (leg, number) = self.told.iter().rev().find_map(|(_, fact)| number(fact)).expect("a number is dialled");
        assert_eq!(self.legs[&leg].line, Line::Dialled);
        (leg, number)
    }

    /// The parts that people were given, in order: `"2 consultant"`.
    pub fn parts(&self, call: CallId) -> Vec<String> {
        let part = |fact: &Fact| match fact {
            Fact::Joined { leg, role, .. } if leg.call == call => Some(format!("{} {}", leg.n, role.word())),
            _ => None,
        };
        self.told.iter().filter_map(|(_, fact)| part(fact)).collect()
    }

    /// How consultations of this call ended.
    pub fn consults(&self, call: CallId) -> Vec<ConsultEnd> {
        let end = |fact: &Fact| match fact {
            Fact::ConsultEnded { call: id, how, .. } if *id == call => Some(*how),
            _ => None,
        };
        self.told.iter().filter_map(|(_, fact)| end(fact)).collect()
    }

    /// Why this leg ended.
    pub fn leg_ended(&self, leg: LegId) -> Option<EndReason> {
        self.told.iter().find_map(|(_, fact)| match fact {
            Fact::LegEnded { leg: id, reason } if *id == leg => Some(*reason),
            _ => None,
        })
    }

    /// Whose talks were recorded, in order.
    pub fn recorded(&self, call: CallId) -> Vec<Option<String>> {
        let recording = |fact: &Fact| match fact {
            Fact::RecordingStarted { recording, agent } if recording.call == call => Some(agent.as_ref().map(ToString::to_string)),
            _ => None,
        };
        self.told.iter().filter_map(|(_, fact)| recording(fact)).collect()
    }
}
