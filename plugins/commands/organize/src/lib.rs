//! deskhand-organize
