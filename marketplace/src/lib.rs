//! deskhand-marketplace
