//! Results that are typed in: at a packet's stops, one by one, now or from paper that comes in late.

use super::{claim, two};
use crate::support::coalition::Coalition;
use commonturf::{
    app::App,
    claims::take::From,
    store::{self, packet::PacketState},
    turf::{
        packet,
        result::{self, Entry},
    },
};
use protocol::{channel::Channel, time::DAY};

/// A claim of eight doors that has begun, in two packets, the first of which Ana has.
async fn walked() -> (Coalition, Vec<String>, Vec<String>) {
    let (coalition, ids) = two().await;
    let ours = coalition.node(0);
    let id = claim(&coalition, From::List("ours".to_owned()))
        .await
        .to_string();
    let made = packet::make(ours, &id, 4, false).await.unwrap();
    let codes: Vec<String> = made.packets.iter().map(packet::code).collect();
    packet::assign(ours, &codes[0], "Ana").await.unwrap();
    coalition.pass(2 * DAY).await;
    coalition.settle().await;
    (coalition, ids, codes)
}

/// The people of a packet, in walking order.
async fn of(app: &App, ids: &[String], code: &str) -> Vec<String> {
    let packet = packet::find(app, code).await.unwrap();
    let mut db = app.store.read("test").await.unwrap();
    let stops = store::packet::stops(&mut db, &packet.packet_id)
        .await
        .unwrap();
    let mut people = Vec::new();
    for id in ids {
        let points = store::point::of_person(&mut db, id).await.unwrap();
        let stop = points
            .iter()
            .find_map(|point| stops.get(&point.point.point_id));
        people.extend(stop.map(|stop| (*stop, id.clone())));
    }
    people.sort();
    people.into_iter().map(|(_, id)| id).collect()
}

async fn note(
    app: &App,
    code: &str,
    person: &str,
    what: &str,
    day: Option<&str>,
) -> Result<result::Recorded, String> {
    let entry = Entry {
        person: person.to_owned(),
        result: what.to_owned(),
        day: day.map(|day| day.parse().unwrap()),
    };
    let noted = result::record(app, code, &entry).await;
    noted.map_err(|failure| failure.0.detail)
}

#[tokio::test]
async fn a_noted_contact_reaches_allies_and_the_packet_is_under_way() {
    let (coalition, ids, codes) = walked().await;
    let ours = coalition.node(0);
    let people = of(ours, &ids, &codes[0]).await;
    let first = note(ours, &codes[0], &people[0], "cv", None).await.unwrap();
    assert_eq!(
        (first.stop, first.result, first.known),
        (1, "Canvassed", false)
    );
    coalition.pass(60_000).await;
    note(ours, &codes[0], &people[1], "Not Home", None)
        .await
        .unwrap();
    let packet = packet::find(ours, &codes[0]).await.unwrap();
    assert_eq!(packet.state, PacketState::InProgress);
    coalition.settle().await;
    let state = coalition.state().await;
    assert_eq!(state.contacts.len(), 2, "allies know when, not whom");
    let mut db = ours.store.read("test").await.unwrap();
    let results = store::packet::results(&mut db, &packet.packet_id, 0)
        .await
        .unwrap();
    let words: Vec<&str> = results.iter().map(|(_, _, word)| word.as_str()).collect();
    assert_eq!(words, ["Canvassed", "Not Home"]);
    drop(db);
    // What was reached is not given back.
    let end = packet::finish(ours, &codes[0], false, true).await.unwrap();
    assert!(end.rest < 4, "{end:?}");
}

#[tokio::test]
async fn a_wish_to_be_left_alone_closes_the_door_for_everybody() {
    let (coalition, ids, codes) = walked().await;
    let ours = coalition.node(0);
    let person = &of(ours, &ids, &codes[0]).await[0];
    note(ours, &codes[0], person, "DW", None).await.unwrap();
    coalition.settle().await;
    assert!(!coalition.state().await.suppressions.is_empty());
    let opened = result::codes(Channel::Door);
    assert!(opened.iter().any(|(code, _)| *code == "DW"));
    let sheet = commonturf::turf::sheet::html(ours, &codes[0])
        .await
        .unwrap();
    assert_eq!(
        sheet.matches("Ann Ash").count(),
        3,
        "one of four is left out"
    );
}

#[tokio::test]
async fn late_paper_counts_on_its_own_day_once_and_after_the_packet_is_done() {
    let (coalition, ids, codes) = walked().await;
    let ours = coalition.node(0);
    let people = of(ours, &ids, &codes[0]).await;
    packet::finish(ours, &codes[0], true, false).await.unwrap();
    let day = Some("2026-11-26");
    let noted = note(ours, &codes[0], &people[0], "RF", day).await.unwrap();
    assert!(!noted.known);
    let again = note(ours, &codes[0], &people[0], "Refused", day)
        .await
        .unwrap();
    assert!(again.known, "the same line of the same sheet");
    let mut db = ours.store.read("test").await.unwrap();
    let contacts = store::contact::of_person(&mut db, &people[0])
        .await
        .unwrap();
    assert_eq!(contacts.len(), 1);
    assert!(contacts[0].whole_day && contacts[0].at < ours.now().0);
}

#[tokio::test]
async fn what_cannot_be_noted_is_refused_with_the_reason_and_leaves_nothing() {
    let (coalition, ids, codes) = walked().await;
    let ours = coalition.node(0);
    let here = of(ours, &ids, &codes[0]).await;
    let elsewhere = of(ours, &ids, &codes[1]).await;
    for (code, person, what, day, why) in [
        (&codes[0], &elsewhere[0], "NH", None, "at no stop of packet"),
        (&codes[0], &here[0], "waved", None, "NH (Not Home)"),
        (&codes[0], &here[0], "", None, "a result is one of"),
        (&codes[0], &here[0], "BZ", None, "a result is one of"),
        (&codes[0], &here[0], "NH", Some("2026-12-24"), "lies ahead"),
        (
            &codes[0],
            &"nobody here".to_owned(),
            "NH",
            None,
            "nobody on your lists",
        ),
        (&"9-9".to_owned(), &here[0], "NH", None, "no such packet"),
    ] {
        let refused = note(ours, code, person, what, day).await.unwrap_err();
        assert!(refused.contains(why), "{refused}");
    }
    coalition.settle().await;
    assert!(coalition.state().await.contacts.is_empty());
}
