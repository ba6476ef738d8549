//! What travels to a recipient: the wire form of rows, its mask and its limits.
//!
//! A match token stands for the value it was made of and so belongs to that value's class.

use minicbor::{Decode, Encode};
use policy::{FieldClass, FieldMask, Party};
use protocol::{
    codec::{self, Canonical},
    entry::share::row_leaf,
    id::{EntryId, Hash, NodeId, RowRef},
    merkle::Tree,
    token::{Class, Token},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// The most bytes of a share's rows, before sealing.
pub const SHARE_BYTES: usize = 512 * 1024 * 1024;
/// The most phones, e-mail addresses, tags, answers or tokens of one row.
pub const ROW_VALUES: usize = 64;
/// The most races on one side of which a row has been.
pub const ROW_RACES: usize = 200;
/// The longest text of one field, in bytes.
pub const FIELD_BYTES: usize = 2_000;
/// The format of [`SharedRows`].
pub const VERSION: u8 = 1;

/// The rows of one share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SharedRows {
    /// [`VERSION`].
    #[n(0)]
    pub version: u8,
    /// The share that they belong to, so that rows cannot be announced a second time.
    #[n(1)]
    pub share: EntryId,
    /// Who gives them.
    #[n(2)]
    pub from: NodeId,
    /// To whom.
    #[n(3)]
    pub to: NodeId,
    /// In rising order of their names.
    #[n(4)]
    pub rows: Vec<SharedRow>,
    /// The salt of each row's leaf in the share tree, in the order of the rows.
    #[n(5)]
    pub salts: Vec<Salt>,
}

/// 32 random bytes: without them nobody can tell of which row a leaf is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Salt(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 32]);

impl Salt {
    /// A fresh one.
    #[must_use]
    pub fn random(rng: &mut impl rand_core::RngCore) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }
}

impl SharedRows {
    /// The root of the share tree; none when there is not one salt for each row.
    #[must_use]
    pub fn root(&self) -> Option<Hash> {
        if self.salts.len() != self.rows.len() {
            return None;
        }
        let mut tree = Tree::default();
        for (row, salt) in self.rows.iter().zip(&self.salts) {
            tree.push(row_leaf(&salt.0, &codec::encode(row)));
        }
        Some(tree.root())
    }
}

impl Canonical for SharedRows {
    const WHAT: &'static str = "set of shared rows";
    const MAX_BYTES: usize = SHARE_BYTES;
}

/// One person as it goes to one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct SharedRow {
    /// The row's random name.
    #[n(0)]
    pub row_ref: RowRef,
    /// What is given.
    #[n(1)]
    pub fields: Fields,
    /// On which ground.
    #[n(2)]
    pub grounds: Grounds,
    /// Match tokens of what is given.
    #[n(3)]
    pub tokens: Vec<RowToken>,
}

/// What is given of a person, by class.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct Fields {
    /// Class `identity`.
    #[n(0)]
    pub identity: Option<Identity>,
    /// Class `postal`.
    #[n(1)]
    pub postal: Option<Postal>,
    /// Class `email`.
    #[n(2)]
    pub emails: Vec<String>,
    /// Class `phone`.
    #[n(3)]
    pub phones: Vec<Phone>,
    /// Class `political`.
    #[n(4)]
    pub political: Option<Opinions>,
    /// Class `engagement`.
    #[n(5)]
    pub engagement: Option<Opinions>,
}

/// Names and birth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Given name.
    #[n(0)]
    pub given: String,
    /// Middle name.
    #[n(1)]
    pub middle: String,
    /// Surname.
    #[n(2)]
    pub surname: String,
    /// Jr, III and the like.
    #[n(3)]
    pub suffix: String,
    /// ISO date.
    #[n(4)]
    pub birth_date: Option<String>,
    /// Where only the year is known.
    #[n(5)]
    pub birth_year: Option<i64>,
}

/// An address.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct Postal {
    /// House number and street.
    #[n(0)]
    pub line1: String,
    /// Unit.
    #[n(1)]
    pub line2: String,
    /// City.
    #[n(2)]
    pub city: String,
    /// State.
    #[n(3)]
    pub state: String,
    /// Postal code.
    #[n(4)]
    pub postal_code: String,
    /// Country.
    #[n(5)]
    pub country: String,
}

/// A phone number.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Phone {
    /// E.164.
    #[n(0)]
    pub number: String,
    /// Mobile, home, work.
    #[n(1)]
    pub label: String,
}

/// Tags and answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
#[serde(default)]
pub struct Opinions {
    /// Tags.
    #[n(0)]
    pub tags: Vec<String>,
    /// Answers to questions.
    #[n(1)]
    pub answers: Vec<Answer>,
}

/// An answer to a question.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Answer {
    /// The question.
    #[n(0)]
    pub question: String,
    /// The answer.
    #[n(1)]
    pub value: String,
}

/// On which ground a row flows, and the labels that stay with it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, Serialize, Deserialize)]
pub struct Grounds {
    /// Who collected the row.
    #[n(0)]
    pub originator: NodeId,
    /// Where it came from.
    #[n(1)]
    pub source: String,
    /// The ground.
    #[n(2)]
    pub basis: String,
    /// Whose law protects the person.
    #[n(3)]
    pub jurisdiction: String,
    /// Whether the source's terms allow passing it on.
    #[n(4)]
    pub terms_allow: bool,
    /// Whether the row says which side the person is on.
    #[n(5)]
    pub partisan: bool,
    /// The consent record as far as this flow rests on it, JSON: record id, form version, evidence
    /// hash, the matched clause.
    #[n(6)]
    pub consent: Option<String>,
    /// Whether it was derived from somebody's private plans.
    #[serde(default)]
    #[n(7)]
    pub nonpublic: bool,
    /// Races on whose coordinated side it has been, in rising order.
    #[serde(default)]
    #[n(8)]
    pub coordinated: Vec<String>,
    /// Races on whose independent side it has been, in rising order.
    #[serde(default)]
    #[n(9)]
    pub independent: Vec<String>,
}

impl Grounds {
    /// Labels the row with the sides of an organization through whose hands it went: they stay with it,
    /// so that nobody in between carries it across a firewall.
    pub fn went_through(&mut self, party: &Party) {
        let add = |races: &mut Vec<String>, more: &BTreeSet<String>| {
            races.extend(more.iter().cloned());
            races.sort_unstable();
            races.dedup();
        };
        add(&mut self.coordinated, &party.coordinated_races);
        add(&mut self.independent, &party.ie_races);
    }

    fn is_within_limits(&self) -> bool {
        let races = |races: &Vec<String>| {
            races.len() <= ROW_RACES
                && races.is_sorted_by(|a, b| a < b)
                && races.iter().all(|race| policy::is_id(race))
        };
        let consent = self.consent.as_ref().map_or(0, String::len);
        consent <= policy::consent::MAX_RECORD_BYTES
            && races(&self.coordinated)
            && races(&self.independent)
    }
}

/// A match token and the class of the value it stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct RowToken {
    /// The class.
    #[n(0)]
    pub class: Class,
    /// The token.
    #[n(1)]
    pub token: Token,
}

/// The class of fields that a token gives away.
#[must_use]
pub fn field_of(class: Class) -> FieldClass {
    match class {
        Class::Door => FieldClass::Postal,
        Class::Phone => FieldClass::Phone,
        Class::Email => FieldClass::Email,
        Class::Person => FieldClass::Identity,
    }
}

impl Fields {
    /// The classes that are really there.
    #[must_use]
    pub fn mask(&self) -> FieldMask {
        [
            (FieldClass::Identity, self.identity.is_some()),
            (FieldClass::Postal, self.postal.is_some()),
            (FieldClass::Email, !self.emails.is_empty()),
            (FieldClass::Phone, !self.phones.is_empty()),
            (FieldClass::Political, self.political.is_some()),
            (FieldClass::Engagement, self.engagement.is_some()),
        ]
        .into_iter()
        .filter_map(|(class, present)| present.then_some(class))
        .collect()
    }

    /// Puts the classes of other fields beside these; none may be in both.
    pub fn add(&mut self, other: Self) {
        self.identity = self.identity.take().or(other.identity);
        self.postal = self.postal.take().or(other.postal);
        self.emails.extend(other.emails);
        self.phones.extend(other.phones);
        self.political = self.political.take().or(other.political);
        self.engagement = self.engagement.take().or(other.engagement);
    }

    /// Takes out every class that the mask does not hold.
    pub fn keep(&mut self, mask: FieldMask) {
        self.identity = self
            .identity
            .take()
            .filter(|_| mask.contains(FieldClass::Identity));
        self.postal = self
            .postal
            .take()
            .filter(|_| mask.contains(FieldClass::Postal));
        if !mask.contains(FieldClass::Email) {
            self.emails.clear();
        }
        if !mask.contains(FieldClass::Phone) {
            self.phones.clear();
        }
        self.political = self
            .political
            .take()
            .filter(|_| mask.contains(FieldClass::Political));
        self.engagement = self
            .engagement
            .take()
            .filter(|_| mask.contains(FieldClass::Engagement));
    }
}

impl SharedRow {
    /// Whether every text and list of the row is within its limits.
    #[must_use]
    pub fn is_within_limits(&self) -> bool {
        let fields = &self.fields;
        let opinions = [&fields.political, &fields.engagement];
        let lists = [
            fields.emails.len(),
            fields.phones.len(),
            self.tokens.len(),
            opinions
                .iter()
                .filter_map(|opinions| opinions.as_ref())
                .map(|opinions| opinions.tags.len().max(opinions.answers.len()))
                .max()
                .unwrap_or(0),
        ];
        // The whole row as text is bounded by the number of its values and the length of each.
        let bytes = serde_json::to_string(fields).map_or(usize::MAX, |json| json.len());
        lists.into_iter().all(|length| length <= ROW_VALUES)
            && bytes <= 4 * ROW_VALUES * FIELD_BYTES
            && self.grounds.is_within_limits()
    }
}
