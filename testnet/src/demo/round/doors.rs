//! Coordinators claim the doors of their lists: two at the same moment, the others after them.

use super::super::known::{Seen, letters};
use super::super::observed::{ClaimSeen, OptOutSeen};
use super::super::report::{Claim, OptOut};
use super::lists::{number, text};
use super::{LIST, PATIENCE, Party, Table};
use crate::export_files::door::door;
use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use jiff::ToSpan;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// Days of a claim, the first and the last included.
const DAYS: i64 = 7;

impl Table<'_> {
    /// A person of the first organization wants no visits; who else has the person learns of it.
    pub(super) async fn opt_out(&mut self) -> Result<()> {
        let Some((key, name, members)) = self.somebody_known_to_allies() else {
            return Ok(());
        };
        let (first, allies) = self
            .parties
            .split_first()
            .context("somebody sits at the table")?;
        let words = ["suppress", "--person", &key, "--channel", "door"];
        let told = first
            .node
            .run(&words)
            .await
            .with_context(|| first.cannot("suppress", &key))?;
        anyhow::ensure!(told["state"] == "done", "the opt-out was not told: {told}");
        let mut reached = BTreeSet::new();
        for ally in allies
            .iter()
            .filter(|ally| members.contains(&ally.bring.slug))
        {
            let knows = |answer: &Value| {
                let about = answer["allies"].as_array()?.iter();
                let named = |row: &&Value| {
                    let about = row["about"].as_array().into_iter().flatten();
                    let mut names = about.filter_map(Value::as_str);
                    row["organization"] == first.bring.name
                        && names.any(|about| letters(about).contains(&name))
                };
                about.filter(named).count().checked_sub(1)
            };
            let words = ["suppressions", "list"];
            if ally
                .node
                .until("the opt-out is known", PATIENCE / 10, &words, knows)
                .await
                .is_ok()
            {
                reached.insert(ally.bring.slug.clone());
            }
        }
        let names = allies
            .iter()
            .filter(|ally| reached.contains(&ally.bring.slug));
        self.report.opt_out = Some(OptOut {
            by: first.bring.name.clone(),
            reached: names.map(|ally| ally.bring.name.clone()).collect(),
        });
        let by = first.bring.slug.clone();
        self.observed.opt_outs.push(OptOutSeen {
            by,
            members,
            reached,
        });
        self.done("an opt-out is told");
        Ok(())
    }

    /// A reference to a person of the first list, the letters of the surname, and the slugs of allies with the same
    /// person at the same door under the same name.
    fn somebody_known_to_allies(&self) -> Option<(String, String, BTreeSet<String>)> {
        let known = self.known.as_ref()?;
        let (first, allies) = self.parties.split_first()?;
        let own = known.lists.get(&first.bring.slug)?;
        let candidates = own
            .rows
            .iter()
            .filter(|row| row.door.is_some() && !own.no_visit.contains(&row.person));
        let with_allies = candidates.map(|row| {
            let has = |ally: &&Party| {
                let list = known.lists.get(&ally.bring.slug);
                list.is_some_and(|list| {
                    list.rows
                        .iter()
                        .any(|other| other.name == row.name && other.door == row.door)
                })
            };
            let members: BTreeSet<String> = allies
                .iter()
                .filter(has)
                .map(|ally| ally.bring.slug.clone())
                .collect();
            (row, members)
        });
        let (row, members) = with_allies.max_by_key(|(_, members)| members.len())?;
        Some((format!("van:{}", row.key), letters(&row.surname), members))
    }

    /// The last two at the table claim at the same moment, then the others one by one.
    pub(super) async fn doors(&mut self) -> Result<()> {
        let last = self.day.saturating_add((DAYS - 1).days());
        let window = (self.day.to_string(), last.to_string());
        std::fs::create_dir_all(self.place.out())?;
        let middle = self.parties.len().saturating_sub(2);
        let (early, late) = self.parties.split_at_mut(middle);
        let mut claims = try_join_all(late.iter_mut().map(|party| party.claim(&window))).await?;
        for party in early {
            claims.push(party.claim(&window).await?);
        }
        for ((by, claim), granted) in claims {
            let walk_list = self.walk_list(&by, &claim).await?;
            let window = window.clone();
            self.observed.claims.push(ClaimSeen {
                by,
                window,
                granted,
                walk_list,
            });
        }
        self.done("doors are claimed and walk lists written");
        Ok(())
    }

    async fn walk_list(&mut self, by: &str, claim: &str) -> Result<Vec<Seen>> {
        let file = self.place.out().join(format!("{by}-walk-list.csv"));
        let party = self.parties.iter_mut().find(|party| party.bring.slug == by);
        let party = party.context("who claims sits at the table")?;
        let words = ["walklist", "--claim", claim, "--out", &text(&file)];
        let rows = match party.node.run(&words).await {
            Ok(_) => walk_list(&file)?,
            // Nothing was granted, so there is nothing to walk.
            Err(refused) if refused.code() == "conflict" => Vec::new(),
            Err(refused) => return Err(refused.into()),
        };
        if let Some(about) = &mut party.about.claim {
            let doors: BTreeSet<&Option<String>> = rows.iter().map(|row| &row.door).collect();
            about.walk_list = doors.len() as u64;
        }
        Ok(rows)
    }
}

impl Party {
    /// Claims the doors of the whole list: slug and claim, and how many were granted.
    async fn claim(&mut self, window: &(String, String)) -> Result<((String, String), usize)> {
        let (from, to) = window;
        let mut words = vec!["claim", "take", "--list", LIST, "--channel", "door"];
        words.extend(["--from", from, "--to", to]);
        let taken = self
            .node
            .run(&words)
            .await
            .with_context(|| self.cannot("claim the doors of", LIST))?;
        anyhow::ensure!(
            taken["state"] == "done",
            "the claim of {} is not decided: {taken}",
            self.bring.name
        );
        let claim = &taken["claim"];
        let mut reasons: BTreeMap<String, u64> = BTreeMap::new();
        let because = claim["because_of"].as_object().into_iter().flatten();
        let states = because.flat_map(|(_, states)| states.as_object().into_iter().flatten());
        for (state, count) in states.chain(taken["left_out"].as_object().into_iter().flatten()) {
            *reasons.entry(state.clone()).or_default() += count.as_u64().unwrap_or(0);
        }
        let count = |state: &str| reasons.get(state).copied().unwrap_or(0);
        let granted = number(claim, "granted");
        self.about.claim = Some(Claim {
            from: from.clone(),
            to: to.clone(),
            asked: number(claim, "asked"),
            granted,
            held: count("held"),
            recent: count("recent"),
            suppressed: count("suppressed"),
            walk_list: 0,
        });
        let id = claim["claim"]
            .as_str()
            .context("a claim has an id")?
            .to_owned();
        Ok(((self.bring.slug.clone(), id), usize::try_from(granted)?))
    }
}

fn walk_list(file: &Path) -> Result<Vec<Seen>> {
    let bytes = std::fs::read(file)?;
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&bytes);
    let mut reader = csv::Reader::from_reader(text);
    let headings = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let place = |name: &str| headings.iter().position(|heading| heading == name);
        let cell = |name: &str| {
            place(name)
                .and_then(|place| record.get(place))
                .unwrap_or_default()
        };
        let some = |name: &str| Some(cell(name).to_owned()).filter(|text| !text.is_empty());
        rows.push(Seen {
            name: cell("Name").to_owned(),
            emails: some("Email").into_iter().collect(),
            phones: some("Phone").into_iter().collect(),
            door: door(cell("Address"), cell("Zip")),
            classes: BTreeSet::new(),
        });
    }
    Ok(rows)
}
