//! The only keeper is restored from a backup: members hand back what they hold, nothing is granted
//! meanwhile, and nobody talks the keeper into another log than its own.

use super::{ANN, ask, claim, of, phase, say};
use crate::support::{coalition::Coalition, people::put};
use commonturf::{
    app::App,
    claims::show,
    federation::repair::Word,
    keeper::{log, raft::repair},
    store::{self, coalition::Phase, outbox::Progress, proof, repair::Stage, tail},
    sync::{append, keeper_client::Keeper},
};
use protocol::{
    chain::LogLine,
    id::{Hash, NodeId},
    identity::KeyUse,
    note::Note,
    problem::ProblemKind,
    time::Moment,
};

/// Rounds within which a repair is through: each ends with a pause as keepers are asked again.
const ROUNDS: usize = 5;
const A_PAUSE: i64 = 10_000;

async fn rounds(coalition: &Coalition) {
    for _ in 0..ROUNDS {
        coalition.settle().await;
        coalition.pass(A_PAUSE).await;
    }
}

async fn position(coalition: &Coalition, n: usize) -> u64 {
    coalition.state_of(n).await.meta().head.position
}

async fn keeper_of(app: &App) -> Keeper {
    let guard = app.coalition.read().await;
    Keeper::of(app, guard.as_ref().unwrap())
}

async fn hand_back(app: &App, word: Word) -> Option<ProblemKind> {
    let answer = keeper_of(app).await.hand_back(app, &word).await;
    answer.err().map(|error| error.kind().unwrap())
}

/// The keeper's note that a member keeps, and the lines after a position up to it.
async fn tail_of(app: &App, keeper: NodeId, after: u64) -> (String, Vec<LogLine>) {
    let mut db = app.store.read("test").await.unwrap();
    let note = proof::note_of(&mut db, &proof::of_keeper(keeper)).await;
    let note = note.unwrap().unwrap();
    let until = note.size.unsigned_abs();
    let items = proof::items(&mut db, after, until).await.unwrap();
    let line = |(position, (time, sealed))| LogLine {
        position,
        log_time: Moment(time),
        sealed,
    };
    (note.note, (after + 1..).zip(items).map(line).collect())
}

/// Three members; after the copy of the keeper everybody has spoken, and then the copy is put back.
async fn restored() -> (Coalition, u64, u64) {
    let mut coalition = of(3).await;
    let backup = coalition.back_up(0).await;
    let before = position(&coalition, 0).await;
    for n in 0..3 {
        say(&coalition, n).await;
    }
    let after = position(&coalition, 1).await;
    coalition.restore(0, &backup).await;
    (coalition, before, after)
}

#[tokio::test]
async fn a_restored_only_keeper_gets_its_log_back_and_all_agree() {
    let mut coalition = of(3).await;
    let held = claim(&coalition, 1).await;
    let backup = coalition.back_up(0).await;
    for n in 0..3 {
        say(&coalition, n).await;
    }
    let after = position(&coalition, 1).await;
    coalition.restore(0, &backup).await;
    assert_eq!(coalition.node(0).kept.stage(), Some(Stage::Gathering));
    rounds(&coalition).await;
    let keeper = coalition.node(0);
    assert_eq!(phase(keeper).await, Phase::Active);
    assert_eq!(keeper.kept.stage(), None);
    let state = coalition.state().await;
    assert!(state.meta().head.position > after, "something is lost");
    assert!(state.active(keeper.me).unwrap().returned.is_some());
    for n in 0..3 {
        let mut db = coalition.node(n).store.read("test").await.unwrap();
        assert!(proof::forks(&mut db).await.unwrap().is_empty(), "node {n}");
    }
    // Everybody speaks again, and what was granted before is granted to nobody else.
    for n in 0..3 {
        say(&coalition, n).await;
    }
    // What was evaluated since the copy is forgotten: for a day it counts as much as it can have been.
    put(coalition.node(2), "ours", &[ANN]).await;
    coalition.settle().await;
    coalition.hours(25).await;
    let second = ask(&coalition, 2).await;
    coalition.settle().await;
    let whole = show::whole(coalition.node(2), &second.to_string(), 10).await;
    assert_eq!(whole.unwrap().states.get("granted"), None);
    let whole = show::whole(coalition.node(1), &held.to_string(), 10).await;
    assert_eq!(whole.unwrap().states.get("granted"), Some(&1));
    coalition.state().await;
}

#[tokio::test]
async fn a_keeper_in_repair_orders_and_signs_nothing_and_says_so() {
    let (coalition, before, _) = restored().await;
    let (keeper, member) = (coalition.node(0), coalition.node(1));
    assert_eq!(phase(keeper).await, Phase::Restored);
    let refused = log::page(keeper, 0).await.unwrap_err().0;
    assert_eq!(refused.kind(), Some(ProblemKind::Repair));
    let calls = keeper_of(member).await;
    let told = calls.page(member, 0, 0).await.unwrap_err();
    assert_eq!(told.kind(), Some(ProblemKind::Repair));
    let told = calls.group_now(member).await.unwrap_err();
    assert_eq!(told.kind(), Some(ProblemKind::Repair));
    let status = calls.status(member).await.unwrap();
    assert_eq!((status.role.as_str(), status.position), ("repair", before));
    let desk = commonturf::api::status::read(keeper).await.unwrap();
    let repair = desk.coalition.unwrap().repair.unwrap();
    assert_eq!((repair.stage, repair.before), (Stage::Gathering, before));
    // The shorter head was never signed, so nobody holds it for evidence.
    commonturf::sync::heads::run(member).await.unwrap();
    assert!(
        commonturf::audit::fork::frozen(member)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_tail_that_is_not_the_keepers_own_is_refused_whatever_is_wrong_with_it() {
    let (coalition, before, after) = restored().await;
    let (keeper, member) = (coalition.node(0), coalition.node(1));
    let (note, lines) = tail_of(member, keeper.me, before).await;
    let refused = |note: &str, lines: &[LogLine]| {
        let (note, lines) = (note.to_owned(), lines.to_vec());
        hand_back(member, Word::Lines { note, lines })
    };
    let told = Some(ProblemKind::TailRefused);
    let mut altered = lines.clone();
    altered[0].sealed = Hash::of(b"another entry");
    assert_eq!(refused(&note, &altered).await, told, "altered");
    let mut later = lines.clone();
    later.last_mut().unwrap().log_time = Moment(i64::MAX);
    assert_eq!(refused(&note, &later).await, told, "another time");
    assert_eq!(
        refused(&note, &lines[..lines.len() - 1]).await,
        told,
        "short"
    );
    assert_eq!(refused(&note, &lines[1..]).await, told, "a gap");
    let head = note.parse::<Note>().unwrap().head;
    let key = |app: &App| app.keys().known_at(None).signing_key(KeyUse::Head);
    let forged = head.clone().signed(&key(member)).to_string();
    assert_eq!(refused(&forged, &lines).await, told, "never signed");
    let mut other = head;
    other.origin = "commonturf.example/another".to_owned();
    let other = other.signed(&key(keeper)).to_string();
    assert_eq!(refused(&other, &lines).await, told, "another coalition's");
    assert_eq!(*keeper.wake.kept.borrow(), before, "something was taken");
    assert_eq!(refused(&note, &lines).await, None);
    assert_eq!(*keeper.wake.kept.borrow(), after);
    // The lines stand: what was said must have their hashes.
    let mut db = member.store.read("test").await.unwrap();
    let mut item = tail::find(&mut db, after).await.unwrap().unwrap();
    drop(db);
    item.sealed[0] ^= 1;
    let items = vec![item];
    assert_eq!(hand_back(member, Word::Items { items }).await, told);
    rounds(&coalition).await;
    assert_eq!(phase(coalition.node(0)).await, Phase::Active);
    coalition.state().await;
}

#[tokio::test]
async fn a_keeper_that_dies_in_the_middle_of_a_tail_takes_the_rest_after_its_start() {
    let (mut coalition, before, after) = restored().await;
    let (keeper, member) = (coalition.id(0), coalition.node(1).clone());
    let (note, lines) = tail_of(&member, keeper, before).await;
    assert_eq!(hand_back(&member, Word::Lines { note, lines }).await, None);
    let mut db = member.store.read("test").await.unwrap();
    let items = vec![tail::find(&mut db, after).await.unwrap().unwrap()];
    drop(db);
    assert_eq!(hand_back(&member, Word::Items { items }).await, None);
    coalition.restart(0).await;
    assert_eq!(coalition.node(0).kept.stage(), Some(Stage::Gathering));
    let now = keeper_of(&member)
        .await
        .repair_now(&member, 0)
        .await
        .unwrap();
    let lacks: Vec<u64> = (before + 1..after).collect();
    assert_eq!((now.position, now.lacks), (after, lacks));
    rounds(&coalition).await;
    coalition.restart(0).await;
    rounds(&coalition).await;
    assert_eq!(phase(coalition.node(0)).await, Phase::Active);
    say(&coalition, 2).await;
    coalition.state().await;
}

#[tokio::test]
async fn without_a_members_word_a_person_decides_and_a_dry_run_changes_nothing() {
    let (coalition, _, after) = restored().await;
    coalition.away(2, true);
    rounds(&coalition).await;
    let keeper = coalition.node(0);
    assert_eq!(keeper.kept.stage(), Some(Stage::Gathering));
    let report = repair::keep_again_alone(keeper, true).await.unwrap();
    assert!(report.missing);
    assert_eq!((report.position, report.without_bytes), (after, 0));
    let reached: Vec<Option<u64>> = [1, 2]
        .map(|n| coalition.id(n))
        .map(|id| {
            report
                .members
                .iter()
                .find(|m| m.node == id)
                .unwrap()
                .reached
        })
        .to_vec();
    assert_eq!(reached, [Some(after), None]);
    assert_eq!(keeper.kept.stage(), Some(Stage::Gathering));
    let refused = commonturf::keeper::raft::keep_again(keeper).await;
    assert_eq!(refused.unwrap_err().0.kind(), Some(ProblemKind::Conflict));
    repair::keep_again_alone(keeper, false).await.unwrap();
    rounds(&coalition).await;
    assert_eq!(phase(keeper).await, Phase::Active);
    coalition.away(2, false);
    rounds(&coalition).await;
    say(&coalition, 2).await;
    coalition.state().await;
    let again = repair::keep_again_alone(keeper, false).await.unwrap_err();
    assert_eq!(again.0.kind(), Some(ProblemKind::Conflict));
}

#[tokio::test]
async fn what_was_ordered_and_read_by_nobody_is_said_again() {
    let mut coalition = of(3).await;
    let backup = coalition.back_up(0).await;
    let member = coalition.node(1).clone();
    let invited = commonturf::coalition::invite::invite(&member, "a friend", 5).await;
    let (_, entry) = invited.unwrap();
    append::step(&member).await.unwrap();
    let progress = async || {
        let mut db = member.store.read("test").await.unwrap();
        let row = store::outbox::find(&mut db, entry).await.unwrap();
        row.unwrap().progress
    };
    assert_eq!(progress().await, Progress::Ordered);
    coalition.restore(0, &backup).await;
    rounds(&coalition).await;
    assert_eq!(phase(coalition.node(0)).await, Phase::Active);
    assert_eq!(progress().await, Progress::Done);
    assert!(
        commonturf::audit::fork::frozen(&member)
            .await
            .unwrap()
            .is_none()
    );
    coalition.state().await;
}

#[tokio::test]
async fn an_only_keeper_without_any_member_goes_on_when_a_person_says_so() {
    let mut coalition = of(1).await;
    let backup = coalition.back_up(0).await;
    say(&coalition, 0).await;
    coalition.restore(0, &backup).await;
    rounds(&coalition).await;
    assert_eq!(coalition.node(0).kept.stage(), Some(Stage::Gathering));
    repair::keep_again_alone(coalition.node(0), false)
        .await
        .unwrap();
    rounds(&coalition).await;
    assert_eq!(phase(coalition.node(0)).await, Phase::Active);
    say(&coalition, 0).await;
}
