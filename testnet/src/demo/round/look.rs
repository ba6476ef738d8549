//! What the nodes hold when all is said: read out and taken down, without a judgement.

use super::super::canary;
use super::super::known::Seen;
use super::lists::text;
use super::{Table, say};
use crate::export_files::door::door;
use anyhow::{Context, Result};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

impl Table<'_> {
    pub(super) async fn look(&mut self) -> Result<()> {
        self.announce_uses().await?;
        self.observed.standings = self.settle().await?;
        let first = self
            .observed
            .standings
            .first()
            .context("somebody sits at the table")?;
        self.report.position = first.position;
        self.report.state_hash = first.state_hash.clone();
        for seat in 0..self.parties.len() {
            let party = &self.parties[seat];
            let file = self
                .place
                .out()
                .join(format!("{}-received.csv", party.bring.slug));
            let words = ["received", "export", "--all", "--out", &text(&file)];
            party
                .node
                .run(&words)
                .await
                .with_context(|| party.cannot("export", "what it received"))?;
            let received = received(&file)?;
            let holds = received
                .iter()
                .map(|(from, rows)| (from.clone(), rows.len() as u64));
            self.parties[seat].about.holds = holds.collect();
            self.place_rows(seat, received);
            let party = &mut self.parties[seat];
            let traces = canary::scan(party.node.dir())?;
            self.observed
                .traces
                .insert(party.bring.slug.clone(), traces);
            let link = party.node.run(&["desk-link"]).await?;
            party.about.link = link["url"].as_str().unwrap_or_default().to_owned();
        }
        self.done("what every node holds is read out");
        if self.place.is_kept() {
            say(&format!(
                "Files and nodes stay in {}",
                self.place.nodes().display()
            ));
        }
        Ok(())
    }

    /// Rows leave a node in an announced use alone: every share is announced once.
    async fn announce_uses(&self) -> Result<()> {
        for party in &self.parties {
            let received = party.node.run(&["received", "list"]).await?;
            let shares = received["items"].as_array().into_iter().flatten();
            for share in shares.filter(|share| share["state"] == "stored") {
                let share = share["share"].as_str().unwrap_or_default();
                let words = ["received", "announce", "--share", share];
                party
                    .node
                    .run(&words)
                    .await
                    .with_context(|| party.cannot("announce a use of", "a share"))?;
            }
        }
        self.settle().await?;
        Ok(())
    }

    /// Rows go to the share that brought them; rows of a sender that shared nothing make one of their own.
    fn place_rows(&mut self, seat: usize, received: BTreeMap<String, Vec<Seen>>) {
        let to = self.parties[seat].bring.slug.clone();
        for (name, rows) in received {
            let from = self.slug_of(&name);
            let share = self
                .observed
                .shares
                .iter_mut()
                .find(|share| share.from == from && share.to == to);
            match share {
                Some(share) => share.rows.extend(rows),
                None => self
                    .observed
                    .shares
                    .push(super::super::observed::ShareSeen {
                        from,
                        to: to.clone(),
                        fields: BTreeSet::new(),
                        sent: 0,
                        dropped: 0,
                        taken_back: 0,
                        rows,
                    }),
            }
        }
    }
}

/// Received rows by the name of their sender.
fn received(file: &Path) -> Result<BTreeMap<String, Vec<Seen>>> {
    let mut reader = csv::Reader::from_path(file)?;
    let headings = reader.headers()?.clone();
    let mut found: BTreeMap<String, Vec<Seen>> = BTreeMap::new();
    for record in reader.records() {
        let record = record?;
        let place = |name: &str| headings.iter().position(|heading| heading == name);
        let cell = |name: &str| {
            place(name)
                .and_then(|place| record.get(place))
                .unwrap_or_default()
        };
        let several = |name: &str| -> Vec<String> {
            let parts = cell(name).split("; ").filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        let address = format!("{} {}", cell("address_line1"), cell("address_line2"));
        let kinds: [(&str, &[&str]); 6] = [
            (
                "identity",
                &[
                    "given_name",
                    "middle_name",
                    "surname",
                    "suffix",
                    "birth_date",
                    "birth_year",
                ],
            ),
            (
                "postal",
                &[
                    "address_line1",
                    "address_line2",
                    "city",
                    "state",
                    "postal_code",
                    "country",
                ],
            ),
            ("phone", &["phones"]),
            ("email", &["emails"]),
            ("political", &["answers"]),
            ("engagement", &["tags"]),
        ];
        let filled = kinds
            .iter()
            .filter(|(_, cells)| cells.iter().any(|name| !cell(name).is_empty()));
        found
            .entry(cell("from").to_owned())
            .or_default()
            .push(Seen {
                name: format!("{} {}", cell("given_name"), cell("surname")),
                emails: several("emails"),
                phones: several("phones"),
                door: door(&address, cell("postal_code")),
                classes: filled.map(|(kind, _)| (*kind).to_owned()).collect(),
            });
    }
    Ok(found)
}
