//! deskhand-workspace
