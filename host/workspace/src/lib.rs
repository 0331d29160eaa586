//! deskhand-workspace

pub mod facts;
