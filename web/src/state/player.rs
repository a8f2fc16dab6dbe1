//! A run on the stage: computed in slices, shown when it is whole.

use crate::content::Content;
use crate::state::action::Pace;
use crate::state::settings::Settings;
use crate::state::stops::Stops;
use crate::text::evidence as text;
use crate::view_model::dots::Flow;
use crate::view_model::facts::Facts;
use crate::view_model::format;
use sandbox_core::Run;
use sandbox_core::ids::RequestId;
use sandbox_core::lesson::ChartSpec;
use sandbox_core::time::Time;
use std::rc::Rc;

/// Steps that are computed between two looks at the clock: under a millisecond.
pub(super) const STEPS_AT_ONCE: u32 = 2_000;

/// A computed run.
pub struct Shown {
    /// The run, with its cursor.
    pub run: Run,
    /// What it holds.
    pub facts: Rc<Facts>,
    /// Its digest.
    pub digest: String,
    /// How long the computation took, in milliseconds of work.
    pub work_ms: f64,
}

/// The run before the last turn of a knob.
#[derive(Clone)]
pub struct Ghost {
    /// What it holds.
    pub facts: Rc<Facts>,
    /// What it ran on.
    pub content: Rc<Content>,
    /// What made it.
    pub settings: Settings,
}

struct Building {
    run: Run,
    work_ms: f64,
}

/// A run, and where somebody looks in it.
pub struct Player {
    /// The latest run that is computed to its end.
    pub shown: Option<Shown>,
    building: Option<Building>,
    /// The run before it.
    pub ghost: Option<Ghost>,
    /// Where the learner looks.
    pub cursor: Time,
    /// Whether time passes.
    pub playing: bool,
    /// How fast.
    pub pace: Pace,
    /// The dots on the links.
    pub flow: Flow,
    pub(super) flow_at: Time,
    /// What to stop at.
    pub stops: Stops,
    /// Whether nothing may move by itself.
    pub still: bool,
    /// Which charts show the run.
    pub charts: Vec<ChartSpec>,
    /// Whether what comes after the cursor may be shown.
    pub future_is_open: bool,
    /// Until then nobody gets past this instant; none: past the first fault.
    pub closed_from: Option<Time>,
    /// Whether play or a jump wanted to pass it.
    pub invited: bool,
    /// The request looked at.
    pub selected: Option<RequestId>,
    /// How long the last step back and the last seek took.
    pub last_ms: (f64, f64),
    /// Counts what makes views of the run out of date: another run or another selection.
    pub generation: u32,
}

impl Player {
    /// An empty stage with the usual charts.
    pub fn new(cursor: Time, future_is_open: bool, still: bool) -> Player {
        Player {
            charts: Player::usual_charts(),
            closed_from: None,
            shown: None,
            building: None,
            ghost: None,
            cursor,
            playing: false,
            pace: Pace::Tour,
            flow: Flow::default(),
            flow_at: Time::NEVER,
            still,
            future_is_open,
            invited: false,
            selected: None,
            stops: Stops::default(),
            last_ms: (0.0, 0.0),
            generation: 0,
        }
    }

    /// The charts of a run about which no lesson says which.
    pub fn usual_charts() -> Vec<ChartSpec> {
        vec![ChartSpec::Answers {}, ChartSpec::Latency {}, ChartSpec::Errors {}, ChartSpec::Waiting {}]
    }

    /// Begins to compute a run; the one that is shown stays until it is whole.
    pub fn begin(&mut self, run: Run) {
        self.building = Some(Building { run, work_ms: 0.0 });
    }

    /// Gives up the run under way.
    pub fn give_up(&mut self) {
        self.building = None;
    }

    /// Whether a run is under way.
    pub fn is_building(&self) -> bool {
        self.building.is_some()
    }

    /// How much of the run under way is computed, from 0 to 1.
    pub fn built_share(&self) -> Option<f64> {
        let run = &self.building.as_ref()?.run;
        Some(run.computed_to().as_seconds() / run.plan().end.as_seconds())
    }

    /// Computes for at most `budget_ms`; true when a run has just become whole. `clock` gives milliseconds.
    pub fn compute(&mut self, budget_ms: f64, clock: &dyn Fn() -> f64) -> bool {
        let Some(building) = &mut self.building else { return false };
        let begin = clock();
        let mut finished = false;
        while !finished && clock() - begin < budget_ms {
            finished = building.run.advance(STEPS_AT_ONCE);
        }
        building.work_ms += clock() - begin;
        if finished {
            let building = self.building.take().expect("it was just advanced");
            self.show(building);
        }
        finished
    }

    fn show(&mut self, Building { run, work_ms }: Building) {
        let facts = Rc::new(Facts::new(run.plan(), run.folds(), &self.charts));
        let digest = run.digest();
        let typed = std::mem::replace(&mut self.stops, Stops::of(run.plan())).text;
        self.shown = Some(Shown { run, facts, digest, work_ms });
        self.stop_at(typed);
        self.generation += 1;
        self.flow_at = Time::NEVER;
        let (cursor, invited) = (self.cursor, self.invited);
        self.seek_time(cursor);
        self.invited = invited;
    }

    /// Says everything anew: the page speaks another language.
    pub fn say_anew(&mut self) {
        if let Some(shown) = &mut self.shown {
            shown.facts = Rc::new(Facts::new(shown.run.plan(), shown.run.folds(), &self.charts));
        }
        self.generation += 1;
    }

    /// Looks at the request of a number. Errors: there is none, and which there are.
    pub fn find(&mut self, typed: &str) -> Result<(), String> {
        let sent = self.shown.as_ref().map_or(0, |shown| shown.run.folds().requests().len());
        let number = typed.replace([',', '#', ' '], "");
        match number.parse::<u32>() {
            Ok(number) if (1..=sent).contains(&(number as usize)) => {
                self.select(RequestId(number));
                Ok(())
            }
            Ok(number) => Err(text::no_such_request(format::count(number.into()), format::count(sent as u64))),
            Err(_) => Err(text::no_such_request(typed.trim(), format::count(sent as u64))),
        }
    }

    /// Looks at a request.
    pub fn select(&mut self, request: RequestId) {
        self.selected = Some(request);
        self.generation += 1;
    }
}
