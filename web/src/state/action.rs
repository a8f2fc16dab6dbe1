//! What a learner can do.

use crate::state::what_if::Question;
use crate::view_model::scene::{StageView, Stretch};
use sandbox_core::ids::{IncidentId, RequestId};
use sandbox_core::lesson::{self, Link};
use sandbox_core::time::Time;

pub use sandbox_core::link::Tab;

/// Something the learner does.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Action {
    Play,
    Pause,
    Toggle,
    Step,
    StepBack,
    Seek(Time),
    SeekStep(u64),
    NextFailure,
    PreviousFailure,
    NextMilestone,
    PreviousMilestone,
    SetPace(Pace),
    /// What to stop at, as it was typed.
    StopAt(String),
    /// To where that happens next.
    NextStop,
    /// To where it happened before.
    PreviousStop,
    SetKnob(String, f64),
    /// The knob was let go: the next turn compares with this run.
    SettleKnob,
    ResetKnobs,
    SetVariant(String),
    Predict(String),
    SkipPrediction,
    GoToBeat(usize),
    ShowSolution,
    Select(RequestId),
    /// The request of a number, as it was typed.
    Find(String),
    /// To the end of a request, and where its time went.
    LookAt(RequestId),
    /// To the end of a second, and the requests that ended in it.
    LookAtSecond(usize),
    /// To the next failure, or to the one before where there is no next, and why.
    Why,
    Show(Tab),
    /// Chooses what the stage shows.
    Picture(StageView),
    /// Chooses how much of the run is in it.
    Stretch(Stretch),
    Resolve(IncidentId),
    /// Opens a question about the whole scenario.
    Ask(Question),
    /// Chooses a knob of the map: across (0) or down (1).
    Lay(usize, String),
    /// Computes the answer to the open question.
    Answer,
    /// Stops computing it.
    StopAnswer,
    /// Puts a case of the answer on the stage.
    Try(usize),
    /// Runs without a fault, by its id.
    Without(String),
    CloseRecording,
    /// It was read why a recording cannot be opened.
    DismissRefused,
    /// It was read what of the address was not understood.
    DismissUnread,
    /// It was read what of a message was not understood.
    DismissUnheard,
}

impl Action {
    /// What a link of the prose does; None: it opens the glossary.
    pub fn of(link: Link) -> Option<Action> {
        Some(match link {
            Link::Play => Action::Play,
            Link::NextFailure => Action::NextFailure,
            Link::PreviousFailure => Action::PreviousFailure,
            Link::NextMilestone => Action::NextMilestone,
            Link::Show(shown) => Action::Show(match shown {
                lesson::Shown::Charts => Tab::Charts,
                lesson::Shown::Requests => Tab::Requests,
                lesson::Shown::Log => Tab::Log,
                lesson::Shown::Health => Tab::Health,
                lesson::Shown::WhatIf => Tab::WhatIf,
            }),
            Link::Why => Action::Why,
            Link::Request(request) => Action::LookAt(RequestId(request)),
            Link::Variant(variant) => Action::SetVariant(variant),
            Link::Seek(at) => Action::Seek(at),
            Link::Term(_) => return None,
        })
    }
}

/// How fast play goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Fast between milestones, slow at them.
    Tour,
    /// Always so many simulated seconds a second.
    Fixed(f64),
}
