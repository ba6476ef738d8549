//! Many callers at once, of several organizations with the same list, through one keeper.

use super::{
    claims::write_phones,
    measure::{Watch, percentile, rounded},
    memory::member,
};
use crate::nodes::{Node, Program, found_quietly};
use anyhow::{Context, Result, ensure};
use commonturf::cli::client::Desk;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};
use std::{
    collections::BTreeSet,
    fs::File,
    io::BufWriter,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Callers at once, unless something else is asked for.
pub const CALLERS: usize = 200;
/// Organizations that call, with as many callers each.
const ORGANIZATIONS: [&str; 4] = ["first", "second", "third", "fourth"];
/// Calls of one caller.
const CALLS: usize = 10;
/// Numbers for each call, so that every organization finds some to the end.
const SPARE: usize = 4;
/// The list's name at every node.
const LIST: &str = "voters";
/// The longest that a caller waits for a number.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a caller that must wait does so here, where nobody talks.
const PAUSE: Duration = Duration::from_millis(200);

/// What callers saw.
#[derive(Debug, Default)]
struct Seen {
    numbers: BTreeSet<String>,
    twice: u64,
    waits: u64,
    next: Vec<f64>,
    told: Vec<f64>,
}

/// Every caller asks for a number and tells the result at once, without a word in between.
///
/// # Errors
/// When the nodes cannot be run, or a number was given to two callers.
pub async fn run(callers: usize) -> Result<Map<String, Value>> {
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("phones.csv");
    let rows = callers * CALLS * SPARE;
    write_phones(BufWriter::new(File::create(&file)?), rows as u64)?;
    let terms = directory.path().join("terms.toml");
    std::fs::write(&terms, terms_by_day()?)?;
    let members: Vec<_> = ORGANIZATIONS
        .iter()
        .enumerate()
        .map(|(n, slug)| member(slug, n == 0))
        .collect();
    let terms = terms.to_str().context("a path that is text")?;
    let nodes = found_quietly(&program, directory.path(), &members, terms).await?;
    let list = file.to_str().context("a path that is text")?;
    let mut desks = Vec::new();
    for node in &nodes {
        node.run(&["import", list, "--list", LIST]).await?;
        node.run(&["tokens", "status", "--wait"]).await?;
        desks.push((Arc::new(Desk::open(node.dir(), true)?), open(node).await?));
    }
    let seen = Arc::new(Mutex::new(Seen::default()));
    let watch = Watch::start();
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..callers {
        let (desk, bank) = desks.get(n % desks.len()).context("a desk")?.clone();
        tasks.spawn(call(desk, bank, format!("Caller {n}"), seen.clone()));
    }
    while let Some(done) = tasks.join_next().await {
        done??;
    }
    let seconds = watch.seconds();
    let mut seen = seen.lock().map_err(|_| anyhow::anyhow!("a caller died"))?;
    ensure!(seen.twice == 0, "{} numbers were given twice", seen.twice);
    seen.next.sort_by(f64::total_cmp);
    seen.told.sort_by(f64::total_cmp);
    let mut figures = Map::new();
    figures.insert("callers".to_owned(), json!(callers));
    figures.insert("organizations".to_owned(), json!(ORGANIZATIONS.len()));
    figures.insert("calls".to_owned(), json!(seen.numbers.len()));
    figures.insert("numbers_given_twice".to_owned(), json!(seen.twice));
    figures.insert("waits".to_owned(), json!(seen.waits));
    let mut figure = |name: &str, value| figures.insert(name.to_owned(), rounded(value));
    figure("calls_per_second", seen.numbers.len() as f64 / seconds);
    figure("next_number_p50_ms", percentile(&seen.next, 0.5));
    figure("next_number_p95_ms", percentile(&seen.next, 0.95));
    figure("result_p50_ms", percentile(&seen.told, 0.5));
    figure("result_p95_ms", percentile(&seen.told, 0.95));
    Ok(figures)
}

/// Terms of a coalition where it is day now: nobody is called at night.
fn terms_by_day() -> Result<String> {
    let terms = policy::terms::template("us-claims-only").context("a template")?;
    let by_day = (-12..=12).find_map(|hours| {
        let name = if hours < 0 {
            format!("Etc/GMT{hours}")
        } else {
            format!("Etc/GMT+{hours}")
        };
        let zone = TimeZone::get(&name).ok()?;
        let hour = crate::ambient::hour_in(zone);
        (9..15).contains(&hour).then_some(name)
    });
    let zone = by_day.context("it is day somewhere")?;
    Ok(terms.text.replace("America/New_York", &zone))
}

async fn open(node: &Node) -> Result<u64> {
    let (from, to) = super::claims::days(0)?;
    let words = ["calls", "open", "--list", LIST, "--opens", "08:00"];
    let days = ["--closes", "21:00", "--from", &from, "--to", &to];
    let opened = node.run(&[words.as_slice(), &days].concat()).await?;
    opened["bank"].as_u64().context("a phone bank")
}

async fn call(desk: Arc<Desk>, bank: u64, caller: String, seen: Arc<Mutex<Seen>>) -> Result<()> {
    for _ in 0..CALLS {
        let number = next(&desk, bank, &caller, &seen);
        let (lease, person) = tokio::time::timeout(PATIENCE, number)
            .await
            .context("a caller waited too long for a number")??;
        let watch = Watch::start();
        let told = json!({ "lease": lease, "result": "CV", "person": person });
        let _: Value = desk.post("/calls/results", &told).await?;
        let took = watch.seconds() * 1_000.0;
        note(&seen, |seen| seen.told.push(took))?;
    }
    Ok(())
}

/// The next number's lease, and whom it reaches.
async fn next(
    desk: &Desk,
    bank: u64,
    caller: &str,
    seen: &Mutex<Seen>,
) -> Result<(String, String)> {
    let text = |value: &Value| value.as_str().map(str::to_owned).context("a text");
    loop {
        let watch = Watch::start();
        let path = format!("/calls/{bank}/next");
        let next: Value = desk.post(&path, &json!({ "caller": caller })).await?;
        let took = watch.seconds() * 1_000.0;
        let call = &next["call"];
        if call.is_null() {
            note(seen, |seen| seen.waits += 1)?;
            tokio::time::sleep(PAUSE).await;
            continue;
        }
        let number = text(&call["number"])?;
        note(seen, |seen| {
            seen.next.push(took);
            seen.twice += u64::from(!seen.numbers.insert(number));
        })?;
        return Ok((
            text(&call["lease"])?,
            text(&call["people"][0]["person_id"])?,
        ));
    }
}

fn note(seen: &Mutex<Seen>, what: impl FnOnce(&mut Seen)) -> Result<()> {
    let mut seen = seen.lock().map_err(|_| anyhow::anyhow!("a caller died"))?;
    what(&mut seen);
    Ok(())
}
