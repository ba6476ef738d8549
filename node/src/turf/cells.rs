//! Cells of the H3 grid: which one a point lies in, and which ones cover a boundary.

use super::{boundary::Boundary, position::Position};
use h3o::{CellIndex, LatLng, Resolution};
use protocol::fold::plan::PLAN_PLACES;
use std::collections::BTreeSet;

/// Resolutions in which an area is told to allies, the finest first: cells of about 0.1, 0.7 and 5 km².
const TOLD: [Resolution; 3] = [Resolution::Nine, Resolution::Eight, Resolution::Seven];
/// The most points of a boundary's box that are looked at; a larger box is covered more coarsely.
const SAMPLES: f64 = 400_000.0;
/// Metres of one degree of latitude.
const METRES: f64 = 111_320.0;

/// The cell of a resolution in which a point lies.
#[must_use]
pub fn cell_of(point: Position, resolution: Resolution) -> Option<CellIndex> {
    let (latitude, longitude) = point.degrees();
    Some(LatLng::new(latitude, longitude).ok()?.to_cell(resolution))
}

/// The corners of a cell.
#[must_use]
pub fn corners(cell: CellIndex) -> Vec<Position> {
    let corner = |corner: &LatLng| Position::of_degrees(corner.lat(), corner.lng()).ok();
    cell.boundary().iter().filter_map(corner).collect()
}

/// The cells that cover a boundary, as fine as a plan can name them; none when there are too many.
#[must_use]
pub fn covering(boundary: &Boundary) -> Option<BTreeSet<u64>> {
    TOLD.into_iter()
        .find_map(|resolution| cover(boundary, resolution))
}

/// Cells of any size as cells that a plan can name; none when there are too many.
#[must_use]
pub fn coarsened(cells: &BTreeSet<u64>) -> Option<BTreeSet<u64>> {
    TOLD.into_iter().find_map(|resolution| {
        let coarse = |cell: &u64| {
            let cell = CellIndex::try_from(*cell).ok()?;
            cell.parent(resolution.min(cell.resolution()))
                .map(u64::from)
        };
        let coarse: BTreeSet<u64> = cells.iter().filter_map(coarse).collect();
        (coarse.len() <= PLAN_PLACES).then_some(coarse)
    })
}

/// The cells on the boundary's edges and those with a point inside, looked at in steps that are far
/// smaller than a cell. A corner that it clips by a few metres may be missed.
fn cover(boundary: &Boundary, resolution: Resolution) -> Option<BTreeSet<u64>> {
    let (low, high) = boundary.box_around();
    let (south, west) = low.degrees();
    let (north, east) = high.degrees();
    // A quarter of the length of a cell's edge.
    let step = resolution.edge_length_m() / 4.0 / METRES;
    let narrow = (south.abs().max(north.abs()).to_radians().cos()).max(0.01);
    let (rows, columns) = ((north - south) / step, (east - west) * narrow / step);
    if (rows + 1.0) * (columns + 1.0) > SAMPLES {
        return None;
    }
    let mut cells = BTreeSet::new();
    let mut take = |latitude: f64, longitude: f64, certain: bool| {
        let point = Position::of_degrees(latitude, longitude).ok();
        let inside = point.filter(|point| certain || boundary.contains(*point));
        if let Some(cell) = inside.and_then(|point| cell_of(point, resolution)) {
            cells.insert(u64::from(cell));
        }
        cells.len() <= PLAN_PLACES
    };
    for ring in boundary.rings() {
        for (from, to) in ring.iter().zip(ring.iter().cycle().skip(1)) {
            let ((y, x), (to_y, to_x)) = (from.degrees(), to.degrees());
            let length = (to_y - y).abs().max((to_x - x).abs() * narrow);
            let steps = (length / step).ceil().max(1.0);
            let mut done = 0.0;
            while done < steps {
                let part = done / steps;
                if !take(y + (to_y - y) * part, x + (to_x - x) * part, true) {
                    return None;
                }
                done += 1.0;
            }
        }
    }
    let mut latitude = south;
    while latitude <= north {
        let mut longitude = west;
        while longitude <= east {
            if !take(latitude, longitude, false) {
                return None;
            }
            longitude += step / narrow;
        }
        latitude += step;
    }
    Some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(side: f64) -> Boundary {
        let (west, south) = (-75.2, 39.9);
        let (east, north) = (west + side, south + side);
        let ring = vec![(west, south), (east, south), (east, north), (west, north)];
        Boundary::new(vec![vec![ring]]).unwrap()
    }

    #[test]
    fn every_point_of_an_area_lies_in_a_cell_of_its_cover() {
        let area = square(0.02);
        let cells = covering(&area).unwrap();
        assert!(cells.len() > 20, "{}", cells.len());
        for x in 0..40 {
            for y in 0..40 {
                let (x, y) = (f64::from(x) / 2000.0, f64::from(y) / 2000.0);
                let point = Position::of_degrees(39.9 + y, -75.2 + x).unwrap();
                let cell = cell_of(point, Resolution::Nine).unwrap();
                assert!(cells.contains(&u64::from(cell)), "{x} {y}");
            }
        }
    }

    #[test]
    fn a_larger_area_gets_coarser_cells_and_a_country_none() {
        let resolution = |cells: &BTreeSet<u64>| {
            let first = cells.iter().next().copied().unwrap();
            CellIndex::try_from(first).unwrap().resolution()
        };
        assert_eq!(
            resolution(&covering(&square(0.2)).unwrap()),
            Resolution::Eight
        );
        assert_eq!(
            resolution(&covering(&square(0.6)).unwrap()),
            Resolution::Seven
        );
        assert_eq!(covering(&square(10.0)), None);
    }

    #[test]
    fn a_street_is_told_as_the_cells_that_it_crosses() {
        let street = Boundary::new(vec![vec![vec![
            (-75.2, 39.9),
            (-75.1, 39.9),
            (-75.1, 39.900_01),
            (-75.2, 39.900_01),
        ]]]);
        let cells = covering(&street.unwrap()).unwrap();
        assert!((20..60).contains(&cells.len()), "{}", cells.len());
    }
}
