//! A drawing of the ground: cells that plans name, and the organization's own areas. It needs no map
//! from another server, and it never shows people.

use crate::{
    plans::show::Shown,
    turf::{
        area::{Area, Shape},
        cells,
        position::Position,
    },
};
use protocol::entry::plan::Place;
use std::fmt::Write;

/// The most cells that are drawn.
const CELLS: usize = 5_000;
/// The most corners of areas that are drawn.
const CORNERS: usize = 50_000;
/// The width of the drawing, in its own units, and its greatest height.
const SIZE: (f64, f64) = (900.0, 500.0);
/// The empty edge around everything.
const MARGIN: f64 = 16.0;

/// The drawing.
#[derive(Debug)]
pub struct Ground {
    pub(super) width: i64,
    pub(super) height: i64,
    pub(super) plans: Vec<Drawn>,
    pub(super) areas: Vec<Drawn>,
    /// Something was left out, because there is too much.
    pub(super) cut: bool,
}

/// One plan or area.
#[derive(Debug)]
pub(super) struct Drawn {
    /// The id of a plan; empty for areas.
    pub(super) id: String,
    pub(super) label: String,
    pub(super) mine: bool,
    /// What its outline is, as SVG's path data.
    pub(super) path: String,
}

/// Outlines before they are drawn.
struct Outlines {
    id: String,
    label: String,
    mine: bool,
    rings: Vec<Vec<Position>>,
}

impl Ground {
    /// What can be drawn of plans and areas; none when nothing can.
    pub(super) fn of(plans: &[Shown], areas: &[Area]) -> Option<Self> {
        let (mut cells_left, mut corners_left) = (CELLS, CORNERS);
        let mut cut = false;
        let mut of_plans = Vec::new();
        for plan in plans {
            let cells: Vec<u64> = plan.places.iter().filter_map(cell).collect();
            cut |= cells.len() > cells_left;
            let rings: Vec<Vec<Position>> = outlines(cells.iter().take(cells_left)).collect();
            cells_left -= rings.len();
            let who = if plan.mine {
                "Yours"
            } else {
                &plan.organization
            };
            of_plans.push(Outlines {
                id: plan.plan.to_string(),
                label: format!("{}: {who}", plan.label),
                mine: plan.mine,
                rings,
            });
        }
        let mut of_areas = Vec::new();
        for area in areas {
            let rings: Vec<Vec<Position>> = match &area.shape {
                Shape::Boundary(boundary) => boundary.rings().map(<[_]>::to_vec).collect(),
                Shape::Cells(cells) => outlines(cells.iter().take(CELLS)).collect(),
                Shape::Postal(_) | Shape::Precincts(_) => Vec::new(),
            };
            let corners: usize = rings.iter().map(Vec::len).sum();
            if corners > corners_left {
                cut = true;
                continue;
            }
            corners_left -= corners;
            of_areas.push(Outlines {
                id: String::new(),
                label: format!("Your area {}", area.name),
                mine: true,
                rings,
            });
        }
        let drawing = Drawing::around(of_plans.iter().chain(&of_areas))?;
        Some(Self {
            width: whole(SIZE.0),
            height: whole(drawing.height),
            plans: drawing.draw(of_plans),
            areas: drawing.draw(of_areas),
            cut,
        })
    }
}

fn cell(place: &Place) -> Option<u64> {
    match place {
        Place::Cell(index) => Some(*index),
        Place::Postal(_) | Place::Area(_) => None,
    }
}

fn outlines<'a>(cells: impl Iterator<Item = &'a u64>) -> impl Iterator<Item = Vec<Position>> {
    cells
        .filter_map(|index| h3o::CellIndex::try_from(*index).ok())
        .map(cells::corners)
}

/// Where points of the ground come on the paper.
struct Drawing {
    town: f64,
    west: f64,
    north: f64,
    /// Units per metre.
    unit: f64,
    height: f64,
}

impl Drawing {
    fn around<'a>(all: impl Iterator<Item = &'a Outlines>) -> Option<Self> {
        let points: Vec<Position> = all
            .flat_map(|one| one.rings.iter().flatten())
            .copied()
            .collect();
        let town = Position::middle(&points)?.degrees().0;
        let metres: Vec<(f64, f64)> = points.iter().map(|at| at.metres(town)).collect();
        let reach = |of: fn(&(f64, f64)) -> f64| {
            let all = metres.iter().map(of);
            all.fold((f64::MAX, f64::MIN), |(low, high), at| {
                (low.min(at), high.max(at))
            })
        };
        let ((west, east), (south, north)) = (reach(|at| at.0), reach(|at| at.1));
        let fits = |whole: f64, length: f64| (whole - 2.0 * MARGIN) / length.max(1.0);
        let unit = fits(SIZE.0, east - west).min(fits(SIZE.1, north - south));
        Some(Self {
            town,
            west,
            north,
            unit,
            height: 2.0 * MARGIN + (north - south) * unit,
        })
    }

    /// What has an outline.
    fn draw(&self, all: Vec<Outlines>) -> Vec<Drawn> {
        let drawn = all.into_iter().filter(|one| !one.rings.is_empty());
        drawn
            .map(|one| Drawn {
                path: one.rings.iter().map(|ring| self.path(ring)).collect(),
                id: one.id,
                label: one.label,
                mine: one.mine,
            })
            .collect()
    }

    fn path(&self, ring: &[Position]) -> String {
        let mut path = String::new();
        for (n, at) in ring.iter().enumerate() {
            let (x, y) = at.metres(self.town);
            let x = MARGIN + (x - self.west) * self.unit;
            let y = MARGIN + (self.north - y) * self.unit;
            let letter = if n == 0 { 'M' } else { 'L' };
            // Writing to a text does not fail.
            let _ = write!(path, "{letter}{x:.1} {y:.1}");
        }
        path.push('Z');
        path
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "units of a drawing, a few hundred"
)]
fn whole(length: f64) -> i64 {
    length.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::turf::boundary::Boundary;
    use protocol::{channel::Channel, id::EntryId};

    fn plan(places: &[&str]) -> Shown {
        Shown {
            plan: EntryId([7; 16]),
            organization: "Green Table".to_owned(),
            mine: false,
            channel: Channel::Door,
            from: 0,
            to: 1,
            purpose: "gotv".to_owned(),
            label: "Doors".to_owned(),
            volume: 400,
            places: places.iter().map(|place| place.parse().unwrap()).collect(),
            contact: "Ana".to_owned(),
            filed: 0,
            meets: Vec::new(),
        }
    }

    #[test]
    fn cells_and_areas_are_drawn_within_the_paper() {
        let ring = vec![(-75.3, 39.8), (-75.0, 39.8), (-75.0, 40.0), (-75.3, 40.0)];
        let area = Area {
            area_id: String::new(),
            name: "ward 5".to_owned(),
            shape: Shape::Boundary(Boundary::new(vec![vec![ring]]).unwrap()),
            created_at: 0,
        };
        let plans = [plan(&["cell:882a134d49fffff"]), plan(&["postal:us 19104"])];
        let ground = Ground::of(&plans, &[area]).unwrap();
        assert_eq!((ground.plans.len(), ground.areas.len()), (1, 1));
        assert!(ground.height <= whole(SIZE.1) && !ground.cut);
        assert_eq!(ground.plans[0].path.matches(['M', 'L']).count(), 6);
    }

    #[test]
    fn postal_codes_alone_are_no_drawing() {
        assert!(Ground::of(&[plan(&["postal:us 19104"])], &[]).is_none());
        assert!(Ground::of(&[], &[]).is_none());
    }
}
