//! deskhand-sdk
