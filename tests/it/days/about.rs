//! What is an input or a fact about? Its call, its leg, its operator.

use cityline::centre::fact::Fact;
use cityline::centre::ids::{CallId, LegId};
use cityline::centre::input::{FromLine, FromMedia, Input};

/// The call that a fact belongs to, for those that only a live call can have.
pub fn call_of(fact: &Fact) -> Option<CallId> {
    match fact {
        Fact::CallStarted { call, .. }
        | Fact::CallAnswered { call }
        | Fact::LanguageChosen { call, .. }
        | Fact::StepEntered { call, .. }
        | Fact::KeyPressed { call, .. }
        | Fact::TopicChosen { call, .. }
        | Fact::Enqueued { call, .. }
        | Fact::PlaceTold { call, .. }
        | Fact::RingReached { call, .. }
        | Fact::Credited { call, .. }
        | Fact::PutBehind { call, .. }
        | Fact::Offered { call, .. }
        | Fact::OfferShown { call, .. }
        | Fact::OfferEnded { call, .. }
        | Fact::Connected { call, .. }
        | Fact::Dequeued { call, .. }
        | Fact::CallbackOwed { call, .. }
        | Fact::CalledOut { call, .. }
        | Fact::ConsultStarted { call, .. }
        | Fact::ConsultEnded { call, .. }
        | Fact::CallDiverted { call, .. }
        | Fact::Transferred { call, .. }
        | Fact::TransferFailed { call, .. }
        | Fact::TakenOver { call, .. }
        | Fact::ColleagueCalled { call, .. }
        | Fact::ColleagueCallEnded { call, .. }
        | Fact::NoticeTold { call, .. }
        | Fact::Subscribed { call, .. }
        | Fact::HelpAsked { call, .. }
        | Fact::HelpOver { call, .. }
        | Fact::Warned { call, .. }
        | Fact::WarningOver { call }
        | Fact::CallerMarked { call, .. }
        | Fact::PageLost { call, .. }
        | Fact::WaitsOn { call, .. }
        | Fact::CallbackStands { call, .. }
        | Fact::CallbackRefused { call, .. }
        | Fact::CallbackDialled { call, .. }
        | Fact::CallbackTried { call, .. }
        | Fact::CallbackEnded { call, .. }
        | Fact::CallEnded { call, .. } => Some(*call),
        Fact::LegStarted { leg, .. }
        | Fact::LegAnswered { leg }
        | Fact::LegSound { leg, .. }
        | Fact::LegUnheard { leg, .. }
        | Fact::LegEnded { leg, .. }
        | Fact::Held { leg, .. }
        | Fact::LegReplaced { leg, .. }
        | Fact::Joined { leg, .. } => Some(leg.call),
        Fact::RecordingStarted { recording, .. } | Fact::RecordingPaused { recording, .. } => Some(recording.call),
        Fact::LegQuality { .. }
        | Fact::RecordingEnded { .. }
        | Fact::AgentChanged { .. }
        | Fact::StateEnds { .. }
        | Fact::SettingsApplied { .. }
        | Fact::ShiftOrdered { .. }
        | Fact::ShiftChanged { .. }
        | Fact::Steered { .. }
        | Fact::QueueModeChanged { .. }
        | Fact::AbleToday { .. }
        | Fact::EvacuationChanged { .. }
        | Fact::Restarted { .. } => None,
    }
}

/// The leg that an input is about.
pub fn leg_of(input: &Input) -> Option<LegId> {
    match input {
        Input::Line(
            FromLine::Ringing { leg }
            | FromLine::EarlyMedia { leg, .. }
            | FromLine::Answered { leg, .. }
            | FromLine::Refused { leg, .. }
            | FromLine::Reoffered { leg, .. }
            | FromLine::Renegotiated { leg, .. }
            | FromLine::NotRenegotiated { leg, .. }
            | FromLine::Digit { leg, .. }
            | FromLine::HungUp { leg, .. }
            | FromLine::Referred { leg, .. }
            | FromLine::Replacing { leg, .. },
        )
        | Input::Media(
            FromMedia::Opened { leg, .. }
            | FromMedia::Agreed { leg, .. }
            | FromMedia::Failed { leg, .. }
            | FromMedia::Digit { leg, .. }
            | FromMedia::Played { leg, .. }
            | FromMedia::SoundLost { leg }
            | FromMedia::SoundBack { leg }
            | FromMedia::Held { leg, .. }
            | FromMedia::Unheard { leg, .. },
        )
        | Input::ShellLost { leg }
        | Input::LegRecovered { leg }
        | Input::LegGone { leg } => Some(*leg),
        _ => None,
    }
}
