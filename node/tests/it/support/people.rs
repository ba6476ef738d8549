//! People as an import would have stored them, without a file.

use commonturf::{
    app::App,
    store::{
        self, list,
        person::{Address, Person},
        point::{self, PersonPoint, Point},
    },
};
use protocol::{
    id::RowRef,
    token::normalize::{self, Door, DoorParts, Normalized},
};

/// Somebody on a list.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Somebody<'a> {
    pub(crate) given: &'a str,
    pub(crate) surname: &'a str,
    pub(crate) line1: &'a str,
    pub(crate) phone: &'a str,
    pub(crate) email: &'a str,
    pub(crate) voter_id: &'a str,
    pub(crate) van_id: &'a str,
}

fn fresh() -> String {
    RowRef::random(&mut commonturf::ambient::rng()).to_string()
}

fn point(value: &Normalized, display: &str) -> Point {
    Point {
        point_id: fresh(),
        class: value.kind().class() as i64,
        kind: value.kind().name().to_owned(),
        value: value.value().to_owned(),
        display: display.to_owned(),
        ..Point::default()
    }
}

fn door(line1: &str) -> Option<(Point, Normalized)> {
    let door = Door::parse(&DoorParts {
        country: "US",
        postal_code: "43215",
        line1,
        ..DoorParts::default()
    })?;
    let value = door.normalized()?;
    let mut made = point(&value, &format!("{line1}, 43215"));
    made.street = door.street.road();
    made.number = i64::from(door.street.ordinal);
    Some((made, value))
}

/// Puts people on a list, which is made where there is none; their ids, in order.
pub(crate) async fn put(app: &App, name: &str, people: &[Somebody<'_>]) -> Vec<String> {
    let mut tx = app.store.write("putting people on a list").await.unwrap();
    let list_id = match list::by_name(&mut tx, name).await.unwrap() {
        Some(list) => list.list_id,
        None => {
            let list_id = fresh();
            list::insert(&mut tx, &list_id, name, app.now().0)
                .await
                .unwrap();
            list_id
        }
    };
    let mut ids = Vec::new();
    for somebody in people {
        let id = one(app, &mut tx, somebody).await;
        list::add(&mut tx, &list_id, &id).await.unwrap();
        ids.push(id);
    }
    tx.commit().await.unwrap();
    ids
}

async fn one(app: &App, tx: &mut store::Write, somebody: &Somebody<'_>) -> String {
    let person = Person {
        person_id: fresh(),
        given: somebody.given.to_owned(),
        surname: somebody.surname.to_owned(),
        address: Address {
            line1: somebody.line1.to_owned(),
            city: "Columbus".to_owned(),
            state: "OH".to_owned(),
            postal_code: "43215".to_owned(),
            ..Address::default()
        },
        source: "own_signup".to_owned(),
        basis: "unknown".to_owned(),
        search: store::people::search_text(&[somebody.given, somebody.surname], &[]),
        created_at: app.now().0,
        updated_at: app.now().0,
        ..Person::default()
    };
    store::person::insert_all(&mut *tx, std::slice::from_ref(&person))
        .await
        .unwrap();
    let mut points = Vec::new();
    if let Some((made, value)) = door(somebody.line1) {
        points.push(made);
        let key = normalize::name_door(somebody.given, somebody.surname, &value);
        points.extend(key.map(|key| point(&key, "")));
    }
    let phone = normalize::phone(somebody.phone, "US");
    points.extend(phone.map(|phone| point(&phone, somebody.phone)));
    let email = normalize::email(somebody.email);
    points.extend(email.map(|email| point(&email, somebody.email)));
    let voter_id = normalize::voter_id("OH", somebody.voter_id);
    points.extend(voter_id.map(|key| point(&key, "")));
    let mut has = Vec::new();
    for mut made in points {
        made.point_id = point::put(&mut *tx, &made).await.unwrap();
        has.push(PersonPoint {
            person_id: person.person_id.clone(),
            point: made,
            label: String::new(),
            rank: 0,
            bad: false,
        });
    }
    point::attach_all(&mut *tx, &has).await.unwrap();
    if !somebody.van_id.is_empty() {
        store::identifier::add(&mut *tx, &person.person_id, "van", somebody.van_id)
            .await
            .unwrap();
    }
    person.person_id
}
