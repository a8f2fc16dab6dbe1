//! A still of a lesson: its system at the moment that tells most, as a picture of its own. The page has no use for it; the tool
//! that lays a site out (`cargo xtask dist`) puts one beside each lesson's page.

use crate::components::svg::{label, rect};
use crate::components::topology::{TopologyProps, drawing};
use crate::content::Content;
use crate::pages::views;
use crate::route::Asked;
use crate::state::action::Action;
use crate::state::session::Session;
use crate::view_model::charts::Second;
use crate::view_model::format;
use sandbox_core::scenario::Problem;
use sandbox_core::time::Time;
use std::rc::Rc;
use yew::prelude::*;

/// Width and height, in units of the drawing: the shape in which pages that quote an address show its picture.
pub const SIZE: (f64, f64) = (600.0, 315.0);
/// Where the drawing of the system begins.
const HEAD: f64 = 78.0;

const SHEET: &str = include_str!("../../style.css");
/// What only the still has.
const OWN: &str = ".ground { fill: var(--card); } .topo .head { font-size: 23px; font-weight: 700; } \
    .topo .brand { fill: var(--ink-3); font-size: 13px; text-anchor: end; } .topo .name { font-weight: 700; } \
    .topo .line { font-size: 14px; fill: var(--ink-2); } .topo .line.degraded { fill: var(--pressure); } \
    .topo .line.down { fill: var(--fail); }";

/// The still of the lesson with this id, as an SVG element. Errors: all that is wrong with the lesson.
pub fn still(id: &str) -> Result<Html, Vec<Problem>> {
    let address = format!("?v=2&lesson={id}&embed=1");
    let content = Rc::new(Content::built_in(&address)?);
    let settings = content.settings(&Asked::of(&address)).0;
    let mut session = Session::new(content, settings, true, true);
    let no_clock = || 0.0;
    while session.is_working() {
        session.compute(f64::INFINITY, &no_clock);
    }
    let telling = session.player.shown.as_ref().map_or(Time::ZERO, |shown| telling(&shown.facts.seconds));
    session.apply(Action::Seek(telling), &no_clock);
    let Some(mut shown) = session.player.shown.take() else { return Err(session.problems) };
    let seen = shown.run.world().observe();
    let state = views::state_line(&session, &shown, &seen);
    let lesson = &session.content.lesson;
    let system = drawing(&TopologyProps {
        layout: views::layout(&session, &shown, (SIZE.0, SIZE.1 - HEAD), &mut views::Kept::default()),
        parts: views::parts(&session, &shown, &seen),
        stale: shown.facts.seconds.iter().any(|second| second.stale() > 0),
        flow: &session.player.flow,
        next: views::next_step(&session, &mut shown).1,
    });
    let line = format!("{}: {}, {}", format::about(session.player.cursor), state.word, state.what);
    Ok(html! {
        <svg xmlns="http://www.w3.org/2000/svg" viewBox={format!("0 0 {} {}", SIZE.0, SIZE.1)}>
            <style>{ style() }</style>
            { rect("ground", (0.0, 0.0), SIZE, 0.0) }
            <g class="topo">
                { label("head", (24.0, 42.0), &lesson.title) }
                { label(&format!("line {}", state.class), (24.0, 66.0), &line) }
                { label("brand", (SIZE.0 - 24.0, 40.0), "Faultline") }
                <g transform={format!("translate(0 {HEAD})")}>{ system }</g>
            </g>
        </svg>
    })
}

/// The end of the second in which most went wrong: most requests failed, or else most answers were stale, or else waited longest.
fn telling(seconds: &[Second]) -> Time {
    let worse = |second: &Second| {
        let waited = second.latency_ms.map_or(0, |latency| latency[1] as u64);
        (second.lost() + second.server_errors(), second.stale(), second.client_errors(), waited)
    };
    // Of several that are as bad the first: there it begins.
    let worst = (0..seconds.len()).rev().max_by_key(|index| worse(&seconds[*index]));
    Time::from_seconds(worst.map_or(0.0, |index| (index + 1) as f64))
}

/// What the page's style sheet says of the drawing, with the light colours in the place of their names: programs that draw SVG
/// know neither custom properties nor themes.
fn style() -> String {
    let of_it = |line: &&str| line.starts_with(".topo ") && !line.starts_with(".topo >");
    let rules = SHEET.lines().filter(of_it).collect::<Vec<_>>().join("\n") + "\n" + OWN;
    let tokens = SHEET.lines().filter_map(|line| line.trim().strip_prefix("--")?.strip_suffix(';')?.split_once(": "));
    tokens.fold(rules, |rules, (name, value)| {
        let light = value.strip_prefix("light-dark(").and_then(|pair| pair.split(',').next());
        rules.replace(&format!("var(--{name})"), light.unwrap_or(value))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_of_a_still_stands_alone() {
        let style = style();
        assert!(style.contains(".box.down") && style.contains("#1f5fd6"), "{style}");
        assert!(!style.contains("var(") && !style.contains("light-dark"), "{style}");
    }

    #[test]
    fn every_lesson_has_a_moment_that_tells_most() {
        for (id, ..) in lessons::LESSONS {
            assert!(still(id).is_ok(), "{id}");
        }
    }
}
