//! Tests of the gate through its public interface.
#![cfg(test)]

mod bad_inputs;
mod consent;
mod damage;
mod explanation;
mod fixture;
mod form;
mod laws;
mod refused_texts;
mod vectors;
