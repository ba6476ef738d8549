//! Tests of the whole: one program, so that it links once.
#![cfg(test)]

mod browser;
mod chaos;
mod commands;
mod conform;
mod crash;
mod demo;
mod house;
mod nodes;
mod postgres;
mod sim;
