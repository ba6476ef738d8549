//! Building a row from the gate's mask, field by field.
//!
//! A class that the mask does not hold is never read here, so it cannot slip in.

use super::{
    consent,
    payload::{
        Answer, FIELD_BYTES, Fields, Grounds, Identity, Opinions, Phone, Postal, ROW_VALUES,
        RowToken, SharedRow, field_of,
    },
    plan::Recipient,
};
use crate::store::{person::Address, share::candidate::Candidate};
use policy::{FieldClass, FieldMask, Row};
use protocol::{id::RowRef, token::Class};

/// Builds what may flow of a person; none where nobody could be reached by it.
#[must_use]
pub fn build(
    person: &Candidate,
    row: &Row,
    mask: FieldMask,
    recipient: &Recipient,
    row_ref: RowRef,
    now: i64,
) -> Option<SharedRow> {
    let fields = fields(person, mask);
    let mask = fields.mask();
    sealed_row(fields, tokens(person, mask), row, recipient, row_ref, now)
}

/// The row with its grounds: what was judged travels with it, and is judged again.
pub(super) fn sealed_row(
    fields: Fields,
    tokens: Vec<RowToken>,
    row: &Row,
    recipient: &Recipient,
    row_ref: RowRef,
    now: i64,
) -> Option<SharedRow> {
    let mask = fields.mask();
    if !mask.has_contact_point() {
        return None;
    }
    let (flow, to, name) = (&recipient.flow, &recipient.party, row_ref.to_string());
    let facts = &row.facts;
    let shown = row
        .consent
        .as_ref()
        .filter(|_| consent::is_consent(facts.basis))
        .and_then(|record| {
            consent::narrowed(record, &facts.originator, flow, to, mask, &name, now)
        });
    Some(SharedRow {
        row_ref,
        fields,
        grounds: Grounds {
            originator: facts.originator.parse().ok()?,
            source: facts.source.name().to_owned(),
            basis: facts.basis.name().to_owned(),
            jurisdiction: facts.jurisdiction.code().to_owned(),
            terms_allow: facts.terms_allow,
            partisan: facts.partisan,
            consent: shown.and_then(|record| serde_json::to_string(&record).ok()),
            nonpublic: facts.nonpublic,
            coordinated: facts.taint_coordinated.iter().cloned().collect(),
            independent: facts.taint_ie.iter().cloned().collect(),
        },
        tokens,
    })
}

/// Match tokens of what a mask holds of a person.
pub(super) fn tokens(person: &Candidate, mask: FieldMask) -> Vec<RowToken> {
    person
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
        .collect()
}

fn class_of(number: i64) -> Option<Class> {
    Class::ALL.get(usize::try_from(number).ok()?).copied()
}

/// The classes of which something is known of a person: those that [`fields`] would find.
#[must_use]
pub(super) fn known(person: &Candidate) -> FieldMask {
    let points = |class| {
        let mut points = person.points();
        points.any(|point| class_of(point.point.class) == Some(class))
    };
    let known = &person.member.person;
    let classes = FieldClass::ALL.iter().copied();
    classes
        .filter(|class| match class {
            FieldClass::Identity => true,
            FieldClass::Postal => !known.address.line1.is_empty(),
            FieldClass::Email => points(Class::Email),
            FieldClass::Phone => points(Class::Phone),
            FieldClass::Political => {
                !known.tags.is_empty() || answers(person, false).next().is_some()
            }
            FieldClass::Engagement => answers(person, true).next().is_some(),
        })
        .collect()
}

/// What a mask holds of a person.
pub(super) fn fields(person: &Candidate, mask: FieldMask) -> Fields {
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
    let answers = answers(person, engagement).map(|(question, value)| Answer {
        question: cut(question),
        value: cut(value),
    });
    let tags = person.member.person.tags.iter().filter(|_| !engagement);
    let opinions = Opinions {
        tags: tags.map(|tag| cut(tag)).take(ROW_VALUES).collect(),
        answers: answers.take(ROW_VALUES).collect(),
    };
    (opinions != Opinions::default()).then_some(opinions)
}

/// Answers that tell of taking part, or those that tell of an opinion.
fn answers(person: &Candidate, engagement: bool) -> impl Iterator<Item = (&String, &String)> {
    let is_engagement = |question: &str| {
        let question = question.to_lowercase();
        ENGAGEMENT.iter().any(|word| question.contains(word))
    };
    let answers = person.member.person.answers.iter();
    answers.filter(move |(question, _)| is_engagement(question) == engagement)
}

/// A text no longer than [`FIELD_BYTES`].
fn cut(text: &str) -> String {
    let end = text.floor_char_boundary(FIELD_BYTES);
    text.get(..end).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{
        people::Member,
        person::Person,
        point::{PersonPoint, Point},
    };
    use protocol::token::Token;

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
    fn what_is_known_is_what_would_be_found() {
        let all = FieldMask::from_iter(FieldClass::ALL.iter().copied());
        let agrees = |person: &Candidate| assert_eq!(known(person), fields(person, all).mask());
        agrees(&person());
        let changes: [fn(&mut Candidate); 7] = [
            |p| p.member.person.address.line1.clear(),
            |p| p.member.points.clear(),
            |p| {
                p.member
                    .points
                    .iter_mut()
                    .for_each(|point| point.bad = true)
            },
            |p| _ = p.unusable.insert("point-2".to_owned()),
            |p| p.member.person.tags.clear(),
            |p| p.member.person.answers.clear(),
            |p| {
                p.member.person.tags.clear();
                p.member.person.answers = [("volunteer".to_owned(), "yes".to_owned())].into();
            },
        ];
        for change in changes {
            let mut person = person();
            change(&mut person);
            agrees(&person);
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
