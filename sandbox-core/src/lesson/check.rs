//! A lesson is proved by running it: its numbers are recomputed, its prediction judged, its challenge missed and solved, its
//! charts drawn and its links followed.

use super::chart::LINES_MAX;
use super::{ChartSpec, Lesson, Link, Measured, by_second, hrefs, judge_challenge};
use crate::claim::SeedRuns;
use crate::metrics::{Folds, ask};
use crate::scenario::{Document, Plan, Problem, Query};

/// Charts that fit beside the stage.
const CHARTS_MAX: usize = 4;

/// A number of a run at hand, whatever variant the query names. None: there is nothing to measure.
#[inline]
pub fn measured(plan: &Plan, folds: &Folds, what: &Measured) -> Result<Option<f64>, String> {
    let value = ask(plan, folds, &Query::parse(&what.query)?)?;
    Ok(value.map(|value| if what.one_minus { 1.0 - value } else { value }))
}

/// Everything that is wrong with a lesson, judged on its scenario with the scenario's own seed. `prose` is heading and text of
/// each beat, `terms` what the glossary explains.
#[inline]
pub fn check_lesson(lesson: &Lesson, prose: &[(&str, &str)], terms: &[&str], document: &Document) -> Vec<Problem> {
    let mut problems = document.check();
    if !problems.is_empty() {
        return problems;
    }
    let seed = document.spec().map_or(0, |spec| spec.seed);
    let mut checker = Checker { lesson, document, runs: SeedRuns::new(document, seed), problems: &mut problems };
    checker.frame(prose);
    checker.links(prose, terms);
    checker.numbers(prose);
    checker.prediction();
    checker.charts();
    checker.challenge();
    problems
}

struct Checker<'a> {
    lesson: &'a Lesson,
    document: &'a Document,
    runs: SeedRuns<'a>,
    problems: &'a mut Vec<Problem>,
}

impl Checker<'_> {
    #[inline]
    fn problem(&mut self, path: &str, what: impl Into<String>, hint: &str) {
        self.problems.push(Problem::new(path, what, hint));
    }

    /// Version, beats, variants and knobs are what they are called.
    #[inline]
    fn frame(&mut self, prose: &[(&str, &str)]) {
        let lesson = self.lesson;
        if lesson.format_version != 1 {
            let what = format!("{} is not known", lesson.format_version);
            self.problem("format_version", what, "This program reads version 1.");
        }
        let headings: Vec<&str> = prose.iter().map(|(heading, _)| *heading).collect();
        if headings != lesson.beats.iter().map(String::as_str).collect::<Vec<_>>() || headings.len() < 2 {
            let what = format!("the prose has {}", headings.join(", "));
            self.problem("beats", what, "Give lesson.md a second-level heading for each beat; two at least.");
        }
        for (heading, _) in prose.iter().filter(|(_, text)| text.trim().is_empty()) {
            self.problem(heading, "has no text", "Write it in lesson.md.");
        }
        let variants = self.document.variants();
        for (path, id) in [("variant", &lesson.variant), ("compare_with", &lesson.compare_with)] {
            if !variants.contains(id) {
                let hint = format!("Known: {}.", variants.join(", "));
                self.problem(path, format!("there is no variant `{id}`"), &hint);
            }
        }
        let knobs = self.document.spec().map(|spec| spec.knobs).unwrap_or_default();
        let challenge = &lesson.challenge;
        for id in lesson.knobs.iter().chain(&challenge.knobs).chain(challenge.at_most.keys()) {
            if !knobs.contains_key(id) {
                self.problem("knobs", format!("there is no knob `{id}`"), "Name knobs of the scenario.");
            }
        }
    }

    /// Every link of the prose does something, and every term is explained. The challenge's beat does not leave its system.
    #[inline]
    fn links(&mut self, prose: &[(&str, &str)], terms: &[&str]) {
        let variants = self.document.variants();
        let known = |href: &&str| match Link::parse(href) {
            Some(Link::Variant(id)) => variants.contains(&id),
            Some(Link::Term(term)) => terms.contains(&&*term),
            link => link.is_some(),
        };
        for (heading, text) in prose {
            for href in hrefs(text).filter(|href| !known(href)) {
                let what = format!("`{href}` leads nowhere");
                self.problem(heading, what, "Link to an action, to a variant or to a term of the glossary.");
            }
        }
        if let Some((heading, text)) = prose.last()
            && hrefs(text).any(|href| matches!(Link::parse(href), Some(Link::Variant(_))))
        {
            let hint = "Tell of other variants before the challenge.";
            self.problem(heading, "plays another variant in the place of the challenge's", hint);
        }
    }

    /// Every number is quoted, by its name in Markdown, by its text in what is made of that, and is what its run gives.
    #[inline]
    fn numbers(&mut self, prose: &[(&str, &str)]) {
        for (name, number) in self.lesson.numbers.iter() {
            let (path, quoted) = (format!("numbers.{name}"), format!("{{{{{name}}}}}"));
            if !prose.iter().any(|(_, text)| text.contains(&quoted) || says(text, &number.text)) {
                self.problem(&path, format!("the prose does not quote `{quoted}`"), "Quote it, or take it out.");
            }
            match self.value(&number.measured) {
                Ok(Some(value)) if number.measured.format.write(value) == number.text => {}
                Ok(Some(value)) => {
                    let what = format!("says {}, measured is {}", number.text, number.measured.format.write(value));
                    self.problem(&path, what, "Write what is measured.");
                }
                Ok(None) => self.problem(&path, "there is nothing to measure", "Choose a window with something in it."),
                Err(why) => self.problem(&path, why, "Mend the query."),
            }
        }
    }

    /// The run that the lesson plays confirms the right answer, and there is something to hide until then.
    #[inline]
    fn prediction(&mut self) {
        let prediction = &self.lesson.prediction;
        let of = Query::parse(&prediction.measured.query).ok().and_then(|query| query.variant);
        if of.is_some_and(|of| of != self.lesson.variant) {
            let what = format!("it is not about the variant that is played, {}", self.lesson.variant);
            self.problem("prediction.measured", what, "Ask about the run that the learner sees.");
        }
        let plan = self.document.plan(&self.lesson.variant, &[]);
        if prediction.until_s.is_none() && plan.is_ok_and(|plan| plan.faults.is_empty()) {
            let hint = "Say how many seconds of it may be seen before the answer; 0 for none.";
            self.problem("prediction.until_s", "the run has no fault that would hide its end", hint);
        }
        match self.value(&prediction.measured) {
            Ok(Some(value)) => {
                let distance = |choice: &super::Choice| (choice.value - value).abs();
                let nearest = prediction.options.iter().min_by(|a, b| distance(a).total_cmp(&distance(b)));
                if nearest.is_none_or(|nearest| nearest.id != prediction.answer) {
                    let what = format!("`{}` is not the option nearest to {value:.3}", prediction.answer);
                    self.problem("prediction.answer", what, "Name the option that the run confirms.");
                }
            }
            Ok(None) => self.problem("prediction.measured", "there is nothing to measure", "Choose another window."),
            Err(why) => self.problem("prediction.measured", why, "Mend the query."),
        }
    }

    /// Every line of every chart can be drawn of both runs that the learner compares.
    #[inline]
    fn charts(&mut self) {
        let lesson = self.lesson;
        if !(1..=CHARTS_MAX).contains(&lesson.charts.len()) {
            let hint = format!("Name 1 to {CHARTS_MAX}, the most telling first.");
            self.problem("charts", format!("there are {}", lesson.charts.len()), &hint);
        }
        for (index, chart) in lesson.charts.iter().enumerate() {
            let ChartSpec::Signals(chart) = chart else { continue };
            if !(1..=LINES_MAX).contains(&chart.lines.len()) {
                let hint = format!("1 to {LINES_MAX} can be told apart.");
                self.problem(&format!("charts.{index}.lines"), format!("there are {}", chart.lines.len()), &hint);
            }
            for (number, line) in chart.lines.iter().enumerate() {
                let path = format!("charts.{index}.lines.{number}");
                let mut anything = false;
                for variant in [&lesson.variant, &lesson.compare_with] {
                    // A variant that is not there is told of above.
                    let Ok(run) = self.runs.run(variant, false) else { continue };
                    match by_second(run.plan(), run.folds(), line) {
                        Ok(values) => anything |= values.iter().flatten().any(|value| *value != 0.0),
                        Err(why) => self.problem(&path, format!("in variant {variant}: {why}"), "Mend the query."),
                    }
                }
                if !anything {
                    self.problem(&path, "is 0 in every run", "Draw something that happens.");
                }
            }
        }
    }

    /// The start misses the challenge's goals, the solution reaches them.
    #[inline]
    fn challenge(&mut self) {
        let challenge = &self.lesson.challenge;
        if challenge.goals.is_empty() {
            self.problem("challenge.goals", "there is none", "Say what must hold.");
        }
        for (path, variant, wanted) in
            [("challenge.start", &challenge.start, false), ("challenge.solution", &challenge.solution, true)]
        {
            match self.judged(variant) {
                Ok(missed) if missed.is_empty() == wanted => {}
                Ok(missed) if wanted => {
                    let what = format!("`{variant}` misses {}", missed.join("; "));
                    self.problem(path, what, "Name a variant that reaches every goal.");
                }
                Ok(_) => self.problem(
                    path,
                    format!("`{variant}` reaches the goal already"),
                    "Start from one that misses it.",
                ),
                Err(why) => self.problem(path, why, "Mend the goals or the variant."),
            }
        }
    }

    /// The parts of the goal that a variant misses, with what it gives instead.
    #[inline]
    fn judged(&mut self, variant: &str) -> Result<Vec<String>, String> {
        let patched = self.document.patched(variant, &[]).map_err(told)?;
        let run = self.runs.run(variant, false).map_err(told)?;
        let results = judge_challenge(&self.lesson.challenge, &patched, run.plan(), run.folds())?;
        let missed = results.into_iter().filter(|result| !result.reached);
        Ok(missed.map(|result| format!("\"{}\" ({})", result.text, result.measured)).collect())
    }

    /// The value on the variant that the query names.
    #[inline]
    fn value(&mut self, what: &Measured) -> Result<Option<f64>, String> {
        let variant = Query::parse(&what.query)?.variant.unwrap_or_else(|| "A".to_string());
        let run = self.runs.run(&variant, false).map_err(told)?;
        measured(run.plan(), run.folds(), what)
    }
}

#[inline]
fn told(problems: Vec<Problem>) -> String {
    problems.iter().map(Problem::to_string).collect()
}
/// Whether a text says this number, and not one that it is a part of.
#[inline]
fn says(text: &str, number: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '.' || c == ',';
    text.match_indices(number).any(|(at, _)| {
        let after = text[at + number.len()..].chars().next();
        !text[..at].ends_with(is_part) && !after.is_some_and(char::is_alphanumeric)
    })
}
