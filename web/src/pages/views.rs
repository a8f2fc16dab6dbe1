//! What the lesson page shows of a session, part by part. Pure: no browser, no framework's state.

use crate::components::events::{EventLine, SecondLine, SecondView};
use crate::components::health::{IncidentCard, PartHealth};
use crate::components::knobs::Knob;
use crate::components::log::LogLine;
use crate::components::story::{Ask, Choice, Task};
use crate::state::player::{Ghost, Shown};
use crate::state::progress::Prediction;
use crate::state::session::Session;
use crate::state::settings::Settings;
use crate::text::{charts as chart_text, evidence as of_evidence, stage, story, transport as text};
use crate::view_model::charts::{self, Chart, Source};
use crate::view_model::facts::{Facts, REQUEST_BITS, Stone};
use crate::view_model::format;
use crate::view_model::live::{self, PartView, StateLine, Window};
use crate::view_model::recorded::RecordedView;
use crate::view_model::request::RequestView;
use crate::view_model::scene::{self, SceneView, Stretch};
use crate::view_model::scrub::{self, Health};
use crate::view_model::topology::{Layout, name_of};
use sandbox_core::engine::{BreakerStateView, Health as SystemHealth, IncidentState, Observation};
use sandbox_core::ids::{NodeId, RequestId};
use sandbox_core::metrics::Summary;
use sandbox_core::scenario::{Document, Kind, KnobView};
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline;
use std::rc::Rc;

/// How many records are listed before and after the cursor.
const BEFORE: u32 = 24;
const AFTER: u32 = 16;
/// How many lines of the log are shown.
const LOG_LINES: usize = 80;

/// Views that are dear to make and seldom change.
#[derive(Default)]
pub struct Kept {
    layout: Cache<(u32, (f64, f64)), Rc<Layout>>,
    charts: Cache<(u32, usize), Vec<Rc<Chart>>>,
    told: Cache<(u32, usize, usize), Rc<Vec<String>>>,
    request: Cache<(u32, Option<RequestId>), Option<Rc<RequestView>>>,
    second: Cache<(u32, usize), Rc<SecondView>>,
    scene: Cache<(u32, scene::SceneQuery), Rc<SceneView>>,
    sheet: Cache<u32, Vec<(&'static str, String)>>,
    knobs: Cache<(u32, Settings, Option<Settings>, usize), KnobsView>,
}

/// The knobs, and what the thin lines are.
type KnobsView = (Vec<Knob>, Option<String>);

/// The latest view with what it was made of.
type Cache<K, V> = Option<(K, V)>;

/// Where the parts stand in a frame of this size; zero while it is not known.
pub fn layout(session: &Session, shown: &Shown, size: (f64, f64), kept: &mut Kept) -> Rc<Layout> {
    let key = (session.player.generation, size);
    if let Some((known, layout)) = &kept.layout
        && *known == key
    {
        return layout.clone();
    }
    let size = if size.0 < 1.0 { (590.0, 376.0) } else { (size.0.max(280.0), size.1.max(150.0)) };
    let layout = Rc::new(Layout::new(shown.run.plan(), size));
    kept.layout = Some((key, layout.clone()));
    layout
}

/// How much of the run is in a picture of single requests, and from when to when: the life of the request looked at only where the
/// run has that request.
pub fn stretch(session: &Session, shown: &Shown) -> (Stretch, (Time, Time)) {
    let folds = shown.run.folds();
    let life = session.player.selected.filter(|_| session.stretch == Some(Stretch::Request)).and_then(|request| {
        let summary = folds.request(request)?;
        let end = summary.end.map_or(shown.facts.end, |end| summary.intended + end.latency);
        Some((summary.intended, end.max(summary.intended + Span::from_nanos(1_000))))
    });
    if let Some(life) = life {
        return (Stretch::Request, life);
    }
    let length = match session.stretch {
        Some(Stretch::Around(length)) => length,
        _ => scene::usual(session.picture, folds.requests().len() as f64 / shown.facts.end.as_seconds()),
    };
    (Stretch::Around(length), scene::around(session.player.cursor, length))
}

/// What is asked of the run for such a picture.
pub fn scene_query(session: &Session, shown: &Shown, size: (f64, f64)) -> scene::SceneQuery {
    let (player, (stretch, (from, to))) = (&session.player, stretch(session, shown));
    scene::SceneQuery {
        picture: session.picture,
        from,
        to,
        known_to: if player.future_is_open { Time::NEVER } else { player.cursor },
        mine: player.selected,
        alone: stretch == Stretch::Request,
        size: if size.0 < 1.0 { (590.0, 320.0) } else { (size.0.max(280.0), size.1.max(150.0)) },
    }
}

/// Such a picture; None: time passes too fast.
pub fn scene(
    session: &Session,
    shown: &mut Shown,
    asked: &scene::SceneQuery,
    kept: &mut Kept,
) -> Option<Rc<SceneView>> {
    if is_flying(session, &shown.facts) {
        return None;
    }
    let key = (session.player.generation, *asked);
    if kept.scene.as_ref().is_none_or(|(known, _)| *known != key) {
        kept.scene = Some((key, Rc::new(SceneView::new(&mut shown.run, asked))));
    }
    kept.scene.as_ref().map(|(_, view)| view.clone())
}

/// How many seconds of the run may be shown: all, or those that are over at the cursor.
pub fn visible_seconds(session: &Session, shown: &Shown) -> usize {
    let all = shown.facts.seconds.len();
    match session.player.future_is_open {
        true => all,
        false => (session.player.cursor.second() as usize).min(all),
    }
}

/// The charts.
pub fn charts(session: &Session, shown: &Shown, kept: &mut Kept) -> Vec<Rc<Chart>> {
    let visible = visible_seconds(session, shown);
    let key = (session.player.generation, visible);
    if let Some((known, charts)) = &kept.charts
        && *known == key
    {
        return charts.clone();
    }
    let ghost = session.player.ghost.as_ref().filter(|_| session.player.future_is_open);
    let source = Source {
        specs: &session.player.charts,
        run: shown.facts.values(visible),
        ghost: ghost.map(|ghost| ghost.facts.values(ghost.facts.seconds.len())),
        lines: &shown.facts.lines,
        end_s: shown.facts.end.as_seconds(),
        faults: faults(session, shown).into_iter().map(|(from, to, _)| (from, to)).collect(),
    };
    let charts: Vec<Rc<Chart>> = source.charts().into_iter().map(Rc::new).collect();
    kept.charts = Some((key, charts.clone()));
    charts
}

/// What stands at the right end of a chart's heading.
pub fn chart_note(session: &Session, shown: &Shown, chart: &Chart) -> String {
    let Some(last) = charts::last_second(session.player.cursor.as_seconds(), shown.facts.end.as_seconds()) else {
        return chart_text::no_second().into();
    };
    let (from, to) = (last, last + 1);
    match (chart.id, shown.facts.seconds.get(last)) {
        ("latency", Some(second)) => chart_text::samples_in(format::count(second.samples), from, to),
        _ => chart_text::second(from, to),
    }
}

/// Faults of the run as far as they may be shown.
pub fn faults(session: &Session, shown: &Shown) -> Vec<(f64, f64, String)> {
    let limit = if session.player.future_is_open { f64::INFINITY } else { session.player.cursor.as_seconds() };
    let faults = shown.run.plan().faults.iter().filter(|fault| fault.from.as_seconds() < limit);
    let text = |from: f64, to: f64, title: &str| text::fault_lasts(title, format::short(to - from, 1));
    faults
        .map(|fault| {
            let (from, to) = (fault.from.as_seconds(), fault.to.as_seconds().min(shown.facts.end.as_seconds()));
            (from, to.min(limit), text(from, to, &fault.title))
        })
        .collect()
}

/// The health of each second that may be shown.
pub fn healths(session: &Session, shown: &Shown) -> Vec<Health> {
    shown.facts.healths[..visible_seconds(session, shown).min(shown.facts.healths.len())].to_vec()
}

/// Incidents above the time line.
pub fn marks(session: &Session, facts: &Facts) -> Vec<(f64, &'static str)> {
    let open = session.player.future_is_open;
    let stones = facts.milestones.iter().filter(|stone| open || stone.at <= session.player.cursor);
    stones.filter_map(|stone| Some((stone.at.as_seconds(), stone.mark?))).collect()
}

/// The time line in sentences.
pub fn told(session: &Session, shown: &Shown, kept: &mut Kept) -> Rc<Vec<String>> {
    let (healths, marks) = (healths(session, shown), marks(session, &shown.facts));
    let key = (session.player.generation, healths.len(), marks.len());
    if let Some((known, told)) = &kept.told
        && *known == key
    {
        return told.clone();
    }
    let told = scrub::told(&healths, shown.facts.end.as_seconds(), &faults(session, shown), &marks);
    let told = Rc::new(told);
    kept.told = Some((key, told.clone()));
    told
}

/// Whether so much time passes in a frame that single events cannot be followed.
pub fn is_flying(session: &Session, facts: &Facts) -> bool {
    session.player.playing && session.player.speed(facts) > 0.02
}

/// What there is to say where no request ended in the last second: that, or that none has ended at all.
pub fn nothing_ended(session: &Session, shown: &Shown) -> &'static str {
    let over = session.player.cursor.second() as usize;
    match shown.facts.seconds.iter().take(over).any(|second| second.completed() > 0) {
        true => stage::none_in_last_second(),
        false => stage::nothing_ended(),
    }
}

/// The state line.
pub fn state_line(session: &Session, shown: &Shown, seen: &Observation) -> StateLine {
    let window = Window::of(shown.run.folds().requests(), session.player.cursor);
    live::state_line(shown.run.plan(), seen, window, session.player.cursor)
}

/// What each node says of itself.
pub fn parts(session: &Session, shown: &Shown, seen: &Observation) -> Vec<PartView> {
    let plan = shown.run.plan();
    let flying = is_flying(session, &shown.facts);
    let rows = shown.run.folds().rows();
    let last = charts::last_second(session.player.cursor.as_seconds(), shown.facts.end.as_seconds());
    let row = last.and_then(|last| rows.get(last));
    let view = |(node, view): (&sandbox_core::scenario::NodePlan, &sandbox_core::engine::NodeView)| {
        let busy = row.map(|row| row.nodes[view.id.index()].levels.in_service.mean());
        let part = live::part_view(plan, node, view, busy, flying);
        // Requests of a recorded run came from outside, at no rate of the scenario's.
        match (&node.kind, session.recorded.is_some()) {
            (Kind::Client(_), true) => {
                let sentence = stage::says(name_of(node), stage::over_http());
                live::PartView { say: stage::over_http().into(), sentence, ..part }
            }
            _ => part,
        }
    };
    plan.nodes.iter().zip(&seen.nodes).map(view).collect()
}

/// The very next event: label, text, and where.
pub fn next_step(session: &Session, shown: &mut Shown) -> ((String, String), Option<NodeId>) {
    if is_flying(session, &shown.facts) {
        let speed = session.player.speed(&shown.facts);
        let text = text::times_real(format::short(speed, if speed < 1.0 { 2 } else { 0 }));
        return ((text::playing().into(), text), None);
    }
    let plan = shown.run.plan().clone();
    match shown.run.upcoming() {
        Some(next) => {
            let gap = next.at.since(session.player.cursor);
            let node = (next.request != RequestId::NONE
                || !matches!(plan.nodes[next.node.index()].kind, Kind::Monitor(_)))
            .then_some(next.node);
            ((text::step_in(format::span(gap)), timeline::words::upcoming(&plan, &next)), node)
        }
        None => ((text::step_next().into(), text::run_is_over().into()), None),
    }
}

/// The next milestone: label, text, and whether it can be jumped to. Before the prediction that is the milestone.
pub fn next_milestone(session: &Session, shown: &Shown) -> ((String, String), bool) {
    if !session.player.future_is_open {
        return ((text::first().into(), text::say_first().into()), false);
    }
    match shown.facts.next_milestone(shown.run.position().step) {
        Some(stone) => {
            let label = text::milestone_in(format::span(stone.at.since(session.player.cursor)));
            ((label, stone.text.clone()), true)
        }
        None => ((text::milestone().into(), text::no_milestone().into()), false),
    }
}

/// What the slider says of the moment.
pub fn moment(session: &Session, shown: &Shown, state: &StateLine) -> String {
    let event = format::count(shown.run.position().step);
    text::moment(format::clock(session.player.cursor), &event, state.word, &state.what)
}

/// The records around the cursor.
pub fn events(session: &Session, shown: &mut Shown) -> Vec<EventLine> {
    let plan = shown.run.plan().clone();
    let upto = shown.run.position().records;
    let after = if session.player.future_is_open { AFTER } else { 0 };
    let records = shown.run.records(upto.saturating_sub(BEFORE)..upto + after);
    let line = |logged: &sandbox_core::engine::Logged| {
        let record = &logged.record;
        let request = record.request.0;
        let words = timeline::words::record(&plan, record);
        EventLine {
            seq: record.seq.number(),
            step: logged.step,
            at: format::instant(record.at),
            text: words,
            request,
            mine: session.player.selected == Some(record.request) && request > 0,
        }
    };
    records.iter().map(line).collect()
}

/// Requests of a second that are listed.
const OF_SECOND: usize = 12;

/// The requests of the second that somebody asked for, if it may be told.
pub fn of_second(session: &Session, shown: &Shown, kept: &mut Kept) -> Option<Rc<SecondView>> {
    let second = session.second.filter(|second| *second < visible_seconds(session, shown))?;
    let key = (session.player.generation, second);
    if kept.second.as_ref().is_none_or(|(known, _)| *known != key) {
        kept.second = Some((key, Rc::new(second_view(shown, second))));
    }
    kept.second.as_ref().map(|(_, view)| view.clone())
}

fn second_view(shown: &Shown, second: usize) -> SecondView {
    let plan = shown.run.plan();
    let folds = shown.run.folds();
    // Failed, latency and request in one number each, so that sorting them costs no code of its own.
    const FAILED: u64 = 1 << 63;
    let pack = |summary: &Summary| {
        let end = summary.end.filter(|end| (summary.intended + end.latency).second() as usize == second)?;
        let failed = if end.outcome.is_success() { 0 } else { FAILED };
        Some(failed | end.latency.as_nanos().min((1 << 40) - 1) << REQUEST_BITS | u64::from(summary.request.0))
    };
    let mut packed: Vec<u64> = folds.requests().iter_from(0).filter_map(pack).collect();
    packed.sort_unstable();
    let counts = (packed.len(), packed.iter().filter(|packed| **packed >= FAILED).count());
    let line = |packed: &u64| {
        let summary = folds.request(RequestId((packed & ((1 << REQUEST_BITS) - 1)) as u32))?;
        let end = summary.end?;
        Some(SecondLine {
            request: summary.request,
            asked: timeline::words::route_of(plan, summary.route, summary.key),
            tag: (charts::outcome_name(end.outcome), charts::outcome_class(end.outcome)),
            took: format::span(end.latency),
        })
    };
    SecondView { second, ended: counts, lines: packed.iter().rev().take(OF_SECOND).filter_map(line).collect() }
}

/// The request looked at.
pub fn request(session: &Session, shown: &mut Shown, kept: &mut Kept) -> Option<Rc<RequestView>> {
    let key = (session.player.generation, session.player.selected);
    if kept.request.as_ref().is_none_or(|(known, _)| *known != key) {
        let view = session.player.selected.and_then(|request| RequestView::new(&mut shown.run, request));
        kept.request = Some((key, view.map(Rc::new)));
    }
    let view = kept.request.as_ref()?.1.clone()?;
    // What comes after the cursor is not told before the prediction.
    let is_to_come = view.end.as_ref().is_some_and(|end| end.step > shown.run.position().step);
    Some(if is_to_come && !session.player.future_is_open {
        Rc::new(view.before_end(session.player.cursor))
    } else {
        view
    })
}

/// Where the cursor is within a request, in milliseconds after its intended send.
pub fn at_in_request(session: &Session, view: &RequestView) -> Option<f64> {
    let end = view.end.as_ref()?;
    let at_ms = session.player.cursor.since(view.intended).as_ms();
    (session.player.cursor >= view.intended && at_ms <= end.lanes.span_ms).then_some(at_ms)
}

/// The log up to the cursor: failed requests and changes of state, and how many lines came before.
pub fn log(shown: &Shown) -> (Vec<LogLine>, u64) {
    let step = shown.run.position().step;
    let plan = shown.run.plan();
    let folds = shown.run.folds();
    let failures = &shown.facts.failures[..shown.facts.failures.partition_point(|(end, _)| *end <= step)];
    let stones = &shown.facts.milestones[..shown.facts.milestones.partition_point(|stone| stone.step <= step)];
    let failure = |&(end_step, request): &(u64, RequestId)| {
        let summary = folds.request(request)?;
        let end = summary.end?;
        let asked = timeline::words::route_of(plan, summary.route, summary.key);
        let text = format!("{asked} {} after {}", charts::outcome_name(end.outcome), format::span(end.latency));
        let at = format::clock(summary.intended + end.latency);
        Some((end_step, LogLine { at, level: "error", request: request.0, text }))
    };
    let change = |stone: &Stone| {
        let level = if stone.fault { "warn" } else { "info" };
        (stone.step, LogLine { at: format::clock(stone.at), level, request: 0, text: stone.told.clone() })
    };
    // Both lists are in order: the next line is the earlier of the two.
    let recent = &failures[failures.len().saturating_sub(LOG_LINES)..];
    let mut failed = recent.iter().filter_map(failure).peekable();
    let mut changed = stones.iter().map(change).peekable();
    let mut lines = Vec::new();
    loop {
        let change_first = match (failed.peek(), changed.peek()) {
            (Some((failure, _)), Some((change, _))) => change <= failure,
            (failure, _) => failure.is_none(),
        };
        match if change_first { changed.next() } else { failed.next() } {
            Some((_, line)) => lines.push(line),
            None => break,
        }
    }
    let total = failures.len() + stones.len();
    lines.drain(..lines.len().saturating_sub(LOG_LINES));
    let before = (total - lines.len()) as u64;
    (lines, before)
}

/// The health of each part.
pub fn part_healths(shown: &Shown, seen: &Observation) -> Vec<PartHealth> {
    let plan = shown.run.plan();
    let parts =
        plan.nodes.iter().zip(&seen.nodes).filter(|(node, _)| !matches!(node.kind, Kind::Monitor(_) | Kind::Client(_)));
    parts
        .map(|(node, view)| {
            let (class, word) = match view.status {
                SystemHealth::Ok => ("ok", of_evidence::ok()),
                SystemHealth::Degraded => ("degraded", of_evidence::degraded()),
                SystemHealth::Down => ("down", of_evidence::down()),
            };
            let breaker = view.breakers.iter().find_map(|breaker| match breaker.state {
                BreakerStateView::Closed => None,
                BreakerStateView::Open { until } => Some(of_evidence::breaker_until(word, format::about(until))),
                BreakerStateView::HalfOpen => Some(of_evidence::breaker_half_open(word)),
            });
            PartHealth { name: name_of(node), class, how: breaker.unwrap_or_else(|| word.into()) }
        })
        .collect()
}

/// The incidents up to the cursor.
pub fn incidents(session: &Session, shown: &Shown) -> Vec<IncidentCard> {
    let plan = shown.run.plan();
    let card = |incident: timeline::Incident| IncidentCard {
        id: incident.id,
        title: name_of(&plan.nodes[incident.monitor.index()]),
        state: match incident.state {
            None => (of_evidence::resolved(), "ok"),
            Some(IncidentState::Recovered) => (of_evidence::recovered_open(), "client"),
            Some(IncidentState::Failing) => (of_evidence::failing(), "fail"),
        },
        open: incident.state.is_some() && session.recorded.is_none(),
        timeline: incident.timeline.into_iter().map(|(at, text)| (format::clock(at), text)).collect(),
    };
    timeline::incidents(plan, shown.run.folds(), session.player.cursor).into_iter().map(card).collect()
}

/// The prediction as it stands.
pub fn ask(session: &Session) -> Ask {
    let prediction = &session.content.lesson.prediction;
    let said = match &session.progress.prediction {
        Prediction::Said(option) => Some(option.as_str()),
        _ => None,
    };
    let closed = session.player.future_is_open;
    let options = prediction.options.iter().map(|option| {
        let (mine, right) = (said == Some(option.id.as_str()), closed && option.id == prediction.answer);
        let measured = session.progress.measured.map(|value| prediction.measured.format.write(value));
        let note = match (mine, right, measured) {
            (true, true, Some(measured)) => story::said_and_was(&measured),
            (false, true, Some(measured)) => story::it_was(&measured),
            // The run on the stage is another one, and may have ended otherwise.
            (true, true, None) => story::said_and_own().into(),
            (false, true, None) => story::of_own_run().into(),
            (true, false, _) => story::you_said().into(),
            (false, false, _) => String::new(),
        };
        Choice { id: option.id.clone(), text: option.text.clone(), said: mine, right, note }
    });
    Ask { question: prediction.question.clone(), options: options.collect(), closed }
}

/// The challenge as it stands on the run that is shown.
pub fn task(session: &Session, shown: Option<&Shown>) -> Task {
    let judged = shown.is_some() && session.shown_settings == session.settings;
    let passed = session.progress.done[session.progress.last()];
    Task {
        text: session.content.lesson.challenge.text.clone(),
        verdict: session.progress.goals.clone().filter(|_| judged),
        solution: passed.then(|| solution(session)),
    }
}

/// The knobs of the challenge as its known solution has them.
fn solution(session: &Session) -> String {
    let (content, challenge) = (&session.content, &session.content.lesson.challenge);
    let patched = content.document.patched(&challenge.solution, &[]);
    let knobs = patched.map(|patched| patched.knobs()).unwrap_or_default();
    let own = knobs.iter().filter(|knob| challenge.knobs.contains(&knob.id));
    let texts = own
        .map(|knob| format!("{} {}", knob.spec.title.to_lowercase(), format::with_unit(knob.value, &knob.spec.unit)));
    texts.collect::<Vec<String>>().join(", ")
}

/// The incident sheet of the run, in its last moment; there is none where nobody watches.
pub fn sheet(session: &Session, shown: &Shown, kept: &mut Kept) -> Option<Vec<(&'static str, String)>> {
    let watched = shown.run.plan().nodes.iter().any(|node| matches!(node.kind, Kind::Monitor(_)));
    if !watched || !session.player.future_is_open || session.player.cursor < shown.facts.end {
        return None;
    }
    if kept.sheet.as_ref().is_none_or(|(known, _)| *known != session.player.generation) {
        let sheet = timeline::incident_sheet(&shown.run)?;
        let after = |seconds: Option<f64>| {
            seconds.map_or(story::not_in_run().to_string(), |s| format::span(Span::from_seconds(s)))
        };
        let share = |share: Option<f64>| share.map_or(story::none_asked().to_string(), format::percent);
        let lines = vec![
            (story::trigger(), sheet.trigger.clone()),
            (story::lasted(), after(Some(sheet.lasted_s))),
            (story::detected_after(), after(sheet.detected_after_s)),
            (story::reads_failed(), share(sheet.reads_failed)),
            (story::writes_failed(), share(sheet.writes_failed)),
            (story::reads_stale(), share(sheet.stale)),
            (story::recovered_after(), after(sheet.recovered_after_s)),
        ];
        kept.sheet = Some((session.player.generation, lines));
    }
    kept.sheet.as_ref().map(|(_, lines)| lines.clone())
}

/// The recorded run that is open, in words.
pub fn recorded(session: &Session, shown: &Shown) -> Option<RecordedView> {
    let recorded = session.recorded.as_ref()?;
    Some(RecordedView::new(&shown.run, &shown.digest, recorded.digest.as_deref(), &recorded.version))
}

/// The knobs that the story has on offer, and what the thin lines are. Kept, because the document is read for it.
pub fn knobs(session: &Session, kept: &mut Kept) -> KnobsView {
    let ghost = session.player.ghost.as_ref().filter(|_| session.player.future_is_open);
    let of_ghost = ghost.map(|ghost| ghost.settings.clone());
    let key = (session.player.generation, session.settings.clone(), of_ghost, session.progress.beat);
    if let Some((known, knobs)) = &kept.knobs
        && *known == key
    {
        return knobs.clone();
    }
    let patched = session.content.patched(&session.settings);
    let present = patched.knobs();
    let specs = patched.spec().map(|spec| spec.knobs).unwrap_or_default();
    let lesson = &session.content.lesson;
    let in_challenge = session.progress.beat == session.progress.last();
    let wanted = if in_challenge { &lesson.challenge.knobs } else { &lesson.knobs };
    let knob = |id: &String| {
        let spec = specs.get(id)?;
        Some(Knob {
            id: id.clone(),
            title: spec.title.clone(),
            help: spec.help.clone(),
            unit: spec.unit.clone(),
            range: (spec.min, spec.max, spec.step),
            value: present.iter().find(|view| view.id == *id).map(|view| view.value),
            turned: session.settings.knob(id).is_some(),
        })
    };
    let knobs = (wanted.iter().filter_map(knob).collect(), ghost.map(|ghost| ghost_text(session, ghost, &patched)));
    kept.knobs = Some((key, knobs.clone()));
    knobs
}

/// How the earlier run differs from the one that is shown: what it had.
fn ghost_text(session: &Session, ghost: &Ghost, present: &Document) -> String {
    let (had, has) = (&ghost.settings, &session.settings);
    if had.variant != has.variant {
        return story::ghost_variant(&had.variant);
    }
    // In the playground a knob changes the document itself.
    let is_edited = ghost.content.document != session.content.document;
    let turned = |id: &str| is_edited || had.knob(id).is_some() || has.knob(id).is_some();
    let difference = |was: &KnobView| {
        let is = present.at(&was.spec.path)?.as_f64()?;
        (turned(&was.id) && was.value != is).then(|| {
            format!("{} {}", was.spec.title.to_ascii_lowercase(), format::with_unit(was.value, &was.spec.unit))
        })
    };
    let mut differences: Vec<String> = ghost.content.patched(had).knobs().iter().filter_map(difference).collect();
    if (&had.set, had.seed) != (&has.set, has.seed) {
        differences.push(changes(&ghost.content.document, had).unwrap_or_else(|| story::ghost_unchanged().into()));
    }
    match differences.is_empty() {
        true if is_edited => story::ghost_before_edit().into(),
        true => story::ghost_of(story::ghost_same()),
        false => story::ghost_of(differences.join(", ")),
    }
}

/// What is changed besides the variant and the knobs: `without the database is down, seed 3`.
pub fn changed(session: &Session) -> Option<String> {
    changes(&session.content.document, &session.settings)
}

fn changes(document: &Document, settings: &Settings) -> Option<String> {
    let title = |path: &str| document.at(&format!("{path}.title")).and_then(|title| title.as_str()).map(story::quoted);
    let change = |(path, value): &(String, serde_json::Value)| match value.is_null() {
        true => story::without(title(path).unwrap_or_else(|| path.clone())),
        false => format!("{path} = {value}"),
    };
    let changes = settings.set.iter().map(change).chain(settings.seed.map(story::seed));
    let changes: Vec<String> = changes.collect();
    (!changes.is_empty()).then(|| changes.join(", "))
}

/// The variants to choose from.
pub fn variants(session: &Session) -> Vec<(String, String)> {
    let lesson = &session.content.lesson;
    if session.progress.beat == session.progress.last() || !session.player.future_is_open {
        return Vec::new();
    }
    let mut ids = vec![lesson.compare_with.clone(), lesson.variant.clone()];
    if ids[0] > ids[1] {
        ids.swap(0, 1);
    }
    ids.dedup();
    ids.into_iter().map(|id| (id.clone(), session.content.document.variant_title(&id))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Content;
    use crate::route::Asked;
    use crate::state::action::{Action, Tab};
    use crate::state::session::Change;

    /// The page that an address opens, with its run computed.
    fn opened(address: &str) -> Session {
        let content = Rc::new(Content::built_in(address).expect("the lesson is sound"));
        let asked = Asked::of(address);
        let settings = content.settings(&asked).0;
        let mut session = Session::new(content, settings, asked.link.embed, true);
        session.arrive(&asked.link);
        session.finish();
        session
    }

    fn act(session: &mut Session, action: Action) {
        session.apply(action, &|| 0.0);
        session.finish();
    }

    /// Reads something of a session whose run stands apart, as the page does.
    fn read<T>(session: &mut Session, view: impl FnOnce(&Session, &mut Shown) -> T) -> T {
        let mut shown = session.player.shown.take().expect("there is a run");
        let read = view(session, &mut shown);
        session.player.shown = Some(shown);
        read
    }

    fn says(session: &mut Session) -> Vec<String> {
        read(session, |session, shown| {
            let seen = shown.run.world().observe();
            parts(session, shown, &seen).into_iter().map(|part| part.sentence).collect()
        })
    }

    #[test]
    fn every_part_says_what_it_does() {
        let mut session = opened("?lesson=accepted-and-gone&embed=1&t=59.5");
        let waits = says(&mut session).into_iter().find(|part| part.starts_with("Memory")).expect("there is one");
        let number = waits.strip_prefix("Memory: ").and_then(|rest| rest.strip_suffix(" wait"));
        assert!(number.is_some_and(|number| number.parse::<u32>().is_ok_and(|waits| waits > 100)), "{waits}");
        act(&mut session, Action::Seek(Time::from_seconds(61.0)));
        assert!(says(&mut session).contains(&"Mailer: no answer".to_string()), "{:?}", says(&mut session));
        for lesson in ["one-writer-at-a-time", "token-or-session"] {
            let parts = says(&mut opened(&format!("?lesson={lesson}&embed=1&t=5")));
            assert!(parts.iter().all(|part| !part.ends_with(": ")), "{parts:?}");
            assert!(parts.iter().any(|part| part.starts_with("api: ") && part.contains("at work")), "{parts:?}");
        }
    }

    #[test]
    fn charts_and_their_notes_tell_no_second_that_has_only_begun() {
        let mut session = opened("?lesson=the-database-goes-away&embed=1&t=20");
        let note = |session: &Session, shown: &mut Shown| {
            let charts = charts(session, shown, &mut Kept::default());
            chart_note(session, shown, &charts[0])
        };
        assert_eq!(read(&mut session, note), "19 to 20 s");
        act(&mut session, Action::Seek(Time::from_seconds(0.5)));
        assert_eq!(read(&mut session, note), "no second is over yet");
    }

    #[test]
    fn that_none_ended_is_said_where_none_has() {
        let mut session = opened("?lesson=one-request&embed=1");
        let said = |session: &Session, shown: &mut Shown| nothing_ended(session, shown);
        assert_eq!(read(&mut session, said), stage::nothing_ended());
        act(&mut session, Action::Seek(Time::NEVER));
        assert_eq!(read(&mut session, said), stage::none_in_last_second());
    }

    #[test]
    fn the_tick_has_a_number_where_the_run_is_the_lessons_own() {
        let notes = |address: &str| -> Vec<String> {
            let options = ask(&opened(address)).options;
            options.into_iter().map(|option| option.note).filter(|note| !note.is_empty()).collect()
        };
        let address = "?lesson=the-database-goes-away&answer=nearly-all";
        assert!(notes(address)[0].starts_with("you said; it was 9"), "{:?}", notes(address));
        for other in ["&set=nodes.cache.stale_if_error_s%3D1", "&seed=5", "&variant=A"] {
            assert_eq!(notes(&format!("{address}{other}")), [story::said_and_own()], "{other}");
        }
        assert_eq!(notes("?lesson=token-or-session&variant=B&beat=2"), [story::of_own_run()]);
    }

    #[test]
    fn a_request_that_is_not_there_is_named_and_one_to_come_is_not_told() {
        let mut session = opened("?lesson=the-database-goes-away&t=10");
        for (typed, named) in [("40000", "40,000"), ("0", "0"), ("-5", "-5"), ("x", "x")] {
            act(&mut session, Action::Find(typed.into()));
            let start = format!("There is no request {named}; this run has 1 to 2");
            assert!(session.not_found.starts_with(&start), "{}", session.not_found);
            assert_eq!(session.player.selected, None);
        }
        let looked_at = |session: &Session, shown: &mut Shown| request(session, shown, &mut Kept::default());
        act(&mut session, Action::Find("#15,000".into()));
        let view = read(&mut session, looked_at).expect("the run has it");
        assert_eq!((view.is_sent, view.asked.as_str(), session.not_found.as_str()), (false, "", ""));
        act(&mut session, Action::Find("100".into()));
        assert!(read(&mut session, looked_at).is_some_and(|view| view.is_sent && view.end.is_some()));
    }

    #[test]
    fn the_requests_behind_a_second_are_those_that_ended_in_it_and_none_that_is_to_come() {
        let mut session = opened("?lesson=the-database-goes-away&t=19.5");
        let listed = |session: &Session, shown: &mut Shown| of_second(session, shown, &mut Kept::default());
        act(&mut session, Action::LookAtSecond(22));
        assert_eq!((session.tab, read(&mut session, listed)), (Tab::Charts, None));
        act(&mut session, Action::SkipPrediction);
        act(&mut session, Action::LookAtSecond(22));
        assert_eq!((session.tab, session.player.cursor), (Tab::Requests, Time::from_seconds(23.0)));
        let view = read(&mut session, listed).expect("it is listed");
        let second = session.player.shown.as_ref().unwrap().facts.seconds[22].clone();
        assert_eq!(view.ended.0 as u32, second.completed());
        assert_eq!(view.ended.1 as u32, second.server_errors() + second.client_errors() + second.lost());
        assert!(view.lines.len() == OF_SECOND && view.lines.iter().all(|line| line.tag.0 == "503"), "{:?}", view.lines);
        act(&mut session, Action::Show(Tab::Requests));
        assert_eq!(read(&mut session, listed), None, "back to the events");
    }

    #[test]
    fn the_thin_line_is_what_the_run_before_had() {
        let mut session = opened("?lesson=the-database-goes-away&beat=2");
        let ghost = |session: &Session| knobs(session, &mut Kept::default()).1.expect("there is a run before");
        act(&mut session, Action::Without("outage".into()));
        assert_eq!(ghost(&session), "the run before, without these changes");
        act(&mut session, Action::ResetKnobs);
        assert_eq!(ghost(&session), "the run before, without “the database is down”");
        let mut session = opened("?scenario=gateway-and-cache&embed=1");
        let mut edited = session.content.document.json().clone();
        edited["about"] = "edited".into();
        session.replace(Document::from_json(edited), Change::Edited);
        session.finish();
        assert_eq!(ghost(&session), story::ghost_before_edit());
    }

    #[test]
    fn the_read_that_the_lesson_sends_to_had_no_copy() {
        let mut session = opened("?lesson=the-database-goes-away&beat=2");
        assert!(session.content.prose_of(1).contains("#do-request-10531"), "the lesson sends there");
        act(&mut session, Action::LookAt(RequestId(10_531)));
        let view = read(&mut session, |session, shown| request(session, shown, &mut Kept::default())).unwrap();
        let end = view.end.as_ref().expect("it ended");
        assert!(
            end.failed && view.asked.starts_with("GET ") && end.chain.iter().any(|link| link.text.contains("no copy"))
        );
    }

    #[test]
    fn a_request_that_the_run_does_not_have_is_no_stretch_of_it() {
        let mut session = opened("?lesson=one-request&embed=1");
        let shown = session.player.shown.take().expect("there is a run");
        session.stretch = Some(Stretch::Request);
        for (request, is_there) in [(1, true), (u32::MAX, false)] {
            session.player.selected = Some(RequestId(request));
            let query = scene_query(&session, &shown, (0.0, 0.0));
            let (stretch, window) = stretch(&session, &shown);
            assert_eq!((stretch == Stretch::Request, query.alone), (is_there, is_there));
            assert_eq!((query.from, query.to), window);
            if let Stretch::Around(length) = stretch {
                assert_eq!(query.to.since(query.from), length, "what is said is what is drawn");
            }
        }
    }
}
