//! Tests of the whole: one program, so that it links once.
#![cfg(test)]

mod browser;
mod demo;
mod crash;
mod house;
mod nodes;
mod postgres;
