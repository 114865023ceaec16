//! The services over strict adapters in memory, and over mocks where something must fail.

mod apply;
mod check;
mod claim_next;
mod complete;
mod create;
mod delete;
mod desk;
mod doctor;
mod family;
mod history;
mod modify;
mod query;
mod ready;
mod relate;
mod requests;
mod rings;
mod undo;
mod watch;
mod why;
