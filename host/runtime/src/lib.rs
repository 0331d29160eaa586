//! deskhand-runtime
