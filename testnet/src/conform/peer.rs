//! The kit as a member: its keys, the node that it asks, and what every answer is held to.

use super::{
    report::Found,
    wire::{Call, Key, OCTETS, Sent, random},
};
use anyhow::{Context, Result};
use bytes::Bytes;
use protocol::{
    chain::{Append, AppendResult, Appended, Head, Page, Sealed},
    codec::{self, Canonical},
    entry::Class,
    envelope::{Envelope, Form, Header, VERSION},
    id::{CoalitionId, EntryId, Lineage, NodeId},
    identity::{IdentityDocument, KeyUse, NodeSecrets},
    invite::Invite,
    problem::{Problem, ProblemKind},
    sign::{Answered, ResponseView, VerifiedResponse, verify_response},
};
use reqwest::header::CONTENT_TYPE;
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// How long an answer may take: a long poll and a slow disk.
const ANSWER: Duration = Duration::from_secs(60);
/// How often a call is tried again that the node asks to repeat.
const TRIES: usize = 30;
/// The most remarks of one kind that a report repeats.
const REMARKS: usize = 5;

/// What came back.
#[derive(Debug, Clone)]
pub(super) struct Answer {
    /// The status.
    pub(super) status: u16,
    /// All headers.
    pub(super) headers: Vec<(String, String)>,
    /// The content.
    pub(super) body: Bytes,
    /// The signature, if it holds; else why not.
    pub(super) signed: Result<VerifiedResponse, String>,
}

impl Answer {
    /// A header's value.
    #[must_use]
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The problem that it is.
    #[must_use]
    pub(super) fn problem(&self) -> Option<Problem> {
        serde_json::from_slice(&self.body).ok()
    }

    /// What it is, in a few words.
    #[must_use]
    pub(super) fn words(&self) -> String {
        match self.problem() {
            Some(problem) => format!("{} {}", self.status, problem.code),
            None => format!("{} with {} bytes", self.status, self.body.len()),
        }
    }

    /// Holds when the call was accepted.
    ///
    /// # Errors
    /// What it was instead.
    pub(super) fn accepted(&self) -> Found {
        match self.status {
            200..=299 => Ok(()),
            _ => Err(format!("it was refused: {}", self.words())),
        }
    }

    /// Holds when the call was refused as one of these.
    ///
    /// # Errors
    /// What it was instead.
    pub(super) fn refused(&self, kinds: &[ProblemKind]) -> Found {
        let kind = self.problem().and_then(|problem| problem.kind());
        if kind.is_some_and(|kind| kinds.contains(&kind) && kind.status() == self.status) {
            return Ok(());
        }
        let wanted: Vec<&str> = kinds.iter().map(|kind| kind.code()).collect();
        Err(format!(
            "it should be {}, and was {}",
            wanted.join(" or "),
            self.words()
        ))
    }

    /// The content, read.
    ///
    /// # Errors
    /// That it was refused, or what is wrong with it.
    pub(super) fn read<T: Canonical>(&self) -> Result<T, String> {
        self.accepted()?;
        codec::decode(&self.body).map_err(|error| error.to_string())
    }
}

/// What was wrong with answers, whatever they were asked for.
#[derive(Debug, Default)]
struct Remarks {
    answers: usize,
    refusals: usize,
    unsigned: Vec<String>,
    problems: Vec<String>,
    heads: Vec<String>,
}

/// The kit's place in the coalition, and the way to the node.
pub struct Peer {
    client: reqwest::Client,
    url: String,
    /// Its keys.
    pub(super) secrets: NodeSecrets,
    /// Its id.
    pub(super) me: NodeId,
    /// Its key for requests.
    pub(super) key: Key,
    /// The coalition.
    pub(super) coalition: CoalitionId,
    /// The numbering of its log.
    pub(super) lineage: Lineage,
    /// The keeper that is asked.
    pub(super) keeper: NodeId,
    /// Its document, once it has shown it.
    pub(super) document: Option<IdentityDocument>,
    authority: String,
    remarks: Mutex<Remarks>,
}

impl Peer {
    /// Fresh keys, for the keeper of an invitation; asked at another address where one is given.
    ///
    /// # Errors
    /// When no connection can be prepared.
    pub(super) fn new(invite: &Invite, url: Option<&str>) -> Result<Self> {
        let secrets = NodeSecrets::generate(&mut commonturf::ambient::rng());
        let me = secrets.node_id();
        Ok(Self {
            client: crate::ambient::patient_client(ANSWER)?,
            url: url.unwrap_or(invite.keeper_url.as_str()).to_owned(),
            key: Key::new(me, secrets.signing_key(KeyUse::Request)),
            secrets,
            me,
            coalition: invite.coalition,
            lineage: invite.log.lineage,
            keeper: invite.keeper,
            document: None,
            authority: invite.keeper_url.authority().to_owned(),
            remarks: Mutex::default(),
        })
    }

    /// The same member, asking at another address.
    pub fn turn_to(&mut self, url: &str) {
        url.clone_into(&mut self.url);
        self.remarks = Mutex::default();
    }

    /// The address that is asked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The path of a call.
    #[must_use]
    pub(super) fn path(&self, rest: &str) -> String {
        format!("/v1/c/{}/{rest}", self.coalition)
    }

    /// A call without content.
    #[must_use]
    pub(super) fn get(&self, rest: &str) -> Call {
        Call::new("GET", self.path(rest), &self.authority, self.keeper)
    }

    /// A call with content.
    #[must_use]
    pub(super) fn post(&self, rest: &str, body: Vec<u8>) -> Call {
        Call::new("POST", self.path(rest), &self.authority, self.keeper).cbor(body)
    }

    /// Signs as this member and sends.
    ///
    /// # Errors
    /// When nothing came back.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, String> {
        self.send(&call.signed(&self.key)).await
    }

    /// Sends what was signed before.
    ///
    /// # Errors
    /// When nothing came back.
    pub(super) async fn send(&self, sent: &Sent) -> Result<Answer, String> {
        let query = sent.query.as_ref().map(|query| format!("?{query}"));
        let url = format!("{}{}{}", self.url, sent.path, query.unwrap_or_default());
        let method = sent.method.parse().map_err(|_| "no method".to_owned())?;
        let mut request = self.client.request(method, &url).body(sent.body.clone());
        for (name, value) in &sent.headers {
            request = request.header(name, value);
        }
        let silent = |error: reqwest::Error| format!("no answer: {}", error.without_url());
        let response = request.send().await.map_err(silent)?;
        let status = response.status().as_u16();
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| {
                let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
                (name.as_str().to_owned(), value)
            })
            .collect();
        let mut answer = Answer {
            status,
            headers,
            body: response.bytes().await.map_err(silent)?,
            signed: Err("it was not checked".to_owned()),
        };
        answer.signed = self.check(sent, &answer);
        self.remark(sent, &answer);
        Ok(answer)
    }

    fn check(&self, sent: &Sent, answer: &Answer) -> Result<VerifiedResponse, String> {
        let document = self.document.as_ref().ok_or("its document is not known")?;
        let mut headers = sent.headers.iter();
        let signature = headers.find(|(name, _)| name == "signature");
        let (_, signature) = signature.ok_or("the call was not signed")?;
        let asked = Answered {
            method: sent.method,
            path: &sent.path,
            query: sent.query.as_deref(),
            signature,
        };
        let headers: Vec<(&str, &str)> = answer
            .headers
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        let chunk = answer.header("content-type") == Some(OCTETS);
        let view = ResponseView {
            status: answer.status,
            headers: &headers,
            body: (!chunk && !answer.body.is_empty()).then_some(answer.body.as_ref()),
        };
        let lookup = |_, kid: &_| document.key_named(KeyUse::Request, kid);
        verify_response(&view, &asked, self.keeper, lookup).map_err(|error| error.to_string())
    }

    /// Notes what is wrong with an answer, whatever was asked.
    fn remark(&self, sent: &Sent, answer: &Answer) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        remarks.answers += 1;
        let what = format!("{} {}: {}", sent.method, sent.path, answer.words());
        let refused = answer.status >= 400;
        remarks.refusals += usize::from(refused);
        if let Some(wrong) = refused.then(|| malformed(answer)).flatten() {
            push(&mut remarks.problems, format!("{what}: {wrong}"));
        }
        let one = |value: &str| value.starts_with("ct=:") && value.matches(':').count() == 2;
        let readable = sent
            .headers
            .iter()
            .any(|(name, value)| name == "signature" && one(value));
        let in_coalition = sent.path.starts_with(&self.path(""));
        if self.document.is_none() || !readable || !in_coalition || may_be_unsigned(answer) {
            return;
        }
        match &answer.signed {
            Err(why) => push(&mut remarks.unsigned, format!("{what}: {why}")),
            Ok(verified) => {
                if let Some(wrong) = self.wrong_head(verified, refused) {
                    push(&mut remarks.heads, format!("{what}: {wrong}"));
                }
            }
        }
    }

    /// What is wrong with the head that an answer shows.
    fn wrong_head(&self, verified: &VerifiedResponse, refused: bool) -> Option<String> {
        let Some(shown) = &verified.head else {
            return (!refused).then(|| "it shows no head".to_owned());
        };
        let head = Head {
            lineage: shown.log.lineage,
            position: shown.log.position,
            chain: shown.log.chain,
            log_time: shown.log_time,
        };
        let key = self.document.as_ref()?.key(KeyUse::Head);
        let signed = key.is_some_and(|key| {
            let bytes = head.signed_bytes();
            key.public.verifies(&bytes, &shown.signature)
        });
        (!signed).then(|| "its head is not signed by the keeper's key for heads".to_owned())
    }

    /// What was remarked so far: signatures, heads, problems.
    pub(super) fn remarked(&self) -> [Found; 3] {
        let remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        let any = |seen: usize, wrong: &[String]| match (seen, wrong) {
            (0, _) => Err("nothing of the kind was seen".to_owned()),
            (_, []) => Ok(()),
            (_, wrong) => Err(wrong.join("; ")),
        };
        [
            any(remarks.answers, &remarks.unsigned),
            any(remarks.answers, &remarks.heads),
            any(remarks.refusals, &remarks.problems),
        ]
    }

    /// Asks until the node takes it, where it is only too early or too often.
    ///
    /// # Errors
    /// The last refusal.
    pub(super) async fn insist(&self, call: impl Fn() -> Call) -> Result<Answer> {
        for _ in 0..TRIES {
            let answer = self.ask(&call()).await.map_err(anyhow::Error::msg)?;
            let kind = answer.problem().and_then(|problem| problem.kind());
            let later = [ProblemKind::StaleSinceRestart, ProblemKind::Rate];
            if !kind.is_some_and(|kind| later.contains(&kind)) {
                answer.accepted().map_err(anyhow::Error::msg)?;
                return Ok(answer);
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        anyhow::bail!("the node asks to wait for ever")
    }

    /// A sealed entry of this member that nobody can open: keepers order it, members find it void.
    #[must_use]
    pub(super) fn envelope(&self) -> Envelope {
        let header = Header {
            version: VERSION,
            coalition: self.coalition,
            lineage: self.lineage,
            entry: EntryId(random()),
            class: Class::Claims,
            form: Form::Application,
            blobs: Vec::new(),
            author: self.me,
            evidence: None,
        };
        Envelope {
            header,
            sealed: random().to_vec(),
        }
    }

    /// Appends sealed bytes; what became of each.
    ///
    /// # Errors
    /// When the append was refused as a whole.
    pub(super) async fn append(&self, entries: Vec<Vec<u8>>) -> Result<Vec<AppendResult>, String> {
        let entries = entries.into_iter().map(Sealed).collect();
        let body = codec::encode(&Append { entries });
        let answer = self.ask(&self.post("log", body)).await?;
        Ok(answer.read::<Appended>()?.results)
    }

    /// Reads entries after a position.
    ///
    /// # Errors
    /// When the read was refused.
    pub(super) async fn page(&self, after: u64, wait: u64) -> Result<(Page, Answer), String> {
        let call = self.get("log").query(format!("after={after}&wait={wait}"));
        let answer = self.ask(&call).await?;
        Ok((answer.read()?, answer))
    }

    /// The whole log.
    ///
    /// # Errors
    /// When a read was refused, or the log does not end.
    pub(super) async fn log(&self) -> Result<Vec<Page>, String> {
        let mut pages: Vec<Page> = Vec::new();
        let mut after = 0;
        loop {
            let (page, _) = self.page(after, 0).await?;
            let last = page.items.last().map(|item| item.position);
            let end = page.head.position;
            pages.push(page);
            match last {
                Some(last) if last < end && last > after => after = last,
                _ => return Ok(pages),
            }
        }
    }

    /// The address of a document's keeper, where the invitation did not say it.
    ///
    /// # Errors
    /// When the document names none.
    pub(super) fn knows(&mut self, document: IdentityDocument) -> Result<()> {
        let endpoint = document.endpoints.first().context("it has no address")?;
        endpoint.authority().clone_into(&mut self.authority);
        self.document = Some(document);
        Ok(())
    }
}

fn push(remarks: &mut Vec<String>, remark: String) {
    if remarks.len() < REMARKS {
        remarks.push(remark);
    }
}

/// Refusals that come before a signature was looked at.
fn may_be_unsigned(answer: &Answer) -> bool {
    let kind = answer.problem().and_then(|problem| problem.kind());
    let early = [
        ProblemKind::Rate,
        ProblemKind::TooSlow,
        ProblemKind::TooLarge,
        ProblemKind::UnsupportedMediaType,
        ProblemKind::NotFound,
        ProblemKind::MethodNotAllowed,
    ];
    kind.is_some_and(|kind| early.contains(&kind))
}

/// What is wrong with the form of a refusal.
fn malformed(answer: &Answer) -> Option<String> {
    let kind = answer.header(CONTENT_TYPE.as_str()).unwrap_or_default();
    if !kind.starts_with("application/problem+json") {
        return Some(format!("its content type is \"{kind}\""));
    }
    let Some(problem) = answer.problem() else {
        return Some("it lacks a field of a problem".to_owned());
    };
    let Some(known) = problem.kind() else {
        return Some(format!("\"{}\" is no code of the list", problem.code));
    };
    let wrong = [
        (problem.type_uri != known.type_uri(), "type"),
        (problem.status != answer.status, "status"),
        (problem.status != known.status(), "status for its code"),
        (problem.title.is_empty(), "title"),
        (problem.request_id.is_empty(), "request_id"),
    ];
    let wrong: Vec<&str> = wrong
        .iter()
        .filter_map(|(wrong, what)| wrong.then_some(*what))
        .collect();
    (!wrong.is_empty()).then(|| format!("wrong or missing: {}", wrong.join(", ")))
}
