//! deskhand-records
