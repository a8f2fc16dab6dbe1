//! A lesson is proved by running it: its numbers are recomputed, its prediction judged, its challenge missed and solved.

use super::{Lesson, Measured};
use crate::claim::{Claim, SeedRuns, Side};
use crate::metrics::{Folds, ask};
use crate::scenario::{Document, Plan, Problem, Query};

/// A number of a run at hand, whatever variant the query names. None: there is nothing to measure.
#[inline]
pub fn measured(plan: &Plan, folds: &Folds, what: &Measured) -> Result<Option<f64>, String> {
    let value = ask(plan, folds, &Query::parse(&what.query)?)?;
    Ok(value.map(|value| if what.one_minus { 1.0 - value } else { value }))
}

/// Whether a run reaches a challenge's goal, and the number that the verdict quotes.
#[inline]
pub fn challenge_result(plan: &Plan, folds: &Folds, lesson: &Lesson) -> Result<(bool, Option<f64>), String> {
    let claim = Claim::parse(&lesson.challenge.goal)?;
    let side = |side: &Side| match side {
        Side::Number(number) => Ok(Some(*number)),
        Side::Query(factor, query) => ask(plan, folds, query).map(|value| value.map(|value| factor * value)),
    };
    let reached = claim.holds(side(&claim.left)?, side(&claim.right())?);
    Ok((reached, measured(plan, folds, &lesson.challenge.measured)?))
}

/// Everything that is wrong with a lesson, judged on its scenario with the scenario's own seed.
#[inline]
pub fn check_lesson(lesson: &Lesson, headings: &[&str], document: &Document) -> Vec<Problem> {
    let mut problems = document.check();
    if !problems.is_empty() {
        return problems;
    }
    let mut problem = |path: &str, what: String, hint: &str| problems.push(Problem::new(path, what, hint));
    if lesson.format_version != 1 {
        problem("format_version", format!("{} is not known", lesson.format_version), "This program reads version 1.");
    }
    if headings != lesson.beats.iter().map(String::as_str).collect::<Vec<_>>() {
        problem(
            "beats",
            format!("the prose has {}", headings.join(", ")),
            "Give lesson.md a second-level heading for each beat.",
        );
    }
    let knobs = document.spec().map(|spec| spec.knobs).unwrap_or_default();
    for id in lesson.knobs.iter().chain(&lesson.challenge.knobs).filter(|id| !knobs.contains_key(id)) {
        problem("knobs", format!("there is no knob `{id}`"), "Name knobs of the scenario.");
    }
    let seed = document.spec().map_or(0, |spec| spec.seed);
    let mut runs = SeedRuns::new(document, seed);
    for (name, number) in &lesson.numbers {
        let path = format!("numbers.{name}");
        match value(&mut runs, &number.measured) {
            Ok(Some(value)) if number.measured.format.write(value) == number.text => {}
            Ok(Some(value)) => {
                let what = format!("says {}, measured is {}", number.text, number.measured.format.write(value));
                problem(&path, what, "Write what is measured.");
            }
            Ok(None) => {
                problem(&path, "there is nothing to measure".into(), "Choose a window in which something happens.")
            }
            Err(why) => problem(&path, why, "Mend the query."),
        }
    }
    match value(&mut runs, &lesson.prediction.measured) {
        Ok(Some(value)) => {
            let nearest = lesson
                .prediction
                .options
                .iter()
                .min_by(|a, b| (a.value - value).abs().total_cmp(&(b.value - value).abs()));
            if nearest.is_none_or(|nearest| nearest.id != lesson.prediction.answer) {
                let what = format!("`{}` is not the option nearest to {value:.3}", lesson.prediction.answer);
                problem("prediction.answer", what, "Name the option that the run confirms.");
            }
        }
        Ok(None) => problem("prediction.measured", "there is nothing to measure".into(), "Choose another window."),
        Err(why) => problem("prediction.measured", why, "Mend the query."),
    }
    for (path, variant, wanted) in
        [("challenge.start", &lesson.challenge.start, false), ("challenge.solution", &lesson.challenge.solution, true)]
    {
        let result = runs.run(variant, false).map_err(|found| found.iter().map(Problem::to_string).collect());
        match result.and_then(|run| challenge_result(run.plan(), run.folds(), lesson)) {
            Ok((reached, _)) if reached == wanted => {}
            Ok(_) if wanted => problem(path, format!("`{variant}` misses the goal"), "Name a variant that reaches it."),
            Ok(_) => problem(path, format!("`{variant}` reaches the goal already"), "Start from one that misses it."),
            Err(why) => problem(path, why, "Mend the goal or the variant."),
        }
    }
    problems
}

/// The value on the variant that the query names.
#[inline]
fn value(runs: &mut SeedRuns, what: &Measured) -> Result<Option<f64>, String> {
    let variant = Query::parse(&what.query)?.variant.unwrap_or_else(|| "A".to_string());
    let run = runs.run(&variant, false).map_err(|found| found.iter().map(Problem::to_string).collect::<String>())?;
    measured(run.plan(), run.folds(), what)
}
