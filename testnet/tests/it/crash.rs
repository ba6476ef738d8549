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
use testnet::nodes::{Member, Node, Organization, Program, Refused, found_quietly, settled};

/// Another seed kills at other moments.
const SEED: u64 = 20_261_125;
/// Rounds of commands with a kill in each; about three seconds apiece.
const ROUNDS: u32 = 14;
/// The latest moment of a kill after its round began, in milliseconds.
const KILL_WITHIN: u64 = 900;
/// How long a command may take beyond the kill: one that waits for a dead node is given up, as a
/// person would, and counts as not acknowledged.
const PATIENCE: u64 = 1_500;
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

    async fn run(&self, node: &Node, terms: &str) -> Result<Value, Refused> {
        let words: Vec<&str> = match self {
            Self::Invite(name) => vec!["coalition", "invite", "--to-name", name],
            Self::Suppress(phone) => vec!["suppress", "--phone", phone, "--channel", "phone"],
            Self::Propose => vec!["agreement", "propose", terms],
            Self::Sign => vec!["agreement", "sign"],
        };
        node.run(&words).await
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
    acts: &[Act; 2],
    terms: &str,
    kill: (bool, bool, u64),
) -> [Option<Value>; 2] {
    let (keeper, member, delay) = kill;
    let [first, second] = nodes else {
        panic!("two nodes")
    };
    let answers = {
        let pids = [
            first.process().filter(|_| keeper),
            second.process().filter(|_| member),
        ];
        let kills = async {
            tokio::time::sleep(Duration::from_millis(delay)).await;
            for pid in pids.into_iter().flatten() {
                kill_at_once(pid);
            }
        };
        let patience = Duration::from_millis(delay + PATIENCE);
        let (one, other, ()) = tokio::join!(
            tokio::time::timeout(patience, acts[0].run(first, terms)),
            tokio::time::timeout(patience, acts[1].run(second, terms)),
            kills
        );
        [one, other].map(|answer| answer.ok().and_then(Result::ok))
    };
    for (node, killed) in [(first, keeper), (second, member)] {
        if killed {
            node.kill().await.unwrap();
            node.start().await.unwrap();
        }
    }
    answers
}

/// SIGKILL, while a command of this node is still waiting for its answer.
fn kill_at_once(pid: u32) {
    let status = std::process::Command::new("kill")
        .args(["-9", &pid.to_string()])
        .status()
        .unwrap();
    assert!(
        status.success(),
        "the process was gone before it was killed"
    );
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
    let mut rng = StdRng::seed_from_u64(SEED);
    let mut acknowledged = Acknowledged::default();
    for n in 0..ROUNDS {
        let acts = [Act::draw(&mut rng, n, 0), Act::draw(&mut rng, n, 1)];
        let victims = rng.gen_range(1..4);
        let kill = (
            victims & 1 != 0,
            victims & 2 != 0,
            rng.gen_range(0..KILL_WITHIN),
        );
        let terms = terms(folder.path(), n);
        let answers = round(&mut nodes, &acts, &terms, kill).await;
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
