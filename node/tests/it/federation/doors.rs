//! Comparing by telephone: who is let in, who comes in, and what other digits stop.

use crate::site::{Site, Wire, compared, folded, founded, invitation, pump, read, two};
use commonturf::{
    api::status,
    app::App,
    coalition::{compare, join},
    http::problem::Failure,
    jobs, sync,
};
use protocol::{
    id::NodeId,
    invite::{Invite, InviteParts},
    problem::ProblemKind,
};

/// Well-formed digits that no request has.
const OTHERS: &str = "0123 4567 8901 2345 6789 0123";

fn kind(failure: Failure) -> ProblemKind {
    failure.0.kind().unwrap()
}

async fn members(app: &App) -> usize {
    let guard = app.coalition.read().await;
    guard.as_ref().unwrap().state.roster().count()
}

async fn waiting(app: &App) -> Vec<compare::Newcomer> {
    status::read(app).await.unwrap().coalition.unwrap().waiting
}

/// A keeper, and a newcomer that has asked.
async fn at_the_door() -> (Site, Site) {
    let keeper = founded(&Wire::default()).await;
    let newcomer = Site::new("Green Table", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    join::ask(&newcomer.app, &code).await.unwrap();
    pump(&[&keeper.app]).await;
    (keeper, newcomer)
}

#[tokio::test]
async fn nobody_is_let_in_before_the_inviters_people_have_compared() {
    let (keeper, newcomer) = at_the_door().await;
    let digits = compared(&keeper.app, &newcomer.app).await;
    for (told, refused) in [
        (None, ProblemKind::InvalidInput),
        (Some(""), ProblemKind::InvalidInput),
        (Some("yes"), ProblemKind::InvalidInput),
        (Some(&digits[..24]), ProblemKind::InvalidInput),
        (Some(OTHERS), ProblemKind::Conflict),
    ] {
        let failure = join::approve(&keeper.app, "Green Table", told).await;
        assert_eq!(kind(failure.unwrap_err()), refused, "{told:?}");
    }
    pump(&[&keeper.app, &newcomer.app]).await;
    assert_eq!(members(&keeper.app).await, 1);
    assert_eq!(folded(&newcomer.app).await, None);
    join::approve(&keeper.app, "Green Table", Some(&digits))
        .await
        .unwrap();
    pump(&[&keeper.app, &newcomer.app]).await;
    assert!(folded(&newcomer.app).await.is_some());
}

#[tokio::test]
async fn a_newcomer_does_not_come_in_before_its_own_people_have_compared() {
    let (keeper, newcomer) = at_the_door().await;
    let digits = waiting(&keeper.app).await[0].digits.unwrap().to_string();
    join::approve(&keeper.app, "Green Table", Some(&digits))
        .await
        .unwrap();
    pump(&[&keeper.app, &newcomer.app]).await;
    assert_eq!(members(&keeper.app).await, 2);
    assert_eq!(folded(&newcomer.app).await, None);
    let failure = compare::confirm(&newcomer.app, OTHERS).await.unwrap_err();
    assert!(failure.0.detail.contains("Tenants United"), "{failure:?}");
    assert_eq!(kind(failure), ProblemKind::Conflict);
    pump(&[&keeper.app, &newcomer.app]).await;
    assert_eq!(folded(&newcomer.app).await, None);
    compare::confirm(&newcomer.app, &digits.replace(' ', "-"))
        .await
        .unwrap();
    pump(&[&keeper.app, &newcomer.app]).await;
    assert!(folded(&newcomer.app).await.is_some());
    assert!(compare::door(&newcomer.app).await.unwrap().is_none());
    let late = compare::confirm(&newcomer.app, &digits).await.unwrap_err();
    assert_eq!(kind(late), ProblemKind::Conflict);
}

#[tokio::test]
async fn both_ends_see_who_waits_since_when_and_with_what() {
    let (keeper, member) = two().await;
    let newcomer = Site::new("Late Comers", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    join::ask(&newcomer.app, &code).await.unwrap();
    pump(&[&keeper.app, &member.app]).await;
    let ours = waiting(&keeper.app).await;
    let [one] = ours.as_slice() else {
        panic!("{ours:?}")
    };
    let document = newcomer.app.identity();
    assert_eq!(
        (one.node, one.name.as_str()),
        (newcomer.app.me, "Late Comers")
    );
    assert_eq!(one.document, document.seq);
    assert_eq!(one.document_until, Some(document.valid_until));
    assert!(one.since <= keeper.app.now() && one.ours);
    // Another member sees it too, and has nothing to compare.
    let theirs = waiting(&member.app).await;
    assert_eq!((theirs[0].digits, theirs[0].ours), (None, false));
    let status = status::read(&newcomer.app).await.unwrap();
    let door = status.coalition.unwrap().door.unwrap();
    assert_eq!(door.inviter, keeper.app.me);
    assert_eq!(door.inviter_name, "Tenants United");
    assert_eq!((Some(door.digits), door.compared), (one.digits, false));
}

#[tokio::test]
async fn a_thief_with_the_code_has_not_the_digits_of_whom_it_was_meant_for() {
    let keeper = founded(&Wire::default()).await;
    let code = invitation(&keeper.app).await;
    let thief = Site::new("Green Table", false, &keeper.wire).await;
    join::ask(&thief.app, &code).await.unwrap();
    pump(&[&keeper.app]).await;
    let meant = Site::new("Green Table", false, &keeper.wire).await;
    let spent = join::ask(&meant.app, &code).await.unwrap_err();
    assert_eq!(kind(spent), ProblemKind::InviteSpent);
    assert!(compare::door(&meant.app).await.unwrap().is_none());
    // Asked at another coalition with that other's code, it has digits, and they are not these.
    let other = founded(&Wire::default()).await;
    let meant = Site::new("Green Table", false, &other.wire).await;
    let swapped = invitation(&other.app).await;
    join::ask(&meant.app, &swapped).await.unwrap();
    let read_out = compare::door(&meant.app).await.unwrap().unwrap().digits;
    let refused = join::approve(&keeper.app, "Green Table", Some(&read_out.to_string())).await;
    assert_eq!(kind(refused.unwrap_err()), ProblemKind::Conflict);
    pump(&[&keeper.app]).await;
    assert_eq!(members(&keeper.app).await, 1);
}

#[tokio::test]
async fn an_approval_is_for_the_request_that_was_compared_and_for_no_later_one() {
    let (keeper, member) = two().await;
    let (invite, _) = commonturf::coalition::invite::invite(&member.app, "a friend", 72)
        .await
        .unwrap();
    pump(&[&keeper.app, &member.app]).await;
    let newcomer = Site::new("Late Comers", false, &keeper.wire).await;
    join::ask(&newcomer.app, &invite.to_string()).await.unwrap();
    pump(&[&keeper.app, &member.app]).await;
    let first = compared(&member.app, &newcomer.app).await;
    let approved = join::approve(&member.app, "Late Comers", Some(&first)).await;
    let (_, entry) = approved.unwrap();
    // Before the approval is sealed, another request of the same node is ordered.
    join::ask(&newcomer.app, &invite.to_string()).await.unwrap();
    sync::append::step(&keeper.app).await.unwrap();
    for app in [&keeper.app, &member.app] {
        read(app, &keeper.app).await.unwrap();
    }
    let door = compare::door(&newcomer.app).await.unwrap().unwrap();
    assert!(!door.compared && door.digits.to_string() != first);
    pump(&[&keeper.app, &member.app, &newcomer.app]).await;
    assert_eq!(members(&keeper.app).await, 2);
    let mut db = member.app.store.read("test").await.unwrap();
    let row = commonturf::store::outbox::find(&mut db, entry)
        .await
        .unwrap();
    drop(db);
    assert!(row.unwrap().note.is_some());
    let old = join::approve(&member.app, "Late Comers", Some(&first)).await;
    assert_eq!(kind(old.unwrap_err()), ProblemKind::Conflict);
    let second = compared(&member.app, &newcomer.app).await;
    join::approve(&member.app, "Late Comers", Some(&second))
        .await
        .unwrap();
    pump(&[&keeper.app, &member.app, &newcomer.app]).await;
    assert!(folded(&newcomer.app).await.is_some());
}

#[tokio::test]
async fn a_code_that_names_another_inviter_leads_to_no_door() {
    let (keeper, member) = two().await;
    let invite: Invite = invitation(&keeper.app).await.parse().unwrap();
    let newcomer = Site::new("Late Comers", false, &keeper.wire).await;
    for inviter in [member.app.me, NodeId([7; 32])] {
        let changed = Invite::from(InviteParts {
            coalition: invite.coalition,
            coalition_name: invite.coalition_name.clone(),
            inviter,
            keeper: invite.keeper,
            keeper_url: invite.keeper_url.clone(),
            token: invite.token.clone(),
            expires: invite.expires,
            log: invite.log,
        });
        let refused = join::ask(&newcomer.app, &changed.to_string()).await;
        let refused = refused.unwrap_err();
        assert!(refused.0.detail.contains("invited you"), "{refused:?}");
        assert!(compare::door(&newcomer.app).await.unwrap().is_none());
        assert!(newcomer.app.coalition.read().await.is_none());
    }
    join::ask(&newcomer.app, &invite.to_string()).await.unwrap();
}

#[tokio::test]
async fn a_welcome_by_anybody_but_the_inviter_is_not_taken() {
    let (keeper, member) = two().await;
    let newcomer = Site::new("Late Comers", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    join::ask(&newcomer.app, &code).await.unwrap();
    pump(&[&keeper.app, &member.app]).await;
    let digits = compared(&keeper.app, &newcomer.app).await;
    // As if the code had named another member: then the keeper's welcome is a stranger's.
    let inviter = async |id: NodeId| {
        let mut tx = newcomer.app.store.write("test").await.unwrap();
        sqlx::query("UPDATE joining SET inviter = $1")
            .bind(id.to_string())
            .execute(&mut *tx)
            .await
            .unwrap();
        tx.commit().await.unwrap();
    };
    inviter(member.app.me).await;
    join::approve(&keeper.app, "Late Comers", Some(&digits))
        .await
        .unwrap();
    pump(&[&keeper.app, &member.app]).await;
    let refused = jobs::come_in::run(&newcomer.app).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("not the organization that invited it")
    );
    assert_eq!(folded(&newcomer.app).await, None);
    let status = status::read(&newcomer.app).await.unwrap();
    let told = status.coalition.unwrap().keeper_contact.error;
    assert!(told.unwrap().contains("another road"));
    inviter(keeper.app.me).await;
    jobs::come_in::run(&newcomer.app).await.unwrap();
    assert!(folded(&newcomer.app).await.is_some());
}
