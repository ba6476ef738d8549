//! Keeper and member killed at random moments of a round of commands: nothing that was acknowledged
//! is lost, nothing happens twice, and both stand at one state in the end.
//!
//! The page cache survives a killed process, so this says nothing about power cuts.

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use testnet::nodes::{Hand, Member, Node, Organization, Program, entrust, found_quietly, settled};

/// Another seed kills at other moments.
const SEED: u64 = 20_261_125;
/// Rounds of commands with a kill in each; about two seconds apiece.
const ROUNDS: u32 = 14;
/// The latest moment of a kill after its round began, in milliseconds.
const KILL_WITHIN: u64 = 900;
/// How long a command may take before it is given up, as a person would; it counts as not answered.
const PATIENCE: Duration = Duration::from_secs(6);
/// How long the nodes may take to come to rest after the last kill.
const REST: Duration = Duration::from_secs(60);

/// A command whose effect can be looked for afterwards.
#[derive(Debug, Clone)]
enum Act {
    Invite(String),
    Suppress(String),
    Propose,
    Sign,
}

impl Act {
    fn draw(rng: &mut StdRng, round: u32, who: usize) -> Self {
        match rng.gen_range(0..6) {
            0 | 1 => Self::Invite(format!("friend {round} of {who}")),
            2 | 3 => Self::Suppress(format!("+1206555{who}1{round:02}")),
            4 => Self::Propose,
            _ => Self::Sign,
        }
    }

    /// Runs the command; none where it was refused, gave up, or its node died before it answered.
    async fn run(&self, at: &Hand, terms: &str, patience: Duration) -> Option<Value> {
        let words: Vec<&str> = match self {
            Self::Invite(name) => vec!["coalition", "invite", "--to-name", name],
            Self::Suppress(phone) => vec!["suppress", "--phone", phone, "--channel", "phone"],
            Self::Propose => vec!["agreement", "propose", terms],
            Self::Sign => vec!["agreement", "sign"],
        };
        at.run(&words, patience).await.ok()
    }
}

/// What a node answered before it died, or after.
#[derive(Default)]
struct Acknowledged {
    /// Entries, with the node that said each.
    entries: BTreeMap<String, usize>,
    /// Suppressed phone numbers, with the node that was told.
    phones: BTreeMap<String, usize>,
    /// How many commands were answered at all.
    answers: u32,
}

impl Acknowledged {
    fn note(&mut self, who: usize, act: &Act, answer: Option<&Value>) {
        let Some(answer) = answer else { return };
        self.answers += 1;
        if let Some(entry) = answer["entry"].as_str() {
            self.entries.insert(entry.to_owned(), who);
        }
        if let Act::Suppress(phone) = act {
            self.phones.insert(phone.clone(), who);
        }
    }
}

/// Another version of the terms for each round, so that a proposal changes something.
fn terms(folder: &std::path::Path, round: u32) -> String {
    let text = policy::terms::template("us-claims-only").unwrap().text;
    let text = text.replace("min_cell = 10", &format!("min_cell = {}", 11 + round));
    let file = folder.join(format!("terms-{round}.toml"));
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// Both nodes do something, and one or both are killed meanwhile and started again.
async fn round(
    nodes: &mut [Node],
    desks: &[Hand; 2],
    acts: &[Act; 2],
    terms: &str,
    (victims, delay): (u8, Duration),
) -> [Option<Value>; 2] {
    let kills = async {
        tokio::time::sleep(delay).await;
        for (n, node) in nodes.iter_mut().enumerate() {
            if victims & (1 << n) != 0 {
                node.kill().await.unwrap();
                node.start().await.unwrap();
            }
        }
    };
    let (one, other, ()) = tokio::join!(
        acts[0].run(&desks[0], terms, PATIENCE),
        acts[1].run(&desks[1], terms, PATIENCE),
        kills
    );
    [one, other]
}

/// The lines of a node's history that took effect: position by entry.
async fn effects(node: &Node) -> BTreeMap<String, u64> {
    let log = node
        .run(&["coalition", "log", "--limit", "1000"])
        .await
        .unwrap();
    let lines = log
        .as_array()
        .or_else(|| log["entries"].as_array())
        .unwrap();
    let mut effects = BTreeMap::new();
    for line in lines.iter().filter(|line| line["void"].is_null()) {
        let entry = line["entry_id"].as_str().unwrap().to_owned();
        let position = line["position"].as_u64().unwrap();
        let before = effects.insert(entry, position);
        assert_eq!(before, None, "an entry took effect twice: {line}");
    }
    effects
}

async fn suppressed(node: &Node) -> BTreeSet<String> {
    let list = node.run(&["suppressions", "list"]).await.unwrap();
    let mut found = BTreeSet::new();
    for own in list["own"].as_array().unwrap() {
        let about = own["about"].as_str().unwrap();
        let digits: String = about.chars().filter(char::is_ascii_digit).collect();
        assert!(found.insert(digits), "a suppression stands twice: {own}");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_survives_every_kill_and_happens_once() {
    let program = Program::build().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let organization = |name, keeper| Organization {
        name,
        kind: "c4",
        keeper,
    };
    let members = [
        ("a", organization("Tenants United", true)),
        ("b", organization("Marlow Votes", false)),
    ]
    .map(|(slug, who)| Member { slug, who });
    let mut nodes = found_quietly(&program, folder.path(), &members, "template:us-claims-only")
        .await
        .unwrap();
    let desks = [nodes[0].hand(), nodes[1].hand()];
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut acknowledged = Acknowledged::default();
    for n in 0..ROUNDS {
        let acts = [Act::draw(&mut rng, n, 0), Act::draw(&mut rng, n, 1)];
        let delay = Duration::from_millis(rng.gen_range(0..KILL_WITHIN));
        let kill = (rng.gen_range(1..4), delay);
        let terms = terms(folder.path(), n);
        let answers = round(&mut nodes, &desks, &acts, &terms, kill).await;
        for (who, (act, answer)) in acts.iter().zip(&answers).enumerate() {
            acknowledged.note(who, act, answer.as_ref());
        }
    }
    let all: Vec<&Node> = nodes.iter().collect();
    let stand = settled(&all, REST).await.unwrap();
    assert_eq!(
        stand[0].state_hash, stand[1].state_hash,
        "seed {SEED}: {stand:?}"
    );
    let (keeper, member) = (effects(&nodes[0]).await, effects(&nodes[1]).await);
    assert!(
        acknowledged.answers > 0 && !acknowledged.entries.is_empty(),
        "no command was answered"
    );
    for entry in acknowledged.entries.keys() {
        assert!(
            keeper.contains_key(entry),
            "seed {SEED}: entry {entry} was acknowledged and is lost"
        );
    }
    // A member came in by a snapshot, so its history begins later; from there on they are one.
    let begin = member.values().min().copied().unwrap();
    let since: BTreeMap<_, _> = keeper
        .into_iter()
        .filter(|(_, position)| *position >= begin)
        .collect();
    assert_eq!(since, member, "seed {SEED}");
    for (who, node) in nodes.iter().enumerate() {
        let found = suppressed(node).await;
        for (phone, told) in &acknowledged.phones {
            let digits = phone.trim_start_matches('+');
            assert!(
                *told != who || found.contains(digits),
                "seed {SEED}: {phone} is not suppressed"
            );
        }
    }
}

/// Rounds of commands with one of three keepers killed in each.
const KEEPER_ROUNDS: u32 = 6;
/// The longest that a killed keeper stays away, in milliseconds: longer than an election takes.
const AWAY_WITHIN: u64 = 5_000;

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::too_many_lines, reason = "one story from start to end")]
async fn keepers_that_are_killed_one_at_a_time_lose_nothing_that_was_acknowledged() {
    let program = Program::build().await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let names = ["Tenants United", "Marlow Votes", "Green Table"];
    let slugs = ["a", "b", "c"];
    let members: Vec<Member<'_>> = slugs
        .iter()
        .zip(names)
        .map(|(slug, name)| Member {
            slug,
            who: Organization {
                name,
                kind: "c4",
                keeper: true,
            },
        })
        .collect();
    let mut nodes = found_quietly(&program, folder.path(), &members, "template:us-claims-only")
        .await
        .unwrap();
    entrust(&nodes, &names).await.unwrap();
    let desks: Vec<Hand> = nodes.iter().map(Node::hand).collect();
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut acknowledged = Acknowledged::default();
    for n in 0..KEEPER_ROUNDS {
        let victim = rng.gen_range(0..nodes.len());
        let (delay, away) = (rng.gen_range(0..KILL_WITHIN), rng.gen_range(0..AWAY_WITHIN));
        let acts: Vec<Act> = (0..desks.len())
            .map(|who| match rng.gen_range(0..2) {
                0 => Act::Invite(format!("friend {n} of {who}")),
                _ => Act::Suppress(format!("+1206555{who}2{n:02}")),
            })
            .collect();
        let said = acts.iter().zip(&desks);
        let patience = Duration::from_secs(20);
        let said =
            futures_util::future::join_all(said.map(|(act, desk)| act.run(desk, "", patience)));
        let killed = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            nodes[victim].kill().await.unwrap();
            tokio::time::sleep(Duration::from_millis(away)).await;
            nodes[victim].start().await.unwrap();
        };
        let (answers, ()) = tokio::join!(said, killed);
        for (who, (act, answer)) in acts.iter().zip(&answers).enumerate() {
            acknowledged.note(who, act, answer.as_ref());
        }
    }
    let all: Vec<&Node> = nodes.iter().collect();
    let stand = settled(&all, REST).await.unwrap();
    for other in &stand[1..] {
        assert_eq!(
            stand[0].state_hash, other.state_hash,
            "seed {SEED}: {stand:?}"
        );
    }
    assert!(
        acknowledged.answers > KEEPER_ROUNDS && !acknowledged.entries.is_empty(),
        "hardly any command was answered"
    );
    let founder = effects(&nodes[0]).await;
    for entry in acknowledged.entries.keys() {
        assert!(
            founder.contains_key(entry),
            "seed {SEED}: entry {entry} was acknowledged and is lost"
        );
    }
    for (who, node) in nodes.iter().enumerate() {
        let found = suppressed(node).await;
        for (phone, told) in &acknowledged.phones {
            let digits = phone.trim_start_matches('+');
            assert!(
                *told != who || found.contains(digits),
                "seed {SEED}: {phone} is not suppressed"
            );
        }
    }
}
