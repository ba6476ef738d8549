//! In which version entries are sealed: one that every present member speaks.

use super::world::{Actor, Inside, World, header};
use protocol::{
    entry::{Class, Entry, housekeeping::Tick, membership::Genesis, parting::Leave},
    envelope::{Envelope, EnvelopeError, Form},
    fold::Void,
    version::Versions,
};

fn versions(min: u32, max: u32) -> Option<Versions> {
    Versions::new(min, max)
}

/// Organization 0 speaks the versions, founds the coalition and keeps its log.
fn founded_by(min: u32, max: u32, actors: u8) -> World {
    let mut world = World::empty(actors);
    world.actors[0] = Actor::speaking(0, versions(min, max).unwrap());
    let genesis: Entry = Genesis {
        name: "Riverside".to_owned(),
        document: world.actors[0].document.clone(),
    }
    .into();
    let id = world.fresh_id();
    let mut header = world.header(0, id, &genesis);
    header.version = u8::try_from(min).unwrap();
    let said = world.next(0, id, header, Inside::Entry(Box::new(genesis), None));
    world.fold(said).unwrap();
    world
}

#[test]
fn a_coalition_speaks_what_all_members_speak_and_more_once_who_is_behind_has_gone() {
    let mut world = founded_by(1, 3, 3);
    assert_eq!(world.state.meta().versions, versions(1, 3));
    world.actors[1] = Actor::speaking(1, versions(2, 3).unwrap());
    world.comes_in(1);
    assert_eq!(world.state.meta().versions, versions(2, 3));
    world.actors[2] = Actor::speaking(2, versions(1, 2).unwrap());
    world.comes_in(2);
    assert_eq!(world.state.meta().versions, versions(2, 2));
    world.done(2, Leave {});
    let removing = world.removing(0, &[2]);
    world.commit(0, removing).unwrap();
    assert_eq!(world.state.meta().versions, versions(2, 3));
}

#[test]
fn a_node_whose_document_says_nothing_speaks_the_first_version() {
    let mut world = founded_by(1, 2, 2);
    world.comes_in(1);
    assert_eq!(world.state.meta().versions, versions(1, 1));
}

#[test]
fn a_newcomer_that_shares_no_version_with_all_members_is_not_announced_and_not_added() {
    let mut world = founded_by(1, 2, 4);
    world.comes_in(1);
    world.actors[2] = Actor::speaking(2, versions(2, 3).unwrap());
    world.done(0, world.invitation(7, 3));
    let request = world.request(7, 2);
    let refused =
        Void::NotAllowed("the newcomer speaks no version of the protocol that all members speak");
    assert_eq!(world.void(0, request), refused);
    // Two that ask while all speak both, and of whom only one fits once the other is in.
    let mut world = founded_by(1, 2, 4);
    for (n, only) in [(1, 1), (2, 2)] {
        world.actors[n] = Actor::speaking(u8::try_from(n).unwrap(), versions(only, only).unwrap());
        let token = u8::try_from(n).unwrap();
        world.done(0, world.invitation(token, 3));
        world.done(0, world.request(token, n));
    }
    let (first, second) = (world.adding(0, 1), world.adding(0, 2));
    world.commit(0, first).unwrap();
    assert_eq!(world.commit(0, second), Err(refused));
}

#[test]
fn a_first_entry_is_in_a_version_that_the_founder_speaks() {
    let mut world = World::empty(1);
    world.actors[0] = Actor::speaking(0, versions(2, 3).unwrap());
    let genesis: Entry = Genesis {
        name: "Riverside".to_owned(),
        document: world.actors[0].document.clone(),
    }
    .into();
    for (version, holds) in [(1, false), (4, false), (2, true)] {
        let id = world.fresh_id();
        let mut header = world.header(0, id, &genesis);
        header.version = version;
        let inside = Inside::Entry(Box::new(genesis.clone()), None);
        let said = world.next(0, id, header, inside);
        assert_eq!(world.fold(said).is_ok(), holds, "version {version}");
        if !holds {
            world = World::empty(1);
            world.actors[0] = Actor::speaking(0, versions(2, 3).unwrap());
        }
    }
}

#[test]
fn an_envelope_is_read_in_the_versions_that_all_speak_and_in_no_other() {
    let world = founded_by(2, 3, 1);
    let entry: Entry = Tick {}.into();
    let mut id = World::empty(1);
    let mut header = header(
        world.id(0),
        id.fresh_id(),
        Class::Control,
        Form::Application,
        entry.blobs(),
    );
    for (version, read) in [(0, false), (1, false), (2, true), (3, true), (4, false)] {
        header.version = version;
        let envelope = Envelope {
            header: header.clone(),
            sealed: vec![1],
        };
        let (coalition, lineage) = (envelope.header.coalition, envelope.header.lineage);
        let spoken = world.state.meta().versions;
        let outcome = Envelope::read(&envelope.bytes(), coalition, lineage, spoken);
        match read {
            true => assert_eq!(outcome, Ok(envelope)),
            false => assert_eq!(outcome, Err(EnvelopeError::Version(version))),
        }
    }
}
