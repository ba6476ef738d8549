//! Cuts doors into packets that one canvasser walks.
//!
//! Doors with coordinates are halved again and again across their longer side, so packets stay compact;
//! the others follow street by street. The sizes within each of the two groups differ by one door at
//! most, and none is larger than was asked for. The same doors give the same packets, in whatever order
//! they come.

use super::position::Position;
use std::collections::BTreeMap;

/// A door to be put into a packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Door {
    /// What tells it from every other.
    pub id: String,
    /// Where it lies, if that is known.
    pub position: Option<Position>,
    /// Its street.
    pub street: String,
    /// Its house number.
    pub number: i64,
    /// What orders doors of one house: pieces of the unit.
    pub unit: Vec<(u64, String)>,
}

/// Doors in the order in which they are walked.
pub type Packet = Vec<Door>;

/// Packets of at most `size` doors, at least 1.
#[must_use]
pub fn cut(mut doors: Vec<Door>, size: usize) -> Vec<Packet> {
    let size = size.max(1);
    doors.sort_by(|a, b| along(a).cmp(&along(b)));
    fill_from_the_street(&mut doors);
    let (placed, others): (Vec<Door>, Vec<Door>) =
        doors.into_iter().partition(|door| door.position.is_some());
    let mut packets = Vec::new();
    let count = placed.len().div_ceil(size);
    halve(placed, count, &mut packets);
    let count = others.len().div_ceil(size);
    by_street(others, count, &mut packets);
    packets.into_iter().map(walk).collect()
}

/// Street order: each side of a street for itself, the odd one first.
fn along(door: &Door) -> (&str, bool, i64, &[(u64, String)], &str) {
    (
        &door.street,
        !is_odd(door),
        door.number,
        &door.unit,
        &door.id,
    )
}

fn is_odd(door: &Door) -> bool {
    door.number.rem_euclid(2) == 1
}

/// Gives doors without coordinates those of the nearest house number of their street.
fn fill_from_the_street(doors: &mut [Door]) {
    let mut known: BTreeMap<String, Vec<(i64, Position)>> = BTreeMap::new();
    for door in doors.iter().filter(|door| !door.street.is_empty()) {
        if let Some(position) = door.position {
            let street = known.entry(door.street.clone()).or_default();
            street.push((door.number, position));
        }
    }
    for street in known.values_mut() {
        street.sort_unstable();
    }
    for door in doors.iter_mut().filter(|door| door.position.is_none()) {
        let Some(street) = known.get(&door.street) else {
            continue;
        };
        let after = street.partition_point(|(number, _)| *number < door.number);
        let near = [after.checked_sub(1), Some(after)].into_iter().flatten();
        let nearest = near
            .filter_map(|n| street.get(n))
            .min_by_key(|(number, position)| (number.abs_diff(door.number), *position));
        door.position = nearest.map(|(_, position)| *position);
    }
}

/// Of so many doors those that the first `first` of `count` packets get.
fn share(doors: usize, count: usize, first: usize) -> usize {
    let (each, more) = (doors / count, doors % count);
    each * first + more * first / count
}

fn halve(mut doors: Vec<Door>, count: usize, packets: &mut Vec<Packet>) {
    if count <= 1 {
        if !doors.is_empty() {
            packets.push(doors);
        }
        return;
    }
    let town = latitude(&doors);
    let metres = |door: &Door| door.position.map_or((0.0, 0.0), |at| at.metres(town));
    let reach = |of: fn((f64, f64)) -> f64| {
        let all = doors.iter().map(|door| of(metres(door)));
        let (low, high) = all.fold((f64::MAX, f64::MIN), |(low, high), at| {
            (low.min(at), high.max(at))
        });
        high - low
    };
    let wide = reach(|(east, _)| east) > reach(|(_, north)| north);
    doors.sort_by_cached_key(|door| {
        let at = door.position.map_or((0, 0), |at| {
            // From north to south, as a page is read.
            let south = -i64::from(at.latitude);
            let east = i64::from(at.longitude);
            if wide { (east, south) } else { (south, east) }
        });
        let (street, side, number, unit, id) = along(door);
        let unit = unit.to_vec();
        (at, street.to_owned(), side, number, unit, id.to_owned())
    });
    let first = count / 2;
    let rest = doors.split_off(share(doors.len(), count, first));
    halve(doors, first, packets);
    halve(rest, count - first, packets);
}

/// Cuts doors that stand in street order.
fn by_street(mut doors: Vec<Door>, count: usize, packets: &mut Vec<Packet>) {
    for left in (1..=count).rev() {
        let rest = doors.split_off(doors.len().div_ceil(left));
        packets.push(std::mem::replace(&mut doors, rest));
    }
}

/// The middle latitude, in degrees.
fn latitude(doors: &[Door]) -> f64 {
    let points: Vec<Position> = doors.iter().filter_map(|door| door.position).collect();
    Position::middle(&points).map_or(0.0, |middle| middle.degrees().0)
}

/// Puts a packet's doors into walking order: up one side of a street and down the other, then on to
/// the street that begins nearest.
fn walk(doors: Packet) -> Packet {
    let town = latitude(&doors);
    let mut streets: BTreeMap<String, Vec<Door>> = BTreeMap::new();
    for door in doors {
        streets.entry(door.street.clone()).or_default().push(door);
    }
    let mut walked: Packet = Vec::new();
    while !streets.is_empty() {
        let from = walked.last().and_then(|door| door.position);
        let ways = streets.iter().flat_map(|(street, doors)| {
            [false, true].map(|down| (street, down, both_sides(doors.clone(), down)))
        });
        let way = |(street, down, doors): &(&String, bool, Packet)| {
            let start = doors.first().and_then(|door| door.position);
            let far = from
                .zip(start)
                .map_or(0, |(from, to)| square(from, to, town));
            (far, (*street).clone(), *down)
        };
        let Some((street, _, doors)) = ways.min_by_key(way) else {
            break;
        };
        let street = street.clone();
        streets.remove(&street);
        walked.extend(doors);
    }
    walked
}

/// The doors of a street: the odd side up and the even side down, or the other way round.
fn both_sides(mut doors: Packet, down: bool) -> Packet {
    let unit = |door: &Door| (door.unit.clone(), door.id.clone());
    doors.sort_by_cached_key(|door| {
        let falls = is_odd(door) == down;
        let number = if falls { -door.number } else { door.number };
        (!is_odd(door), number, unit(door))
    });
    doors
}

/// The square of a distance, in whole square metres.
fn square(from: Position, to: Position, town: f64) -> u64 {
    let (x, y) = from.metres(town);
    let (to_x, to_y) = to.metres(town);
    let square = (to_x - x).powi(2) + (to_y - y).powi(2);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a square of metres on Earth, never negative"
    )]
    let whole = square as u64;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Streets from west to east whose names say nothing about where they lie; houses face each other.
    fn town(streets: usize, houses: usize) -> Vec<Door> {
        let house = |street: usize, n: usize| {
            let name = format!("{:03} st", street * 37 % 101);
            let number = i64::try_from(n).unwrap() + 1;
            let y = 40.0 - 0.001 * street as f64 - 0.0001 * (n % 2) as f64;
            let x = -75.0 + 0.0002 * (n / 2) as f64;
            Door {
                id: format!("{name}-{number}"),
                position: Position::of_degrees(y, x).ok(),
                street: name,
                number,
                unit: Vec::new(),
            }
        };
        (0..streets)
            .flat_map(|street| (0..houses).map(move |n| house(street, n)))
            .collect()
    }

    /// How far canvassers walk in all, in metres.
    fn length(packets: &[Packet]) -> f64 {
        let step = |two: &[Door]| match (two[0].position, two[1].position) {
            (Some(a), Some(b)) => (square(a, b, 40.0) as f64).sqrt(),
            _ => 0.0,
        };
        let one = |packet: &Packet| packet.windows(2).map(step).sum::<f64>();
        packets.iter().map(one).sum()
    }

    /// The sum of the packets' widths and heights, in metres.
    fn spread(packets: &[Packet]) -> f64 {
        let one = |packet: &Packet| {
            let at: Vec<(f64, f64)> = packet
                .iter()
                .filter_map(|door| Some(door.position?.metres(40.0)))
                .collect();
            let reach = |of: fn(&(f64, f64)) -> f64| {
                let all = || at.iter().map(of);
                all().fold(f64::MIN, f64::max) - all().fold(f64::MAX, f64::min)
            };
            reach(|at| at.0) + reach(|at| at.1)
        };
        packets.iter().map(one).sum()
    }

    proptest! {
        #[test]
        fn every_door_is_in_one_packet_and_sizes_differ_by_one_at_most(
            count in 1..400_usize, size in 1..60_usize, every in 1..6_usize,
        ) {
            let mut doors: Vec<Door> = town(20, 20).into_iter().take(count).collect();
            for street in doors.chunks_mut(20).step_by(every) {
                street.iter_mut().for_each(|door| door.position = None);
            }
            let packets = cut(doors.clone(), size);
            let mut ids: Vec<&String> = packets.iter().flatten().map(|door| &door.id).collect();
            ids.sort();
            ids.dedup();
            prop_assert_eq!(ids.len(), count);
            for placed in [true, false] {
                let group = packets.iter().filter(|p| p[0].position.is_some() == placed);
                let sizes: Vec<usize> = group.map(Vec::len).collect();
                let (least, most) = (sizes.iter().min(), sizes.iter().max());
                if let (Some(least), Some(most)) = (least, most) {
                    prop_assert!(*most <= size && most - least <= 1, "{:?}", sizes);
                }
            }
        }
    }

    #[test]
    fn the_same_doors_give_the_same_packets_in_whatever_order_they_come() {
        let doors = town(12, 30);
        let mut turned = doors.clone();
        turned.reverse();
        turned.rotate_left(17);
        assert_eq!(cut(doors, 25), cut(turned, 25));
    }

    #[test]
    fn packets_are_compact_where_street_order_is_not() {
        let doors = town(20, 40);
        let packets = cut(doors.clone(), 45);
        let mut naive = doors;
        naive.sort_by(|a, b| (&a.street, a.number).cmp(&(&b.street, b.number)));
        let naive: Vec<Packet> = naive.chunks(45).map(<[Door]>::to_vec).collect();
        assert_eq!(packets.len(), naive.len());
        assert!(
            length(&packets) < 0.7 * length(&naive),
            "{} {}",
            length(&packets),
            length(&naive)
        );
        assert!(
            spread(&packets) < 0.7 * spread(&naive),
            "{} {}",
            spread(&packets),
            spread(&naive)
        );
    }

    #[test]
    fn a_street_is_walked_up_one_side_and_down_the_other() {
        let packets = cut(town(1, 6), 10);
        let numbers: Vec<i64> = packets[0].iter().map(|door| door.number).collect();
        assert_eq!(numbers, [1, 3, 5, 6, 4, 2]);
    }

    #[test]
    fn without_coordinates_streets_follow_each_other_side_by_side() {
        let mut doors = town(2, 6);
        doors.iter_mut().for_each(|door| door.position = None);
        let packets = cut(doors, 4);
        let walked = |n: usize| -> Vec<(&str, i64)> {
            let doors = packets[n].iter();
            doors
                .map(|door| (door.street.as_str(), door.number))
                .collect()
        };
        assert_eq!(
            walked(0),
            [("000 st", 1), ("000 st", 3), ("000 st", 5), ("000 st", 2)]
        );
        assert_eq!(packets.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 4]);
    }

    #[test]
    fn a_house_without_coordinates_goes_with_its_neighbours() {
        let mut doors = town(4, 40);
        doors[17].position = None;
        let id = doors[17].id.clone();
        let packets = cut(doors, 20);
        let packet = packets.iter().find(|p| p.iter().any(|door| door.id == id));
        let beside = packet
            .unwrap()
            .iter()
            .filter(|door| door.street == "000 st");
        assert!(beside.count() > 5);
        assert_eq!(packets.len(), 8);
    }

    #[test]
    fn flats_of_one_house_stay_in_order() {
        let flat = |unit: u64| Door {
            id: format!("flat {unit}"),
            position: Position::of_degrees(40.0, -75.0).ok(),
            street: "elm st".to_owned(),
            number: 12,
            unit: vec![(unit, String::new())],
        };
        let packets = cut([10, 2, 1].map(flat).to_vec(), 5);
        let ids: Vec<&str> = packets[0].iter().map(|door| door.id.as_str()).collect();
        assert_eq!(ids, ["flat 1", "flat 2", "flat 10"]);
    }

    #[test]
    fn nothing_to_cut_gives_no_packet() {
        assert!(cut(Vec::new(), 45).is_empty());
    }
}
