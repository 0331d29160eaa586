//! deskhand-duplicates
