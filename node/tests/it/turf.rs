//! From a universe to the street: places, areas and packets of one organization beside an ally.

mod results;

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    app::App,
    claims::{
        check::Standing,
        show,
        take::{self, From, Question},
        walk_list,
    },
    import::{self, Format, Item},
    plans::draft::{self, Intention},
    store::{self, contact::Contact, packet::PacketState, person_suppression::Cause},
    suppressions::mark::{self, Mark, Subject},
    turf::{
        area::{self, Kind},
        packet, places,
        position::Position,
        sheet::{self, Layout},
    },
};
use policy::Purpose;
use protocol::{
    channel::Channel,
    entry::{payload::Channels, plan::Place},
    id::EntryId,
};
use std::io::{Seek, Write};

/// Around the south-western half of the houses.
const WARD: &str = r#"{"type":"Polygon","coordinates":[[[-83.01,39.96],[-83.0,39.96],[-83.0,39.965],[-83.01,39.965],[-83.01,39.96]]]}"#;

/// So many houses of Elm Street from south to north, one person in each, every one placed.
async fn street(app: &App, list: &str, houses: usize) -> Vec<String> {
    let lines: Vec<(String, String, String)> = (1..=houses)
        .map(|n| (format!("{n} Elm St"), format!("Ash{n}"), format!("60{n}")))
        .collect();
    let people: Vec<Somebody<'_>> = lines
        .iter()
        .map(|(line1, surname, van_id)| Somebody {
            given: "Ann",
            surname,
            line1,
            van_id,
            ..Somebody::default()
        })
        .collect();
    let ids = put(app, list, &people).await;
    for (n, id) in (1_u32..).zip(&ids) {
        lies(app, id, 39.96 + 0.001 * f64::from(n), "5-1").await;
    }
    ids
}

async fn lies(app: &App, person: &str, latitude: f64, precinct: &str) {
    let mut tx = app.store.write("placing somebody").await.unwrap();
    let mut known = store::person::find(&mut tx, person).await.unwrap().unwrap();
    known.address.position = Position::of_degrees(latitude, -83.005).ok();
    precinct.clone_into(&mut known.address.precinct);
    store::person::update(&mut tx, &known).await.unwrap();
    tx.commit().await.unwrap();
}

/// Two organizations; ours has eight houses, the first four of which lie in the ward.
async fn two() -> (Coalition, Vec<String>) {
    let coalition = Coalition::two().await;
    let ids = street(coalition.node(0), "ours", 8).await;
    street(coalition.node(1), "theirs", 8).await;
    coalition.settle().await;
    (coalition, ids)
}

fn doors(from: From) -> Question {
    Question {
        from,
        channel: Channel::Door,
        first: "2026-11-26".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    }
}

fn inside(area: &str) -> From {
    From::In(area.to_owned(), Box::new(From::Everybody))
}

async fn add(app: &App, name: &str, kind: Kind, text: &str) -> Result<area::Area, String> {
    let added = area::add(app, name, kind, text.as_bytes().to_vec()).await;
    added.map_err(|failure| failure.0.detail)
}

async fn claim(coalition: &Coalition, from: From) -> EntryId {
    let (_, id) = take::take(coalition.node(0), doors(from)).await.unwrap();
    coalition.settle().await;
    id
}

fn file(text: &str) -> std::fs::File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    file.rewind().unwrap();
    file
}

#[tokio::test]
async fn an_area_claims_the_doors_inside_and_leaves_the_others_to_allies() {
    let (coalition, _) = two().await;
    let ours = coalition.node(0);
    add(ours, " Ward 5 ", Kind::File, WARD).await.unwrap();
    let answer = take::look(ours, doors(inside("ward 5"))).await.unwrap();
    let area = answer.universe.area.unwrap();
    assert_eq!(
        (answer.checked.len(), area.outside, area.nowhere),
        (4, 4, 0)
    );
    let id = claim(&coalition, inside("WARD 5")).await;
    let whole = show::whole(ours, &id.to_string(), 9).await.unwrap();
    assert_eq!(
        (whole.summary.granted, whole.summary.label.as_str()),
        (4, "all lists in ward 5")
    );
    let theirs = doors(From::List("theirs".to_owned()));
    let theirs = take::look(coalition.node(1), theirs).await.unwrap();
    let held = theirs
        .checked
        .iter()
        .filter(|point| point.standing == Standing::Held);
    assert_eq!(held.count(), 4);
}

#[tokio::test]
async fn an_area_of_a_list_is_a_part_of_that_list() {
    let (coalition, _) = two().await;
    let ours = coalition.node(0);
    add(ours, "all of 5-1", Kind::Precinct, "5-1\n")
        .await
        .unwrap();
    let of = |list: &str| From::In("all of 5-1".into(), Box::new(From::List(list.into())));
    let answer = take::look(ours, doors(of("ours"))).await.unwrap();
    assert_eq!(answer.checked.len(), 8);
    assert!(take::look(ours, doors(of("nobody's"))).await.is_err());
}

#[tokio::test]
async fn what_is_no_area_is_refused_with_the_reason() {
    let (coalition, _) = two().await;
    let ours = coalition.node(0);
    add(ours, "ward 5", Kind::File, WARD).await.unwrap();
    let bow =
        r#"{"type":"Polygon","coordinates":[[[-75,40],[-74,41],[-74,40],[-75,41],[-75,40]]]}"#;
    for (name, kind, text, why) in [
        ("Ward 5", Kind::File, WARD, "already"),
        ("bow", Kind::File, bow, "crosses itself near latitude"),
        ("no file", Kind::File, "hello", "no GeoJSON"),
        ("unknown", Kind::Precinct, "9-9", "among them 5-1"),
        ("zip", Kind::Postal, "elm", "no postal code"),
        ("cell", Kind::Cells, "8f\n", "no cell"),
        ("empty", Kind::Cells, "\n", "1 to 10000 parts"),
        ("", Kind::File, WARD, "one line"),
    ] {
        let said = add(ours, name, kind, text).await.unwrap_err();
        assert!(said.contains(why), "{name}: {said}");
    }
    assert_eq!(area::list(ours).await.unwrap().len(), 1);
    add(ours, "far", Kind::File, &WARD.replace("-83", "-73"))
        .await
        .unwrap();
    let far = take::look(ours, doors(inside("far"))).await.unwrap_err();
    assert!(far.0.detail.contains("none of the 8"), "{}", far.0.detail);
    assert!(take::look(ours, doors(inside("ward 6"))).await.is_err());
    area::remove(ours, "far").await.unwrap();
    assert!(area::find(ours, "far").await.is_err());
}

#[tokio::test]
async fn a_window_that_ends_before_it_begins_claims_no_area() {
    let (coalition, _) = two().await;
    add(coalition.node(0), "ward 5", Kind::File, WARD)
        .await
        .unwrap();
    let turned = Question {
        last: "2026-11-25".parse().unwrap(),
        ..doors(inside("ward 5"))
    };
    let refused = take::look(coalition.node(0), turned).await.unwrap_err();
    assert!(refused.0.detail.contains("before its first"));
}

#[tokio::test]
async fn a_geocoders_file_places_who_has_no_coordinates() {
    let coalition = Coalition::two().await;
    let ours = coalition.node(0);
    let elm = |line1| Somebody {
        given: "Ann",
        surname: "Ash",
        line1,
        ..Somebody::default()
    };
    put(ours, "ours", &[elm("1 Elm St"), elm("9 Oak Ave")]).await;
    coalition.settle().await;
    add(ours, "ward 5", Kind::File, WARD).await.unwrap();
    assert!(take::look(ours, doors(inside("ward 5"))).await.is_err());
    let table = "Address,City,Zip,Y,X\n1 Elm Street,Columbus,43215,39.961,-83.005\n\
                 9 Oak Ave,Columbus,43215,99,-83\nnowhere,,,39.9,-83\n2 Elm St,Columbus,43215,,\n";
    let map = || {
        ["Y=latitude", "X=longitude"]
            .map(|map| map.parse().unwrap())
            .to_vec()
    };
    let dry = places::import(ours, file(table), map(), true)
        .await
        .unwrap();
    assert!(take::look(ours, doors(inside("ward 5"))).await.is_err());
    let taken = places::import(ours, file(table), map(), false)
        .await
        .unwrap();
    assert_eq!(dry, taken);
    assert_eq!(
        (
            taken.rows,
            taken.doors,
            taken.without_point,
            taken.without_door,
            taken.people_placed
        ),
        (4, 1, 2, 1, 1)
    );
    let answer = take::look(ours, doors(inside("ward 5"))).await.unwrap();
    let area = answer.universe.area.unwrap();
    assert_eq!(
        (answer.checked.len(), area.rough),
        (2, 1),
        "Oak Avenue by its postal code"
    );
    let without = places::import(
        ours,
        file("Address,Zip\n1 Elm St,43215\n"),
        Vec::new(),
        false,
    );
    assert!(without.await.unwrap_err().0.detail.contains("latitude"));
}

#[tokio::test]
async fn a_plan_for_an_area_names_cells_and_no_point() {
    let (coalition, _) = two().await;
    let ours = coalition.node(0);
    add(ours, "ward 5", Kind::File, WARD).await.unwrap();
    let intention = |area: &str| Intention {
        channel: Channel::Door,
        from: "2026-11-28".parse().unwrap(),
        to: "2026-11-30".parse().unwrap(),
        purpose: Purpose::IssueAdvocacy,
        label: "Ward 5 doors".to_owned(),
        places: Vec::new(),
        areas: vec![area.to_owned()],
        list: None,
        volume: Some(4),
        contact: "Ana, 614-555-0199".to_owned(),
        replaces: None,
    };
    let draft = draft::work_out(ours, intention("ward 5")).await.unwrap();
    assert!((5..60).contains(&draft.entry.places.len()));
    for place in &draft.entry.places {
        let Place::Cell(_) = place else {
            panic!("{place} is no cell")
        };
        assert!(place.is_canonical());
    }
    assert!(draft::work_out(ours, intention("ward 6")).await.is_err());
    let land = WARD.replace("39.965", "46.0").replace("-83.01", "-95.0");
    add(ours, "land", Kind::File, &land).await.unwrap();
    let large = draft::work_out(ours, intention("land")).await.unwrap_err();
    assert!(large.0.detail.contains("too large"), "{}", large.0.detail);
}

fn sizes(packets: &[store::packet::Packet]) -> Vec<u64> {
    packets.iter().map(|packet| packet.stops).collect()
}

/// The stop numbers and names of an own walk list.
fn rows(csv: &str) -> Vec<(String, String)> {
    let text = csv.trim_start_matches('\u{feff}');
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.records().map(Result::unwrap);
    rows.map(|row| (row[0].to_owned(), row[1].to_owned()))
        .collect()
}

#[tokio::test]
async fn a_claim_is_cut_into_packets_that_print_what_is_still_open() {
    let (coalition, ids) = two().await;
    let ours = coalition.node(0);
    let id = claim(&coalition, From::List("ours".to_owned()))
        .await
        .to_string();
    let dry = packet::make(ours, &id, 3, true).await.unwrap();
    assert_eq!(sizes(&dry.packets), [2, 3, 3]);
    assert!(packet::list(ours, None).await.unwrap().is_empty());
    packet::make(ours, &id, 8, false).await.unwrap();
    let made = packet::make(ours, &id, 5, false).await.unwrap();
    assert_eq!((sizes(&made.packets), made.without_point), (vec![4, 4], 0));
    let codes: Vec<String> = made.packets.iter().map(packet::code).collect();
    let csv = sheet::csv(ours, &codes[1], Layout::Own).await.unwrap();
    let names: Vec<String> = rows(&csv).into_iter().map(|row| row.1).collect();
    assert_eq!(names, ["Ann Ash1", "Ann Ash3", "Ann Ash4", "Ann Ash2"]);
    let mark = Mark {
        subject: Subject::Person(ids[2].clone()),
        channels: Channels::only(Channel::Door),
        cause: Cause::DoNotContact,
        source: "cli",
        withdraw: false,
        dry_run: false,
    };
    mark::mark(ours, &mark).await.unwrap();
    let csv = sheet::csv(ours, &codes[1], Layout::Own).await.unwrap();
    let stops: Vec<String> = rows(&csv).into_iter().map(|row| row.0).collect();
    assert_eq!(stops, ["1", "3", "4"], "numbers on paper stay");
    let page = sheet::html(ours, &codes[1]).await.unwrap();
    assert!(page.contains("Ann Ash4") && !page.contains("Ann Ash3") && page.contains("<svg"));
    let van = sheet::csv(ours, &codes[1], Layout::Van).await.unwrap();
    let mut read = Vec::new();
    let options = import::Options {
        format: Some(Format::VanSavedList),
        ..import::Options::default()
    };
    import::read(file(&van), &options, &mut |item| {
        if let Item::Person { person, .. } = item {
            read.push(person.identifiers[0].id.clone());
        }
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(read, ["601", "604", "602"]);
    assert!(walk_list::make(ours, &id).await.is_ok());
}

async fn visited(app: &App, line1: &str) {
    let mut db = app.store.read("test").await.unwrap();
    let point: String = sqlx::query_scalar("SELECT point_id FROM point WHERE display LIKE $1")
        .bind(format!("{line1},%"))
        .fetch_one(&mut *db)
        .await
        .unwrap();
    drop(db);
    let contact = Contact {
        contact_id: line1.to_owned(),
        person_id: None,
        point_id: Some(point),
        channel: Some("door".to_owned()),
        at: "2026-11-26T18:00:00Z"
            .parse::<jiff::Timestamp>()
            .unwrap()
            .as_millisecond(),
        whole_day: false,
        effect: "contact-made".to_owned(),
        result: "Canvassed".to_owned(),
        flagged: false,
        committee: String::new(),
        own: true,
        import_id: "test".to_owned(),
        told: None,
    };
    let mut tx = app.store.write("noting a visit").await.unwrap();
    assert!(store::contact::insert(&mut tx, &contact).await.unwrap());
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_packet_that_is_done_gives_back_what_nobody_reached() {
    let (coalition, _) = two().await;
    let ours = coalition.node(0);
    let id = claim(&coalition, From::List("ours".to_owned()))
        .await
        .to_string();
    let made = packet::make(ours, &id, 4, false).await.unwrap();
    let codes: Vec<String> = made.packets.iter().map(packet::code).collect();
    assert!(
        packet::start(ours, &codes[1]).await.is_err(),
        "nobody has it"
    );
    let assigned = packet::assign(ours, &codes[1], " Ana ").await.unwrap();
    assert_eq!(
        (assigned.state, assigned.assignee.as_str()),
        (PacketState::Assigned, "Ana")
    );
    let again = packet::make(ours, &id, 3, false).await.unwrap_err();
    assert!(again.0.detail.contains("is assigned"), "{}", again.0.detail);
    let walked = packet::start(ours, &codes[1]).await.unwrap();
    assert_eq!(walked.state, PacketState::InProgress);
    visited(ours, "1 Elm St").await;
    let dry = packet::finish(ours, &codes[1], false, true).await.unwrap();
    assert_eq!((dry.rest, dry.entry), (3, None));
    let done = packet::finish(ours, &codes[1], false, false).await.unwrap();
    assert_eq!((done.rest, done.packet.state), (3, PacketState::Done));
    coalition.settle().await;
    let whole = show::whole(ours, &id, 0).await.unwrap();
    assert_eq!(
        whole.summary.holds, 5,
        "four of the other packet and the one that was reached"
    );
    for refused in [
        packet::finish(ours, &codes[1], false, false).await.err(),
        packet::assign(ours, &codes[1], "Bo").await.err(),
        packet::start(ours, &codes[1]).await.err(),
        sheet::csv(ours, &codes[1], Layout::Own).await.err(),
    ] {
        assert!(refused.unwrap().0.detail.contains("is done"));
    }
    let kept = packet::finish(ours, &codes[0], true, false).await.unwrap();
    assert_eq!((kept.rest, kept.entry), (4, None));
    coalition.settle().await;
    assert_eq!(show::whole(ours, &id, 0).await.unwrap().summary.holds, 5);
}

#[tokio::test]
async fn packets_of_nothing_of_strangers_and_of_odd_sizes_are_refused() {
    let (coalition, _) = two().await;
    let ours = coalition.node(0);
    let id = claim(&coalition, From::List("ours".to_owned()))
        .await
        .to_string();
    for size in [0, packet::PACKET_STOPS + 1] {
        let refused = packet::make(ours, &id, size, false).await.unwrap_err();
        assert!(refused.0.detail.contains("1 to 500"));
    }
    assert!(
        packet::make(coalition.node(1), &id, 4, false)
            .await
            .is_err()
    );
    for code in ["", "17", "a-b", "1-99", "-1-1", "99999999999999999999-1"] {
        assert!(packet::find(ours, code).await.is_err(), "{code}");
    }
    let line = "x".repeat(packet::ASSIGNEE_BYTES + 1);
    let made = packet::make(ours, &id, 4, false).await.unwrap();
    let code = packet::code(&made.packets[0]);
    assert!(packet::assign(ours, &code, &line).await.is_err());
    assert!(packet::assign(ours, &code, "two\nlines").await.is_err());
    let free = packet::assign(ours, &code, "").await.unwrap();
    assert_eq!(free.state, PacketState::Unassigned);
}
