//! Imports from the bytes of a file to what the desk shows of them, on each database.

mod again;
mod histories;
mod lists;
mod marks;
mod refusals;
