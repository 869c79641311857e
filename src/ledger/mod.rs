//! The record of exchanges, append-only, and its questions.
