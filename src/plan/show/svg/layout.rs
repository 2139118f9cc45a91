//! Where everything of a diagram is drawn: hosts in columns by their distance from local, links in lanes
//! between the columns. Decides places only; the same diagram gives the same places.

use super::xml::{LINE, wide};
use crate::plan::show::diagram::{Arrow, Diagram};

/// Pixels around everything.
pub(super) const MARGIN: usize = 24;
/// Pixels where links fan out of a host, and where they come together at the next.
const FAN: usize = 40;
/// Pixels between hosts of one column.
const GAP: usize = 20;
/// Where hosts and links begin, below the title.
const TOP: usize = 52;
/// The most that local is moved down so that the links of one route run straight through tall hosts and
/// below tall labels.
const MOST_ABOVE: usize = 140;

/// Places for the boxes and arrows of a diagram.
pub(super) struct Layout {
    /// Right of everything.
    pub(super) width: usize,
    /// Below everything.
    pub(super) height: usize,
    /// For each box of the diagram.
    pub(super) boxes: Vec<Place>,
    /// For each arrow of the diagram.
    pub(super) ways: Vec<Way>,
}

/// A rectangle.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Place {
    pub(super) x: usize,
    pub(super) y: usize,
    pub(super) width: usize,
    pub(super) height: usize,
}

/// How an arrow runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// To the next column.
    Ahead,
    /// To a host of the same column: out, along it and back in.
    Beside,
    /// To any other column: below all hosts.
    Round,
}

/// Where an arrow is drawn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Way {
    /// How it runs.
    pub(super) turn: Turn,
    /// Where it leaves its host.
    pub(super) from: (usize, usize),
    /// Where it arrives.
    pub(super) to: (usize, usize),
    /// From where to where it runs in its own lane. No other label is there.
    pub(super) lane: (usize, usize),
    /// The height of that lane.
    pub(super) y: usize,
}

impl Layout {
    pub(super) fn new(diagram: &Diagram) -> Self {
        Draft::new(diagram).finish()
    }
}

/// Half the width of the tube around an arrow at this depth, when sessions go as deep as `deepest`.
pub(super) fn half(depth: usize, deepest: usize) -> usize {
    /// What a very deep nest of tubes adds at most.
    const MOST: usize = 24;
    4 + ((16 / deepest.max(1)).clamp(1, 4) * deepest.saturating_sub(depth)).min(MOST)
}

/// The deepest session of the diagram.
pub(super) fn deepest(diagram: &Diagram) -> usize {
    diagram.arrows.iter().filter_map(|arrow| arrow.tubes).map(|(_, inner)| inner).max().unwrap_or(0)
}

/// Half the height of an arrow, walls and tubes included.
pub(super) fn body(arrow: &Arrow, deepest: usize) -> usize {
    let tube = arrow.tubes.map_or(2, |(outer, _)| half(outer, deepest));
    if arrow.walls.is_empty() { tube } else { tube + 7 }
}

/// Pixels of text above and below the line of an arrow.
fn room(arrow: &Arrow, deepest: usize) -> (usize, usize) {
    let above = arrow.walls.len() + usize::from(arrow.ports.is_some());
    let body = body(arrow, deepest);
    (body + above * LINE + 6, body + arrow.riders.len() * LINE + 8)
}

/// A layout in the making.
struct Draft<'d> {
    diagram: &'d Diagram,
    deepest: usize,
    columns: Vec<Vec<usize>>,
    turns: Vec<Turn>,
    /// For each box, the arrows at its left and right side, from top to bottom; `true` where one arrives.
    left: Vec<Vec<usize>>,
    right: Vec<Vec<(usize, bool)>>,
    boxes: Vec<Place>,
    ways: Vec<Way>,
    /// Below everything so far.
    bottom: usize,
}

impl<'d> Draft<'d> {
    fn new(diagram: &'d Diagram) -> Self {
        let column = diagram.columns();
        let mut columns = vec![Vec::new(); column.iter().max().map_or(0, |last| last + 1)];
        for (place, column) in column.iter().enumerate() {
            columns[*column].push(place);
        }
        let turn = |arrow: &Arrow| match column[arrow.to].checked_sub(column[arrow.from]) {
            Some(0) => Turn::Beside,
            Some(1) => Turn::Ahead,
            _ => Turn::Round,
        };
        let turns: Vec<Turn> = diagram.arrows.iter().map(turn).collect();
        let (mut left, mut right) = (vec![Vec::new(); column.len()], vec![Vec::new(); column.len()]);
        // What the plan uses comes first, so that it runs straight.
        let mut order: Vec<usize> = (0..turns.len()).collect();
        order.sort_by_key(|&place| (turns[place] == Turn::Round, !diagram.arrows[place].used));
        for &place in &order {
            right[diagram.arrows[place].from].push((place, false));
        }
        for &place in &order {
            let arrow = &diagram.arrows[place];
            if turns[place] == Turn::Ahead || column[arrow.to] > column[arrow.from] {
                left[arrow.to].push(place);
            } else {
                right[arrow.to].push((place, true));
            }
        }
        let none = Way { turn: Turn::Ahead, from: (0, 0), to: (0, 0), lane: (0, 0), y: 0 };
        let (boxes, ways) = (vec![Place::default(); column.len()], vec![none; turns.len()]);
        let deepest = deepest(diagram);
        Draft { diagram, deepest, columns, turns, left, right, boxes, ways, bottom: TOP }
    }

    fn finish(mut self) -> Layout {
        let above = self.diagram.arrows.iter().map(|arrow| room(arrow, self.deepest).0);
        let tall = (0..self.boxes.len()).map(|place| self.height(place) / 2);
        let spine = TOP + above.chain(tall).max().unwrap_or(0).min(MOST_ABOVE);
        let mut x = MARGIN;
        for column in std::mem::take(&mut self.columns) {
            let (order, end) = self.column(column, x, spine);
            x = self.lanes(&order, end);
        }
        let mut width = x;
        for place in 0..self.turns.len() {
            if self.turns[place] == Turn::Round {
                width = width.max(self.round(place));
            }
        }
        Layout { width: width + MARGIN, height: self.bottom, boxes: self.boxes, ways: self.ways }
    }

    /// Pixels between two arrows at the side of a host.
    fn spacing(&self) -> usize {
        12.max(2 * half(1, self.deepest) + 6)
    }

    /// How tall a host is: its lines fit, and its arrows at either side.
    fn height(&self, place: usize) -> usize {
        let most = self.left[place].len().max(self.right[place].len()).max(1);
        let text = self.diagram.boxes[place].all().len() * LINE + 16;
        text.max((most - 1) * self.spacing() + 2 * half(1, self.deepest) + 8)
    }

    /// Where local stands so that its first arrow leaves at this height.
    fn start(&self, spine: usize) -> usize {
        spine.saturating_sub(self.port(self.boxes[0], 0, self.right[0].len().max(1)))
    }

    /// The height of the arrow at this place among so many at the side of a host.
    fn port(&self, of: Place, at: usize, among: usize) -> usize {
        of.y + (of.height - (among - 1) * self.spacing()) / 2 + at * self.spacing()
    }

    /// Puts the hosts of a column in their places. Gives them from top to bottom, and where the column ends.
    fn column(&mut self, column: Vec<usize>, x: usize, spine: usize) -> (Vec<usize>, usize) {
        let text = |place: &usize| self.diagram.boxes[*place].all().iter().map(|line| wide(line)).max();
        let width = column.iter().filter_map(text).max().unwrap_or(0) + 24;
        let mut wanted = Vec::with_capacity(column.len());
        for place in column {
            // From top to bottom as they arrive; those from below all hosts come last.
            let (turns, ways) = (&self.turns, &self.ways);
            self.left[place].sort_by_key(|&arrow| (turns[arrow] == Turn::Round, ways[arrow].y));
            let height = self.height(place);
            self.boxes[place] = Place { x, y: 0, width, height };
            let arrivals = &self.left[place];
            let ahead = |arrow: &usize| self.turns[*arrow] == Turn::Ahead;
            let used = arrivals.iter().position(|arrow| ahead(arrow) && self.diagram.arrows[*arrow].used);
            let first = used.or_else(|| arrivals.iter().position(ahead));
            let y = first.map(|at| {
                let offset = self.port(self.boxes[place], at, arrivals.len());
                self.ways[arrivals[at]].y.saturating_sub(offset)
            });
            let y = y.or_else(|| (place == 0).then(|| self.start(spine)));
            wanted.push((y.is_none(), y.unwrap_or(0), place));
        }
        wanted.sort_unstable();
        let mut free = TOP;
        for &(_, y, place) in &wanted {
            self.boxes[place].y = y.max(free);
            let of = self.boxes[place];
            free = of.y + of.height + GAP;
            self.bottom = self.bottom.max(of.y + of.height);
            for at in 0..self.left[place].len() {
                let y = self.port(of, at, self.left[place].len());
                self.ways[self.left[place][at]].to = (of.x, y);
            }
            for at in 0..self.right[place].len() {
                let end = (of.x + of.width, self.port(of, at, self.right[place].len()));
                let (arrow, arrives) = self.right[place][at];
                if arrives {
                    self.ways[arrow].to = end;
                } else {
                    self.ways[arrow].from = end;
                }
            }
        }
        (wanted.into_iter().map(|(_, _, place)| place).collect(), x + width)
    }

    /// Gives every arrow that leaves these hosts a lane of its own, right of `x`. Gives where the next column
    /// begins.
    fn lanes(&mut self, hosts: &[usize], x: usize) -> usize {
        let leaving = hosts.iter().flat_map(|&host| &self.right[host]);
        let mut here: Vec<usize> = leaving
            .filter(|(arrow, arrives)| !arrives && self.turns[*arrow] != Turn::Round)
            .map(|(arrow, _)| *arrow)
            .collect();
        let round =
            hosts.iter().flat_map(|&host| &self.right[host]).any(|(a, _)| self.turns[*a] == Turn::Round);
        if here.is_empty() {
            return if round { x + FAN } else { x };
        }
        let wanted = |way: &Way, turn: Turn| match turn {
            Turn::Beside => (way.from.1 + way.to.1) / 2,
            Turn::Ahead | Turn::Round => way.from.1,
        };
        here.sort_by_key(|&arrow| wanted(&self.ways[arrow], self.turns[arrow]));
        let text = here.iter().map(|&arrow| label(&self.diagram.arrows[arrow])).max().unwrap_or(0);
        let lane = (x + FAN, x + FAN + text.max(32));
        let mut free = TOP;
        for arrow in here {
            let (above, below) = room(&self.diagram.arrows[arrow], self.deepest);
            let (turn, way) = (self.turns[arrow], self.ways[arrow]);
            let mut y = wanted(&way, turn);
            let mut lane = lane;
            if turn == Turn::Beside && label(&self.diagram.arrows[arrow]) == 0 {
                // What says nothing needs no room, and may come closer to the hosts, to be told from others.
                lane.0 -= 6 * (arrow % 5);
            } else {
                y = y.max(free + above);
                free = y + below;
                self.bottom = self.bottom.max(free);
            }
            self.ways[arrow] = Way { turn, lane, y, ..way };
        }
        lane.1 + FAN
    }

    /// Leads an arrow below everything. Gives where its label ends.
    fn round(&mut self, place: usize) -> usize {
        let (arrow, way) = (&self.diagram.arrows[place], self.ways[place]);
        let step = |at: usize| 10 + 5 * (at % 5);
        let out = way.from.0 + step(place);
        let back = self.boxes[arrow.to].x < way.to.0;
        let into = if back { way.to.0 + step(place) } else { way.to.0.saturating_sub(step(place)) };
        let (above, below) = room(arrow, self.deepest);
        let y = self.bottom + above + 8;
        self.bottom = y + below;
        self.ways[place] = Way { turn: Turn::Round, lane: (out, into), y, ..way };
        out.min(into) + label(arrow) + 16
    }
}

/// How wide the label of an arrow is.
fn label(arrow: &Arrow) -> usize {
    let texts = arrow.walls.iter().chain(&arrow.ports).chain(&arrow.riders);
    texts.map(|text| wide(text)).max().unwrap_or(0).max(arrow.walls.len() * 12)
}
