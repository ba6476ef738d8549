//! `commonturf calls`: phone banks.

use super::{
    client::{CliError, Desk},
    output::{self, list_of, text},
};
use clap::{Args, Subcommand};
use jiff::civil::{Date, Time};
use serde_json::{Value, json};

/// Call people by phone: each caller is given the next number that nobody else calls.
#[derive(Debug, Subcommand)]
pub enum Calls {
    /// Open a phone bank. It claims numbers a portion at a time; allies can call the rest.
    Open(Open),
    /// List the phone banks.
    List,
    /// Show one phone bank.
    Show {
        /// Its number.
        bank: u64,
    },
    /// Give a caller the next number, or the one that the caller has.
    Next {
        /// The phone bank's number.
        bank: u64,
        /// Who calls.
        #[arg(long, value_name = "NAME")]
        caller: String,
    },
    /// Note what came of a call.
    Result {
        /// What the number was handed out with.
        #[arg(long)]
        lease: String,
        /// The result by its short code or word: CV, NH, BZ, LM, RF, WN, DC, ...
        #[arg(long)]
        result: String,
        /// The person, where several are known at the number: id or its end, van:NUMBER, or the whole name.
        #[arg(long)]
        person: Option<String>,
        /// Keep the number, to go on with somebody else there.
        #[arg(long)]
        stay: bool,
    },
    /// Give a number back without having called.
    Skip {
        /// What the number was handed out with.
        #[arg(long)]
        lease: String,
    },
    /// Close a phone bank and give back what was not called.
    Close {
        /// Its number.
        bank: u64,
        /// Show how much would be given back.
        #[arg(long)]
        dry_run: bool,
    },
}

/// What a phone bank is made of.
#[derive(Debug, Args)]
pub struct Open {
    /// Whose people are called; all lists without it.
    #[arg(long)]
    list: Option<String>,
    /// Only people in this area.
    #[arg(long)]
    area: Option<String>,
    /// The first day, YYYY-MM-DD.
    #[arg(long, value_name = "DATE")]
    from: Date,
    /// The last day, included.
    #[arg(long, value_name = "DATE")]
    to: Date,
    /// Calls begin, in the agreement's time zone; 08:00 at the earliest.
    #[arg(long, default_value = "09:00", value_name = "HH:MM")]
    opens: Time,
    /// Calls end; 21:00 at the latest.
    #[arg(long, default_value = "20:00", value_name = "HH:MM")]
    closes: Time,
    /// How long a caller keeps a number.
    #[arg(long, default_value_t = 10, value_name = "MINUTES")]
    lease: u64,
    /// How often a number is tried that nobody answers.
    #[arg(long, default_value_t = 3)]
    tries: u64,
    /// How many numbers are claimed at a time.
    #[arg(long, default_value_t = 200)]
    ahead: u64,
    /// Show what callers would find, and open nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Calls {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let answer: Value = match self {
            Self::Open(open) => {
                let asked = json!({
                    "list": open.list, "area": open.area, "from": open.from, "to": open.to,
                    "opens": open.opens, "closes": open.closes, "lease_minutes": open.lease,
                    "tries": open.tries, "ahead": open.ahead, "dry_run": open.dry_run,
                });
                desk.post("/calls", &asked).await?
            }
            Self::List => desk.get("/calls").await?,
            Self::Show { bank } => desk.get(&format!("/calls/{bank}")).await?,
            Self::Next { bank, caller } => {
                let who = json!({ "caller": caller });
                desk.post(&format!("/calls/{bank}/next"), &who).await?
            }
            Self::Result {
                lease,
                result,
                person,
                stay,
            } => {
                let told =
                    json!({ "lease": lease, "result": result, "person": person, "stay": stay });
                desk.post("/calls/results", &told).await?
            }
            Self::Skip { lease } => {
                desk.post("/calls/skips", &json!({ "lease": lease }))
                    .await?
            }
            Self::Close { bank, dry_run } => {
                let end = json!({ "dry_run": dry_run });
                desk.post(&format!("/calls/{bank}/end"), &end).await?
            }
        };
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        match self {
            Self::Open(_) => opened(&answer),
            Self::List => table(&answer),
            Self::Show { .. } => table(&Value::Array(vec![answer])),
            Self::Next { .. } => next(&answer),
            Self::Result { .. } => told(&answer),
            Self::Skip { .. } => println!("The number is back in the queue."),
            Self::Close { dry_run, .. } => {
                let back = text(&answer["given_back"]);
                if *dry_run {
                    println!("{back} numbers would be given back. Nothing was changed.");
                } else {
                    println!(
                        "Closed; {back} numbers that were not called are given back to allies."
                    );
                }
            }
        }
        Ok(())
    }
}

fn opened(answer: &Value) {
    let free = text(&answer["numbers"]["free"]);
    println!(
        "{}: {free} numbers are free to call.",
        text(&answer["label"])
    );
    for (standing, what) in [
        ("held", "are held by allies"),
        ("recent", "were called by an ally lately"),
        (
            "capped",
            "reach only people who were contacted as often as the agreement allows",
        ),
        ("suppressed", "must not be called"),
        ("no_token", "have no match token yet"),
        ("mine", "are held by a claim of your own already"),
    ] {
        let count = answer["numbers"][standing].as_u64();
        if let Some(count) = count.filter(|count| *count > 0) {
            println!("{count} {what}.");
        }
    }
    match answer["bank"].as_u64() {
        Some(bank) => println!(
            "Phone bank {bank} is open: `commonturf calls next {bank} --caller NAME` gives a caller a number."
        ),
        None => println!("Nothing was opened."),
    }
}

fn table(banks: &Value) {
    let rows: Vec<Vec<String>> = list_of(banks)
        .map(|bank| {
            let numbers = |state: &str| text(&bank["numbers"][state]);
            let of = bank["list"].as_str().unwrap_or("all lists");
            let area = bank["area"].as_str().map(|area| format!(" in {area}"));
            let state = match (bank["open"].as_bool(), bank["why"].as_str()) {
                (Some(false), _) => "closed",
                (_, Some("")) => "open",
                _ => "open, no more numbers now",
            };
            vec![
                text(&bank["bank"]),
                format!("{of}{}", area.unwrap_or_default()),
                format!("{} to {}", text(&bank["from"]), text(&bank["to"])),
                format!("{} to {}", text(&bank["opens"]), text(&bank["closes"])),
                numbers("waiting"),
                numbers("leased"),
                numbers("done"),
                numbers("left"),
                state.to_owned(),
            ]
        })
        .collect();
    if rows.is_empty() {
        println!("There are no phone banks. `commonturf calls open` opens one.");
    } else {
        output::table(
            &[
                "Bank",
                "People",
                "Days",
                "Hours",
                "Waiting",
                "With callers",
                "Called",
                "Left",
                "State",
            ],
            &rows,
        );
    }
}

fn next(answer: &Value) {
    if let Some(wait) = answer.get("wait") {
        println!(
            "No number now: {}. Ask again in {} seconds.",
            text(&wait["why"]),
            text(&wait["seconds"])
        );
        return;
    }
    let call = &answer["call"];
    println!("Call {}", text(&call["number"]));
    for person in list_of(&call["people"]) {
        println!(
            "  {}  ({})",
            text(&person["name"]),
            text(&person["person_id"])
        );
    }
    println!(
        "Then: `commonturf calls result --lease {} --result CODE`",
        text(&call["lease"])
    );
}

fn told(answer: &Value) {
    let result = text(&answer["result"]);
    if answer["known"] == true {
        println!("{result} was noted before.");
    } else if answer["again_at"].is_i64() {
        println!("{result}. The number is tried again later.");
    } else {
        println!("{result}. Allies are told of the contact, not of whom.");
    }
}
