//! `commonturf policy`: check and test terms and own rules, and read what is built in.
//!
//! All but `simulate` need no node: they read files and print what the gate would say of them.

use super::{
    client::{CliError, Desk},
    output,
    simulate::Simulate,
};
use clap::Subcommand;
use policy::{
    Layer, Terms, lint, template, templates,
    vectors::{self, Report, Vectors},
};
use protocol::time::Clock;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Check and test the rules of an agreement, or an organization's own.
#[derive(Debug, Subcommand)]
pub enum Policy {
    /// Say everything that is wrong with terms (TOML) or own rules (.cedar), with its line.
    Lint {
        /// The file, or template:NAME.
        #[arg(value_name = "FILE|template:NAME")]
        file: String,
    },
    /// Ask the gate every vector, and show which rules have none.
    Test {
        /// Terms (TOML), own rules (.cedar), template:NAME, or law for what is built in.
        #[arg(value_name = "FILE|template:NAME|law")]
        file: String,
        /// The vectors; without it the file beside the rules, FILE.vectors.toml.
        #[arg(long, value_name = "FILE")]
        vectors: Option<PathBuf>,
    },
    /// Tell what a draft would let flow of the own lists, and what it would stop.
    Simulate(Simulate),
    /// Show the templates of agreements.
    Templates,
    /// Print a template, the built-in law, or one rule of it.
    Show {
        /// A template, law, or the id of a rule such as law.minor.
        name: String,
        /// Print the template's vectors instead.
        #[arg(long)]
        vectors: bool,
    },
}

impl Policy {
    /// Whether it takes a running node.
    pub(super) fn asks_the_node(&self) -> bool {
        matches!(self, Self::Simulate(_))
    }

    pub(super) async fn ask(&self, desk: &Desk) -> Result<(), CliError> {
        match self {
            Self::Simulate(simulate) => simulate.run(desk).await,
            _ => self.run(desk.json),
        }
    }

    pub(super) fn run(&self, as_json: bool) -> Result<(), CliError> {
        match self {
            Self::Lint { file } => lint_file(file, as_json),
            Self::Test { file, vectors } => test(file, vectors.as_deref(), as_json),
            Self::Simulate(_) => Ok(()), // asked of the node
            Self::Templates => list(as_json),
            Self::Show { name, vectors } => show(name, *vectors, as_json),
        }
    }
}

/// A text that somebody names on the command line.
enum Source {
    Terms(String),
    Own(String),
}

impl Source {
    fn read(file: &str) -> Result<Self, CliError> {
        let text = super::coalition::read_terms(file)?;
        let is_cedar = Path::new(file)
            .extension()
            .is_some_and(|end| end == "cedar");
        Ok(if is_cedar {
            Self::Own(text)
        } else {
            Self::Terms(text)
        })
    }

    /// The layer whose rules it holds.
    fn layer(&self) -> Layer {
        match self {
            Self::Terms(_) => Layer::Agreement,
            Self::Own(_) => Layer::Own,
        }
    }

    /// Everything that is wrong with it, as tools read it.
    fn faults(&self) -> Vec<Value> {
        match self {
            Self::Own(text) => lint::own_rules(text).iter().map(of_rule).collect(),
            Self::Terms(text) => match Terms::check(text) {
                Err(faults) => faults
                    .iter()
                    .map(|fault| {
                        json!({ "code": fault.code, "line": fault.line, "column": fault.column,
                            "message": fault.message })
                    })
                    .collect(),
                Ok(terms) => {
                    let now = crate::ambient::SystemClock.now();
                    lint::expiry(&terms, now.0).iter().map(of_rule).collect()
                }
            },
        }
    }
}

fn of_rule(fault: &policy::Fault) -> Value {
    let id = fault.id.as_ref().map(|id| format!("{id}: "));
    json!({ "code": fault.code, "line": fault.line,
        "message": format!("{}{}", id.unwrap_or_default(), fault.message) })
}

fn lint_file(file: &str, as_json: bool) -> Result<(), CliError> {
    let source = Source::read(file)?;
    let faults = source.faults();
    if as_json {
        output::json(
            &json!({ "file": file, "layer": source.layer(), "ok": faults.is_empty(),
            "faults": faults }),
        );
    } else {
        for fault in &faults {
            let word = |name: &str| fault[name].as_str().unwrap_or_default();
            let place = match fault["line"].as_u64() {
                None | Some(0) => file.to_owned(),
                Some(line) => format!("{file}:{line}"),
            };
            println!("{place}: {}: {}", word("code"), word("message"));
        }
    }
    match faults.len() {
        0 if as_json => Ok(()),
        0 => {
            println!("{file} can be used.");
            Ok(())
        }
        1 => Err(CliError::Failed(format!("{file} has a fault"))),
        many => Err(CliError::Failed(format!("{file} has {many} faults"))),
    }
}

fn test(file: &str, named: Option<&Path>, as_json: bool) -> Result<(), CliError> {
    let report = report(file, named)?;
    if as_json {
        let mut answer = serde_json::to_value(&report).unwrap_or_default();
        answer["file"] = json!(file);
        output::json(&answer);
    } else {
        tell(&report);
    }
    if report.ok {
        return Ok(());
    }
    let failed = failures(&report).count();
    Err(CliError::Failed(format!(
        "{file}: {failed} of {} vectors fail; {} rules lack a vector",
        report.vectors.len(),
        report.uncovered.len()
    )))
}

fn report(file: &str, named: Option<&Path>) -> Result<Report, CliError> {
    if file == "law" {
        return match named {
            None => Ok(vectors::run_law()),
            Some(_) => Err(CliError::Usage(
                "the built-in law has its own vectors; leave --vectors out".to_owned(),
            )),
        };
    }
    let source = Source::read(file)?;
    let vectors = read_vectors(file, named)?;
    match source {
        Source::Own(text) => match lint::own_rules(&text).first() {
            None => Ok(vectors::run_own(&text, &vectors)),
            Some(fault) => Err(CliError::Failed(format!("{file}: {fault}"))),
        },
        Source::Terms(text) => {
            let terms = Terms::parse(&text)
                .map_err(|error| CliError::Failed(format!("{file}: {error}")))?;
            Ok(vectors::run(&terms, policy::OWN_DEFAULT, &vectors))
        }
    }
}

/// The vectors that are named, those of a template, or those in the file beside the rules.
fn read_vectors(file: &str, named: Option<&Path>) -> Result<Vectors, CliError> {
    let built_in = file.strip_prefix("template:").and_then(template);
    let (place, text) = match (named, built_in) {
        (None, Some(template)) => (file.to_owned(), template.vectors.to_owned()),
        (named, _) => {
            let beside = Path::new(file).with_extension("vectors.toml");
            let path = named.unwrap_or(&beside);
            if named.is_none() && !path.exists() {
                return Err(CliError::Usage(format!(
                    "there is no {}; write it, or name the vectors with --vectors",
                    path.display()
                )));
            }
            let text =
                std::fs::read_to_string(path).map_err(|error| CliError::file(path, &error))?;
            (path.display().to_string(), text)
        }
    };
    Vectors::parse(&text).map_err(|error| CliError::Failed(format!("{place}: {error}")))
}

fn failures(report: &Report) -> impl Iterator<Item = &vectors::Tested> {
    let tested = report.vectors.iter();
    tested.filter(|tested| tested.failure.is_some())
}

fn tell(report: &Report) {
    for tested in failures(report) {
        println!(
            "line {}, {}: expected {} by {}; {}",
            tested.line,
            tested.name,
            tested.expected.name(),
            tested.by.join(", "),
            tested.failure.as_deref().unwrap_or_default()
        );
    }
    for rule in &report.uncovered {
        let lacks: Vec<&str> = rule.lacks.iter().map(|decision| decision.name()).collect();
        println!(
            "{} has no vector to {}.",
            rule.id,
            lacks.join(" and none to ")
        );
    }
    if report.ok {
        println!("All {} vectors hold.", report.vectors.len());
    }
}

fn list(as_json: bool) -> Result<(), CliError> {
    let mut rows = Vec::new();
    let mut answer = Vec::new();
    for template in templates() {
        let terms =
            Terms::parse(template.text).map_err(|error| CliError::Failed(error.to_string()))?;
        let vectors = Vectors::parse(template.vectors)
            .map_err(|error| CliError::Failed(error.to_string()))?;
        answer.push(json!({ "name": template.name, "title": terms.title,
            "summary": terms.summary.trim(), "review_by": terms.review_by,
            "vectors": vectors.len() }));
        rows.push(vec![
            template.name.to_owned(),
            terms.title,
            terms.review_by,
            vectors.len().to_string(),
        ]);
    }
    if as_json {
        output::json(&answer);
    } else {
        output::table(&["Template", "Title", "Review by", "Vectors"], &rows);
        println!();
        println!(
            "They are templates, not legal advice. Print one with: commonturf policy show NAME"
        );
    }
    Ok(())
}

fn show(name: &str, wants_vectors: bool, as_json: bool) -> Result<(), CliError> {
    if let Some(template) = template(name.strip_prefix("template:").unwrap_or(name)) {
        if as_json {
            output::json(&json!({ "name": template.name, "text": template.text,
                "vectors": template.vectors }));
        } else if wants_vectors {
            print!("{}", template.vectors);
        } else {
            print!("{}", template.text);
        }
        return Ok(());
    }
    if wants_vectors {
        return Err(CliError::Usage(
            "--vectors prints those of a template; test the law with: commonturf policy test law"
                .to_owned(),
        ));
    }
    let rules: Vec<policy::LawRule> = policy::law()
        .into_iter()
        .filter(|rule| name == "law" || rule.text.id == name)
        .collect();
    if rules.is_empty() {
        let names: Vec<&str> = templates().iter().map(|template| template.name).collect();
        return Err(CliError::Usage(format!(
            "nothing is called {name}; there are law, the ids of its rules, and: {}",
            names.join(", ")
        )));
    }
    if as_json {
        output::json(&rules);
    } else {
        for rule in &rules {
            println!("{}", rule.source);
        }
    }
    Ok(())
}
