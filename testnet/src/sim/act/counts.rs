//! Counts of what registers have in common.

use super::failed;
use crate::sim::{
    op::Op,
    people::{ORGANIZATIONS, REGISTER_NAME},
    world::World,
};
use anyhow::{Result, ensure};
use commonturf::overlap::{
    say::{self, Wish},
    show::{self, Part, Standing},
};
use policy::Purpose;
use protocol::id::EntryId;

/// Asks, agrees or ends.
pub(super) async fn count(world: &World, op: &Op) -> Result<Vec<EntryId>> {
    match op {
        Op::Count {
            node,
            with,
            counter,
        } => {
            let names = with.iter().filter_map(|node| ORGANIZATIONS.get(*node));
            let wish = Wish {
                with: names.map(|(name, _)| (*name).to_owned()).collect(),
                list: Some(REGISTER_NAME.to_owned()),
                by: "phone".to_owned(),
                purpose: Purpose::Gotv,
                least: None,
                days: None,
                counter: None,
                no_counter: !counter,
            };
            let asked = say::ask(world.app(*node), &wish).await;
            Ok(vec![asked.map_err(failed)?.overlap])
        }
        Op::Answer { node, nth, agree } => {
            let app = world.app(*node);
            let shown = show::list(app).await.map_err(failed)?;
            let open: Vec<String> = shown
                .iter()
                .filter(|count| match agree {
                    true => count.state == Standing::YourAnswer,
                    false => {
                        let party = matches!(count.part, Part::Asker | Part::Asked);
                        party && count.state != Standing::Done
                    }
                })
                .map(|count| count.overlap.to_string())
                .collect();
            ensure!(!open.is_empty(), "no count waits");
            let count = &open[nth % open.len()];
            if *agree {
                let register = REGISTER_NAME.to_owned();
                let agreed = say::agree(app, count, Some(&register)).await;
                Ok(vec![agreed.map_err(failed)?.1])
            } else {
                let stopped = say::stop(app, count).await;
                Ok(vec![stopped.map_err(failed)?.1])
            }
        }
        _ => Ok(Vec::new()),
    }
}
