//! Deciding a pass: each distinct tuple of facts once per cell, then words of bits.
//!
//! Per layer the answers of the groups are joined: `allow = permit & !forbid & !alarm`; the layers
//! are joined by AND. The canary is a group like the others, except that its forbid must deny.
//! Spec: `spec/policy.md`, section 14.

use super::{
    Alarm, NO_PERMIT,
    group::Group,
    judge::{Answer, Bench, STORE_PERSONS, name},
    pass::{Alarms, Cells, Pass, bits},
    table::Table,
};
use crate::{consent::clause::Clause, entities::Person, rules::Layer, schema::uid};
use cedar_policy::Effect;
use std::collections::HashMap;

/// Ids of forbids that applied, and where.
pub(crate) type Forbids<'g> = Vec<(&'g str, Cells)>;

/// What a pass came to, per row of its table.
pub(crate) struct Sheet<'g> {
    voices: Vec<Voice<'g>>,
    rulings: Vec<Ruling>,
    asked: Cells,
    /// Tuples that were told apart, over all groups.
    pub(crate) tuples: usize,
    /// Times that Cedar was asked.
    pub(crate) asked_cedar: u64,
}

/// What one group of rules said about the rows.
struct Voice<'g> {
    group: &'g Group,
    layer: Layer,
    tuple_of: Vec<u32>,
    said: Vec<Said>,
}

/// What a group said about one tuple of facts.
#[derive(Clone, Default)]
struct Said {
    /// Rules that applied, by their place in the group, and where.
    hits: Vec<(usize, Cells)>,
    alarms: Alarms,
}

/// What all layers said about one row.
#[derive(Clone, Copy, Default)]
struct Ruling {
    alarms: Alarms,
    permit: [Cells; 3],
    forbid: [Cells; 3],
}

impl Ruling {
    fn layer(&self, layer: Layer) -> (Cells, Cells) {
        let [permit, forbid] =
            [self.permit, self.forbid].map(|[agreement, law, own]| match layer {
                Layer::Agreement => agreement,
                Layer::Law => law,
                Layer::Own => own,
            });
        (permit, forbid)
    }

    /// Cells in which some layer has nothing to say, which is no.
    fn unpermitted(&self) -> Cells {
        let layers = self.permit.iter().zip(self.forbid);
        layers.fold(0, |cells, (permit, forbid)| cells | (!permit & !forbid))
    }

    fn flows(&self, asked: Cells) -> Cells {
        let open = asked & !self.alarms.any();
        self.permit
            .iter()
            .zip(self.forbid)
            .fold(open, |flows, (permit, forbid)| flows & permit & !forbid)
    }
}

impl<'g> Sheet<'g> {
    pub(crate) fn new(pass: &Pass<'g>, table: &Table<'_>) -> Self {
        let gate = pass.gate;
        let of_layer = |layer: Layer| {
            let groups = gate.layer(layer).groups.iter();
            groups.map(move |group| (group, layer))
        };
        let groups = std::iter::once((&gate.canary, Layer::Law))
            .chain(Layer::ALL.into_iter().flat_map(of_layer))
            .collect();
        let mut sheet = Self {
            voices: Vec::new(),
            rulings: vec![Ruling::default(); table.len()],
            asked: pass.asked,
            tuples: 0,
            asked_cedar: 0,
        };
        let mut voices = sheet.hear(pass, table, groups).into_iter();
        if let Some(canary) = voices.next() {
            sheet.guard(pass, table, &canary);
        }
        for voice in voices {
            sheet.join(&voice);
            sheet.voices.push(voice);
        }
        sheet
    }

    /// Asks every group about each distinct tuple of what it reads, once per cell.
    fn hear(
        &mut self,
        pass: &Pass<'_>,
        table: &Table<'_>,
        groups: Vec<(&'g Group, Layer)>,
    ) -> Vec<Voice<'g>> {
        let subjects: Vec<Subjects<'_>> = groups
            .iter()
            .map(|(group, _)| Subjects::of(pass, table, group))
            .collect();
        let mut heard: Vec<Vec<Said>> = subjects
            .iter()
            .map(|subjects| vec![Said::default(); subjects.persons.len()])
            .collect();
        let mut asks: Vec<Ask<'_>> = Vec::new();
        for (((group, _), subjects), said) in groups.iter().zip(&subjects).zip(&mut heard) {
            let persons = subjects.persons.iter().zip(said);
            asks.extend(persons.map(|((person, cells), said)| Ask {
                group,
                person,
                cells: *cells,
                said,
            }));
        }
        for asks in asks.chunks_mut(STORE_PERSONS) {
            self.asked_cedar += ask(pass, asks);
        }
        let voices = groups.into_iter().zip(subjects).zip(heard);
        voices
            .map(|(((group, layer), subjects), heard)| {
                self.tuples += subjects.parts.len();
                Voice {
                    group,
                    layer,
                    said: subjects.together(&heard),
                    tuple_of: subjects.tuple_of,
                }
            })
            .collect()
    }

    /// Refuses whatever the answers of the layers would mean nothing for.
    fn guard(&mut self, pass: &Pass<'g>, table: &Table<'_>, canary: &Voice<'_>) {
        let tuples = canary.tuple_of.iter().zip(&table.complete);
        for (ruling, (tuple, complete)) in self.rulings.iter_mut().zip(tuples) {
            ruling.alarms = pass.alarms;
            let denied = match canary.said.get(*tuple as usize) {
                Some(said) => {
                    ruling.alarms.join(&said.alarms, Cells::MAX);
                    said.forbidden(canary.group)
                }
                None => 0,
            };
            let silent = pass.open() & !(denied | ruling.alarms.any());
            ruling.alarms.add(Alarm::EntityMissing, silent);
            if !complete {
                ruling.alarms.add(Alarm::EntityMissing, pass.open());
            }
        }
    }

    fn join(&mut self, voice: &Voice<'_>) {
        let place = voice.layer as usize;
        let words: Vec<(Cells, Cells, Alarms)> = voice
            .said
            .iter()
            .map(|said| {
                let permit = said.applied(voice.group, Effect::Permit);
                (permit, said.forbidden(voice.group), said.alarms)
            })
            .collect();
        for (ruling, tuple) in self.rulings.iter_mut().zip(&voice.tuple_of) {
            let Some((permit, forbid, alarms)) = words.get(*tuple as usize) else {
                // A tuple that nobody judged would be a defect of this file; it refuses.
                ruling.alarms.add(Alarm::Eval, Cells::MAX);
                continue;
            };
            ruling.alarms.join(alarms, Cells::MAX);
            if let (Some(permits), Some(forbids)) =
                (ruling.permit.get_mut(place), ruling.forbid.get_mut(place))
            {
                *permits |= permit;
                *forbids |= forbid;
            }
        }
    }

    /// Per row, the cells that were judged without alarm, and those of them that nothing permits.
    pub(crate) fn open(&self, row: usize) -> (Cells, Cells) {
        self.rulings.get(row).map_or((0, 0), |ruling| {
            let open = self.asked & !ruling.alarms.any();
            (open, open & ruling.unpermitted())
        })
    }

    /// The cells of a row that were refused with an alarm, each at one alarm.
    pub(crate) fn alarmed(&self, row: usize) -> impl Iterator<Item = (Alarm, Cells)> {
        let alarms = self.rulings.get(row).map(|ruling| ruling.alarms);
        let settled = alarms.unwrap_or_default().settled();
        settled.map(|(alarm, cells)| (alarm, cells & self.asked))
    }

    /// For each group of rules, the tuple of each row, and per tuple the forbids that applied.
    pub(crate) fn forbids(&self) -> impl Iterator<Item = (&[u32], Vec<Forbids<'g>>)> {
        self.voices.iter().map(|voice| {
            let forbids = |said: &Said| {
                let named = said.hits.iter().filter_map(|(rule, cells)| {
                    let (id, effect) = voice.group.ids.get(*rule)?;
                    (*effect == Effect::Forbid).then_some((id.as_str(), *cells))
                });
                named.collect()
            };
            (
                voice.tuple_of.as_slice(),
                voice.said.iter().map(forbids).collect(),
            )
        })
    }

    /// The cells of a row that flow.
    pub(crate) fn flows(&self, row: usize) -> Cells {
        self.rulings
            .get(row)
            .map_or(0, |ruling| ruling.flows(self.asked))
    }

    /// What withholds the cells of a row that do not flow: each such cell has a reason, and no
    /// reason is there twice.
    pub(crate) fn reasons(&self, row: usize) -> Vec<(&'g str, Cells)> {
        let Some(ruling) = self.rulings.get(row) else {
            return Vec::new();
        };
        let alarmed = self
            .alarmed(row)
            .map(|(alarm, cells)| (alarm.name(), cells));
        let mut reasons: Vec<(&str, Cells)> = alarmed.collect();
        let open = self.asked & !ruling.alarms.any();
        reasons.push((NO_PERMIT, open & ruling.unpermitted()));
        for (_, effect, id, cells) in self.hits(row) {
            if effect == Effect::Forbid {
                reasons.push((id, open & cells));
            }
        }
        reasons.retain(|(_, cells)| *cells != 0);
        reasons
    }

    /// The layers' answers about one cell of a row, or why they would mean nothing.
    pub(crate) fn answers(&self, row: usize, bit: usize) -> Result<[Answer; 3], Alarm> {
        let cell = 1 << bit;
        let ruling = self.rulings.get(row).ok_or(Alarm::Eval)?;
        let alarm = ruling.alarms.settled().find(|(_, cells)| cells & cell != 0);
        if let Some((alarm, _)) = alarm {
            return Err(alarm);
        }
        Ok(Layer::ALL.map(|layer| {
            let (permit, forbid) = ruling.layer(layer);
            let allow = permit & !forbid & cell != 0;
            let effect = if allow {
                Effect::Permit
            } else {
                Effect::Forbid
            };
            let mut by: Vec<String> = self
                .hits(row)
                .filter(|(of, is, _, cells)| *of == layer && *is == effect && cells & cell != 0)
                .map(|(_, _, id, _)| id.to_owned())
                .collect();
            by.sort();
            Answer { allow, by }
        }))
    }

    /// Layer, effect, id and cells of each rule that applied to a row.
    fn hits(&self, row: usize) -> impl Iterator<Item = (Layer, Effect, &'g str, Cells)> {
        self.voices.iter().flat_map(move |voice| {
            let said = voice
                .tuple_of
                .get(row)
                .and_then(|tuple| voice.said.get(*tuple as usize));
            let hits = said.into_iter().flat_map(|said| &said.hits);
            hits.filter_map(|(rule, cells)| {
                let (id, effect) = voice.group.ids.get(*rule)?;
                Some((voice.layer, *effect, id.as_str(), *cells))
            })
        })
    }
}

impl Said {
    fn note(&mut self, group: &Group, cell: Cells, answer: Result<Answer, Alarm>) {
        let by = match answer {
            Ok(answer) => answer.by,
            Err(alarm) => return self.alarms.add(alarm, cell),
        };
        for id in by {
            match group.position(&id) {
                Some(rule) => self.hit(rule, cell),
                None => self.alarms.add(Alarm::Eval, cell),
            }
        }
    }

    fn hit(&mut self, rule: usize, cells: Cells) {
        match self.hits.iter_mut().find(|(known, _)| *known == rule) {
            Some((_, word)) => *word |= cells,
            None => self.hits.push((rule, cells)),
        }
    }

    fn join(&mut self, other: &Self, cells: Cells) {
        self.alarms.join(&other.alarms, cells);
        for (rule, word) in &other.hits {
            self.hit(*rule, word & cells);
        }
    }

    fn applied(&self, group: &Group, effect: Effect) -> Cells {
        let of_effect = |rule: &usize| group.ids.get(*rule).is_some_and(|(_, is)| *is == effect);
        let hits = self.hits.iter().filter(|(rule, _)| of_effect(rule));
        hits.fold(0, |all, (_, cells)| all | cells)
    }

    fn forbidden(&self, group: &Group) -> Cells {
        self.applied(group, Effect::Forbid)
    }
}

/// Whom to ask a group about.
struct Subjects<'c> {
    tuple_of: Vec<u32>,
    /// Per tuple, the persons who stand for it, each in some cells.
    parts: Vec<Vec<(usize, Cells)>>,
    /// One per distinct vector of facts, with the cells in which anybody has it.
    persons: Vec<(Person<'c>, Cells)>,
}

impl<'c> Subjects<'c> {
    fn of(pass: &Pass<'_>, table: &Table<'c>, group: &Group) -> Self {
        let read = group.reads.clause();
        let facts = table.project(group.reads, false);
        let tuples = match read {
            0 => facts.clone(),
            _ => table.project(group.reads, true),
        };
        let mut subjects = Self {
            tuple_of: tuples.of,
            parts: Vec::with_capacity(tuples.first.len()),
            persons: Vec::new(),
        };
        let mut known: HashMap<(u32, u32), usize> = HashMap::new();
        for row in tuples.first {
            let row = row as usize;
            let fact = facts.of.get(row).copied().unwrap_or(u32::MAX);
            let mut parts = Vec::new();
            for bit in bits(pass.open()) {
                let clause = table.clause(row, bit);
                let key = (fact, clause.code(read));
                let person = *known
                    .entry(key)
                    .or_insert_with(|| subjects.add(table, row, clause));
                if let Some((_, cells)) = subjects.persons.get_mut(person) {
                    *cells |= 1 << bit;
                }
                note(&mut parts, person, 1 << bit);
            }
            subjects.parts.push(parts);
        }
        subjects
    }

    /// What was heard about the persons, put together per tuple.
    fn together(&self, heard: &[Said]) -> Vec<Said> {
        let together = |parts: &Vec<(usize, Cells)>| {
            let mut all = Said::default();
            for (person, cells) in parts {
                match heard.get(*person) {
                    Some(said) => all.join(said, *cells),
                    None => all.alarms.add(Alarm::Eval, *cells),
                }
            }
            all
        };
        self.parts.iter().map(together).collect()
    }

    fn add(&mut self, table: &Table<'c>, row: usize, clause: Clause) -> usize {
        let person = table
            .person(row, clause)
            .expect("codes are checked against their columns when a row is added");
        self.persons.push((person, 0));
        self.persons.len() - 1
    }
}

fn note(parts: &mut Vec<(usize, Cells)>, person: usize, cells: Cells) {
    match parts.iter_mut().find(|(known, _)| *known == person) {
        Some((_, word)) => *word |= cells,
        None => parts.push((person, cells)),
    }
}

/// A group of rules to be asked about a person in some cells.
struct Ask<'a> {
    group: &'a Group,
    person: &'a Person<'a>,
    cells: Cells,
    said: &'a mut Said,
}

/// Asks about a store full of persons; the answer is how often Cedar was asked.
fn ask(pass: &Pass<'_>, asks: &mut [Ask<'_>]) -> u64 {
    let mut times = 0;
    let bench = Bench::of_persons(pass.gate, asks.iter().map(|ask| ask.person));
    for (index, ask) in asks.iter_mut().enumerate() {
        let about = uid("Person", &name(index));
        for bit in bits(ask.cells) {
            let answer = match (&bench, pass.question(bit)) {
                (Ok(bench), Some(question)) => bench.ask(&ask.group.rules, question, &about),
                (Err(alarm), _) => Err(*alarm),
                (_, None) => Err(Alarm::Eval),
            };
            times += 1;
            ask.said.note(ask.group, 1 << bit, answer);
        }
    }
    times
}
