//! What a learner can do.

use sandbox_core::ids::{IncidentId, RequestId};
use sandbox_core::time::Time;

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
    Show(Tab),
    Resolve(IncidentId),
    CloseRecording,
    /// It was read why a recording cannot be opened.
    DismissRefused,
    /// It was read what of the address was not understood.
    DismissUnread,
}

/// How fast play goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// Fast between milestones, slow at them.
    Tour,
    /// Always so many simulated seconds a second.
    Fixed(f64),
}

/// What the evidence column shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Tab {
    Charts,
    Requests,
    Log,
    Health,
}
