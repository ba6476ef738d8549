//! A member that misbehaves: it holds real keys and says what it may not.

use super::{op::Evil, world::World};
use anyhow::{Context, Result};
use commonturf::{
    app::App,
    sync::{keeper_client::Keeper, outbox, vouch},
};
use protocol::{
    chain::{Append, Sealed},
    channel::Channel,
    entry::{
        Entry,
        claim::{Claim, ClaimRelease, ClaimRenew},
        housekeeping::Tick,
        membership::Genesis,
        payload::{Payload, write_rows},
        share::NoticeAck,
        suppression::Suppress,
    },
    id::{EntryId, Hash},
    state::State,
    time::DAY,
    token::Token,
};

/// Entries of one flood.
const FLOOD: usize = 40;

/// Says something that must change nothing, or nothing more than is allowed.
///
/// # Errors
/// When the node is no member, there is nothing to misuse yet, or a fault came in between.
pub async fn misbehave(world: &World, node: usize, how: Evil) -> Result<()> {
    let app = world.app(node);
    let state = {
        let guard = app.coalition.read().await;
        let coalition = guard.as_ref().filter(|coalition| coalition.is_active());
        coalition.context("no member")?.state.clone()
    };
    match how {
        Evil::Garbage => return raw(app, b"no entry at all".to_vec()).await,
        Evil::OthersEntry => {
            let keeper = world.leader().await.context("nobody leads")?;
            let mut db = world.app(keeper).store.read("listening").await?;
            let items = commonturf::store::keeper::after(&mut db, 0, 1_000).await?;
            drop(db);
            let last = items.into_iter().next_back().context("an empty log")?;
            return raw(app, last.sealed).await;
        }
        Evil::UseIdAgain => {
            let id = others_claim(app, &state)?;
            let mut tx = app.store.write("misbehaving").await?;
            outbox::queue_as(app, &mut tx, id, Tick {}.into(), None).await?;
            return Ok(tx.commit().await?);
        }
        Evil::Flood => {
            let mut tx = app.store.write("misbehaving").await?;
            for _ in 0..FLOOD {
                outbox::queue(app, &mut tx, Tick {}.into(), None).await?;
            }
            return Ok(tx.commit().await?);
        }
        Evil::FalseCheckpoint => {
            let lie = vouch::build(app, &state, Hash::of(b"a lie"), Hash::of(b"another"));
            return say(app, lie.into()).await;
        }
        Evil::SecondGenesis => {
            let genesis = Genesis {
                name: "Mine".to_owned(),
                document: protocol::codec::encode(&app.keys().document),
            };
            return say(app, genesis.into()).await;
        }
        _ => {}
    }
    let entry = match how {
        Evil::ReleaseOthers => ClaimRelease {
            claim: others_claim(app, &state)?,
            tokens: None,
        }
        .into(),
        Evil::RenewOthers => ClaimRenew {
            claim: others_claim(app, &state)?,
        }
        .into(),
        Evil::AnswerOthersNotice => {
            let mut others = state.notices.iter().filter(|(_, row)| row.to != app.me);
            let (notice, _) = others.next().context("no notice yet")?;
            NoticeAck { notice: *notice }.into()
        }
        Evil::RowsOfNothing => Suppress {
            rows: Payload::Inline(vec![0xff; 999]),
            generation: state.meta().generation.unwrap_or(1),
        }
        .into(),
        _ => claims(app, &state, how)?,
    };
    say(app, entry).await
}

fn claims(app: &App, state: &State, how: Evil) -> Result<Entry> {
    let held = state.claims.iter();
    let tokens = held.flat_map(|(_, row)| row.tokens.as_slice().to_vec());
    let mut tokens: Vec<Token> = tokens.collect();
    tokens.sort_unstable();
    tokens.dedup();
    let now = app.now();
    let mut claim = Claim {
        channel: Channel::Door,
        from: now,
        to: now.plus(14 * DAY),
        tokens: Payload::Inline(write_rows(tokens)),
        grant_by: now.plus(DAY),
        agreement: state.meta().agreement.context("no agreement")?,
        generation: state.meta().generation.unwrap_or(1),
        paired: false,
    };
    match how {
        Evil::ClaimBackwards => std::mem::swap(&mut claim.from, &mut claim.to),
        Evil::ClaimUnderNothing => claim.agreement = Hash::of(b"nothing"),
        _ => {}
    }
    Ok(claim.into())
}

fn others_claim(app: &App, state: &State) -> Result<EntryId> {
    let mut others = state.claims.iter().filter(|(_, row)| row.author != app.me);
    others
        .next()
        .map(|(id, _)| *id)
        .context("nobody has a claim")
}

async fn say(app: &App, entry: Entry) -> Result<()> {
    let mut tx = app.store.write("misbehaving").await?;
    outbox::queue(app, &mut tx, entry, None).await?;
    Ok(tx.commit().await?)
}

/// Bytes for the log, past the outbox.
async fn raw(app: &App, bytes: Vec<u8>) -> Result<()> {
    let keeper = {
        let guard = app.coalition.read().await;
        Keeper::of(app, guard.as_ref().context("no member")?)
    };
    let append = Append {
        entries: vec![Sealed(bytes)],
    };
    keeper.append(app, &append).await?;
    Ok(())
}
