//! Tests of every page.
