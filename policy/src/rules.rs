//! Rule texts: cut into single rules with their lines, and the law that is built in.

use cedar_policy::{Policy, PolicyId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Which of the three layers a rule belongs to. All three must allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// What the coalition signed.
    Agreement,
    /// Law packs and consent, built in.
    Law,
    /// The organization's own policy.
    Own,
}

impl Layer {
    /// Every layer, in the order in which they are explained.
    pub const ALL: [Self; 3] = [Self::Agreement, Self::Law, Self::Own];

    /// How the ids of its rules begin.
    pub(crate) fn prefixes(self) -> &'static [&'static str] {
        match self {
            Self::Agreement => &["ag."],
            Self::Law => &["law.", "con."],
            Self::Own => &["own."],
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Agreement => "agreement",
            Self::Law => "law",
            Self::Own => "own",
        })
    }
}

/// What people read about a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleText {
    /// Its id.
    pub id: String,
    /// Why it is there, as a sentence to the person who was refused.
    pub reason: String,
    /// Where it comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cite: Option<String>,
    /// What can be done about a refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The code of the table of bad inputs that the refusal stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// Whether it permits; else it forbids.
    pub permits: bool,
    /// Its layer.
    pub layer: Layer,
}

/// One rule that passed the linter.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) text: RuleText,
    pub(crate) policy: Policy,
}

/// One rule as it stands in a text.
pub(crate) struct Piece<'t> {
    pub(crate) source: &'t str,
    /// Line of its first character, from 1.
    pub(crate) line: usize,
}

/// The own policy of an organization that wrote none: what agreement and law allow may flow.
pub const OWN_DEFAULT: &str = "@id(\"own.permit\")
@reason(\"The organization has no rule of its own against it.\")
permit (principal, action, resource);
";

/// The day by which the law must be reviewed; on it, in UTC, the law is stale.
pub const LAW_REVIEW_BY: &str = "2027-06-30";

/// The beginning of [`LAW_REVIEW_BY`], in milliseconds since 1970.
pub const LAW_REVIEW_BY_MS: i64 = 1_814_313_600_000;

/// Whether the built-in law is still within its review date.
#[must_use]
pub fn law_pack_fresh(now_ms: i64) -> bool {
    now_ms < LAW_REVIEW_BY_MS
}

macro_rules! embedded {
    ($($path:literal,)*) => {
        &[$(($path, include_str!(concat!("../rules/", $path, ".cedar"))),)*]
    };
}

/// The built-in law and consent rules: path below `rules/`, text.
pub(crate) const LAW: &[(&str, &str)] = embedded![
    "consent/channel",
    "consent/field",
    "consent/force",
    "consent/onward",
    "consent/purpose",
    "consent/recipient",
    "consent/state",
    "law/agreement-current",
    "law/art9",
    "law/c3-fmv",
    "law/c3-partisan",
    "law/c3-persuasion",
    "law/confidential",
    "law/corp-union",
    "law/eu-ads",
    "law/evidence",
    "law/fec-names",
    "law/fed-value",
    "law/ie-firewall",
    "law/ie-firewall-reverse",
    "law/ie-taint",
    "law/jurisdiction",
    "law/legitimate-interest",
    "law/membership-9-2-d",
    "law/min-cell",
    "law/minor",
    "law/notices-overdue",
    "law/office-campaign",
    "law/pack-fresh",
    "law/permit",
    "law/state-unknown",
    "law/suppressed",
    "law/suspended",
    "law/suspended-flow",
    "law/tcpa",
    "law/tombstoned",
    "law/transfer",
    "law/uk-opinions",
    "law/uk-transfer",
    "law/union-roll",
    "law/voter-file",
];

/// One rule of the built-in law, as people read it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LawRule {
    /// What it says of itself.
    #[serde(flatten)]
    pub text: RuleText,
    /// The rule.
    pub source: &'static str,
}

/// The built-in law and consent rules: a template, not legal advice.
#[must_use]
pub fn law() -> Vec<LawRule> {
    let rules = crate::lint::load_law().expect("a test loads the built-in law");
    let sources = LAW.iter().map(|(_, source)| *source);
    rules
        .into_iter()
        .zip(sources)
        .map(|(rule, source)| LawRule {
            text: rule.text,
            source,
        })
        .collect()
}

/// The vectors of the built-in law, file by file.
pub(crate) const LAW_VECTORS: [&str; 4] = [
    include_str!("../rules/consent.vectors.toml"),
    include_str!("../rules/law-coalition.vectors.toml"),
    include_str!("../rules/law-elections.vectors.toml"),
    include_str!("../rules/law-people.vectors.toml"),
];

/// Cuts a text at the semicolons that end rules; strings and comments may hold others.
///
/// A last piece without a semicolon is kept if it holds anything but comments, so that the parser
/// can say what is missing.
pub(crate) fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = None;
    let mut line = 1;
    for (offset, c, place) in places(text) {
        let begins = place == Place::Code && !c.is_whitespace() && c != '/';
        if begins && start.is_none() {
            start = Some((offset, line));
        }
        if place == Place::Code && c == ';' {
            let (from, line) = start.take().unwrap_or((offset, line));
            pieces.push(Piece {
                source: text.get(from..=offset).unwrap_or_default(),
                line,
            });
        }
        line += usize::from(c == '\n');
    }
    if let Some((from, line)) = start {
        pieces.push(Piece {
            source: text.get(from..).unwrap_or_default(),
            line,
        });
    }
    pieces
}

/// In what a character of a rule text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The rule itself; the quote that opens a string and the slashes of a comment count as such.
    Code,
    /// A string, with the quote that closes it.
    Text,
    /// A comment, from behind its slashes to the end of the line.
    Comment,
}

/// Every character with its offset and its place.
pub(crate) fn places(text: &str) -> impl Iterator<Item = (usize, char, Place)> {
    let mut at = Place::Code;
    let mut previous = ' ';
    text.char_indices().map(move |(offset, c)| {
        let place = at;
        at = match (at, c) {
            (Place::Code, '"') => Place::Text,
            (Place::Code, '/') if previous == '/' => Place::Comment,
            (Place::Text, '"') if previous != '\\' => Place::Code,
            (Place::Comment, '\n') => Place::Code,
            (at, _) => at,
        };
        // An escaped backslash does not escape what follows it; a comment's slash opens no other.
        previous = if previous == '\\' && c == '\\' || place != at {
            ' '
        } else {
            c
        };
        (offset, c, place)
    })
}

/// Parses one rule under the id that stands in it, which Cedar itself ignores.
pub(crate) fn parse(source: &str) -> Result<Policy, Box<cedar_policy::ParseErrors>> {
    let policy = Policy::parse(None, source).map_err(Box::new)?;
    let id = policy.annotation("id").map(PolicyId::new);
    Ok(match id {
        Some(id) => policy.new_id(id),
        None => policy,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn semicolons_in_strings_and_comments_end_nothing() {
        let text = "// one; two\n@id(\"a;\\\"b;\")\npermit (principal, action, resource); // x;\n\nforbid (y);\n// end;";
        let pieces = split(text);
        assert_eq!(
            pieces.iter().map(|piece| piece.line).collect::<Vec<_>>(),
            [2, 5]
        );
        assert!(pieces[0].source.starts_with("@id") && pieces[0].source.ends_with("resource);"));
        assert_eq!(pieces[1].source, "forbid (y);");
    }

    #[test]
    fn an_unfinished_rule_is_kept_for_the_parser() {
        assert_eq!(split("permit (principal, action, resource)").len(), 1);
        assert_eq!(split("// nothing\n\n").len(), 0);
    }

    #[test]
    fn every_rule_file_is_built_in() {
        let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
        let mut found = Vec::new();
        for folder in ["consent", "law"] {
            for entry in std::fs::read_dir(root.join(folder)).unwrap() {
                let name = entry.unwrap().file_name().into_string().unwrap();
                found.push(format!("{folder}/{}", name.strip_suffix(".cedar").unwrap()));
            }
        }
        found.sort();
        assert_eq!(found, LAW.iter().map(|(path, _)| *path).collect::<Vec<_>>());
    }

    #[test]
    fn a_rule_file_holds_one_rule_named_like_the_file() {
        for (path, text) in LAW {
            let id = path.replace("consent/", "con.").replace("law/", "law.");
            let pieces = split(text);
            assert_eq!(pieces.len(), 1, "{path}");
            assert_eq!(
                parse(pieces[0].source).unwrap().annotation("id"),
                Some(id.as_str())
            );
        }
    }
}
