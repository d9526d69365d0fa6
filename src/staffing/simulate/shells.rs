//! What do the shells answer? Ports open, sound is agreed and prompts are played at once; only a phone takes its time.

use crate::centre::ids::{LegId, SdpRef};
use crate::centre::input::{CallerKnown, Codec, FromMedia, Input};
use crate::centre::output::{Ending, Output, ToLine, ToMedia};

/// What comes of an order.
pub enum Answer {
    /// No answer is awaited.
    Nothing,
    /// The shell says this at once.
    AtOnce(Input),
    /// A phone rings, and will be picked up.
    Rings(LegId),
}

/// What comes of an order of the core.
pub fn answer(output: Output) -> Answer {
    match output {
        Output::LookUp { call, .. } => Answer::AtOnce(Input::LookedUp { call, known: CallerKnown::default() }),
        Output::Line(ToLine::Dial { leg, .. }) => Answer::Rings(leg),
        Output::Media(order) => media(order).map_or(Answer::Nothing, |said| Answer::AtOnce(Input::Media(said))),
        Output::Line(_) | Output::Desk(_) | Output::Keying { .. } | Output::Recall { .. } => Answer::Nothing,
    }
}

fn media(order: ToMedia) -> Option<FromMedia> {
    match order {
        ToMedia::Open { leg, .. } => Some(FromMedia::Opened { leg, sdp: SdpRef(leg.call.0) }),
        ToMedia::Agree { leg, sdp, answer } => {
            Some(FromMedia::Agreed { leg, codec: Codec::Pcma, answer: answer.then_some(sdp), about: Some(sdp) })
        }
        ToMedia::Play { leg, play, ending: Ending::Report, .. } => Some(FromMedia::Played { leg, play }),
        ToMedia::StopRecord { recording } => Some(FromMedia::Recorded { recording, length_ms: 0, lost_ms: 0 }),
        ToMedia::Play { ending: Ending::Repeat, .. }
        | ToMedia::StopPlay { .. }
        | ToMedia::Connect { .. }
        | ToMedia::Record { .. }
        | ToMedia::PauseRecord { .. }
        | ToMedia::ResumeRecord { .. }
        | ToMedia::Close { .. }
        | ToMedia::Attach { .. }
        | ToMedia::SendDigits { .. } => None,
    }
}
