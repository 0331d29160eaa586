//! deskhand-sdk-macros
