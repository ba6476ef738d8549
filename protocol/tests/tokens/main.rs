//! Match tokens from outside: whole exchanges, every cheat alone, golden and normalization vectors.
#![cfg(test)]

mod ceremony;
mod cheats;
mod exchange;
mod keygen;
mod keysets;
mod normalization;
mod vectors;
