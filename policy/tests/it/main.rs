//! Tests of the gate through its public interface.
#![cfg(test)]

mod bad_inputs;
mod columns;
mod consent;
mod damage;
mod explanation;
mod fixture;
mod form;
mod laws;
mod publish;
mod refused_texts;
mod sieve;
mod simulate;
mod vectors;
