//! A point on the ground.

use serde::{Deserialize, Serialize};

/// Parts of a degree that are told apart: a millionth, about eleven centimetres.
const PER_DEGREE: f64 = 1_000_000.0;
/// Metres of one degree of latitude.
const METRES: f64 = 111_320.0;

/// A point in whole millionths of a degree (WGS 84), so that whether it lies on a line has one answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Position {
    /// North of the equator.
    pub latitude: i32,
    /// East of Greenwich.
    pub longitude: i32,
}

/// Why coordinates name no point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoPosition {
    /// Not a number, or not between the poles and the date line.
    #[error("a latitude lies between -90 and 90 degrees, a longitude between -180 and 180")]
    Range,
    /// Both zero: what files have for "unknown".
    #[error("both coordinates are zero, which files have for \"unknown\"")]
    Zero,
}

impl Position {
    /// A point of two numbers of degrees.
    ///
    /// # Errors
    /// [`NoPosition`].
    pub fn of_degrees(latitude: f64, longitude: f64) -> Result<Self, NoPosition> {
        // Not a number is in no range.
        if !(-90.0..=90.0).contains(&latitude) || !(-180.0..=180.0).contains(&longitude) {
            return Err(NoPosition::Range);
        }
        #[expect(
            clippy::cast_possible_truncation,
            reason = "180 million at most, as was just checked"
        )]
        let whole = |degrees: f64| (degrees * PER_DEGREE).round() as i32;
        let position = Self {
            latitude: whole(latitude),
            longitude: whole(longitude),
        };
        if position.latitude == 0 && position.longitude == 0 {
            return Err(NoPosition::Zero);
        }
        Ok(position)
    }

    /// A point as a file writes it; a comma is no decimal point.
    ///
    /// # Errors
    /// [`NoPosition`].
    pub fn parse(latitude: &str, longitude: &str) -> Result<Self, NoPosition> {
        let number = |text: &str| text.trim().parse::<f64>().map_err(|_| NoPosition::Range);
        Self::of_degrees(number(latitude)?, number(longitude)?)
    }

    /// Latitude and longitude in degrees.
    #[must_use]
    pub fn degrees(self) -> (f64, f64) {
        (
            f64::from(self.latitude) / PER_DEGREE,
            f64::from(self.longitude) / PER_DEGREE,
        )
    }

    /// Metres east and north of a place in which 0, 0 lies far away: right for distances within a town
    /// whose latitude, in degrees, is given.
    #[must_use]
    pub fn metres(self, town_latitude: f64) -> (f64, f64) {
        let (latitude, longitude) = self.degrees();
        (
            longitude * METRES * town_latitude.to_radians().cos(),
            latitude * METRES,
        )
    }

    /// The point of middle latitude and middle longitude; none of none.
    #[must_use]
    pub fn middle(points: &[Self]) -> Option<Self> {
        let of = |coordinate: fn(&Self) -> i32| {
            let mut all: Vec<i32> = points.iter().map(coordinate).collect();
            all.sort_unstable();
            all.get(all.len() / 2).copied()
        };
        Some(Self {
            latitude: of(|point| point.latitude)?,
            longitude: of(|point| point.longitude)?,
        })
    }

    /// Latitude and longitude as the database has them.
    #[must_use]
    pub fn of_stored(latitude: i64, longitude: i64) -> Option<Self> {
        Some(Self {
            latitude: i32::try_from(latitude).ok()?,
            longitude: i32::try_from(longitude).ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn degrees_become_millionths_and_come_back() {
        let position = Position::parse(" 39.952583", "-75.165222 ").unwrap();
        assert_eq!(
            (position.latitude, position.longitude),
            (39_952_583, -75_165_222)
        );
        assert_eq!(position.degrees(), (39.952_583, -75.165_222));
    }

    #[test]
    fn what_is_no_point_on_the_ground_is_refused() {
        for (latitude, longitude, why) in [
            ("", "-75", NoPosition::Range),
            ("39,95", "-75,16", NoPosition::Range),
            ("NaN", "-75", NoPosition::Range),
            ("inf", "-75", NoPosition::Range),
            ("-91", "0", NoPosition::Range),
            ("39.9", "-275", NoPosition::Range),
            ("0", "0.0", NoPosition::Zero),
        ] {
            assert_eq!(
                Position::parse(latitude, longitude),
                Err(why),
                "{latitude} {longitude}"
            );
        }
    }
}
