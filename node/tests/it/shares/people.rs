//! People of the tests' lists, written as an import would.

use super::net::Node;
use crate::support::coalition::NOON;
use commonturf::store::{
    consent::{self, Consent},
    list, person,
    person::{Address, Person},
    point::{self, PersonPoint, Point},
};
use policy::{EventState, Form, Record};

/// The one list of every node.
pub(super) const LIST: &str = "Members";

/// A person to be; every mark is off.
#[derive(Clone)]
pub(super) struct Who {
    pub(super) id: String,
    pub(super) given: String,
    pub(super) surname: String,
    pub(super) phone: String,
    pub(super) email: String,
    pub(super) source: &'static str,
    pub(super) basis: &'static str,
    pub(super) partisan: bool,
    pub(super) never_share: bool,
    pub(super) birth_date: Option<&'static str>,
    /// The names of the recipients that the person agreed to.
    pub(super) agreed_to: Vec<&'static str>,
    /// Whether these may pass the person on.
    pub(super) onward: bool,
}

/// A grown-up who agreed to turnout work by some organizations.
pub(super) fn who(n: u32, agreed_to: &[&'static str]) -> Who {
    let letter = char::from(b'a' + u8::try_from(n % 26).unwrap());
    Who {
        id: format!("person{letter}{letter}{letter}"),
        given: format!("Canary{letter}"),
        surname: format!("Quillfeather{letter}"),
        phone: format!("+161455501{n:02}"),
        email: format!("canary{n}@quill.example"),
        source: "own_signup",
        basis: "consent",
        partisan: false,
        never_share: false,
        birth_date: Some("1980-02-03"),
        agreed_to: agreed_to.to_vec(),
        onward: false,
    }
}

/// The same, who lets these organizations pass the person on.
pub(super) fn onward(n: u32, agreed_to: &[&'static str]) -> Who {
    Who {
        onward: true,
        ..who(n, agreed_to)
    }
}

/// A record of consent to turnout work: names, addresses and phones, at doors and by hand-dialed
/// calls. E-mail addresses and opinions were not agreed to.
pub(super) fn record(id: &str, person: &str, recipients: &[&str], at: i64) -> Record {
    let names: Vec<String> = recipients.iter().map(|name| format!("{name:?}")).collect();
    let form = format!(
        r#"
        language = "en"
        collection_method = "paper"
        withdrawal_method = "Write to us"
        notice = {{ url = "https://a.example/notice", version = "3",
                   sha256 = "{}" }}
        [[purposes]]
        purpose = "gotv"
        pii_information = ["identity", "postal", "phone"]
        channels = ["door", "call_manual"]
        expiry_days = 400
        recipients = [{}]
        "#,
        "0".repeat(64),
        names.join(", ")
    );
    let form = Form::parse(&form).unwrap();
    form.record(id, person, at, EventState::Given, None)
}

impl Node {
    /// Puts people on the list.
    pub(super) async fn add(&self, people: &[Who]) {
        let now = self.app.now().0;
        let mut tx = self.app.store.write("test").await.unwrap();
        if list::by_name(&mut tx, LIST).await.unwrap().is_none() {
            list::insert(&mut tx, "listaa", LIST, now).await.unwrap();
        }
        for who in people {
            person::insert_all(&mut tx, &[row(who, now)]).await.unwrap();
            list::add(&mut tx, "listaa", &who.id).await.unwrap();
            let mut has = Vec::new();
            for (rank, mut point) in points(who).into_iter().enumerate() {
                point.point_id = point::put(&mut tx, &point).await.unwrap();
                has.push(PersonPoint {
                    person_id: who.id.clone(),
                    point,
                    label: String::new(),
                    rank: i64::try_from(rank).unwrap(),
                    bad: false,
                });
            }
            point::attach_all(&mut tx, &has).await.unwrap();
            if !who.agreed_to.is_empty() {
                let id = format!("record-{}", who.id);
                let mut record = record(&id, &who.id, &who.agreed_to, now - 1_000);
                record.purposes[0].x_onward_allowed = who.onward;
                put(&mut tx, &who.id, record, now).await;
            }
        }
        tx.commit().await.unwrap();
    }

    /// The person agrees, once more or for the first time.
    pub(super) async fn agrees(&self, who: &Who) {
        self.agreed_at(who, self.app.now().0).await;
    }

    /// The record as it was before anything was taken back.
    pub(super) async fn agrees_before(&self, who: &Who) {
        self.agreed_at(who, NOON.0).await;
    }

    async fn agreed_at(&self, who: &Who, now: i64) {
        let id = format!("record-{}", who.id);
        let mut tx = self.app.store.write("test").await.unwrap();
        let mut record = record(&id, &who.id, &who.agreed_to, now);
        record.purposes[0].x_onward_allowed = who.onward;
        put(&mut tx, &who.id, record, now).await;
        tx.commit().await.unwrap();
    }
}

async fn put(tx: &mut commonturf::store::Write, person: &str, record: Record, now: i64) {
    let consent = Consent {
        record_id: record.record_id.clone(),
        person_id: person.to_owned(),
        form: "3".to_owned(),
        record,
        updated_at: now,
    };
    consent::put(tx, &consent).await.unwrap();
}

fn row(who: &Who, now: i64) -> Person {
    Person {
        person_id: who.id.clone(),
        given: who.given.clone(),
        surname: who.surname.clone(),
        birth_date: who.birth_date.map(str::to_owned),
        address: Address {
            line1: format!("{} Wren Street", who.id),
            city: "Dayton".to_owned(),
            state: "OH".to_owned(),
            postal_code: "45402".to_owned(),
            ..Address::default()
        },
        source: who.source.to_owned(),
        basis: who.basis.to_owned(),
        partisan: who.partisan,
        never_share: who.never_share,
        tags: vec!["secret-opinion".to_owned()],
        created_at: now,
        updated_at: now,
        ..Person::default()
    }
}

fn points(who: &Who) -> [Point; 4] {
    let point = |n, class, kind: &str, value: String| Point {
        point_id: format!("point{n}{}", who.id),
        class,
        kind: kind.to_owned(),
        display: value.clone(),
        value,
        ..Point::default()
    };
    [
        point(2, point::DOOR, "door", format!("us|45402|{}|wren", who.id)),
        point(3, point::PHONE, "phone", who.phone.clone()),
        point(4, point::EMAIL, "email", who.email.clone()),
        point(5, point::PERSON, "ns_dob_postal", format!("{}|key", who.id)),
    ]
}
