//! `commonturf tokens`: how far points have been turned into match tokens.

use super::{
    client::{CliError, Desk},
    output,
};
use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::time::Duration;

/// How often `--wait` looks again.
const EVERY: Duration = Duration::from_millis(500);

/// Match tokens of the organization's own points.
#[derive(Debug, Subcommand)]
pub enum Tokens {
    /// Show how many points have a token, how many wait, and why.
    Status {
        /// Return only once no point waits.
        #[arg(long)]
        wait: bool,
    },
}

impl Tokens {
    pub(super) async fn run(&self, desk: &Desk) -> Result<(), CliError> {
        let Self::Status { wait } = self;
        let mut answer: Value = desk.get("/tokens").await?;
        if *wait {
            let bar = ProgressBar::new(0);
            if let Ok(style) =
                ProgressStyle::with_template("{bar:40} {pos}/{len} tokens, {eta} left {msg}")
            {
                bar.set_style(style);
            }
            loop {
                let (waiting, done) = (sum(&answer, "waiting"), sum(&answer, "done"));
                bar.set_length(waiting + done);
                bar.set_position(done);
                bar.set_message(problems(&answer).join("; "));
                if waiting == 0 {
                    break;
                }
                tokio::time::sleep(EVERY).await;
                answer = desk.get("/tokens").await?;
            }
            bar.finish_and_clear();
        }
        if desk.json {
            output::json(&answer);
            return Ok(());
        }
        show(&answer);
        Ok(())
    }
}

fn sum(answer: &Value, field: &str) -> u64 {
    classes(answer)
        .filter_map(|class| class[field].as_u64())
        .sum()
}

fn classes(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["classes"].as_array().into_iter().flatten()
}

fn problems(answer: &Value) -> Vec<&str> {
    let mut problems: Vec<&str> = classes(answer)
        .filter_map(|class| class["problem"].as_str())
        .collect();
    problems.dedup();
    problems
}

fn show(answer: &Value) {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let rows: Vec<Vec<String>> = classes(answer)
        .map(|class| {
            ["class", "done", "waiting", "problem"]
                .map(|field| text(&class[field]))
                .to_vec()
        })
        .collect();
    output::table(&["Class", "With token", "Waiting", "Last problem"], &rows);
    if let (Some(few), Some(all)) = (answer["quorum"][0].as_u64(), answer["quorum"][1].as_u64()) {
        println!("{few} of {all} keepers compute a token together.");
        if all == 1 {
            println!("With one keeper, that keeper could compute tokens by itself.");
        }
    }
    let ceremony = &answer["ceremony"];
    if let Some(why) = ceremony["failed"][0].as_str() {
        let about = ceremony["failed"][1].as_str().unwrap_or("nobody by name");
        println!(
            "The last key ceremony failed ({why}; about {about}). Keepers try again by themselves."
        );
    } else if ceremony["kind"] == "hand_on" {
        println!("A share of the keys is being handed on to a new keeper; tokens stay.");
    } else if !ceremony.is_null() {
        println!(
            "New keys are being made: {} of {} keepers have committed, {} dealt, {} confirmed.",
            ceremony["committed"], ceremony["keepers"], ceremony["dealt"], ceremony["confirmed"]
        );
    }
    if let Some(moved) = answer["closing"]["moved"].as_u64() {
        println!(
            "{moved} members have moved to the new keys; what was said by the old ones still counts."
        );
    }
    if let Some(line) = rotation(&answer["rotation"]) {
        println!("{line}");
    }
    if answer["rotating"] == true {
        println!("This node changes its points to the new keys by itself; nobody is asked.");
    }
    if answer["generation"].is_null() {
        println!("Points get tokens once this node is in a coalition whose agreement is in force.");
    }
}

/// What became of the keys after a removal for cause.
fn rotation(rotation: &Value) -> Option<String> {
    let names = |field: &str| {
        let names = rotation[field].as_array().into_iter().flatten();
        let names: Vec<&str> = names.filter_map(Value::as_str).collect();
        names.join(", ")
    };
    let removed = names("removed");
    let refused = names("refused");
    Some(match (rotation["standing"].as_str()?, refused.as_str()) {
        ("open", _) if rotation["deadline"].is_null() => format!(
            "After the removal of {removed} the keys change once the older ones are no longer needed."
        ),
        ("open", _) => {
            format!("After the removal of {removed} keepers are changing the keys.")
        }
        ("failed", _) => {
            format!("After the removal of {removed} keepers make fresh keys by themselves.")
        }
        (_, "") => format!("{removed}, which was removed, does not know the keys in use."),
        (_, refused) => format!(
            "The keys that came after the removal of {removed} are not what this should have made of them, says \
             {refused}. Ask the keepers."
        ),
    })
}
