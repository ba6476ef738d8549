//! Who keeps the log, and what befalls keepers: changes, splits, deaths, and the ways back.

use super::failed;
use crate::sim::{op::Op, people::ORGANIZATIONS, world::World};
use anyhow::{Context, Result, anyhow, ensure};
use commonturf::{coalition as work, keeper::raft, keys};
use protocol::{id::EntryId, identity::KeyUse};

/// A version of the agreement that names other keepers.
pub(super) async fn entrust(world: &World, node: usize, keepers: &[usize]) -> Result<Vec<EntryId>> {
    let names: Vec<String> = keepers
        .iter()
        .filter_map(|keeper| Some(ORGANIZATIONS.get(*keeper)?.0.to_owned()))
        .collect();
    let wanted = work::agreement::Wanted {
        keepers: Some(&names),
        ..Default::default()
    };
    let app = world.app(node);
    let draft = work::agreement::draft(app, wanted).await.map_err(failed)?;
    let put = work::agreement::put_forward(app, &draft).await;
    put.map_err(failed).map(|(_, entry)| vec![entry])
}

/// What stops nodes and parts them from each other.
pub(super) async fn befall(world: &mut World, op: &Op) -> Result<()> {
    match op {
        Op::Split { side } => world.network.split(side),
        Op::SplitLeader => {
            let leader = world.leader().await.context("nobody leads")?;
            world.network.split(&[leader]);
        }
        Op::Mute { from, to, mute } => world.network.mute(*from, *to, *mute),
        Op::Kill { node } => world.stop(*node).await,
        Op::KillLeader => {
            let leader = world.leader().await.context("nobody leads")?;
            world.stop(leader).await;
        }
        Op::Lose { node } => {
            world.stop(*node).await;
            world.sites[*node].lost = true;
        }
        _ => {}
    }
    Ok(())
}

/// What a person does for a node that cannot go on by itself.
pub(super) async fn help(world: &World, op: &Op) -> Result<()> {
    match op {
        Op::KeepAgain { node } => raft::keep_again(world.app(*node)).await.map_err(failed),
        Op::ComeBack { node } => {
            let asked = work::parting::come_back(world.app(*node)).await;
            asked.map_err(failed)
        }
        _ => Ok(()),
    }
}

/// New keys, said by the node itself or by another one for it.
pub(super) async fn rotate(world: &World, op: &Op) -> Result<Vec<EntryId>> {
    let Op::Rotate { node, all, by } = op else {
        return Ok(Vec::new());
    };
    let keys = match all {
        true => KeyUse::ALL.to_vec(),
        false => vec![KeyUse::Request],
    };
    let wanted = keys::Wanted {
        // The root's key is the node's name, and stays.
        keys: keys
            .into_iter()
            .filter(|usage| *usage != KeyUse::Root)
            .collect(),
        carried: by.is_some(),
        ..keys::Wanted::default()
    };
    if let Some(by) = by {
        ensure!(by != node, "nobody carries its own document");
    }
    let next = keys::rotate(world.app(*node), &wanted)
        .await
        .map_err(failed)?;
    if let Some(by) = by {
        let document = next
            .document
            .ok_or_else(|| anyhow!("no document to carry"))?;
        // The carrier's promise is its own, and may be void where the node spoke for itself meanwhile.
        let carried = keys::carry::carry(world.app(*by), &document, false).await;
        carried.map_err(failed)?;
    }
    Ok(next.entry.into_iter().collect())
}
