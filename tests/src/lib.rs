//! deskhand-tests
