//! When is a talk not recorded? While the operator has paused the recording for personal data; it goes on by itself.

use super::Centre;
use super::deadline::Reason;
use super::fact::Fact;
use super::ids::{AgentId, CallId};
use super::output::{Refusal, ToMedia};

/// A recording that was paused goes on after this many milliseconds.
const LONGEST_MS: u64 = 120_000;

impl Centre {
    /// The operator pauses the recording of their talk or lets it go on; what is so already changes nothing.
    pub(super) fn pause_recording(&mut self, agent: &AgentId, call: CallId, paused: bool) -> Result<(), Refusal> {
        let talk = self.own_talk(agent, call)?;
        talk.recording.ok_or(Refusal::NotNow)?;
        if talk.paused != paused {
            self.set_recording_paused(call, paused);
        }
        Ok(())
    }

    /// The pause has lasted as long as it may.
    pub(super) fn recording_goes_on(&mut self, call: CallId) {
        if self.talk(call).is_some_and(|talk| talk.paused) {
            self.set_recording_paused(call, false);
        }
    }

    fn set_recording_paused(&mut self, call: CallId, paused: bool) {
        let Some(talk) = self.talk_mut(call) else { return };
        let Some(recording) = talk.recording else { return };
        talk.paused = paused;
        let agent = talk.operator().map(|(agent, _)| agent.clone());
        if paused {
            self.out.media(ToMedia::PauseRecord { recording });
            self.deadlines.set(Reason::RecordingPaused(call), self.now.plus_ms(LONGEST_MS));
        } else {
            self.out.media(ToMedia::ResumeRecord { recording });
            self.deadlines.cancel(&Reason::RecordingPaused(call));
        }
        self.out.fact(Fact::RecordingPaused { recording, agent, paused });
    }
}
