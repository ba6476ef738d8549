//! What people wait for who look before they share: a preview and a simulation of a large list toward
//! many recipients, from the command to the answer of a node that reads the list from its database.

use super::{
    measure::{Watch, resident_mb, rounded},
    memory::member,
    share,
};
use crate::{
    export_files::van_rows,
    nodes::{Node, Program, found_quietly},
};
use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};
use std::{fs::File, io::BufWriter};

/// How many organizations receive, unless something else is asked for.
pub const RECIPIENTS: usize = 10;
/// Who they are; a measurement uses the first ones.
const ALLIES: [&str; RECIPIENTS] = [
    "ally-1", "ally-2", "ally-3", "ally-4", "ally-5", "ally-6", "ally-7", "ally-8", "ally-9",
    "ally-10",
];
/// Classes of fields that are asked about.
const FIELDS: [&str; 4] = ["identity", "postal", "email", "phone"];

/// Looks at a list of so many people toward so many allies.
///
/// # Errors
/// When the nodes cannot be run, or the preview and the simulation say different things.
pub async fn run(rows: u64, recipients: usize) -> Result<Map<String, Value>> {
    let allies = ALLIES
        .get(..recipients)
        .filter(|allies| !allies.is_empty())
        .context("there are 1 to 10 recipients")?;
    let program = Program::build().await?;
    let directory = tempfile::tempdir()?;
    let list = directory.path().join("saved_list.csv");
    let form = directory.path().join("form.toml");
    let out = BufWriter::new(File::create(&list)?);
    van_rows(out, 1, usize::try_from(rows)?)?;
    std::fs::write(&form, share::form(allies)?)?;
    let mut members = vec![member("sender", true)];
    members.extend(allies.iter().map(|ally| member(ally, false)));
    let terms = "template:us-issue-table";
    let nodes = found_quietly(&program, directory.path(), &members, terms).await?;
    let sender = nodes.first().context("no node was started")?;
    // No decision of the gate needs a match token, and a million people have millions of them to get.
    let watch = Watch::start();
    share::bring_in(sender, &list, &form).await?;
    let import_seconds = watch.seconds();
    let before = resident(sender)?;
    let fields = FIELDS.join(",");
    let words = |verb: &[&'static str]| {
        let mut words: Vec<String> = verb.iter().map(|word| (*word).to_owned()).collect();
        let what = [
            "--list",
            "voters",
            "--purpose",
            "issue_advocacy",
            "--fields",
            &fields,
        ];
        words.extend(what.map(str::to_owned));
        words.push("--to".to_owned());
        words.extend(allies.iter().map(|ally| (*ally).to_owned()));
        words
    };
    let watch = Watch::start();
    let preview = sender.run(&words(&["share", "preview"])).await?;
    let preview_seconds = watch.seconds();
    let after = resident(sender)?;
    let watch = Watch::start();
    let draft = ["policy", "simulate", "--draft", "template:us-issue-table"];
    let simulation = sender.run(&words(&draft)).await?;
    let simulation_seconds = watch.seconds();
    let flow = agree(&preview, &simulation)?;
    let decisions = rows * recipients as u64 * FIELDS.len() as u64;
    let mut figures = Map::new();
    let mut put = |name: &str, value: Value| figures.insert(name.to_owned(), value);
    put("rows", json!(rows));
    put("recipients", json!(recipients));
    put("decisions", json!(decisions));
    put("people_that_flow_to_the_first", json!(flow));
    put("import_seconds", rounded(import_seconds));
    put("preview_seconds", rounded(preview_seconds));
    put("simulation_seconds", rounded(simulation_seconds));
    let per_second = decisions as f64 / preview_seconds;
    put("decisions_per_second", rounded(per_second));
    put("sender_rss_before_mb", rounded(before));
    put("sender_rss_after_preview_mb", rounded(after));
    Ok(figures)
}

fn resident(node: &Node) -> Result<f64> {
    let process = node.process().context("the node has ended")?;
    resident_mb(process).context("the system does not tell its memory")
}

/// Whether both count the same values to every recipient, and anything at all; the people who flow to
/// the first one.
fn agree(preview: &Value, simulation: &Value) -> Result<u64> {
    let previews = preview["recipients"].as_array().context("recipients")?;
    let cells = &simulation["simulations"][0]["cells"];
    let cells = cells.as_array().context("cells")?;
    let simulated = |name: &Value, field: &str| {
        let cell = cells
            .iter()
            .find(|cell| cell["name"] == *name && cell["field"] == field);
        cell.and_then(|cell| cell["flows_now"].as_u64())
    };
    for one in previews {
        // Of whom a value may flow is judged alike; who cannot be reached by it is left out of a share.
        let flows = one["fields"]["identity"].as_u64().unwrap_or_default();
        let lost = one["unreachable"].as_u64().unwrap_or_default();
        let judged = simulated(&one["name"], "identity").context("a cell of the simulation")?;
        ensure!(
            (flows..=flows + lost).contains(&judged),
            "preview and simulation differ: {one} and {judged}"
        );
    }
    let first = previews.first().context("a recipient")?;
    let flow = first["flow"].as_u64().unwrap_or_default();
    ensure!(flow > 0, "nobody would be shared: {first}");
    Ok(flow)
}
