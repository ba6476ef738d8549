//! How deep a rule is nested, told from its text before anything parses it.
//!
//! The parser and all that walks its trees go down one step of the stack per level, and a stack that
//! is full ends the program. Terms come from other members, so the depth is bounded first. A chain
//! such as `a && b && c` is a tree as deep as it is long.

use crate::rules::{Place, places};

/// The deepest nesting of a rule. Three times as deep still fits into the 2 MiB of a worker thread, as
/// measured without optimization.
pub(super) const MAX_DEPTH: usize = 32;

/// What stands between two brackets.
#[derive(Default)]
struct Level {
    /// Operators that put all that stands before them one deeper.
    chained: usize,
    /// The same within the operand that is being read.
    in_operand: usize,
    /// The deepest bracket within it.
    brackets: usize,
    /// The deepest operand so far.
    deepest: usize,
    /// The deepest part between commas so far.
    deepest_part: usize,
}

impl Level {
    fn end_operand(&mut self) {
        self.deepest = self.deepest.max(self.in_operand + self.brackets);
        self.in_operand = 0;
        self.brackets = 0;
    }

    fn end_part(&mut self) {
        self.end_operand();
        self.deepest_part = self.deepest_part.max(self.chained + self.deepest);
        self.chained = 0;
        self.deepest = 0;
    }

    fn depth(mut self) -> usize {
        self.end_part();
        self.deepest_part
    }
}

/// At least the depth of the tree that the text of one rule parses to.
pub(super) fn depth(source: &str) -> usize {
    let mut open: Vec<Level> = Vec::new();
    let mut here = Level::default();
    let mut previous = ' ';
    let mut word = String::new();
    for (_, c, place) in places(source) {
        if place != Place::Code {
            continue;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c);
            previous = c;
            continue;
        }
        // A choice holds its three parts, and the last of them may be another choice.
        here.chained += usize::from(word == "if");
        word.clear();
        match c {
            '(' | '[' | '{' => open.push(std::mem::take(&mut here)),
            ')' | ']' | '}' => {
                let inner = std::mem::replace(&mut here, open.pop().unwrap_or_default());
                here.brackets = here.brackets.max(inner.depth() + 1);
            }
            ',' | ';' => here.end_part(),
            '&' | '|' if previous == c => {
                here.end_operand();
                here.chained += 1;
            }
            '.' | '!' | '+' | '-' | '*' => here.in_operand += 1,
            _ => {}
        }
        previous = c;
    }
    while let Some(outer) = open.pop() {
        let inner = std::mem::replace(&mut here, outer);
        here.brackets = here.brackets.max(inner.depth() + 1);
    }
    here.depth()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_chains_and_choices_go_down() {
        for (text, expected) in [
            ("true", 0),
            ("a.b.c", 2),
            ("a && b || c", 2),
            ("(((a)))", 3),
            ("((a)) && b && c", 4),
            ("a.b && c.d.e && f", 4),
            ("[a, b.c, [d]]", 2),
            ("if a then b else if c then d else e", 2),
            ("!a && !b", 2),
            ("\"((((\" // [[[[\n", 0),
            ("((((", 4),
            (")))) a", 4),
        ] {
            assert_eq!(depth(text), expected, "{text}");
        }
    }

    #[test]
    fn long_rules_are_not_deep() {
        let parts = vec!["when { context.from.kind in [a, b] }"; 1_000].join(" ");
        assert!(depth(&parts) < 5);
    }
}
