//! At the door: invitations that open nothing, requests that come twice, admissions by others.

use super::{Call, at, coalition_id, code};
use crate::site::{Site, Wire, compared, founded, invitation, joined, pump, two};
use commonturf::{
    coalition,
    federation::join::{Admission, Ask},
};
use protocol::{
    blob::BlobId,
    codec,
    id::Hash,
    invite::{Invite, InviteToken},
    mls::{Overlay, key_package},
    problem::ProblemKind,
    time::HOUR,
};

async fn refusal(site: &Site, code: &str) -> ProblemKind {
    let failure = coalition::join::ask(&site.app, code).await.unwrap_err();
    failure.0.kind().unwrap()
}

#[tokio::test]
async fn an_unknown_spent_or_expired_invitation_opens_no_door() {
    let (keeper, _member) = two().await;
    let newcomer = Site::new("Late Comers", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    let mut parts: Invite = code.parse().unwrap();
    let spent = code.clone();
    parts = {
        let mut unknown = protocol::invite::InviteParts {
            coalition: parts.coalition,
            coalition_name: parts.coalition_name.clone(),
            inviter: parts.inviter,
            keeper: parts.keeper,
            keeper_url: parts.keeper_url.clone(),
            token: InviteToken::random(&mut commonturf::ambient::rng()),
            expires: parts.expires,
            log: parts.log,
        };
        unknown.expires = unknown.expires.plus(1_000);
        Invite::from(unknown)
    };
    assert_eq!(
        refusal(&newcomer, &parts.to_string()).await,
        ProblemKind::InviteUnknown
    );
    let first = Site::new("First Comers", false, &keeper.wire).await;
    coalition::join::ask(&first.app, &spent).await.unwrap();
    pump(&[&keeper.app]).await;
    assert_eq!(refusal(&newcomer, &spent).await, ProblemKind::InviteSpent);
    let (late, _) = coalition::invite::invite(&keeper.app, "a friend", 5)
        .await
        .unwrap();
    let late = late.to_string();
    pump(&[&keeper.app]).await;
    keeper.clock.set(keeper.app.now().plus(6 * HOUR));
    assert_eq!(
        refusal(&newcomer, &late).await,
        ProblemKind::InviteExpired,
        "by the keeper's clock"
    );
    newcomer.clock.set(keeper.app.now());
    assert_eq!(
        refusal(&newcomer, &late).await,
        ProblemKind::InviteExpired,
        "by its own"
    );
    assert_eq!(
        refusal(&newcomer, "nonsense").await,
        ProblemKind::InvalidInput
    );
}

#[tokio::test]
async fn a_name_that_a_member_bears_is_refused_at_the_door() {
    let (keeper, _member) = two().await;
    let newcomer = Site::new("GREEN TABLE", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    assert_eq!(refusal(&newcomer, &code).await, ProblemKind::Conflict);
}

#[tokio::test]
async fn a_newcomer_whose_answer_was_lost_asks_again_and_comes_in() {
    let keeper = founded(&Wire::default()).await;
    let newcomer = Site::new("Green Table", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    // The keeper announces it, and the newcomer hears nothing: its first keys are gone.
    keeper.wire.meddle(|mut answer| {
        answer.headers_mut().remove("signature");
        *answer.status_mut() = http::StatusCode::BAD_GATEWAY;
        answer
    });
    assert!(coalition::join::ask(&newcomer.app, &code).await.is_err());
    keeper.wire.leave_alone();
    pump(&[&keeper.app]).await;
    coalition::join::ask(&newcomer.app, &code).await.unwrap();
    pump(&[&keeper.app]).await;
    let digits = compared(&keeper.app, &newcomer.app).await;
    coalition::join::approve(&keeper.app, "Green Table", Some(&digits))
        .await
        .unwrap();
    pump(&[&keeper.app, &newcomer.app]).await;
    assert!(crate::site::folded(&newcomer.app).await.is_some());
}

#[tokio::test]
async fn asking_twice_with_the_same_keys_is_announced_once() {
    let keeper = founded(&Wire::default()).await;
    let newcomer = Site::new("Green Table", false, &keeper.wire).await;
    let invite: Invite = invitation(&keeper.app).await.parse().unwrap();
    let package = key_package(
        &mut Overlay::default(),
        &newcomer.app.mls_key(),
        newcomer.app.me,
    )
    .unwrap();
    let ask = codec::encode(&Ask {
        token: invite.token,
        document: newcomer.app.keys().document.clone(),
        key_package: package,
    });
    let mut heads = Vec::new();
    for _ in 0..2 {
        let call = Call::post(&at(&keeper, "join").await, ask.clone());
        let answer = call
            .signed(&newcomer.app.signer(), keeper.app.me, newcomer.app.now())
            .send(&keeper.app)
            .await;
        assert!(answer.status().is_success(), "{:?}", answer.body());
        pump(&[&keeper.app]).await;
        heads.push(*keeper.app.wake.kept.borrow());
    }
    assert_eq!(heads[0], heads[1]);
}

#[tokio::test]
async fn a_newcomer_may_knock_and_look_and_nothing_else() {
    let keeper = founded(&Wire::default()).await;
    let newcomer = Site::new("Green Table", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    coalition::join::ask(&newcomer.app, &code).await.unwrap();
    pump(&[&keeper.app]).await;
    let me = newcomer.app.me;
    for call in [
        Call::get(&at(&keeper, "log").await, Some("after=0")),
        Call::post(&at(&keeper, "log").await, vec![0x81, 0x80]),
        Call::get(
            &at(&keeper, &format!("blobs/{}", BlobId(Hash::ZERO))).await,
            None,
        ),
        Call::get(&at(&keeper, &format!("join/{}", keeper.app.me)).await, None),
        Call {
            method: "PUT",
            ..Call::post(&at(&keeper, &format!("join/{me}")).await, vec![0x80])
        },
    ] {
        let answer = call
            .signed(&newcomer.app.signer(), keeper.app.me, newcomer.app.now())
            .send(&keeper.app)
            .await;
        assert_eq!(code_of(&answer), "not-member");
    }
    let poll = Call::get(&at(&keeper, &format!("join/{me}")).await, None);
    let answer = poll
        .signed(&newcomer.app.signer(), keeper.app.me, newcomer.app.now())
        .send(&keeper.app)
        .await;
    assert!(answer.status().is_success() && answer.body().is_empty());
}

fn code_of(answer: &http::Response<bytes::Bytes>) -> String {
    code(answer)
}

#[tokio::test]
async fn nobody_but_the_inviter_hands_over_an_admission() {
    let (keeper, member) = two().await;
    let newcomer = Site::new("Late Comers", false, &keeper.wire).await;
    let code = invitation(&keeper.app).await;
    coalition::join::ask(&newcomer.app, &code).await.unwrap();
    pump(&[&keeper.app, &member.app]).await;
    let admission = codec::encode(&Admission {
        welcome: vec![1],
        snapshot: BlobId(Hash::ZERO),
        position: 1,
    });
    let path = at(&keeper, &format!("join/{}", newcomer.app.me)).await;
    let call = Call {
        method: "PUT",
        ..Call::post(&path, admission)
    };
    let answer = call
        .signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await;
    assert_eq!(code_of(&answer), "not-found");
    let digits = compared(&keeper.app, &newcomer.app).await;
    coalition::join::approve(&keeper.app, "Late Comers", Some(&digits))
        .await
        .unwrap();
    pump(&[&keeper.app, &member.app, &newcomer.app]).await;
    assert!(crate::site::folded(&newcomer.app).await.is_some());
}

#[tokio::test]
async fn three_members_fold_to_one_state() {
    let (keeper, member) = two().await;
    let third = joined(&keeper, "Late Comers").await;
    pump(&[&keeper.app, &member.app, &third.app]).await;
    let hash = crate::site::state_hash(&keeper.app).await;
    assert_eq!(hash, crate::site::state_hash(&member.app).await);
    assert_eq!(hash, crate::site::state_hash(&third.app).await);
    assert_eq!(
        coalition_id(&third.app).await,
        coalition_id(&keeper.app).await
    );
}
