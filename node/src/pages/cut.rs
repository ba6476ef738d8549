//! The first rows of something long, and how many there are besides.

/// Rows that are shown, and how many are not.
#[derive(Debug)]
pub struct Cut<T> {
    /// What is shown.
    pub rows: Vec<T>,
    /// How many rows are not.
    pub more: usize,
}

impl<T> Cut<T> {
    /// The first rows of an iterator.
    pub fn first(rows: impl IntoIterator<Item = T>, most: usize) -> Self {
        let mut rows = rows.into_iter();
        let shown = rows.by_ref().take(most).collect();
        Self {
            rows: shown,
            more: rows.count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_off_is_counted() {
        let cut = Cut::first(0..7, 3);
        assert_eq!((cut.rows, cut.more), (vec![0, 1, 2], 4));
        assert_eq!(Cut::first([1], 3).more, 0);
    }
}
