//! The requests of a short stretch of a run as a picture: their messages from node to node, or what the workers of each node did.

use crate::text::scene as text;
use crate::view_model::charts::outcome_name;
use crate::view_model::format;
use crate::view_model::request::ticks;
use crate::view_model::topology::{Layout, name_of};
use sandbox_core::Run;
use sandbox_core::ids::{NodeId, RequestId};
use sandbox_core::scenario::{Kind, Plan};
use sandbox_core::time::{Span, Time};
use sandbox_core::timeline::{Message, Scene, Visit, scene};
use std::fmt::Write as _;

/// What the stage shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StageView {
    /// The system as boxes and links.
    #[default]
    System,
    /// Messages from node to node, time downwards.
    Messages,
    /// What the workers of each node do, time to the right.
    Workers,
}

impl StageView {
    /// All of them with the page's own names.
    pub const ALL: [(StageView, &'static str); 3] =
        [(StageView::System, "system"), (StageView::Messages, "messages"), (StageView::Workers, "workers")];

    /// The page's own name.
    pub fn word(self) -> &'static str {
        StageView::ALL[self as usize].1
    }

    /// What people call it.
    pub fn title(self) -> &'static str {
        match self {
            StageView::System => text::system(),
            StageView::Messages => text::messages(),
            StageView::Workers => text::workers(),
        }
    }
}

/// How much of a run is in the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stretch {
    /// So much time around the cursor.
    Around(Span),
    /// The life of the request looked at.
    Request,
}

/// Lengths to choose from, in milliseconds.
pub const LENGTHS_MS: [u64; 5] = [1, 10, 100, 1_000, 10_000];
/// Requests whose messages can be told apart in one picture.
const REQUESTS: usize = 12;
/// A worker's row is at least so high.
const ROW: f64 = 5.0;
/// Room for the names of columns, and for the texts of the axis at the side.
const HEAD: f64 = 66.0;
const SIDE: f64 = 58.0;
/// Room for the names of the nodes at the side.
const NAMES: f64 = 96.0;
const RIM: f64 = 14.0;
/// Room at the top for the choice of pictures.
const TOP: f64 = 46.0;

/// What is asked of a run.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneQuery {
    /// What.
    pub picture: StageView,
    /// From here.
    pub from: Time,
    /// To here.
    pub to: Time,
    /// Nothing is shown of what comes later.
    pub known_to: Time,
    /// The request looked at.
    pub mine: Option<RequestId>,
    /// Whether nothing but it is shown.
    pub alone: bool,
    /// Width and height.
    pub size: (f64, f64),
}

/// The picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SceneView {
    /// What it is of, and what it leaves out.
    pub note: String,
    /// What is drawn first: lines of nodes.
    pub ground: Drawn,
    /// Requests, or nodes.
    pub groups: Vec<Group>,
    /// From where to where the axis of time goes, in the drawing's units.
    pub axis: (f64, f64),
}

/// What belongs together and is told together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Group {
    /// Which request it is.
    pub request: Option<RequestId>,
    /// Whether it is the one looked at.
    pub mine: bool,
    /// The same in words.
    pub says: String,
    /// How it looks.
    pub drawn: Drawn,
}

/// Paths by their classes, and texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Drawn {
    /// Class and path.
    pub paths: Vec<(&'static str, String)>,
    /// Class, place, text and room.
    pub texts: Vec<(&'static str, (f64, f64), String, f64)>,
}

impl Drawn {
    /// The path of a class, to go on with.
    fn path(&mut self, class: &'static str) -> &mut String {
        let known = self.paths.iter().position(|(known, _)| *known == class);
        let at = known.unwrap_or_else(|| {
            self.paths.push((class, String::new()));
            self.paths.len() - 1
        });
        &mut self.paths[at].1
    }

    fn line(&mut self, class: &'static str, from: (f64, f64), to: (f64, f64)) {
        let _ = write!(self.path(class), "M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, to.0, to.1);
    }

    fn block(&mut self, class: &'static str, at: (f64, f64), size: (f64, f64)) {
        let _ = write!(self.path(class), "M{:.1} {:.1}h{:.1}v{:.1}h{:.1}z", at.0, at.1, size.0, size.1, -size.0);
    }

    /// A line with a head at its end.
    fn arrow(&mut self, class: &'static str, from: (f64, f64), to: (f64, f64)) {
        self.line(class, from, to);
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = (dx * dx + dy * dy).sqrt().max(1.0);
        let (ux, uy) = (dx / length * 6.0, dy / length * 6.0);
        let (x, y) = to;
        let _ = write!(
            self.path(class),
            "M{:.1} {:.1}L{x:.1} {y:.1}L{:.1} {:.1}",
            x - ux - uy * 0.5,
            y - uy + ux * 0.5,
            x - ux + uy * 0.5,
            y - uy - ux * 0.5
        );
    }
}

/// The stretch of this length that the cursor is in the second half of: it moves on by halves.
pub fn around(cursor: Time, length: Span) -> (Time, Time) {
    let half = (length.as_nanos() / 2).max(1);
    let from = Time::from_nanos((cursor.as_nanos() / half).saturating_sub(1) * half);
    (from, from + length)
}

/// The longest of the lengths that has few enough requests to look at, in a run with so many a second.
pub fn usual(picture: StageView, rate: f64) -> Span {
    let most = if picture == StageView::Workers { 80.0 } else { 8.0 };
    let fits = |ms: &&u64| rate * **ms as f64 / 1e3 <= most;
    Span::from_millis(LENGTHS_MS.iter().rev().find(fits).copied().unwrap_or(LENGTHS_MS[0]))
}

impl SceneView {
    /// Looks at a computed run.
    pub fn new(run: &mut Run, asked: &SceneQuery) -> SceneView {
        let known_to = asked.to.min(asked.known_to);
        let scene = scene(run, asked.from, known_to);
        let plan = run.plan().clone();
        let order = Layout::new(&plan, asked.size).parts.into_iter().map(|part| part.node).collect();
        let draft = Draft { plan: &plan, run, scene: &scene, asked, known_to, order };
        match asked.picture {
            StageView::Workers => draft.workers(),
            _ => draft.messages(),
        }
    }
}

struct Draft<'a> {
    plan: &'a Plan,
    run: &'a Run,
    scene: &'a Scene,
    asked: &'a SceneQuery,
    known_to: Time,
    /// All nodes that are drawn, clients first.
    order: Vec<NodeId>,
}

impl Draft<'_> {
    fn name(&self, node: NodeId) -> String {
        name_of(&self.plan.nodes[node.index()])
    }

    /// Where an instant is on an axis between these ends.
    fn place(&self, at: Time, axis: (f64, f64)) -> f64 {
        let (from, to) = (self.asked.from.as_seconds(), self.asked.to.as_seconds());
        axis.0 + (at.min(self.known_to).as_seconds().max(from) - from) / (to - from).max(1e-9) * (axis.1 - axis.0)
    }

    fn since(&self, at: Time) -> String {
        format::span(at.since(self.asked.from))
    }

    fn ticks(&self, axis: (f64, f64)) -> impl Iterator<Item = (f64, String)> {
        let span_ms = self.asked.to.since(self.asked.from).as_ms();
        ticks(span_ms).into_iter().map(move |(ms, text)| (axis.0 + ms / span_ms * (axis.1 - axis.0), text))
    }

    fn messages(&self) -> SceneView {
        let size = self.asked.size;
        let axis = (HEAD + 10.0, size.1 - 8.0);
        let is_shown =
            |request: RequestId| request != RequestId::NONE && (!self.asked.alone || Some(request) == self.asked.mine);
        let shown = self.scene.messages.iter().map(|message| message.request).filter(|request| is_shown(*request));
        let mut all: Vec<RequestId> = shown.collect();
        all.sort_unstable();
        all.dedup();
        // The request looked at is never left out.
        if let Some(mine) = all.iter().position(|request| Some(*request) == self.asked.mine) {
            all[..=mine].rotate_right(1);
        }
        let left_out = all.len().saturating_sub(REQUESTS);
        all.truncate(REQUESTS);
        let of = |request: RequestId| self.scene.messages.iter().filter(move |message| message.request == request);
        let took_part = |node: &NodeId| {
            all.iter().flat_map(|request| of(*request)).any(|one| one.from_node == *node || one.to_node == *node)
        };
        let columns: Vec<NodeId> = self.order.iter().copied().filter(took_part).collect();
        let gap = (size.0 - SIDE - 2.0 * RIM) / columns.len().max(1) as f64;
        let column =
            |node: NodeId| Some(SIDE + RIM + gap * (columns.iter().position(|known| *known == node)? as f64 + 0.5));
        let mut ground = Drawn::default();
        for (y, tick) in self.ticks(axis) {
            ground.texts.push(("tick", (SIDE - 6.0, y + 4.0), tick, SIDE - 6.0));
        }
        for node in &columns {
            let Some(x) = column(*node) else { continue };
            ground.texts.push(("of", (x, HEAD - 8.0), self.name(*node), gap - 6.0));
            ground.line("ground", (x, HEAD), (x, axis.1));
        }
        let mut labels: Vec<f64> = Vec::new();
        let groups = all.iter().map(|request| {
            let mut drawn = Drawn::default();
            for visit in self.scene.visits.iter().filter(|visit| visit.request == *request) {
                let Some(x) = column(visit.node) else { continue };
                self.stay(visit, &mut |class, from, to| {
                    let (top, bottom) = (self.place(from, axis), self.place(to, axis));
                    drawn.block(class, (x - 3.0, top), (6.0, (bottom - top).max(1.0)));
                });
                if visit.refused.is_some() && visit.left <= self.known_to {
                    let y = self.place(visit.left, axis);
                    let _ = write!(drawn.path("mark"), "M{x:.1} {:.1}l5 5l-5 5l-5 -5z", y - 5.0);
                }
            }
            for (index, message) in of(*request).enumerate() {
                let (Some(from), Some(to)) = (column(message.from_node), column(message.to_node)) else { continue };
                let class = look(message);
                let end = message.arrived.unwrap_or(message.sent);
                let (a, b) = ((from, self.place(message.sent, axis)), (to, self.place(end, axis)));
                match message.arrived {
                    // It goes on beyond the rim, or beyond what may be known.
                    Some(arrived) if arrived > self.known_to => {
                        let share = self.known_to.since(message.sent).as_ms() / arrived.since(message.sent).as_ms();
                        drawn.line(class, a, (from + (to - from) * share, b.1));
                    }
                    Some(_) => drawn.arrow(class, a, b),
                    None => {
                        let end = if to == from { from - gap / 3.0 } else { from + (to - from) / 3.0 };
                        if self.is_open(message) {
                            drawn.line(class, a, (end, self.place(self.run.plan().end, axis)));
                        } else {
                            drawn.line("lost", a, (end, a.1 + 4.0));
                            drawn.texts.push(("cross", (end, a.1 + 8.0), "×".into(), gap));
                        }
                    }
                }
                let y = a.1 - 3.0;
                if index == 0 && labels.iter().all(|other| (other - y).abs() > 11.0) {
                    labels.push(y);
                    let (class, x) = if to < from { ("end", from - 6.0) } else { ("start", from + 6.0) };
                    drawn.texts.push((class, (x, y), format!("#{}", format::count(request.0.into())), gap));
                }
            }
            let says = self.told(*request, of(*request));
            Group { request: Some(*request), mine: Some(*request) == self.asked.mine, says, drawn }
        });
        let groups: Vec<Group> = groups.collect();
        let (from, count) = (format::instant(self.asked.from), format::count(groups.len() as u64));
        let note = match (groups.is_empty(), left_out) {
            (true, _) => text::nothing_sent(from),
            (_, 0) => text::all_requests(from, count),
            (_, left_out) => text::some_requests(from, count, format::count(left_out as u64)),
        };
        SceneView { note, ground, groups, axis }
    }

    /// Whether nobody knows what becomes of a message that has not arrived: the run ends before its request does.
    fn is_open(&self, message: &Message) -> bool {
        self.run.folds().request(message.request).is_none_or(|summary| summary.end.is_none())
    }

    /// A request's messages in words, as far as they may be known.
    fn told<'m>(&self, request: RequestId, messages: impl Iterator<Item = &'m Message>) -> String {
        let summary = self.run.folds().request(request);
        let end = summary.and_then(|summary| Some((summary, summary.end?)));
        let end = end.filter(|(summary, end)| summary.intended + end.latency <= self.known_to);
        let ways = messages.filter(|message| message.sent <= self.known_to).map(|message| {
            let (from, to, at) = (
                self.name(message.from_node),
                self.name(message.to_node),
                self.since(message.sent.max(self.asked.from)),
            );
            match message.arrived {
                Some(_) => text::goes(from, to, at),
                None if self.is_open(message) => text::goes_on(from, at),
                None => text::goes_lost(from, at),
            }
        });
        let ways = ways.collect::<Vec<String>>().join(", ");
        let number = format::count(request.0.into());
        match end {
            Some((_, end)) => text::request_ended(number, outcome_name(end.outcome), format::span(end.latency), ways),
            None => text::request_goes(number, ways),
        }
    }

    /// The parts of a stay, as far as they may be known: in line, held, at work, and at work for nobody.
    fn stay(&self, visit: &Visit, out: &mut dyn FnMut(&'static str, Time, Time)) {
        let end = visit.left.min(self.known_to);
        let mut part = |class, from: Time, to: Time| {
            let (from, to) = (from.max(self.asked.from), to.min(end));
            if from <= to {
                out(class, from, to);
            }
        };
        let taken = visit.taken.unwrap_or(Time::NEVER);
        if visit.arrived < taken {
            part("bar-queue", visit.arrived, taken);
        }
        part("bar-held", taken, end);
        let over =
            self.run.folds().request(visit.request).and_then(|summary| Some(summary.intended + summary.end?.latency));
        let over = over.unwrap_or(Time::NEVER);
        for (from, to) in &visit.work {
            part("bar-work", *from, (*to).min(over));
            part("bar-lost", (*from).max(over), *to);
        }
    }

    fn workers(&self) -> SceneView {
        let size = self.asked.size;
        let axis = (NAMES + RIM, size.0 - RIM);
        let is_known = |visit: &&Visit| visit.taken.is_some_and(|taken| taken <= self.known_to);
        let of = |node: NodeId| self.scene.visits.iter().filter(move |visit| visit.node == node);
        // Each node's rows: a visit stands in the first row that is free from its begin on.
        let mut nodes: Vec<(NodeId, Vec<Vec<&Visit>>)> = Vec::new();
        for node in &self.order {
            if matches!(self.plan.nodes[node.index()].kind, Kind::Client(_)) {
                continue;
            }
            let mut visits: Vec<&Visit> = of(*node).filter(is_known).collect();
            visits.sort_by_key(|visit| visit.taken);
            let mut rows: Vec<Vec<&Visit>> = Vec::new();
            for visit in visits {
                let is_free = |row: &&mut Vec<&Visit>| row.last().is_none_or(|last| Some(last.left) <= visit.taken);
                match rows.iter_mut().find(is_free) {
                    Some(row) => row.push(visit),
                    None => rows.push(vec![visit]),
                }
            }
            nodes.push((*node, rows));
        }
        let room = size.1 - TOP - 22.0 - 6.0 * nodes.len() as f64;
        let fits =
            |most: usize| nodes.iter().map(|(_, rows)| rows.len().clamp(1, most)).sum::<usize>() as f64 * ROW <= room;
        let longest = nodes.iter().map(|(_, rows)| rows.len()).max().unwrap_or(1).max(1);
        let most = (1..=longest).rev().find(|most| fits(*most)).unwrap_or(1);
        let left_out: usize = nodes.iter().map(|(_, rows)| rows.len().saturating_sub(most)).sum();
        let count: usize = nodes.iter().map(|(_, rows)| rows.len().clamp(1, most)).sum();
        let high = (room / count.max(1) as f64).min(16.0);
        let mut ground = Drawn::default();
        for (x, tick) in self.ticks(axis) {
            ground.line("ground", (x, TOP), (x, size.1 - 18.0));
            ground.texts.push(("tick middle", (x, size.1 - 5.0), tick, 60.0));
        }
        let mut top = TOP;
        let groups = nodes.iter().map(|(node, rows)| {
            let mut drawn = Drawn::default();
            let shown = rows.len().clamp(1, most);
            for (row, visits) in rows.iter().take(most).enumerate() {
                let y = top + row as f64 * high;
                for visit in visits {
                    let mine = self.asked.mine == Some(visit.request);
                    self.stay(visit, &mut |class, from, to| {
                        let (left, right) = (self.place(from, axis), self.place(to, axis));
                        if class != "bar-queue" {
                            drawn.block(class, (left, y + 1.0), ((right - left).max(1.0), high - 2.0));
                        }
                    });
                    if mine {
                        let (left, right) =
                            (self.place(visit.taken.unwrap_or_default(), axis), self.place(visit.left, axis));
                        drawn.block("mine", (left, y), ((right - left).max(1.0), high));
                    }
                }
            }
            let middle = top + shown as f64 * high / 2.0 + 4.0;
            drawn.texts.push(("of end", (NAMES, middle), self.name(*node), NAMES - 6.0));
            top += shown as f64 * high;
            ground.line("ground", (RIM, top + 3.0), (size.0 - RIM, top + 3.0));
            top += 6.0;
            let waiting = of(*node).filter(|visit| visit.taken.is_none_or(|taken| taken > visit.arrived)).count();
            let served: usize = rows.iter().map(Vec::len).sum();
            let says = text::node_did(self.name(*node), served, rows.len(), waiting);
            Group { request: None, mine: false, says, drawn }
        });
        let groups = groups.collect();
        let from = format::instant(self.asked.from);
        let note = match left_out {
            0 => text::all_workers(from),
            left_out => text::some_workers(from, format::count(left_out as u64)),
        };
        SceneView { note, ground, groups, axis }
    }
}

/// How a message looks: a call, an answer, an answer that is none.
fn look(message: &Message) -> &'static str {
    match message.status {
        None => "call",
        Some(status) if status.is_success() => "answer",
        Some(_) => "failed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::testing::plan;
    use std::sync::Arc;

    fn run() -> Run {
        let mut plan = plan("B");
        plan.end = Time::from_seconds(22.0);
        let mut run = Run::new(Arc::new(plan));
        run.run_to_end();
        run
    }

    fn asked(picture: StageView, from_s: f64, length: Span) -> SceneQuery {
        let from = Time::from_seconds(from_s);
        SceneQuery {
            picture,
            from,
            to: from + length,
            known_to: Time::NEVER,
            mine: None,
            alone: false,
            size: (590.0, 300.0),
        }
    }

    #[test]
    fn the_cursor_is_in_the_second_half_of_its_stretch() {
        for nanos in [0u64, 1, 4_999_999, 5_000_000, 23_400_000_001] {
            let cursor = Time::from_nanos(nanos);
            let (from, to) = around(cursor, Span::from_millis(10));
            assert!(from <= cursor && cursor < to && to.since(from) == Span::from_millis(10), "{from:?} {cursor:?}");
            assert!(nanos < 5_000_000 || cursor.since(from) >= Span::from_millis(5));
        }
        assert_eq!([500.0, 5.0, 100_000.0].map(|rate| usual(StageView::Messages, rate).as_ms()), [10.0, 1_000.0, 1.0]);
    }

    #[test]
    fn a_picture_has_few_requests_and_says_how_many_it_leaves_out() {
        let mut run = run();
        let few = SceneView::new(&mut run, &asked(StageView::Messages, 10.0, Span::from_millis(10)));
        assert!((2..=REQUESTS).contains(&few.groups.len()) && !few.note.contains("left out"), "{}", few.note);
        let asked = asked(StageView::Messages, 10.0, Span::from_millis(100));
        let many = SceneView::new(&mut run, &asked);
        let in_all = scene(&mut run, asked.from, asked.to)
            .messages
            .iter()
            .map(|one| one.request)
            .filter(|request| *request != RequestId::NONE)
            .collect::<std::collections::BTreeSet<_>>();
        assert_eq!(many.groups.len(), REQUESTS);
        assert!(many.note.contains(&format!("{} more are left out", in_all.len() - REQUESTS)), "{}", many.note);
        // Some were under way when the stretch began.
        let whole = many.groups.iter().find(|group| group.says.contains("Users to Gateway at "));
        assert!(whole.is_some_and(|group| !group.drawn.paths.is_empty()));
    }

    #[test]
    fn what_comes_later_is_neither_drawn_nor_told() {
        let mut run = run();
        let all = asked(StageView::Messages, 10.0, Span::from_millis(10));
        let half = SceneQuery { known_to: all.from + Span::from_millis(5), ..all };
        let view = SceneView::new(&mut run, &half);
        let middle = (view.axis.0 + view.axis.1) / 2.0;
        let paths = view
            .groups
            .iter()
            .flat_map(|group| &group.drawn.paths)
            .filter(|(class, _)| matches!(*class, "call" | "answer"));
        let ends: Vec<f64> = paths
            .flat_map(|(_, path)| path.split(['M', 'L']))
            .filter_map(|point| point.split(' ').nth(1)?.parse().ok())
            .collect();
        assert!(!ends.is_empty() && ends.iter().all(|y| *y <= middle + 7.0), "{ends:?}");
        let told = view.groups.iter().flat_map(|group| instants_ms(&group.says)).collect::<Vec<f64>>();
        assert!(!told.is_empty() && told.iter().all(|ms| *ms <= 5.0), "{told:?}");
    }

    /// Every instant of a sentence: `at 4.05 ms`, `at 120 µs`.
    fn instants_ms(says: &str) -> impl Iterator<Item = f64> {
        says.split(" at ").skip(1).map(move |rest| {
            let mut words = rest.split([' ', ',']);
            let number = words.next().and_then(|number| number.parse::<f64>().ok());
            let unit = match words.next().map(|unit| unit.trim_end_matches('.')) {
                Some("µs") => 1e-3,
                Some("ms") => 1.0,
                unit => panic!("{unit:?} in {says}"),
            };
            number.unwrap_or_else(|| panic!("{says}")) * unit
        })
    }

    #[test]
    fn a_message_whose_fate_nobody_knows_is_under_way_and_not_lost() {
        let mut whole = run();
        let window = asked(StageView::Messages, 10.0, Span::from_millis(10));
        let known = scene(&mut whole, window.from, window.to).messages;
        let answer = known.iter().rfind(|one| one.status.is_some() && one.arrived.is_some()).expect("there are some");
        // A run that ends while it is under way.
        let mut plan = plan("B");
        plan.end = Time::from_nanos((answer.sent.as_nanos() + answer.arrived.expect("it has").as_nanos()) / 2);
        let mut run = Run::new(Arc::new(plan));
        run.run_to_end();
        let query = SceneQuery { mine: Some(answer.request), alone: true, ..window };
        let view = SceneView::new(&mut run, &query);
        let group = &view.groups[0];
        assert!(group.says.ends_with("still under way.") && !group.says.contains("never arrived"), "{}", group.says);
        assert!(group.drawn.texts.iter().all(|(class, ..)| *class != "cross"), "{:?}", group.drawn);
        assert!(group.drawn.paths.iter().all(|(class, _)| *class != "lost"), "{:?}", group.drawn);
    }

    /// The stays that are drawn: row, left, right.
    fn blocks(drawn: &Drawn) -> impl Iterator<Item = (f64, f64, f64)> {
        let held = drawn.paths.iter().filter(|(class, _)| *class == "bar-held");
        held.flat_map(|(_, path)| path.split('M').skip(1)).map(|block| {
            let numbers: Vec<f64> =
                block.split([' ', 'h', 'v', 'z']).filter_map(|number| number.parse().ok()).collect();
            (numbers[1], numbers[0], numbers[0] + numbers[2])
        })
    }

    #[test]
    fn workers_stand_in_rows_that_never_overlap() {
        let mut run = run();
        for length in [10, 100, 1_000] {
            let view = SceneView::new(&mut run, &asked(StageView::Workers, 20.0, Span::from_millis(length)));
            assert_eq!(view.groups.len(), 5, "all nodes but the client and the monitor");
            let bottom =
                view.groups.iter().flat_map(|group| &group.drawn.texts).map(|(_, at, ..)| at.1).fold(0.0, f64::max);
            assert!(bottom < 300.0, "{length} ms: {bottom}");
            let mut blocks: Vec<(f64, f64, f64)> = view.groups.iter().flat_map(|group| blocks(&group.drawn)).collect();
            assert!(blocks.len() > 20, "{length} ms: {} blocks", blocks.len());
            blocks.sort_by(|a, b| (a.0, a.1).partial_cmp(&(b.0, b.1)).expect("numbers"));
            for pair in blocks.windows(2) {
                let [(row, _, end), (next_row, begin, _)] = [pair[0], pair[1]];
                // The shortest stay is drawn a pixel long.
                assert!(row != next_row || end <= begin + 1.1, "{length} ms: {pair:?}");
            }
        }
    }
}
