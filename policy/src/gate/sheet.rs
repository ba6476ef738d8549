//! Deciding a pass: each distinct tuple of facts once per cell, then words of bits.
//!
//! Per layer the answers of the groups are joined: `allow = permit & !forbid & !alarm`; the layers
//! are joined by AND. The canary is a group like the others, except that its forbid must deny.

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
        let mut sheet = Self {
            voices: Vec::new(),
            rulings: vec![Ruling::default(); table.len()],
            asked: pass.asked,
            tuples: 0,
            asked_cedar: 0,
        };
        sheet.guard(pass, table);
        for layer in Layer::ALL {
            for group in &gate.layer(layer).groups {
                let voice = sheet.hear(pass, table, group, layer);
                sheet.join(&voice);
                sheet.voices.push(voice);
            }
        }
        sheet
    }

    /// Refuses whatever the answers of the layers would mean nothing for.
    fn guard(&mut self, pass: &Pass<'g>, table: &Table<'_>) {
        let canary = self.hear(pass, table, &pass.gate.canary, Layer::Law);
        let rows = self
            .rulings
            .iter_mut()
            .zip(&canary.tuple_of)
            .zip(&table.complete);
        for ((ruling, tuple), complete) in rows {
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
        for (ruling, tuple) in self.rulings.iter_mut().zip(&voice.tuple_of) {
            let Some(said) = voice.said.get(*tuple as usize) else {
                // A tuple that nobody judged would be a defect of this file; it refuses.
                ruling.alarms.add(Alarm::Eval, Cells::MAX);
                continue;
            };
            ruling.alarms.join(&said.alarms, Cells::MAX);
            if let (Some(permit), Some(forbid)) =
                (ruling.permit.get_mut(place), ruling.forbid.get_mut(place))
            {
                *permit |= said.applied(voice.group, Effect::Permit);
                *forbid |= said.forbidden(voice.group);
            }
        }
    }

    /// Asks a group about each distinct tuple, once per cell.
    fn hear(
        &mut self,
        pass: &Pass<'_>,
        table: &Table<'_>,
        group: &'g Group,
        layer: Layer,
    ) -> Voice<'g> {
        let subjects = Subjects::of(pass, table, group);
        let mut heard = vec![Said::default(); subjects.persons.len()];
        let chunks = subjects.persons.chunks(STORE_PERSONS);
        for (persons, said) in chunks.zip(heard.chunks_mut(STORE_PERSONS)) {
            self.asked_cedar += ask(pass, group, persons, said);
        }
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
        self.tuples += subjects.parts.len();
        Voice {
            group,
            layer,
            said: subjects.parts.iter().map(together).collect(),
            tuple_of: subjects.tuple_of,
        }
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
        let alarms = ruling.alarms.settled();
        let mut reasons: Vec<(&str, Cells)> = alarms
            .map(|(alarm, cells)| (alarm.name(), cells & self.asked))
            .collect();
        let open = self.asked & !ruling.alarms.any();
        let unpermitted = Layer::ALL.into_iter().fold(0, |cells, layer| {
            let (permit, forbid) = ruling.layer(layer);
            cells | !permit & !forbid
        });
        reasons.push((NO_PERMIT, open & unpermitted));
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

/// Asks about a store full of persons; the answer is how often Cedar was asked.
fn ask(pass: &Pass<'_>, group: &Group, persons: &[(Person<'_>, Cells)], said: &mut [Said]) -> u64 {
    let mut times = 0;
    let bench = Bench::of_persons(pass.gate, persons.iter().map(|(person, _)| person));
    for (index, ((_, cells), said)) in persons.iter().zip(said).enumerate() {
        let about = uid("Person", &name(index));
        for bit in bits(*cells) {
            let answer = match (&bench, pass.question(bit)) {
                (Ok(bench), Some(question)) => bench.ask(&group.rules, question, &about),
                (Err(alarm), _) => Err(*alarm),
                (_, None) => Err(Alarm::Eval),
            };
            times += 1;
            said.note(group, 1 << bit, answer);
        }
    }
    times
}
