//! Where the parts of the system stand, and the way between them. Sizes are in CSS pixels, so text keeps its size.

use sandbox_core::ids::NodeId;
use sandbox_core::scenario::{Kind, NodePlan, Plan};

/// Half the width and height of a part's box where there is room.
const HALF: (f64, f64) = (56.0, 32.0);
/// Room kept free between two boxes: for a link, and beside each other.
const BETWEEN: (f64, f64) = (18.0, 10.0);
/// Room kept free at the rim.
const RIM: f64 = 12.0;
/// Room kept free for the legend at the bottom.
const LEGEND: f64 = 26.0;
/// The corner in which the choice of pictures stands: width and height.
const CORNER: (f64, f64) = (112.0, 38.0);

/// Parts and links, placed.
#[derive(Clone, Debug, PartialEq)]
pub struct Layout {
    /// Width and height of the drawing.
    pub size: (f64, f64),
    /// Half the width and height of a part's box: smaller where many stand one behind the other.
    pub half: (f64, f64),
    /// Whether requests go from top to bottom, not from left to right.
    pub vertical: bool,
    /// The parts; monitors are not drawn.
    pub parts: Vec<Part>,
    /// The links, caller first.
    pub links: Vec<Link>,
}

/// A part, by its centre.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Which.
    pub node: NodeId,
    /// Centre.
    pub x: f64,
    /// Centre.
    pub y: f64,
    /// What people call it.
    pub name: String,
}

/// A link between two parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// The caller.
    pub from: NodeId,
    /// The callee.
    pub to: NodeId,
    /// The curve's four points.
    curve: [(f64, f64); 4],
}

impl Link {
    /// The curve as an SVG path.
    pub fn path(&self) -> String {
        let [a, b, c, d] = self.curve;
        format!("M{:.1} {:.1}C{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}", a.0, a.1, b.0, b.1, c.0, c.1, d.0, d.1)
    }

    /// The point at this share of the way from the caller.
    pub fn point(&self, share: f64) -> (f64, f64) {
        let (p, q) = (share, 1.0 - share);
        let mix =
            |a: f64, b: f64, c: f64, d: f64| q * q * q * a + 3.0 * q * q * p * b + 3.0 * q * p * p * c + p * p * p * d;
        let [a, b, c, d] = self.curve;
        (mix(a.0, b.0, c.0, d.0), mix(a.1, b.1, c.1, d.1))
    }
}

impl Layout {
    /// Places the parts of a plan in a drawing of this size: in layers by how far they are from the clients.
    pub fn new(plan: &Plan, size: (f64, f64)) -> Layout {
        let layout = Layout::below(plan, size, 0.0);
        let (width, height) = layout.half;
        let is_covered = |part: &Part| part.x - width < CORNER.0 && part.y - height < CORNER.1;
        if layout.parts.iter().any(is_covered) { Layout::below(plan, size, CORNER.1 - RIM) } else { layout }
    }

    /// The same with so much left free at the top.
    fn below(plan: &Plan, size: (f64, f64), top: f64) -> Layout {
        let vertical = size.0 < 480.0;
        let layers = layers(plan);
        let height = size.1 - LEGEND - top;
        let (along, across) = if vertical { (height, size.0) } else { (size.0, height) };
        let widest = layers.iter().map(Vec::len).max().unwrap_or(1);
        let share = |room: f64, count: usize, between: f64| (room - 2.0 * RIM + between) / count as f64 - between;
        let (deep, wide) = (share(along, layers.len(), BETWEEN.0), share(across, widest, BETWEEN.1));
        let most = if vertical { (wide, deep) } else { (deep, wide) };
        let half = (HALF.0.min(most.0 / 2.0), HALF.1.min(most.1 / 2.0));
        let (half_along, half_across) = if vertical { (half.1, half.0) } else { half };
        let spread = |count: usize, index: usize, room: f64, half: f64, gap_most: f64| {
            let gap = match count {
                1 => 0.0,
                count => ((room - 2.0 * (half + RIM)) / (count - 1) as f64).min(gap_most),
            };
            room / 2.0 + gap * (index as f64 - (count - 1) as f64 / 2.0)
        };
        let mut parts = Vec::new();
        for (depth, layer) in layers.iter().enumerate() {
            let a = spread(layers.len(), depth, along, half_along, if vertical { 118.0 } else { 190.0 });
            for (index, node) in layer.iter().enumerate() {
                let b = spread(layer.len(), index, across, half_across, 176.0);
                let (x, y) = if vertical { (b, a) } else { (a, b) };
                parts.push(Part { node: *node, x, y: y + top, name: name_of(&plan.nodes[node.index()]) });
            }
        }
        let mut links = Vec::new();
        for from in &parts {
            for to in plan.nodes[from.node.index()].calls.iter().flat_map(|call| &call.targets) {
                if let Some(to) = parts.iter().find(|part| part.node == *to) {
                    links.push(Link { from: from.node, to: to.node, curve: curve(from, to, half, vertical) });
                }
            }
        }
        Layout { size, half, vertical, parts, links }
    }

    /// The link between two parts, and whether it was asked for backwards.
    pub fn link(&self, from: NodeId, to: NodeId) -> Option<(&Link, bool)> {
        let forth = self.links.iter().find(|link| link.from == from && link.to == to).map(|link| (link, false));
        forth.or_else(|| self.links.iter().find(|link| link.from == to && link.to == from).map(|link| (link, true)))
    }
}

/// What people call a node: a replica by its own id, everything else by its title.
pub fn name_of(node: &NodePlan) -> String {
    if node.id == node.group { node.title.clone() } else { node.id.clone() }
}

/// The nodes by their longest way from a client, monitors left out.
fn layers(plan: &Plan) -> Vec<Vec<NodeId>> {
    let mut depth = vec![0usize; plan.nodes.len()];
    // A plan has no call cycle, so as many rounds as there are nodes settle every depth.
    for _ in 0..plan.nodes.len() {
        let mut changed = false;
        for (index, node) in plan.nodes.iter().enumerate() {
            if matches!(node.kind, Kind::Monitor(_)) {
                continue;
            }
            for target in node.calls.iter().flat_map(|call| &call.targets) {
                if depth[target.index()] < depth[index] + 1 {
                    depth[target.index()] = depth[index] + 1;
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    let mut layers = vec![Vec::new(); depth.iter().max().map_or(0, |deepest| deepest + 1)];
    for (index, node) in plan.nodes.iter().enumerate() {
        if !matches!(node.kind, Kind::Monitor(_)) {
            layers[depth[index]].push(NodeId(index as u16));
        }
    }
    layers.retain(|layer| !layer.is_empty());
    layers
}

fn curve(from: &Part, to: &Part, half: (f64, f64), vertical: bool) -> [(f64, f64); 4] {
    if vertical {
        let (a, d) = ((from.x, from.y + half.1), (to.x, to.y - half.1));
        let middle = (a.1 + d.1) / 2.0;
        [a, (a.0, middle), (d.0, middle), d]
    } else {
        let (a, d) = ((from.x + half.0, from.y), (to.x - half.0, to.y));
        let middle = (a.0 + d.0) / 2.0;
        [a, (middle, a.1), (middle, d.1), d]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::testing::plan;

    #[test]
    fn parts_stand_in_layers_and_never_overlap() {
        for size in [(626.0, 376.0), (560.0, 190.0), (750.0, 236.0), (350.0, 452.0), (304.0, 452.0)] {
            let layout = Layout::new(&plan("B"), size);
            assert_eq!(layout.parts.len(), 6);
            assert_eq!(layout.links.len(), 1 + 2 + 4);
            nothing_overlaps(&layout);
        }
    }

    #[test]
    fn the_systems_of_all_lessons_find_room() {
        for (id, path, json) in lessons::SCENARIOS {
            let document = sandbox_core::scenario::Document::parse(json).expect(path);
            let knobs = document.spec().expect(id).knobs;
            let replicas = knobs.values().filter(|knob| knob.path.ends_with(".replicas"));
            let most = replicas.map(|knob| (knob.path.clone(), serde_json::Value::from(knob.max as u32)));
            let most: Vec<_> = most.collect();
            for variant in document.variants() {
                let plan = document.plan(&variant, &most).expect(id);
                for size in [(538.0, 300.0), (750.0, 236.0), (350.0, 452.0), (296.0, 452.0)] {
                    nothing_overlaps(&Layout::new(&plan, size));
                }
            }
        }
    }

    fn nothing_overlaps(layout: &Layout) {
        let ((w, h), size) = (layout.half, layout.size);
        for (index, a) in layout.parts.iter().enumerate() {
            assert!(a.x - w >= 0.0 && a.x + w <= size.0 && a.y - h >= 0.0 && a.y + h <= size.1, "{layout:?}");
            assert!(
                a.x - w >= CORNER.0 || a.y - h >= CORNER.1 - 1e-6,
                "{} is covered by the choice at {size:?}",
                a.name
            );
            for b in &layout.parts[..index] {
                let apart = (a.x - b.x).abs() >= 2.0 * w || (a.y - b.y).abs() >= 2.0 * h;
                assert!(apart, "{} and {} overlap at {size:?}", a.name, b.name);
            }
        }
    }

    #[test]
    fn a_link_leads_from_edge_to_edge() {
        let layout = Layout::new(&plan("A"), (626.0, 376.0));
        let (link, backwards) =
            layout.link(layout.parts[1].node, layout.parts[0].node).expect("users call the gateway");
        assert!(backwards);
        assert_eq!(link.point(0.0), (layout.parts[0].x + layout.half.0, layout.parts[0].y));
        assert_eq!(link.point(1.0), (layout.parts[1].x - layout.half.0, layout.parts[1].y));
    }
}
