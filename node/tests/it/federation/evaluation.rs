//! Evaluating points: one key in use, a budget, and each slot for one batch.

use super::{Call, at, code};
use crate::site::{Site, pump, two};
use commonturf::coalition;
use protocol::{
    codec,
    token::{Class, EvalReply, EvalRequest, Keyset, Kind, Normalized, Points, blind::prepare},
};

async fn keyset(site: &Site) -> (Keyset, protocol::id::CoalitionId) {
    let guard = site.app.coalition.read().await;
    let state = &guard.as_ref().unwrap().state;
    let row = state.keysets.get(&1).unwrap();
    (codec::decode(&row.bytes).unwrap(), state.meta().coalition)
}

async fn request(site: &Site, slot: u64, first: usize) -> EvalRequest {
    let (keyset, coalition) = keyset(site).await;
    let values: Vec<Normalized> = (0..3)
        .map(|n| {
            Normalized::stored(Kind::Phone, format!("+1206{:07}", 5_550_100 + first + n)).unwrap()
        })
        .collect();
    let batch = prepare(&[3; 32], &coalition, &keyset, Class::Phone, slot, &values).unwrap();
    batch.request(&keyset.quorum(&[1]).unwrap())
}

async fn evaluate(
    keeper: &Site,
    member: &Site,
    request: &EvalRequest,
) -> http::Response<bytes::Bytes> {
    let call = Call::post(&at(keeper, "evaluate").await, codec::encode(request));
    call.signed(&member.app.signer(), keeper.app.me, member.app.now())
        .send(&keeper.app)
        .await
}

#[tokio::test]
async fn a_slot_is_for_one_batch_whose_repetition_costs_nothing() {
    let (keeper, member) = two().await;
    let first = request(&member, 0, 0).await;
    let mut points = Vec::new();
    for _ in 0..2 {
        let answer = evaluate(&keeper, &member, &first).await;
        assert!(answer.status().is_success(), "{:?}", answer.body());
        points.push(codec::decode::<EvalReply>(answer.body()).unwrap().points);
    }
    assert_eq!(points[0], points[1]);
    let other = request(&member, 0, 50).await;
    assert_eq!(code(&evaluate(&keeper, &member, &other).await), "conflict");
    assert!(
        evaluate(&keeper, &member, &request(&member, 1, 50).await)
            .await
            .status()
            .is_success()
    );
    assert!(
        evaluate(&keeper, &keeper, &request(&keeper, 0, 50).await)
            .await
            .status()
            .is_success(),
        "another's slot"
    );
}

#[tokio::test]
async fn another_key_than_the_one_in_use_is_refused() {
    let (keeper, member) = two().await;
    let base = request(&member, 0, 0).await;
    for generation in [0, 2, u32::MAX] {
        let other = EvalRequest {
            generation,
            ..base.clone()
        };
        assert_eq!(
            code(&evaluate(&keeper, &member, &other).await),
            "key-changed"
        );
    }
    let coalition = EvalRequest {
        coalition: protocol::id::CoalitionId([9; 16]),
        ..base.clone()
    };
    let version = EvalRequest {
        version: 2,
        ..base.clone()
    };
    let reshare = EvalRequest {
        reshare: 7,
        ..base.clone()
    };
    let no_points = EvalRequest {
        points: Points::new(vec![[0xff; 32]]).unwrap(),
        ..base
    };
    for request in [coalition, version, reshare, no_points] {
        assert_eq!(
            code(&evaluate(&keeper, &member, &request).await),
            "unsupported"
        );
    }
}

#[tokio::test]
async fn a_budget_that_is_used_up_is_used_up() {
    let (keeper, member) = two().await;
    // One batch is filled up to 64 points; the budget of the next version allows it and no more.
    let terms = crate::site::terms().replace("phone = 1_100_000", "phone = 100");
    assert_ne!(terms, crate::site::terms());
    coalition::agreement::propose(&keeper.app, Some(&terms))
        .await
        .unwrap();
    pump(&[&keeper.app, &member.app]).await;
    coalition::agreement::sign(&member.app, None).await.unwrap();
    pump(&[&keeper.app, &member.app]).await;
    assert!(
        evaluate(&keeper, &member, &request(&member, 0, 0).await)
            .await
            .status()
            .is_success()
    );
    let second = evaluate(&keeper, &member, &request(&member, 1, 50).await).await;
    assert_eq!(
        (second.status().as_u16(), code(&second).as_str()),
        (429, "budget")
    );
    assert!(
        evaluate(&keeper, &member, &request(&member, 0, 0).await)
            .await
            .status()
            .is_success(),
        "paid for"
    );
}

#[tokio::test]
async fn a_class_has_a_budget_of_its_own_and_each_member_has_one() {
    let (keeper, member) = two().await;
    let terms = crate::site::terms().replace("phone = 1_100_000", "phone = 64");
    coalition::agreement::propose(&keeper.app, Some(&terms))
        .await
        .unwrap();
    pump(&[&keeper.app, &member.app]).await;
    coalition::agreement::sign(&member.app, None).await.unwrap();
    pump(&[&keeper.app, &member.app]).await;
    for site in [&member, &keeper] {
        assert!(
            evaluate(&keeper, site, &request(site, 0, 0).await)
                .await
                .status()
                .is_success()
        );
        assert_eq!(
            code(&evaluate(&keeper, site, &request(site, 1, 9).await).await),
            "budget"
        );
    }
}
