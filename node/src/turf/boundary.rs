//! A boundary drawn on the ground, and whether a point lies inside.
//!
//! All of it is whole numbers, so that a point on an edge has one answer: it counts as lying a hair to
//! its north and east. Of two neighbours along an edge exactly one has it.

use super::position::Position;
use serde::{Deserialize, Serialize};

/// The most corners that a boundary has; a county drawn to the metre has fewer.
pub const BOUNDARY_POINTS: usize = 50_000;

/// A boundary: polygons, each as its rings. A ring within another is a hole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boundary(Vec<Polygon>);

/// Rings of corners, the first of which is not repeated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polygon(Vec<Vec<Position>>);

/// Why something drawn is no boundary.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoBoundary {
    /// No polygon in it.
    #[error("no area is drawn in it")]
    Empty,
    /// More corners than are taken.
    #[error(
        "it has more than {BOUNDARY_POINTS} corners; simplify it in the map tool that it comes from, to about ten metres"
    )]
    TooManyPoints,
    /// A corner is no point on the ground.
    #[error(
        "its coordinates are no degrees of latitude and longitude; save it as WGS 84 (EPSG:4326)"
    )]
    NotDegrees,
    /// A ring of fewer than three corners.
    #[error("one of its rings has fewer than three corners, so nothing lies inside")]
    TooFewCorners,
    /// Two edges cross.
    #[error(
        "it crosses itself near latitude {0}, longitude {1}; what is inside is not clear, so redraw it there"
    )]
    CrossesItself(f64, f64),
    /// It goes around the world.
    #[error("it spans more than half of the world; draw it on one side of the date line")]
    TooWide,
}

impl Boundary {
    /// A boundary of polygons, each as its rings of longitude and latitude.
    ///
    /// # Errors
    /// [`NoBoundary`].
    pub fn new(polygons: Vec<Vec<Vec<(f64, f64)>>>) -> Result<Self, NoBoundary> {
        let rings = polygons.iter().flatten();
        if rings.map(Vec::len).sum::<usize>() > BOUNDARY_POINTS {
            return Err(NoBoundary::TooManyPoints);
        }
        let polygons: Vec<Polygon> = polygons
            .into_iter()
            .filter(|rings| !rings.is_empty())
            .map(Polygon::new)
            .collect::<Result<_, _>>()?;
        if polygons.is_empty() {
            return Err(NoBoundary::Empty);
        }
        let boundary = Self(polygons);
        let (low, high) = boundary.box_around();
        if i64::from(high.longitude) - i64::from(low.longitude) > 180_000_000 {
            return Err(NoBoundary::TooWide);
        }
        Ok(boundary)
    }

    /// Whether a point lies inside.
    #[must_use]
    pub fn contains(&self, point: Position) -> bool {
        self.0.iter().any(|polygon| polygon.contains(point))
    }

    /// Every ring, holes too.
    pub fn rings(&self) -> impl Iterator<Item = &[Position]> {
        self.0
            .iter()
            .flat_map(|polygon| polygon.0.iter().map(Vec::as_slice))
    }

    /// The south-west and north-east corners of the box around it.
    #[must_use]
    pub fn box_around(&self) -> (Position, Position) {
        let all = || self.rings().flatten();
        let of = |coordinate: fn(&Position) -> i32| {
            let least = all().map(coordinate).min().unwrap_or(0);
            (least, all().map(coordinate).max().unwrap_or(0))
        };
        let (south, north) = of(|point| point.latitude);
        let (west, east) = of(|point| point.longitude);
        let corner = |latitude, longitude| Position {
            latitude,
            longitude,
        };
        (corner(south, west), corner(north, east))
    }
}

impl Polygon {
    fn new(rings: Vec<Vec<(f64, f64)>>) -> Result<Self, NoBoundary> {
        let rings: Vec<Vec<Position>> = rings.into_iter().map(ring).collect::<Result<_, _>>()?;
        let polygon = Self(rings);
        match polygon.crossing() {
            Some(near) => {
                let (latitude, longitude) = near.degrees();
                Err(NoBoundary::CrossesItself(latitude, longitude))
            }
            None => Ok(polygon),
        }
    }

    fn edges(&self) -> impl Iterator<Item = (Position, Position)> {
        self.0.iter().flat_map(|ring| {
            let next = ring.iter().cycle().skip(1);
            ring.iter().copied().zip(next.copied())
        })
    }

    /// Counts the edges east of the point: inside there is an odd number.
    fn contains(&self, point: Position) -> bool {
        let east = |(a, b): &(Position, Position)| {
            let (low, high) = if a.latitude <= b.latitude {
                (*a, *b)
            } else {
                (*b, *a)
            };
            // An edge counts at its lower end and not at its upper, so corners count once; a point on
            // an edge has it behind itself.
            low.latitude <= point.latitude
                && point.latitude < high.latitude
                && turn(low, high, point) > 0
        };
        self.edges().filter(east).count() % 2 == 1
    }

    /// A corner near which two edges cross. Edges that only touch are no harm.
    fn crossing(&self) -> Option<Position> {
        let west = |(a, b): &(Position, Position)| a.longitude.min(b.longitude);
        let east = |(a, b): &(Position, Position)| a.longitude.max(b.longitude);
        let mut edges: Vec<(Position, Position)> = self.edges().collect();
        edges.sort_unstable_by_key(west);
        edges.iter().enumerate().find_map(|(n, edge)| {
            let reach = east(edge);
            edges[n + 1..]
                .iter()
                .take_while(|other| west(other) <= reach)
                .find(|other| cross(*edge, **other))
                .map(|_| edge.0)
        })
    }
}

/// A ring without its repeated corners.
fn ring(points: Vec<(f64, f64)>) -> Result<Vec<Position>, NoBoundary> {
    let position = |(longitude, latitude): (f64, f64)| {
        Position::of_degrees(latitude, longitude).map_err(|_| NoBoundary::NotDegrees)
    };
    let mut ring: Vec<Position> = points.into_iter().map(position).collect::<Result<_, _>>()?;
    ring.dedup();
    while ring.len() > 1 && ring.first() == ring.last() {
        ring.pop();
    }
    if ring.len() < 3 {
        return Err(NoBoundary::TooFewCorners);
    }
    Ok(ring)
}

/// Positive where `point` lies left of the way from `a` to `b`, negative right of it, 0 on its line.
/// Differences of millionths of a degree stay below 2^29, so products fit.
fn turn(a: Position, b: Position, point: Position) -> i64 {
    let by = |from: i32, to: i32| i64::from(to) - i64::from(from);
    by(a.longitude, b.longitude) * by(a.latitude, point.latitude)
        - by(a.latitude, b.latitude) * by(a.longitude, point.longitude)
}

fn cross((a, b): (Position, Position), (c, d): (Position, Position)) -> bool {
    let sides = |one: i64, other: i64| one.signum() * other.signum() < 0;
    a.latitude.max(b.latitude) >= c.latitude.min(d.latitude)
        && c.latitude.max(d.latitude) >= a.latitude.min(b.latitude)
        && sides(turn(a, b, c), turn(a, b, d))
        && sides(turn(c, d, a), turn(c, d, b))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn polygon(corners: &[(f64, f64)]) -> Result<Boundary, NoBoundary> {
        Boundary::new(vec![vec![corners.to_vec()]])
    }

    fn at(longitude: f64, latitude: f64) -> Position {
        Position::of_degrees(latitude, longitude).unwrap()
    }

    /// A block of whole thousandths of a degree.
    fn block(west: f64, south: f64) -> Boundary {
        let (east, north) = (west + 0.001, south + 0.001);
        polygon(&[(west, south), (east, south), (east, north), (west, north)]).unwrap()
    }

    #[test]
    fn a_point_on_an_edge_belongs_to_exactly_one_of_two_neighbours() {
        let (west, east) = (block(-75.002, 40.0), block(-75.001, 40.0));
        for step in 0..=1000 {
            let point = at(-75.001, 40.0 + f64::from(step) / 1_000_000.0);
            let has = [&west, &east].map(|block| block.contains(point));
            let last = step == 1000; // the corner above belongs to a block further north
            assert_eq!(
                has.iter().filter(|has| **has).count(),
                usize::from(!last),
                "{step}"
            );
        }
    }

    #[test]
    fn a_corner_of_four_blocks_belongs_to_exactly_one() {
        let blocks = [
            (-75.002, 40.0),
            (-75.001, 40.0),
            (-75.002, 40.001),
            (-75.001, 40.001),
        ];
        let corner = at(-75.001, 40.001);
        let has = blocks
            .iter()
            .filter(|(w, s)| block(*w, *s).contains(corner));
        assert_eq!(has.count(), 1);
    }

    proptest! {
        #[test]
        fn two_parts_of_a_cut_block_never_share_and_never_lose_a_point(
            cut in 1..999_i32, x in 0..1000_i32, y in 0..1000_i32, slant in 1..999_i32,
        ) {
            let at = |x: i32, y: i32| (-75.0 + f64::from(x) / 1e6, 40.0 + f64::from(y) / 1e6);
            let left = polygon(&[at(0, 0), at(cut, 0), at(slant, 1000), at(0, 1000)]).unwrap();
            let right = polygon(&[at(cut, 0), at(1000, 0), at(1000, 1000), at(slant, 1000)]).unwrap();
            let (longitude, latitude) = at(x, y);
            let point = Position::of_degrees(latitude, longitude).unwrap();
            prop_assert!(left.contains(point) != right.contains(point));
        }
    }

    #[test]
    fn a_hole_is_outside() {
        let outer = vec![(-75.0, 40.0), (-74.0, 40.0), (-74.0, 41.0), (-75.0, 41.0)];
        let hole = vec![(-74.6, 40.4), (-74.4, 40.4), (-74.4, 40.6), (-74.6, 40.6)];
        let ring = Boundary::new(vec![vec![outer, hole]]).unwrap();
        assert!(ring.contains(at(-74.8, 40.5)));
        assert!(!ring.contains(at(-74.5, 40.5)));
    }

    #[test]
    fn what_crosses_itself_is_refused_with_the_place() {
        let bow = polygon(&[(-75.0, 40.0), (-74.0, 41.0), (-74.0, 40.0), (-75.0, 41.0)]);
        assert!(matches!(bow, Err(NoBoundary::CrossesItself(..))), "{bow:?}");
        let outer = vec![(-75.0, 40.0), (-74.0, 40.0), (-74.0, 41.0), (-75.0, 41.0)];
        let over = vec![(-74.5, 40.4), (-73.5, 40.4), (-73.5, 40.6), (-74.5, 40.6)];
        let sticking_out = Boundary::new(vec![vec![outer, over]]);
        assert!(matches!(sticking_out, Err(NoBoundary::CrossesItself(..))));
    }

    #[test]
    fn what_bounds_nothing_is_refused() {
        for (corners, why) in [
            (
                vec![(-75.0, 40.0), (-74.0, 40.0), (-75.0, 40.0)],
                NoBoundary::TooFewCorners,
            ),
            (vec![(485_000.0, 4_420_000.0); 4], NoBoundary::NotDegrees),
            (
                vec![(-179.0, 1.0), (179.0, 1.0), (0.0, 50.0)],
                NoBoundary::TooWide,
            ),
            (
                vec![(-75.0, 40.0); BOUNDARY_POINTS + 1],
                NoBoundary::TooManyPoints,
            ),
        ] {
            assert_eq!(polygon(&corners), Err(why));
        }
        assert_eq!(Boundary::new(Vec::new()), Err(NoBoundary::Empty));
    }
}
