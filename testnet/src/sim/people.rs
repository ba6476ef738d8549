//! The people of a simulation: who is on which list, where they live, and to what they agreed.
//!
//! What they agreed to is a function of their number, so the oracle knows it without asking a node.

use commonturf::{
    app::App,
    store::{
        Write, consent, contact, list, person,
        point::{self, PersonPoint, Point},
    },
};
use policy::{EventState, Form, Record};

/// People whom anybody may know.
pub const PEOPLE: usize = 12;
/// People of them who come by an import later.
pub const LATE: usize = 4;
/// Lists of each node.
pub const LISTS: usize = 3;
/// The organizations: name and kind; the last one is a stranger at first.
pub const ORGANIZATIONS: [(&str, &str); 4] = [
    ("Tenants United", "c4"),
    ("Clean Air Fund", "c3"),
    ("Nurses Local", "union"),
    ("River Friends", "c4"),
];

/// The name of a list.
#[must_use]
pub fn list_name(list: usize) -> String {
    format!("List {}", list % LISTS)
}

/// Whether a person is on a node's list from the beginning.
#[must_use]
pub fn is_on(node: usize, list: usize, person: usize) -> bool {
    let early = person < PEOPLE - LATE;
    early
        && match list % LISTS {
            0 => true,
            1 => person % 2 == node % 2,
            _ => (person + node).is_multiple_of(3),
        }
}

/// Whether a person agreed that one organization gives its record to another.
#[must_use]
pub fn agreed(from: usize, person: usize, to: usize) -> bool {
    from != to && !(person + from + 2 * to).is_multiple_of(3)
}

/// The person's id at every node.
#[must_use]
pub fn id(person: usize) -> String {
    let letter = letter(person);
    format!("person{letter}{letter}{letter}")
}

/// The number that an id stands for.
#[must_use]
pub fn number(id: &str) -> Option<usize> {
    (0..PEOPLE).find(|person| self::id(*person) == id)
}

fn letter(person: usize) -> char {
    let n = u8::try_from(person % 26).unwrap_or_default();
    char::from(b'a' + n)
}

/// The id of a person's door.
#[must_use]
pub fn door(person: usize) -> String {
    format!("door{}", id(person))
}

fn points(person: usize) -> [Point; 3] {
    let id = id(person);
    let point = |what: &str, class, kind: &str, value: String| Point {
        point_id: format!("{what}{id}"),
        class,
        kind: kind.to_owned(),
        display: value.clone(),
        value,
        ..Point::default()
    };
    [
        point("door", point::DOOR, "door", format!("us|45402|{id}|wren")),
        point(
            "phone",
            point::PHONE,
            "phone",
            format!("+161455501{person:02}"),
        ),
        point("key", point::PERSON, "ns_dob_postal", format!("{id}|key")),
    ]
}

/// Puts people on a node's list, which is made where there is none.
///
/// # Errors
/// When the database fails.
pub async fn put(app: &App, node: usize, list: usize, people: &[usize]) -> anyhow::Result<()> {
    let now = app.now().0;
    let mut tx = app.store.write("importing people").await?;
    let name = list_name(list);
    let list_id = match list::by_name(&mut tx, &name).await? {
        Some(list) => list.list_id,
        None => {
            let list_id = format!("list{}", letter(list));
            list::insert(&mut tx, &list_id, &name, now).await?;
            list_id
        }
    };
    for person in people {
        if person::find(&mut tx, &id(*person)).await?.is_none() {
            one(&mut tx, node, *person, now).await?;
        }
        list::add(&mut tx, &list_id, &id(*person)).await?;
    }
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok(())
}

async fn one(tx: &mut Write, node: usize, who: usize, now: i64) -> anyhow::Result<()> {
    let id = id(who);
    let row = person::Person {
        person_id: id.clone(),
        given: format!("Given{}", letter(who)),
        surname: format!("Surname{}", letter(who)),
        birth_date: Some("1980-02-03".to_owned()),
        address: person::Address {
            line1: format!("{id} Wren Street"),
            city: "Dayton".to_owned(),
            state: "OH".to_owned(),
            postal_code: "45402".to_owned(),
            ..person::Address::default()
        },
        source: "own_signup".to_owned(),
        basis: "consent".to_owned(),
        created_at: now,
        updated_at: now,
        ..person::Person::default()
    };
    person::insert_all(&mut *tx, std::slice::from_ref(&row)).await?;
    let mut has = Vec::new();
    for mut point in points(who) {
        point.point_id = point::put(&mut *tx, &point).await?;
        has.push(PersonPoint {
            person_id: id.clone(),
            point,
            label: String::new(),
            rank: 0,
            bad: false,
        });
    }
    point::attach_all(&mut *tx, &has).await?;
    let names: Vec<&str> = (0..ORGANIZATIONS.len())
        .filter(|to| agreed(node, who, *to))
        .filter_map(|to| ORGANIZATIONS.get(to).map(|(name, _)| *name))
        .collect();
    if names.is_empty() {
        return Ok(());
    }
    agree(tx, &id, &names, now - 1_000).await
}

/// Writes a consent to turnout work by some organizations, at doors and by hand-dialed calls.
///
/// # Errors
/// When the database fails.
pub async fn agree(tx: &mut Write, id: &str, names: &[&str], at: i64) -> anyhow::Result<()> {
    let record = record(id, names, at)?;
    let consent = consent::Consent {
        record_id: record.record_id.clone(),
        person_id: id.to_owned(),
        form: "3".to_owned(),
        record,
        updated_at: at,
    };
    consent::put(&mut *tx, &consent).await?;
    Ok(())
}

fn record(person: &str, recipients: &[&str], at: i64) -> anyhow::Result<Record> {
    let names: Vec<String> = recipients.iter().map(|name| format!("{name:?}")).collect();
    let form = format!(
        r#"
        language = "en"
        collection_method = "paper"
        withdrawal_method = "Write to us"
        notice = {{ url = "https://a.example/notice", version = "3", sha256 = "{}" }}
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
    let form = Form::parse(&form)?;
    Ok(form.record(
        &format!("record-{person}"),
        person,
        at,
        EventState::Given,
        None,
    ))
}

/// Notes that somebody was reached at the door.
///
/// # Errors
/// When the database fails.
pub async fn reached(app: &App, person: usize, at: i64) -> anyhow::Result<()> {
    let contact = contact::Contact {
        contact_id: format!("contact-{person}-{at}"),
        person_id: Some(id(person)),
        point_id: Some(door(person)),
        channel: Some("door".to_owned()),
        at,
        whole_day: false,
        effect: "contact-made".to_owned(),
        result: "Canvassed".to_owned(),
        flagged: false,
        committee: String::new(),
        own: true,
        import_id: "sim".to_owned(),
        told: None,
    };
    let mut tx = app.store.write("noting a contact").await?;
    contact::insert(&mut tx, &contact).await?;
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok(())
}

/// Voters on every node's register, who are on no other list.
pub const REGISTER: usize = 110;
/// Voters on the register of a node who are not on that of the node before.
const SHIFT: usize = 30;
/// The register's name.
pub const REGISTER_NAME: &str = "Register";

/// The numbers of the voters on a node's register.
#[must_use]
pub fn registered(node: usize) -> std::ops::Range<usize> {
    node * SHIFT..node * SHIFT + REGISTER
}

/// How many voters the registers of some nodes have in common.
#[must_use]
pub fn in_common(nodes: &[usize]) -> usize {
    let first = nodes.iter().max().map_or(0, |last| registered(*last).start);
    let end = nodes.iter().min().map_or(0, |least| registered(*least).end);
    end.saturating_sub(first)
}

/// Puts voters onto a node's register: a name and a phone number each, and no consent to anything.
///
/// # Errors
/// When the database fails.
pub async fn register(app: &App, voters: std::ops::Range<usize>) -> anyhow::Result<()> {
    let now = app.now().0;
    let mut tx = app.store.write("importing a register").await?;
    list::insert(&mut tx, "listregister", REGISTER_NAME, now).await?;
    for voter in voters {
        let id = format!("voter{voter:04}");
        let row = person::Person {
            person_id: id.clone(),
            given: "Voter".to_owned(),
            surname: format!("Number{voter}"),
            source: "voter_file".to_owned(),
            basis: "public_record".to_owned(),
            created_at: now,
            updated_at: now,
            ..person::Person::default()
        };
        person::insert_all(&mut tx, std::slice::from_ref(&row)).await?;
        let value = format!("+1614555{voter:04}");
        let mut point = Point {
            point_id: format!("phone{id}"),
            class: point::PHONE,
            kind: "phone".to_owned(),
            display: value.clone(),
            value,
            ..Point::default()
        };
        point.point_id = point::put(&mut tx, &point).await?;
        let has = PersonPoint {
            person_id: id.clone(),
            point,
            label: String::new(),
            rank: 0,
            bad: false,
        };
        point::attach_all(&mut tx, &[has]).await?;
        list::add(&mut tx, "listregister", &id).await?;
    }
    tx.commit().await?;
    app.wake.jobs.notify_one();
    Ok(())
}
