//! Making a list of operations that shows a fault as short as it goes.

use super::op::Op;

/// Whether a list still shows the fault.
pub trait Shows {
    /// Runs a list.
    fn shows(&mut self, operations: &[Op]) -> impl Future<Output = bool>;
}

/// Leaves out ever smaller parts while the rest still shows the fault, at most `tries` times.
///
/// The result shows the fault; when the tries last, no single operation of it can be left out.
pub async fn shrink(operations: Vec<Op>, shows: &mut impl Shows, tries: usize) -> Vec<Op> {
    let mut rest = operations;
    let mut left = tries;
    let mut part = rest.len().div_ceil(2);
    while part > 0 {
        let mut from = 0;
        let mut shorter = false;
        while from < rest.len() && left > 0 {
            let to = (from + part).min(rest.len());
            let mut without = rest.clone();
            without.drain(from..to);
            left -= 1;
            if shows.shows(&without).await {
                rest = without;
                shorter = true;
            } else {
                from = to;
            }
        }
        if left == 0 || (part == 1 && !shorter) {
            break;
        }
        if !shorter || part > 1 {
            part = part.div_ceil(2).min(part.saturating_sub(1).max(1));
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows the fault while both nodes read.
    struct Both;

    impl Shows for Both {
        async fn shows(&mut self, operations: &[Op]) -> bool {
            let reads = |node| operations.contains(&Op::Read { node });
            reads(1) && reads(2)
        }
    }

    #[tokio::test]
    async fn what_is_not_needed_is_left_out() {
        let mut operations: Vec<Op> = (0..40).map(|node| Op::Push { node }).collect();
        operations.insert(7, Op::Read { node: 1 });
        operations.insert(31, Op::Read { node: 2 });
        let rest = shrink(operations, &mut Both, 1_000).await;
        assert_eq!(rest, [Op::Read { node: 1 }, Op::Read { node: 2 }]);
    }

    #[tokio::test]
    async fn a_list_stays_as_it_is_when_no_try_is_left() {
        let operations = vec![Op::Read { node: 1 }, Op::Read { node: 2 }, Op::Late];
        let rest = shrink(operations.clone(), &mut Both, 0).await;
        assert_eq!(rest, operations);
    }
}
