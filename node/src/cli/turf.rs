//! `commonturf places`, `area` and `packets`: from a universe to the street.

use super::{
    client::{CliError, Desk, segment},
    out_file::OutFile,
    output::{self, list_of, text},
};
use clap::{Args, Subcommand};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Tell where doors lie.
#[derive(Debug, Subcommand)]
pub enum Places {
    /// Take a geocoder's file: addresses with latitude and longitude. It fills what lists lack.
    Import {
        /// CSV, tab separated or .xlsx.
        file: PathBuf,
        /// What a column means, for example Y=latitude; several times.
        #[arg(long, value_name = "COLUMN=FIELD")]
        map: Vec<String>,
        /// Read and count, change nothing.
        #[arg(long)]
        dry_run: bool,
    },
}

impl Places {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let Self::Import { file, map, dry_run } = self;
        let map = segment(&map.join("\n"));
        let path = format!("/places?dry_run={dry_run}&map={map}");
        let answer: Value = desk.upload(&path, read(file)?.into()).await?;
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        println!(
            "{} of {} rows place a door; {} people without coordinates of their own are placed by such files.",
            text(&answer["doors"]),
            text(&answer["rows"]),
            text(&answer["people_placed"])
        );
        for (field, what) in [
            (
                "without_point",
                "have no point, or coordinates that name none",
            ),
            ("without_door", "have an address that names no door"),
            ("unreadable", "could not be read"),
        ] {
            if let Some(count) = answer[field].as_u64().filter(|count| *count > 0) {
                println!("{count} rows {what}.");
            }
        }
        if *dry_run {
            println!("Nothing was changed.");
        }
        Ok(())
    }
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    std::fs::read(file).map_err(|error| CliError::file(file, &error))
}

/// Name parts of the ground; areas stay in this node.
#[derive(Debug, Subcommand)]
pub enum Area {
    /// Add an area.
    Add {
        /// Its name.
        name: String,
        /// From what it is made.
        #[command(flatten)]
        of: Of,
    },
    /// List the areas.
    List,
    /// Show one area.
    Show {
        /// Its name.
        name: String,
    },
    /// Remove an area; claims and plans made with it stay.
    Remove {
        /// Its name.
        name: String,
    },
}

/// From what an area is made.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Of {
    /// A boundary: GeoJSON, or a .zip of a shapefile.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Cells of the H3 grid, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "CELLS")]
    cells: Vec<String>,
    /// Postal codes, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "CODES")]
    postal: Vec<String>,
    /// Precincts as the lists name them, separated by commas.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    precinct: Vec<String>,
}

impl Area {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: Value = match self {
            Self::Add { name, of } => {
                let (kind, body) = match &of.file {
                    Some(file) => ("file", read(file)?),
                    None if !of.cells.is_empty() => ("cells", of.cells.join("\n").into()),
                    None if !of.postal.is_empty() => ("postal", of.postal.join("\n").into()),
                    None => ("precinct", of.precinct.join("\n").into()),
                };
                let path = format!("/areas?kind={kind}&name={}", segment(name));
                desk.upload(&path, body.into()).await?
            }
            Self::List => desk.get("/areas").await?,
            Self::Show { name } => desk.get(&format!("/areas/{}", segment(name))).await?,
            Self::Remove { name } => {
                let path = format!("/areas/{}/removal", segment(name));
                desk.post(&path, &json!({})).await?
            }
        };
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        match self {
            Self::Add { .. } | Self::Show { .. } => {
                println!("{}: {}.", text(&answer["name"]), text(&answer["made_of"]));
            }
            Self::Remove { .. } => println!("Removed {}.", text(&answer["name"])),
            Self::List => {
                let rows: Vec<Vec<String>> = list_of(&answer)
                    .map(|area| vec![text(&area["name"]), text(&area["made_of"])])
                    .collect();
                if rows.is_empty() {
                    println!("There are no areas. `commonturf area add` adds one.");
                } else {
                    output::table(&["Area", "Made of"], &rows);
                }
            }
        }
        Ok(())
    }
}

/// Cut a granted claim into packets that canvassers take along.
#[derive(Debug, Subcommand)]
pub enum Packets {
    /// Cut a claim; packets that nobody has yet are replaced.
    Cut {
        /// The claim's id, or the beginning of it.
        #[arg(long)]
        claim: String,
        /// How many doors, or numbers to call, a packet has at most.
        #[arg(long)]
        doors: usize,
        /// Show the packets and keep none.
        #[arg(long)]
        dry_run: bool,
    },
    /// List packets.
    List {
        /// Only of this claim: its id, or the beginning of it.
        #[arg(long)]
        claim: Option<String>,
    },
    /// Show one packet.
    Show {
        /// Its code, for example 17-3.
        code: String,
    },
    /// Say who walks a packet.
    Assign {
        /// Its code.
        code: String,
        /// The canvasser; an empty name takes the packet back.
        #[arg(long, value_name = "NAME")]
        to: String,
    },
    /// Say that somebody has set out.
    Start {
        /// Its code.
        code: String,
    },
    /// Note what came of a try at somebody of a packet.
    Result {
        /// Its code.
        code: String,
        /// The person: id or its end, van:NUMBER, or the whole name.
        #[arg(long)]
        person: String,
        /// The result by its short code or word: CV, NH, RF, ...
        #[arg(long)]
        result: String,
        /// The day, for paper that comes in later: YYYY-MM-DD.
        #[arg(long)]
        day: Option<String>,
    },
    /// End a packet and give back what nobody reached. Import the results first.
    Done {
        /// Its code.
        code: String,
        /// Keep what nobody reached, for another pass.
        #[arg(long)]
        keep: bool,
        /// Show how much would be given back.
        #[arg(long)]
        dry_run: bool,
    },
    /// Write a packet's walk list or call list as CSV.
    Walklist {
        /// Its code.
        code: String,
        /// own, or van: the columns of VAN's walk lists, for people who have a VANID.
        #[arg(long, default_value = "own", value_parser = ["own", "van"])]
        layout: String,
        /// The file.
        #[command(flatten)]
        out: OutFile,
    },
    /// Write a packet as a page to print: sketch, stops, room for results.
    Sheet {
        /// Its code.
        code: String,
        /// The file, which a browser opens and prints.
        #[command(flatten)]
        out: OutFile,
    },
}

impl Packets {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let at = |code: &str, what: &str| format!("/packets/{}{what}", segment(code));
        match self {
            Self::Cut {
                claim,
                doors,
                dry_run,
            } => {
                let cut = json!({ "claim": claim, "doors": doors, "dry_run": dry_run });
                was_cut(desk, &desk.post("/packets", &cut).await?, *dry_run);
            }
            Self::List { claim } => {
                let of = claim
                    .as_ref()
                    .map(|claim| format!("?claim={}", segment(claim)));
                let packets: Value = desk
                    .get(&format!("/packets{}", of.unwrap_or_default()))
                    .await?;
                list(desk, &packets);
            }
            Self::Show { code } => one(desk, &desk.get(&at(code, "")).await?),
            Self::Assign { code, to } => {
                one(
                    desk,
                    &desk
                        .post(&at(code, "/assignment"), &json!({ "to": to }))
                        .await?,
                );
            }
            Self::Start { code } => one(desk, &desk.post(&at(code, "/start"), &json!({})).await?),
            Self::Result {
                code,
                person,
                result,
                day,
            } => {
                let entry = json!({ "person": person, "result": result, "day": day });
                noted(desk, &desk.post(&at(code, "/results"), &entry).await?);
            }
            Self::Done {
                code,
                keep,
                dry_run,
            } => {
                let end = json!({ "keep": keep, "dry_run": dry_run });
                done(
                    desk,
                    &desk.post(&at(code, "/end"), &end).await?,
                    *keep,
                    *dry_run,
                );
            }
            Self::Walklist { code, layout, out } => {
                write(desk, &at(code, &format!("/walk-list?layout={layout}")), out).await?;
            }
            Self::Sheet { code, out } => write(desk, &at(code, "/sheet"), out).await?,
        }
        Ok(())
    }
}

fn noted(desk: &Desk, answer: &Value) {
    if desk.json {
        output::json(answer);
        return;
    }
    let result = answer["result"].as_str().unwrap_or_default();
    if answer["known"] == true {
        println!("Stop {}: {result} was noted before.", answer["stop"]);
    } else {
        println!(
            "Stop {}: {result}. Allies are told of the contact, not of whom.",
            answer["stop"]
        );
    }
}

async fn write(desk: &Desk, path: &str, out: &OutFile) -> Result<(), CliError> {
    out.check()?;
    let bytes = desk.download(path).await?;
    out.write(&bytes)?;
    if desk.json {
        output::json(&json!({ "file": out.name(), "bytes": bytes.len() }));
    } else {
        println!("Wrote {}.", out.name());
    }
    Ok(())
}

fn was_cut(desk: &Desk, answer: &Value, dry_run: bool) {
    if desk.json {
        output::json(answer);
        return;
    }
    list(desk, &answer["packets"]);
    for (field, what) in [
        (
            "without_point",
            "have no coordinates and follow street by street",
        ),
        ("closed", "are in no packet: nobody may be contacted there"),
    ] {
        if let Some(count) = answer[field].as_u64().filter(|count| *count > 0) {
            println!("{count} contact points {what}.");
        }
    }
    if dry_run {
        println!("Nothing was kept.");
    }
}

fn list(desk: &Desk, packets: &Value) {
    if desk.json {
        output::json(packets);
        return;
    }
    let rows: Vec<Vec<String>> = list_of(packets)
        .map(|packet| {
            vec![
                text(&packet["code"]),
                text(&packet["stops"]),
                text(&packet["state"]).replace('_', " "),
                text(&packet["assignee"]),
                text(&packet["claim"]).chars().take(8).collect(),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("There are no packets. `commonturf packets cut` makes some of a granted claim.");
    } else {
        output::table(&["Packet", "Stops", "State", "With", "Claim"], &rows);
    }
}

fn one(desk: &Desk, packet: &Value) {
    if desk.json {
        output::json(packet);
        return;
    }
    let with = text(&packet["assignee"]);
    println!(
        "Packet {}: {} stops, {}{}.",
        text(&packet["code"]),
        text(&packet["stops"]),
        text(&packet["state"]).replace('_', " "),
        if with.is_empty() {
            String::new()
        } else {
            format!(", with {with}")
        }
    );
}

fn done(desk: &Desk, answer: &Value, keep: bool, dry_run: bool) {
    if desk.json {
        output::json(answer);
        return;
    }
    let rest = text(&answer["rest"]);
    match (dry_run, keep) {
        (true, _) => println!("{rest} contact points would be given back. Nothing was changed."),
        (false, true) => println!("Done; {rest} contact points were not reached and are kept."),
        (false, false) => {
            println!("Done; {rest} contact points were not reached and are given back.")
        }
    }
}
