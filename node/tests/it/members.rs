//! The life of a member beyond joining: copies, ways back, leaving, removal.

mod backup;
mod coming_back;
mod identity;
mod parting;
