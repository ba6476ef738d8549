//! What people do at their desks while everything goes wrong, and what they were told about it.

use super::record::Record;
use crate::{
    export_files::write_contact_history,
    nodes::{Hand, Refused},
    people::{
        Attempt, CommitteeHistory,
        consent::{self, ConsentForm},
    },
};
use anyhow::{Context, Result};
use jiff::ToSpan;
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::Duration,
};

/// The organizations; each has a desk.
pub const NAMES: [&str; 4] = [
    "Tenants United",
    "Marlow Votes",
    "Green Table",
    "River Friends",
];
/// The list of each.
const LIST: &str = "people";
/// People whom anybody may know.
const PEOPLE: u32 = 60;
/// People of one import.
const IMPORTED: u32 = 12;
/// How long somebody waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest pause between two commands, in milliseconds.
const PAUSE: u64 = 500;

/// What was answered at one desk.
#[derive(Debug, Default)]
pub struct Acknowledged {
    /// Entries, and whether the answer said that they took effect.
    pub entries: BTreeMap<String, bool>,
    /// Suppressed telephones.
    pub phones: BTreeSet<String>,
    /// VAN ids of imported people.
    pub people: BTreeSet<String>,
    /// Commands by their first words: answered and refused.
    pub commands: BTreeMap<&'static str, (u64, u64)>,
}

/// One desk and who sits there.
pub struct Worker {
    who: usize,
    hand: Hand,
    folder: PathBuf,
    rng: StdRng,
    files: u32,
    form: PathBuf,
    allies: Vec<&'static str>,
    claims: Vec<String>,
    /// What was answered so far.
    pub told: Acknowledged,
}

/// A command and what its answer would acknowledge.
struct Said {
    what: &'static str,
    words: Vec<String>,
    phone: Option<String>,
    people: Vec<String>,
}

impl Said {
    fn new<S: ToString>(what: &'static str, words: &[S]) -> Self {
        Self {
            what,
            words: words.iter().map(ToString::to_string).collect(),
            phone: None,
            people: Vec::new(),
        }
    }
}

fn van(person: u32) -> String {
    format!("{}", 71_000 + person)
}

impl Worker {
    /// Somebody at the desk of one of so many organizations, with a consent form that names the others.
    ///
    /// # Errors
    /// When the form cannot be written.
    pub fn new(
        seed: u64,
        who: usize,
        organizations: usize,
        hand: Hand,
        folder: PathBuf,
    ) -> Result<Self> {
        let form = folder.join(format!("form-{who}.toml"));
        let allies: Vec<&str> = NAMES[..organizations]
            .iter()
            .copied()
            .filter(|name| *name != NAMES[who])
            .collect();
        let text = consent_form(&allies).to_toml();
        std::fs::write(&form, text).context("cannot write a consent form")?;
        Ok(Self {
            who,
            hand,
            folder,
            rng: StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(who as u64)),
            files: 0,
            form,
            allies,
            claims: Vec::new(),
            told: Acknowledged::default(),
        })
    }

    /// What must be there before the rest makes sense.
    ///
    /// # Errors
    /// When the first import is refused, in clear weather.
    pub async fn begin(&mut self, record: &Record) -> Result<()> {
        let said = self.import()?;
        self.run(said, record).await?;
        let words = ["tokens", "status", "--wait"];
        self.hand.run(&words, 4 * PATIENCE).await?;
        Ok(())
    }

    /// Does one thing after the other until told to end.
    ///
    /// # Errors
    /// When a file for a command cannot be written; a command that is refused is no error.
    pub async fn work(&mut self, record: &Record, end: Duration) -> Result<()> {
        while record.since() < end {
            let said = self.next()?;
            // Refusals and deaths are what this is about.
            drop(self.run(said, record).await);
            let pause = self.rng.gen_range(50..PAUSE);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
        Ok(())
    }

    async fn run(&mut self, said: Said, record: &Record) -> Result<Value, Refused> {
        let answer = self.hand.run(&said.words, PATIENCE).await;
        let count = self.told.commands.entry(said.what).or_default();
        let line = match &answer {
            Ok(_) => {
                count.0 += 1;
                "answered".to_owned()
            }
            Err(refused) => {
                count.1 += 1;
                refused.to_string()
            }
        };
        record.note(&format!("{}: {}: {line}", NAMES[self.who], said.what));
        let answer = answer?;
        let done = answer["state"] == "done";
        entries(&answer, done, &mut self.told.entries);
        self.told.phones.extend(said.phone);
        self.told.people.extend(said.people);
        if let (true, Some(claim)) = (done, answer["claim"]["claim"].as_str()) {
            self.claims.push(claim.to_owned());
        }
        Ok(answer)
    }

    fn next(&mut self) -> Result<Said> {
        let person = format!("van:{}", van(self.rng.gen_range(0..PEOPLE)));
        let said = match self.rng.gen_range(0..20) {
            0 | 1 => self.import()?,
            2..6 => self.claim(),
            6..9 => match self.some_claim() {
                Some(claim) => Said::new("claim renew", &["claim", "renew", &claim]),
                None => self.claim(),
            },
            9 | 10 => match self.some_claim() {
                Some(claim) => Said::new("claim release", &["claim", "release", &claim]),
                None => self.claim(),
            },
            11 | 12 => self.report()?,
            13 => {
                let words = ["suppress", "--person", &person, "--channel", "door"];
                Said::new("suppress", &words)
            }
            14 | 15 => self.suppress_phone(),
            16 | 17 => {
                let to = self.allies[self.rng.gen_range(0..self.allies.len())];
                let words = ["share", "send", "--list", LIST, "--purpose"];
                let fields = ["issue_advocacy", "--fields", "identity,postal", "--to", to];
                Said::new("share", &[&words[..], &fields[..]].concat())
            }
            _ => {
                let kind = if self.rng.gen_bool(0.5) {
                    "erasure"
                } else {
                    "withdrawal"
                };
                let words = ["revoke", "--person", &person, "--kind", kind];
                Said::new("revoke", &words)
            }
        };
        Ok(said)
    }

    fn some_claim(&mut self) -> Option<String> {
        let n = self.rng.gen_range(0..self.claims.len().max(1));
        self.claims.get(n).cloned()
    }

    fn claim(&mut self) -> Said {
        let first = crate::ambient::today().saturating_add(self.rng.gen_range(0..3).days());
        let last = first.saturating_add(self.rng.gen_range(0..4).days());
        let channel = if self.rng.gen_bool(0.7) {
            "door"
        } else {
            "phone"
        };
        let (first, last) = (first.to_string(), last.to_string());
        let words = ["claim", "take", "--list", LIST, "--channel", channel];
        let days = ["--from", &first, "--to", &last];
        Said::new("claim take", &[&words[..], &days[..]].concat())
    }

    fn suppress_phone(&mut self) -> Said {
        self.files += 1;
        let phone = format!("+1206555{}{:03}", self.who, self.files % 1_000);
        let words = ["suppress", "--phone", &phone, "--channel", "phone"];
        Said {
            phone: Some(phone.clone()),
            ..Said::new("suppress", &words)
        }
    }

    fn file(&mut self, what: &str) -> PathBuf {
        self.files += 1;
        self.folder
            .join(format!("{what}-{}-{}.csv", self.who, self.files))
    }

    fn import(&mut self) -> Result<Said> {
        let first = self.rng.gen_range(0..PEOPLE);
        let people: Vec<u32> = (0..IMPORTED).map(|n| (first + n * 5) % PEOPLE).collect();
        let mut text = String::from(
            "VanID,FirstName,LastName,StreetAddress,City,State,ZipOrPostal,CellPhone\n",
        );
        for person in &people {
            let letter = char::from(b'a' + u8::try_from(person % 26).unwrap_or_default());
            text.push_str(&format!(
                "{},Given{letter},Surname{letter},{} Wren St,Dayton,OH,45402,(614) 555-01{person:02}\n",
                van(*person),
                100 + person
            ));
        }
        let (file, form) = (self.file("import"), self.form.display().to_string());
        std::fs::write(&file, text).context("cannot write an import")?;
        let (file, day) = (
            file.display().to_string(),
            crate::ambient::today().to_string(),
        );
        let words = ["import", &file, "--list", LIST, "--basis", "consent"];
        let signed = ["--consent-form", &form, "--consent-date", &day];
        Ok(Said {
            people: people.into_iter().map(van).collect(),
            ..Said::new("import", &[&words[..], &signed[..]].concat())
        })
    }

    fn report(&mut self) -> Result<Said> {
        let committee = NAMES[self.who];
        let attempt = Attempt {
            key: van(self.rng.gen_range(0..PEOPLE)),
            person: None,
            name: String::new(),
            result: "CV",
            contact_type: "Walk",
            day: crate::ambient::today().saturating_sub(self.rng.gen_range(1..20).days()),
            time: None,
            days_until_entered: 0,
            committee,
            own: true,
        };
        let path = self.file("history");
        let mut file = std::fs::File::create(&path).context("cannot write a history")?;
        let attempts = vec![attempt];
        write_contact_history(&mut file, &CommitteeHistory { attempts })?;
        let path = path.display().to_string();
        let words = ["contacts", "import", &path, "--committee", committee];
        Ok(Said::new("report", &words))
    }
}

fn consent_form(allies: &[&str]) -> ConsentForm {
    ConsentForm {
        form_version: "1".to_owned(),
        language: "en".to_owned(),
        collection_method: "paper".to_owned(),
        withdrawal_method: "Write to us".to_owned(),
        notice: consent::Notice {
            url: "https://a.example/notice".to_owned(),
            version: "1".to_owned(),
            sha256: "0".repeat(64),
        },
        purposes: vec![consent::Purpose {
            purpose: "issue_advocacy".to_owned(),
            pii_information: ["identity", "postal"].map(str::to_owned).into(),
            channels: ["door"].map(str::to_owned).into(),
            recipients: allies.iter().map(|&name| name.to_owned()).collect(),
            onward: false,
            expiry_days: 400,
        }],
    }
}

/// Every entry that an answer names: under `entry`, as a share or as a notice.
fn entries(answer: &Value, done: bool, into: &mut BTreeMap<String, bool>) {
    let named = |value: &Value| value.as_str().map(str::to_owned);
    into.extend(named(&answer["entry"]).map(|entry| (entry, done)));
    for (list, key) in [("recipients", "share"), ("notices", "notice")] {
        let items = answer[list].as_array().into_iter().flatten();
        into.extend(items.filter_map(|item| Some((named(&item[key])?, false))));
    }
}
