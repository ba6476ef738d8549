//! What the members sign about one organization: the facts by which the law tells who may have what.
//!
//! The program cannot find them out: they are proposed with the agreement, everybody sees them
//! before signing, and a named person can stand for them. Spec: section 5.2.

use crate::identity::Name;
use minicbor::{Decode, Encode};
use policy::{Jurisdiction, OrgKind};

/// The most races of one side of one organization.
pub const RACES_MAX: usize = 20;

/// The facts of one organization that rules read, name and kind apart.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Facts {
    /// Where it is established: a place of the policy's table, never `unknown`.
    #[n(0)]
    pub jurisdiction: String,
    /// Whether it takes part in federal elections: of a candidate or party, the federal ones.
    #[n(1)]
    pub federal: bool,
    /// Whether it is a corporation.
    #[n(2)]
    pub incorporated: bool,
    /// Whether a basis for transfers out of the EEA is on file.
    #[n(3)]
    pub transfer_basis: bool,
    /// Races in which it coordinates with a candidate, in rising order.
    #[n(4)]
    pub coordinated: Vec<String>,
    /// Races in which it spends independently, in rising order.
    #[n(5)]
    pub independent: Vec<String>,
    /// Who stands for these facts, if anybody does.
    #[n(6)]
    pub attested: Option<Attestation>,
}

/// A person of the organization who says that its facts are true.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
pub struct Attestation {
    /// The person's name, with the office: "Ann Lee, treasurer".
    #[n(0)]
    pub by: String,
    /// The day, as `2026-11-25`.
    #[n(1)]
    pub on: String,
}

/// Facts that an agreement cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {reason}")]
pub struct FactsError {
    /// The organization.
    pub name: String,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with facts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No legal kind.
    #[error("its kind is none that policies know")]
    Kind,
    /// No place, or one that says nothing.
    #[error("its jurisdiction is no place that policies know, such as us-oh, de or gb")]
    Jurisdiction,
    /// Not what a race is called.
    #[error("a race is called by 1 to 128 of the characters a-z 0-9 . _ -, such as us-oh-gov-2026")]
    Race,
    /// Too many.
    #[error("at most {RACES_MAX} races stand on one side")]
    TooManyRaces,
    /// Not one spelling.
    #[error("its races are not in rising order, each once")]
    Order,
    /// Nobody, or at no time.
    #[error("an attestation names a person and a day, such as 2026-11-25")]
    Attestation,
    /// It cannot do both.
    #[error("it cannot coordinate with a candidate and spend independently in one race: {0}")]
    BothSides(String),
    /// They cannot share a coalition.
    #[error("{0}")]
    OppositeSides(String),
}

impl FactsError {
    /// Whether it is the firewall that refuses: `E_FIREWALL_CONFLICT`.
    #[must_use]
    pub fn is_conflict(&self) -> bool {
        matches!(self.reason, Reason::BothSides(_) | Reason::OppositeSides(_))
    }
}

impl Facts {
    /// What is taken of an organization of which nobody said more: established where the agreement's
    /// numbers and addresses are read, no races, nothing attested. Charities, advocacy organizations
    /// and vendors are corporations unless they say otherwise: the stricter reading.
    #[must_use]
    pub fn unstated(kind: &str, place: Jurisdiction) -> Self {
        let corporations = [OrgKind::C3, OrgKind::C4, OrgKind::Vendor];
        Self {
            jurisdiction: place.code().to_owned(),
            federal: false,
            incorporated: kind.parse().is_ok_and(|kind| corporations.contains(&kind)),
            transfer_basis: false,
            coordinated: Vec::new(),
            independent: Vec::new(),
            attested: None,
        }
    }

    /// Where the organization is established; one place has one spelling here.
    pub(super) fn place(&self) -> Result<Jurisdiction, Reason> {
        let place: Result<Jurisdiction, _> = self.jurisdiction.parse();
        place
            .ok()
            .filter(|place| place.code() == self.jurisdiction && *place != Jurisdiction::UNKNOWN)
            .ok_or(Reason::Jurisdiction)
    }

    /// Everything but the place.
    pub(super) fn check(&self) -> Result<(), Reason> {
        for races in [&self.coordinated, &self.independent] {
            if races.len() > RACES_MAX {
                return Err(Reason::TooManyRaces);
            }
            if !races.iter().all(|race| policy::is_id(race)) {
                return Err(Reason::Race);
            }
            if !races.is_sorted_by(|one, next| one < next) {
                return Err(Reason::Order);
            }
        }
        let both = |race: &&String| self.independent.contains(race);
        if let Some(race) = self.coordinated.iter().find(both) {
            return Err(Reason::BothSides(race.clone()));
        }
        match &self.attested {
            Some(attested) if !attested.is_sound() => Err(Reason::Attestation),
            _ => Ok(()),
        }
    }
}

impl Attestation {
    fn is_sound(&self) -> bool {
        let name: Result<Name, _> = self.by.parse();
        name.is_ok_and(|name| name.as_str() == self.by) && policy::is_day(&self.on)
    }
}
