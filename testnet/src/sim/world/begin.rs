//! The coalition from which runs begin, as files.

use super::{MEMBERS, World, config, node_dir};
use crate::sim::{
    people::{self, LISTS, ORGANIZATIONS, PEOPLE, REGISTER},
    time::{Holds, NodeClock},
};
use anyhow::{Context, Result, bail};
use commonturf::{coalition as work, http::problem::Failure, init, keeper::raft};
use protocol::{fold::ceremony, time::Moment};
use std::path::Path;
use tempfile::TempDir;

/// 2026-11-25 12:00 UTC, a Wednesday.
const NOON: Moment = Moment(1_795_608_000_000);
/// Memory that is a folder, where there is one: nothing here has to survive.
const MEMORY: &str = "/dev/shm";
/// Rounds within which keepers have changed over and have their keys.
const ROUNDS: usize = 60;

/// A coalition that is founded and signed, as files, from which runs begin.
pub struct Beginning {
    folder: TempDir,
    time: Moment,
}

/// The beginnings with one keeper and with three, each made when it is first needed.
#[derive(Default)]
pub struct Beginnings {
    one: Option<Beginning>,
    three: Option<Beginning>,
}

impl Beginnings {
    /// The beginning with so many keepers.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn with(&mut self, keepers: usize) -> Result<&Beginning> {
        let made = match keepers {
            1 => &mut self.one,
            MEMBERS => &mut self.three,
            _ => bail!("a beginning has 1 or {MEMBERS} keepers"),
        };
        if made.is_none() {
            *made = Some(Beginning::make(keepers).await?);
        }
        made.as_ref().context("it was made just now")
    }
}

fn folder() -> Result<TempDir> {
    let memory = Path::new(MEMORY);
    let made = if memory.is_dir() {
        tempfile::tempdir_in(memory)
    } else {
        tempfile::tempdir()
    };
    made.context("no folder for the nodes")
}

/// Copies every file of a folder, folders included.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

fn failed(failure: Failure) -> anyhow::Error {
    anyhow::anyhow!("{failure:?}")
}

impl Beginning {
    /// Founds the coalition: three members under one agreement that names so many keepers, their people
    /// with tokens, and a stranger.
    ///
    /// # Errors
    /// When any of it fails.
    pub async fn make(keepers: usize) -> Result<Self> {
        let folder = folder()?;
        let holds = Holds::default();
        let still = holds.hold();
        for (node, (name, kind)) in ORGANIZATIONS.iter().enumerate() {
            let clock = NodeClock::opened(NOON, crate::sim::time::present());
            let dir = node_dir(folder.path(), node);
            let kind = kind.parse().map_err(|_| anyhow::anyhow!("no kind"))?;
            init::make(&dir, &config(node)?, name.parse()?, kind, &clock).await?;
        }
        drop(still);
        let mut world = World::open(folder, NOON).await?;
        world.found(keepers).await?;
        world.close().await;
        Ok(Self {
            time: world.time(),
            folder: world.folder,
        })
    }

    /// A copy of its files.
    pub(super) fn copied(&self) -> Result<TempDir> {
        let folder = folder()?;
        copy(self.folder.path(), folder.path())?;
        Ok(folder)
    }

    /// When it ended.
    pub(super) fn time(&self) -> Moment {
        self.time
    }
}

impl World {
    async fn found(&mut self, keepers: usize) -> Result<()> {
        let terms = policy::template("us-issue-table").context("the template is there")?;
        work::found::found(self.app(0), "Riverside", terms.text)
            .await
            .map_err(failed)?;
        self.rounds(2).await;
        for node in 1..MEMBERS {
            self.let_in(node).await?;
        }
        let names: Vec<String> = ORGANIZATIONS[..keepers]
            .iter()
            .map(|(name, _)| (*name).to_owned())
            .collect();
        let wanted = work::agreement::Wanted {
            keepers: Some(&names),
            ..Default::default()
        };
        let draft = work::agreement::draft(self.app(0), wanted).await;
        let draft = draft.map_err(failed)?;
        work::agreement::put_forward(self.app(0), &draft)
            .await
            .map_err(failed)?;
        self.rounds(2).await;
        for node in 1..MEMBERS {
            work::agreement::sign(self.app(node), None)
                .await
                .map_err(failed)?;
        }
        self.rounds(3).await;
        self.until_entrusted(keepers).await?;
        for node in 0..ORGANIZATIONS.len() {
            for list in 0..LISTS {
                let on = |person: &usize| people::is_on(node, list, *person);
                let people: Vec<usize> = (0..PEOPLE).filter(on).collect();
                people::put(self.app(node), node, list, &people).await?;
            }
            people::register(self.app(node), people::registered(node)).await?;
        }
        self.rounds(6).await;
        Ok(())
    }

    async fn let_in(&mut self, node: usize) -> Result<()> {
        let name = self.app(node).name.clone();
        let (invite, _) = work::invite::invite(self.app(0), &name, 72)
            .await
            .map_err(failed)?;
        self.rounds(2).await;
        work::join::ask(self.app(node), &invite.to_string())
            .await
            .map_err(failed)?;
        self.rounds(3).await;
        let digits = crate::door::compared(self.app(0), self.app(node)).await?;
        work::join::approve(self.app(0), &name, Some(&digits))
            .await
            .map_err(failed)?;
        self.rounds(4).await;
        Ok(())
    }

    /// Waits until so many keepers vote and have keys of match tokens together.
    async fn until_entrusted(&mut self, keepers: usize) -> Result<()> {
        for _ in 0..ROUNDS {
            let votes = match self.leader().await {
                Some(leader) => raft::voters(self.app(leader)).await,
                None => 0,
            };
            let keyed = {
                let guard = self.app(0).coalition.read().await;
                guard.as_ref().is_some_and(|coalition| {
                    let keyset = ceremony::current(&coalition.state);
                    let keyset = keyset.map_or(0, |keyset| keyset.keepers().len());
                    let closes = coalition.state.closing.get(&()).is_some();
                    keyset == keepers && !closes
                })
            };
            if votes == keepers && keyed {
                return Ok(());
            }
            self.rounds(1).await;
        }
        bail!("the keepers have not changed over")
    }
}

/// Everybody's register is as long as a count of what lists have in common needs.
const _: () = assert!(REGISTER >= 100);
