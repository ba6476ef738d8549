//! Shares between organizations: the gate at both ends, the recall, the proof of it.

pub(crate) mod desk;
mod disputes;
mod gate;
mod net;
mod onward;
mod onward_recall;
mod papers;
mod people;
mod proof;
mod quarantine;
mod recall;
mod receiving;
mod rest;
mod restore;
mod secrecy;
mod sending;
mod simulation;
mod uses;
