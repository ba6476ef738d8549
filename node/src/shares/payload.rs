//! What travels to a recipient: rows built from the gate's mask, field by field.
//!
//! A class that the mask does not hold is never read here, so it cannot slip in. A match token
//! stands for the value it was made of and so belongs to that value's class.
//! Long because the wire form, its mask and its limits are read and changed together.

use super::consent;
use crate::store::{person::Address, share::candidate::Candidate};
use minicbor::{Decode, Encode};
use policy::{FieldClass, FieldMask, Flow, Party, Row};
use protocol::{
    codec::Canonical,
    id::{EntryId, NodeId, RowRef},
    token::{Class, Token},
};
use serde::{Deserialize, Serialize};

/// The most bytes of a share's rows, before sealing.
pub const SHARE_BYTES: usize = 512 * 1024 * 1024;
/// The most phones, e-mail addresses, tags, answers or tokens of one row.
pub const ROW_VALUES: usize = 64;
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

/// Builds what may flow of a person; none where nobody could be reached by it.
#[must_use]
pub fn build(
    person: &Candidate,
    row: &Row,
    mask: FieldMask,
    flow: &Flow,
    to: &Party,
    row_ref: RowRef,
    now: i64,
) -> Option<SharedRow> {
    let fields = fields(person, mask);
    if !fields.mask().has_contact_point() {
        return None;
    }
    let mask = fields.mask();
    let shown = row
        .consent
        .as_ref()
        .filter(|_| consent::is_consent(row.facts.basis))
        .and_then(|record| consent::narrowed(record, flow, to, mask, &row_ref.to_string(), now));
    let tokens = person
        .points()
        .filter_map(|point| {
            let class = class_of(point.point.class)?;
            let given = mask.contains(field_of(class));
            Some(RowToken {
                class,
                token: point.point.token.filter(|_| given)?,
            })
        })
        .take(ROW_VALUES)
        .collect();
    Some(SharedRow {
        row_ref,
        fields,
        grounds: Grounds {
            originator: row.facts.originator.parse().ok()?,
            source: row.facts.source.name().to_owned(),
            basis: row.facts.basis.name().to_owned(),
            jurisdiction: row.facts.jurisdiction.code().to_owned(),
            terms_allow: row.facts.terms_allow,
            partisan: row.facts.partisan,
            consent: shown.and_then(|record| serde_json::to_string(&record).ok()),
        },
        tokens,
    })
}

fn class_of(number: i64) -> Option<Class> {
    Class::ALL.get(usize::try_from(number).ok()?).copied()
}

fn fields(person: &Candidate, mask: FieldMask) -> Fields {
    let mut fields = Fields::default();
    for class in mask.iter() {
        match class {
            FieldClass::Identity => fields.identity = Some(identity(person)),
            FieldClass::Postal => fields.postal = postal(&person.member.person.address),
            FieldClass::Email => fields.emails = values(person, Class::Email),
            FieldClass::Phone => fields.phones = phones(person),
            FieldClass::Political => fields.political = opinions(person, false),
            FieldClass::Engagement => fields.engagement = opinions(person, true),
        }
    }
    fields
}

fn identity(person: &Candidate) -> Identity {
    let person = &person.member.person;
    Identity {
        given: cut(&person.given),
        middle: cut(&person.middle),
        surname: cut(&person.surname),
        suffix: cut(&person.suffix),
        birth_date: person.birth_date.clone(),
        birth_year: person.birth_year,
    }
}

fn postal(address: &Address) -> Option<Postal> {
    let postal = Postal {
        line1: cut(&address.line1),
        line2: cut(&address.line2),
        city: cut(&address.city),
        state: cut(&address.state),
        postal_code: cut(&address.postal_code),
        country: cut(&address.country),
    };
    (!postal.line1.is_empty()).then_some(postal)
}

fn values(person: &Candidate, class: Class) -> Vec<String> {
    person
        .points()
        .filter(|point| class_of(point.point.class) == Some(class))
        .map(|point| cut(&point.point.value))
        .take(ROW_VALUES)
        .collect()
}

fn phones(person: &Candidate) -> Vec<Phone> {
    person
        .points()
        .filter(|point| class_of(point.point.class) == Some(Class::Phone))
        .map(|point| Phone {
            number: cut(&point.point.value),
            label: cut(&point.label),
        })
        .take(ROW_VALUES)
        .collect()
}

/// Words in a question that tell of taking part rather than of an opinion.
const ENGAGEMENT: [&str; 5] = ["volunteer", "attend", "event", "donat", "gift"];

/// Tags are opinions: nobody can tell from outside what one means.
fn opinions(person: &Candidate, engagement: bool) -> Option<Opinions> {
    let person = &person.member.person;
    let is_engagement = |question: &str| {
        let question = question.to_lowercase();
        ENGAGEMENT.iter().any(|word| question.contains(word))
    };
    let answers = person
        .answers
        .iter()
        .filter(|(question, _)| is_engagement(question) == engagement)
        .map(|(question, value)| Answer {
            question: cut(question),
            value: cut(value),
        });
    let tags = person.tags.iter().filter(|_| !engagement);
    let opinions = Opinions {
        tags: tags.map(|tag| cut(tag)).take(ROW_VALUES).collect(),
        answers: answers.take(ROW_VALUES).collect(),
    };
    (opinions != Opinions::default()).then_some(opinions)
}

/// A text no longer than [`FIELD_BYTES`].
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(FIELD_BYTES);
    text.get(..end).unwrap_or_default().to_owned()
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
            && self
                .grounds
                .consent
                .as_ref()
                .is_none_or(|json| json.len() <= policy::consent::MAX_RECORD_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        people::Member,
        person::Person,
        point::{PersonPoint, Point},
    };

    fn person() -> Candidate {
        let point = |class, value: &str, n| PersonPoint {
            person_id: "p".to_owned(),
            point: Point {
                point_id: format!("point-{n}"),
                class,
                value: value.to_owned(),
                token: Some(Token([n; 16])),
                ..Point::default()
            },
            label: String::new(),
            rank: 0,
            bad: false,
        };
        let pair = |(question, value): (&str, &str)| (question.to_owned(), value.to_owned());
        Candidate {
            member: Member {
                person: Person {
                    given: "Ada".to_owned(),
                    surname: "Quill".to_owned(),
                    address: Address {
                        line1: "1 Elm St".to_owned(),
                        ..Address::default()
                    },
                    tags: vec!["likes trains".to_owned()],
                    answers: [("support level", "2"), ("volunteer", "yes")]
                        .map(pair)
                        .into(),
                    ..Person::default()
                },
                points: vec![
                    point(0, "door", 1),
                    point(1, "+16145550100", 2),
                    point(2, "ada@example.org", 3),
                    point(3, "key", 4),
                ],
                consents: Vec::new(),
                suppressions: Vec::new(),
            },
            suppressed: protocol::entry::payload::Channels::default(),
            unusable: std::collections::BTreeSet::new(),
            recalled_at: None,
        }
    }

    #[test]
    fn fields_hold_exactly_the_classes_of_the_mask() {
        for wanted in FieldClass::ALL {
            let mask = FieldMask::from_iter([*wanted]);
            assert_eq!(fields(&person(), mask).mask(), mask);
        }
    }

    #[test]
    fn an_opinion_is_no_engagement() {
        let political = fields(&person(), FieldMask::from_iter([FieldClass::Political]));
        let text = serde_json::to_string(&political).unwrap();
        assert!(text.contains("support level") && !text.contains("volunteer"));
    }

    #[test]
    fn a_bad_number_is_not_given() {
        let mut person = person();
        assert_eq!(phones(&person).len(), 1);
        person.unusable.insert("point-2".to_owned());
        assert!(phones(&person).is_empty());
    }

    #[test]
    fn keeping_less_takes_out_the_rest() {
        let mut all = fields(
            &person(),
            FieldMask::from_iter(FieldClass::ALL.iter().copied()),
        );
        let less = FieldMask::from_iter([FieldClass::Phone]);
        all.keep(less);
        assert_eq!(all.mask(), less);
    }
}
