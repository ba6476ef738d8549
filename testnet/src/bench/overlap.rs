//! A count of what two lists have in common: processor time of both parties, and bytes that travel.

use super::measure::{rounded, time};
use anyhow::{Context, Result};
use protocol::{
    codec,
    entry::overlap::{Cell, OVERLAP_VERSION, PassedList},
    id::{CoalitionId, EntryId, Hash},
    seal::{self, AgeIdentity},
    token::{
        Kind, Point,
        overlap::{Exponent, Raised, Setting, common},
    },
};
use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};
use serde_json::{Map, Value, json};

/// The least cell in which the count is told.
const MIN_CELL: u64 = 10;

/// Passes two lists of so many rows, half in common, around both parties, and counts.
///
/// # Errors
/// When a list does not read back or the count is wrong.
pub fn run(rows: u64) -> Result<Map<String, Value>> {
    let mut rng = ChaCha20Rng::seed_from_u64(1);
    let setting = Setting {
        coalition: CoalitionId([1; 16]),
        overlap: EntryId([2; 16]),
        generation: 1,
        kind: Kind::Phone,
    };
    let exponents = [Exponent::generate(&mut rng), Exponent::generate(&mut rng)];
    let identity = AgeIdentity::generate(&mut rng);
    let (mut own, mut again, mut sealing, mut bytes) = (0.0, 0.0, 0.0, 0);
    let mut finals = Vec::new();
    for (n, exponent) in (0_u8..).zip(&exponents) {
        let first = u64::from(n) * rows / 2;
        let points = (first..first + rows).map(point).collect();
        let (raised, took) = time(|| Raised::own(&setting, points, exponent));
        own += took.cpu;
        let (passed, took) = time(|| travel(n, 0, &raised, &identity));
        sealing += took.cpu;
        let (points, size) = passed?;
        bytes += size;
        let other = exponents.get(usize::from(1 - n)).context("two parties")?;
        let (raised, took) = time(|| Raised::again(&points, rows, other));
        again += took.cpu;
        let (passed, took) = time(|| travel(n, 1, &raised?, &identity));
        sealing += took.cpu;
        let (points, size) = passed?;
        bytes += size;
        finals.push(points);
    }
    let (counts, took) = time(|| -> Result<Vec<(u8, u64)>> {
        let read = finals.iter().map(|points| Raised::read(points, rows));
        Ok(common(&read.collect::<Result<Vec<_>, _>>()?))
    });
    let counts = counts?;
    let [(lists, count)] = counts.as_slice() else {
        anyhow::bail!("two lists have one part in common");
    };
    anyhow::ensure!(*count == rows - rows / 2, "the count is wrong: {count}");
    let cell = Cell::told(*lists, *count, &[rows, rows], MIN_CELL);
    let mut figures = Map::new();
    let seconds = own + again + sealing + took.cpu;
    for (name, value) in [
        ("rows_of_each_list", json!(rows)),
        ("parties", json!(2)),
        ("cpu_seconds_of_all", rounded(seconds)),
        ("cpu_seconds_raising_own_lists", rounded(own)),
        ("cpu_seconds_raising_others_lists", rounded(again)),
        ("cpu_seconds_sealing", rounded(sealing)),
        ("cpu_seconds_counting", rounded(took.cpu)),
        (
            "microseconds_per_row",
            rounded(seconds * 1e6 / (2 * rows.max(1)) as f64),
        ),
        (
            "bytes_per_row",
            rounded(bytes as f64 / (2 * rows.max(1)) as f64),
        ),
        ("told_at_least", json!(cell.at_least)),
    ] {
        figures.insert(name.to_owned(), value);
    }
    Ok(figures)
}

fn point(n: u64) -> Point {
    Point(Hash::of(&n.to_be_bytes()).0)
}

/// Seals a list as it travels and opens it again; its points and the bytes on the way.
fn travel(list: u8, step: u8, raised: &Raised, identity: &AgeIdentity) -> Result<(Vec<u8>, usize)> {
    let plain = codec::encode(&PassedList {
        version: OVERLAP_VERSION,
        overlap: EntryId([2; 16]),
        list,
        step,
        points: raised.to_bytes(),
    });
    let sealed = seal::seal(&plain, &[identity.recipient()])?;
    let opened = seal::open(&sealed, identity, plain.len())?;
    let read: PassedList = codec::decode(&opened)?;
    Ok((read.points, sealed.len()))
}
