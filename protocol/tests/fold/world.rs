//! A coalition on paper: members with keys, a log that is folded entry by entry, no network.
//! Long because every kind of entry is made here once.

use protocol::{
    agreement::{Agreement, signed_bytes},
    blob::BlobId,
    chain::LogItem,
    channel::Channel,
    codec,
    entry::{
        Class, Entry,
        agreement::{AgreementPropose, AgreementSign},
        ceremony::{CeremonyCommit, CeremonyDeal, SealedPart},
        claim::Claim,
        housekeeping::{Checkpoint, Keyset},
        membership::{Genesis, Invite, JoinRequest},
        overlap::{OverlapAsk, OverlapPass},
        payload::{Payload, write_rows},
        plan::{Place, Plan},
        share::{Consideration, Share},
    },
    envelope::{Form, Header, VERSION},
    fold::{self, At, Content, Outcome, Void},
    id::{CoalitionId, EntryId, Hash, Lineage, NodeId},
    identity::{KeyUse, NodeSecrets, Particulars},
    mls::{self, MlsKey, Overlay},
    note::{self, TreeHead},
    state::State,
    time::{DAY, HOUR, Moment},
    token::{
        KeyShare, Kind, Token,
        ceremony::{self, Participant},
    },
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

pub(crate) const COALITION: CoalitionId = CoalitionId([1; 16]);
pub(crate) const LINEAGE: Lineage = Lineage([2; 16]);
/// 2026-11-02, a Monday.
pub(crate) const START: Moment = Moment(1_793_577_600_000);

/// An organization with its keys.
pub(crate) struct Actor {
    pub(crate) id: NodeId,
    pub(crate) secrets: NodeSecrets,
    pub(crate) document: Vec<u8>,
}

impl Actor {
    pub(crate) fn new(n: u8) -> Self {
        Self::named(
            n,
            ["Ash", "Birch", "Cedar", "Dogwood", "Elm"][usize::from(n) % 5],
        )
    }

    pub(crate) fn named(n: u8, name: &str) -> Self {
        Self::with(n, name, Vec::new())
    }

    /// An organization whose node says which versions of the protocol it speaks.
    pub(crate) fn speaking(n: u8, versions: protocol::version::Versions) -> Self {
        Self::with(n, &format!("Oak {n}"), vec![versions.capability()])
    }

    fn with(n: u8, name: &str, capabilities: Vec<protocol::identity::Capability>) -> Self {
        let secrets = NodeSecrets::generate(&mut ChaCha8Rng::seed_from_u64(u64::from(n)));
        // The last of five has no address, so that it cannot keep the log.
        let endpoints = if n < 4 {
            vec![format!("https://keeper{n}.example.org").parse().unwrap()]
        } else {
            Vec::new()
        };
        let particulars = Particulars {
            organization: name.parse().unwrap(),
            kind: "c4".parse().unwrap(),
            endpoints,
            capabilities,
            valid_until: START.plus(300 * DAY),
        };
        let document = codec::encode(&secrets.document(particulars, None).unwrap());
        Self {
            id: secrets.node_id(),
            secrets,
            document,
        }
    }

    pub(crate) fn mls_key(&self) -> [u8; 32] {
        MlsKey::from_seed(self.secrets.seed(KeyUse::Mls)).public()
    }

    pub(crate) fn key_package(&self) -> Vec<u8> {
        let key = MlsKey::from_seed(self.secrets.seed(KeyUse::Mls));
        mls::key_package(&mut Overlay::default(), &key, self.id).unwrap()
    }

    pub(crate) fn states(&self, bytes: &[u8]) -> [u8; 64] {
        self.secrets.signing_key(KeyUse::Statement).sign(bytes).0
    }
}

/// One ordered entry, as MLS would have opened it.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) item: LogItem,
    pub(crate) at: At,
    pub(crate) header: Header,
    pub(crate) inside: Inside,
}

#[derive(Debug, Clone)]
pub(crate) enum Inside {
    Entry(Box<Entry>, Option<Vec<u8>>),
    Commit {
        added: Vec<(NodeId, [u8; 32])>,
        removed: Vec<NodeId>,
        author_key: Option<[u8; 32]>,
        opens: u64,
        rejoin: bool,
    },
}

impl Said {
    pub(crate) fn content(&self) -> Content<'_> {
        match &self.inside {
            Inside::Entry(entry, rows) => Content::Entry(entry, rows.as_deref()),
            Inside::Commit {
                added,
                removed,
                author_key,
                opens,
                rejoin,
            } => Content::Commit {
                added,
                removed,
                author_key: *author_key,
                opens: *opens,
                rejoin: *rejoin,
            },
        }
    }

    /// Folds it as every member does.
    pub(crate) fn fold(&self, state: &mut State) -> Result<Outcome, Void> {
        fold::advance(state, &self.item).unwrap();
        fold::apply(state, self.at, &self.header, self.content())
    }
}

/// A log and the state that it leads to.
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) now: Moment,
    pub(crate) actors: Vec<Actor>,
    pub(crate) log: Vec<Said>,
    next_id: u64,
}

impl World {
    /// A log without entries.
    pub(crate) fn empty(actors: u8) -> Self {
        Self {
            state: State::start(COALITION, LINEAGE),
            now: START,
            actors: (0..actors).map(Actor::new).collect(),
            log: Vec::new(),
            next_id: 0,
        }
    }

    /// Organization 0 founded the coalition and keeps its log.
    pub(crate) fn founded(actors: u8) -> Self {
        let mut world = Self::empty(actors);
        let genesis = Genesis {
            name: "Riverside".to_owned(),
            document: world.actors[0].document.clone(),
        };
        world.done(0, genesis);
        let (_, keyset) =
            KeyShare::found(1, world.actors[0].id, &mut ChaCha8Rng::seed_from_u64(99));
        let keyset = codec::encode(&keyset);
        world.done(0, Keyset { keyset });
        world
    }

    /// All but the last `outside` are members.
    pub(crate) fn joined(actors: u8, outside: u8) -> Self {
        let mut world = Self::founded(actors);
        for n in 1..usize::from(actors - outside) {
            world.comes_in(n);
        }
        world
    }

    /// All but the last `outside` have signed an agreement.
    pub(crate) fn agreed(actors: u8, outside: u8) -> Self {
        let mut world = Self::joined(actors, outside);
        let hash = world.propose(0);
        for n in 0..usize::from(actors - outside) {
            let sign = world.signature(n, hash);
            world.done(n, sign);
        }
        assert_eq!(world.state.meta().agreement, Some(hash));
        world
    }

    /// The same members from a state that was folded before.
    pub(crate) fn at(state: State, now: Moment, actors: u8) -> Self {
        Self {
            state,
            now,
            ..Self::empty(actors)
        }
    }

    pub(crate) fn id(&self, n: usize) -> NodeId {
        self.actors[n].id
    }

    pub(crate) fn fresh_id(&mut self) -> EntryId {
        self.next_id += 1;
        let position = self.state.meta().head.position;
        let mut id = [0; 16];
        id[..8].copy_from_slice(&position.to_be_bytes());
        id[8..].copy_from_slice(&self.next_id.to_be_bytes());
        EntryId(id)
    }

    pub(crate) fn wait(&mut self, milliseconds: i64) {
        self.now = self.now.plus(milliseconds);
    }

    pub(crate) fn header(&self, author: usize, id: EntryId, entry: &Entry) -> Header {
        header(
            self.id(author),
            id,
            entry.class(),
            Form::Application,
            entry.blobs(),
        )
        .with_evidence(entry.evidence())
    }

    /// What the log would bring next.
    pub(crate) fn next(
        &mut self,
        author: usize,
        id: EntryId,
        header: Header,
        inside: Inside,
    ) -> Said {
        let head = self.state.meta().head;
        let position = head.position + 1;
        let log_time = self.now.max(head.log_time);
        Said {
            item: LogItem {
                position,
                log_time,
                sealed: id.0.to_vec(),
            },
            at: At {
                position,
                time: log_time,
                author: self.id(author),
                entry: id,
            },
            header,
            inside,
        }
    }

    pub(crate) fn fold(&mut self, said: Said) -> Result<Outcome, Void> {
        let outcome = said.fold(&mut self.state);
        self.log.push(said);
        outcome
    }

    /// Says something with rows in a blob or in the entry.
    pub(crate) fn say_rows(
        &mut self,
        author: usize,
        entry: impl Into<Entry>,
        rows: Option<Vec<u8>>,
    ) -> (EntryId, Result<Outcome, Void>) {
        let id = self.fresh_id();
        let entry = entry.into();
        let header = self.header(author, id, &entry);
        let said = self.next(author, id, header, Inside::Entry(Box::new(entry), rows));
        (id, self.fold(said))
    }

    /// Says something; rows that stand in the entry are read from it.
    pub(crate) fn say(
        &mut self,
        author: usize,
        entry: impl Into<Entry>,
    ) -> (EntryId, Result<Outcome, Void>) {
        let entry = entry.into();
        let rows = match entry.payload() {
            Some(Payload::Inline(rows)) => Some(rows.clone()),
            _ => None,
        };
        self.say_rows(author, entry, rows)
    }

    /// Says something that must take effect.
    pub(crate) fn done(&mut self, author: usize, entry: impl Into<Entry>) -> EntryId {
        let (id, outcome) = self.say(author, entry);
        assert!(outcome.is_ok(), "{outcome:?}");
        id
    }

    /// Says something that must be void, and checks that it changed nothing.
    pub(crate) fn void(&mut self, author: usize, entry: impl Into<Entry>) -> Void {
        let mut before = self.state.clone();
        let (_, outcome) = self.say(author, entry);
        let said = self.log.last().unwrap();
        fold::advance(&mut before, &said.item).unwrap();
        assert_eq!(before, self.state, "a void entry changed something");
        outcome.expect_err("this must be refused")
    }

    pub(crate) fn commit(&mut self, author: usize, inside: Inside) -> Result<Outcome, Void> {
        let id = self.fresh_id();
        let header = header(
            self.id(author),
            id,
            Class::Control,
            Form::Commit,
            Vec::new(),
        );
        let mut before = self.state.clone();
        let said = self.next(author, id, header, inside);
        fold::advance(&mut before, &said.item).unwrap();
        let outcome = self.fold(said);
        if outcome.is_err() {
            assert_eq!(before, self.state, "a void commit changed something");
        }
        outcome
    }

    pub(crate) fn invitation(&self, token: u8, days: i64) -> Invite {
        Invite {
            token_hash: Hash::of(&[token]),
            to_name: "a friend".to_owned(),
            expires: self.now.plus(days * DAY),
        }
    }

    pub(crate) fn request(&self, token: u8, n: usize) -> JoinRequest {
        let actor = &self.actors[n];
        JoinRequest {
            token_hash: Hash::of(&[token]),
            node: actor.id,
            document: actor.document.clone(),
            key_package: actor.key_package(),
        }
    }

    pub(crate) fn adding(&self, author: usize, n: usize) -> Inside {
        Inside::Commit {
            added: vec![(self.id(n), self.actors[n].mls_key())],
            removed: Vec::new(),
            author_key: Some(self.actors[author].mls_key()),
            opens: n as u64,
            rejoin: false,
        }
    }

    pub(crate) fn renewing(&self, author: usize) -> Inside {
        self.changing(author, Vec::new(), false)
    }

    /// The author takes its own leaf again, from outside.
    pub(crate) fn returning(&self, author: usize) -> Inside {
        self.changing(author, Vec::new(), true)
    }

    pub(crate) fn removing(&self, author: usize, nodes: &[usize]) -> Inside {
        let removed = nodes.iter().map(|n| self.id(*n)).collect();
        self.changing(author, removed, false)
    }

    fn changing(&self, author: usize, removed: Vec<NodeId>, rejoin: bool) -> Inside {
        Inside::Commit {
            added: Vec::new(),
            removed,
            author_key: Some(self.actors[author].mls_key()),
            opens: 12,
            rejoin,
        }
    }

    pub(crate) fn comes_in(&mut self, n: usize) {
        let token = 100 + u8::try_from(n).unwrap();
        self.done(0, self.invitation(token, 3));
        self.done(0, self.request(token, n));
        let adding = self.adding(0, n);
        assert_eq!(self.commit(0, adding), Ok(Outcome::Done));
    }

    pub(crate) fn draft(&self) -> Agreement {
        let meta = self.state.meta();
        let version = self.state.agreement().map_or(1, |(_, now)| now.version + 1);
        Agreement {
            coalition: COALITION,
            version,
            before: meta.agreement.unwrap_or(Hash::ZERO),
            parties: fold::agreement::parties(&self.state, policy::Jurisdiction::US),
            keepers: fold::agreement::keepers(&self.state),
            terms: policy::terms::template("us-claims-only")
                .unwrap()
                .text
                .to_owned(),
        }
    }

    pub(crate) fn propose(&mut self, author: usize) -> Hash {
        let draft = self.draft();
        self.done(author, proposal(&draft));
        draft.hash()
    }

    pub(crate) fn signature(&self, n: usize, hash: Hash) -> AgreementSign {
        let bytes = self
            .state
            .agreements
            .get(&hash)
            .map_or_else(|| codec::encode(&self.draft()), |row| row.bytes.clone());
        AgreementSign {
            agreement: hash,
            signature: self.actors[n].states(&signed_bytes(&bytes)),
        }
    }

    /// A claim under the agreement in force, from so many hours from now for so many hours.
    pub(crate) fn claim(&self, channel: Channel, from: i64, hours: i64, tokens: &[u8]) -> Claim {
        let from = self.now.plus(from * HOUR);
        Claim {
            generation: 1,
            paired: false,
            channel,
            from,
            to: from.plus(hours * HOUR),
            tokens: Payload::Inline(write_rows(tokens.iter().map(|n| token(*n)))),
            grant_by: self.now.plus(24 * HOUR),
            agreement: self.state.meta().agreement.unwrap_or(Hash::ZERO),
        }
    }

    /// A plan for doors of an area, from so many hours from now for so many hours.
    pub(crate) fn plan(&self, from: i64, hours: i64, area: &str) -> Plan {
        let from = self.now.plus(from * HOUR);
        Plan {
            channel: Channel::Door,
            from,
            to: from.plus(hours * HOUR),
            purpose: "gotv".to_owned(),
            label: "Weekend doors".to_owned(),
            places: vec![Place::area(area).unwrap()],
            volume: 400,
            contact: "Ana, 555-0100".to_owned(),
            replaces: None,
            agreement: self.state.meta().agreement.unwrap_or(Hash::ZERO),
        }
    }

    pub(crate) fn share(&self, to: usize, count: u64) -> Share {
        Share {
            to: self.id(to),
            purpose: "gotv".to_owned(),
            channel: Channel::Phone,
            fields: vec!["identity".to_owned(), "phone".to_owned()],
            count,
            agreement: self.state.meta().agreement.unwrap_or(Hash::ZERO),
            blob: BlobId(Hash::of(b"rows")),
            bytes: 4_096,
            expires: None,
            root: Hash::of(b"root of the share tree"),
            consideration: Consideration::none(),
        }
    }

    /// The wish of a member to count with others, by phone number, with 200 entries.
    pub(crate) fn overlap_ask(&self, with: &[usize], counter: Option<usize>) -> OverlapAsk {
        let mut with: Vec<NodeId> = with.iter().map(|n| self.id(*n)).collect();
        with.sort_unstable();
        OverlapAsk {
            with,
            counter: counter.map(|n| self.id(n)),
            kind: Kind::Phone,
            purpose: "gotv".to_owned(),
            size: 200,
            least: 100,
            until: self.now.plus(7 * DAY),
            generation: 1,
            agreement: self.state.meta().agreement.unwrap_or(Hash::ZERO),
        }
    }

    /// A list that is handed on at a step, as far as the fold can see, and whose turn it is.
    pub(crate) fn overlap_pass(
        &self,
        overlap: EntryId,
        list: u8,
        step: u8,
    ) -> (usize, OverlapPass) {
        let row = self.state.overlaps.get(&overlap).unwrap();
        let turn = row.turn(list, step).unwrap();
        let who = self.actors.iter().position(|actor| actor.id == turn);
        let pass = OverlapPass {
            overlap,
            list,
            step,
            blob: BlobId(Hash::of(&[list, step])),
            bytes: row.size(list).unwrap() * 32 + 300,
        };
        (who.unwrap(), pass)
    }

    /// Hands every list on until all have gone all the way.
    pub(crate) fn overlap_passes(&mut self, overlap: EntryId) {
        let lists = self.state.overlaps.get(&overlap).unwrap().lists();
        for step in 0..lists {
            for list in 0..lists {
                let (who, pass) = self.overlap_pass(overlap, list, step);
                self.done(who, pass);
            }
        }
    }

    /// Makes these members the keepers.
    pub(crate) fn keep(&mut self, keepers: &[usize]) {
        for n in 0..self.actors.len() {
            let id = self.id(n);
            if let Some(member) = self.state.members.get_mut(&id) {
                member.keeper = keepers.contains(&n);
            }
        }
    }

    /// What a keeper commits to in a ceremony.
    pub(crate) fn committed(
        &self,
        n: usize,
        ceremony: EntryId,
        plan: &ceremony::Plan,
    ) -> CeremonyCommit {
        let mut rng = ChaCha8Rng::seed_from_u64(n as u64);
        let id = plan.id_of(&self.id(n)).unwrap_or(1);
        let (_, commitments) = Participant::commit(plan, id, &mut rng).unwrap();
        CeremonyCommit {
            ceremony,
            commitments: codec::encode(&commitments),
        }
    }

    /// What a keeper deals in a ceremony, as far as the fold can see.
    pub(crate) fn dealt(&self, n: usize, ceremony: EntryId, plan: &ceremony::Plan) -> CeremonyDeal {
        let own = self.id(n);
        let others = plan.keepers.iter().filter(|keeper| keeper.node != own);
        let part = |to| SealedPart {
            to,
            sealed: b"sealed".to_vec(),
        };
        CeremonyDeal {
            ceremony,
            parts: others.map(|keeper| part(keeper.id)).collect(),
        }
    }

    /// The digest of the keyset that a ceremony leads to.
    pub(crate) fn digest(&self, ceremony: EntryId) -> Hash {
        let row = self.state.ceremonies.get(&ceremony).unwrap();
        Hash::of(row.keyset.as_ref().unwrap())
    }

    /// A checkpoint with a good cosignature over some root.
    pub(crate) fn checkpoint(&self, n: usize, position: u64) -> Checkpoint {
        let head = TreeHead {
            origin: note::origin(COALITION, LINEAGE),
            size: position,
            root: self.state.meta().tree.root(),
        };
        let seconds = u64::try_from(self.now.0 / 1_000).unwrap();
        let key = self.actors[n].secrets.signing_key(KeyUse::Statement);
        Checkpoint {
            position,
            state: Hash::of(b"state"),
            authenticator: Hash::of(b"authenticator"),
            root: head.root,
            seconds,
            cosignature: head.cosigned(&key, seconds),
        }
    }
}

pub(crate) fn header(
    author: NodeId,
    entry: EntryId,
    class: Class,
    form: Form,
    blobs: Vec<BlobId>,
) -> Header {
    Header {
        version: VERSION,
        coalition: COALITION,
        lineage: LINEAGE,
        entry,
        class,
        form,
        blobs,
        author,
        evidence: None,
    }
}

pub(crate) fn token(n: u8) -> Token {
    Token([n; 16])
}

pub(crate) fn proposal(draft: &Agreement) -> AgreementPropose {
    AgreementPropose {
        agreement: codec::encode(draft),
    }
}
