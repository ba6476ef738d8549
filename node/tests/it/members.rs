//! The life of a member beyond joining: copies, ways back, leaving, removal.

mod backup;
mod coming_back;
mod identity;
mod lone;
mod parting;
mod retention;

use crate::support::{
    coalition::Coalition,
    people::{Somebody, put},
};
use commonturf::{
    app::App,
    claims::take::{self, Question},
    store::coalition::Phase,
};
use protocol::{channel::Channel, id::EntryId};

const ANN: Somebody<'_> = Somebody {
    given: "Ann",
    surname: "Ash",
    line1: "12 Elm St",
    phone: "614-555-0101",
    email: "",
    voter_id: "OH1",
    van_id: "501",
};

const NAMES: [(&str, &str); 4] = [
    ("Tenants United", "c4"),
    ("Green Table", "c3"),
    ("Clean Air Fund", "c3"),
    ("River Watch", "c4"),
];

/// A coalition of so many of [`NAMES`].
async fn of(members: usize) -> Coalition {
    let terms = policy::terms::template("us-issue-table").unwrap().text;
    Coalition::of(&NAMES[..members], terms).await
}

async fn phase(app: &App) -> Phase {
    app.coalition.read().await.as_ref().unwrap().row.phase
}

/// Asks for Ann's door, from tomorrow on.
async fn ask(coalition: &Coalition, n: usize) -> EntryId {
    let question = Question {
        from: take::From::List("ours".to_owned()),
        channel: Channel::Door,
        first: "2026-11-26".parse().unwrap(),
        last: "2026-11-28".parse().unwrap(),
        portion: None,
    };
    take::take(coalition.node(n), question).await.unwrap().1
}

/// A member has Ann on its list and holds her door.
async fn claim(coalition: &Coalition, n: usize) -> EntryId {
    put(coalition.node(n), "ours", &[ANN]).await;
    coalition.settle().await;
    let claim = ask(coalition, n).await;
    coalition.settle().await;
    claim
}

/// Something harmless that a member says and that takes effect.
async fn say(coalition: &Coalition, n: usize) -> EntryId {
    let name = format!("friend {n}");
    let invited = commonturf::coalition::invite::invite(coalition.node(n), &name, 5).await;
    let (_, entry) = invited.unwrap();
    coalition.settle().await;
    entry
}
