//! What the agreement states of each member, as people read it and as they change it.
//!
//! A change is a small TOML file with a table per organization; what it leaves out stays as it was.
//! The same form comes out of `commonturf agreement parties`, so that people edit what they see.

use super::members;
use crate::http::problem::Failure;
use policy::Jurisdiction;
use protocol::{
    agreement::{
        Party,
        facts::{Attestation, Facts},
    },
    id::NodeId,
    identity::Name,
    state::State,
};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use toml::Spanned;

/// The longest file of changes, in bytes: more than a full coalition needs.
const CHANGES_BYTES: usize = 256 * 1024;

/// What the agreement states of one member.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stated {
    /// Its node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// Its legal kind.
    pub kind: String,
    /// Where it is established.
    pub jurisdiction: String,
    /// Whether it takes part in federal elections.
    pub federal: bool,
    /// Whether it is a corporation.
    pub incorporated: bool,
    /// Whether a basis for transfers out of the EEA is on file.
    pub transfer_basis: bool,
    /// Races in which it coordinates with a candidate.
    pub coordinated: Vec<String>,
    /// Races in which it spends independently.
    pub independent: Vec<String>,
    /// Who stands for all this.
    pub attested_by: Option<String>,
    /// Since which day.
    pub attested_on: Option<String>,
}

impl Stated {
    /// The facts of a party.
    #[must_use]
    pub fn of(party: &Party) -> Self {
        let facts = party.facts.clone();
        let (attested_by, attested_on) = facts
            .attested
            .map(|attested| (attested.by, attested.on))
            .unzip();
        Self {
            node: party.node,
            name: party.name.clone(),
            kind: party.kind.clone(),
            jurisdiction: facts.jurisdiction,
            federal: facts.federal,
            incorporated: facts.incorporated,
            transfer_basis: facts.transfer_basis,
            coordinated: facts.coordinated,
            independent: facts.independent,
            attested_by,
            attested_on,
        }
    }

    /// The facts in words; each is said, the usual ones too.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        let yes = |fact: bool, yes: &str, no: &str| if fact { yes } else { no }.to_owned();
        let mut words = vec![
            format!("established in {}", self.jurisdiction),
            yes(
                self.federal,
                "in federal elections",
                "in no federal election",
            ),
            yes(self.incorporated, "a corporation", "no corporation"),
        ];
        if self.transfer_basis {
            words.push("a basis for transfers is on file".to_owned());
        }
        for race in &self.coordinated {
            words.push(format!("coordinates with a candidate in {race}"));
        }
        for race in &self.independent {
            words.push(format!("spends independently in {race}"));
        }
        if self.coordinated.is_empty() && self.independent.is_empty() {
            words.push("on no side of a race".to_owned());
        }
        words
    }

    /// Who stands for them, in words.
    #[must_use]
    pub fn attestation(&self) -> String {
        match (&self.attested_by, &self.attested_on) {
            (Some(by), Some(on)) => format!("{by}, {on}"),
            _ => "by nobody".to_owned(),
        }
    }
}

/// The file of parties as people edit it: [`Changes::read`] reads it back.
#[must_use]
pub fn file(parties: &[Stated]) -> String {
    let mut file = String::from(
        "# What the next version of the agreement states of each member. Edit it, and propose it for all to sign:\n\
         #   commonturf agreement propose --parties FILE\n\
         # What you leave out stays as it is. An attestation (attested_by, attested_on) ends when\n\
         # anything else of the organization changes, unless it is given anew.\n",
    );
    for party in parties {
        let races = |races: &[String]| {
            let races = races.iter().cloned().map(toml::Value::String);
            toml::Value::Array(races.collect()).to_string()
        };
        let text = |text: &String| toml::Value::String(text.clone()).to_string();
        file.push_str(&format!(
            "\n[{}]\njurisdiction = {}\nfederal = {}\nincorporated = {}\ntransfer_basis = {}\n\
             coordinated = {}\nindependent = {}\n",
            quoted(&party.name),
            text(&party.jurisdiction),
            party.federal,
            party.incorporated,
            party.transfer_basis,
            races(&party.coordinated),
            races(&party.independent),
        ));
        if let (Some(by), Some(on)) = (&party.attested_by, &party.attested_on) {
            let (by, on) = (text(by), text(on));
            file.push_str(&format!("attested_by = {by}\nattested_on = {on}\n"));
        }
    }
    file
}

/// A name as the title of a table.
fn quoted(name: &str) -> String {
    let escaped = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}

/// Changes of facts, by whom they are about: a name, or the beginning of a node id.
#[derive(Debug)]
pub struct Changes {
    text: String,
    by_member: BTreeMap<Spanned<String>, Change>,
}

/// What changes of one organization.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Change {
    jurisdiction: Option<Place>,
    federal: Option<bool>,
    incorporated: Option<bool>,
    transfer_basis: Option<bool>,
    coordinated: Option<BTreeSet<Race>>,
    independent: Option<BTreeSet<Race>>,
    attested_by: Option<Name>,
    attested_on: Option<Day>,
}

/// Text of a file that is checked where it stands, so that an error knows its line.
macro_rules! checked {
    ($name:ident, $inner:ty, $check:expr, $otherwise:literal) => {
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
        #[serde(try_from = "String")]
        struct $name($inner);

        impl TryFrom<String> for $name {
            type Error = &'static str;
            fn try_from(text: String) -> Result<Self, &'static str> {
                let check: fn(String) -> Option<$inner> = $check;
                check(text).map(Self).ok_or($otherwise)
            }
        }
    };
}

checked!(
    Race,
    String,
    |text| policy::is_id(&text).then_some(text),
    "a race is called by the characters a-z 0-9 . _ -, such as \"us-oh-gov-2026\""
);
checked!(
    Day,
    String,
    |text| policy::is_day(&text).then_some(text),
    "write the day in quotes, such as \"2026-11-25\""
);
checked!(
    Place,
    String,
    |text| {
        let place: Option<Jurisdiction> = text.parse().ok();
        place
            .filter(|place| *place != Jurisdiction::UNKNOWN)
            .map(|place| place.code().to_owned())
    },
    "this is no place that policies know; write a state or country, such as \"us-oh\", \"de\", \"gb\""
);

impl Changes {
    /// Reads a file of changes.
    ///
    /// # Errors
    /// [`Failure`] that names line and column.
    pub fn read(text: &str) -> Result<Self, Failure> {
        if text.len() > CHANGES_BYTES {
            return Err(Failure::input(
                "a file of parties has at most 262,144 bytes; change fewer organizations at once",
            ));
        }
        let by_member = toml::from_str(text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            refused(text, start, error.message())
        })?;
        Ok(Self {
            text: text.to_owned(),
            by_member,
        })
    }

    /// Puts the changes into the parties of a draft. An attestation stands for what was stated then:
    /// where anything else of the organization changes, it goes unless it is given anew.
    ///
    /// # Errors
    /// [`Failure`] that names the line, when no member or several are meant, or half an attestation
    /// is given.
    pub fn apply(self, state: &State, parties: &mut [Party]) -> Result<(), Failure> {
        let mut seen = BTreeSet::new();
        for (who, change) in self.by_member {
            let at = who.span().start;
            let said = |message: &str| refused(&self.text, at, message);
            let node =
                members::find(state, who.get_ref()).map_err(|failure| said(&failure.0.detail))?;
            if !seen.insert(node) {
                return Err(said("this organization has a table already; join the two"));
            }
            let party = parties.iter_mut().find(|party| party.node == node);
            let party = party.ok_or_else(|| said("this organization is no party to the draft"))?;
            change.apply(&mut party.facts).map_err(said)?;
        }
        Ok(())
    }
}

impl Change {
    fn apply(self, facts: &mut Facts) -> Result<(), &'static str> {
        let before = facts.clone();
        let names = |races: BTreeSet<Race>| races.into_iter().map(|race| race.0).collect();
        if let Some(place) = self.jurisdiction {
            facts.jurisdiction = place.0;
        }
        facts.federal = self.federal.unwrap_or(facts.federal);
        facts.incorporated = self.incorporated.unwrap_or(facts.incorporated);
        facts.transfer_basis = self.transfer_basis.unwrap_or(facts.transfer_basis);
        if let Some(races) = self.coordinated {
            facts.coordinated = names(races);
        }
        if let Some(races) = self.independent {
            facts.independent = names(races);
        }
        let changed = *facts != before;
        match (self.attested_by, self.attested_on) {
            (Some(by), Some(on)) => {
                facts.attested = Some(Attestation {
                    by: by.to_string(),
                    on: on.0,
                });
            }
            (None, None) if changed => facts.attested = None,
            (None, None) => {}
            _ => return Err("an attestation has both, attested_by and attested_on"),
        }
        if changed && facts.attested == before.attested {
            facts.attested = None;
        }
        Ok(())
    }
}

fn refused(text: &str, at: usize, message: &str) -> Failure {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|c| *c != '\n').count() + 1;
    Failure::input(format!(
        "the file of parties, line {line}, column {column}: {message}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        Facts::unstated("pac", Jurisdiction::US)
    }

    fn changed(mut facts: Facts, text: &str) -> Facts {
        let changes = Changes::read(&format!("[\"River PAC\"]\n{text}")).unwrap();
        let (_, change) = changes.by_member.into_iter().next().unwrap();
        change.apply(&mut facts).unwrap();
        facts
    }

    fn refusal(text: &str) -> String {
        Changes::read(text).unwrap_err().0.detail
    }

    #[test]
    fn what_a_file_leaves_out_stays_as_it_was() {
        let before = changed(
            facts(),
            "federal = true\ncoordinated = [\"us-oh-sen\", \"us-oh-gov\", \"us-oh-gov\"]",
        );
        assert!(before.federal && !before.incorporated);
        assert_eq!(before.coordinated, ["us-oh-gov", "us-oh-sen"]);
        let after = changed(before.clone(), "jurisdiction = \"US-OH\"");
        assert_eq!(after.jurisdiction, "us-oh");
        assert_eq!(after.coordinated, before.coordinated);
        assert!(changed(after, "coordinated = []").coordinated.is_empty());
    }

    #[test]
    fn the_file_that_is_printed_changes_nothing_when_it_is_read_back() {
        let mut party = Party {
            node: NodeId([7; 32]),
            name: "The \"River\" \\ 'PAC'".to_owned(),
            kind: "pac".to_owned(),
            facts: changed(
                facts(),
                "independent = [\"us-oh-gov\"]\nattested_by = \"Zoë 'Z' \\\"Q\\\" Lee\"\nattested_on = \"2026-11-25\"",
            ),
        };
        let file = file(&[Stated::of(&party)]);
        let changes = Changes::read(&file).unwrap();
        let (name, change) = changes.by_member.into_iter().next().unwrap();
        assert_eq!(name.get_ref(), &party.name);
        let before = party.facts.clone();
        change.apply(&mut party.facts).unwrap();
        assert_eq!(party.facts, before, "{file}");
    }

    #[test]
    fn an_attestation_ends_with_what_it_stood_for() {
        let attested = "attested_by = \"Ann Lee, treasurer\"\nattested_on = \"2026-11-25\"\n";
        let sworn = changed(facts(), &format!("federal = true\n{attested}"));
        assert_eq!(sworn.attested.as_ref().unwrap().by, "Ann Lee, treasurer");
        assert_eq!(changed(sworn.clone(), ""), sworn);
        assert_eq!(changed(sworn.clone(), "federal = true"), sworn);
        assert_eq!(changed(sworn.clone(), "federal = false").attested, None);
        let again = changed(
            sworn,
            "federal = false\nattested_by = \"Ann Lee, treasurer\"\nattested_on = \"2026-11-26\"",
        );
        assert_eq!(again.attested.unwrap().on, "2026-11-26");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_refused_with_its_line() {
        for (text, line, word) in [
            ("[\"A\"]\nfederal = true\nsurprise = 1", 3, "surprise"),
            ("[\"A\"]\nfederal = \"yes\"", 2, "boolean"),
            ("[\"A\"]\njurisdiction = \"ohio\"", 2, "us-oh"),
            ("[\"A\"]\njurisdiction = \"unknown\"", 2, "us-oh"),
            (
                "[\"A\"]\n\ncoordinated = [\"The Senate\"]",
                3,
                "us-oh-gov-2026",
            ),
            ("[\"A\"]\nattested_on = \"yesterday\"", 2, "2026-11-25"),
            ("[\"A\"]\nfederal = true\n[\"A\"]\n", 3, "duplicate"),
            ("federal = true", 1, "expected"),
        ] {
            let said = refusal(text);
            assert!(said.contains(&format!("line {line},")), "{text}: {said}");
            assert!(said.contains(word), "{text}: {said}");
        }
        assert!(refusal(&"#".repeat(CHANGES_BYTES + 1)).contains("at most"));
    }
}
