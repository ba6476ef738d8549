//! The round itself: every step in its order, each by commands that a person could type.

mod doors;
mod lists;
mod look;
mod recall;
mod sharing;

use super::bring::{self, Bring};
use super::findings;
use super::known::Known;
use super::observed::Observed;
use super::place::Place;
use super::report::{Organization, Report, Step};
use super::text::say;
use crate::ambient;
use crate::nodes::{self, Member, Node, Program, Standing};
use crate::people::{Organizations, World};
use anyhow::{Context, Result};
use jiff::civil::Date;
use std::path::Path;
use std::time::{Duration, Instant};

/// The terms that the organizations sign.
const TERMS: &str = "us-issue-table";
/// The name of every organization's list.
const LIST: &str = "people";
/// So many people live where a list has one.
const POPULATION: usize = 2;
/// How long anything may take that the nodes do by themselves.
const PATIENCE: Duration = Duration::from_secs(300);

/// Who plays with what.
pub(super) struct Game {
    brought: Vec<Bring>,
    known: Option<Known>,
    seed: Option<u64>,
    day: Date,
}

impl Game {
    /// Makes synthetic people and the files that hold them, as if exported today.
    pub(super) fn synthetic(dir: &Path, seed: u64, size: usize) -> Result<Self> {
        let day = ambient::today();
        let population = u32::try_from(size * POPULATION).context("so many people live nowhere")?;
        let world = World::generate_as_of(seed, population, day);
        let lists = Organizations::draw(&world, size);
        let truth = crate::export_files::write_all(dir, &world, &lists)?;
        Ok(Self {
            brought: bring::read(dir)?,
            known: Some(Known::of(&lists, &truth)),
            seed: Some(seed),
            day,
        })
    }

    /// Takes the files that somebody brought; nobody knows what must come of them.
    pub(super) fn brought(dir: &Path) -> Result<Self> {
        Ok(Self {
            brought: bring::read(dir)?,
            known: None,
            seed: None,
            day: ambient::today(),
        })
    }
}

/// One organization at the table.
struct Party {
    bring: Bring,
    node: Node,
    about: Organization,
}

/// Everybody, and what has been seen so far.
struct Table<'a> {
    place: &'a Place,
    parties: Vec<Party>,
    known: Option<Known>,
    day: Date,
    observed: Observed,
    report: Report,
    begun: Instant,
    step: Instant,
}

/// Plays the round; the nodes still run when it is over.
///
/// # Errors
/// The first command that is refused although it must not be, or what takes too long.
pub(super) async fn play(game: Game, place: &Place) -> Result<(Vec<Node>, Report)> {
    let begun = ambient::stopwatch();
    let program = Program::build().await?;
    let mut table = sit_down(game, place, &program, begun).await?;
    table.lists().await?;
    table.shares().await?;
    table.opt_out().await?;
    table.doors().await?;
    table.recall().await?;
    table.look().await?;
    table.judge();
    let nodes = table.parties.into_iter().map(|party| party.node).collect();
    Ok((nodes, table.report))
}

/// The terms of the round: nobody waits a day between the announcement of a use and its beginning.
fn terms_of_the_round() -> Result<String> {
    let template = policy::terms::template(TERMS).context("the template is built in")?;
    let text = template
        .text
        .replace("notice_hours = 24", "notice_hours = 0");
    anyhow::ensure!(
        text != template.text,
        "the template asks for a day's notice"
    );
    Ok(text)
}

/// Starts the nodes and brings them into one coalition.
async fn sit_down<'a>(
    game: Game,
    place: &'a Place,
    program: &Program,
    begun: Instant,
) -> Result<Table<'a>> {
    let members: Vec<Member<'_>> = game
        .brought
        .iter()
        .enumerate()
        .map(|(seat, bring)| Member {
            slug: &bring.slug,
            who: nodes::Organization {
                name: &bring.name,
                kind: &bring.kind,
                keeper: seat == 0,
            },
        })
        .collect();
    let terms = place.nodes().join("terms.toml");
    std::fs::create_dir_all(place.nodes())?;
    std::fs::write(&terms, terms_of_the_round()?)?;
    let terms = terms.display().to_string();
    let title = policy::terms::template(TERMS)
        .and_then(|template| policy::terms::Terms::parse(template.text).ok())
        .map(|terms| terms.title);
    let nodes = nodes::found(program, &place.nodes(), &members, &terms, say).await?;
    let parties = game.brought.into_iter().zip(nodes).enumerate();
    let parties = parties.map(|(seat, (bring, node))| Party {
        about: Organization {
            slug: bring.slug.clone(),
            name: bring.name.clone(),
            kind: bring.kind.clone(),
            keeper: seat == 0,
            directory: node.dir().display().to_string(),
            ..Organization::default()
        },
        bring,
        node,
    });
    let mut table = Table {
        place,
        parties: parties.collect(),
        known: game.known,
        day: game.day,
        observed: Observed::default(),
        report: Report {
            seed: game.seed,
            day: game.day.to_string(),
            agreement: title.unwrap_or_default(),
            ..Report::default()
        },
        begun,
        step: begun,
    };
    table.done("the coalition is founded and the agreement signed");
    Ok(table)
}

impl Table<'_> {
    /// Notes how long a step took, and says that it is done.
    fn done(&mut self, what: &str) {
        let seconds = self.step.elapsed().as_secs_f64();
        self.step = ambient::stopwatch();
        say(&format!(
            "[{:>4.0} s] {what} ({seconds:.1} s)",
            self.begun.elapsed().as_secs_f64()
        ));
        self.report.steps.push(Step {
            what: what.to_owned(),
            seconds,
        });
    }

    fn slug_of(&self, name: &str) -> String {
        let party = self.parties.iter().find(|party| party.bring.name == name);
        party
            .map(|party| party.bring.slug.clone())
            .unwrap_or_default()
    }

    /// Waits until all nodes have said and read everything.
    async fn settle(&self) -> Result<Vec<Standing>> {
        let nodes: Vec<&Node> = self.parties.iter().map(|party| &party.node).collect();
        nodes::quiet(&nodes, PATIENCE).await
    }

    fn judge(&mut self) {
        let days = policy::terms::template(TERMS)
            .and_then(|template| policy::terms::Terms::parse(template.text).ok())
            .map_or(0, |terms| i64::from(terms.params.recontact_days.door));
        self.report.findings = findings::find(&self.observed, self.known.as_ref(), days);
        self.report.checked = findings::looked_at(&self.observed, self.known.is_some());
        self.report.organizations = self
            .parties
            .iter()
            .map(|party| party.about.clone())
            .collect();
        self.done("everything is checked");
    }
}
