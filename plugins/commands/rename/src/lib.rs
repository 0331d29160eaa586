//! deskhand-rename
