//! deskhand-permissions
