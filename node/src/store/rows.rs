//! Statements over many rows at once: one trip to the database instead of one for each row.
//!
//! Their SQL text depends on the number of rows alone, so a full chunk's statement is prepared once.

use std::fmt::Write;

/// Rows of one statement; 23 columns of them stay far below what either database binds at most.
pub(super) const CHUNK: usize = 50;

/// `($1, $2), ($3, $4)`: places for so many rows of so many columns.
pub(super) fn places(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            let comma = if column == 0 { "" } else { ", " };
            write!(text, "{comma}${}", row * columns + column + 1).expect("a text takes all");
        }
        text.push(')');
    }
    text
}

/// The values to look for in chunks of one size, the last one filled up with a value of its own, so
/// that the places of a search are always the same.
pub(super) fn padded<'a>(values: &'a [&'a str]) -> impl Iterator<Item = Vec<&'a str>> {
    values.chunks(CHUNK).map(|chunk| {
        let mut chunk = chunk.to_vec();
        if let Some(last) = chunk.last().copied() {
            chunk.resize(CHUNK, last);
        }
        chunk
    })
}

/// `$3, $4, ...`: places for a padded chunk behind so many other parameters.
pub(super) fn wanted(before: usize) -> String {
    let places: Vec<String> = (1..=CHUNK).map(|n| format!("${}", before + n)).collect();
    places.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_numbered_through_all_rows() {
        assert_eq!(places(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(places(1, 1), "($1)");
    }

    #[test]
    fn a_short_chunk_is_filled_up_with_what_it_asks_for_anyway() {
        let chunks: Vec<Vec<&str>> = padded(&["a", "b"]).collect();
        assert_eq!(chunks.len(), 1);
        assert_eq!(chunks[0].len(), CHUNK);
        assert!(chunks[0][1..].iter().all(|value| *value == "b"));
        assert_eq!(padded(&[]).count(), 0);
    }
}
