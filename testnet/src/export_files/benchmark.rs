//! Lists of any length for benchmarks, made row by row and never held in memory.

use std::io::{self, Write};

use super::van;
use crate::people::{County, Draw, OrganizationKind, Stream, first_row, row_key};

/// Streams a VAN saved list of this many rows; the county is the one that [`crate::people::World`] makes of the
/// same seed. Telephone numbers repeat after [`crate::people::Phone::CAPACITY`]; people, doors and e-mail
/// addresses do not (doors up to about five million rows).
///
/// # Errors
///
/// What the writer says.
pub fn van_rows<W: Write>(out: W, seed: u64, count: usize) -> io::Result<W> {
    let profile = OrganizationKind::C4.profile();
    let mut draw = Draw::new(seed, Stream::Benchmark);
    let mut table = van::begin(out)?;
    for (place, person) in County::new(Draw::new(seed, Stream::County))
        .take(count)
        .enumerate()
    {
        let key = row_key(profile.kind, place, &mut draw);
        table.line(&van::cells(&first_row(profile, &person, key, &mut draw)))?;
    }
    table.end()
}
