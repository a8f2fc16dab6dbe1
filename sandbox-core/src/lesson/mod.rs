//! Floor 5: a lesson: what it asks before the run, what it shows, what it challenges to, and the numbers its text quotes.

mod challenge;
mod chart;
mod check;
mod format;
mod link;
mod score;

pub use challenge::{Challenge, Goal, GoalResult, judge_challenge};
pub use chart::{ChartSpec, SignalChart, SignalLine, by_second};
pub use check::{check_lesson, measured};
pub use format::Format;
pub use link::{Link, Shown, hrefs};

use crate::scenario::{Map, Problem, read_json, spec};

spec! {
    /// A lesson as written in `lesson.json`; its prose is the `lesson.md` beside it, a second-level heading for each beat.
    pub struct Lesson {
        /// Version of this format; 1.
        pub format_version: u32,
        /// Unique name.
        pub id: String,
        /// Its place in the curriculum, such as `L2.6`.
        pub number: String,
        /// Its series, for people.
        pub series: String,
        /// Title.
        pub title: String,
        /// One sentence for the page with all lessons.
        pub teaser: String,
        /// How long it takes, in minutes.
        pub minutes: u32,
        /// What it is about, in two or three sentences.
        pub lede: String,
        /// Id of its scenario.
        pub scenario: String,
        /// The variant it plays.
        pub variant: String,
        /// The variant it compares with.
        pub compare_with: String,
        /// The headings of the prose, in order.
        pub beats: Vec<String>,
        /// What the learner predicts before the run.
        pub prediction: Prediction,
        /// The knobs that stand under the stage.
        pub knobs: Vec<String>,
        /// The charts, the most telling one first.
        pub charts: Vec<ChartSpec>,
        /// What the learner tries after the run.
        pub challenge: Challenge,
        /// The numbers that the prose quotes as `{{name}}`.
        pub numbers: Map<Number>,
    }
}

impl Lesson {
    /// Reads a lesson's JSON. Errors: everything that does not fit, with its path.
    #[inline]
    pub fn parse(text: &str) -> Result<Lesson, Vec<Problem>> {
        read_json(text)
    }
}

spec! {
    /// What the learner predicts before the run.
    pub struct Prediction {
        /// The question.
        pub question: String,
        /// How much of the run may be seen before the answer, in seconds; absent: what comes before the first fault.
        pub until_s?: Option<f64>,
        /// The answers to choose from.
        pub options: Vec<Choice>,
        /// The id of the right one: the one whose value is nearest to what is measured.
        pub answer: String,
        /// The number that decides, on the variant that the lesson plays.
        pub measured: Measured,
    }
}

spec! {
    /// An answer to choose.
    pub struct Choice {
        /// Its name.
        pub id: String,
        /// Its text.
        pub text: String,
        /// The number it stands for.
        pub value: f64,
    }
}

spec! {
    /// A number of a run.
    pub struct Measured {
        /// The query, with its variant.
        pub query: String,
        /// The number is 1 less the answer: a share answered from a share failed.
        pub one_minus?: bool,
        /// How it is written.
        pub format: Format,
    }
}

spec! {
    /// A number that the prose quotes.
    pub struct Number {
        /// As it stands in the text; a test recomputes it.
        pub text: String,
        /// What it is.
        pub measured: Measured,
    }
}
